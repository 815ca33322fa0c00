"""Shape rules of linear algebra: operand shapes and params in, result shape out."""

from __future__ import annotations

import math
from typing import Any

from gradverify.ops.checks import check_above, check_eps, check_truth
from gradverify.ops.shapes import (
    Shape,
    along,
    elementwise,
    norm,
    one_axis,
    reduction,
)

LARGEST = 4  # rows of a square matrix: a determinant is a sum of 24 products then


def square(shape: Shape) -> Shape:
    """The shape itself, if it is that of square matrices that are written out."""
    if len(shape) < 2 or shape[-1] != shape[-2] or 0 in shape or shape[-1] > LARGEST:
        raise ValueError(
            f"shape {shape} is not that of square matrices; allowed is (…, n, n) with "
            f"n up to {LARGEST}"
        )
    return shape


def matrices(shape: Shape) -> Shape:
    """The shape itself, if it is that of matrices, none of them empty."""
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"shape {shape}; allowed is (…, rows, columns), not empty")
    return shape


def number_of_matrix(shape: Shape) -> Shape:
    """A number for every square matrix."""
    return square(shape)[:-2]


# ---- entries that are chosen


def _check_offset(offset: Any, rows: int, columns: int) -> None:
    if type(offset) is not int or not -rows < offset < columns:
        raise ValueError(
            f"offset={offset!r} names no diagonal of {rows} rows and {columns} "
            f"columns; allowed are whole numbers from {1 - rows} to {columns - 1}"
        )


def diagonal_length(rows: int, columns: int, offset: int) -> int:
    """How many entries a diagonal has, `offset` places right of the main one."""
    return min(rows, columns - offset) if offset > 0 else min(rows + offset, columns)


def trace(shape: Shape, *, offset: int) -> Shape:
    """A matrix to the sum of a diagonal."""
    if len(matrices(shape)) != 2:
        raise ValueError(f"shape {shape}; allowed is one matrix")
    _check_offset(offset, *shape)
    return ()


def diag(shape: Shape, *, offset: int) -> Shape:
    """A matrix to its diagonal, a vector to the matrix with that diagonal."""
    if len(shape) == 1 and shape[0]:
        if type(offset) is not int or abs(offset) > LARGEST:
            raise ValueError(f"offset={offset!r}; allowed are whole numbers to 4")
        n = shape[0] + abs(offset)
        return (n, n)
    if len(matrices(shape)) != 2:
        raise ValueError(f"shape {shape}; allowed are a vector and a matrix")
    rows, columns = shape
    _check_offset(offset, rows, columns)
    return (diagonal_length(rows, columns, offset),)


def diagonal(shape: Shape, *, offset: int, axes: tuple[int, int]) -> Shape:
    """The diagonals of the matrices along two axes, along a new last axis."""
    if type(axes) is not tuple or len({a % max(len(shape), 1) for a in axes}) != 2:
        raise ValueError(f"axes={axes!r}; allowed are two different axes")
    if not all(-len(shape) <= a < len(shape) for a in axes) or 0 in shape:
        raise ValueError(f"axes={axes!r} do not fit shape {shape}")
    rows, columns = (shape[a] for a in axes)
    _check_offset(offset, rows, columns)
    gone = {a % len(shape) for a in axes}
    rest = tuple(n for i, n in enumerate(shape) if i not in gone)
    return (*rest, diagonal_length(rows, columns, offset))


def triangle(shape: Shape, *, offset: int) -> Shape:
    """The shape of the matrices; the offset is of the last diagonal that is kept."""
    _check_offset(offset, *matrices(shape)[-2:])
    return shape


# ---- products


def kron(a: Shape, b: Shape) -> Shape:
    """Two matrices to the matrix of all products."""
    if len(a) != 2 or len(b) != 2 or 0 in (*a, *b):
        raise ValueError(f"shapes {a} and {b}; allowed are two matrices, not empty")
    return (a[0] * b[0], a[1] * b[1])


def outer(a: Shape, b: Shape) -> Shape:
    """Two vectors to the matrix of their products."""
    if len(a) != 1 or len(b) != 1 or 0 in (*a, *b):
        raise ValueError(f"shapes {a} and {b}; allowed are two vectors, not empty")
    return (*a, *b)


