"""Checking the checker: faults planted into an engine's rules, and those found."""

from gradverify.selftest.faults import FAULTS, Fault
from gradverify.selftest.planted import BY_QUESTION, Planted
from gradverify.selftest.score import OpScore, Score, asked, score, score_op

__all__ = [
    "BY_QUESTION",
    "FAULTS",
    "Fault",
    "OpScore",
    "Planted",
    "Score",
    "asked",
    "score",
    "score_op",
]
