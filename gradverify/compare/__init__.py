"""What a differentiator gave is held against the reference; the result is a verdict."""

from gradverify.compare.at_kinks import flat_gradient
from gradverify.compare.entries import decimal
from gradverify.compare.outcome import compare

__all__ = ["compare", "decimal", "flat_gradient"]
