"""Activations composed of a library's functions, for a library that has none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gradverify.differentiators.protocol import Rows
from gradverify.ops.functions import LEAK

Function = Callable[..., Any]


def activations(np: Any, sigmoid: Function, erf: Function) -> Rows:
    """Rows over two functions, and `np`, a module with functions as NumPy's."""

    def gelu(x: Any, approximate: str) -> Any:
        if approximate == "none":
            return 0.5 * x * (1.0 + erf(x / math.sqrt(2.0)))
        bent = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1.0 + np.tanh(bent))

    return {
        "rsqrt": lambda x: 1.0 / np.sqrt(x),
        "log_sigmoid": lambda x: -np.logaddexp(0.0, -x),
        "leaky_relu": lambda x: np.where(x > 0, x, LEAK * x),
        "elu": lambda x: np.maximum(x, 0.0) + np.expm1(np.minimum(x, 0.0)),
        "silu": lambda x: x * sigmoid(x),
        "gelu": gelu,
    }
