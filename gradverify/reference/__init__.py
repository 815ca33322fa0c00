"""The reference: exact derivatives with the error that rounding may explain."""

from gradverify.reference.assemble import Kinked, Reference, reference
from gradverify.reference.bound import Bound
from gradverify.reference.differences import Slope
from gradverify.reference.kinks import Hull, gradient_at, inside_box, inside_hull

__all__ = [
    "Bound",
    "Hull",
    "Kinked",
    "Reference",
    "Slope",
    "gradient_at",
    "inside_box",
    "inside_hull",
    "reference",
]
