"""Every shipped row's witness, worked out anew in mpmath by formulas of this file.

Nothing of gradverify computes here but the graph's list of nodes: the formulas are those
of a textbook, and the derivative is a difference quotient in hundreds of digits.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from gradverify.differentiators import load, modes, questions
from gradverify.graph import Case
from gradverify.known import Deviation, shipped_rows
from gradverify.questions import JVP, SECOND, contracted, tangents_of
from gradverify.reference import reference
from gradverify.verdict import Verdict
from gradverify.verify import judge

DIGITS = (
    1500  # at the smallest numbers a slope stands hundreds of digits behind the value
)
STEP = mpf(10) ** -60
GAMMAS = ("gammainc", "gammaincc")
SLOW = {*("digamma", "lgamma", "polygamma", "zeta", "spence", "i1e"), *GAMMAS}
SLOW |= {"multigammaln", "betaln", "beta", "betainc", "igamma", "igammac"}
FEW = 200  # for functions that mpmath has slowly
HUGE = 1e50
ALIKE = mpf(10) ** -20
BELOW = mpf(10) ** -350

NUMBERS = {Verdict.WRONG, Verdict.WRONG_VALUE, Verdict.IMPRECISE}


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*x: Any, **params: Any) -> Any:
        return np.frompyfunc(lambda *v: function(*v, **params), len(x), 1)(*x)

    return apply


def multigammaln(x: Any, d: int) -> Any:
    pairs = mpf(d * (d - 1)) / 4 * mp.log(mp.pi)
    return pairs + sum(mp.loggamma(x - mpf(j) / 2) for j in range(d))


def total(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    assert (axis, keepdims) == (None, False)
    return np.sum(np.ravel(x))


def norm(x: Any, axis: Any, keepdims: bool) -> Any:
    assert (axis, keepdims) == (None, False)
    return mp.sqrt(sum(v * v for v in np.ravel(x)))


def std(x: Any, axis: Any, keepdims: bool, ddof: int) -> Any:
    assert (axis, keepdims) == (None, False)
    flat = np.ravel(x)
    mean = sum(flat) / len(flat)
    return mp.sqrt(sum((v - mean) ** 2 for v in flat) / (len(flat) - ddof))


def prod(x: Any, axis: Any, keepdims: bool) -> Any:
    assert (axis, keepdims) == (None, False)
    return math.prod(np.ravel(x))


def bce(x: Any, t: Any, reduction: str) -> Any:
    pairs = list(zip(np.ravel(x), np.ravel(t), strict=True))
    whole = -sum(b * mp.log(a) + (1 - b) * mp.log(1 - a) for a, b in pairs)
    return whole / {"mean": len(pairs), "sum": 1}[reduction]


def l1(x: Any, t: Any, reduction: str) -> Any:
    sizes = [abs(a - b) for a, b in zip(np.ravel(x), np.ravel(t), strict=True)]
    return sum(sizes) / {"mean": len(sizes), "sum": 1}[reduction]


def normalised(x: Any, w: Any, b: Any, eps: float) -> Any:
    """A norm of all of x, as a layer norm is."""
    flat = np.ravel(x)
    mean = sum(flat) / len(flat)
    var = sum((v - mean) ** 2 for v in flat) / len(flat)
    return (x - mean) / mp.sqrt(var + mpf(eps)) * w + b


def by_channel(w: Any, x: Any) -> Any:
    return np.reshape(w, (-1, *[1] * (np.ndim(x) - 2)))


def batch_norm(x: Any, w: Any, b: Any, eps: float) -> Any:
    channels = range(x.shape[1])
    parts = [normalised(x[:, k], w[k], b[k], eps) for k in channels]
    return np.stack(parts, axis=1)


def group_norm(x: Any, w: Any, b: Any, groups: int, eps: float) -> Any:
    assert (groups, len(x)) == (1, 1)
    return normalised(x, by_channel(w, x), by_channel(b, x), eps)


def instance_norm(x: Any, w: Any, b: Any, eps: float) -> Any:
    rows = [batch_norm(row[None], w, b, eps) for row in x]
    return np.concatenate(rows)


def rms_norm(x: Any, w: Any, eps: float) -> Any:
    square = np.sum(x * x, axis=-1, keepdims=True) / x.shape[-1]
    return x / np.vectorize(mp.sqrt, otypes=[object])(square + mpf(eps)) * w


def attention(q: Any, k: Any, v: Any, mask: str) -> Any:
    assert mask == "none"
    scores = np.einsum("bhid,bhjd->bhij", q, k) / mp.sqrt(q.shape[-1])
    weights = each(mp.exp)(scores)
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return np.einsum("bhij,bhjd->bhid", weights, v)


def matrix_exp(x: Any) -> Any:
    """The series itself, term by term."""
    term = total = np.array(
        [[mpf(i == j) for j in range(len(x))] for i in range(len(x))]
    )
    for k in range(1, 400):
        term = term @ x / k
        total = total + term
    return total


def eigh(x: Any, k: int) -> Any:
    """The projector onto an eigenvector of the symmetric part."""
    _, vectors = mp.eigsy(mp.matrix(((x + x.T) / 2).tolist()))
    v = np.array([vectors[i, k] for i in range(len(x))])
    return v[:, None] * v


def matrix_norm(x: Any, ord: str, keepdims: bool) -> Any:
    """The sum of both singular values, by the squares' sum and product."""
    assert (ord, keepdims, x.shape) == ("nuc", False, (2, 2))
    determinant = x[0, 0] * x[1, 1] - x[0, 1] * x[1, 0]
    return mp.sqrt(np.sum(x * x) + 2 * abs(determinant))


