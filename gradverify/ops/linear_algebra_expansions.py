"""Expansions of linear algebra into primitives.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
Matrices lie along the last two axes; axes before them are batches. Matrices are small,
so that determinants and inverses are written out (Leibniz, Cramer). These formulas have
derivatives of every order, at singular matrices as well.

Libraries go by factorizations, which are backward stable in norm: what they compute is
exact for a matrix that is off by some roundings of its largest entry (Higham, 2002,
chapters 9 to 20). `backward_stable` says so of an operand.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.ops.calculus import at_zero, filled
from gradverify.ops.composites import largest, mean, norm, smallest
from gradverify.ops.functions import constant
from gradverify.ops.layer_expansions import array_of
from gradverify.ops.linear_algebra_shapes import diagonal_length
from gradverify.ops.maps import swapped
from gradverify.ops.shapes import one_axis

Axis = Sequence[int] | None


def backward_stable(m: Any, a: Any) -> Any:
    """The matrix, which an algorithm may have moved by roundings of its largest entry.

    As many as it has rows or columns: pivoting lets entries grow by little more
    (Higham, 2002, section 9.4). What goes back to it is a product of matrices, and is
    off by as many roundings of its own largest entry.
    """
    count = float(max(np.shape(a)[-2:]))
    return m.moved_back(m.moved(a, count * largest_entry(m, a)))


def largest_entry(m: Any, a: Any) -> Any:
    """The size of the largest entry of every matrix."""
    return m.peak(m.abs(a), axis=(-2, -1), keepdims=True)


def product(m: Any, a: Any, b: Any) -> Any:
    """The matrix product, in batches."""
    if np.ndim(a) == 2 == np.ndim(b):
        return m.matmul(a, b)
    left = m.reshape(a, shape=(*np.shape(a), 1))
    *batch, inner, columns = np.shape(b)
    right = m.reshape(b, shape=(*batch, 1, inner, columns))
    return m.sum(left * right, axis=(-2,))


def picked(m: Any, a: Any, places: Any) -> Any:
    """Entries of every matrix, at the flat places of an integer array."""
    *batch, rows, columns = np.shape(a)
    flat = m.reshape(a, shape=(*batch, rows * columns))
    index = np.asarray(places)
    found = m.take(flat, axis=(-1,), index=tuple(index.ravel().tolist()))
    return m.reshape(found, shape=(*batch, *index.shape))


def numbers(m: Any, x: Any, rank: int = 2) -> Any:
    """One number for every matrix, with axes of length 1 for its rows and columns."""
    return m.reshape(x, shape=(*np.shape(x), *(1,) * rank))


# ---- determinants and inverses


def parity(order: Sequence[int]) -> int:
    """1 for an even permutation, -1 for an odd one."""
    pairs = itertools.combinations(order, 2)
    return -1 if sum(a > b for a, b in pairs) % 2 else 1


@lru_cache(maxsize=16)
def leibniz(n: int, sign: int) -> Any:
    """The flat places of the factors of all terms of one sign: (n, terms)."""
    orders = [p for p in itertools.permutations(range(n)) if parity(p) == sign]
    return np.array([[i * n + p[i] for p in orders] for i in range(n)])


@lru_cache(maxsize=16)
def cramer(n: int) -> tuple[Any, Any]:
    """The factors of the terms of an adjugate, and their signs.

    Returns flat places of shape (n - 1, n, n, terms), and signs of (n, n, terms).
    """
    terms = math.factorial(n - 1)
    places = np.zeros((n - 1, n, n, terms), int)
    signs = np.zeros((n, n, terms))
    for i, j in itertools.product(range(n), repeat=2):
        rows, columns = ([k for k in range(n) if k != gone] for gone in (j, i))
        for t, order in enumerate(itertools.permutations(range(n - 1))):
            places[:, i, j, t] = [
                r * n + columns[k] for r, k in zip(rows, order, strict=True)
            ]
            signs[i, j, t] = (-1) ** (i + j) * parity(order)
    return places, signs


def multiplied(m: Any, a: Any, places: Any) -> Any:
    """Products of entries: places of shape (factors, *shape) to (*batch, *shape)."""
    result = picked(m, a, places[0])
    for place in places[1:]:
        result = result * picked(m, a, place)
    return result


def leibniz_sum(m: Any, a: Any) -> Any:
    """The determinant as a sum over permutations."""
    n = np.shape(a)[-1]
    even = m.sum(multiplied(m, a, leibniz(n, 1)), axis=(-1,))
    if n == 1:
        return even
    return even - m.sum(multiplied(m, a, leibniz(n, -1)), axis=(-1,))


def adjugate(m: Any, a: Any) -> Any:
    """The matrix of cofactors, transposed."""
    n = np.shape(a)[-1]
    if n == 1:
        return 0.0 * a + 1.0
    places, signs = cramer(n)
    terms = multiplied(m, a, places) * array_of(m, signs, a)
    return m.sum(terms, axis=(-1,))


def inverted(m: Any, a: Any) -> Any:
    """The inverse by Cramer's rule."""
    return adjugate(m, a) / numbers(m, leibniz_sum(m, a))


