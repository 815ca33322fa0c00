"""JAX's linear algebra: NumPy's spelling, and what JAX has besides or lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gradverify.differentiators.composed import numpy_linear_algebra as composed

FUNCTIONS: Mapping[str, Callable[..., object] | str] = {**composed.FUNCTIONS}