def svd(x: Any, k: int) -> Any:
    """The largest singular vectors' product, by the eigenvectors of x^T x."""
    assert k == 0
    along = eigh(x.T @ x, x.shape[1] - 1)
    return x @ along / mp.sqrt(np.sum((x @ along) ** 2))


def vector_norm(x: Any, ord: str, axis: Any, keepdims: bool) -> Any:
    """Of order 1 or 2, of all entries."""
    if ord == "1":
        assert (axis, keepdims) == (None, False)
        return sum(abs(v) for v in np.ravel(x))
    assert ord == "2"
    return norm(x, axis, keepdims)


def eigvals(x: Any) -> Any:
    """Both real ones of a matrix of two rows, the smaller one first."""
    half = (x[0, 0] + x[1, 1]) / 2
    root = mp.sqrt(((x[0, 0] - x[1, 1]) / 2) ** 2 + x[0, 1] * x[1, 0])
    return np.array([half - root, half + root])


def solve(a: Any, b: Any, left: bool) -> Any:
    """By the inverse, for one right side."""
    assert left
    inverse = np.array((mp.matrix(a.tolist()) ** -1).tolist()).reshape(a.shape)
    return inverse @ b


def cholesky_inverse(x: Any, upper: bool) -> Any:
    """The inverse of the matrix of which the lower triangle of x is the factor."""
    assert not upper
    low = mp.matrix(np.tril(x).tolist())
    return np.array(((low * low.T) ** -1).tolist()).reshape(x.shape)


def cosine_similarity(a: Any, b: Any, axis: Any, eps: float) -> Any:
    """The cosine of two vectors, whose norms are at least eps."""
    sizes = [max(mp.sqrt(sum(v * v for v in x)), mpf(eps)) for x in (a, b)]
    return sum(a * b) / (sizes[0] * sizes[1])


def lstsq(a: Any, b: Any) -> Any:
    """By the normal equations."""
    left, right = mp.matrix((a.T @ a).tolist()), mp.matrix((a.T @ b).tolist())
    return np.array((left**-1 * right).tolist())


