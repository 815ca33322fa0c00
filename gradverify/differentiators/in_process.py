"""One differentiator on one case in this process: derivatives, whatever it does."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.differentiators.derivatives import Derivatives
from gradverify.differentiators.protocol import (
    KINDS,
    Differentiator,
    Lowered,
    Misuse,
    Pulled,
    Pushed,
    Rows,
)
from gradverify.differentiators.raised import is_hosts, raised_by, told
from gradverify.differentiators.refused_exit import refused_exit
from gradverify.differentiators.time_limit import (
    TimeLimit,
    processor_time,
    time_limit,
)
from gradverify.graph import Array, Case, Graph, Node
from gradverify.surroundings import engine_call, surrounded

LARGEST = 1 << 27  # entries of an array that is copied

Seed = tuple[str, Array, Array]  # what it is, as it was, as the engine left it


@surrounded
def run_here(
    differentiator: Differentiator,
    mode: str,
    case: Case,
    limit: float,
    rows: Rows | None = None,
) -> Derivatives:
    """The gradient of the case by that mode, in at most `limit` seconds.

    rows: the engine's table, if its functions are to note something.
    Never raises: what the engine raises, warns of, overwrites and changes is in the
    result. The user's own interrupt, and what ends a test of pytest, are passed on.
    """
    point = [np.array(x) for x in case.point]
    seeds: list[Seed] = []
    pulled, error, timed_out = Pulled(None, ()), None, False
    ours: TimeLimit | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = differentiator.table if rows is None else rows
        function = Lowered(_handed_over(case.graph), table, case.dtype)
        began, busy = time.perf_counter(), processor_time()
        with engine_call() as changed:
            try:
                with refused_exit(), time_limit(limit) as ours:
                    pulled = _gradient(
                        differentiator, mode, function, list(point), seeds
                    )
            except TimeLimit as reached:
                if reached is not ours:
                    raise
                timed_out = True
            except BaseException as problem:
                if is_hosts(problem):
                    raise
                error = raised_by(problem)
        seconds, busy = time.perf_counter() - began, processor_time() - busy
    return Derivatives(
        value=pulled.value,
        cotangents=tuple(pulled.cotangents),
        intermediates=pulled.intermediates,
        error=error,
        timed_out=timed_out,
        mutated=_mutated(case.point, point),
        seeds=tuple(dict.fromkeys(what for what, x, y in seeds if _differ(x, y))),
        changed=tuple(changed),
        warnings=tuple(f"{w.category.__name__}: {told(w.message)}" for w in caught),
        seconds=seconds,
        busy=busy,
        # it waited for the processor, and not for something that never comes
        starved=timed_out and 0.02 * limit < busy < limit / 2,
    )


def _handed_over(graph: Graph) -> Graph:
    """A copy for the engine, which may do with it what it likes."""
    copied = object.__new__(Graph)
    vars(copied).update(vars(graph), nodes=tuple(map(_copied, graph.nodes)))
    return copied


def _copied(node: Node) -> Node:
    value = node.value.view() if isinstance(node.value, np.ndarray) else node.value
    return Node(node.op, node.operands, dict(node.params), node.shape, value)


def _mutated(before: Sequence[Array], after: Sequence[Array]) -> tuple[int, ...]:
    pairs = zip(before, after, strict=True)
    return tuple(i for i, (x, y) in enumerate(pairs) if _differ(x, y))


def _differ(x: Array, y: Array) -> bool:
    """Whether two arrays differ in anything, the sign of a zero included."""
    return x.shape != y.shape or x.dtype != y.dtype or x.tobytes() != y.tobytes()


# ---- a gradient from whatever kind of mode there is


def _gradient(
    differentiator: Differentiator,
    mode: str,
    function: Lowered,
    point: list[Array],
    seeds: list[Seed],
) -> Pulled:
    """The gradient. What is handed over beside the point is noted in `seeds`."""
    found = differentiator.modes()
    if mode not in found:
        raise ValueError(
            f"{differentiator.name} has no mode {mode!r}; its modes are {[*found]}"
        )
    kind, method, count = found[mode].kind, getattr(differentiator, mode), len(point)
    if kind == "gradient":
        return _checked(method(function, point), count)
    if kind == "vjp":
        one, cotangent = (np.ones((), function.dtype) for _ in range(2))
        seeds.append(("the cotangent", one, cotangent))
        return _checked(method(function, point, cotangent), count)
    if kind == "jvp":
        return _by_unit_tangents(method, function, point, seeds)
    raise ValueError(f"mode {mode!r} is of kind {kind!r}, which gives no gradient")


def _by_unit_tangents(
    method: Any, function: Lowered, point: list[Array], seeds: list[Seed]
) -> Pulled:
    """One call for each entry of each input; one with zeros where there is none."""
    value: Any = None
    cotangents = []
    for i, x in enumerate(point):
        entries = []
        for j in range(x.size):
            unit = [np.zeros_like(x) for x in point]
            unit[i].flat[j] = 1.0
            value, tangent = _pushed(_push(method, function, point, unit, seeds))
            entries.append(tangent)
        cotangents.append(_stacked(entries, x))
    if value is None:
        zeros = [np.zeros_like(x) for x in point]
        value, _ = _pushed(_push(method, function, point, zeros, seeds))
    return Pulled(value, cotangents)


def _push(
    method: Any,
    function: Lowered,
    point: list[Array],
    tangents: list[Array],
    seeds: list[Seed],
) -> Any:
    """One call of a jvp mode; tangents that it overwrites are noted."""
    handed = [np.array(x) for x in tangents]
    found = method(function, list(point), list(handed))
    for i, (x, y) in enumerate(zip(tangents, handed, strict=True)):
        if _differ(x, y):
            seeds.append((f"the tangent of input {i + 1}", x, y))
    return found


def _stacked(entries: list[Any], like: Array) -> Any:
    """The derivatives by single entries as one array; bare numbers take its dtype."""
    if like.shape == () or not entries:
        return entries[0] if entries else np.zeros_like(like)
    plain = all(e is None or type(e) in (int, float) for e in entries)
    stacked = np.array([0.0 if e is None else e for e in entries])
    if stacked.size != like.size:
        raise ValueError(f"tangents of shape {stacked.shape[1:]} for a scalar output")
    stacked = stacked.reshape(like.shape)
    return stacked.astype(like.dtype) if plain else stacked


def _pushed(result: Any) -> Pushed:
    if not isinstance(result, Pushed):
        raise Misuse(
            f"the mode returned {_short(result)}; a jvp mode is "
            f"{KINDS['jvp']}: return Pushed(value, tangent)"
        )
    return Pushed(_plain(result.value, "value"), _plain(result.tangent, "tangent"))


def _checked(result: Any, count: int) -> Pulled:
    if not isinstance(result, Pulled):
        raise Misuse(
            f"the mode returned {_short(result)}; return Pulled(value, cotangents)"
        )
    if not isinstance(result.cotangents, Sequence):
        raise Misuse(
            f"the cotangents are {_short(result.cotangents)}; give a list, one entry "
            "for each input"
        )
    if len(result.cotangents) != count:
        raise Misuse(
            f"{len(result.cotangents)} cotangents came back for {count} inputs; "
            "give one for each, None where unconnected"
        )
    others = result.intermediates
    return Pulled(
        _plain(result.value, "value"),
        [_plain(ct, f"cotangent {k}") for k, ct in enumerate(result.cotangents)],
        None if others is None else _plain_each(others),
    )


def _plain_each(others: Mapping[int, Any]) -> dict[int, Any]:
    return {i: _plain(ct, f"cotangent of node {i}") for i, ct in others.items()}


def _plain(value: Any, what: str) -> Any:
    """A copy as a NumPy array; None and Python's numbers stay as they are.

    An int beyond 64 bits becomes a float, beyond the floats an infinity. Raises
    `Misuse`, naming `what`, for what is neither a number nor an array of numbers.
    """
    if value is None or type(value) in (bool, float):
        return value
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else _float(value)
    if isinstance(value, np.ndarray) and value.size > LARGEST:  # a view costs nothing
        raise Misuse(f"the {what} has the shape {value.shape}, which is too large")
    if isinstance(value, np.ma.MaskedArray):
        raise Misuse(_no_numbers(what, value, "some entries may be masked"))
    try:
        array = np.array(value)
    except ValueError as error:
        raise Misuse(_no_numbers(what, value, str(error))) from error
    if array.dtype.kind not in "biufc":
        raise Misuse(_no_numbers(what, value, f"NumPy makes dtype {array.dtype} of it"))
    return array


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _no_numbers(what: str, value: Any, why: str) -> str:
    return (
        f"the {what} is {_short(value)}, which is no array of numbers ({why}); give a "
        "NumPy array, or a Python number"
    )


def _short(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