LOGARITHM = 32.0


def det(m: Any, a: Any) -> Any:
    """The determinant.

    NumPy takes it as the exponential of its logarithm, and the derivative is a multiple
    of it. Both are off by a rounding of that logarithm, which is 32 at 1e14. The usual
    derivative is y times the inverse. Differentiated again, it is terms that cancel.
    """
    y = m.factor(leibniz_sum(m, backward_stable(m, a)))
    return m.slack(m.slack_back(y, constant(m, LOGARITHM)), LOGARITHM * y)


def slogdet(m: Any, a: Any) -> Any:
    """The logarithm of the size of the determinant."""
    return m.log(m.abs(leibniz_sum(m, backward_stable(m, a))))


def inv(m: Any, a: Any) -> Any:
    """The inverse."""
    return inverted(m, backward_stable(m, a))


# ---- entries that are chosen


def diagonal_places(shape: Sequence[int], offset: int) -> list[int]:
    """The flat places of a diagonal, `offset` places right of the main one."""
    rows, columns = shape
    start = offset if offset > 0 else -offset * columns
    return [
        start + k * (columns + 1) for k in range(diagonal_length(rows, columns, offset))
    ]


def trace(m: Any, a: Any, *, offset: int) -> Any:
    """The sum of a diagonal."""
    return m.sum(picked(m, a, diagonal_places(np.shape(a), offset)), axis=(-1,))


def diag(m: Any, a: Any, *, offset: int) -> Any:
    """The diagonal of a matrix, or the matrix with that diagonal."""
    if np.ndim(a) == 2:
        return picked(m, a, diagonal_places(np.shape(a), offset))
    n = np.shape(a)[0] + abs(offset)
    index = tuple(diagonal_places((n, n), offset))
    return m.reshape(m.put(a, axis=(-1,), index=index, length=n * n), shape=(n, n))


def diagonal(m: Any, a: Any, *, offset: int, axes: tuple[int, int]) -> Any:
    """The diagonals of the matrices along two axes."""
    rank = np.ndim(a)
    last = [k % rank for k in axes]
    order = (*(k for k in range(rank) if k not in last), *last)
    a = m.transpose(a, axes=order) if order != tuple(range(rank)) else a
    return picked(m, a, diagonal_places(np.shape(a)[-2:], offset))


def triu(m: Any, a: Any, *, offset: int) -> Any:
    """The entries on a diagonal and right of it; 0 elsewhere."""
    return m.where(np.triu(np.ones(np.shape(a), bool), offset), a, array_of(m, 0.0, a))


def tril(m: Any, a: Any, *, offset: int) -> Any:
    """The entries on a diagonal and left of it; 0 elsewhere."""
    return m.where(np.tril(np.ones(np.shape(a), bool), offset), a, array_of(m, 0.0, a))