def turned(kind: str) -> Callable[..., Any]:
    """Sums over all j of what is given times exp(2 pi i j k / n), or exp(-2 pi i j k / n).

    With the norm of the witnesses, what turns backwards is divided by n.
    """
    real_in, real_out = kind.startswith("rfft"), kind.startswith("irfft")
    sign = 1 if real_out else -1

    def apply(x: Any, norm: str, **_: Any) -> Any:
        assert norm == "forward"
        z = x if real_in else x[..., 0] + mp.j * x[..., 1]
        for place in range(z.ndim):
            z = along(z, place)
        return parts(z)

    def along(z: Any, place: int) -> Any:
        n, last = z.shape[place], place == z.ndim - 1
        whole = 2 * (n - 1) if last and real_out else n
        z = np.moveaxis(z, place, -1)
        if last and real_out:  # the other half is conjugate
            rest = [mp.conj(v) for v in z[..., 1 : whole - n + 1].ravel()]
            rest = np.reshape(np.array(rest, object), (*z.shape[:-1], whole - n))
            z = np.concatenate((z, rest[..., ::-1]), -1)
        k = np.arange(whole)
        wave = np.frompyfunc(lambda t: mp.expjpi(sign * mpf(2 * t) / whole), 1, 1)
        y = z @ wave(np.outer(k, k)) / (1 if real_out else whole)
        y = y[..., : whole // 2 + 1] if last and real_in else y
        return np.moveaxis(y, -1, place)

    def parts(y: Any) -> Any:
        real, imaginary = (np.frompyfunc(part, 1, 1)(y) for part in (mp.re, mp.im))
        return real if real_out else np.stack((real, imaginary), -1)

    return apply


def cumprod(x: Any, axis: Any) -> Any:
    """The products of the entries up to each."""
    assert (x.ndim, *axis) == (1, -1)
    return np.array(list(itertools.accumulate(x, operator.mul)), object)


def cdist(x: Any, y: Any, p: float) -> Any:
    """The largest difference of each pair of rows, or the sum of all."""
    assert p in (1.0, np.inf)
    joined = sum if p == 1.0 else max
    far = [
        [joined(abs(a - b) for a, b in zip(u, v, strict=True)) for v in y] for u in x
    ]
    return np.array(far, object)


def pdist(x: Any, p: float) -> Any:
    """The distances of each row to those below it."""
    far = cdist(x, x, p)
    return np.array(
        [far[i, j] for i, j in zip(*np.triu_indices(len(x), 1), strict=True)]
    )


def scatter_reduce(
    x: Any, src: Any, axis: Any, index: Any, reduce: str, include_self: bool
) -> Any:
    """What comes to the entries of a vector, multiplied; or the largest alone of it."""
    assert (tuple(axis), reduce, include_self) in (
        ((-1,), "prod", True),
        ((-1,), "amax", False),
    )
    y = x.copy()
    for place in range(len(y)):
        given = [v for k, v in zip(index, src, strict=True) if k == place]
        given += [y[place]] if include_self or not given else []
        y[place] = math.prod(given) if reduce == "prod" else max(given)
    return y


def segment_reduce(x: Any, segments: Any, reduce: str) -> Any:
    """Of one segment, the product or the largest entry."""
    assert {*segments} == {0}
    return np.array([math.prod(x) if reduce == "prod" else max(x)], object)


def cosine_embedding(a: Any, b: Any, signs: Any, margin: float, reduction: str) -> Any:
    """Of one row, for the sign 1; the constant is 1e-12 of a float32."""
    assert (signs, len(a), reduction) == ((1,), 1, "sum")
    small = mpf(float(np.float32(1e-12)))
    sizes = [mp.sqrt(sum(v * v for v in x[0]) + small) for x in (a, b)]
    return 1 - sum(u * v for u, v in zip(a[0], b[0], strict=True)) / math.prod(sizes)


def lp_pool(x: Any, p: float, kernel: Any, stride: Any) -> Any:
    """Of order 1, of one window."""
    assert (p, kernel) == (1.0, x.shape[2:])
    return np.sum(np.ravel(x))


def multi_head_attention(
    q: Any, k: Any, v: Any, w: Any, b: Any, out: Any, c: Any,
    heads: int, mask: str, need_weights: bool,
) -> Any:  # fmt: skip
    """Of one head and one query, which sees the first key alone: v there is left."""
    assert (heads, mask, q.shape, need_weights) == (1, "10", (1, 1, 1), False)
    assert k.shape == (1, 2, 1)
    return (v[:, :1] * w[2] + b[2]) * out[0] + c


def gelu_by_tanh(x: Any, approximate: str) -> Any:
    """Hendrycks and Gimpel's approximation; exact for the float64 constants of libraries."""
    assert approximate == "tanh"
    inside = mp.sqrt(2 / mp.pi) * (x + mpf(0.044715) * x**3)
    return x * (1 + mp.tanh(inside)) / 2


# fmt: off
FORMULAS: Mapping[str, Callable[..., Any]] = {
    **{op: turned(op) for op in ("rfft", "irfft", "rfft2", "irfft2")},
    "mul":      lambda a, b: a * b,
    "div":      lambda a, b: a / b,
    "sqrt":     each(mp.sqrt),
    "power":    each(lambda x, n: x ** mpf(n)),
    "abs":      each(abs),
    "softplus": each(lambda x: mp.log(1 + mp.exp(x))),
    "digamma":  each(mp.digamma),
    "hardsigmoid": each(lambda x: min(max(x + 3, mpf(0)), mpf(6)) / 6),
    "ldexp":    each(lambda x, exponent: x * mpf(2) ** exponent),
    "addcdiv":  each(lambda x, a, b, value: x + mpf(value) * a / b),
    "addcmul":  each(lambda x, a, b, value: x + mpf(value) * a * b),
    "reciprocal": each(lambda x: 1 / x), "atan": each(mp.atan), "log": each(mp.log),
    "float_power": each(lambda x, n: x ** mpf(n)),
    "copysign": each(lambda a, b: abs(a) * mp.sign(b)),
    "sinc":     each(lambda x: mp.sin(mp.pi * x) / (mp.pi * x) if x else mpf(1)),
    "spence":   each(lambda x: mp.polylog(2, 1 - x).real),
    "gammainc": each(lambda x, a: mp.gammainc(mpf(a), 0, x, regularized=True)),
    "gammaincc": each(lambda x, a: mp.gammainc(mpf(a), x, regularized=True)),
    "i1e":      each(lambda x: mp.besseli(1, x) * mp.exp(-abs(x))),
    "multigammaln": each(multigammaln),
    "betaln":   each(lambda a, b: mp.log(mp.beta(a, b))),
    "beta":     each(mp.beta),
    "polygamma": each(lambda x, n: mp.polygamma(n, x)),
    "zeta":     each(lambda x, s: mp.zeta(mpf(s), x)),
    "log1p":    each(lambda x: mp.log(1 + x)),
    "atanh":    each(lambda x: mp.log((1 + x) / (1 - x)) / 2),
    "asinh":    each(lambda x: mp.log(x + mp.sqrt(x * x + 1))),
    "softsign": each(lambda x: x / (1 + abs(x))),
    "hypot":    each(lambda a, b: mp.sqrt(a * a + b * b)),
    "atan2":    each(lambda a, b: mp.arg(mp.mpc(b, a))),
    "logaddexp": each(lambda a, b: mp.log(mp.exp(a) + mp.exp(b))),
    "pow":      each(lambda a, b: a**b),
    "lgamma":   each(lambda x: mp.re(mp.loggamma(x))),
    "layer_norm": normalised, "batch_norm": batch_norm, "group_norm": group_norm,
    "instance_norm": instance_norm, "rms_norm": rms_norm,
    "sum":      total, "prod": prod, "norm": norm, "std": std, "bce": bce, "l1": l1,
    "scaled_dot_product_attention": attention,
    "det": lambda x: mpf(mp.det(mp.matrix(x.tolist()))),
    "slogdet": lambda x: mpf(mp.log(abs(mp.det(mp.matrix(x.tolist()))))),
    "cosine_similarity": cosine_similarity,
    "solve": solve, "cholesky_inverse": cholesky_inverse,
    "cosine_embedding": cosine_embedding, "lp_pool1d": lp_pool, "lp_pool2d": lp_pool,
    "eigh": eigh, "svd": svd, "vector_norm": vector_norm, "eigvals": eigvals, "matrix_norm": matrix_norm, "matrix_exp": matrix_exp, "lstsq": lstsq,
    "betainc":  each(lambda x, a, b: mp.betainc(a, b, 0, x, regularized=True)),
    "log_ndtr": each(lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)),
    "erfcx":    each(lambda x: mp.exp(x * x) * mp.erfc(x)),
    "igamma":   each(lambda a, x: mp.gammainc(a, 0, x, regularized=True)),
    "igammac":  each(lambda a, x: mp.gammainc(a, x, regularized=True)),
    "gelu":     each(gelu_by_tanh), "multi_head_attention": multi_head_attention,
    "i0e":      each(lambda x: mp.besseli(0, x) * mp.exp(-abs(x))),
    "i0":       each(lambda x: mp.besseli(0, x)),
    "i1":       each(lambda x: mp.besseli(1, x)),
    "segment_reduce": segment_reduce,
    "logcumsumexp": lambda x, axis: np.array([mp.log(v) for v in np.cumsum(each(mp.exp)(x))], object),
    "scatter_reduce": scatter_reduce, "cumprod": cumprod, "cdist": cdist, "pdist": pdist,
}
# fmt: on


