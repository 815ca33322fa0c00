"""A case taken apart into nodes and values, so that it can be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.graph import (
    Array,
    Case,
    Graph,
    Node,
    apply_op,
    input_leaf,
    interpret_all,
    live,
)
from gradverify.strategies.params import legal_params


@dataclass(frozen=True)
class EditableCase:
    """The nodes of a case, and the value of every input by its index.

    keep_unused: whether inputs that the output does not need stay.
    """

    nodes: Sequence[Node]
    inputs: Mapping[int, Array]
    dtype: str
    values: Sequence[Array] = field(default=())
    keep_unused: bool = True

    @staticmethod
    def of(case: Case) -> EditableCase:
        """The program of a case, with the value of every node."""
        with np.errstate(all="ignore"):
            values = interpret_all(case.graph, FLOATS.table, case.point)
        inputs = dict(zip(case.graph.inputs, case.point, strict=True))
        arrays = [np.asarray(v) for v in values]
        return EditableCase(case.graph.nodes, inputs, case.dtype, arrays)

    def changed(
        self,
        nodes: Mapping[int, Node],
        inputs: Mapping[int, Array] | None = None,
        *,
        keep_unused: bool = False,
    ) -> EditableCase:
        """The same with other nodes and other input values at some places."""
        put = [nodes.get(i, node) for i, node in enumerate(self.nodes)]
        merged = {**self.inputs, **(inputs or {})}
        return EditableCase(put, merged, self.dtype, keep_unused=keep_unused)

    def ending_at(self, output: int) -> EditableCase:
        """The nodes up to one, which is then the output."""
        nodes = self.nodes[: output + 1]
        inputs = {i: x for i, x in self.inputs.items() if i <= output}
        return EditableCase(nodes, inputs, self.dtype, keep_unused=False)

    def redirected(
        self, old: int, new: int, *, only: int | None = None
    ) -> EditableCase:
        """The same with `new` in place of the operand `old`, in all later nodes or in
        one.
        """
        swap = {
            i: _with_operands(n, [new if j == old else j for j in n.operands])
            for i, n in enumerate(self.nodes)
            if old in n.operands and only in (None, i) and new < i
        }
        return self.changed(swap)

    def as_input(self, i: int) -> EditableCase:
        """The same with an input of its value in place of a node."""
        value = self.values[i].astype(self.dtype)
        return self.changed({i: input_leaf(value.shape)}, {i: value})

    def case(self) -> Case | None:
        """The case, with its shapes computed anew; None if they do not fit."""
        try:
            nodes = self._retyped()
            return self._assembled(nodes)
        except ValueError:
            return None

    def _retyped(self) -> list[Node]:
        nodes: list[Node] = []
        for i, node in enumerate(self.nodes):
            if node.op == "input":
                node = input_leaf(self.inputs[i].shape)
            elif node.operands:
                node = _applied(nodes, node)
            nodes.append(node)
        if nodes[-1].shape != ():
            nodes.append(apply_op(nodes, "sum", (len(nodes) - 1,)))
        return nodes

    def _assembled(self, nodes: Sequence[Node]) -> Case:
        kept = list(self.inputs)
        if not self.keep_unused:
            needed = _needed(nodes)
            kept = [i for i in kept if i in needed]
        drop = {i for i in self.inputs if i not in kept}
        # an input that is not needed is dropped by `live` once it is a literal
        stand_in = Node("literal", value=1.0)
        nodes = [stand_in if i in drop else n for i, n in enumerate(nodes)]
        point = tuple(self.inputs[i] for i in sorted(kept))
        return Case(Graph(live(nodes)), point, self.dtype)


def _with_operands(node: Node, operands: Sequence[int]) -> Node:
    return Node(node.op, tuple(operands), node.params, node.shape, node.value)


def _applied(nodes: Sequence[Node], node: Node) -> Node:
    """The op on its new operands.

    If its params are not legal for these, it has legal ones that change the fewest of
    them: a mistake may show with these strides alone.
    """
    try:
        return apply_op(nodes, node.op, node.operands, **node.params)
    except ValueError:
        menu = legal_params(node.op, *(nodes[j].shape for j in node.operands))
        if not menu:
            raise
        nearest = max(menu, key=lambda p: sum(node.params.get(k) == v for k, v in p))
        return apply_op(nodes, node.op, node.operands, **dict(nearest))


def _needed(nodes: Sequence[Node]) -> set[int]:
    needed = {len(nodes) - 1}
    for i in reversed(range(len(nodes))):
        if i in needed:
            needed.update(nodes[i].operands)
    return needed
