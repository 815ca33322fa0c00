"""Checking the checker: faults planted into an engine's rules, and those found."""

from gradverify.selftest.faults import FAULTS, Fault
from gradverify.selftest.planted import Planted
from gradverify.selftest.score import OpScore, Score, score, score_op

__all__ = ["FAULTS", "Fault", "OpScore", "Planted", "Score", "score", "score_op"]
