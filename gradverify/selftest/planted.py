"""Any engine, with a fault in what it makes of one application of one op.

A fault is a change of numbers that belong to the operands of the op. In reverse these
are the cotangents that go back to them; in forward mode the tangents that they bring,
since dropping a path, say, is the same from both ends; at second order what the op's
own curvature adds to their cotangents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.autodiff.sweep import forward, reverse
from gradverify.diagnosis.op_alone import node_values, op_alone, op_nodes
from gradverify.differentiators import (
    Derivatives,
    Differentiator,
    Lowered,
    Pulled,
    Pushed,
    mode,
    run,
)
from gradverify.graph import CONSTANTS, Array, Case, Graph, apply_op, interpret_all
from gradverify.questions import GRADIENT, JVP, SECOND, Question, up_to
from gradverify.reference.gradient_program import expand
from gradverify.selftest.faults import Fault

NO_ROWS: Mapping[str, Callable[..., Any] | str] = MappingProxyType({})

BY_QUESTION: Mapping[Question, str] = MappingProxyType(
    {GRADIENT: "altering", JVP: "pushing", SECOND: "bending"}
)
"""The mode of a `Planted` that is asked each question."""


class Planted(Differentiator):
    """An engine whose derivative of an op is altered where the op is first applied.

    altered: whether the fault has changed a number yet.

    The engine differentiates the whole case, and the op alone, in the mode `by`. The
    fault changes the derivative of the op. That change is carried on to what is asked
    for, and added. So the engine keeps its own arithmetic and its own rules, whatever
    kind of mode it has. Which of the modes is the one to ask says `BY_QUESTION`.
    """

    table: Mapping[str, Callable[..., Any] | str] = NO_ROWS

    def __init__(self, engine: Differentiator, by: str, op: str, fault: Fault) -> None:
        self.name = f"{engine.name} with a fault in {op}"  # type: ignore[misc]
        self.accepts = engine.accepts  # type: ignore[misc]
        self.device = engine.device  # type: ignore[misc]
        self.table = engine.table
        self.engine, self.by, self.op, self.fault = engine, by, op, fault
        self.altered = False

    def versions(self) -> Mapping[str, str]:
        """The versions of the engine."""
        return self.engine.versions()

    @mode("gradient", default=True)
    def altering(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The engine's gradient, and what the fault changes in it."""
        case = Case(function.graph, tuple(point), function.dtype)
        whole = _answer(run(self.engine, self.by, case))
        return self._altered(whole, case, self._changes(case))

    @mode("hvp")
    def bending(
        self, function: Lowered, point: Sequence[Array], tangents: Sequence[Any]
    ) -> Pulled:
        """The engine's Hv, and what the fault changes in the op's second derivative."""
        case = Case(function.graph, tuple(point), function.dtype)
        whole = self._asked(function.graph, case.dtype, point, tangents)
        return self._altered(whole, case, self._changes(case, tangents))

    @mode("jvp")
    def pushing(
        self, function: Lowered, point: Sequence[Array], tangents: Sequence[Any]
    ) -> Pushed:
        """The engine's tangent, and what the fault changes where the op passes it
        on.
        """
        value, tangent = self._asked(function.graph, function.dtype, point, tangents)
        array = len(function.graph.nodes) - 1
        change = self._push(_summed(function, point), array, tangents)
        self.altered |= bool(np.any(change))
        return Pushed(value, _sum(tangent, change, np.asarray(value)))

    def _altered(self, whole: Any, case: Case, changes: Sequence[Any]) -> Pulled:
        """The engine's answer for every input, with a change added to each."""
        self.altered |= any(bool(np.any(change)) for change in changes)
        pairs = zip(whole.cotangents, changes, case.point, strict=True)
        return Pulled(whole.value, [_sum(bar, more, x) for bar, more, x in pairs])

    def _asked(
        self, graph: Graph, dtype: str, point: Sequence[Array], tangents: Sequence[Any]
    ) -> Any:
        """What the engine gives along tangents of our choice."""
        own = self.engine.modes()[self.by].__get__(self.engine, type(self.engine))
        copies = [None if v is None else np.array(v) for v in tangents]
        function = Lowered(graph, self.engine.table, dtype)
        return own(function, [np.array(x) for x in point], copies)

    def _place(self, graph: Graph) -> int | None:
        """The node where the op is first applied; None if it is nowhere."""
        return next((i for i, n in enumerate(graph.nodes) if n.op == self.op), None)

    def _changes(self, case: Case, tangents: Sequence[Any] = ()) -> list[Any]:
        """What the fault adds to the answer for every input.

        tangents: along which a gradient is differentiated, if it is.
        """
        index = self._place(case.graph)
        if index is None:
            return [0.0] * len(case.point)
        values = node_values(case)
        ct = _cotangents(case, {len(values) - 1: np.ones((), case.dtype)[()]})[index]
        if ct is None:
            return [0.0] * len(case.point)
        alone = op_alone(case, index, values, ct)
        followed = _followed(case.graph, index)
        if tangents:
            along = _brought(case, tangents, followed)
            graph = alone.graph
            answer: Any = self._asked(graph, case.dtype, alone.point, along)
        else:
            answer = _answer(run(self.engine, self.by, alone))
        right = _arrays(answer, alone)
        wrong = self.fault(alone, right)
        if wrong is None:
            return [0.0] * len(case.point)
        seeds: dict[int, Any] = {}
        for j, a, b in zip(followed, wrong, right, strict=True):
            seeds[j] = seeds.get(j, 0.0) + (a - b)
        found = _cotangents(case, seeds)
        return [0.0 if found[i] is None else found[i] for i in case.graph.inputs]

    def _push(self, case: Case, array: int, tangents: Sequence[Any]) -> Any:
        """What the fault adds to the tangent of that node."""
        index = self._place(case.graph)
        if index is None:
            return 0.0
        values, followed = node_values(case), _followed(case.graph, index)
        alone = op_alone(case, index, values, np.ones(case.graph.nodes[index].shape))
        right = _brought(case, tangents, followed)
        wrong = self.fault(alone, right)
        if wrong is None:
            return 0.0
        graph = up_to(alone.graph, op_nodes(alone.graph)[0])
        passed = [
            self._asked(graph, case.dtype, alone.point, along).tangent
            for along in (wrong, right)
        ]
        a, b = (0.0 if x is None else np.asarray(x) for x in passed)
        change = np.broadcast_to(a - b, graph.output.shape)
        found = _tangents(case, {index: change})[array]
        return 0.0 if found is None else found


