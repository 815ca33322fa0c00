"""The pipeline: draw, refer, run, compare, localize, shrink."""

from gradverify.verify.block import CHUNK, Block, Restricted
from gradverify.verify.item import REPEATED, Budget, verify_item
from gradverify.verify.item_result import Finding, ItemResult, OwnFault
from gradverify.verify.judging import judge
from gradverify.verify.large_case import STAGES, LargeBlock, verify_large

__all__ = [
    "CHUNK",
    "REPEATED",
    "STAGES",
    "Block",
    "Budget",
    "Finding",
    "ItemResult",
    "LargeBlock",
    "OwnFault",
    "Restricted",
    "judge",
    "verify_item",
    "verify_large",
]
