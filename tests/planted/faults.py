"""Thirteen faults, planted into our rules and into wrappers of libraries.

A fault is written once, over NumPy: what it makes of the right cotangents of one op.
`planted` puts it into an engine, `twin` puts the right rule in by the same way, so that
nothing but the fault tells the two apart.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.autodiff import Tape
from gradverify.autodiff.rules import RULES
from gradverify.diagnosis.localize import WHOLE
from gradverify.differentiators import Differentiator
from gradverify.graph import Array
from gradverify.ops import OPS
from gradverify.ops.maps import Linear, unbroadcast
from gradverify.verdict import Verdict

from .engines import ENGINES

Cotangents = list[Any]


@dataclass(frozen=True)
class Application:
    """One application of an op, on the way back: all that a rule may look at."""

    op: str
    ct: Array
    y: Array
    operands: Sequence[Any]
    params: Mapping[str, Any]

    def right(self) -> Cotangents:
        """The cotangents of the operands by the table of rules."""
        if not OPS[self.op].is_primitive:
            return self.of_composite()
        pairs = zip(RULES[self.op], self.operands, strict=True)
        return [self.pulled(rule, x) for rule, x in pairs]

    def of_composite(self) -> Cotangents:
        """The cotangents of the operands of an op that has no rule of its own."""
        tape = Tape()
        xs = [
            tape.variable(np.asarray(x, np.result_type(self.ct))) for x in self.operands
        ]
        y = tape.table[self.op](*xs, **self.params)
        found = tape.cotangents({y: self.ct})
        pairs = zip(xs, self.operands, strict=True)
        return [
            self.zeros(x) if found[v.index] is None else found[v.index]
            for v, x in pairs
        ]

    def zeros(self, x: Any) -> Any:
        """Nothing, in the shape of an operand and the dtype of the cotangent."""
        return np.zeros(np.shape(x), np.result_type(self.ct))

    def pulled(self, rule: Any, x: Any) -> Any:
        """The cotangent of one operand by one rule."""
        if isinstance(rule, Linear):
            return rule.vjp(FLOATS, self.ct, self.y, *self.operands, **self.params)
        if callable(rule):
            rule = rule(FLOATS, self.y, *self.operands, **self.params)
        # where nothing arrives nothing goes on, however large the slope is
        return self.summed(np.where(self.ct == 0, 0.0 * self.ct, self.ct * rule), x)

    def summed(self, term: Any, x: Any) -> Any:
        """A term in the shape of the operand."""
        return unbroadcast(FLOATS, term, np.shape(x), np.ndim(self.y))


@dataclass(frozen=True)
class Fault:
    """What is wrong, in which op, and as what it may be found.

    make: a fresh wrong rule, since one of them keeps state; None where the rules are
        right and their contributions are not added up.
    in_torch: another rule there, where the library would mend the first.
    dtype: where it shows.
    """

    name: str
    op: str
    make: Callable[[], Callable[[Application], Cotangents]] | None
    verdicts: frozenset[Verdict]
    in_torch: Callable[[Application], Cotangents] | None = None
    dtype: str = "float64"

    def __str__(self) -> str:
        return self.name


def planted(fault: Fault, engine: str) -> Differentiator:
    """That engine with the fault in it."""
    name = f"{engine}, {fault}"
    if fault.make is None:
        return ENGINES[engine].adding(name, accumulates=False)
    rule = fault.make()
    if engine == "torch-cpu" and fault.in_torch is not None:
        rule = fault.in_torch
    return ENGINES[engine].with_rule(name, fault.op, _over_arrays(fault.op, rule))


def twin(fault: Fault, engine: str) -> Differentiator:
    """That engine with the right rule in the fault's place."""
    name = f"{engine}, twin of {fault}"
    if fault.make is None:
        return ENGINES[engine].adding(name, accumulates=True)
    rule = _over_arrays(fault.op, Application.right)
    return ENGINES[engine].with_rule(name, fault.op, rule)


def _over_arrays(
    op: str, rule: Callable[[Application], Cotangents]
) -> Callable[..., Cotangents]:
    def cotangents(ct: Any, y: Any, *operands: Any, **params: Any) -> Cotangents:
        with np.errstate(all="ignore"):
            return rule(Application(op, ct, y, operands, params))

    return cotangents


# ---- the wrong rules


