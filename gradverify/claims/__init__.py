"""Gradients worked out by hand, held against the exact ones."""

from gradverify.claims.check import check_claim
from gradverify.claims.expression import graph_of
from gradverify.claims.result import Claim, ClaimResult

__all__ = ["Claim", "ClaimResult", "check_claim", "graph_of"]
