"""HIPS autograd, over NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, final

import numpy as np

from gradverify.differentiators.hips_autograd.modes import AutogradModes
from gradverify.differentiators.hips_autograd.spelling import AUTOGRAD
from gradverify.differentiators.hips_autograd.table import rows
from gradverify.differentiators.installed import installed
from gradverify.differentiators.protocol import Accepts, Rows, tried
from gradverify.differentiators.spelling import Spelling


@final
class HipsAutograd(AutogradModes):
    """autograd.numpy and autograd.scipy.special; what they lack is composed of them."""

    name = "autograd"
    accepts = Accepts(dtypes=("float64", "float32"), absent_tangents=True)

    @cached_property
    def table(self) -> Rows:
        """The library's functions; it is imported here."""
        return rows()

    def available(self) -> str | None:
        """None, or why autograd cannot run here."""

        def attempt() -> Any:
            import autograd.numpy as anp
            from autograd import grad

            return grad(anp.sin)(0.0)

        return tried("autograd", attempt)

    def versions(self) -> Mapping[str, str]:
        """The versions of autograd and NumPy."""
        return {"autograd": installed("autograd"), "numpy": np.__version__}

    def spelling(self, mode: str) -> Spelling:
        """autograd.numpy as np, and the calls of `TAILS`."""
        return AUTOGRAD
