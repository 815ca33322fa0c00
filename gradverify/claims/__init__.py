"""Gradients worked out by hand, held against the exact ones.

Names are imported when they are first used, since records and pages want the record of
a claim alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradverify.claims.checking.check import check_claim as check_claim
    from gradverify.claims.checking.check import exact_gradient as exact_gradient
    from gradverify.claims.checking.check_result import (
        ClaimedDerivative as ClaimedDerivative,
    )
    from gradverify.claims.checking.check_result import ClaimResult as ClaimResult
    from gradverify.claims.checking.formula_graph import graph_of as graph_of

HOMES = {
    "ClaimResult": "gradverify.claims.checking.check_result",
    "ClaimedDerivative": "gradverify.claims.checking.check_result",
    "check_claim": "gradverify.claims.checking.check",
    "exact_gradient": "gradverify.claims.checking.check",
    "graph_of": "gradverify.claims.checking.formula_graph",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'gradverify.claims' has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)
