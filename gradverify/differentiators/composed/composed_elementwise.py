"""Further elementwise ops composed of NumPy's functions, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradverify.differentiators.composed.composed_layers import alike
from gradverify.differentiators.protocol import Rows
from gradverify.differentiators.spelling.source_rows import Row


def composed_elementwise(np: Any) -> Rows:
    """Rows over `np`, a module with functions as NumPy's."""

    def prelu(x: Any, w: Any) -> Any:
        return np.where(x > 0, x, np.reshape(w, weight_shape(x, w)) * x)

    # fmt: off
    return {
        "xlogy":       lambda a, b: a * np.log(like(b, a)),
        "xlog1py":     lambda a, b: a * np.log1p(like(b, a)),
        "entr":        lambda x: -x * np.log(x),
        "softshrink":  lambda x, lambd: np.maximum(x - lambd, 0.0) - np.maximum(-x - lambd, 0.0),  # noqa: E501
        "hardshrink":  lambda x, lambd: np.where(np.abs(x) > lambd, x, 0.0),
        "tanhshrink":  lambda x: x - np.tanh(x),
        "threshold":   lambda x, threshold, value: np.where(x > threshold, x, value),
        "rrelu":       lambda x, least, most: np.where(x > 0, x, (least + most) / 2.0 * x),  # noqa: E501
        "hardsigmoid": lambda x: np.minimum(np.maximum(x + 3.0, 0.0), 6.0) / 6.0,
        "prelu":       prelu,
        "ldexp":       lambda x, exponent: x * 2.0**exponent,
        "copysign":    lambda a, b: a * np.sign(like(a, b)) * np.sign(like(b, a)),
        "fmod":        lambda a, b: a - b * np.trunc(a / b),
        "lerp":        lambda a, b, w: a + w * (b - a),
        "addcmul":     lambda x, a, b, value: x + value * (a * b),
        "addcdiv":     lambda x, a, b, value: x + value * (a / b),
    }
    # fmt: on


def like(x: Any, other: Any) -> Any:
    """x; a Python number gets the dtype of the other operand."""
    return alike(x, other)[0]


def weight_shape(x: Any, w: Any) -> tuple[int, ...]:
    """One weight for each channel, in a shape that broadcasts against x."""
    return (w.shape[0], *(1,) * max(0, x.ndim - 2))


def halves(x: Any, axis: Sequence[int]) -> tuple[Any, Any]:
    """The first and the second half along an axis."""
    at = axis[0] % x.ndim
    before, length = (slice(None),) * at, x.shape[at]
    first = x[(*before, slice(0, length // 2))]
    return first, x[(*before, slice(length // 2, length))]


def spelled_elementwise(m: str) -> Mapping[str, Row]:
    """The same as text; m is the name under which the module is imported."""
    return {
        "xlogy": f"{{0}} * {m}.log({{1}})",
        "xlog1py": f"{{0}} * {m}.log1p({{1}})",
        "entr": f"-{{0}} * {m}.log({{0}})",
        "softshrink": lambda x, lambd: (
            f"{m}.maximum({x} - {lambd}, 0.0) - {m}.maximum(-{x} - {lambd}, 0.0)"
        ),
        "hardshrink": lambda x, lambd: f"{m}.where({m}.abs({x}) > {lambd}, {x}, 0.0)",
        "tanhshrink": f"{{0}} - {m}.tanh({{0}})",
        "threshold": lambda x, threshold, value: (
            f"{m}.where({x} > {threshold}, {x}, {value})"
        ),
        "rrelu": lambda x, least, most: (
            f"{m}.where({x} > 0, {x}, ({least!r} + {most!r}) / 2.0 * {x})"
        ),
        "hardsigmoid": f"{m}.minimum({m}.maximum({{0}} + 3.0, 0.0), 6.0) / 6.0",
        "prelu": (
            f"{m}.where({{0}} > 0, {{0}}, {m}.reshape({{1}}, "
            "({1}.shape[0], *(1,) * max(0, {0}.ndim - 2))) * {0})"
        ),
        "ldexp": lambda x, exponent: f"{x} * 2.0 ** {exponent}",
        "copysign": f"{{0}} * {m}.sign({{0}}) * {m}.sign({{1}})",
        "fmod": f"{{0}} - {{1}} * {m}.trunc({{0}} / {{1}})",
        "lerp": "{0} + {2} * ({1} - {0})",
        "addcmul": lambda x, a, b, value: f"{x} + {value} * ({a} * {b})",
        "addcdiv": lambda x, a, b, value: f"{x} + {value} * ({a} / {b})",
    }