def value_at(case: Case, point: list[Any]) -> Any:
    """The witness's output; its numbers are rounded to its format first."""
    return mpf(np.ravel(values_at(case, point)[-1])[0])


def values_at(case: Case, point: list[Any]) -> list[Any]:
    """The values of all nodes."""
    values: list[Any] = []
    given = iter(point)
    for node in case.graph.nodes:
        if node.op == "input":
            values.append(next(given))
        elif node.op in ("literal", "data"):
            values.append(exact(np.asarray(node.value, case.dtype)))
        else:
            operands = (values[j] for j in node.operands)
            values.append(FORMULAS[node.op](*operands, **node.params))
    return values


def exact(x: Any) -> Any:
    array = np.empty(np.shape(x), object)
    for i in np.ndindex(np.shape(x)):
        array[i] = mpf(float(x[i]))
    return array


@cache
def worked_out(case: Case) -> tuple[Any, list[Any]]:
    """The value, and every derivative as a central difference, in `digits_for` it."""
    point = [exact(x) for x in case.point]
    slopes = []
    for x in point:
        for i in np.ndindex(x.shape):
            at = x[i]
            h = STEP * (abs(at) or max(abs(v) for v in np.ravel(x)) or 1)
            ends = []
            for moved in (at + h, at - h):
                x[i] = moved
                ends.append(value_at(case, point))
            x[i] = at
            slopes.append((ends[0] - ends[1]) / (2 * h))
    return value_at(case, point), slopes


