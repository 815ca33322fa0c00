"""HIPS autograd: reverse mode over NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Rows,
    functions,
    mode,
    operators,
    tried,
)
from gradverify.graph import Array


class HipsAutograd(Differentiator):
    """autograd.numpy and autograd.scipy.special."""

    name = "autograd"
    accepts = Accepts(dtypes=("float64", "float32"))

    @cached_property
    def table(self) -> Rows:
        """The library's functions; it is imported here."""
        import autograd.numpy as anp
        import autograd.scipy.special as special

        # fmt: off
        return {
            **operators("neg add sub mul div pow power matmul"),
            **functions(anp, "exp log sin cos tanh sqrt abs maximum where"),
            **functions(anp, "sum mean"),
            "sigmoid":      special.expit,
            "logsumexp":    special.logsumexp,
            "softplus":     lambda x: anp.logaddexp(0.0, x),
            "relu":         lambda x: anp.maximum(x, 0.0),
            "reshape":      lambda x, shape: anp.reshape(x, shape),
            "transpose":    lambda x, axes=None: anp.transpose(x, axes),
            "broadcast_to": lambda x, shape: anp.broadcast_to(x, shape),
        }
        # fmt: on

    def available(self) -> str | None:
        """None, or why autograd cannot run here."""

        def attempt() -> Any:
            import autograd.numpy as anp
            from autograd import grad

            return grad(anp.sin)(0.0)

        return tried("autograd", attempt)

    def versions(self) -> Mapping[str, str]:
        """The versions of autograd and NumPy."""
        return {"autograd": version("autograd"), "numpy": np.__version__}

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The library's own vector-Jacobian product with cotangent 1."""
        from autograd import make_vjp

        if not point:
            return Pulled(function(), [])
        vjp, value = make_vjp(function, argnum=tuple(range(len(point))))(*point)
        return Pulled(value, list(vjp(np.ones_like(value))))
