"""Why a claim is wrong, and what it should have been."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import HELD_VALUES, SHOWN_VALUES
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.numbers import decimal_point
from gradverify.claims.computation.point import PRECISION, Balls, Point, flat, floats
from gradverify.claims.judgement.members import (
    Members,
    Outcome,
    agree,
    drawn_for,
    is_number,
    needed_leaves,
)
from gradverify.claims.judgement.read_claim import Explained
from gradverify.claims.language.vocabulary import PIECEWISE
from gradverify.claims.mending.edits import edited
from gradverify.claims.mending.program_edits import edited_program
from gradverify.claims.mending.slips import slip
from gradverify.claims.mending.spelled import Formulas, number, telling

SHARP = 1e-3  # of a number: how wide it may be
POINTS = 3  # at which a slip must give the claimed formula
DRAWN = 40  # points that are drawn for those


def _no_node(formula: Any) -> Symbol:
    raise NotUnderstood(f"{formula} is not read here")


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
    node: Callable[[Any], Symbol] = field(default=_no_node)
    mentioned: frozenset[str] = frozenset()
    held: bool = False

    @property
    def head(self) -> Symbol:
        """The node that the chain begins with."""
        return self.members.nodes[0]

    @property
    def point(self) -> Point:
        """Where its numbers are taken from."""
        return self.outcome.point

    def points(self, count: int = POINTS) -> list[Point]:
        """Drawn points at which all members have values; a few of them."""
        program, members = self.program, self.members
        leaves = sorted(
            i
            for i in needed_leaves(program, members)
            if not program.leaves[i].is_constant and i not in members.moved
        )
        found: list[Point] = []
        for seed in range(DRAWN):
            point = drawn_for(program, members, leaves, seed)
            values = [point.value(n.index) for n in members.nodes]
            if all(b.is_finite() for v in values for b in flat(v)):
                found.append(point)
            if len(found) == count or not leaves:
                break
        return found

    def value(self, k: int) -> Balls:
        """What a member is worth."""
        return self.point.value(self.members.nodes[k].index)

    def places(self) -> list[Point]:
        """Where a cause must hold: where the numbers are from; for formulas, elsewhere.

        At x = 2 alone, a missing factor 2 could not be told from a missing factor x.
        """
        last = self.members.nodes[-1].index
        moved = [
            i
            for i in self.program.cut(last).leaves
            if not self.program.leaves[i].is_constant and i not in self.members.moved
        ]
        leaves = [self.program.leaves[i] for i in moved]
        is_known = all(leaf.value is not None and not leaf.shape for leaf in leaves)
        if self.outcome.is_identity or not moved or not is_known:
            return [self.point]
        return [self.point, *self.points()]

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
        sentence, is_slip = cause(wrong)
        puts_in = bool(sentence) and sentence == _put_in(wrong)
        return Explained(exact, sentence, corrected(wrong, exact), is_slip, puts_in)


# ---- the cause


def cause(wrong: Wrong) -> tuple[str, bool]:
    """The first row of the tables that applies, and whether it is a slip."""
    for rows, is_slip in ((SLIPS, True), (REMARKS, False)):
        for row in rows:
            sentence = row(wrong)
            if sentence:
                return sentence, is_slip
    return "", False


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
    last = wrong.members.nodes[-1].index
    for name, exact in _others(wrong):
        if all(
            agree(place.value(exact), place.value(last)) for place in wrong.places()
        ):
            y = _name_of(wrong, (wrong.pair or (0, 0))[0]) or "it"
            return f"this is the derivative by {name}: ∂{y}/∂{name}"
    return ""


def _others(wrong: Wrong) -> Iterator[tuple[str, int]]:
    """The nodes of the derivatives by the other names."""
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
            yield name, node.index


def _sign(wrong: Wrong) -> str:
    is_zero = all(b.contains(0) for b in flat(wrong.value(0)))
    last = wrong.members.nodes[-1].index
    turned = all(
        agree(-place.value(wrong.head.index), place.value(last))
        for place in wrong.places()
    )
    return "the sign is wrong" if turned and not is_zero else ""


def _shape(wrong: Wrong) -> str:
    claimed = wrong.value(len(wrong.members.nodes) - 1)
    if np.size(claimed) == np.size(wrong.value(0)):
        return ""
    return (
        f"it has shape {np.shape(claimed)}, the derivative {np.shape(wrong.value(0))}"
    )


def _factor(wrong: Wrong) -> str:
    """A whole factor, or its inverse, too much."""
    last = wrong.members.nodes[-1].index
    pairs: list[tuple[Any, Any]] = []
    for place in wrong.places():
        exact, claimed = flat(place.value(wrong.head.index)), flat(place.value(last))
        if len(claimed) != len(exact):
            return ""
        pairs += zip(exact, claimed, strict=True)
    if any(e.contains(0) for e, _ in pairs):
        return ""
    for n in (2, 3, 4):
        if all((e * n).overlaps(c) for e, c in pairs):
            return f"a factor {n} too much"
        if all(e.overlaps(c * n) for e, c in pairs):
            return f"a factor {n} is missing"
    return ""


def _slip(wrong: Wrong) -> str:
    """One of the slips that people make with the chain rule.

    Numbers are held against it at the stated point; formulas at drawn ones.
    """
    pair = wrong.pair
    if pair is None or wrong.outcome.step != 0 or not wrong.chain:
        return ""
    if not wrong.members.formulas and not wrong.outcome.is_identity:
        return ""
    if wrong.outcome.is_identity:
        points = wrong.points()
        claimed = [(p, p.value(wrong.members.nodes[1].index)) for p in points]
        if len(points) < POINTS or any(np.shape(c) != () for _, c in claimed):
            return ""
        sentence = slip(wrong.program, pair, wrong.names, claimed)
        return re.sub(r" \([^()]*\)", "", sentence)  # numbers of a drawn point
    last = wrong.value(len(wrong.members.nodes) - 1)
    if np.shape(last) != () or not _is_sharp(last):
        return ""
    return slip(wrong.program, pair, wrong.names, [(wrong.point, last)])


def _ratio(wrong: Wrong) -> str:
    """A constant factor too much, the same wherever the names are moved to."""
    points = wrong.points() if wrong.outcome.is_identity else []
    ratios = []
    for point in points:
        exact = flat(point.value(wrong.members.nodes[0].index))
        claimed = flat(point.value(wrong.members.nodes[-1].index))
        if len(exact) != len(claimed):
            return ""
        ratios += [
            float(c) / float(e)
            for e, c in zip(exact, claimed, strict=True)
            if not e.contains(0)
        ]
    if len(ratios) < POINTS or not all(math.isclose(r, ratios[0]) for r in ratios):
        return ""
    if ratios[0] == 0 or math.isclose(ratios[0], 1):
        return ""
    return f"a constant factor {ratios[0]:.6g} too much"


def _edit(wrong: Wrong) -> str:
    """One change of the claimed formula makes it right."""
    step, formulas = wrong.outcome.step, wrong.members.formulas
    if not formulas:
        return _edit_of_code(wrong)
    if step is None or is_number(formulas[step + 1]):
        return ""
    points = wrong.points()
    shapes = {n.shape for n in wrong.members.nodes}
    if len(points) < POINTS or shapes != {()}:
        return ""
    exact = tuple(float(p.value(wrong.head.index)) for p in points)
    if len(set(exact)) < 2 and all(e in (0.0, 1.0, -1.0) for e in exact):
        return ""  # too many formulas are 1

    def asked(part: Any) -> tuple[float, ...]:
        node = wrong.node(part)
        return tuple(float(p.value(node.index)) for p in points)

    names = [n for n in wrong.names if n in wrong.mentioned]
    return edited(formulas[step + 1], exact, names, asked) or ""


def _edit_of_code(wrong: Wrong) -> str:
    """One change of what code computes makes it right."""
    points = wrong.points()
    exact, claimed = wrong.members.nodes[:2]
    if len(points) < POINTS or exact.shape != claimed.shape:
        return ""
    cut = wrong.program.cut(claimed.index)
    leaves = [[floats(p.value(i)) for i in cut.leaves] for p in points]
    wanted = [floats(p.value(exact.index)) for p in points]
    return edited_program(cut, leaves, wanted) or ""


def _held_values(wrong: Wrong) -> str:
    """Values on the way are taken as constants: the mean and variance of a norm."""
    pair = wrong.pair
    if pair is None or wrong.members.formulas:
        return ""
    y, x = (Symbol(wrong.program.record, i) for i in pair)
    claimed = wrong.members.nodes[1]
    between = {
        v.index: name
        for name, v in wrong.names.items()
        if isinstance(v, Symbol)
        and v.index not in (*pair, claimed.index, *wrong.program.leaves)
        and wrong.program.depends(y.index, v.index)
        and wrong.program.depends(v.index, x.index)
    }
    nodes = wrong.program.record.nodes
    sums = frozenset(
        i
        for i in wrong.program.cut(y.index).place
        if nodes[i].op == "sum"
        and i != y.index
        and wrong.program.depends(i, x.index)
        and np.prod(nodes[i].shape) < np.prod(x.shape)
    )
    if claimed.shape != x.shape:
        return ""
    several = [*between][:HELD_VALUES]
    tried = [frozenset({i}) for i in several]
    tried += [frozenset(p) for p in itertools.combinations(several, 2)]
    tried += [sums] if sums else []
    for held in tried:
        try:
            node = wrong.program.derivative(y, x, held)
            places = wrong.points()
            same = all(
                agree(p.value(node.index), p.value(claimed.index)) for p in places
            )
        except NotUnderstood:
            continue
        if same and places:
            names = [between[i] for i in sorted(held) if i in between]
            return f"what goes through {' and '.join(names) or 'a sum'} is left out"
    return ""


def _is_sharp(claimed: Balls) -> bool:
    """Whether a number has digits enough for a coincidence to be unlikely."""
    (ball,) = flat(claimed)
    return float(ball.rad()) <= SHARP * abs(float(ball.mid()))


def _one_piece(wrong: Wrong) -> str:
    """A formula in pieces that is right in one of them alone."""
    step, formulas = wrong.outcome.step, wrong.members.formulas
    if step is None or not formulas or PIECEWISE not in repr(formulas[step + 1]):
        return ""
    head, claimed = wrong.head.index, wrong.members.nodes[step + 1].index
    found = {
        agree(point.value(head), point.value(claimed)) for point in wrong.points(DRAWN)
    }
    return "it is right in one of its pieces alone" if len(found) == 2 else ""


def _held(wrong: Wrong) -> str:
    """0 is claimed, though the output depends on the name by way of another one."""
    claimed = flat(wrong.value(len(wrong.members.nodes) - 1))
    is_zero = all(b.contains(0) and float(b.rad()) == 0 for b in claimed)
    return "what depends through another name is held" if is_zero and wrong.held else ""


def _put_in(wrong: Wrong) -> str:
    """A formula is right and the values that are put into it are not."""
    k = wrong.outcome.step
    if not k:
        return ""
    left, right = (telling(wrong.value(i), "") for i in (k, k + 1))
    if len(left) + len(right) > SHOWN_VALUES:
        return ""
    return f"{wrong.chain[k]} is {left} here, {wrong.chain[k + 1]} is {right}"


def _rounding(wrong: Wrong) -> str:
    """A decimal that is rounded the wrong way."""
    step, last = wrong.outcome.step, len(wrong.members.nodes) - 2
    if step != last or not re.fullmatch(r"-?\d+[.,]\d+", wrong.chain[-1]):
        return ""
    claimed = decimal_point(wrong.chain[-1])
    decimals = len(claimed.partition(".")[2])
    exact = flat(wrong.value(0))[0]
    if abs(float(exact) - float(claimed)) > 2 * 10.0**-decimals:
        return ""
    return f"{number(exact)} rounds to {float(exact):.{decimals}f}"


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
SLIPS: tuple[Callable[[Wrong], str], ...] = (
    _arithmetic, _rounding, _sign, _another_name, _factor, _slip, _edit, _ratio,
    _one_piece, _held_values, _held,
)
REMARKS: tuple[Callable[[Wrong], str], ...] = (_put_in, _shape, _formula)
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
        lengths = {1} if node in put_right else _lengths(wrong.program, node)
        exact, claimed = wrong.value(0), point.value(node)
        # It may divide by the number of examples, which no right gradient shows.
        is_right = any(agree(exact / n, claimed) for n in lengths)
        if node in put_right or not is_right:
            return explained
    before = [i for i in put_right if wrong.program.depends(node, i)]
    used = [names[i] for i in before if i in names] or ["an earlier line"]
    sentence = f"it follows from {' and '.join(used)}, which is wrong"
    return Explained(explained.exact, sentence) if before else explained


def _lengths(program: FileProgram, node: int) -> set[int]:
    """The lengths of the axes of what a node is computed from, and 1."""
    nodes = program.record.nodes
    shapes = (nodes[i].shape for i in program.cut(node).place)
    return {1, *(n for shape in shapes for n in shape)} - {0}


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