# ---- products


def kron(m: Any, a: Any, b: Any) -> Any:
    """Every entry of a, times the whole of b."""
    (i, j), (k, n) = np.shape(a), np.shape(b)
    left = m.reshape(a, shape=(i, 1, j, 1))
    return m.reshape(left * m.reshape(b, shape=(1, k, 1, n)), shape=(i * k, j * n))


def outer(m: Any, a: Any, b: Any) -> Any:
    """Every entry of a, times the whole of b."""
    return m.reshape(a, shape=(*np.shape(a), 1)) * b


def cross(m: Any, a: Any, b: Any, *, axis: Sequence[int]) -> Any:
    """The vector product along one axis."""
    at = (axis[0] if axis[0] < 0 else axis[0] - np.ndim(a),)
    one, two = ((1, 2, 0), (2, 0, 1))
    first = m.take(a, axis=at, index=one) * m.take(b, axis=at, index=two)
    return first - m.take(a, axis=at, index=two) * m.take(b, axis=at, index=one)


# ---- systems


def solve(m: Any, a: Any, b: Any, *, left: bool, adjoint: bool = False) -> Any:
    """What the matrix takes to the right side; or what it takes there from the right.

    adjoint: whether the matrix is transposed first.
    """
    y = inverted(m, backward_stable(m, a))
    y = swapped(m, y) if adjoint else y
    if np.ndim(b) == 1:
        n = np.shape(b)[0]
        return m.reshape(product(m, y, m.reshape(b, shape=(n, 1))), shape=(n,))
    return product(m, y, b) if left else product(m, b, y)


def masked(m: Any, a: Any, upper: bool, unitriangular: bool = False) -> Any:
    """A triangle; what is not read is 0, and a diagonal that is not read is 1."""
    shape = np.shape(a)[-2:]
    ones = np.ones(shape, bool)
    strict = 1 if unitriangular else 0
    seen = np.triu(ones, strict) if upper else np.tril(ones, -strict)
    t = m.where(seen, a, array_of(m, 0.0, a))
    return t + array_of(m, np.eye(*shape), a) if unitriangular else t


def solve_triangular(
    m: Any, a: Any, b: Any, *, upper: bool, left: bool, unitriangular: bool
) -> Any:
    """As `solve`, for the triangle alone."""
    return solve(m, masked(m, a, upper, unitriangular), b, left=left)


def cholesky(m: Any, a: Any, *, upper: bool) -> Any:
    """The triangular root of the symmetric part of a matrix.

    A column after the other is taken, and its square is taken away from the rest.
    """
    rest = backward_stable(m, 0.5 * (a + swapped(m, a)))
    n, columns = np.shape(a)[-1], []
    for j in range(n):
        column = m.take(rest, axis=(-1,), index=(j,))
        pivot = m.take(column, axis=(-2,), index=(j,))
        below = (np.arange(n) >= j)[:, None]
        column = m.where(below, column, array_of(m, 0.0, a)) / m.sqrt(pivot)
        columns.append(column)
        rest = rest - column * swapped(m, column) if j < n - 1 else rest
    result = beside(m, columns)
    return swapped(m, result) if upper else result


def beside(m: Any, columns: Sequence[Any]) -> Any:
    """Columns side by side."""
    count = len(columns)
    total = None
    for j, column in enumerate(columns):
        wide = m.pad(column, axis=(-1,), before=j, after=count - 1 - j)
        total = wide if total is None else total + wide
    return total


def squared(m: Any, a: Any, upper: bool) -> Any:
    """The matrix whose Cholesky factor is given."""
    t = masked(m, a, upper)
    return product(m, swapped(m, t), t) if upper else product(m, t, swapped(m, t))


def cholesky_inverse(m: Any, a: Any, *, upper: bool) -> Any:
    """The inverse of the matrix whose Cholesky factor is given."""
    y = inverted(m, backward_stable(m, masked(m, a, upper)))
    return product(m, y, swapped(m, y)) if upper else product(m, swapped(m, y), y)