def cross(a: Shape, b: Shape, *, axis: Any) -> Shape:
    """Vectors of three entries along one axis; other axes may broadcast."""
    if len(a) != len(b):
        raise ValueError(f"shapes {a} and {b}; allowed are two of one rank")
    (at,) = one_axis(a, axis)
    if a[at] != 3 or b[at] != 3 or not math.prod(a) * math.prod(b):
        raise ValueError(f"shapes {a} and {b} do not have 3 entries along axis={axis}")
    return elementwise(a, b)


# ---- systems


def solve(a: Shape, b: Shape, *, left: bool, **params: bool) -> Shape:
    """Square matrices and right sides of as many rows; or columns, if not left."""
    for name, value in {"left": left, **params}.items():
        check_truth(name, value)
    n = square(a)[-1]
    if len(a) == 2 and b == (n,) and left and not params:
        return b
    at = -2 if left else -1
    if len(b) != len(a) or b[:-2] != a[:-2] or b[at] != n or 0 in b:
        raise ValueError(
            f"shapes {a} and {b} make no system with left={left}; allowed are square "
            "matrices and right sides of the same batch"
        )
    return b


def positive_definite(shape: Shape, *, upper: bool) -> Shape:
    """The shape of square matrices."""
    check_truth("upper", upper)
    return square(shape)


def cholesky_solve(b: Shape, a: Shape, *, upper: bool) -> Shape:
    """Right sides, and square matrices whose triangle is a Cholesky factor."""
    check_truth("upper", upper)
    return solve(a, b, left=True, upper=upper)


def least_squares(a: Shape, b: Shape) -> Shape:
    """Tall matrices, and right sides of as many rows."""
    *batch, rows, columns = matrices(a)
    if len(b) != len(a) or b[:-1] != (*batch, rows) or rows < columns or 0 in b:
        raise ValueError(f"shapes {a} and {b}; allowed are tall matrices and rows")
    return (*batch, columns, b[-1])


def pinv(shape: Shape) -> Shape:
    """Matrices to matrices of the transposed shape."""
    *batch, rows, columns = matrices(shape)
    return (*batch, columns, rows)


def pinv_singular(a: Shape, b: Shape) -> Shape:
    """Tall matrices and wide ones, of one or two columns and as many rows."""
    *batch, rows, rank = matrices(a)
    *other, inner, columns = matrices(b)
    if batch != other or inner != rank or rank > min(2, rows, columns):
        raise ValueError(
            f"shapes {a} and {b}; allowed are (…, rows, rank) and (…, rank, columns) "
            "of rank 1 or 2"
        )
    return (*batch, columns, rows)


# ---- factors

QR_PARTS = ("q", "r")
LU_PARTS = ("l", "u")


def qr(shape: Shape, *, part: str) -> Shape:
    """The shape of one of the two factors."""
    *batch, rows, columns = matrices(shape)
    if part not in QR_PARTS:
        raise ValueError(f"part={part!r}; allowed are {QR_PARTS}")
    least = min(rows, columns)
    return (*batch, rows, least) if part == "q" else (*batch, least, columns)


def lu(shape: Shape, *, part: str, order: tuple[int, ...]) -> Shape:
    """The shape of a factor; the order of the rows must be one of them."""
    *batch, rows, columns = matrices(shape)
    if part not in LU_PARTS:
        raise ValueError(f"part={part!r}; allowed are {LU_PARTS}")
    if type(order) is not tuple or sorted(order) != list(range(rows)):
        raise ValueError(f"order={order!r} is no order of {rows} rows")
    least = min(rows, columns)
    return (*batch, rows, least) if part == "l" else (*batch, least, columns)


# ---- powers


def matrix_power(shape: Shape, *, n: int) -> Shape:
    """The shape of the square matrices."""
    if type(n) is not int or abs(n) > 8:
        raise ValueError(f"n={n!r}; allowed are whole numbers from -8 to 8")
    return square(shape)


# ---- eigenvalues and singular values


def eigenvalues(shape: Shape) -> Shape:
    """As many numbers as a square matrix has rows."""
    return square(shape)[:-1]


def _check_place(k: Any, count: int) -> None:
    if type(k) is not int or not 0 <= k < count:
        raise ValueError(f"k={k!r}; allowed are whole numbers from 0 to {count - 1}")


