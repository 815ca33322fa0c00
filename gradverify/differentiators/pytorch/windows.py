"""PyTorch's own functions for further convolutions and poolings, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Sizes = Any  # tuples of whole numbers, of the length that the function asks for


def conv3d(x: Any, w: Any, b: Any, **params: Any) -> Any:
    from torch.nn import functional

    return functional.conv3d(x, w, b, **params)


def conv_transpose1d(x: Any, w: Any, b: Any, **params: Any) -> Any:
    from torch.nn import functional

    return functional.conv_transpose1d(x, w, b, **params)


def conv_transpose2d(x: Any, w: Any, b: Any, **params: Any) -> Any:
    from torch.nn import functional

    return functional.conv_transpose2d(x, w, b, **params)


def conv_transpose3d(x: Any, w: Any, b: Any, **params: Any) -> Any:
    from torch.nn import functional

    return functional.conv_transpose3d(x, w, b, **params)


def max_pool3d(x: Any, kernel: Sizes, **params: Any) -> Any:
    from torch.nn import functional

    return functional.max_pool3d(x, kernel, **params)


def avg_pool3d(x: Any, kernel: Sizes, **params: Any) -> Any:
    from torch.nn import functional

    return functional.avg_pool3d(x, kernel, **params)


def adaptive_avg_pool1d(x: Any, size: Sizes) -> Any:
    from torch.nn import functional

    return functional.adaptive_avg_pool1d(x, size)


def adaptive_avg_pool2d(x: Any, size: Sizes) -> Any:
    from torch.nn import functional

    return functional.adaptive_avg_pool2d(x, size)


def adaptive_avg_pool3d(x: Any, size: Sizes) -> Any:
    from torch.nn import functional

    return functional.adaptive_avg_pool3d(x, size)


def adaptive_max_pool1d(x: Any, size: Sizes) -> Any:
    from torch.nn import functional

    return functional.adaptive_max_pool1d(x, size)


def adaptive_max_pool2d(x: Any, size: Sizes) -> Any:
    from torch.nn import functional

    return functional.adaptive_max_pool2d(x, size)


def adaptive_max_pool3d(x: Any, size: Sizes) -> Any:
    from torch.nn import functional

    return functional.adaptive_max_pool3d(x, size)


def lp_pool1d(x: Any, p: float, kernel: Sizes, stride: Sizes) -> Any:
    from torch.nn import functional

    return functional.lp_pool1d(x, p, kernel[0], stride[0])


def lp_pool2d(x: Any, p: float, kernel: Sizes, stride: Sizes) -> Any:
    from torch.nn import functional

    return functional.lp_pool2d(x, p, kernel, stride)


def fractional_max_pool2d(
    x: Any, kernel: Sizes, size: Sizes, samples: Sequence[float]
) -> Any:
    import torch
    from torch.nn import functional

    given = torch.tensor(samples, dtype=x.dtype, device=x.device)
    given = given.reshape(*x.shape[:2], 2)
    return functional.fractional_max_pool2d(x, kernel, size, _random_samples=given)


def max_unpool1d(x: Any, index: Sizes, kernel: Sizes, stride: Sizes) -> Any:
    import torch
    from torch.nn import functional

    places = torch.tensor(index, device=x.device).reshape(x.shape)
    return functional.max_unpool1d(x, places, kernel, stride)


def max_unpool2d(x: Any, index: Sizes, kernel: Sizes, stride: Sizes) -> Any:
    import torch
    from torch.nn import functional

    places = torch.tensor(index, device=x.device).reshape(x.shape)
    return functional.max_unpool2d(x, places, kernel, stride)


def unfold(
    x: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Any:
    from torch.nn import functional

    return functional.unfold(x, kernel, dilation, padding, stride)


def fold(
    x: Any,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    from torch.nn import functional

    return functional.fold(x, size, kernel, dilation, padding, stride)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d, max_pool3d,
        avg_pool3d, adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d,
        adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d, lp_pool1d,
        lp_pool2d, fractional_max_pool2d, max_unpool1d, max_unpool2d, unfold, fold,
    )
}  # fmt: skip
