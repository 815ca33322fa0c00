"""Convolutions and correlations, written out as sums of products of windows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.array_functions import entry, padded
from gradverify.claims.computation.bindings import Value, symbol
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood

MODES = ("full", "same", "valid")


def correlated(axes: int | None, is_flipped: bool) -> Callable[..., Symbol]:
    """SciPy's `correlate2d`, or where the second array is turned round, `convolve2d`.

    axes: how many arrays must have; None for any number, where the mode must be stated,
    since libraries differ in what they do without one.
    """

    def applied(program: FileProgram, a: Value, b: Value, mode: Value = None) -> Symbol:
        large, small = symbol(program, a), symbol(program, b)
        how = "full" if mode is None and axes is not None else mode
        if how not in MODES:
            raise NotUnderstood(f"a convolution in the mode {mode!r} is not read")
        if len(large.shape) != len(small.shape) or axes not in (None, len(large.shape)):
            raise NotUnderstood("a convolution does not fit: other numbers of axes")
        pairs = zip(large.shape, small.shape, strict=True)
        if how != "full" and any(n < k for n, k in pairs):
            raise NotUnderstood("a convolution does not fit: the second is larger")
        return _sum_of_windows(program, large, small, str(how), is_flipped)

    return applied


def _sum_of_windows(
    program: FileProgram, x: Symbol, kernel: Symbol, how: str, is_flipped: bool
) -> Symbol:
    """Each entry of the kernel times the part of x that it meets, added up."""
    sizes = kernel.shape
    if how != "valid":
        ends = [((k - 1) // 2, k // 2) for k in sizes]
        if is_flipped:
            ends = [(after, before) for before, after in ends]
        if how == "full":
            ends = [(k - 1, k - 1) for k in sizes]
        x = padded(program, x, tuple((Fraction(a), Fraction(b)) for a, b in ends))
    lengths = [n - k + 1 for n, k in zip(x.shape, sizes, strict=True)]
    total: Symbol | None = None
    for at in itertools.product(*map(range, sizes)):
        weight, window = kernel, x
        for axis, (k, size, length) in enumerate(zip(at, sizes, lengths, strict=True)):
            start = size - 1 - k if is_flipped else k
            back = (axis - len(x.shape),)
            window = program.apply(
                "slice", window, axis=back, start=start, stop=start + length
            )
            weight = entry(program.apply, weight, 0, k)
        product = program.apply("mul", window, weight)
        total = product if total is None else program.apply("add", total, product)
    if total is None:
        raise NotUnderstood("a convolution with nothing is not read")
    return total
