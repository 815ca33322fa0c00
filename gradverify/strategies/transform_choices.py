"""Transforms: which shapes their operands may have, and which params are legal.

A complex operand has its parts along a last axis of length 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape

REAL: tuple[tuple[Shape, ...], ...] = (
    ((2,),), ((3,),), ((4,),), ((2, 3),), ((1,),), ((5,),), ((3, 2),),
)  # fmt: skip
COMPLEX = tuple(((*shape, 2),) for (shape,) in REAL)
HALVES: tuple[tuple[Shape, ...], ...] = (
    ((2, 2),), ((3, 2),), ((2, 3, 2),), ((4, 2),), ((3, 2, 2),),
)  # fmt: skip
PLANES: tuple[tuple[Shape, ...], ...] = (
    ((2, 2, 2),), ((2, 3, 2),), ((3, 2, 2),), ((2, 1, 2, 2),),
)  # fmt: skip

# fmt: off
TRANSFORM_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = {
    **dict.fromkeys(("fft", "ifft"), COMPLEX),
    **dict.fromkeys(("rfft", "ihfft", "dct", "idct"), REAL),
    **dict.fromkeys(("irfft", "hfft"), HALVES),
    **dict.fromkeys(("fft2", "ifft2", "irfft2", "hfft2"), PLANES),
    "rfft2": (((2, 2),), ((2, 3),), ((3, 2),), ((2, 1, 2),)),
}
# fmt: on


def _axes(shape: Shape) -> Iterable[Any]:
    del shape
    yield from ((-1,), (0,), (-2,), (1,))


def _two_axes(shape: Shape) -> Iterable[Any]:
    del shape
    yield from ((-2, -1), (-1, -2), (0, -1), (0, 1))


TRANSFORM_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "norm": lambda shape: ("backward", "ortho", "forward"),
    "length": lambda shape: (None, 2, 3, 4, 5),
    "lengths": lambda shape: (None, (2, 2), (3, 2), (2, 3)),
    **{f"{op}.axis": _axes for op in TRANSFORM_SHAPES},
    **{f"{op}.axes": _two_axes for op in TRANSFORM_SHAPES},
}
