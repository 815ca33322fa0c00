"""Smaller programs: fewer nodes, fewer inputs, fewer entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np

from gradverify.graph import Array, Node, data_leaf
from gradverify.ops import OPS
from gradverify.ops.shapes import elementwise
from gradverify.strategies.shrinking.editable_case import EditableCase


def fewer_nodes(program: EditableCase) -> Iterator[EditableCase]:
    """An earlier output, a leaf in place of a node, a node or an input left out."""
    nodes = program.nodes
    ops = [i for i, node in enumerate(nodes) if node.operands]
    yield from (program.ending_at(i) for i in ops[:-1])
    yield from (program.as_input(i) for i in reversed(ops[:-1]))
    for i in reversed(ops):
        for j in dict.fromkeys(nodes[i].operands):
            if nodes[j].shape == nodes[i].shape and nodes[j].op != "literal":
                is_last = i == len(nodes) - 1
                yield program.ending_at(j) if is_last else program.redirected(i, j)
    yield program.changed({})
    yield from (program.changed({i: n}, keep_unused=True) for i, n in _without(program))


def _without(program: EditableCase) -> Iterator[tuple[int, Node]]:
    """An input made data, so that fewer inputs are differentiated."""
    for i in program.inputs:
        yield i, data_leaf(program.inputs[i])


def same_leaves(program: EditableCase) -> Iterator[EditableCase]:
    """An operand replaced by a leaf that is there already.

    That leaf may take the operand's value.
    """
    for i, node in enumerate(program.nodes):
        for j in node.operands:
            leaves = [k for k in program.inputs if k < i and k != j]
            for k in sorted(leaves, key=lambda k: abs(k - j)):
                if program.nodes[k].shape == program.nodes[j].shape:
                    yield program.redirected(j, k, only=i)
                    yield program.redirected(j, k)
                    value = {k: program.values[j].astype(program.dtype)}
                    yield program.redirected(j, k).changed({}, value)


def fewer_entries(program: EditableCase) -> Iterator[EditableCase]:
    """Scalars in place of all arrays, or of one; axes made shorter."""
    arrays = _arrays(program)
    sizes = sorted({n for x in arrays.values() for n in x.shape if n > 1})
    most = max((x.size for x in arrays.values()), default=0)
    for entry in range(most):
        yield _leaves(
            program,
            {i: x.ravel()[entry % x.size] for i, x in arrays.items() if x.size},
        )
    for n in sizes:
        for keep in (slice(0, 1), slice(n - 1, n), slice(0, n - 1), slice(1, n)):
            yield _leaves(program, {i: _cut(x, n, keep) for i, x in arrays.items()})
    yield from _fewer_along(program, arrays)
    for i, x in arrays.items():
        if x.ndim:
            yield from (_leaves(program, {i: value}) for value in x.ravel())
            yield from (_leaves(program, {i: part}) for part in x[:2] if x.ndim > 1)


# To which length an axis is cut, the shortest first.
LENGTHS: tuple[Callable[[int], int], ...] = (
    lambda n: 1,
    lambda n: n // 2,
    lambda n: n - 1,
)


def _fewer_along(
    program: EditableCase, arrays: dict[int, Array]
) -> Iterator[EditableCase]:
    """One axis of a layer's operands cut, or two axes at once.

    Channels are an axis of several arrays. With groups these axes are not equally long,
    and leaving out a group cuts two of them.
    """
    for node in program.nodes:
        leaves = [j for j in dict.fromkeys(node.operands) if j in arrays]
        if len(leaves) < 2 or OPS[node.op].shape is elementwise:
            continue
        axes = [(j, k) for j in leaves for k, n in enumerate(arrays[j].shape) if n > 1]
        for length in LENGTHS:
            for chosen in (*combinations(axes, 1), *combinations(axes, 2)):
                yield _leaves(program, _shortened(arrays, chosen, length))


def _shortened(
    arrays: dict[int, Array],
    axes: Sequence[tuple[int, int]],
    length: Callable[[int], int],
) -> dict[int, Array]:
    """The arrays that have one of the axes, those axes cut."""
    found = {j: arrays[j] for j, _ in axes}
    for j, k in axes:
        x = found[j]
        found[j] = x.take(range(length(x.shape[k])), axis=k)
    return found


def _arrays(program: EditableCase) -> dict[int, Array]:
    data = {i: n.value for i, n in enumerate(program.nodes) if n.op == "data"}
    return {**program.inputs, **data}


def _cut(x: Array, n: int, keep: slice) -> Array:
    return x[tuple(keep if size == n else slice(None) for size in x.shape)]


def _leaves(program: EditableCase, changed: dict[int, Array]) -> EditableCase:
    """The program with other arrays in some leaves, inputs or data."""
    arrays = {i: np.asarray(x) for i, x in changed.items()}
    data = {i: data_leaf(x) for i, x in arrays.items() if program.nodes[i].op == "data"}
    inputs = {i: x for i, x in arrays.items() if i in program.inputs}
    return program.changed(data, inputs, keep_unused=True)
