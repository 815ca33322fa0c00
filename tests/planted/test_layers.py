"""Faults in layers are found, and made small; their twins are not accused."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice

import numpy as np
import pytest

from gradverify.differentiators import Differentiator, load
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.strategies import minimise, networks, sample
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import Block, judge, verify_item

from .layer_faults import LAYER_FAULTS, LayerFault, planted, twin

pytest.importorskip("torch")

CASES = 60  # at most, until a fault is met
FEW = 10

# one of every kind; all of them, under ten seeds, are the benchmark's
CHOSEN = (
    "evaluation as training", "statistics held", "group by remainder", "eps left out",
    "grouped strided input", "padding not cropped", "whole to every tie",
    "repeated rows overwritten", "no row sum", "smoothing too large",
)  # fmt: skip

some_faults = pytest.mark.parametrize(
    "fault", [f for f in LAYER_FAULTS if f.name in CHOSEN], ids=str
)


@cache
def block(op: str) -> Block:
    return blocks(Asked(suites=("ops",), ops=(op,)))[0]


def verdicts(fault: LayerFault, who: Differentiator) -> Iterator[Verdict]:
    shared = block(fault.op)
    for position, case in islice(shared.cases(), CASES):
        found = shared.reference(position, case)
        yield judge(case, who, "reverse", found=found).verdict


@some_faults
def test_a_fault_is_found(fault: LayerFault) -> None:
    assert any(verdict.fails() for verdict in verdicts(fault, planted(fault)))


@some_faults
def test_its_twin_is_not_accused(fault: LayerFault) -> None:
    found = list(islice(verdicts(fault, twin(fault)), FEW))
    assert not [verdict for verdict in found if verdict.fails()]
    assert Verdict.AGREES in found


def test_there_are_thirty_faults_of_different_names() -> None:
    assert len({fault.name for fault in LAYER_FAULTS}) == len(LAYER_FAULTS) >= 30


def test_a_fault_in_a_deep_network_is_made_small() -> None:
    fault = next(f for f in LAYER_FAULTS if f.name == "bias averaged")
    drawn = sample(networks(family="mlp", depth=12), 40, 1)
    deep = max(drawn, key=lambda case: case.graph.ops.count("linear") + case.graph.size)
    assert deep.graph.size > 20
    item = verify_item(
        Block("networks", "mlp", "float64", written=(deep,)), planted(fault), "reverse"
    )
    (finding,) = (f for f in item.findings if f.judgement.verdict.fails())
    assert finding.op == "linear"
    assert finding.case.graph.size <= 3


@pytest.mark.parametrize("engine", ["own-tape", "torch-cpu"])
def test_a_loss_that_is_zero_in_floats_is_no_check(engine: str) -> None:
    nodes = [input_leaf((1, 2))]
    params = {"weight": None, "smoothing": 0.0, "reduction": "mean"}
    nodes.append(apply_op(nodes, "cross_entropy", (0,), target=(0,), **params))
    saturated = Case(Graph(tuple(nodes)), (np.array([[1000.0, -1000.0]]),))
    assert judge(saturated, load(engine), "reverse").verdict is Verdict.VACUOUS
    ordinary = Case(Graph(tuple(nodes)), (np.array([[1.0, -1.0]]),))
    assert judge(ordinary, load(engine), "reverse").verdict is Verdict.AGREES


def test_a_convolution_is_shrunk_to_one_group() -> None:
    """A fault that needs no groups, found in a convolution with two of them."""
    fault = next(f for f in LAYER_FAULTS if f.name == "padding not cropped")
    who, draw = planted(fault), np.random.default_rng(0)
    point = [draw.normal(size=shape) for shape in ((2, 4, 5, 6), (4, 2, 3, 2), (4,))]
    nodes = [input_leaf(x.shape) for x in point]
    moved = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 1), "groups": 2}
    nodes.append(apply_op(nodes, "conv2d", [0, 1, 2], **moved))
    nodes.append(apply_op(nodes, "sum", [3], axis=None, keepdims=False))
    case, judged = Case(Graph(tuple(nodes)), tuple(point)), 0

    def fails(candidate: Case) -> bool:
        nonlocal judged
        judged += 1
        return judge(candidate, who, "reverse").verdict is Verdict.WRONG

    small = minimise(case, fails)
    conv = next(node for node in small.graph.nodes if node.op == "conv2d")
    assert conv.params["groups"] == 1, (
        small.graph,
        [x.shape for x in small.point],
        judged,
    )
    # one number is image and kernel, another one the bias
    assert [x.shape for x in small.point] == [(1, 1, 1, 1), (1,)]
    assert judged < 100
