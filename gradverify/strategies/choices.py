"""What is drawn for one case, before a graph is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gradverify.strategies.points import Values


class Input(NamedTuple):
    """The choices behind one array.

    `kind` matters only where one op is applied alone.
    """

    shape: int
    values: Values
    kind: int = 0


class OpChoice(NamedTuple):
    """The choices behind one op: what each operand is, and which params."""

    op: str
    first: int
    second: int
    params: int


class Ending(NamedTuple):
    """How unused nodes are joined, and how the output is made a scalar."""

    join: int = 0
    weights: int = 0


@dataclass(frozen=True)
class Choices:
    """Everything that is drawn for one case."""

    inputs: Sequence[Input]
    steps: Sequence[OpChoice]
    ending: Ending