def cholesky_solve(m: Any, b: Any, a: Any, *, upper: bool) -> Any:
    """A system whose matrix is given by its Cholesky factor.

    Libraries form the derivative by the matrix, a product of two solutions, before they
    multiply it by the factor, with which most of it may cancel. A zero is added, of two
    parts whose roundings on the way back are their own.
    """
    inverse = cholesky_inverse(m, a, upper=upper)
    x = product(m, inverse, b)
    factor = masked(m, a, upper=upper)
    factor = swapped(m, factor) if upper else factor

    def again() -> Any:
        matrix = product(m, factor, swapped(m, factor))
        return product(m, inverse, product(m, matrix, x))

    return x + (again() - again())


def pinv(m: Any, a: Any) -> Any:
    """The pseudoinverse of a matrix of full rank.

    Of a square one, too, libraries take the derivative by a projector off its columns,
    which is nothing but rounding, times the square of the inverse. So digits are lost
    by the square of the condition number.
    """
    known = normal_pinv(m, a)
    top, count = largest_entry(m, a), float(max(np.shape(a)[-2:]))
    lost = count * (top * (top * largest_entry(m, known)))
    return normal_pinv(m, m.slack(backward_stable(m, a), lost))


def normal_pinv(m: Any, a: Any) -> Any:
    """The pseudoinverse by the normal equations."""
    rows, columns = np.shape(a)[-2:]
    t = swapped(m, a)
    if rows >= columns:
        return product(m, inverted(m, product(m, t, a)), t)
    return product(m, t, inverted(m, product(m, a, t)))


def pinv_singular(m: Any, a: Any, b: Any) -> Any:
    """The pseudoinverse of a product whose rank is that of its two factors, 1 or 2.

    By a polynomial in the Gram matrix (Decell, 1965), whose coefficients are those of
    its characteristic polynomial. It is smooth beside matrices of that rank, too, where
    the roundings of the product are; libraries cut off what singular values are left
    of these.
    """
    whole = backward_stable(m, product(m, a, b))
    t = swapped(m, whole)
    rows, columns = np.shape(whole)[-2:]
    g = product(m, t, whole) if columns <= rows else product(m, whole, t)
    first = numbers(m, trace_of(m, g))
    if np.shape(a)[-1] == 1:
        return t / first
    second = 0.5 * (first * first - numbers(m, trace_of(m, product(m, g, g))))
    rest = first * array_of(m, np.eye(np.shape(g)[-1]), a) - g
    y = product(m, rest, t) if columns <= rows else product(m, t, rest)
    return y / second


def lstsq(m: Any, a: Any, b: Any) -> Any:
    """The x with the least norm of a x - b."""
    return product(m, pinv(m, a), b)


# ---- factors


def qr(m: Any, a: Any, *, part: str) -> Any:
    """Orthonormal columns, or the triangle with them, whose diagonal is positive.

    By the modified method of Gram and Schmidt. Libraries solve with R for what goes
    back, so that a column which receives almost nothing has the roundings of what is
    solved for. `_solved_back` says so.
    """
    a = backward_stable(m, a)
    found: list[Any] = []
    for j in range(min(np.shape(a)[-2:])):
        v = m.take(a, axis=(-1,), index=(j,))
        for q in found:
            v = v - q * m.sum(q * v, axis=(-2,), keepdims=True)
        size = m.sqrt(m.sum(v * v, axis=(-2,), keepdims=True))
        found.append(v / size)
    whole = _solved_back(m, beside(m, found), a)
    if part == "q":
        return whole
    # a tangent is a product of full matrices: its zeros are off by their rounding
    return m.moved_back(masked(m, product(m, swapped(m, whole), a), upper=True))


