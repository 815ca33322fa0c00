"""Functions of libraries that are written by several ops of the table."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.trail import NotUnderstood, Trail
from gradverify.claims.values import Value, numbers, symbol


def axes(value: Value) -> Any:
    """A keyword that names axes, as a tuple of ints; None for all."""
    if value is None:
        return None
    entries = value if isinstance(value, tuple) else (value,)
    return tuple(whole(v) for v in entries)


def whole(value: Value) -> int:
    """A whole number, else `NotUnderstood`."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Fraction) and value.denominator == 1 and abs(value) < 10**6:
        return int(value)
    raise NotUnderstood("a whole number is needed that the file states")


def shape_of(trail: Trail, operands: tuple[Value, ...]) -> tuple[int, ...]:
    """The shape that is given as numbers or as one tuple of them."""
    if len(operands) == 1 and isinstance(operands[0], tuple):
        operands = operands[0]
    return tuple(whole(stated(trail, v)) for v in operands)


def stated(trail: Trail, value: Value) -> Value:
    """The number that a name stands for, where the file states it."""
    if isinstance(value, Symbol) and value.index in trail.leaves:
        leaf = trail.leaves[value.index]
        if leaf.value is not None and leaf.shape == ():
            return leaf.value.item()
    return value


def _mean_or_sum(trail: Trail, x: Symbol, how: Value) -> Symbol:
    if how == "none":
        return x
    if how not in ("mean", "sum"):
        raise NotUnderstood(f"reduction {how!r} is not known")
    return trail.apply(str(how), x, axis=None)


def mse(trail: Trail, a: Value, b: Value, *, reduction: Value = "mean") -> Symbol:
    """The mean squared error."""
    gap = trail.apply("sub", symbol(trail, a), symbol(trail, b))
    return _mean_or_sum(trail, trail.apply("square", gap), reduction)


def l1(trail: Trail, a: Value, b: Value, *, reduction: Value = "mean") -> Symbol:
    """The mean absolute error."""
    gap = trail.apply("sub", symbol(trail, a), symbol(trail, b))
    return _mean_or_sum(trail, trail.apply("abs", gap), reduction)


def bce(trail: Trail, p: Value, t: Value, *, reduction: Value = "mean") -> Symbol:
    """-(t log p + (1 - t) log(1 - p)), its mean."""
    p, t = symbol(trail, p), symbol(trail, t)
    one = trail.constant(Fraction(1))
    hit = trail.apply("mul", t, trail.apply("log", p))
    missed = trail.apply("log", trail.apply("sub", one, p))
    miss = trail.apply("mul", trail.apply("sub", one, t), missed)
    total = trail.apply("neg", trail.apply("add", hit, miss))
    return _mean_or_sum(trail, total, reduction)


def bce_logits(
    trail: Trail, z: Value, t: Value, *, reduction: Value = "mean"
) -> Symbol:
    """softplus(z) - t z, its mean."""
    z, t = symbol(trail, z), symbol(trail, t)
    total = trail.apply("sub", trail.apply("softplus", z), trail.apply("mul", t, z))
    return _mean_or_sum(trail, total, reduction)


def cross_entropy(
    trail: Trail, z: Value, t: Value, *, reduction: Value = "mean"
) -> Symbol:
    """logsumexp(z) - z[t], its mean over rows; t whole numbers that are stated."""
    z = symbol(trail, z)
    leaf = trail.leaves.get(t.index) if isinstance(t, Symbol) else None
    classes = leaf.value if leaf is not None else numbers(t)
    if classes is None:
        raise NotUnderstood("the classes of cross_entropy are not stated as numbers")
    if not 1 <= len(z.shape) <= 2 or classes.shape != z.shape[:-1]:
        raise NotUnderstood("cross_entropy is read of rows of scores, a class each")
    hot = np.full(z.shape, Fraction(0), dtype=object)
    for index in np.ndindex(classes.shape):
        chosen_class = whole(classes[index])
        if not 0 <= chosen_class < z.shape[-1]:
            raise NotUnderstood(f"class {chosen_class} is none of the {z.shape[-1]}")
        hot[(*index, chosen_class)] = Fraction(1)
    chosen = trail.apply("mul", trail.number(hot, is_constant=True), z)
    chosen = trail.apply("sum", chosen, axis=(-1,))
    rows = trail.apply("sub", trail.apply("logsumexp", z, axis=(-1,)), chosen)
    return _mean_or_sum(trail, rows, reduction)


def linear(trail: Trail, x: Value, w: Value, b: Value = None) -> Symbol:
    """x @ w.T + b."""
    x, w = symbol(trail, x), symbol(trail, w)
    y = trail.apply("matmul", x, trail.apply("transpose", w, axes=None))
    return y if b is None else trail.apply("add", y, symbol(trail, b))


def dot(trail: Trail, a: Value, b: Value) -> Symbol:
    """A product of matrices and vectors; of numbers, where one is a number."""
    a, b = symbol(trail, a), symbol(trail, b)
    return trail.apply("mul" if () in (a.shape, b.shape) else "matmul", a, b)


def inner(trail: Trail, a: Value, b: Value) -> Symbol:
    """A product of vectors; that of matrices is along the last axis of both."""
    a, b = symbol(trail, a), symbol(trail, b)
    if max(len(a.shape), len(b.shape)) > 1:
        raise NotUnderstood("inner is read of vectors alone")
    return dot(trail, a, b)


