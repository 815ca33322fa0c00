"""Shape rules of linear algebra: operand shapes and params in, result shape out."""

from __future__ import annotations

import math
from typing import Any

from gradverify.ops.checks import check_truth
from gradverify.ops.shapes import Shape, elementwise, one_axis

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
