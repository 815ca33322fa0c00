"""Which slip of the chain rule gives the number, or the gradient, that is claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import SLIP_NODES
from gradverify.claims.computation.file_program import FileProgram
from gradverify.claims.computation.point import Balls, Point, case_at, flat
from gradverify.diagnosis.explain_claim import WHO, explain_claim, said
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.graph_slips import whole_slips
from gradverify.diagnosis.naming import Naming
from gradverify.diagnosis.observation import Observation, is_smooth
from gradverify.diagnosis.right_sweep import right
from gradverify.diagnosis.slip_search import slips
from gradverify.graph import LEAVES, Array, Case
from gradverify.graph.show import LETTERS
from gradverify.reference import Reference

OTHER = "another op"  # a text that has another function shows the same


def slip(
    program: FileProgram,
    pair: tuple[int, int],
    names: Mapping[str, object],
    claimed: Sequence[tuple[Point, Balls]],
) -> str:
    """The likeliest slip in a sentence; empty where none gives the claimed numbers.

    pair: of which node by which the derivative is, both single numbers. claimed: what
    is claimed at each of some points; a slip must give all of it.
    """
    y, x = pair
    cut = program.cut(y, frozenset({x}))
    shapes = {node.shape for node in cut.graph.nodes}
    if x not in cut.place or shapes != {()} or len(cut.graph.nodes) > SLIP_NODES:
        return ""
    with np.errstate(all="ignore"):
        seen = [
            _observation(point, pair, cut.place[x], ball) for point, ball in claimed
        ]
        observed = [o for o in seen if o is not None]
        if len(observed) < len(seen) or not all(o.deviates for o in observed):
            return ""
        found = [
            s for s in slips(observed) if s.cause.by_hand and s.cause.name != OTHER
        ]
        others = whole_slips(observed, by_hand=True)
        called = {v.index: n for n, v in names.items() if isinstance(v, Symbol)}
        back = {new: called.get(old, "") for old, new in cut.place.items()}
        case = case_at(claimed[0][0], y, x, "float64")[0]
        words = Naming(observed[0].right, tuple(_named(case, back)), WHO)
        return said(words, [*found, *others], observed[0]).sentence


def _observation(
    point: Point, pair: tuple[int, int], node: int, claimed: Balls
) -> Observation | None:
    """What is claimed at a point beside what is right there; None at a kink."""
    case, _ = case_at(point, *pair, "float64")
    if not is_smooth(case):
        return None
    (ball,) = flat(claimed)
    middle, allowed = np.asarray(float(ball.mid())), np.asarray(float(ball.rad()))
    return Observation(right(case), {node: middle}, {node: allowed})


def _named(case: Case, known: Mapping[int, str]) -> list[str]:
    """A name for every node: that of the file, else a letter that the file has not."""
    free = (letter for letter in LETTERS if letter not in known.values())
    result = []
    for i, node in enumerate(case.graph.nodes):
        needs = not known.get(i) and (node.op not in LEAVES or node.op == "input")
        result.append(next(free, f"%{i}") if needs else known.get(i) or f"%{i}")
    return result


# ---- of a formula and claimed numbers


def told(explanation: Explanation) -> list[str]:
    """An explanation in lines."""
    others = [f"or: {text}" for text in explanation.also]
    lines = [explanation.sentence, *explanation.paths, *others]
    return [line for line in lines if line]


def why_wrong(
    found: Mapping[str, Array], truth: Reference, names: list[str]
) -> Explanation | None:
    """The slips that give the claimed numbers; None where there is nothing to say.

    found: the stated numbers by the names of inputs; names: of all inputs.
    """
    entries = [entry for x in found.values() for entry in x.flat]
    if any(entry.value is None for entry in entries):
        return None
    inputs = dict(zip(names, truth.case.graph.inputs, strict=True))
    claimed, allowed = {}, {}
    for name, x in found.items():
        bound = truth.loose[names.index(name)]
        halves = np.reshape([float(e.half_unit) for e in x.flat], x.shape)
        numbers = np.reshape([float(e.value) for e in x.flat], x.shape)
        claimed[inputs[name]] = numbers.astype(np.longdouble)
        allowed[inputs[name]] = np.asarray(bound + halves, np.longdouble)
    found_out = explain_claim(truth.case, claimed, allowed, names)
    return found_out if told(found_out) else None
