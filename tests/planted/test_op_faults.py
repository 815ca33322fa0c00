"""The most likely fault of each further op is found, and its twin is not accused.

`GRADVERIFY_SEEDS=10 pytest tests/planted/test_op_faults.py` looks under ten seeds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from itertools import islice

import pytest

from gradverify.differentiators import Differentiator
from gradverify.ops.cell_rows import CELLS
from gradverify.ops.elementwise_rows import ELEMENTWISE
from gradverify.ops.indexing_rows import INDEXING
from gradverify.ops.linear_algebra_rows import LINEAR_ALGEBRA
from gradverify.ops.loss_rows import LOSSES
from gradverify.ops.ordering_rows import ORDERING
from gradverify.ops.resampling_rows import RESAMPLING
from gradverify.ops.special_rows import SPECIAL
from gradverify.ops.transform_rows import TRANSFORMS
from gradverify.ops.window_rows import WINDOWS
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import Block, judge

from .layer_faults import LayerFault
from .op_faults import OP_FAULTS, planted, twin

pytest.importorskip("torch")

SEEDS = range(int(os.environ.get("GRADVERIFY_SEEDS", "1")))
CASES = 60  # at most, until a fault is met
FEW = 5

each_fault = pytest.mark.parametrize("fault", OP_FAULTS, ids=str)


@cache
def block(op: str, seed: int) -> Block:
    asked = Asked(suites=("ops",), ops=(op,), dtypes=("float64",), seed=seed)
    return blocks(asked)[0]


def verdicts(fault: LayerFault, who: Differentiator, seed: int) -> Iterator[Verdict]:
    shared = block(fault.op, seed)
    for position, case in islice(shared.cases(), CASES):
        found = shared.reference(position, case)
        yield judge(case, who, "reverse", found=found).verdict


@each_fault
def test_a_fault_is_found(fault: LayerFault) -> None:
    who = planted(fault)
    for seed in SEEDS:
        assert any(v.fails() for v in verdicts(fault, who, seed)), seed


@each_fault
def test_its_twin_is_not_accused(fault: LayerFault) -> None:
    who = twin(fault)
    for seed in SEEDS:
        found: list[Verdict] = []
        for verdict in verdicts(fault, who, seed):
            assert not verdict.fails(), seed
            found.append(verdict)
            if len(found) >= FEW and Verdict.AGREES in found:
                break
        assert Verdict.AGREES in found, seed


def test_every_further_op_has_a_fault() -> None:
    moving = (INDEXING, ORDERING, RESAMPLING, TRANSFORMS)
    kinds = (ELEMENTWISE, SPECIAL, *moving, LINEAR_ALGEBRA, LOSSES, WINDOWS, CELLS)
    further = {row.name for kind in kinds for row in kind} | {"dropout_attention"}
    assert {f.op for f in OP_FAULTS} == further
