"""The first cases of an op: kinds that are rare among drawn ones and break rules.

One is a literal on either side of an operator, since libraries have a rule of their own
for 2.0**x. Another is two inputs with equal values, since an engine may take them for
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from gradverify.graph import Case, Graph, Node, apply_op, input_leaf, literal_leaf
from gradverify.ops import OPS
from gradverify.ops.shapes import elementwise
from gradverify.strategies.draft import is_sound

LITERALS: tuple[float, ...] = (2.0, 3)
VALUE = 1.75


@lru_cache(maxsize=1024)
def first_cases(op: str, dtype: str) -> tuple[Case, ...]:
    """What every run looks at first for an op; none for ops of one operand."""
    row = OPS[op]
    if row.shape is not elementwise or row.arity != 2:
        return ()
    found = (*_equal(op, dtype), *(_with_literals(op, dtype) if row.operator else ()))
    return tuple(case for case in found if is_sound(case))


def _equal(op: str, dtype: str) -> Iterator[Case]:
    """Two inputs of one value: numbers, then arrays."""
    for shape in ((), (2,)):
        nodes: list[Node] = [input_leaf(shape), input_leaf(shape)]
        x = np.full(shape, VALUE)
        yield _case(nodes, op, (0, 1), (x, x.copy()), dtype)


def _with_literals(op: str, dtype: str) -> Iterator[Case]:
    """A literal on the left, and on the right; of either kind of number."""
    for value in LITERALS:
        left: list[Node] = [literal_leaf(value), input_leaf(())]
        yield _case(left, op, (0, 1), (np.array(VALUE),), dtype)
        right: list[Node] = [input_leaf(()), literal_leaf(value)]
        yield _case(right, op, (0, 1), (np.array(VALUE),), dtype)


def _case(
    nodes: list[Node],
    op: str,
    operands: tuple[int, int],
    point: tuple[np.ndarray, ...],
    dtype: str,
) -> Case:
    nodes.append(apply_op(nodes, op, operands))
    if nodes[-1].shape != ():
        nodes.append(apply_op(nodes, "sum", (len(nodes) - 1,)))
    return Case(Graph(tuple(nodes)), point, dtype)
