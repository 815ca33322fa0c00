"""What the program that was read of a function computes, beside the function."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradverify.capture.captured import contracted
from gradverify.graph import Case
from gradverify.reference import value_alone


def values(call: Any) -> tuple[Any, Any, float]:
    """A weighted sum of outputs: the program's and its bound, and the function's."""
    point = tuple(a.value for a in call.arguments)
    outputs = call.outputs(point)
    weights = [np.arange(1.0, y.size + 1.0).reshape(y.shape) for y in outputs]
    graph = contracted(call.capture(point), weights).graph
    value, bound = value_alone(Case(graph, point, "float64")) or (None, None)
    right = sum(float(np.sum(y * w)) for y, w in zip(outputs, weights, strict=True))
    return value, bound, right
