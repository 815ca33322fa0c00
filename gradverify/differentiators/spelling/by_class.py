"""The spelling of an engine that is reached through its class and table.

Engines of users are reached in this way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradverify.differentiators.spelling.source_rows import Row, Spelling, tail


class ByTable(dict[str, Row]):
    """Every op as a call of the engine's own table."""

    def get(self, op: str, default: Any = None) -> Any:
        """A row for any op."""
        del default

        def text(*operands: str, **params: Any) -> str:
            named = (f"{k}={v!r}" for k, v in params.items())
            return f"op[{op!r}]({', '.join([*operands, *named])})"

        return text


# By the kind of a mode, how it is called and what is judged of what comes back.
POINT = "engine.{mode}(function, list(inputs)"
PULLED = "value, got = answer.value, answer.cotangents"
# fmt: off
CALLS: Mapping[str, tuple[str, str]] = {
    "gradient": (f"{POINT})",            PULLED),
    "vjp":      (f"{POINT}, cotangent)", PULLED),
    "jvp":      (f"{POINT}, tangents)",  "value, got = answer.value, [answer.tangent]"),
    "hvp":      (f"{POINT}, tangents)",  PULLED),
    "jacobian": (f"{POINT})",            PULLED),
    "hessian":  (f"{POINT})",            PULLED),
}
# fmt: on


def by_class(path: str, mode: str, kind: str) -> Spelling:
    """The spelling of the engine of a class, `module:Class`, in the mode of that
    kind.
    """
    module, _, name = path.partition(":")
    method, (call, what) = mode.replace("-", "_"), CALLS[kind]

    def head(dtype: str) -> Sequence[str]:
        del dtype
        return [
            "import numpy as np",
            f"from {module} import {name}  # where the engine is registered",
            "",
            f"engine = {name}()",
            "op = dict(engine.table)",
            "lift = op.get('data', lambda x: x.item() if x.ndim == 0 else x)",
        ]

    return Spelling(
        head=head,
        array=lambda text: text,
        data=lambda text: f"lift({text})",
        rows=ByTable(),
        tails={mode: tail(f"answer = {call.format(mode=method)}\n{what}")},
        values=True,
    )
