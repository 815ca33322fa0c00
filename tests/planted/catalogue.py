"""Sixty more faults, across the op table, after what libraries and people have shipped.

Wrong formulas, constants with too few digits, epsilons and thresholds, sums over the
wrong axis, quotients that are 0/0, single precision that is no single precision.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.graph import Array
from gradverify.ops.shapes import axes_of, count_of, reduction
from gradverify.verdict import Verdict

from .faults import (
    UNSHAPED,
    UNSTEADY,
    WRONG,
    Application,
    Cotangents,
    Fault,
    always,
    times,
    where,
)

Rule = Callable[[Application], Cotangents]
INFINITE = frozenset({Verdict.NONFINITE})
LOST = WRONG | INFINITE


def slopes(*partials: Callable[..., Any] | None) -> Rule:
    """Other partial derivatives, of `(y, *operands)`; None leaves the right one."""

    def rule(a: Application) -> Cotangents:
        given = zip(partials, a.operands, a.right(), strict=True)
        return [
            g if p is None else a.summed(a.ct * p(a.y, *a.operands), x)
            for p, x, g in given
        ]

    return rule


# ---- arithmetic


def power_by_division(a: Application) -> Cotangents:
    """n * y / x, which is 0/0 at 0."""
    return [a.ct * a.params["n"] * a.y / a.operands[0]]


def power_without_factor(a: Application) -> Cotangents:
    """x**(n - 1), where n * x**(n - 1) is meant."""
    n = a.params["n"]
    return [a.right()[0] / n if n else a.right()[0]]


def without_upper_end(a: Application) -> Cotangents:
    """A clip that lets its gradient through above its upper end."""
    return [a.ct * (np.asarray(a.operands[0]) >= a.params["low"])]


def at_the_ends(a: Application) -> Cotangents:
    """A clip with slope 3 at both of its ends."""
    x = np.asarray(a.operands[0])
    is_end = (x == a.params["low"]) | (x == a.params["high"])
    return [np.where(is_end, 3.0 * a.ct, a.right()[0])]


def other_branch(a: Application) -> Cotangents:
    """The cotangent of where goes to the operand that was not taken."""
    mask, left, right = a.operands
    zero = np.zeros_like(a.ct)
    return [
        0.0,
        a.summed(np.where(mask, zero, a.ct), left),
        a.summed(np.where(mask, a.ct, zero), right),
    ]


# ---- functions


def stirling(a: Application) -> Cotangents:
    """log(x) - 1/(2x) for digamma(x) beyond 10."""
    (x,) = a.operands
    return [np.where(np.asarray(x) > 10, a.ct * (np.log(x) - 0.5 / x), a.right()[0])]


def short_series(a: Application) -> Cotangents:
    """The derivative of digamma by four terms of its series at x + 6."""
    (x,) = a.operands
    z = x + 6.0
    w = 1.0 / (z * z)
    tail = (1.0 + 0.5 / z + w * (1 / 6 - w * (1 / 30 - w / 42))) / z
    return [a.ct * (sum(1.0 / (x + k) ** 2 for k in range(6)) + tail)]


def other_gelu(a: Application) -> Cotangents:
    """The derivative of the form with tanh, for the form with erf as well."""
    return replace(a, params={"approximate": "tanh"}).right()


def cubic_not_tripled(a: Application) -> Cotangents:
    """The derivative of x + c*x**3 taken as 1 + c*x*x, in the form with tanh."""
    if a.params.get("approximate") != "tanh":
        return a.right()
    (x,) = a.operands
    root, c = math.sqrt(2.0 / math.pi), 0.044715
    t = np.tanh(root * (x + c * x * x * x))
    return [a.ct * 0.5 * (1 + t + x * (1 - t * t) * root * (1 + c * x * x))]


# ---- reductions and softmax


def widened(a: Application, value: Any) -> Any:
    """A result of a reduction with the axes of its operand."""
    axis = a.params.get("axis")
    return np.reshape(
        value, reduction(np.shape(a.operands[0]), axis=axis, keepdims=True)
    )


def along(a: Application) -> tuple[int, ...]:
    """The axes of the operand that the op works along."""
    return axes_of(np.shape(a.operands[0]), a.params.get("axis"))


def keepdims_forgotten(a: Application) -> Cotangents:
    """The cotangent of a sum broadcast along its last axes, whatever was summed."""
    return [np.array(np.broadcast_to(a.ct, np.shape(a.operands[0])))]


def over_all_elements(a: Application) -> Cotangents:
    """A mean along one axis divided by the number of all elements."""
    shape = np.shape(a.operands[0])
    share = count_of(shape, a.params.get("axis")) / math.prod(shape)
    return [share * a.right()[0]]


def prod_by_division(a: Application) -> Cotangents:
    """The product over x, which is 0/0 at a zero."""
    return [widened(a, a.ct * a.y) / a.operands[0]]


def whole_to_every_tie(a: Application) -> Cotangents:
    """Every element that equals the result gets the whole cotangent."""
    return [widened(a, a.ct) * np.equal(a.operands[0], widened(a, a.y))]


def to_the_largest(a: Application) -> Cotangents:
    """The cotangent goes to the largest element."""
    (x,) = a.operands
    top = np.max(x, axis=along(a), keepdims=True)
    return [widened(a, a.ct) * np.equal(x, top)]


def ddof_forgotten(a: Application) -> Cotangents:
    """The derivative of a variance over all elements, whatever `ddof` says."""
    return replace(a, params={**a.params, "ddof": 0}).right()


def root_forgotten(a: Application) -> Cotangents:
    """The derivative of a standard deviation without 1/(2y)."""
    return [a.right()[0] * 2.0 * widened(a, a.y)]


def with_epsilon(a: Application) -> Cotangents:
    """x / (norm + 1e-8)."""
    y = widened(a, a.y)
    return [a.right()[0] * (y / (y + 1e-8))]


def without_sum_term(a: Application) -> Cotangents:
    """A softmax whose elements do not feel each other."""
    return [a.ct * a.y * (1.0 - a.y)]


def sum_of_all(a: Application) -> Cotangents:
    """A softmax whose sum runs over all axes."""
    return [a.y * (a.ct - np.sum(a.ct * a.y))]


def logarithm_for_softmax(a: Application) -> Cotangents:
    """y where exp(y) is meant."""
    return [a.ct - a.y * np.sum(a.ct, axis=along(a), keepdims=True)]


def cumulated_forwards(a: Application) -> Cotangents:
    """The sum from the start, where that from the end is meant."""
    return [np.cumsum(a.ct, axis=along(a)[0])]


# ---- arrays


def in_column_order(a: Application) -> Cotangents:
    return [np.reshape(a.ct, np.shape(a.operands[0]), order="F")]


def not_transposed_back(a: Application) -> Cotangents:
    return [np.reshape(a.ct, np.shape(a.operands[0]))]


def mean_for_sum(a: Application) -> Cotangents:
    """The copies of a broadcast element give it their mean."""
    size = np.size(a.operands[0])
    return [a.right()[0] * (size / max(np.size(a.ct), 1))]


def one_further(a: Application) -> Cotangents:
    """The gradient of a slice put one place further, around the end."""
    return [np.roll(a.right()[0], 1, along(a)[0])]


def exchanged(a: Application) -> Cotangents:
    """The parts of two joined arrays of one shape given to each other."""
    left, right = a.right()
    return [right, left] if np.shape(left) == np.shape(right) else [left, right]


def first_for_both(a: Application) -> Cotangents:
    left, _ = a.right()
    return [left, left]


def transposed_operand(a: Application) -> Cotangents:
    """The gradient of a square right operand comes transposed."""
    left, right = a.right()
    is_square = np.ndim(right) == 2 and len(set(np.shape(right))) == 1
    return [left, np.transpose(right).copy() if is_square else right]


# ---- single precision


def in_float32(rule: Rule) -> Rule:
    """A fault that shows where the cotangent is float32, and nowhere else."""
    return lambda a: rule(a) if np.result_type(a.ct) == np.float32 else a.right()


def cut(x: Any) -> Array:
    """A float32 with the 10 bits after the point that tensor cores keep."""
    bits = np.asarray(x, np.float32).view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view(np.float32)


def tensor_cores(a: Application) -> Cotangents:
    """Products of matrices whose elements were cut."""
    operands = tuple(map(cut, a.operands))
    return replace(a, ct=cut(a.ct), operands=operands).right()


# ---- across runs


def adding_up() -> Rule:
    """The gradient of every run is added to that of the one before, of that shape."""
    before: dict[tuple[int, ...], Any] = {}

    def rule(a: Application) -> Cotangents:
        (x,) = a.operands
        total = before.get(np.shape(x), 0.0) + a.right()[0]
        before[np.shape(x)] = total
        return [total]

    return rule


def elementwise(
    op: str, name: str, slope: Callable[..., Any], found: Any = WRONG
) -> Fault:
    """A fault in the derivative of an op of one operand, given as (y, x) to a slope."""
    return Fault(name, op, always(slopes(slope)), found)


def of_rule(op: str, name: str, rule: Rule, found: Any = WRONG, **more: Any) -> Fault:
    """A fault in what becomes of the cotangent."""
    return Fault(name, op, always(rule), found, **more)


SHORT = float(np.float32(2.0 / math.sqrt(math.pi))) / (2.0 / math.sqrt(math.pi))
sigmoid: Callable[[Any], Any] = FLOATS.table["sigmoid"]

# fmt: off
CATALOGUE = (
    # arithmetic
    of_rule("neg",          "no minus",                       times(-1.0)),
    of_rule("sub",          "second operand added",           times(1.0, -1.0)),
    of_rule("square",       "half of a square",               times(0.5)),
    elementwise("reciprocal", "not squared",                  lambda y, x: -y),
    of_rule("div",          "an epsilon in the divisor",      slopes(lambda y, a, b: 1.0 / (b + 1e-10), None)),
    of_rule("power",        "power by division",              power_by_division, INFINITE),
    of_rule("power",        "power without its factor",       power_without_factor),
    of_rule("pow",          "exponent not lowered",           slopes(lambda y, a, b: b * y, None)),
    of_rule("pow",          "logarithm of the exponent",      slopes(None, lambda y, a, b: y * np.log(np.abs(b))), LOST),
    elementwise("sqrt",     "a floor under the root",         lambda y, x: 0.5 / np.sqrt(np.maximum(x, 1e-12))),
    of_rule("rsqrt",        "sign of rsqrt",                  times(-1.0)),
    of_rule("minimum",      "nothing to ties",                slopes(lambda y, a, b: np.less(a, b), lambda y, a, b: np.less(b, a))),
    of_rule("clip",         "no upper end",                   without_upper_end),
    of_rule("clip",         "slope 3 at the ends",            at_the_ends),
    of_rule("where",        "the other branch",               other_branch),
    of_rule("hypot",        "operands exchanged",             slopes(lambda y, a, b: b / y, lambda y, a, b: a / y)),
    of_rule("hypot",        "second operand dropped",         times(1.0, 0.0)),
    of_rule("atan2",        "sign of the second operand",     times(1.0, -1.0)),
    # functions
    elementwise("exp2",     "without log 2",                  lambda y, x: y),
    elementwise("expm1",    "y for y + 1",                    lambda y, x: y),
    elementwise("log2",     "log 10 for log 2",               lambda y, x: 1.0 / (x * math.log(10.0))),
    elementwise("log10",    "five digits of log 10",          lambda y, x: 1.0 / (x * 2.3026)),
    elementwise("log1p",    "1/x for 1/(1 + x)",              lambda y, x: 1.0 / x, LOST),
    elementwise("tan",      "the slope of tanh",              lambda y, x: 1.0 - y * y),
    of_rule("acos",         "the slope of asin",              times(-1.0)),
    elementwise("atanh",    "the slope of atan",              lambda y, x: 1.0 / (1.0 + x * x)),
    elementwise("acosh",    "the slope of asinh",             lambda y, x: 1.0 / np.sqrt(x * x + 1.0)),
    elementwise("asinh",    "the root forgotten",             lambda y, x: 1.0 / (x * x + 1.0)),
    of_rule("cosh",         "the sign of cos",                times(-1.0)),
    elementwise("sinh",     "y for cosh",                     lambda y, x: y),
    of_rule("erf",          "2/sqrt(pi) in single precision", times(SHORT)),
    of_rule("erfc",         "the slope of erf",               times(-1.0)),
    of_rule("lgamma",       "Stirling beyond 10",             stirling),
    of_rule("digamma",      "a short series",                 short_series),
    of_rule("logaddexp",    "exponentials that overflow",     slopes(lambda y, a, b: np.exp(a) / (np.exp(a) + np.exp(b)),
                                                                     lambda y, a, b: np.exp(b) / (np.exp(a) + np.exp(b))), INFINITE),
    # activations
    of_rule("relu",         "an epsilon at the kink",         where(lambda x: np.greater(x, 0) & np.less(x, 1e-7), 0.0)),
    of_rule("leaky_relu",   "a leak of 0.1",                  where(lambda x: np.less(x, 0), 10.0)),
    elementwise("elu",      "y for y + 1 below zero",         lambda y, x: np.where(np.greater(x, 0), 1.0, y).astype(np.result_type(y))),
    elementwise("silu",     "second term dropped",            lambda y, x: sigmoid(x)),
    of_rule("gelu",         "the other form's slope",         other_gelu),
    of_rule("gelu",         "cubic term not tripled",         cubic_not_tripled),
    elementwise("log_sigmoid", "a sigmoid that overflows",    lambda y, x: np.exp(-x) / (1.0 + np.exp(-x)), INFINITE),
    of_rule("softplus",     "linear above 20",                lambda a: [np.where(np.greater(a.operands[0], 20.0), a.ct, a.right()[0])]),
    of_rule("softmax",      "without its sum",                without_sum_term),
    of_rule("softmax",      "a sum over all axes",            sum_of_all),
    of_rule("log_softmax",  "y for exp(y)",                   logarithm_for_softmax),
    # reductions
    of_rule("sum",          "keepdims forgotten",             keepdims_forgotten, UNSHAPED),
    of_rule("mean",         "over all elements",              over_all_elements),
    of_rule("prod",         "prod by division",               prod_by_division, LOST),
    of_rule("max",          "everything to ties",             whole_to_every_tie),
    of_rule("min",          "to the largest",                 to_the_largest),
    of_rule("var",          "ddof forgotten",                 ddof_forgotten),
    of_rule("std",          "the derivative of var",          root_forgotten),
    of_rule("norm",         "an epsilon in the norm",         with_epsilon),
    of_rule("logsumexp",    "the largest alone",              to_the_largest),
    of_rule("cumsum",       "forwards",                       cumulated_forwards),
    # arrays
    of_rule("reshape",      "column order",                   in_column_order),
    of_rule("transpose",    "not transposed back",            not_transposed_back),
    of_rule("broadcast_to", "a mean for a sum",               mean_for_sum),
    of_rule("slice",        "one further",                    one_further),
    of_rule("concatenate",  "parts exchanged",                exchanged),
    of_rule("stack",        "the first for both",             first_for_both),
    of_rule("einsum",       "transposed right operand",       transposed_operand),
    of_rule("matmul",       "tensor cores",                   in_float32(tensor_cores), dtype="float32"),
    of_rule("tanh",         "off by 1e-5 in float32",         in_float32(times(1.0 + 1e-5)), dtype="float32"),
    Fault("added up across runs", "square", adding_up, UNSTEADY),
)
# fmt: on
