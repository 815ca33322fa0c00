"""autograd's functions that choose, put and move entries, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

Sizes = Sequence[int]


def _at(shape: Any, axis: int, index: Sizes) -> Any:
    where = list(numpy.indices(shape))
    where[axis] = numpy.reshape(index, shape)
    return tuple(where)


def gather(x: Any, axis: Sizes, index: Sizes) -> Any:
    shape = list(x.shape)
    shape[axis[0]] = len(index) * shape[axis[0]] // x.size
    return x[_at(shape, axis[0], index)]


def index_select(x: Any, axis: Sizes, index: Sizes) -> Any:
    place = axis[0] % x.ndim
    return x[(*(slice(None),) * place, numpy.array(index))]


def masked_fill(x: Any, mask: Any, value: float) -> Any:
    import autograd.numpy as anp

    wide = numpy.broadcast_to(mask, x.shape)
    return anp.where(wide, numpy.full(x.shape, value, x.dtype), x)


def masked_select(x: Any, chosen: Sizes) -> Any:
    return x[numpy.reshape(chosen, x.shape) == 1]


def diff(x: Any, n: int, axis: Sizes) -> Any:
    import autograd.numpy as anp

    return anp.diff(x, n, axis[0])


def roll(x: Any, shift: int, axis: Sizes) -> Any:
    import autograd.numpy as anp

    return anp.roll(x, shift, axis[0])


def rot90(x: Any, k: int) -> Any:
    import autograd.numpy as anp

    return anp.rot90(x, k)


def repeat(x: Any, repeats: int, axis: Sizes) -> Any:
    import autograd.numpy as anp

    # its gradient takes an axis that counts from the last for another one
    return anp.repeat(x, repeats, axis[0] % x.ndim)


def tile(x: Any, reps: Sizes) -> Any:
    import autograd.numpy as anp

    return anp.tile(x, tuple(reps))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        gather, index_select, masked_fill, masked_select, diff, roll, rot90, repeat,
        tile,
    )
}  # fmt: skip

UNASSIGNED = "autograd's arrays cannot be assigned to"
NO_RULE = "autograd.numpy has no derivative of it along an axis"

# fmt: off
ABSENT: Mapping[str, str] = {
    **dict.fromkeys(("scatter", "scatter_add", "scatter_reduce"), UNASSIGNED),
    **dict.fromkeys(("index_add", "index_put"), UNASSIGNED),
    **dict.fromkeys(("cumprod", "logcumsumexp", "flip"), NO_RULE),
    **dict.fromkeys(("segment_reduce", "pad_axis"), NO_RULE),
}
# fmt: on
