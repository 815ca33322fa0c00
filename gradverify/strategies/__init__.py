"""Cases are drawn here, and shrunk where they fail.

Hypothesis is used in this room alone.
"""

from gradverify.strategies.build import build
from gradverify.strategies.choices import Choices, Ending, Input, OpChoice
from gradverify.strategies.coverage import Met, Traits, traits_of
from gradverify.strategies.draft import USUAL, Scope, is_sound
from gradverify.strategies.first_cases import edge_cases, first_cases
from gradverify.strategies.graphs import graphs, op_cases
from gradverify.strategies.networks import FAMILIES, networks
from gradverify.strategies.other_points import at_points
from gradverify.strategies.points import REGIMES, Values, arrays, points, regimes

__all__ = [
    "FAMILIES",
    "REGIMES",
    "USUAL",
    "Choices",
    "Ending",
    "Input",
    "Met",
    "OpChoice",
    "Sample",
    "Scope",
    "Traits",
    "Values",
    "arrays",
    "at_points",
    "build",
    "draw",
    "edge_cases",
    "first_cases",
    "graphs",
    "is_sound",
    "measure",
    "minimise",
    "networks",
    "op_cases",
    "points",
    "regimes",
    "sample",
    "shrink",
    "traits_of",
]
from gradverify.strategies.sampling import Sample, draw, sample, shrink
from gradverify.strategies.shrinking.minimise import measure, minimise
