"""Local derivatives in sentences are the formulas that people know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.naming import Naming, naming
from gradverify.diagnosis.right_sweep import right
from gradverify.graph import Case, apply_op, input_leaf
from gradverify.graph.program import Graph
from gradverify.ops import OPS


def named(graph: Graph) -> Naming:
    point = tuple(np.full(graph.nodes[i].shape, 0.7) for i in graph.inputs)
    return naming(right(Case(graph, point)), "the engine")


@pytest.mark.parametrize(
    ("function", "partial"),
    [
        (lambda a, b: 2.0**b, "c * log(2)"),
        (lambda a, b: b**a, "c * log(b)"),
        (lambda a, b: s.hypot(b, a), "b / c"),
    ],
)
def test_a_rule_is_shown_without_what_it_does_at_zero(
    function: Callable[[Any, Any], Any], partial: str
) -> None:
    found = named(trace(function, (), ()))
    last = len(found.graph.nodes) - 1
    operands = found.graph.nodes[last].operands
    assert partial in {found.symbol(last, k) for k in range(len(operands))}


def symbols_of(op: str) -> Iterator[str]:
    """The local derivatives of an op of numbers, as sentences have them."""
    nodes = [input_leaf() for _ in range(OPS[op].arity or 2)]
    try:
        nodes.append(apply_op(nodes, op, range(len(nodes))))
    except ValueError:  # an op of matrices
        return
    found = named(Graph(tuple(nodes)))
    yield from (found.symbol(len(nodes) - 1, k) for k in range(len(nodes) - 1))


def test_no_rule_shows_what_it_does_at_zero() -> None:
    rows = [op for op in OPS.primitives()
            if not (OPS[op].internal or OPS[op].params or OPS[op].masks)]  # fmt: skip
    shown = {op: text for op in rows for text in symbols_of(op)}
    assert len(shown) > 30
    assert not {op for op, text in shown.items() if re.search(r"1(\.0)? - step", text)}