def power(trail: Trail, a: Value, b: Value) -> Symbol:
    """a**b; a stated exponent is a param, since 0**2 is fine and a logarithm is not."""
    n = stated(trail, b)
    if isinstance(n, Fraction) and Fraction(float(n)) == n:
        plain = int(n) if n.denominator == 1 else float(n)
        return trail.apply("power", symbol(trail, a), n=plain)
    return trail.apply("pow", symbol(trail, a), symbol(trail, b))


def clip(trail: Trail, x: Value, low: Value = None, high: Value = None) -> Symbol:
    """x within two numbers."""
    result = symbol(trail, x)
    if low is not None:
        result = trail.apply("maximum", result, symbol(trail, low))
    return (
        result if high is None else trail.apply("minimum", result, symbol(trail, high))
    )


def outer(trail: Trail, a: Value, b: Value) -> Symbol:
    """The products of every entry of a with every entry of b."""
    a, b = symbol(trail, a), symbol(trail, b)
    tall = trail.apply("reshape", a, shape=(int(np.prod(a.shape)), 1))
    return trail.apply(
        "mul", tall, trail.apply("reshape", b, shape=(1, int(np.prod(b.shape))))
    )


def place(trail: Trail, axis: Value, count: int) -> int:
    """An axis of so many, counted from the start."""
    at = whole(stated(trail, axis))
    if isinstance(axis, bool) or not -count <= at < count:
        raise NotUnderstood(f"axis {axis} is none of the {count}")
    return at % count


def transposed(trail: Trail, x: Value, *rest: Value, axes: Value = None) -> Symbol:
    """The axes turned round, or two of them swapped, or all in the order given."""
    x = symbol(trail, x)
    if len(rest) == 2 and axes is None:
        return swapped(trail, x, *rest)
    order = rest if axes is None else (axes, *rest)
    return permuted(trail, x, *order) if order else trail.apply("transpose", x)


def swapped(trail: Trail, x: Value, one: Value, other: Value) -> Symbol:
    """Two axes in each other's place, as in PyTorch's `transpose`."""
    x = symbol(trail, x)
    i, j = (place(trail, axis, len(x.shape)) for axis in (one, other))
    order = [*range(len(x.shape))]
    order[i], order[j] = j, i
    return trail.apply("transpose", x, axes=tuple(order))


def permuted(trail: Trail, x: Value, *axes: Value) -> Symbol:
    """All axes in another order."""
    x = symbol(trail, x)
    if len(axes) == 1 and isinstance(axes[0], tuple):
        axes = axes[0]
    order = tuple(place(trail, axis, len(x.shape)) for axis in axes)
    return trail.apply("transpose", x, axes=order)


def reshaped(trail: Trail, x: Value, *shape: Value) -> Symbol:
    """Another shape, with one -1 at most."""
    x, wanted = symbol(trail, x), shape_of(trail, shape)
    size = int(np.prod(x.shape))
    if -1 in wanted:
        rest = -int(np.prod(wanted))
        wanted = tuple(size // rest if n == -1 and rest else n for n in wanted)
    return trail.apply("reshape", x, shape=wanted)


def flattened(trail: Trail, x: Value) -> Symbol:
    """One axis."""
    return reshaped(trail, x, Fraction(-1))


def squeezed(trail: Trail, x: Value, axis: Value = None) -> Symbol:
    """Without all axes of length 1, or without those named."""
    x = symbol(trail, x)
    if axis is None:
        return trail.apply("reshape", x, shape=tuple(n for n in x.shape if n != 1))
    several = axis if isinstance(axis, tuple) else (axis,)
    gone = {place(trail, a, len(x.shape)) for a in several}
    if any(x.shape[a] != 1 for a in gone):
        raise NotUnderstood(f"squeeze of an axis of {x.shape} that is longer than 1")
    kept = tuple(n for a, n in enumerate(x.shape) if a not in gone)
    return trail.apply("reshape", x, shape=kept)


def unsqueezed(trail: Trail, x: Value, axis: Value) -> Symbol:
    """With an axis of length 1."""
    x = symbol(trail, x)
    at = place(trail, axis, len(x.shape) + 1)
    return trail.apply("reshape", x, shape=(*x.shape[:at], 1, *x.shape[at:]))


def where(trail: Trail, mask: Value, a: Value, b: Value) -> Symbol:
    """a where the mask is 1, b where it is 0."""
    mask = symbol(trail, mask)
    one = trail.constant(Fraction(1))
    left = trail.apply("mul", mask, symbol(trail, a))
    right = trail.apply("mul", trail.apply("sub", one, mask), symbol(trail, b))
    return trail.apply("add", left, right)


def full(trail: Trail, value: int, operands: tuple[Value, ...]) -> Any:
    """An array of one number."""
    shape = shape_of(trail, operands)
    if int(np.prod(shape, dtype=object)) > 10_000:
        raise NotUnderstood("an array of more than 10000 numbers")
    return np.full(shape, Fraction(value), dtype=object)


def eye(trail: Trail, n: Value) -> Any:
    """The identity matrix."""
    size = whole(stated(trail, n))
    if size > 100:
        raise NotUnderstood("an array of more than 10000 numbers")
    return np.vectorize(Fraction, otypes=[object])(np.eye(size, dtype=int))
