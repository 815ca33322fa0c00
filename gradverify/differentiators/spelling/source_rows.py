"""What an engine says about how its own API is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradverify.differentiators.spelling.definitions import Defined

# A template of operands, or a function of their texts and of the op's params.
Row = str | Callable[..., str]

# Lines that set `value` and `got`, from the names of the inputs.
Tail = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Spelling:
    """The source text of an engine's API.

    head: imports and settings, for a dtype.
    array, data: an input, and an array that is not differentiated, from the text of a
        NumPy array.
    rows: by op, what the row of the engine's table calls; None where the script is to
        go through the engine, since its API has no one expression for it.
    tails: by mode, lines that set `value` and `got`, from the names of the inputs and
        `function`. `got` has one entry an input, or the tangent alone. `cotangent` or
        `tangents` stands before them if the mode takes it.
    seed: such a cotangent or tangent, from the text of a NumPy array.
    setup: a line after the head, which makes `layers` for rows that call it.
    values: whether a mode may ask `function.values` for the values of all nodes.
    """

    head: Callable[[str], Sequence[str]]
    array: Callable[[str], str]
    data: Callable[[str], str]
    rows: Mapping[str, Row | None]
    tails: Mapping[str, Tail]
    setup: Defined | None = None
    values: bool = False
    seed: Callable[[str], str] = str

    def call(
        self, op: str, operands: Sequence[str], params: Mapping[str, Any]
    ) -> str | None:
        """The expression that applies an op; None if the engine has no spelling for
        this op.
        """
        row = self.rows.get(op)
        if row is None:
            return None
        return (
            row.format(*operands) if isinstance(row, str) else row(*operands, **params)
        )

    def own(self, ops: Sequence[str]) -> tuple[tuple[Any, ...], list[str]]:
        """The functions of ours that the rows of these ops call, and lines that prepare
        them.
        """
        rows = [r for op in ops if isinstance(r := self.rows.get(op), Defined)]
        needs = tuple(need for row in rows for need in row.needs)
        if self.setup is None or not any(row.layered for row in rows):
            return needs, []
        return (*needs, *self.setup.needs), ["", self.setup.text()]


OPERATORS: Mapping[str, Row] = {
    "neg": "-{0}",
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "pow": "{0} ** {1}",
    "power": lambda x, n: f"{x} ** {n!r}" if n >= 0 else f"{x} ** ({n!r})",
    "matmul": "{0} @ {1}",
}


def tail(text: str) -> Tail:
    """Lines that go by `inputs`, a list of the inputs."""
    lines = text.strip("\n").splitlines()
    return lambda names: [f"inputs = [{', '.join(names)}]", *lines]


def defined(function: str, *needs: Any) -> Defined:
    """A row that calls a function of ours, whose source the script has."""
    return Defined(call_of(function), needs, "layers" in function)


def functions_of_ours(functions: Mapping[str, Any]) -> dict[str, Row]:
    """Rows that call functions of ours, by op; their source stands in the script."""
    return {op: defined(f.__name__, f) for op, f in functions.items()}


def calls(module: str, ops: str = "", **renamed: str) -> dict[str, Row]:
    """Rows for functions of a module that take the operands, and the params by name."""
    names = {op: op for op in ops.split()} | renamed
    return {op: call_of(f"{module}.{name}") for op, name in names.items()}


def call_of(function: str) -> Callable[..., str]:
    """A call with the operands, and with the params by name."""

    def text(*operands: str, **params: Any) -> str:
        named = (f"{k}={v!r}" for k, v in params.items())
        return f"{function}({', '.join([*operands, *named])})"

    return text


def sliced(x: str, axis: Sequence[int], start: int, stop: int) -> str:
    """A slice along one axis as an index, for arrays that are indexed as in NumPy."""
    if axis[0] < 0:
        after = ", :" * (-1 - axis[0])
        return f"{x}[..., {start}:{stop}{after}]"
    return f"{x}[{':, ' * axis[0]}{start}:{stop}]"
