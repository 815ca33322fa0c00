"""One differentiator on one case: derivatives come out, whatever the engine does."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.differentiators.protocol import (
    KINDS,
    Differentiator,
    Lowered,
    Misuse,
    Pulled,
    Pushed,
)
from gradverify.differentiators.time_limit import TimeLimit, time_limit
from gradverify.formats import format_of
from gradverify.graph import LEAVES, Array, Case, Graph, Limits
from gradverify.ops import OPS
from gradverify.ops.shapes import elementwise


@dataclass(frozen=True)
class Derivatives:
    """What a differentiator made of a case.

    value, cotangents, intermediates: as the engine gave them, arrays copied.
    error: what it raised; mutated: positions of inputs that it overwrote.
    """

    value: Any = None
    cotangents: tuple[Any, ...] = ()
    intermediates: Mapping[int, Any] | None = None
    error: BaseException | None = None
    timed_out: bool = False
    mutated: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


def modes(differentiator: Differentiator) -> tuple[str, ...]:
    """The modes that are run when none is named: the default ones, else all."""
    found = {k: m for k, m in differentiator.modes().items() if m.kind != "hvp"}
    default = tuple(name for name, m in found.items() if m.default)
    return default or tuple(found)


def run(
    differentiator: Differentiator, mode: str, case: Case, *, limit: float = 10.0
) -> Derivatives:
    """The gradient of the case by that mode, in at most `limit` seconds.

    Never raises: what the engine raises, warns of and overwrites is in the result. The
    user's own interrupt, and what ends a test of pytest, are passed on.
    """
    point = [np.array(x) for x in case.point]
    pulled, error, timed_out = Pulled(None, ()), None, False
    ours: TimeLimit | None = None
    with _quiet() as caught:
        function = Lowered(case.graph, differentiator.table, case.dtype)
        began = time.perf_counter()
        try:
            with time_limit(limit) as ours:
                pulled = _gradient(differentiator, mode, function, list(point))
        except TimeLimit as reached:
            if reached is not ours:
                raise
            timed_out = True
        except BaseException as problem:
            if _is_hosts(problem):
                raise
            error = problem
        seconds = time.perf_counter() - began
    return Derivatives(
        value=pulled.value,
        cotangents=tuple(pulled.cotangents),
        intermediates=pulled.intermediates,
        error=error,
        timed_out=timed_out,
        mutated=_mutated(case.point, point),
        warnings=tuple(f"{w.category.__name__}: {w.message}" for w in caught),
        seconds=seconds,
    )


@contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Warnings are collected, whatever the host's filters; NumPy gives none."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        yield caught


def _is_hosts(problem: BaseException) -> bool:
    """Whether an exception is meant for the program that we run in."""
    if isinstance(problem, KeyboardInterrupt):
        return True
    # pytest's own, such as the end of a test by a plugin for timeouts; some of its
    # classes give themselves out as builtins, but their bases do not
    return any(c.__module__.startswith("_pytest.") for c in type(problem).__mro__)


def _mutated(before: Sequence[Array], after: Sequence[Array]) -> tuple[int, ...]:
    return tuple(
        i
        for i, (x, y) in enumerate(zip(before, after, strict=True))
        if x.shape != y.shape or x.dtype != y.dtype or x.tobytes() != y.tobytes()
    )


# ---- a gradient from whatever kind of mode there is


def _gradient(
    differentiator: Differentiator, mode: str, function: Lowered, point: list[Array]
) -> Pulled:
    found = differentiator.modes()
    if mode not in found:
        raise ValueError(
            f"{differentiator.name} has no mode {mode!r}; its modes are {[*found]}"
        )
    kind, method, count = found[mode].kind, getattr(differentiator, mode), len(point)
    if kind == "gradient":
        return _checked(method(function, point), count)
    if kind == "vjp":
        cotangent = np.ones((), function.dtype)
        return _checked(method(function, point, cotangent), count)
    if kind == "jvp":
        return _by_unit_tangents(method, function, point)
    raise ValueError(f"mode {mode!r} is of kind {kind!r}, which gives no gradient")


def _by_unit_tangents(method: Any, function: Lowered, point: list[Array]) -> Pulled:
    """One call for each entry of each input; one with zeros where there is none."""
    value: Any = None
    cotangents = []
    for i, x in enumerate(point):
        entries = []
        for j in range(x.size):
            tangents = [np.zeros_like(x) for x in point]
            tangents[i].flat[j] = 1.0
            value, tangent = _pushed(method(function, list(point), tangents))
            entries.append(tangent)
        cotangents.append(_stacked(entries, x))
    if value is None:
        zeros = [np.zeros_like(x) for x in point]
        value, _ = _pushed(method(function, point, zeros))
    return Pulled(value, cotangents)


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


# ---- what a differentiator cannot run


def unsupported(differentiator: Differentiator, case: Case) -> str | None:
    """Why the differentiator cannot run the case; None where it can."""
    accepts, graph = differentiator.accepts, case.graph
    if case.dtype not in accepts.dtypes:
        return f"dtype {case.dtype}: only {', '.join(accepts.dtypes)}"
    if accepts.max_inputs is not None and len(graph.inputs) > accepts.max_inputs:
        return f"{len(graph.inputs)} inputs: at most {accepts.max_inputs}"
    table = differentiator.table
    for op in graph.ops:
        row = table.get(op, "the table has no row for it")
        row = differentiator.taken_out.get(op, row)
        if isinstance(row, str):
            return f"{op}: {row}"
    if not accepts.subnormals and _has_subnormals(case):
        return "a subnormal number, which it takes for zero"
    return _unaccepted(accepts, graph)


def _unaccepted(limits: Limits, graph: Graph) -> str | None:
    for i, node in enumerate(graph.nodes):
        if len(node.shape) not in limits.ranks:
            return f"an array of rank {len(node.shape)}: only {_ranks(limits.ranks)}"
        if not limits.empty and math.prod(node.shape) == 0:
            return "an array without elements"
        if not limits.literals and node.op == "literal":
            return "a Python number as an operand"
        if not limits.data and node.op == "data":
            return "an array that is not differentiated"
        if not limits.broadcasting and _broadcasts(graph, i):
            return f"{node.op} of operands of different shapes"
    return None


def _has_subnormals(case: Case) -> bool:
    """Whether a leaf has an entry between zero and the smallest normal number."""
    leaves: list[Any] = [node.value for node in case.graph.nodes if node.op in LEAVES]
    normal = format_of(case.dtype).normal
    return any(
        np.any((np.abs(x) > 0) & (np.abs(x) < normal))
        for x in (*case.point, *leaves)
        if x is not None
    )


def _ranks(ranks: range) -> str:
    return f"ranks {', '.join(map(str, ranks))}"


def _broadcasts(graph: Graph, i: int) -> bool:
    """Whether an op needs its operands stretched to a common shape."""
    node = graph.nodes[i]
    if node.op in LEAVES or OPS[node.op].shape is not elementwise:
        return node.op == "broadcast_to"
    operands = [graph.nodes[j] for j in node.operands]
    return len({x.shape for x in operands if x.op != "literal"}) > 1
