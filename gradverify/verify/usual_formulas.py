"""Usual formulas that lose digits, run in the case's own format.

They tell lost digits from a wrong formula where an engine has one format alone: what it
is off by is then no more than what such a formula is off by near the same point.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.autodiff import Tape, Variable
from gradverify.autodiff.rules import Rule, rules_of
from gradverify.differentiators import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Pushed,
    mode,
)
from gradverify.graph import Array, Graph
from gradverify.reference.gradient_program import expand


@dataclass(frozen=True)
class Usual:
    """A formula for a primitive that is right on paper and loses digits in floats.

    written: an arithmetic, the operands and the params to the result; None where the
        slope alone goes by a formula, that of `SLOPES`.
    """

    says: str
    written: Callable[..., Any] | None = None


# fmt: off
SLOPES: Mapping[str, tuple[Rule, ...]] = {
    "tanh":    (lambda m, y, x: 1.0 - y * y,),
    "sigmoid": (lambda m, y, x: m.sigmoid(-x) - m.sigmoid(-x) * m.sigmoid(-x),),
    "expm1":   (lambda m, y, x: y + 1.0,),
    "asinh":   (lambda m, y, x: 1.0 / m.sqrt(x * x + 1.0),),
    "power":   (lambda m, y, x, n: n * y / x,),
    "pow":     (lambda m, y, a, b: b * y / a, rules_of("pow", 2)[1]),
}
"""All of them at once: one row for each operand, as in `ops/calculus.py`."""

USUAL: Mapping[str, Sequence[Usual]] = {
    "sigmoid":   (Usual("z - z*z for its slope, with z = sigmoid(-x)"),
                  Usual("(1 + tanh(x/2))/2",    lambda m, x: 0.5 * (1.0 + m.tanh(0.5 * x))),
                  Usual("exp(x)/(1 + exp(x))",  lambda m, x: m.exp(x) / (1.0 + m.exp(x)))),
    "tanh":      (Usual("1 - y*y for its slope"),
                  Usual("2*sigmoid(2*x) - 1",   lambda m, x: 2.0 * m.sigmoid(2.0 * x) - 1.0),
                  Usual("a quotient of exp(x) - exp(-x)", lambda m, x: (m.exp(x) - m.exp(-x)) / (m.exp(x) + m.exp(-x)))),
    "softplus":  (Usual("log(1 + exp(x))",      lambda m, x: m.log(1.0 + m.exp(x))),),
    "exp":       (Usual("2**(x/log(2))",        lambda m, x: m.pow(0.0 * x + 2.0, x / float(np.log(2.0)))),),
    "expm1":     (Usual("exp(x) - 1",           lambda m, x: m.exp(x) - 1.0),),
    "log1p":     (Usual("log(1 + x)",           lambda m, x: m.log(1.0 + x)),),
    "sinh":      (Usual("(exp(x) - exp(-x))/2", lambda m, x: 0.5 * (m.exp(x) - m.exp(-x))),),
    "asinh":     (Usual("log(x + sqrt(x*x + 1))", lambda m, x: m.log(x + m.sqrt(x * x + 1.0))),),
    "erf":       (Usual("1 - erfc(x)",          lambda m, x: 1.0 - m.erfc(x)),),
    "erfc":      (Usual("1 - erf(x)",           lambda m, x: 1.0 - m.erf(x)),),
    "power":     (Usual("n*y/x for its slope"),
                  Usual("exp(n*log(x))",        lambda m, x, n: m.exp(n * m.log(x)))),
    "pow":       (Usual("b*y/a for its slope"),
                  Usual("exp(b*log(a))",        lambda m, a, b: m.exp(b * m.log(a)))),
    "logaddexp": (Usual("log(exp(a) + exp(b))", lambda m, a, b: m.log(m.exp(a) + m.exp(b))),),
    "hypot":     (Usual("sqrt(a*a + b*b)",      lambda m, a, b: m.sqrt(a * a + b * b)),),
}
# fmt: on


def _slopes(op: str, arity: int) -> tuple[Rule, ...]:
    return SLOPES.get(op) or rules_of(op, arity)


class UsualTape(Differentiator):
    """Our tape with the slopes above, and one primitive by a usual formula.

    Composites of that primitive go by the formula as well.
    """

    name = "own-tape by usual formulas"
    accepts = Accepts(dtypes=("float64", "float32"))
    table: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    def __init__(self, op: str, formula: Usual) -> None:
        rows: dict[str, Callable[..., Any]] = dict(Tape(rules=_slopes).table)
        m = Arithmetic("the tape", rows, rows["data"])
        if formula.written is not None:
            rows[op] = partial(formula.written, m)
        self.table = Arithmetic(formula.says, rows, rows["data"]).table  # type: ignore[misc]

    @mode("gradient")
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """One sweep from the output."""
        tape = Tape(rules=_slopes)
        inputs = [tape.variable(x) for x in point]
        output = function(*inputs)
        if not isinstance(output, Variable):
            return Pulled(output, [None] * len(point))
        return Pulled(output.primal, tape.gradient(output, inputs))

    @mode("jvp")
    def forward(
        self, function: Lowered, point: Sequence[Array], tangents: Sequence[Array]
    ) -> Pushed:
        """A sweep back from each entry of the result, along the tangents."""
        tape = Tape(rules=_slopes)
        inputs = [tape.variable(x) for x in point]
        output = function(*inputs)
        if not isinstance(output, Variable):
            return Pushed(output, np.zeros_like(output))
        found = np.zeros_like(output.primal)
        for i in np.ndindex(found.shape):
            one = np.zeros_like(found)
            one[i] = 1.0
            pulled = tape.cotangents({output: one})
            for x, tangent in zip(inputs, tangents, strict=True):
                ct = pulled[x.index]
                if ct is not None and tangent is not None:
                    found[i] += np.sum(ct * tangent)
        return Pushed(output.primal, found)


@cache
def _by_formula(op: str, k: int) -> UsualTape:
    return UsualTape(op, USUAL[op][k])


def usual_formulas(graph: Graph, dtype: str) -> Iterator[tuple[str, UsualTape]]:
    """Every usual formula for a primitive that a graph comes to, with its engine."""
    ops = expand(graph, dtype).graph.ops
    for op, formulas in USUAL.items():
        if op in ops:
            for k, formula in enumerate(formulas):
                yield formula.says, _by_formula(op, k)
