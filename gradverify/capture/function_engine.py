"""A user's function as an engine: the pipeline judges it as it judges a library."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from gradverify.capture.function_call import FunctionCall, Pull
from gradverify.capture.symmetric_arguments import symmetrized
from gradverify.differentiators import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Rows,
    mode,
)
from gradverify.formats import DTYPES
from gradverify.graph import Array, Graph
from gradverify.ops import OPS
from gradverify.reference import Reference, floats_of

HANDED = " with "  # a mode and a variant of it: `reverse with transposed`


class Trouble(Exception):
    """What a call showed besides numbers, as `VERDICT|a sentence`."""

    def __init__(self, verdict: str, text: str) -> None:
        super().__init__(f"{verdict}|{text}")


@dataclass(frozen=True, eq=False)
class KnownGraph:
    """A graph of the function: the cotangents in it, and its reference.

    taken: the inputs, by position, whose derivatives are taken to be right.
    symmetric: those whose derivatives count along symmetric directions alone.
    """

    weights: tuple[Array, ...]
    found: Reference
    taken: frozenset[int] = frozenset()
    symmetric: frozenset[int] = frozenset()

    def value(self, dtype: str) -> Array:
        """The exact value, rounded."""
        return np.asarray(float(self.found.value), dtype)


class FunctionEngine(Differentiator):
    """An engine that knows the graphs of one function alone; made by `engine_of`.

    call: the function. known: the graphs that it knows. Their exact values stand in for
    computed ones, since values are looked at when a program is tried.
    """

    call: FunctionCall
    known: dict[Graph, KnownGraph]
    accepts = Accepts(dtypes=tuple(DTYPES), ranks=range(65))
    compiles = True  # another literal would be another function

    @property
    def table(self) -> Rows:
        """No op is run by itself; a row each says that nothing is left out."""
        return ROWS

    def versions(self) -> Mapping[str, str]:
        """What the call says of its library."""
        return {k: str(v) for k, v in self.call.describe().items()}


def _whole(*operands: Any, **params: Any) -> Any:
    del operands, params
    raise NotImplementedError("a user's function is run as a whole")


ROWS: Rows = MappingProxyType({row.name: _whole for row in OPS})


def engine_of(call: FunctionCall) -> FunctionEngine:
    """The engine of a call: its modes, and each vjp mode in all variants."""
    methods: dict[str, Any] = {}
    for name, kind in call.modes.items():
        if kind == "hvp":
            methods[name] = mode("hvp")(_hvp(name))
            continue
        make = _vjp if kind == "vjp" else _jvp
        methods[name] = mode("gradient", default=name == "reverse")(make(name, ""))
    for variant in call.variants:
        key = f"reverse{HANDED}{variant}"
        methods[key] = mode("gradient")(_vjp("reverse", variant))
    made: Any = type(
        "FunctionEngine", (FunctionEngine,), {"name": call.name, **methods}
    )
    engine: FunctionEngine = made()
    engine.call, engine.known = call, {}
    return engine


def _known(engine: FunctionEngine, graph: Graph) -> KnownGraph:
    found = engine.known.get(graph)
    if found is None:
        raise NotImplementedError("a user's function is run as a whole")
    return found


def _vjp(way: str, variant: str) -> Callable[..., Pulled]:
    def method(
        engine: FunctionEngine, function: Lowered, point: Sequence[Array]
    ) -> Pulled:
        known = _known(engine, function.graph)
        pull = engine.call.pull(way, point, known.weights, variant)
        for k in pull.mutated:  # so that whoever runs the engine sees it
            point[k].flat[0] = np.nan if point[k].size else 0.0
        if pull.trouble is not None:
            raise Trouble(*pull.trouble)
        return Pulled(known.value(function.dtype), _converted(pull, point, known))

    return method


def _converted(
    pull: Pull, point: Sequence[Array], known: KnownGraph
) -> list[Array | None]:
    """The derivatives; what was not asked for is taken to be right."""
    asked = pull.asked or (True,) * len(point)
    rest = [k for k, is_asked in enumerate(asked) if not is_asked]
    return _taken(pull.cotangents, point, known, {*rest, *known.taken})


def _taken(
    given: Sequence[Array | None],
    point: Sequence[Array],
    known: KnownGraph,
    places: Collection[int],
) -> list[Array | None]:
    """Derivatives, with the exact ones at some places."""
    exact = known.found.gradient
    return [
        floats_of(exact[k]).astype(x.dtype)
        if k in places and exact
        else symmetrized(got)
        if k in known.symmetric and got is not None
        else got
        for k, (got, x) in enumerate(zip(given, point, strict=True))
    ]


def _jvp(way: str, variant: str) -> Callable[..., Pulled]:
    del variant

    def method(
        engine: FunctionEngine, function: Lowered, point: Sequence[Array]
    ) -> Pulled:
        known = _known(engine, function.graph)
        if sum(x.size for x in point) > MOST_UNITS:
            raise NotImplementedError("forward mode pushes one entry at a time")
        found = pushed(engine.call, way, point, known.weights)
        cotangents = _taken(found, point, known, known.taken)
        return Pulled(known.value(function.dtype), cotangents)

    return method


def pushed(
    call: FunctionCall, way: str, point: Sequence[Array], weights: Sequence[Array]
) -> list[Array]:
    """The derivatives of the contracted function, by a push along every entry."""
    gradient = []
    for i, x in enumerate(point):
        found = np.zeros(x.size, x.dtype)
        for j in range(x.size):
            unit = [np.zeros_like(y) for y in point]
            unit[i].flat[j] = 1.0
            _, tangents = call.push(way, point, unit)
            found[j] = _weighed(tangents, weights)
        gradient.append(found.reshape(x.shape))
    return gradient


def _hvp(way: str) -> Callable[..., Pulled]:
    def method(
        engine: FunctionEngine,
        function: Lowered,
        point: Sequence[Array],
        tangents: Sequence[Array | None],
    ) -> Pulled:
        known = _known(engine, function.graph)
        found = engine.call.pull_twice(way, point, known.weights, tangents)
        return Pulled(known.value(function.dtype), found)

    return method


MOST_UNITS = 32  # entries of all inputs that forward mode is asked for


def _weighed(tangents: Sequence[Array | None], weights: Sequence[Array]) -> float:
    pairs = zip(tangents, weights, strict=True)
    return float(sum(np.sum(t * w.astype(t.dtype)) for t, w in pairs if t is not None))
