"""What a trace has met besides ops: the fields of `Captured`, while they grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.capture.captured import Captured, SourceLine
from gradverify.graph import Array

CLOSE = 64.0  # units of roundoff within which a comparison may be turned
SYMMETRIC = 1e-4  # of the largest entry that two sides differ by, as by roundings
READ = (
    "numbers are read from an array (item, float, numpy, if); they are constants of "
    "the branch"
)
EQUAL = "two numbers that are compared are equal, up to rounding"


@dataclass
class TraceNotes:
    """What a trace has met besides ops.

    functions: the custom ops that were read. narrow: whether a number was rounded to
    float32 on the way. one_triangle: an op that reads one triangle of a matrix. The
    other fields are those of `Captured`.
    """

    held: dict[int, Array] = field(default_factory=dict)
    decided: list[Any] = field(default_factory=list)
    lines: dict[int, SourceLine] = field(default_factory=dict)
    ties: dict[str, None] = field(default_factory=dict)
    estimated: dict[str, tuple[int, ...]] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)
    authors: dict[str, SourceLine] = field(default_factory=dict)
    reads: int = 0
    searches: bool = False
    one_triangle: str | None = None
    lopsided: bool = False
    narrow: bool = False

    def read(self) -> None:
        """Note numbers that were read, which the library takes for constants."""
        self.reads += 1
        self.remarks[READ] = None

    def estimate(self, name: str, operand: Any) -> None:
        """Note an op that is constant in pieces, where an author says its slope."""
        reason = f"{name} is constant in pieces"
        spot = (operand.index,) if isinstance(operand, Symbol) else ()
        self.estimated[reason] = (*self.estimated.get(reason, ()), *spot)

    def compared(self, result: Any, a: Any, b: Any, unit: float) -> None:
        """Note a decision by the order of two arrays, and whether it was close.

        unit: the unit roundoff of the numbers.
        """
        self.decided.append(np.array(result))
        self.note_close(a, b, unit)

    def note_close(self, a: Any, b: Any, unit: float) -> None:
        """Note a tie where two finite numbers are equal, up to their rounding."""
        with np.errstate(all="ignore"):
            a, b = np.asarray(a, float), np.asarray(b, float)
            room = CLOSE * unit * np.maximum(np.abs(a), np.abs(b))
            finite = np.isfinite(a) & np.isfinite(b)  # none rounds to an infinity
            if np.any(finite & (np.abs(a - b) <= room)):
                self.ties[EQUAL] = None

    def stepped(self, name: str, value: Array, operand: Any, unit: float) -> None:
        """Note the values of an op that is constant in pieces, and nearness to a step.

        Steps of `round` are between whole numbers, of `sign` at 0, else at them.
        """
        self.decided.append(np.array(value))
        real = np.asarray(operand, float)
        with np.errstate(all="ignore"):
            if name.startswith(("sign", "sgn", "heaviside")):
                near = real == 0
            else:
                scaled = 2.0 * real if name.startswith(("round", "rint")) else real
                away = np.abs(scaled - np.round(scaled))
                near = away <= CLOSE * unit * np.maximum(1.0, np.abs(scaled))
        if np.any(near):
            self.ties[f"an operand of {name} lies at a step"] = None

    def reads_one_triangle(self, name: str, matrix: Array) -> None:
        """Note an op that takes one triangle of a symmetric matrix for both."""
        self.one_triangle = name
        real = np.asarray(matrix, float)
        with np.errstate(all="ignore"):
            away = np.abs(real - np.swapaxes(real, -1, -2))
            size = np.max(np.abs(real), initial=0.0)
        self.lopsided |= bool(np.any(away > SYMMETRIC * size))

    def captured(self, program: Program, outputs: Sequence[Symbol]) -> Captured:
        """What the trace came to."""
        remarks = dict(self.remarks)
        for name in self.functions:
            remarks[f"the custom op {name} was read"] = None
        return Captured(
            nodes=tuple(program.nodes),
            outputs=tuple(s.index for s in outputs),
            held=self.held,
            decided=tuple(self.decided),
            lines=self.lines,
            ties=tuple(self.ties),
            estimated=self.estimated,
            reads=self.reads,
            searches=self.searches,
            form="float32" if self.narrow else None,
            authors=self.authors,
            remarks=tuple(remarks),
        )
