"""Points that are awkward but right: no library is accused at any, in either dtype."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.localize import guilty_op
from gradverify.differentiators import load, modes
from gradverify.graph import Case
from gradverify.known import shipped_rows
from gradverify.reference import Reference, reference
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge
from gradverify.verify.known_rows import Listed

NAMES = ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")
DTYPES = ("float64", "float32")
CHECKED = {
    Verdict.AGREES,
    Verdict.KINK_CONVENTION,
    Verdict.KINK_COMPOSITION,
    Verdict.IMPRECISE,
}
# The derivative is below what rounding may take it to: zero would agree as well.
UNSEEN = {
    ("sqrt(x*x + 1) - x", "float32"),
    ("a solve by a factor near singular", "float32"),
}
# JAX takes the softmax of float64 attention in float32.
KNOWN = {("attention by saturated weights", "float64", "jax"): "jax-attention-float32"}


def total(x: Any) -> Any:
    return s.sum(x, axis=None)


def near_one(x: Any) -> Any:
    """(x**3 - 1) / (x - 1), whose singularity at 1 is removable."""
    return (x * x * x - 1.0) / (x - 1.0)


def deep(x: Any) -> Any:
    """The sum of a thousand elements, squashed and mixed."""
    return s.mean(s.tanh(x) * s.exp(-x), axis=None) / s.sqrt(1.0 + total(x * x))


def attention(q: Any, k: Any, v: Any) -> Any:
    y = s.scaled_dot_product_attention(q, k, v, mask="none")
    return total(y * np.array([1.0, -0.5])[:, None])


PEAKED = np.array([1.0, 1.0, 1.0, 700.0]).reshape(1, 2, 2, 1)
ONES = np.ones((1, 2, 2, 1))
HUNDREDS = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 100.0, 100.0, 100.0]).reshape(1, 2, 2, 2)
SPREAD = np.linspace(-1.0, 1.25, 12).reshape(2, 2, 3)[::-1].reshape(1, 2, 2, 3)
NEAR = 6.07 + 1e-3 * np.sin(np.arange(6.0)).reshape(3, 2)
WEIGHTS = np.array([3.0, -1.0])

RNG = np.random.default_rng(30)
THOUSAND = RNG.normal(size=1000)
CANCELS = np.concatenate([THOUSAND, -THOUSAND[::-1]])

Row = tuple[str, Callable[..., Any], tuple[Any, ...]]

# fmt: off
SMALL: tuple[Row, ...] = (
    # on a kink
    ("relu at 0",                        s.relu,                                        (0.0,)),
    ("relu of a difference of equals",   lambda a, b: s.relu(a - b) * a,                (1.7, 1.7)),
    ("abs at 0, times itself",           lambda x: s.abs(x) * x,                        (0.0,)),
    ("a maximum of equals",              lambda a, b: s.maximum(a, b) * b,              (0.3, 0.3)),
    ("a largest of four equals",         lambda x: s.max(x, axis=None),                 ([2.0, 2.0, 2.0, 2.0],)),
    ("both ends of a clip",              lambda x: total(s.clip(x, low=-1.0, high=1.0) * x), ([-1.0, 1.0],)),
    ("relu(x) - relu(-x) at 0",          lambda x: s.relu(x) - s.relu(-x),              (0.0,)),
    ("leaky_relu at 0",                  s.leaky_relu,                                  (0.0,)),
    ("a kink beside lost digits",        lambda x: s.leaky_relu(s.lgamma(x)),           (1.0 + 2.0**-23,)),
    ("elu at 0",                         s.elu,                                         (0.0,)),
    # a hair beside one
    ("relu a hair above 0",              s.relu,                                        (1e-30,)),
    ("relu a hair below 0",              s.relu,                                        (-1e-30,)),
    ("maximum a hair apart",             lambda a, b: s.maximum(a, b) * a,              (1.0, 1.0000001)),
    ("abs of a rounded zero",            lambda x: s.abs(x * 3.0 - 0.3),                (0.1,)),
    ("a clip a hair inside",             lambda x: s.clip(x, low=-1.0, high=1.0),       (0.9999999,)),
    ("a norm near 0",                    lambda x: s.norm(x, axis=None),                ([1e-12, -1e-12],)),
    # tiny and huge arguments
    ("sin of 1e8",                       s.sin,                                         (1e8,)),
    ("tan beside a pole",                s.tan,                                         (1.57,)),
    ("exp of -80",                       s.exp,                                         (-80.0,)),
    ("log of 1e-30",                     s.log,                                         (1e-30,)),
    ("log1p of 1e-12",                   s.log1p,                                       (1e-12,)),
    ("expm1 of 1e-12",                   s.expm1,                                       (1e-12,)),
    ("reciprocal of 1e12",               s.reciprocal,                                  (1e12,)),
    ("hypot of 1e12 and 1e-12",          s.hypot,                                       (1e12, 1e-12)),
    ("atan2 of 1e-12 and -1e12",         s.atan2,                                       (1e-12, -1e12)),
    ("atan of 1e9",                      s.atan,                                        (1e9,)),
    ("asinh of -1e9",                    s.asinh,                                       (-1e9,)),
    ("lgamma of 1e-8",                   s.lgamma,                                      (1e-8,)),
    ("lgamma of 1e6",                    s.lgamma,                                      (1e6,)),
    ("digamma of 1e-5",                  s.digamma,                                     (1e-5,)),
    ("pow of 1e-6 to 1.5",               lambda a, b: s.pow(a, b),                      (1e-6, 1.5)),
    ("a logsumexp of hundreds",          lambda x: s.logsumexp(x, axis=(0,)),           ([300.0, 301.0, -300.0],)),
    ("a softmax of hundreds",            lambda x: total(s.softmax(x, axis=(0,)) * np.array([1.0, 2.0, 3.0])), ([300.0, 301.0, -300.0],)),
    # sums that nearly cancel
    ("a difference of neighbours",       lambda a, b: (a - b) * (a + b),                (1.0000001, 1.0)),
    ("a logarithm of such a difference", lambda a, b: s.log(a - b),                     (1.0001, 1.0)),
    ("three steps that go all the way",  lambda a, b, w: total(s.lerp(a, b, w)),        ([1.0], [[1.0]] * 3, [[1.0 + 2.0**-52]])),
    ("1 - cos(x)",                       lambda x: 1.0 - s.cos(x),                      (1e-3,)),
    ("sqrt(x*x + 1) - x",                lambda x: s.sqrt(x * x + 1.0) - x,             (1000.0,)),
    ("exp(x) - 1",                       lambda x: s.exp(x) - 1.0,                      (1e-5,)),
    ("a variance of neighbours",         lambda x: s.var(x, axis=None),                 ([1000.0, 1000.5, 1001.0],)),
    ("a standard deviation of neighbours", lambda x: s.std(x, axis=None),               ([100.0, 100.5, 101.5],)),
    ("a standard deviation of two neighbours", lambda x: s.std(x, axis=None),           ([7.21, 7.211],)),
    ("a standard deviation of two equals and a neighbour", lambda x: s.std(x, axis=None), ([6.0731, 6.0731, 6.0733],)),
    ("standard deviations over columns", lambda x: total(s.std(x, axis=(0,), ddof=1) * WEIGHTS), (NEAR,)),
    ("a solve by a factor near singular", lambda b, a: total(s.cholesky_solve(b, a, upper=False)), (np.ones((2, 1)), np.array([[1.0, 1.0], [10.0, 1e-4]]))),
    ("attention of one large query",     attention,                                     (PEAKED, ONES, PEAKED)),
    ("attention of hundreds",            attention,                                     (HUNDREDS, HUNDREDS, HUNDREDS)),
    ("attention by saturated weights",   attention,                                     (30.0 * SPREAD, SPREAD[..., ::-1], SPREAD[::-1])),
    ("a sum of opposites",               lambda x: total(x) * total(x * x),             (CANCELS[980:1020],)),
    # saturated
    ("tanh of 9",                        s.tanh,                                        (9.0,)),
    ("tanh of 30",                       lambda x: s.tanh(x) * x,                       (30.0,)),
    ("sigmoid of -30",                   s.sigmoid,                                     (-30.0,)),
    ("sigmoid of 30, its complement",    lambda x: 1.0 - s.sigmoid(x),                  (30.0,)),
    ("softplus of 19",                   s.softplus,                                    (19.0,)),
    ("softplus of -40",                  s.softplus,                                    (-40.0,)),
    ("log_sigmoid of -60",               s.log_sigmoid,                                 (-60.0,)),
    ("erf of 4",                         s.erf,                                         (4.0,)),
    ("erfc of 5",                        s.erfc,                                        (5.0,)),
    ("gelu of -6",                       lambda x: s.gelu(x, approximate="none"),       (-6.0,)),
    ("gelu of -6, by tanh",              lambda x: s.gelu(x, approximate="tanh"),       (-6.0,)),
    ("silu of -25",                      s.silu,                                        (-25.0,)),
    ("elu of -30",                       s.elu,                                         (-30.0,)),
    ("a peaked log_softmax",             lambda x: total(s.log_softmax(x, axis=(0,)) * np.array([1.0, -2.0, 3.0])), ([20.0, 0.0, -20.0],)),
    ("logaddexp far apart",              s.logaddexp,                                   (40.0, -40.0)),
    # removable singularities
    ("sin(x)/x near 0",                  lambda x: s.sin(x) / x,                        (1e-2,)),
    ("(x**3 - 1)/(x - 1) near 1",        near_one,                                      (1.01,)),
    ("expm1(x)/x near 0",                lambda x: s.expm1(x) / x,                      (1e-3,)),
    ("x*log(x) near 0",                  lambda x: x * s.log(x),                        (1e-20,)),
    ("x**x near 0",                      lambda x: s.pow(x, x),                         (1e-10,)),
    ("asin near 1",                      s.asin,                                        (0.999,)),
    ("acosh near 1",                     s.acosh,                                       (1.001,)),
    ("atanh near 1",                     s.atanh,                                       (0.999,)),
    ("a power at 0",                     lambda x: s.power(x, n=2),                     (0.0,)),
    ("a product with a zero",            lambda a, b: a * s.exp(b) * b,                 (3.0, 0.0)),
    # at a jump, where two roundings may undo one another
    ("a remainder of what is all but a multiple", lambda a: s.fmod(2.0 + a, a),     (0.2,)),
    ("what is left of a sum below a multiple", lambda a: s.remainder(-(2.0 + a), a), (0.2,)),
    ("a running logarithm of one large entry", lambda x: total(0.37 * s.logcumsumexp(x, axis=(-1,))), ([-30.0],)),
    # gradients of size 1e-9 and 1e9
    ("a gradient of 1e-9",               lambda x: 1e-9 * s.sin(x) * s.exp(-x),         (2.0,)),
    ("a gradient of 1e9",                lambda x: 1e9 * s.sin(x) * s.exp(x),           (2.0,)),
    ("gradients of 1e-9 and 1e9",        lambda a, b: 1e-9 * a * a + 1e9 * s.cos(b),    (1.3, 0.7)),
    ("a slope of 1e9 by a root",         s.sqrt,                                        (2.5e-19,)),
)
LARGE: tuple[Row, ...] = (
    ("a mean of 1,000",                  lambda x: s.mean(s.sin(x), axis=None),         (THOUSAND,)),
    ("a network of 1,000",               deep,                                          (THOUSAND,)),
    ("a softmax of 1,000",               lambda x: s.max(s.softmax(x, axis=(0,)), axis=None), (THOUSAND,)),
    ("a running sum of 1,000",           lambda x: total(s.tanh(s.cumsum(0.03 * x, axis=(0,)))), (THOUSAND,)),
    ("a logsumexp of 1,000",             lambda x: s.logsumexp(30.0 * x, axis=(0,)),    (THOUSAND,)),
)
# fmt: on
AWKWARD = {name: (function, point) for name, function, point in (*SMALL, *LARGE)}

# A reference of 1,000 elements takes seconds: each in one dtype here.
PAIRS = [(row[0], dtype) for row in SMALL for dtype in DTYPES]
PAIRS += [(row[0], DTYPES[k % 2]) for k, row in enumerate(LARGE)]


@cache
def referred(name: str, dtype: str) -> tuple[Case, Reference]:
    """The case of a row, and its reference, which all engines share."""
    function, point = AWKWARD[name]
    arrays = tuple(np.asarray(x, dtype) for x in point)
    case = Case(trace(function, *(x.shape for x in arrays)), arrays, dtype)
    return case, reference(case)


def judgements(name: str, dtype: str) -> Iterator[tuple[str, Judgement]]:
    """Every engine's verdict."""
    case, found = referred(name, dtype)
    for engine in NAMES:
        who = load(engine)
        if who.available() is None:
            yield engine, judge(case, who, modes(who)[0], found=found)


