"""The faults of a selftest: what each makes of the right numbers of one op.

A fault takes the op alone, as a case of its own, and an array for each of its operands:
the cotangents that the engine gave, or the tangents that the operands bring, or the
engine's product of the op's own Hessian with these. It returns other ones, or None if
it has nothing to change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from gradverify.formats import drawn_in
from gradverify.graph import Array, Case
from gradverify.questions import GRADIENT, JVP, SECOND, Question
from gradverify.reference import reference
from gradverify.reference.gradient_program import gradient_program

TAIL = 20.0  # beyond it, code takes another rule for the tail, as in many a softplus


class Fault(Protocol):
    """A wrong rule, described by what it makes of the numbers of the right one."""

    def __call__(self, alone: Case, bars: Sequence[Array]) -> list[Any] | None:
        """Other arrays, one for each input of `alone`; None if nothing changes."""


def sign(alone: Case, bars: Sequence[Array]) -> list[Any] | None:
    """Every number with the other sign."""
    return [-x for x in bars]


def factor(alone: Case, bars: Sequence[Array]) -> list[Any] | None:
    """Every number wrong by the same small factor."""
    wrong = 1.0 + drawn_in(alone.dtype).wrong_constant
    return [x * np.asarray(wrong, x.dtype) for x in bars]


def dropped(alone: Case, bars: Sequence[Array]) -> list[Any] | None:
    """The path through the last operand is forgotten."""
    return [*bars[:-1], np.zeros_like(bars[-1])]


def swapped(alone: Case, bars: Sequence[Array]) -> list[Any] | None:
    """The partials of the first two operands change places."""
    if len(bars) < 2 or bars[0].shape != bars[1].shape:
        return None
    return [bars[1], bars[0], *bars[2:]]


def kink(alone: Case, bars: Sequence[Array]) -> list[Any] | None:
    """At a kink, a slope outside the hull of the one-sided ones, by as much as the hull
    is wide.
    """
    if not gradient_program(alone.graph, alone.dtype).margins:
        return None
    kinked = reference(alone).kinked
    if kinked is None or not np.all(np.isfinite(kinked.hull.highest)):
        return None
    lowest, highest = kinked.hull.lowest, kinked.hull.highest
    wrong = np.concatenate([x.ravel() for x in bars]).astype(float)
    wrong = np.where(highest > lowest, 2.0 * highest - lowest, wrong)
    ends = np.cumsum([x.size for x in bars])[:-1]
    parts = zip(np.split(wrong, ends), bars, strict=True)
    return [part.astype(x.dtype).reshape(x.shape) for part, x in parts]


def tail(alone: Case, bars: Sequence[Array]) -> list[Any] | None:
    """Twice the right number if an operand is large."""
    pairs = zip(bars, alone.point, strict=True)
    return [np.where(np.abs(x) > TAIL, bar + bar, bar) for bar, x in pairs]


def held(alone: Case, bars: Sequence[Array]) -> list[Any] | None:
    """The op's slopes are held constant where they should be differentiated."""
    return [np.zeros_like(x) for x in bars]


# fmt: off
_ALWAYS: Mapping[str, Fault] = {
    "sign": sign, "factor": factor, "dropped": dropped, "swapped": swapped,
}
FAULTS: Mapping[Question, Mapping[str, Fault]] = {
    GRADIENT: {**_ALWAYS, "kink": kink, "tail": tail},
    JVP:      {**_ALWAYS, "tail": tail},
    SECOND:   {**_ALWAYS, "held": held, "tail": tail},
}
# fmt: on
"""By question the faults that a mode which is asked it can have, by name."""
