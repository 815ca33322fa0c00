"""autograd's functions that choose and move entries, and what autograd lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy

from gradverify.differentiators.composed import numpy_indexing as composed
from gradverify.differentiators.composed.numpy_indexing import Sizes, lines, places


def gather(np: Any, x: Any, axis: Sizes, index: Sizes) -> Any:
    return x[places(lines(x, axis[0], index), axis[0], index)]


def index_select(np: Any, x: Any, axis: Sizes, index: Sizes) -> Any:
    place = axis[0] % x.ndim
    return x[(*(slice(None),) * place, numpy.array(index))]


def masked_fill(np: Any, x: Any, mask: Any, value: float) -> Any:
    wide = numpy.broadcast_to(mask, x.shape)
    return np.where(wide, numpy.full(x.shape, value, x.dtype), x)


def repeat(np: Any, x: Any, repeats: int, axis: Sizes) -> Any:
    # its gradient takes an axis that counts from the last for another one
    return np.repeat(x, repeats, axis[0] % x.ndim)


UNASSIGNED = "autograd's arrays cannot be assigned to"
NO_RULE = "autograd.numpy has no derivative of it along an axis"

# fmt: off
FUNCTIONS: Mapping[str, Callable[..., object] | str] = {
    **composed.FUNCTIONS,
    **{f.__name__: f for f in (gather, index_select, masked_fill, repeat)},
    **dict.fromkeys(("scatter", "scatter_add", "scatter_reduce"), UNASSIGNED),
    **dict.fromkeys(("index_add", "index_put"), UNASSIGNED),
    **dict.fromkeys(("take_along_axis", "cumprod", "logcumsumexp", "flip"), NO_RULE),
    **dict.fromkeys(("segment_reduce", "pad_axis"), NO_RULE),
}
# fmt: on
