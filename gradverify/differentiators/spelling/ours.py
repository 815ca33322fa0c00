"""Engines that are reached through their class: our own, and those of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradverify.differentiators.spelling.spelling import Row, Spelling


class ByTable(dict[str, Row]):
    """Every op as a call of the engine's own table."""

    def get(self, op: str, default: Any = None) -> Any:
        """A row for any op."""
        del default

        def text(*operands: str, **params: Any) -> str:
            named = (f"{k}={v!r}" for k, v in params.items())
            return f"op[{op!r}]({', '.join([*operands, *named])})"

        return text


def tape() -> Spelling:
    """Our tape; the library under test is gradverify itself."""
    return Spelling(
        head=lambda dtype: [
            "import numpy as np",
            "from gradverify.autodiff import Tape  # the engine is gradverify's own",
            "",
            "tape = Tape()",
            "op = tape.table",
        ],
        array=lambda text: f"tape.variable({text})",
        data=lambda text: f'op["data"]({text})',
        rows=ByTable(),
        tail=lambda names: [
            f"value = function({', '.join(names)})",
            f"got = tape.gradient(value, [{', '.join(names)}])",
            "value = value.primal",
        ],
    )


def dual() -> Spelling:
    """Our dual numbers, one run for each entry of each input."""
    return Spelling(
        head=lambda dtype: [
            "import numpy as np",
            "from gradverify.autodiff import Dual  # the engine is gradverify's own",
            "",
            "op = Dual.table",
        ],
        array=lambda text: text,
        data=lambda text: f'op["data"]({text})',
        rows=ByTable(),
        tail=lambda names: [
            f"point = [{', '.join(names)}]",
            "got = []",
            "for k, x in enumerate(point):",
            "    slopes = []",
            "    for i in range(x.size):",
            "        units = [np.zeros((1, *y.shape), y.dtype) for y in point]",
            "        units[k].reshape(-1)[i] = 1.0",
            "        y = function(*map(Dual, point, units))",
            "        follows = isinstance(y, Dual)",
            "        slopes.append(float(y.tangent[0]) if follows else 0.0)",
            "    got.append(slopes)",
            "    value = y.primal if follows else y",
        ],
    )


CALLS: Mapping[str, Sequence[str]] = {
    "gradient": ("pulled = engine.{mode}(function, list(point))",),
    "vjp": ("pulled = engine.{mode}(function, list(point), np.ones((), DTYPE))",),
}


def by_class(path: str, mode: str, kind: str) -> Spelling:
    """An engine by its class, `module:Class`, through the mode of that kind."""
    module, _, name = path.partition(":")

    def head(dtype: str) -> Sequence[str]:
        return [
            "import numpy as np",
            f"from {module} import {name}  # where the engine is registered",
            "",
            f"engine = {name}()",
            "op = dict(engine.table)",
            f'DTYPE = "{dtype}"',
            "lift = op.get('data', lambda x: x.item() if x.ndim == 0 else x)",
        ]

    return Spelling(
        head=head,
        array=lambda text: text,
        data=lambda text: f"lift({text})",
        rows=ByTable(),
        tail=lambda names: _tail(names, mode, kind),
    )


def _tail(names: Sequence[str], mode: str, kind: str) -> Sequence[str]:
    point = f"point = [{', '.join(names)}]"
    if kind in CALLS:
        call = [line.format(mode=mode) for line in CALLS[kind]]
        return [point, *call, "value, got = pulled.value, pulled.cotangents"]
    return [
        point,
        "got = []",
        "for k, x in enumerate(point):",
        "    slopes = []",
        "    for i in range(x.size):",
        "        units = [np.zeros_like(y) for y in point]",
        "        units[k].reshape(-1)[i] = 1.0",
        f"        pushed = engine.{mode}(function, list(point), units)",
        "        slopes.append(pushed.tangent)",
        "    got.append([float(s or 0.0) for s in slopes])",
        "    value = pushed.value",
    ]
