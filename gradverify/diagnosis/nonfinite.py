"""Why a derivative is NaN or infinite: usual formulas that are so at some points.

An engine in plain Python raises an error at such a point instead.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.diagnosis.right_sweep import Right
from gradverify.graph import CONSTANTS


@dataclass(frozen=True)
class NonfiniteFormula:
    """A formula for the derivative of an op that is NaN or infinite at some points.

    kind: what is computed there, as people say it. What is NaN by this is 1/0 where
        it is infinite.
    says: the formula in y, the result, and x, or a and b, the operands.
    why: when it is NaN or infinite.
    partial: takes the result, the operands and the params, in floats of the case.
    position: of the operand.
    raises: whether plain Python raises an error there, for a power of 0.
    """

    kind: str
    says: str
    why: str
    partial: Callable[..., Any]
    position: int = 0
    raises: bool = False


OF_NAN = ("0/0", "0*inf")
N = NonfiniteFormula
m = FLOATS


def _along(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"axis": params.get("axis"), "keepdims": True}


# fmt: off
BRANCH = "where the branch that is not taken overflows"
UNSHIFTED = "where exp overflows, since the largest entry is not subtracted"
OVERFLOWS = "where exp overflows"

FORMULAS: Mapping[str, Sequence[NonfiniteFormula]] = {
    "abs":      (N("0/0", "x/|x|", "where x is 0", lambda y, x: x / np.abs(x)),),
    "sqrt":     (N("1/0", "0.5/y", "where x is 0", lambda y, x: 0.5 / y),),
    "prod":     (N("0/0", "y/x", "where an entry is 0", lambda y, x, **p: m.table["prod"](x, **_along(p)) / x),),
    "norm":     (N("0/0", "x/y", "where all entries are 0", lambda y, x, **p: x / m.table["norm"](x, **_along(p))),),
    "std":      (N("0/0", "(x - mean(x))/(n*y)", "where all entries are equal", lambda y, x, ddof=0, **p: (x - np.mean(x, **_along(p))) / np.std(x, **_along(p))),),
    "power":    (N("0/0", "n*y/x", "where x is 0", lambda y, x, n: n * y / x),
                 N("0*inf", "n*x**(n - 1)", "where x is 0", lambda y, x, n: np.asarray(n, x.dtype) * np.power(x, np.asarray(n - 1, x.dtype)), raises=True),
                 N("log of a negative number", "y*n/x by exp(n*log(x))", "where x is negative", lambda y, x, n: np.log(x)),
                 N("0*inf", "y*log(x)", "where x is 0", lambda y, x, n: y * np.log(np.abs(x)))),
    "pow":      (N("0/0", "b*y/a", "where a is 0", lambda y, a, b: b * y / a),
                 N("0*inf", "b*a**(b - 1)", "where a is 0", lambda y, a, b: b * np.power(a, b - 1), raises=True),
                 N("log of a negative number", "y*b/a by exp(b*log(a))", "where a is negative", lambda y, a, b: np.log(a)),
                 N("0*inf", "y*log(a)", "where a is 0", lambda y, a, b: y * np.log(np.abs(a)), 1)),
    "div":      (N("0/0", "-a/(b*b)", "where b*b underflows", lambda y, a, b: -a / (b * b), 1),),
    "hypot":    (N("0/0", "a/y", "where both are 0", lambda y, a, b: a / y),
                 N("0/0", "b/y", "where both are 0", lambda y, a, b: b / y, 1)),
    "atan2":    (N("0/0", "b/(a*a + b*b)", "where both squares underflow", lambda y, a, b: b / (a * a + b * b)),
                 N("0/0", "-a/(a*a + b*b)", "where both squares underflow", lambda y, a, b: -a / (a * a + b * b), 1)),
    "sigmoid":  (N("inf/inf", "exp(x)/(1 + exp(x))", OVERFLOWS, lambda y, x: np.exp(x) / (1 + np.exp(x))),
                 N("inf/inf", "exp(-x)/(1 + exp(-x))**2", OVERFLOWS, lambda y, x: np.exp(-x) / (1 + np.exp(-x)) ** 2)),
    "softplus": (N("inf/inf", "exp(x)/(1 + exp(x))", OVERFLOWS, lambda y, x: np.exp(x) / (1 + np.exp(x))),),
    "log_sigmoid": (N("inf/inf", "exp(-x)/(1 + exp(-x))", OVERFLOWS, lambda y, x: np.exp(-x) / (1 + np.exp(-x))),),
    "tanh":     (N("inf/inf", "(exp(x) - exp(-x))/(exp(x) + exp(-x))", OVERFLOWS, lambda y, x: np.sinh(x) / np.cosh(x)),),
    "silu":     (N("inf/inf", "exp(x)/(1 + exp(x))", OVERFLOWS, lambda y, x: np.exp(x) / (1 + np.exp(x))),
                 N("inf/inf", "x*exp(-x)/(1 + exp(-x))**2", OVERFLOWS, lambda y, x: x * np.exp(-x) / (1 + np.exp(-x)) ** 2)),
    "mish":     (N("inf/inf", "exp(x)/(1 + exp(x))", OVERFLOWS, lambda y, x: np.exp(x) / (1 + np.exp(x))),),
    "elu":      (N("0*inf", "where(x > 0, 1, exp(x))", BRANCH, lambda y, x, **p: (x <= 0) * np.exp(x)),),
    "celu":     (N("0*inf", "where(x > 0, 1, exp(x/alpha))", BRANCH, lambda y, x, alpha=1.0: (x <= 0) * np.exp(x / alpha)),),
    "selu":     (N("0*inf", "where(x > 0, 1, exp(x))", BRANCH, lambda y, x: (x <= 0) * np.exp(x)),),
    "logaddexp": (N("inf/inf", "exp(a)/(exp(a) + exp(b))", OVERFLOWS, lambda y, a, b: np.exp(a) / (np.exp(a) + np.exp(b))),
                  N("0/0", "exp(b)/(exp(a) + exp(b))", "where exp underflows", lambda y, a, b: np.exp(b) / (np.exp(a) + np.exp(b)), 1)),
    "softmax":  (N("inf/inf", "exp(x)/sum(exp(x))", UNSHIFTED, lambda y, x, axis: np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)),),
    "logsumexp": (N("inf/inf", "exp(x)/sum(exp(x))", UNSHIFTED, lambda y, x, **p: np.exp(x) / np.sum(np.exp(x), **_along(p))),),
    "log_softmax": (N("inf/inf", "exp(x)/sum(exp(x))", UNSHIFTED, lambda y, x, axis: np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)),),
    "cross_entropy": (N("inf/inf", "exp(x)/sum(exp(x))", UNSHIFTED, lambda y, x, **p: np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)),),
}
# fmt: on


@dataclass(frozen=True)
class Nonfinite:
    """Why a number is NaN or infinite, at which node and for which operand.

    formula: the usual one that is so there. None if a cotangent of 0 meets an infinite
        derivative.
    equally: other usual ones that give the same there.
    of_another: the infinite derivative is that of another entry, whose tangent is 0.
    """

    kind: str
    node: int
    operand: int
    formula: NonfiniteFormula | None = None
    equally: tuple[Nonfinite, ...] = ()
    of_another: bool = False


def of_op(right: Right, node: int, given: Sequence[Any]) -> Nonfinite | None:
    """The usual formula that is NaN or infinite where the op's own derivative is.

    given: for each operand of the op alone, what the engine gave from a cotangent of
        ones; None where it gave nothing.
    """
    applied = right.graph.nodes[node]
    kind = np.dtype(right.case.dtype).type
    xs = [_floats(right.values[j], kind) for j in applied.operands]
    y = _floats(right.values[node], kind)
    found = []
    for formula in FORMULAS.get(applied.op, ()):
        got = given[formula.position]
        if got is None:
            continue
        with np.errstate(all="ignore"):
            partial = np.asarray(formula.partial(y, *xs, **applied.params))
        if _is_alike(partial, np.asarray(got)):
            is_pole = formula.kind in OF_NAN and not np.any(np.isnan(partial))
            said = "1/0" if is_pole else formula.kind
            found.append(Nonfinite(said, node, formula.position, formula))
    if found:
        return replace(found[0], equally=tuple(found[1:]))
    return _of_another(right, node, given)


def _of_another(right: Right, node: int, given: Sequence[Any]) -> Nonfinite | None:
    """The operand one entry of which has an infinite slope, that makes NaN of all
    others: a forward mode multiplies it by their tangents, which are 0 there.
    """
    application = right.application(node)
    if not application.is_elementwise:
        return None
    kind = np.dtype(right.case.dtype).type
    for k, (partial, got) in enumerate(zip(application.partials(), given, strict=True)):
        slope = _floats(partial, kind)
        if got is None or slope.shape != np.shape(got):
            continue
        rest = np.isfinite(slope)
        if (
            np.any(rest)
            and not np.all(rest)
            and np.all(np.isnan(np.asarray(got)[rest]))
        ):
            return Nonfinite("0*inf", node, k, of_another=True)
    return None


def _is_alike(partial: Any, got: Any) -> bool:
    """Whether a formula is NaN where what was given is NaN, or infinite where that is.

    In forward mode the NaN of one entry reaches the derivatives by all entries.
    """
    shape = np.broadcast_shapes(np.shape(got), np.shape(partial))
    left, right = np.broadcast_to(partial, shape), np.broadcast_to(got, shape)
    nan, infinite = np.isnan(left), np.isinf(left)
    if np.any(infinite) and not np.array_equal(infinite, np.isinf(right)):
        return False
    return bool(np.all(np.isnan(right[nan])) and np.any(nan | infinite))


def of_exception(right: Right, node: int) -> Nonfinite | None:
    """The usual formula that raises to a negative power where the operand is 0."""
    applied = right.graph.nodes[node]
    kind = np.dtype(right.case.dtype).type
    xs = [_floats(right.values[j], kind) for j in applied.operands]
    y = _floats(right.values[node], kind)
    for formula in FORMULAS.get(applied.op, ()):
        if not formula.raises:
            continue
        with np.errstate(all="ignore"):
            partial = np.asarray(formula.partial(y, *xs, **applied.params))
        if not np.all(np.isfinite(partial)):
            return Nonfinite(formula.kind, node, formula.position, formula)
    return None


def zero_times_infinity(right: Right) -> Nonfinite | None:
    """The edge at which a cotangent of 0 meets an infinite derivative; None if none."""
    kind = np.dtype(right.case.dtype).type
    for i in reversed(range(len(right.graph.nodes))):
        node, ct = right.graph.nodes[i], right.adjoints[i]
        if not node.operands or ct is None:
            continue
        application = right.application(i)
        if not application.is_elementwise:
            continue
        partials = application.partials()
        for k, j in enumerate(node.operands):
            if right.graph.nodes[j].op in CONSTANTS:
                continue
            narrow = _floats(partials[k], kind)
            zero = _floats(ct, kind) == 0
            if np.any(zero & ~np.isfinite(narrow)):
                return Nonfinite("0*inf", i, k)
    return None


def _floats(x: Any, kind: Any) -> Any:
    """A value of the right computation in the floats of the case; masks stay."""
    array = np.asarray(x)
    if array.dtype == bool:
        return array
    with np.errstate(all="ignore"):
        return array.astype(kind)
