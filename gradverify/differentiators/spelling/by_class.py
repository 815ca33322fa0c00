"""The spelling of an engine that is reached through its class and table.

Engines of users are reached in this way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradverify.differentiators.spelling.source_rows import Row, Spelling


class ByTable(dict[str, Row]):
    """Every op as a call of the engine's own table."""

    def get(self, op: str, default: Any = None) -> Any:
        """A row for any op."""
        del default

        def text(*operands: str, **params: Any) -> str:
            named = (f"{k}={v!r}" for k, v in params.items())
            return f"op[{op!r}]({', '.join([*operands, *named])})"

        return text


CALLS: Mapping[str, Sequence[str]] = {
    "gradient": ("pulled = engine.{mode}(function, list(point))",),
    "vjp": ("pulled = engine.{mode}(function, list(point), np.ones((), DTYPE))",),
}


def by_class(path: str, mode: str, kind: str) -> Spelling:
    """The spelling of the engine of a class, `module:Class`, in the mode of that
    kind.
    """
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
        tails={mode: lambda names: _tail(names, mode, kind)},
        values=True,
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
