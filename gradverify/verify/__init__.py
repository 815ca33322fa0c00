"""The pipeline: draw, refer, run, compare, localize, shrink."""

from gradverify.verify.block import CHUNK, Block, Restricted
from gradverify.verify.item import REPEATED, Budget, verify_item
from gradverify.verify.judging import judge
from gradverify.verify.large import STAGES, LargeBlock, verify_large
from gradverify.verify.result import Finding, Item

__all__ = [
    "CHUNK",
    "REPEATED",
    "STAGES",
    "Block",
    "Budget",
    "Finding",
    "Item",
    "LargeBlock",
    "Restricted",
    "judge",
    "verify_item",
    "verify_large",
]