def _solved_back(m: Any, q: Any, a: Any) -> Any:
    """q, of which each column of a receives roundings of the cotangent times 1/R.

    A zero is added to it: the columns less themselves, times the inverse of R. What is
    passed back to both cancels but for its rounding.
    """
    first = [m.take(a, axis=(-1,), index=(j,)) for j in range(np.shape(q)[-1])]
    r = masked(m, product(m, swapped(m, q), beside(m, first)), upper=True)
    nothing = beside(m, [column - column for column in first])
    return q + product(m, nothing, inverted(m, r))


def lu(m: Any, a: Any, *, part: str, order: Sequence[int]) -> Any:
    """The lower or the upper factor of the rows in that order."""
    zero = array_of(m, 0.0, a)
    rest = m.take(backward_stable(m, a), axis=(-2,), index=tuple(order))
    rows, columns = np.shape(a)[-2:]
    left, right = [], []
    for k in range(min(rows, columns)):
        row = m.take(rest, axis=(-2,), index=(k,))
        pivot = m.take(row, axis=(-1,), index=(k,))
        row = m.where(np.arange(columns) >= k, row, zero)
        column = m.take(rest, axis=(-1,), index=(k,)) / pivot
        column = m.where((np.arange(rows) > k)[:, None], column, zero)
        rest = rest - column * row
        left.append(column + array_of(m, np.eye(rows)[:, k : k + 1], a))
        right.append(swapped(m, row))
    if part == "l":
        return beside(m, left)
    return swapped(m, beside(m, right))


# ---- powers


def matrix_power(m: Any, a: Any, *, n: int) -> Any:
    """A product of as many equal matrices, or of their inverses."""
    if n == 0:
        return 0.0 * a + array_of(m, np.eye(np.shape(a)[-1]), a)
    a = inverted(m, backward_stable(m, a)) if n < 0 else a
    result = a
    for _ in range(abs(n) - 1):
        result = product(m, result, a)
    return result


SERIES = 4096.0
HALVINGS, TERMS = 6, 22
"""A matrix with row sums up to 16, over 64, leaves less than 1e-36 after 22 terms."""


def matrix_exp(m: Any, a: Any) -> Any:
    """The exponential series of the matrix over 64, squared six times.

    Libraries take fewer steps for a smaller matrix, but no more than these. A usual
    quotient of polynomials (Higham, 2005) is off by 2,500 roundings in SciPy where the
    row sums are 8, which `SERIES` lets pass as digits that are lost.
    """
    a = m.slack_back(backward_stable(m, a), constant(m, SERIES))
    small = a * 2.0**-HALVINGS
    one = array_of(m, np.eye(np.shape(a)[-1]), a)
    total = one + small * (1.0 / TERMS)
    for k in range(TERMS - 1, 0, -1):
        total = one + product(m, small, total) / float(k)
    for _ in range(HALVINGS):
        total = product(m, total, total)
    return m.slack(total, SERIES * largest_entry(m, total))


# ---- eigenvalues and singular values


def shifted(m: Any, a: Any, x: Any) -> Any:
    """The matrix less each of some numbers: (…, n, n) and (…, k) to (…, k, n, n)."""
    *batch, n, _ = np.shape(a)
    whole = m.reshape(a, shape=(*batch, 1, n, n))
    return whole - numbers(m, x) * array_of(m, np.eye(n), a)


def trace_of(m: Any, a: Any) -> Any:
    """The sum of the main diagonal of every matrix."""
    return m.sum(picked(m, a, diagonal_places(np.shape(a)[-2:], 0)), axis=(-1,))


def refined(m: Any, a: Any, known: Any) -> Any:
    """Simple eigenvalues as functions of the matrix.

    What is known has no derivative. Two steps of Newton for det(a - x) change nothing
    in its value, and give it derivatives that are right up to the third order.
    """
    x = known
    for _ in range(2):
        rest = shifted(m, a, x)
        x = x + leibniz_sum(m, rest) / trace_of(m, adjugate(m, rest))
    return x


def projector(m: Any, a: Any, x: Any) -> Any:
    """The projector of one simple eigenvalue: the adjugate of a - x is of rank one."""
    rest = adjugate(m, shifted(m, a, x))
    return m.reshape(rest / numbers(m, trace_of(m, rest)), shape=np.shape(a))