def products(case: Case) -> list[Any]:
    """The Hessian times the tangents of the case, as differences of differences."""
    point = [exact(x) for x in case.point]
    along = tangents_of(case.graph, case.dtype)
    found = []
    for k, x in enumerate(point):
        for i in np.ndindex(x.shape):
            sides = []
            for by in (STEP, -STEP):
                ends = []
                for h in (STEP, -STEP):
                    moved = [
                        y if v is None else y + by * exact(v)
                        for y, v in zip(point, along, strict=True)
                    ]
                    moved[k] = np.array(moved[k], object)
                    moved[k][i] += h
                    ends.append(value_at(case, moved))
                sides.append(ends[0] - ends[1])
            found.append((sides[0] - sides[1]) / (4 * STEP**2))
    return found


def pushed(case: Case) -> list[Any]:
    """The tangent of the witness's array along its tangents, as a central difference."""
    point = [exact(x) for x in case.point]
    along = tangents_of(case.graph, case.dtype)
    ends = [
        values_at(
            case,
            [
                x if v is None else x + h * exact(v)
                for x, v in zip(point, along, strict=True)
            ],
        )[contracted(case.graph).node]
        for h in (STEP, -STEP)
    ]
    return [*np.ravel((ends[0] - ends[1]) / (2 * STEP))]


def near(a: Any, b: Any) -> bool:
    """Alike in 20 digits, or both far below the smallest number of any format."""
    return bool(abs(a - b) <= ALIKE * abs(b) + BELOW)


AT_KINKS = [row for row in shipped_rows() if row.id.endswith("-at-kink")]
ROWS = [r for r in shipped_rows() if NUMBERS & set(r.verdict) and r not in AT_KINKS]