def projector(shape: Shape, *, k: int) -> Shape:
    """The shape of the square matrices, for the place of an eigenvalue."""
    _check_place(k, square(shape)[-1])
    return shape


def svdvals(shape: Shape) -> Shape:
    """As many numbers as a matrix has rows or columns, whichever are fewer."""
    *batch, rows, columns = matrices(shape)
    return (*batch, min(rows, columns))


def svd(shape: Shape, *, k: int) -> Shape:
    """The shape of the matrices, for the place of a singular value."""
    _check_place(k, min(matrices(shape)[-2:]))
    return shape


# ---- norms and distances

VECTOR_ORDERS = ("2", "1", "inf", "3", "0.5", "-inf", "0", "1.5", "-1", "-2")
MATRIX_ORDERS = ("fro", "nuc", "2", "1", "inf", "-2", "-1", "-inf")


def vector_norm(shape: Shape, *, ord: str, axis: Any, keepdims: bool) -> Shape:
    """As a reduction over one axis, two, or all."""
    if ord not in VECTOR_ORDERS:
        raise ValueError(f"ord={ord!r}; allowed are {VECTOR_ORDERS}")
    check_truth("keepdims", keepdims)
    return norm(shape, axis=axis, keepdims=keepdims)


def matrix_norm(shape: Shape, *, ord: str, keepdims: bool) -> Shape:
    """A number for every matrix; by singular values for those with two rows or
    columns.
    """
    if ord not in MATRIX_ORDERS:
        raise ValueError(f"ord={ord!r}; allowed are {MATRIX_ORDERS}")
    check_truth("keepdims", keepdims)
    if ord in ("nuc", "2", "-2") and min(matrices(shape)[-2:]) != 2:
        raise ValueError(f"shape {shape}; allowed are two rows or two columns")
    batch = matrices(shape)[:-2]
    return (*batch, 1, 1) if keepdims else batch


def _check_order(p: Any) -> None:
    if type(p) is not float or not p > 0:
        raise ValueError(f"p={p!r}; allowed is a float above 0")


def normalize(shape: Shape, *, p: float, axis: Any, eps: float) -> Shape:
    """The shape of the vectors along one axis."""
    _check_order(p)
    check_eps(eps)
    return along(shape, axis=axis)


def renorm(shape: Shape, *, p: float, axis: Any, most: float) -> Shape:
    """The operand's shape, which has two axes or more."""
    _check_order(p)
    check_above("most", most)
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"shape {shape}; allowed are two axes or more, none empty")
    return along(shape, axis=axis)


def cosine_similarity(a: Shape, b: Shape, *, axis: Any, eps: float) -> Shape:
    """Vectors along one axis to numbers; other axes may broadcast."""
    check_eps(eps)
    if len(a) != len(b):
        raise ValueError(f"shapes {a} and {b}; allowed are two of one rank")
    along(a, axis=axis)
    (at,) = one_axis(a, axis)
    if a[at] != b[at]:
        raise ValueError(f"shapes {a} and {b} have vectors of two lengths")
    return reduction(elementwise(a, b), axis=axis)


def cov(shape: Shape, *, ddof: int) -> Shape:
    """A row for each variable to the matrix of covariances."""
    if len(matrices(shape)) != 2 or type(ddof) is not int:
        raise ValueError(f"shape {shape}, ddof={ddof!r}; allowed are a matrix and 0, 1")
    if ddof not in (0, 1) or shape[1] <= ddof:
        raise ValueError(f"ddof={ddof!r} does not fit {shape[1]} columns")
    return (shape[0], shape[0])


def cdist(a: Shape, b: Shape, *, p: float) -> Shape:
    """Rows of one width to the matrix of their distances."""
    _check_order(p)
    if len(matrices(a)) != len(matrices(b)) or a[:-2] != b[:-2] or a[-1] != b[-1]:
        raise ValueError(f"shapes {a} and {b}; allowed are rows of one width")
    return (*a[:-1], b[-2])


def pdist(shape: Shape, *, p: float) -> Shape:
    """Two rows or more to the distances of all pairs."""
    _check_order(p)
    if len(matrices(shape)) != 2 or shape[0] < 2:
        raise ValueError(f"shape {shape}; allowed is a matrix of two rows or more")
    return (shape[0] * (shape[0] - 1) // 2,)