def explained_by(
    name: str, dtype: str, engine: str, judgement: Judgement
) -> str | None:
    """The known deviation that explains a verdict; None if there is none."""
    (case, _), who = referred(name, dtype), load(engine)
    mode = modes(who)[0]
    guilty = guilty_op(case, lambda c: judge(c, who, mode), judgement)
    return Listed(shipped_rows(), who, mode, dtype).row(case, judgement, guilty)


@pytest.mark.parametrize(("name", "dtype"), PAIRS)
def test_nobody_is_accused_at_an_awkward_point(name: str, dtype: str) -> None:
    found = list(judgements(name, dtype))
    assert found
    for engine, judgement in found:
        if (name, dtype) in UNSEEN:
            assert judgement.verdict is Verdict.VACUOUS, judgement
        elif engine == "own-tape":
            assert judgement.verdict in CHECKED, judgement
        known = None
        if judgement.verdict.fails():
            known = explained_by(name, dtype, engine, judgement)
            assert known is not None, (engine, judgement)
        assert known == KNOWN.get((name, dtype, engine))


@pytest.mark.parametrize("engine", ["torch-cpu", "autograd", "own-tape"])
@pytest.mark.parametrize(("op", "x"), [("acosh", 1.00000001), ("acos", 0.99999999)])
def test_the_root_of_a_slope_is_rounded_where_the_value_is_not(
    op: str, x: float, engine: str
) -> None:
    """The slope of the square is finite at 1, so that a rounding of x cancels in it."""
    who, scaled = load(engine), 1.0 + 1e-6
    if (reason := who.available()) is not None:
        pytest.skip(reason)
    apply = getattr(s, op)
    case = Case(
        trace(
            lambda x: s.square(apply(x)),
            (),
        ),
        (np.array(x),),
    )
    assert not judge(case, who, "reverse").verdict.fails()
    wrong = Case(trace(lambda x: scaled * s.square(apply(x)), ()), case.point)
    found = judge(case, who, "reverse", found=reference(wrong))
    assert found.verdict.fails(), "a millionth more is no rounding"
