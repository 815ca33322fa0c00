"""The reference: exact derivatives with the error that rounding may explain."""

from gradverify.reference.assemble import (
    STAGES,
    Kinked,
    Reference,
    reference,
    references,
)
from gradverify.reference.bound import Bound
from gradverify.reference.doubled import Doubled, floats_of
from gradverify.reference.edges import RAY, straightened
from gradverify.reference.hull import Hull, inside_box, inside_hull
from gradverify.reference.kinks import gradient_at
from gradverify.reference.levels import Slope
from gradverify.reference.rounding import (
    ANY_OP,
    USUAL_ROUNDING,
    RoundingModel,
)
from gradverify.reference.sloped_graph import SlopedGraph
from gradverify.reference.value_alone import value_alone

__all__ = [
    "ANY_OP",
    "RAY",
    "STAGES",
    "USUAL_ROUNDING",
    "Bound",
    "Doubled",
    "Hull",
    "Kinked",
    "Reference",
    "RoundingModel",
    "Slope",
    "SlopedGraph",
    "floats_of",
    "gradient_at",
    "inside_box",
    "inside_hull",
    "reference",
    "references",
    "straightened",
    "value_alone",
]
