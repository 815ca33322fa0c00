"""Any engine, with a fault in what it makes of one application of one op."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.autodiff.sweep import reverse
from gradverify.diagnosis.op_alone import node_values, op_alone
from gradverify.differentiators import (
    Derivatives,
    Differentiator,
    Lowered,
    Pulled,
    mode,
    run,
)
from gradverify.graph import CONSTANTS, Array, Case, Graph, interpret_all
from gradverify.reference.gradient_program import expand
from gradverify.selftest.faults import Fault

NO_ROWS: Mapping[str, Callable[..., Any] | str] = MappingProxyType({})


class Planted(Differentiator):
    """An engine whose derivative of an op is altered where the op is first applied.

    altered: whether the fault has changed a number yet.

    The engine differentiates the whole case, and the op alone, in the mode `by`. The
    fault changes the derivative of the op. That change is pulled back to the inputs and
    added. So the engine keeps its own arithmetic and its own rules, whatever kind of
    mode it has.
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
        changes = self._changes(case)
        self.altered |= any(bool(np.any(change)) for change in changes)
        pairs = zip(whole.cotangents, changes, case.point, strict=True)
        return Pulled(whole.value, [_sum(bar, more, x) for bar, more, x in pairs])

    def _changes(self, case: Case) -> list[Any]:
        """What the fault adds to the cotangent of every input."""
        graph = case.graph
        index = next((i for i, n in enumerate(graph.nodes) if n.op == self.op), None)
        if index is None:
            return [0.0] * len(case.point)
        values = node_values(case)
        ct = _cotangents(case, {len(values) - 1: np.ones((), case.dtype)[()]})[index]
        if ct is None:
            return [0.0] * len(case.point)
        alone = op_alone(case, index, values, ct)
        right = _arrays(_answer(run(self.engine, self.by, alone)), alone)
        wrong = self.fault(alone, right)
        if wrong is None:
            return [0.0] * len(case.point)
        followed = [
            j for j in graph.nodes[index].operands if graph.nodes[j].op not in CONSTANTS
        ]
        seeds: dict[int, Any] = {}
        for j, a, b in zip(followed, wrong, right, strict=True):
            seeds[j] = seeds.get(j, 0.0) + (a - b)
        found = _cotangents(case, seeds)
        return [0.0 if found[i] is None else found[i] for i in graph.inputs]


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
