"""Forward mode: dual numbers with many tangents at once, over any arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.floats import FLOATS
from gradverify.autodiff.nesting import Algebra, around, nested
from gradverify.autodiff.operands import constant, evaluate, own, zeros
from gradverify.autodiff.rules import rules_of
from gradverify.autodiff.sweep import pushed
from gradverify.autodiff.traced import Traced
from gradverify.ops import OPS, Op


class Dual(Traced):
    """A primal and its tangents: a stack of shape `(m, *primal.shape)`.

    All duals of one computation have the same number of tangents, m. Operands that are
    no duals are constants. For example, `Dual.over(BALLS)` is the class of duals whose
    parts are balls in place of floats. `Dual.over(Dual.algebra)` are duals of duals.
    `table` is what `interpret` takes: it has a function on duals for every op, and a
    row "data".
    """

    __slots__ = ("primal", "tangent")

    def __init__(self, primal: Any, tangent: Any) -> None:
        self.primal = own(self.arithmetic, primal)
        tangent = own(self.arithmetic, tangent, like=self.primal)
        if np.shape(tangent)[1:] != self.shape or np.ndim(tangent) == 0:
            raise ValueError(
                f"a tangent of shape {np.shape(tangent)} does not fit a primal of "
                f"shape {self.shape}; allowed is (m, *{self.shape}) for m tangents"
            )
        self.tangent = tangent

    def along(self, tangent: Any) -> Dual:
        """The same primal with other tangents. They must fit it; it is not copied."""
        return _dual(type(self), self.primal, tangent)

    @staticmethod
    def over(arithmetic: Arithmetic) -> type[Dual]:
        """The class of duals over that arithmetic."""
        return _over(arithmetic)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r})"


@cache
def _over(m: Arithmetic) -> type[Dual]:
    if m is FLOATS:
        return Dual
    return _set_up(type("Dual", (Dual,), {"__slots__": ()}), m)


def _set_up(kind: type[Dual], m: Arithmetic) -> type[Dual]:
    nested(kind, m)
    primitives = {row.name: _pusher(m, row, kind) for row in OPS if row.is_primitive}
    kind.algebra = Algebra(primitives, kind)
    kind.table = kind.algebra.table
    return kind


def _pusher(m: Arithmetic, row: Op, kind: type[Dual]) -> Callable[..., Any]:
    op, function = row.name, m.table[row.name]

    def apply(*operands: Any, **params: Any) -> Any:
        outer = around(kind, operands)
        if outer is not None:
            return outer.table[op](*operands, **params)
        like = _like(kind, operands)
        if like is None:
            return evaluate(m, op, *operands, **params)
        primals = [
            x.primal if type(x) is kind else constant(m, x, like.primal)
            for x in operands
        ]
        y = function(*primals, **params)
        rules = rules_of(op, len(operands))
        terms = [
            pushed(m, rule, x.tangent, i, y, primals, params)
            for i, (rule, x) in enumerate(zip(rules, operands, strict=True))
            if type(x) is kind and rule != 0.0
        ]
        count, *_ = np.shape(like.tangent)
        return _dual(kind, y, _total(m, terms, (count, *np.shape(y)), y))

    return apply


def _like(kind: type[Dual], operands: tuple[Any, ...]) -> Dual | None:
    """One of the duals among the operands, once all are known to fit together."""
    duals = [x for x in operands if type(x) is kind]
    counts = [np.shape(x.tangent)[0] for x in duals]
    if len(set(counts)) > 1:
        raise ValueError(f"duals with {counts} tangents met; they need equally many")
    return duals[0] if duals else None


def _total(m: Arithmetic, terms: list[Any], shape: tuple[int, ...], y: Any) -> Any:
    """The sum of the terms, in the full shape of a stack of tangents of y."""
    if not terms:
        return zeros(m, shape, y)
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total if np.shape(total) == shape else m.broadcast_to(total, shape=shape)


def _dual(kind: type[Dual], primal: Any, tangent: Any) -> Dual:
    made = kind.__new__(kind)
    made.primal, made.tangent = primal, tangent
    return made


_set_up(Dual, FLOATS)
