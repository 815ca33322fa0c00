"""Arguments that stay symmetric matrices, because an op reads one triangle of them.

PyTorch's `cholesky` and `eigh` read one triangle, and their derivatives are those by a
symmetric matrix. So such a function is looked at where its matrices are symmetric. The
derivative is taken along symmetric directions: what is right there is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from gradverify.capture.captured import NotCaptured
from gradverify.capture.function_call import FunctionCall, Refused
from gradverify.graph import Array


def symmetric_of(call: FunctionCall, point: Sequence[Array]) -> frozenset[int]:
    """The arguments that stay symmetric, by position, for a call at its given point.

    Raises `Refused` if an op reads one triangle of a matrix that is not symmetric.
    """
    with suppress(NotCaptured):
        call.capture(point)
    if call.one_triangle is None:
        return frozenset()
    if call.lopsided:
        raise Refused(
            f"{call.one_triangle} reads one triangle of a matrix that is not "
            "symmetric; hand over a symmetric one"
        )
    return frozenset(k for k, x in enumerate(point) if _is_symmetric(x))


def _is_symmetric(x: Array) -> bool:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2] or x.shape[-1] < 2:
        return False
    room = float(np.finfo(x.dtype).eps) ** 0.5
    return bool(np.allclose(x, np.swapaxes(x, -1, -2), rtol=room, atol=room))


def symmetrized(x: Array) -> Array:
    """The mean of a matrix and its transpose."""
    return ((x + np.swapaxes(x, -1, -2)) / 2).astype(x.dtype)


def kept_symmetric(
    point: Sequence[Array], symmetric: frozenset[int]
) -> tuple[Array, ...]:
    """A point whose arguments at some positions are made symmetric."""
    return tuple(symmetrized(x) if k in symmetric else x for k, x in enumerate(point))
