"""Why a claim is wrong, and what it should have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.chain import Members, Outcome, derivatives_below, is_number
from gradverify.claims.point import PRECISION
from gradverify.claims.spelling import Written, spelled, telling, values
from gradverify.claims.trail import NotUnderstood, Trail


@dataclass(frozen=True)
class Explained:
    """The exact derivative, the cause, and the corrected chain, as text."""

    exact: str = ""
    cause: str = ""
    corrected: str = ""


def explain(
    trail: Trail, members: Members, outcome: Outcome, names: Mapping[str, Any], text: str
) -> Explained:
    """What a person reads beside the verdict."""
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        exact = values(outcome.point.value(members.nodes[0].index))
        return Explained(exact)


def explain_step(
    trail: Trail,
    members: Members,
    outcome: Outcome,
    names: Mapping[str, Any],
    chain: list[str],
) -> Explained:
    """Beside a step of a backward pass."""
    return explain(trail, members, outcome, names, "")


def explain_printed(node: Symbol, outcome: Outcome) -> Explained:
    """Beside a number that was printed."""
    with ctx.workprec(PRECISION):
        return Explained(values(outcome.point.value(node.index)))
