"""What a shape rule lets through can be computed; what it does not is a ValueError."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gradverify.arithmetic.floats import FLOATS
from gradverify.ops import OPS, Shape
from gradverify.strategies import op_cases, sample
from gradverify.strategies.params import legal_params, result_shape

MASKS = {"where": 0, "dropout": 1}  # which operand is one


def neighbours(shape: Shape) -> Iterator[Shape]:
    """The shape, without an axis, with one more, longer and shorter."""
    yield shape
    for k, n in enumerate(shape):
        head, tail = shape[:k], shape[k + 1 :]
        yield from (head + tail, (*head, n + 1, *tail), (*head, max(n - 1, 0), *tail))
    yield from ((2, *shape), (*shape, 1))


def nearly_legal(op: str) -> Iterator[list[Shape]]:
    """The operands' shapes of a few drawn cases, with one of them changed."""
    for case in sample(op_cases(op), 3, 0):
        nodes = case.graph.nodes
        for node in (n for n in nodes if n.op == op):
            shapes = [nodes[j].shape for j in node.operands]
            for k, shape in enumerate(shapes):
                for other in neighbours(shape):
                    yield [*shapes[:k], other, *shapes[k + 1 :]]


@pytest.mark.parametrize("op", OPS.public())
def test_what_has_a_shape_has_a_value_of_that_shape(op: str) -> None:
    computed = 0
    for shapes in nearly_legal(op):
        operands = [np.full(shape, 0.5) for shape in shapes]
        if op in MASKS:
            operands[MASKS[op]] = operands[MASKS[op]] > 0.0
        for params in map(dict, legal_params(op, *shapes)[:3]):
            if result_shape(op, tuple(shapes), tuple(params.items())) is None:
                continue
            with np.errstate(all="ignore"):
                value = FLOATS.table[op](*operands, **params)
            assert np.shape(value) == OPS[op].shape(*shapes, **params)
            computed += 1
    assert computed


@pytest.mark.parametrize("shapes", [((2, 2), (2,), (2,)), ((2, 2), (3, 2), (3,))])
def test_attention_takes_operands_of_one_rank(shapes: tuple[Shape, ...]) -> None:
    with pytest.raises(ValueError, match=r"allowed are|differ before the end"):
        OPS["scaled_dot_product_attention"].shape(*shapes, mask="none")


def test_a_loss_of_no_class_has_no_target() -> None:
    assert legal_params("cross_entropy", (1, 0)) == ()
