"""JAX over jax.numpy, compiled, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, final

from gradverify.differentiators.installed import installed
from gradverify.differentiators.jax_numpy.modes import JaxModes
from gradverify.differentiators.jax_numpy.settings import settings
from gradverify.differentiators.jax_numpy.spelling import JAX
from gradverify.differentiators.jax_numpy.table import rows
from gradverify.differentiators.protocol import Accepts, Rows, tried
from gradverify.differentiators.spelling import Spelling


@final
class Jax(JaxModes):
    """jax.numpy, jax.nn and jax.scipy.special."""

    name = "jax"
    # XLA runs with denormals-are-zero on the CPU, as JAX's manual says.
    accepts = Accepts(dtypes=("float64", "float32"), subnormals=False)

    @cached_property
    def table(self) -> Rows:
        """The library's functions; it is imported here."""
        return rows()

    def available(self) -> str | None:
        """None, or why JAX cannot run here."""

        def attempt() -> Any:
            import jax

            with settings("float64"):
                return jax.grad(jax.numpy.sin)(0.0)

        return tried("jax", attempt)

    def versions(self) -> Mapping[str, str]:
        """The versions of JAX and of its compiler."""
        return {"jax": installed("jax"), "jaxlib": installed("jaxlib")}

    def spelling(self, mode: str) -> Spelling:
        """jax.numpy as jnp, and the calls of `TAILS`."""
        return JAX