def symmetric(m: Any, a: Any) -> Any:
    """The symmetric part, off by what a stable algorithm may move it by."""
    return backward_stable(m, 0.5 * (a + swapped(m, a)))


def eigvals(m: Any, a: Any) -> Any:
    """Real eigenvalues, the smallest first."""
    a = backward_stable(m, a)
    return refined(m, a, m.eigenvalues(a))


def eigvalsh(m: Any, a: Any) -> Any:
    """The eigenvalues of the symmetric part, the smallest first."""
    a = symmetric(m, a)
    return refined(m, a, m.eigenvalues(a))


def eigh(m: Any, a: Any, *, k: int) -> Any:
    """The projector onto the k-th eigenvector of the symmetric part."""
    a = symmetric(m, a)
    known = m.take(m.eigenvalues(a), axis=(-1,), index=(k,))
    return projector(m, a, refined(m, a, known))


def gram(m: Any, a: Any) -> Any:
    """The product with the transpose, by the shorter side."""
    rows, columns = np.shape(a)[-2:]
    t = swapped(m, a)
    return product(m, t, a) if columns <= rows else product(m, a, t)


def svdvals(m: Any, a: Any) -> Any:
    """The singular values, the largest first: roots of the eigenvalues of a Gram
    matrix.
    """
    g = gram(m, backward_stable(m, a))
    n = np.shape(g)[-1]
    squares = refined(m, g, m.eigenvalues(g))
    return m.sqrt(m.take(squares, axis=(-1,), index=tuple(reversed(range(n)))))


def svd(m: Any, a: Any, *, k: int) -> Any:
    """The k-th singular vectors as the matrix u v.T, in which their signs cancel."""
    a = backward_stable(m, a)
    g = gram(m, a)
    n = np.shape(g)[-1]
    known = m.take(m.eigenvalues(g), axis=(-1,), index=(n - 1 - k,))
    square = refined(m, g, known)
    root, one = numbers(m, m.sqrt(square), 1), projector(m, g, square)
    rows, columns = np.shape(a)[-2:]
    whole = product(m, a, one) if columns <= rows else product(m, one, a)
    return whole / root


# ---- norms and distances


def vector_norm(
    m: Any, x: Any, *, ord: str, axis: Axis = None, keepdims: bool = False
) -> Any:
    """The norm of that order; that of order 0 counts what is not 0."""
    size = m.abs(x)
    if ord == "inf":
        return largest(m, size, axis=axis, keepdims=keepdims)
    if ord == "-inf":
        return smallest(m, size, axis=axis, keepdims=keepdims)
    p = float(ord)
    if p == 0.0:
        return m.sum(1.0 - at_zero(m, size), axis=axis, keepdims=keepdims)
    if p == 1.0:
        return m.sum(size, axis=axis, keepdims=keepdims)
    if p == 2.0:
        return norm(m, x, axis=axis, keepdims=keepdims)
    top = m.peak(size, axis=axis, keepdims=keepdims)
    y = size / filled(m, m.peak(size, axis=axis, keepdims=True))
    total = m.sum(m.power(y, n=p), axis=axis, keepdims=keepdims)
    # 1 / p may be no float, and then the norm would depend on what it is scaled by.
    # Libraries that do not scale have that rounding in the power of the whole sum.
    logarithm = m.log(filled(m, total)) / p
    whole = m.abs(m.log(filled(m, top))) + m.abs(logarithm)
    return top * m.exp(m.slack(logarithm, whole))


def matrix_norm(m: Any, a: Any, *, ord: str, keepdims: bool) -> Any:
    """The norm of the matrices along the last two axes."""
    if ord == "fro":
        y = norm(m, a, axis=(-2, -1))
    elif ord in ("1", "-1", "inf", "-inf"):
        over = -2 if ord in ("1", "-1") else -1
        sums = m.sum(m.abs(a), axis=(over,))
        fold = smallest if ord.startswith("-") else largest
        y = fold(m, sums, axis=(-1,))
    else:
        y = of_two_sizes(m, backward_stable(m, a), ord)
    return numbers(m, y) if keepdims else y


