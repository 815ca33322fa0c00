"""autograd's linear algebra: NumPy's spelling, and what autograd lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradverify.differentiators.composed import numpy_linear_algebra as composed


def diagonal(np: Any, x: Any, offset: int, axes: tuple[int, int]) -> Any:
    """The gradient of np.diagonal is there for the main diagonal of the last axes."""
    if offset == 0 and axes == (-1, -2):
        return np.diagonal(x, 0, *axes)
    last = [k % x.ndim for k in axes]
    x = np.transpose(x, (*(k for k in range(x.ndim) if k not in last), *last))
    rows = [k for k in range(x.shape[-2]) if 0 <= k + offset < x.shape[-1]]
    return x[..., np.array(rows), np.array(rows) + offset]


FUNCTIONS: Mapping[str, Callable[..., object] | str] = {
    **composed.FUNCTIONS,
    "diagonal": diagonal,
}
