"""What is said about a deviation: where, why, and what a page may draw beside it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DrawnEvidence:
    """What is drawn beside a deviation; all numbers are text.

    values, adjoints: of every node.
    guilty: a node and an operand: the edge to mark.
    quotients: pairs of a step and its difference quotient, from coarse to fine.
    line: for each offset along a line through the point, the error and the bound in
        ulps.
    """

    values: tuple[str, ...] = ()
    adjoints: tuple[str, ...] = ()
    guilty: tuple[int, int | None] | None = None
    quotients: tuple[tuple[str, str], ...] = ()
    line: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Explanation:
    """A deviation explained.

    sentence: the node and the cause; empty if nothing could be said.
    cause: a row of the tables of causes.
    equally: a cause that the sentence names too.
    node, operand: the guilty edge.
    also: other causes that explain the numbers.
    paths, latex: the sum over paths.
    lines: every node, such as `d = a * b`.
    digits_lost, rewriting: set if rounding is what happened.
    script: a script that shows the deviation without gradverify.
    """

    sentence: str = ""
    cause: str = ""
    equally: tuple[str, ...] = ()
    node: int | None = None
    operand: int | None = None
    op: str = ""
    also: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    latex: str = ""
    lines: tuple[str, ...] = ()
    digits_lost: str | None = None
    rewriting: str = ""
    shown: DrawnEvidence = field(default_factory=DrawnEvidence)
    script: str = ""