def times(*factors: float) -> Callable[[Application], Cotangents]:
    """Right, but for a constant factor an operand."""

    def rule(a: Application) -> Cotangents:
        return [k * g for k, g in zip(factors, a.right(), strict=True)]

    return rule


def where(
    holds: Callable[[Any], Any], factor: float
) -> Callable[[Application], Cotangents]:
    """Right, but for a factor where the operand is in some region."""

    def rule(a: Application) -> Cotangents:
        return [np.where(holds(a.operands[0]), factor * a.right()[0], a.right()[0])]

    return rule


def without_sum(a: Application) -> Cotangents:
    """Cotangents in the shape of the result, whatever the operands' shapes."""
    return [a.ct for _ in a.operands]


def first_summand(a: Application) -> Cotangents:
    """Broadcasting undone by the first of the entries that should be added."""

    def first(shape: tuple[int, ...]) -> Array:
        ct = np.asarray(a.ct)
        while ct.ndim > len(shape):
            ct = ct[0]
        for axis, n in enumerate(shape):
            ct = ct.take(range(n), axis) if n == 1 else ct
        return ct

    return [first(np.shape(x)) for x in a.operands]


def transposed(a: Application) -> Cotangents:
    """A square right matrix is not transposed on the way to the left one."""
    left, right = a.right()
    matrix = a.operands[1]
    if np.ndim(matrix) == 2 and matrix.shape[0] == matrix.shape[1]:
        left = a.ct @ matrix
    return [left, right]


def steep_kink(a: Application) -> Cotangents:
    """Slope 3 at the kink of abs, where -1 to 1 is admissible."""
    return [np.where(np.equal(a.operands[0], 0.0), 3.0 * a.ct, a.right()[0])]


def both_at_ties(a: Application) -> Cotangents:
    """Each of two equal operands of maximum gets the whole cotangent."""
    tie = np.equal(*a.operands)
    return [
        a.summed(a.ct * np.where(tie, 1.0, rule(FLOATS, a.y, *a.operands)), x)
        for rule, x in zip(RULES["maximum"], a.operands, strict=True)
    ]


def stale() -> Callable[[Application], Cotangents]:
    """The slope of log at the operand of the run before, if that had the same shape."""
    before: dict[tuple[int, ...], Any] = {}

    def rule(a: Application) -> Cotangents:
        (x,) = a.operands
        used = before.get(np.shape(x), x)
        before[np.shape(x)] = np.array(x)
        return [a.ct / used]

    return rule


def always(rule: Callable[[Application], Cotangents]) -> Callable[[], Any]:
    """A maker of a rule that keeps no state."""
    return lambda: rule


WRONG = frozenset({Verdict.WRONG})
UNSHAPED = frozenset({Verdict.WRONG, Verdict.WRONG_SHAPE, Verdict.CRASHED})
UNSTEADY = frozenset({Verdict.WRONG, Verdict.NONDETERMINISTIC, Verdict.STALE})

# fmt: off
FAULTS = (
    Fault("sign",                  "cos",     always(times(-1.0)),                             WRONG),
    Fault("factor 2",              "div",     always(times(1.0, 2.0)),                         WRONG),
    Fault("factor off by 1e-9",    "exp",     always(times(1.0 + 1e-9)),                       WRONG),
    Fault("dropped path",          "mul",     always(times(1.0, 0.0)),                         WRONG),
    Fault("overwritten",           WHOLE,     None,                                            WRONG),
    # PyTorch adds up what a rule leaves in the result's shape
    Fault("missing broadcast sum", "add",     always(without_sum),                             UNSHAPED, first_summand),
    Fault("transposed operand",    "matmul",  always(transposed),                              WRONG),
    Fault("wrong kink slope",      "abs",     always(steep_kink),                              WRONG),
    Fault("beyond a threshold",    "tanh",    always(where(lambda x: np.abs(x) > 5.0, 0.0)),   WRONG),
    Fault("wrong at ties",         "maximum", always(both_at_ties),                            WRONG),
    Fault("scaled by 1e-8",        "sin",     always(times(1e-8)),                             WRONG),
    Fault("scaled where small",    "sigmoid", always(where(lambda x: x < -12.0, 1e-8)),        WRONG),
    Fault("stale value",           "log",     stale,                                           UNSTEADY),
)
# fmt: on