def of_two_sizes(m: Any, a: Any, ord: str) -> Any:
    """The sum of two singular values, the larger one, or the smaller one.

    Their product is the size of the determinant, and the squares of their sum and of
    their difference are the sum of all squares, plus and minus twice that.
    """
    total = m.sum(a * a, axis=(-2, -1))
    if np.shape(a)[-1] == np.shape(a)[-2]:
        both = m.abs(leibniz_sum(m, a))
    else:
        both = m.sqrt(leibniz_sum(m, gram(m, a)))
    plus = m.sqrt(total + 2.0 * both)
    if ord == "nuc":
        return plus
    larger = 0.5 * (plus + m.sqrt(total - 2.0 * both))
    return larger if ord == "2" else both / larger


def length(m: Any, x: Any, axis: Axis) -> Any:
    """The norm of vectors along an axis, which is kept; of zeros it is flat."""
    none = at_zero(m, m.peak(m.abs(x), axis=axis, keepdims=True))
    return norm(m, x + none, axis=axis, keepdims=True) * (1.0 - none)


def normalize(m: Any, x: Any, *, p: float, axis: Axis, eps: float) -> Any:
    """x over its norm, or over eps where the norm is less."""
    return x / m.maximum(_size(m, x, p, axis), array_of(m, eps, x))


def _size(m: Any, x: Any, p: float, axis: Axis) -> Any:
    """The norm of vectors along axes, which are kept; of order 2 it is flat at 0."""
    if p == 2.0:
        return length(m, x, axis)
    return vector_norm(m, x, ord=str(p), axis=axis, keepdims=True)


ADDED = 1e-7


def renorm(m: Any, x: Any, *, p: float, axis: Axis, most: float) -> Any:
    """Slices along an axis, scaled down where their norm is above the largest allowed.

    As PyTorch has it: 1e-7 is added to the norm that is divided by, so that there is a
    jump where the norm is the largest allowed.
    """
    (at,) = one_axis(np.shape(x), axis)
    others = tuple(k for k in range(-np.ndim(x), 0) if k != at)
    size = _size(m, x, p, others)
    return x * (m.jump(size - most) * (most / (size + ADDED)) + m.jump(most - size))


def cosine_similarity(m: Any, a: Any, b: Any, *, axis: Axis, eps: float) -> Any:
    """The product of two normalized vectors; no norm counts as less than eps."""
    left = m.maximum(length(m, a, axis), array_of(m, eps, a))
    right = m.maximum(length(m, b, axis), array_of(m, eps, a))
    return m.sum((a / left) * (b / right), axis=axis)


def cov(m: Any, x: Any, *, ddof: int) -> Any:
    """The covariances of the rows."""
    middle = mean(m, x, axis=(-1,), keepdims=True)
    rest = x - middle
    return product(m, rest, swapped(m, rest)) / float(np.shape(x)[-1] - ddof)


def cdist(m: Any, a: Any, b: Any, *, p: float) -> Any:
    """The distance of every row of a from every row of b."""
    *batch, rows, width = np.shape(a)
    others = np.shape(b)[-2]
    left = m.reshape(a, shape=(*batch, rows, 1, width))
    right = m.reshape(b, shape=(*batch, 1, others, width))
    return vector_norm(m, left - right, ord=str(p), axis=(-1,))


def pdist(m: Any, x: Any, *, p: float) -> Any:
    """The distances of all pairs of rows."""
    pairs = list(itertools.combinations(range(np.shape(x)[-2]), 2))
    first, second = (tuple(pair[i] for pair in pairs) for i in (0, 1))
    rest = m.take(x, axis=(-2,), index=first) - m.take(x, axis=(-2,), index=second)
    return vector_norm(m, rest, ord=str(p), axis=(-1,))
