"""What JAX is set to while it is asked; then as the host had it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module


@contextmanager
def settings(dtype: str) -> Iterator[None]:
    """The CPU, 64 bits for float64 alone, and JAX's defaults; then as before."""
    import jax

    if hasattr(jax, "enable_x64"):
        x64 = jax.enable_x64
    else:  # before JAX 0.8
        x64 = import_module("jax.experimental").enable_x64
    with ExitStack() as stack:
        for setting in (
            x64(dtype == "float64"),
            jax.default_device(jax.devices("cpu")[0]),
            jax.default_matmul_precision("highest"),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            jax.debug_nans(False),
            jax.debug_infs(False),
            jax.disable_jit(False),
            jax.transfer_guard("allow"),
        ):
            stack.enter_context(setting)
        yield