def _summed(function: Lowered, point: Sequence[Array]) -> Case:
    """The function as a case: nodes keep their numbers, a sum makes it a scalar."""
    nodes = [*function.graph.nodes]
    if nodes[-1].shape:
        nodes.append(apply_op(nodes, "sum", [len(nodes) - 1]))
    return Case(Graph(tuple(nodes)), tuple(point), function.dtype)


def _followed(graph: Graph, index: int) -> list[int]:
    """The operands of a node that are no constants."""
    return [
        j for j in graph.nodes[index].operands if graph.nodes[j].op not in CONSTANTS
    ]


def _brought(case: Case, tangents: Sequence[Any], nodes: Sequence[int]) -> list[Any]:
    """The tangents of some nodes; zeros where nothing moves."""
    pairs = zip(case.graph.inputs, tangents, strict=True)
    found = _tangents(case, {i: v for i, v in pairs if v is not None})
    shapes = [case.graph.nodes[j].shape for j in nodes]
    return [
        np.zeros(shape, case.dtype)
        if found[j] is None
        else np.asarray(found[j], case.dtype)
        for j, shape in zip(nodes, shapes, strict=True)
    ]


def _tangents(case: Case, seeds: Mapping[int, Any]) -> list[Any]:
    """The tangents of all nodes from those of some, by our own rules in floats."""
    expansion = expand(case.graph, case.dtype)
    place = expansion.place
    values = _expanded(expansion.graph, case)
    starts = {place[i]: FLOATS.lift(np.asarray(v)) for i, v in seeds.items()}
    found = forward(expansion.graph, FLOATS, values, starts)
    return [found[place[i]] for i in range(len(case.graph.nodes))]


def _cotangents(case: Case, seeds: Mapping[int, Any]) -> list[Any]:
    """The cotangents of all nodes from those of some, by our own rules in floats."""
    expansion = expand(case.graph, case.dtype)
    place = expansion.place
    values = _expanded(expansion.graph, case)
    starts = {place[i]: FLOATS.lift(np.asarray(ct)) for i, ct in seeds.items()}
    found = reverse(expansion.graph, FLOATS, values, starts)
    return [found[place[i]] for i in range(len(case.graph.nodes))]


def _expanded(graph: Graph, case: Case) -> list[Any]:
    with np.errstate(all="ignore"):
        inputs = [FLOATS.lift(np.array(x)) for x in case.point]
        return interpret_all(graph, FLOATS.table, inputs)


def _answer(found: Derivatives) -> Derivatives:
    """What the engine gave. If it raised, this raises the same."""
    if found.error is not None:
        raise found.error
    if found.timed_out:
        raise TimeoutError("the engine gave no answer within its time limit")
    return found


def _arrays(found: Derivatives, case: Case) -> list[Array]:
    """Cotangents as arrays; None becomes zeros."""
    pairs = zip(found.cotangents, case.point, strict=True)
    return [np.zeros_like(x) if ct is None else np.asarray(ct) for ct, x in pairs]


def _sum(bar: Any, change: Any, like: Array) -> Any:
    if not np.any(change):
        return bar
    start = np.zeros_like(like) if bar is None else np.asarray(bar)
    return np.asarray(start + change, start.dtype).reshape(like.shape)
