"""What PyTorch is set to while it is asked; then as the host had it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def settings() -> Iterator[None]:
    """Gradients on, whatever the host has set, one thread, no TF32; then as before.

    One, since several processes with a thread for each core slow one another down.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _full_precision(), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)


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
