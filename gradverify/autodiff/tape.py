"""Reverse mode over any arithmetic: a tape is written while the function runs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.floats import FLOATS
from gradverify.autodiff.nesting import Algebra, around, nested
from gradverify.autodiff.operands import constant, evaluate, own, zeros
from gradverify.autodiff.rules import Rule, rules_of
from gradverify.autodiff.sweep import scaled
from gradverify.autodiff.traced import Traced
from gradverify.ops import OPS, Op
from gradverify.ops.maps import Linear, leading, unbroadcast

# One application of an op: its rules, its result, its operands' primals, the indices
# of their variables (-1 for a constant), and its params. It is a plain tuple, because
# one is made at every op.
Step = tuple[tuple[Rule, ...], Any, tuple[Any, ...], tuple[int, ...], dict[str, Any]]

# From an op and its number of operands to its row in a table of rules.
RulesOf = Callable[[str, int], tuple[Rule, ...]]

NOTHING: dict[str, Any] = {}
COPIED = 4096  # elements up to which a cotangent is copied, needed or not

# Python's operators do the same to NumPy's scalars, in a sixth of the time.
SCALAR: Mapping[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.negative: operator.neg,
    np.abs: abs,
}


class Variable(Traced):
    """A value on a tape, made by `tape.variable` or by an op on another variable."""

    __slots__ = ("index", "primal", "tape")

    def __init__(self, tape: Tape, index: int, primal: Any) -> None:
        self.tape = tape
        self.index = index
        self.primal = primal

    def __repr__(self) -> str:
        return f"Variable({self.primal!r})"


class Tape:
    """Everything that was computed from the variables made on it, in order.

    Operands that are no variables are constants. `table` is what `interpret` takes: it
    has a function on variables for every op, composites too, and a row "data". `rules`
    are other rules than those of the calculus table. Tapes with the same rules share
    one table.

    `algebra` is the arithmetic of the variables: the backward pass of a tape over it is
    written on this tape.
    """

    def __init__(
        self, arithmetic: Arithmetic = FLOATS, *, rules: RulesOf = rules_of
    ) -> None:
        self.arithmetic = arithmetic
        self.variable_class = _engine(arithmetic, rules)
        self.algebra = self.variable_class.algebra
        self.table = self.variable_class.table
        self.steps: list[Step] = []

    def variable(self, value: Any) -> Variable:
        """A new variable: a number or an array to differentiate by."""
        primal = own(self.arithmetic, value)
        self.steps.append(((), primal, (), (), NOTHING))
        return self.variable_class(self, len(self.steps) - 1, primal)

    def gradient(self, y: Variable, wrt: Sequence[Variable]) -> list[Any]:
        """The gradient of a scalar y, one array for each variable in `wrt`."""
        self._check([y])
        if y.shape != ():
            raise ValueError(
                f"y has shape {y.shape}; only a scalar has a gradient: sum it, or give "
                "a cotangent to `pullback`"
            )
        return self.pullback(y, 1.0, wrt)

    def pullback(self, y: Variable, ct: Any, wrt: Sequence[Variable]) -> list[Any]:
        """The cotangents of `wrt` for a cotangent of y, or for a stack of them.

        They are zeros for a variable on which y does not depend. The arrays are new.
        """
        self._check([y, *wrt])
        found = self.cotangents({y: ct})
        lead = leading(ct, y.ndim)
        return [_fresh(self.arithmetic, found, x, lead) for x in wrt]

    def cotangents(self, seeds: Mapping[Variable, Any]) -> list[Any]:
        """The cotangent of every variable on the tape; None where nothing flows.

        The arrays may share memory with each other and with the seeds.

        seeds: the index of a variable to its cotangent. All may have the same leading
            axes before the variable's shape, so that a stack is pulled back at once.
        """
        self._check(seeds)
        found: list[Any] = [None] * len(self.steps)
        for y, seed in seeds.items():
            found[y.index] = self._seed(y, seed)
        if len({leading(found[y.index], y.ndim) for y in seeds}) > 1:
            raise ValueError("all seeds must have the same leading axes")
        given = [*found]
        _sweep(self.arithmetic, self.steps, found, operator.mul)
        leaves = (ct for ct, step in zip(found, self.steps, strict=True) if not step[0])
        if self.arithmetic is FLOATS and any(map(_is_nan, leaves)):
            found = given
            _sweep(self.arithmetic, self.steps, found, partial(scaled, FLOATS))
        return found

    def _seed(self, y: Variable, seed: Any) -> Any:
        if type(seed) in (float, int):
            seed = constant(self.arithmetic, seed, y.primal)
        else:
            seed = own(self.arithmetic, seed, like=y.primal)
        shape = np.shape(seed)
        if shape[len(shape) - y.ndim :] != y.shape or len(shape) < y.ndim:
            raise ValueError(
                f"a cotangent of shape {shape} does not fit a variable of shape "
                f"{y.shape}; allowed is that shape after any leading axes"
            )
        return seed

    def _check(self, variables: Iterable[Any]) -> None:
        for x in variables:
            if not isinstance(x, Variable):
                raise TypeError(
                    f"{x!r} is no variable of this tape, so it depends on none"
                )
            if x.tape is not self:
                raise ValueError(
                    f"{x!r} belongs to another tape; use variables of one tape only"
                )


def _is_nan(ct: Any) -> bool:
    return ct is not None and bool(np.any(ct != ct))


def _sweep(
    m: Arithmetic,
    steps: list[Step],
    found: list[Any],
    times: Callable[[Any, Any], Any],
) -> None:
    """Go from the last step to the first, and add up the cotangents of operands.

    times: a cotangent and a partial derivative to their product.

    This is one loop that calls no function of ours at a step, because its speed is the
    speed of reverse mode.
    """
    array, is_nested = np.ndarray, isinstance(m, Algebra)
    for i in range(len(steps) - 1, -1, -1):
        ct = found[i]
        if ct is None:
            continue
        rules, y, xs, parents, params = steps[i]
        for rule, x, j in zip(rules, xs, parents, strict=True):
            if j < 0:
                continue
            kind = type(rule)
            if kind is float:
                if rule == 0.0:
                    continue
                term = ct if rule == 1.0 else -ct if rule == -1.0 else ct * rule
            elif kind is Linear:
                term = rule.vjp(m, ct, y, *xs, **params)  # type: ignore[union-attr]
            else:
                term = times(ct, rule(m, y, *xs, **params))  # type: ignore[operator]
            if (
                (type(y) is array or is_nested)
                and kind is not Linear
                and np.shape(x) != np.shape(y)
            ):
                term = unbroadcast(m, term, np.shape(x), np.ndim(y))
            before = found[j]
            found[j] = term if before is None else before + term


def _fresh(m: Arithmetic, found: list[Any], x: Variable, lead: tuple[int, ...]) -> Any:
    """A cotangent that shares no memory with any other array."""
    ct = found[x.index]
    if ct is None:
        return zeros(m, lead + np.shape(x.primal), x.primal)
    if type(ct) is not np.ndarray:
        return ct
    is_view = ct.size <= COPIED or ct.base is not None
    return ct.copy() if is_view or sum(ct is other for other in found) > 1 else ct


# ---- the functions of a tape's table, made once for each arithmetic


@cache
def _engine(m: Arithmetic, rules: RulesOf) -> type[Variable]:
    """The class of variables over `m`."""
    kind: Any = type("Variable", (Variable,), {"__slots__": ()})
    nested(kind, m)
    primitives = {
        row.name: _recorder(m, row, kind, rules) for row in OPS if row.is_primitive
    }
    kind.algebra = Algebra(primitives, kind)
    kind.table = table = kind.algebra.table
    # without a call between the operator and the op
    kind.__add__, kind.__sub__ = table["add"], table["sub"]
    kind.__mul__, kind.__truediv__ = table["mul"], table["div"]
    kind.__neg__ = table["neg"]
    made: type[Variable] = kind
    return made


def _recorder(
    m: Arithmetic, row: Op, kind: type[Variable], rules_of: RulesOf
) -> Callable[..., Any]:
    rules = rules_of(row.name, row.arity)
    plain = not row.params and not any(isinstance(rule, Linear) for rule in rules)
    if plain and row.arity == 1:
        return _unary(m, row.name, kind, rules)
    if plain and row.arity == 2:
        return _binary(m, row.name, kind, rules)
    return _general(m, row, kind, rules_of)


def _unary(
    m: Arithmetic, op: str, kind: type[Variable], rules: tuple[Rule, ...]
) -> Callable[..., Any]:
    function = SCALAR.get(m.table[op], m.table[op])

    def apply(x: Any) -> Any:
        if type(x) is not kind:
            return _on_constants(m, op, kind, x)
        tape, value = x.tape, x.primal
        y = function(value)
        steps = tape.steps
        steps.append((rules, y, (value,), (x.index,), NOTHING))
        return kind(tape, len(steps) - 1, y)

    return apply


def _binary(
    m: Arithmetic, op: str, kind: type[Variable], rules: tuple[Rule, ...]
) -> Callable[..., Any]:
    function = SCALAR.get(m.table[op], m.table[op])

    def apply(a: Any, b: Any) -> Any:
        if type(a) is kind:
            if type(b) is kind:
                if b.tape is not a.tape:
                    raise _two_tapes(op)
                tape, i, j, a, b = a.tape, a.index, b.index, a.primal, b.primal
            elif isinstance(b, Traced) and around(kind, (a, b)):
                return b.table[op](a, b)
            else:
                tape, i, j, a = a.tape, a.index, -1, a.primal
                b = constant(m, b, a)
        elif type(b) is kind:
            if isinstance(a, Traced) and around(kind, (a, b)):
                return a.table[op](a, b)
            tape, i, j, b = b.tape, -1, b.index, b.primal
            a = constant(m, a, b)
        else:
            return _on_constants(m, op, kind, a, b)
        y = function(a, b)
        steps = tape.steps
        steps.append((rules, y, (a, b), (i, j), NOTHING))
        return kind(tape, len(steps) - 1, y)

    return apply


def _general(
    m: Arithmetic, row: Op, kind: type[Variable], rules_of: RulesOf
) -> Callable[..., Any]:
    op, function = row.name, m.table[row.name]

    def apply(*operands: Any, **params: Any) -> Any:
        variables = [x for x in operands if type(x) is kind]
        if len(variables) < len(operands) and _is_others(kind, variables, operands):
            return _on_constants(m, op, kind, *operands, **params)
        tape, like = variables[0].tape, variables[0].primal
        if any(x.tape is not tape for x in variables):
            raise _two_tapes(op)
        primals = tuple(
            x.primal if type(x) is kind else constant(m, x, like) for x in operands
        )
        indices = tuple(x.index if type(x) is kind else -1 for x in operands)
        y = function(*primals, **params)
        tape.steps.append((rules_of(op, len(operands)), y, primals, indices, params))
        return kind(tape, len(tape.steps) - 1, y)

    return apply


def _is_others(
    kind: type[Variable], variables: Sequence[Any], operands: Sequence[Any]
) -> bool:
    """Whether an op is another engine's, by its operands that are no variables."""
    return not variables or around(kind, operands) is not None


def _on_constants(
    m: Arithmetic, op: str, kind: type[Variable], *operands: Any, **params: Any
) -> Any:
    """An op that is not this engine's: of an engine around it, or of none."""
    outer = around(kind, operands)
    if outer is not None:
        return outer.table[op](*operands, **params)
    return evaluate(m, op, *operands, **params)


def _two_tapes(op: str) -> ValueError:
    return ValueError(
        f"the operands of {op} belong to two tapes; make all variables on one tape"
    )
