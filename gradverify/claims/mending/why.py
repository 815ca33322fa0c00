"""Why a claim is wrong, and what it should have been."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.point import PRECISION, Balls, Point, flat
from gradverify.claims.judgement.members import Members, Outcome, agree, is_number
from gradverify.claims.mending.slips import slip
from gradverify.claims.mending.spelled import Formulas, number, telling

SHARP = 1e-3  # of a number: how wide it may be
SHOWN = 60  # characters of a formula within a sentence


@dataclass(frozen=True)
class Explained:
    """The exact derivative, the cause, and the corrected chain, as text."""

    exact: str = ""
    cause: str = ""
    corrected: str = ""


@dataclass(frozen=True, eq=False)
class Wrong:
    """A claim that is looked into: what it is about, and what a place calls things.

    chain: its members as text. head: the derivative's node. claimed: the node of the
    last member. notation: "python", "latex" or "plain".
    """

    program: FileProgram
    members: Members
    outcome: Outcome
    names: Mapping[str, Any]
    chain: Sequence[str]
    notation: str = "plain"

    @property
    def head(self) -> Symbol:
        """The node that the chain begins with."""
        return self.members.nodes[0]

    @property
    def point(self) -> Point:
        """Where its numbers are taken from."""
        return self.outcome.point

    def value(self, k: int) -> Balls:
        """What a member is worth."""
        return self.point.value(self.members.nodes[k].index)

    @property
    def pair(self) -> tuple[int, int] | None:
        """Of which node by which the head is the derivative."""
        i, nodes = self.head.index, self.program.record.nodes
        while i not in self.program.derivatives and nodes[i].op == "reshape":
            i = nodes[i].operands[0]
        return self.program.derivatives.get(i)


def explain(wrong: Wrong) -> Explained:
    """What a person reads beside the verdict."""
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        claimed = wrong.chain[-1] if wrong.chain else ""
        exact = telling(wrong.value(0), claimed)
        if wrong.outcome.is_identity:  # its numbers are those of a drawn point
            exact = symbolic(wrong)
        if wrong.outcome.step is None:
            return Explained(exact)
        return Explained(exact, cause(wrong), corrected(wrong, exact))


# ---- the cause


def cause(wrong: Wrong) -> str:
    """The first row of the table that applies, as a sentence."""
    for row in CAUSES:
        sentence = row(wrong)
        if sentence:
            return sentence
    return ""


def _arithmetic(wrong: Wrong) -> str:
    """Both sides of the wrong equality are numbers alone."""
    k = wrong.outcome.step
    formulas = wrong.members.formulas
    if k is None or not formulas or not is_number(formulas[k]):
        return ""
    return (
        f"arithmetic: {wrong.chain[k]} is {telling(wrong.value(k), wrong.chain[k + 1])}"
    )


def _another_name(wrong: Wrong) -> str:
    """It is the derivative by another name."""
    for name, exact in _others(wrong):
        if agree(exact, wrong.value(len(wrong.members.nodes) - 1)):
            y = _name_of(wrong, (wrong.pair or (0, 0))[0]) or "it"
            return f"this is the derivative by {name}: ∂{y}/∂{name}"
    return ""


def _others(wrong: Wrong) -> Iterator[tuple[str, Balls]]:
    """The derivatives by the other names, where they are numbers of that shape."""
    pair = wrong.pair
    if pair is None:
        return
    y, x = pair
    reached = wrong.program.cut(y).place
    for name, value in wrong.names.items():
        if not isinstance(value, Symbol) or value.index in (x, y):
            continue
        if value.index in reached:
            try:
                node = wrong.program.derivative(Symbol(wrong.program.record, y), value)
            except NotUnderstood:
                continue
            yield name, wrong.point.value(node.index)


def _sign(wrong: Wrong) -> str:
    claimed = wrong.value(len(wrong.members.nodes) - 1)
    exact = wrong.value(0)
    is_zero = all(b.contains(0) for b in flat(exact))
    return "the sign is wrong" if agree(-exact, claimed) and not is_zero else ""


def _shape(wrong: Wrong) -> str:
    claimed = wrong.value(len(wrong.members.nodes) - 1)
    if np.size(claimed) == np.size(wrong.value(0)):
        return ""
    return (
        f"it has shape {np.shape(claimed)}, the derivative {np.shape(wrong.value(0))}"
    )


def _factor(wrong: Wrong) -> str:
    """A whole factor, or its inverse, too much."""
    claimed = flat(wrong.value(len(wrong.members.nodes) - 1))
    exact = flat(wrong.value(0))
    if len(claimed) != len(exact) or any(e.contains(0) for e in exact):
        return ""
    for n in (2, 3, 4):
        if all((e * n).overlaps(c) for e, c in zip(exact, claimed, strict=True)):
            return f"a factor {n} too much"
        if all(e.overlaps(c * n) for e, c in zip(exact, claimed, strict=True)):
            return f"a factor {n} is missing"
    return ""


def _slip(wrong: Wrong) -> str:
    """One of the slips that people make with the chain rule."""
    k, pair = wrong.outcome.step, wrong.pair
    claimed = wrong.value(len(wrong.members.nodes) - 1)
    if pair is None or k != 0 or wrong.outcome.is_identity or not wrong.chain:
        return ""
    if not wrong.members.formulas or np.shape(claimed) != () or not _is_sharp(claimed):
        return ""
    return slip(wrong.program, pair, wrong.names, wrong.outcome, claimed)


def _is_sharp(claimed: Balls) -> bool:
    """Whether a number has digits enough for a coincidence to be unlikely."""
    (ball,) = flat(claimed)
    return float(ball.rad()) <= SHARP * abs(float(ball.mid()))


def _put_in(wrong: Wrong) -> str:
    """A formula is right and the values that are put into it are not."""
    k = wrong.outcome.step
    if not k:
        return ""
    left, right = (telling(wrong.value(i), "") for i in (k, k + 1))
    if len(left) + len(right) > SHOWN:
        return ""
    return f"{wrong.chain[k]} is {left} here, {wrong.chain[k + 1]} is {right}"


def _rounding(wrong: Wrong) -> str:
    """A decimal that is rounded the wrong way."""
    text = wrong.chain[-1].replace(",", ".").lstrip("-")
    whole, point, decimals = text.partition(".")
    if not (point and whole.isdigit() and decimals.isdigit()):
        return ""
    exact = flat(wrong.value(0))[0]
    unit = 10.0 ** -len(decimals)
    if abs(float(exact) - float(wrong.chain[-1].replace(",", "."))) > 2 * unit:
        return ""
    return f"{number(exact)} rounds to {float(exact):.{len(decimals)}f}"


def _formula(wrong: Wrong) -> str:
    found = symbolic(wrong)
    if found and wrong.chain[-1] != found:
        return f"the chain rule gives {found}"
    return (
        "the two differ where their names are moved"
        if wrong.outcome.is_identity
        else ""
    )


# fmt: off
CAUSES: tuple[Callable[[Wrong], str], ...] = (
    _arithmetic, _shape, _rounding, _sign, _another_name, _slip, _factor, _put_in,
    _formula,
)
# fmt: on


def following(
    wrong: Wrong, explained: Explained, earlier: Mapping[int, Symbol]
) -> Explained:
    """A step of a backward pass that is right but for an earlier step that is wrong."""
    names = {v.index: k for k, v in wrong.names.items() if isinstance(v, Symbol)}
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        put_right = {i: wrong.point.value(e.index) for i, e in earlier.items()}
        point = Point(wrong.program, wrong.point.leaves, dict(put_right))
        node = wrong.members.nodes[1].index
        if node in put_right or not agree(wrong.value(0), point.value(node)):
            return explained
    used = [
        names[i] for i in put_right if i in names and wrong.program.depends(node, i)
    ]
    sentence = f"it follows from {' and '.join(used)}, which is wrong"
    return Explained(explained.exact, sentence, "") if used else explained


# ---- the correction


def symbolic(wrong: Wrong, notation: str = "plain") -> str:
    """The exact derivative as a formula in the names of the place; maybe empty."""
    return _written(wrong, None, notation).text(wrong.head.index)


def _written(wrong: Wrong, point: Point | None, notation: str) -> Formulas:
    names = {
        value.index: name
        for name, value in wrong.names.items()
        if isinstance(value, Symbol) and value.index != wrong.head.index
        and value.index not in wrong.program.gradients
    }  # fmt: skip
    return Formulas(wrong.program, names, point, notation)


def _name_of(wrong: Wrong, index: int) -> str:
    found = (
        n for n, v in wrong.names.items() if isinstance(v, Symbol) and v.index == index
    )
    return next(found, "")


def corrected(wrong: Wrong, exact: str) -> str:
    """The chain as it should be: kept up to the wrong step, then put right."""
    step, formulas = wrong.outcome.step or 0, wrong.members.formulas
    formula = symbolic(wrong, wrong.notation)
    rest = [formula] if formula and (step == 0 or wrong.outcome.is_identity) else []
    if formulas and not wrong.outcome.is_identity:
        numbers = _numbers(wrong) if step == 0 else ""
        rest += [
            text
            for text in dict.fromkeys((numbers, exact))
            if text and text not in rest
        ]
    return " = ".join([*wrong.chain[: step + 1], *rest]) if rest else ""


def _numbers(wrong: Wrong) -> str:
    """The formula with the values of its names in their place, if all are single."""
    if all(np.shape(v) == () for v in _named_values(wrong)):
        return _written(wrong, wrong.point, wrong.notation).text(wrong.head.index)
    return ""


def _named_values(wrong: Wrong) -> list[Balls]:
    reached = wrong.program.cut(wrong.head.index).place
    return [
        np.zeros(v.shape)
        for v in wrong.names.values()
        if isinstance(v, Symbol) and v.index in reached
    ]


def printed_value(node: Symbol, outcome: Outcome, claimed: str) -> str:
    """The exact derivative beside a number that was printed."""
    with ctx.workprec(PRECISION):
        return telling(outcome.point.value(node.index), claimed)
