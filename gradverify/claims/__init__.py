"""Gradients worked out by hand, held against the exact ones."""

from gradverify.claims.checking.check import check_claim
from gradverify.claims.checking.check_result import Claim, ClaimResult
from gradverify.claims.checking.formula_graph import graph_of

__all__ = ["Claim", "ClaimResult", "check_claim", "graph_of"]
