"""What a run checks: the table of suites, one row each.

Nothing heavy is imported here: pytest reads the names in every run of every user.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """One kind of checks.

    says: what it is, in a few words.
    blocks: the module of this folder and its function that makes the blocks of what is
        `Asked`; None where a suite has items alone.
    is_drawn: whether its cases are drawn until the time of a run is over.
    is_cut: whether its items, each of few cases, have a part of that time.
    """

    name: str
    says: str
    blocks: str | None = None
    is_drawn: bool = False
    is_cut: bool = False


# fmt: off
TABLE = (
    Suite("cases",    "what you saved",                       "blocks:saved"),
    Suite("textbook", "examples with derivatives worked out",
          "blocks:textbook", is_cut=True),
    Suite("ops",      "each op alone",
          "blocks:single_ops", is_drawn=True),
    Suite("graphs",   "random graphs with shared subexpressions",
          "blocks:random_graphs", is_drawn=True),
    Suite("networks", "random networks with weights, data and loss",
          "blocks:random_networks", is_drawn=True),
    Suite("known",    "deviations with witnesses"),
)
# fmt: on
"""The suites, in the order in which they run."""

SUITES = tuple(row.name for row in TABLE)

CUT = frozenset(row.name for row in TABLE if row.is_cut)
