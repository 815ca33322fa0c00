"""What PyTorch is set to while it is asked; then as the host had it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradverify.surroundings import built_in

# What PyTorch says, beside NotImplementedError, where it has no such rule for an op.
NO_RULE = ("Batching rule not implemented",)


@contextmanager
def settings() -> Iterator[None]:
    """PyTorch's defaults, gradients on, one thread, no TF32; then as before.

    Raises `NotImplementedError` where PyTorch says that it has no rule for an op.
    """
    import torch

    with torch.inference_mode(False), built_in("torch"), _full_precision():
        try:
            yield
        except RuntimeError as error:
            if any(words in str(error) for words in NO_RULE):
                raise NotImplementedError(str(error)) from error
            raise


@contextmanager
def _full_precision() -> Iterator[None]:
    """Products of float32 matrices without TF32 or bfloat16; then as before."""
    import torch

    backends: Any = torch.backends
    if not hasattr(backends.cuda.matmul, "fp32_precision"):  # before PyTorch 2.9
        precision = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(precision)
        return
    places = (backends.cuda.matmul, backends.mkldnn.matmul)
    before = [place.fp32_precision for place in places]
    try:
        for place in places:
            place.fp32_precision = "ieee"
        yield
    finally:
        for place, precision in zip(places, before, strict=True):
            place.fp32_precision = precision