def digits_for(case: Case) -> int:
    """Functions of gamma are slow in many digits, but not at large numbers."""
    is_slow = SLOW & {*case.graph.ops}
    return (
        FEW
        if is_slow and np.max(np.abs(case.point[0].astype(float)), initial=0.0) < HUGE
        else DIGITS
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_exact_numbers_of_a_witness_are_those_of_mpmath(row: Deviation) -> None:
    found = reference(row.witness)
    ours = [v for x in found.gradient for v in np.ravel(x)]
    with mp.workdps(digits_for(row.witness)):
        value, slopes = worked_out(row.witness)
        assert near(found.value, value)
        assert len(ours) == len(slopes)
        assert all(near(a, b) for a, b in zip(ours, slopes, strict=True))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_library_is_off_from_mpmath_by_what_its_row_says(row: Deviation) -> None:
    who = load(row.differentiator)
    if who.available() is not None:
        pytest.skip("not installed")
    mode = (row.modes or modes(who))[0]
    judgement = judge(row.witness, who, mode)
    assert judgement.verdict in row.verdict
    if judgement.verdict not in NUMBERS:
        return
    with mp.workdps(digits_for(row.witness)):
        value, slopes = worked_out(row.witness)
        if SECOND in questions(who, mode):
            slopes = products(row.witness)
        if judgement.where.startswith(JVP.part):
            slopes = pushed(row.witness)
        numbers = [value] if judgement.where == "value" else slopes
        assert any(near(mpf(judgement.exact), x) for x in numbers)
        got = mpf(judgement.got)
        assert all(abs(got - x) > 0 for x in numbers if near(mpf(judgement.exact), x))
        if row.at_most is not None and not row.at_most.in_bounds:
            room = mpf(row.at_most.amount) * (1 + mpf(10) ** -6)
            assert any(abs(got - x) <= room * abs(x) for x in numbers)


# ---- kinks


@pytest.mark.parametrize("row", AT_KINKS, ids=lambda row: row.id)
def test_at_a_kink_a_library_is_outside_the_slopes_of_both_sides(
    row: Deviation,
) -> None:
    who = load(row.differentiator)
    if who.available() is not None:
        pytest.skip("not installed")
    judgement = judge(row.witness, who, (row.modes or modes(who))[0])
    assert judgement.verdict in row.verdict
    got = [mpf(text) for text in judgement.got.strip("()").split(", ")]
    (x,) = (exact(x) for x in row.witness.point)
    with mp.workdps(DIGITS):
        outside = []
        given = np.array(got, object).reshape(x.shape)
        here, units = value_at(row.witness, [x]), np.eye(x.size, dtype=int)
        signs = np.array([int(mp.sign(number)) for number in got])
        for way in (*units, signs):  # at a tie each entry alone may be a slope
            d = way.reshape(x.shape)
            sides = [
                (value_at(row.witness, [x + h * d]) - here) / h for h in (STEP, -STEP)
            ]
            room = mpf(10) ** -12
            slope = np.sum(given * d)
            outside.append(not min(sides) - room <= slope <= max(sides) + room)
    assert any(outside)


# ---- roots of 0


ROOTS = [
    row
    for row in shipped_rows()
    if row.op in ("sqrt", "power") and set(row.verdict) == {Verdict.NONFINITE}
]


def slopes_within(case: Case) -> list[Any]:
    """Every derivative as a difference that does not leave the numbers above 0."""
    (x,) = (exact(x) for x in case.point)
    here, found = value_at(case, [x]), []
    for i in np.ndindex(x.shape):
        at, h = x[i], STEP * (x[i] or 1)
        x[i] = at + h
        found.append((value_at(case, [x]) - here) / h)
        x[i] = at
    return found


def test_three_libraries_have_two_roots_in_two_modes_listed() -> None:
    assert {(row.differentiator, row.op, row.modes[:1]) for row in ROOTS} >= {
        (who, op, modes)
        for who in ("torch-cpu", "autograd", "jax")
        for op in ("sqrt", "power")
        for modes in ((), ("forward",))
    }


@pytest.mark.parametrize("row", ROOTS, ids=lambda row: row.id)
def test_beside_a_root_of_0_a_finite_derivative_is_nan(row: Deviation) -> None:
    """The derivative is 0 where the weight of the root is 0, and that of the other
    entry's root where it is not.
    """
    who = load(row.differentiator)
    if who.available() is not None:
        pytest.skip("not installed")
    judgement = judge(row.witness, who, (row.modes or modes(who))[0])
    assert (judgement.verdict, judgement.got) == (Verdict.NONFINITE, "nan")
    _, _, place = judgement.where.partition("[")
    entry = int(place.rstrip("]") or 0)
    with mp.workdps(DIGITS):
        slope = slopes_within(row.witness)[entry]
        assert abs(mpf(judgement.exact) - slope) <= ALIKE * max(1, abs(slope))
        assert abs(slope) <= 1
