"""One differentiator on one case in this process: its answer, whatever it does."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
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
    may_have_waited,
    processor_time,
    time_limit,
)
from gradverify.graph import Array, Case, Graph, Node
from gradverify.ops import Shape
from gradverify.questions import (
    GRADIENT,
    HESSIAN,
    JACOBIAN,
    JVP,
    SECOND,
    Question,
    contracted,
    tangents_of,
    up_to,
)
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
    question: Question = GRADIENT,
) -> Derivatives:
    """The answer of that mode to a question about the case, in at most `limit` seconds.

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
        asked = ModeCall(differentiator, mode, case, question, table)
        began, busy = time.perf_counter(), processor_time()
        with engine_call() as changed:
            try:
                with refused_exit(), time_limit(limit) as ours:
                    pulled = asked.answer(list(point), seeds)
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
        value=asked.scalar(pulled.value),
        cotangents=tuple(pulled.cotangents),
        intermediates=pulled.intermediates,
        of_array=asked.of_array,
        error=error,
        timed_out=timed_out,
        mutated=_mutated(case.point, point),
        seeds=tuple(dict.fromkeys(what for what, x, y in seeds if _differ(x, y))),
        changed=tuple(changed),
        warnings=tuple(f"{w.category.__name__}: {told(w.message)}" for w in caught),
        seconds=seconds,
        busy=busy,
        starved=timed_out and may_have_waited(busy, limit),
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


# ---- an answer from whatever kind of mode there is


class ModeCall:
    """A mode of an engine, about to be asked a question about a case.

    of_array: whether the function that it gets returns the array that the case
        contracts, and not the scalar.
    """

    def __init__(
        self,
        differentiator: Differentiator,
        mode: str,
        case: Case,
        question: Question,
        table: Rows,
    ) -> None:
        self.differentiator, self.mode = differentiator, mode
        self.case, self.question = case, question
        found = differentiator.modes().get(mode)
        self.kind = "" if found is None else found.kind
        scalar = self.kind == "jvp" and question is GRADIENT
        self.of_array = self.kind in OF_ARRAYS and not scalar
        graph = _handed_over(case.graph)
        if self.of_array:
            graph = up_to(graph, contracted(case.graph).node)
        self.function = Lowered(graph, table, case.dtype)

    def answer(self, point: list[Array], seeds: list[Seed]) -> Pulled:
        """What the mode gives: one array for each part of the question.

        What is handed over beside the point is noted in `seeds`.
        """
        if not self.kind:
            known = [*self.differentiator.modes()]
            raise ValueError(
                f"{self.differentiator.name} has no mode {self.mode!r}; its modes are "
                f"{known}"
            )
        return ANSWERS[self.kind, self.question](self, point, seeds)

    def scalar(self, value: Any) -> Any:
        """The array that came back, contracted as the case contracts it.

        One of another shape is left as it is, which is a misfit.
        """
        cotangent = contracted(self.case.graph).cotangent
        if not self.of_array or np.shape(value) != cotangent.shape or value is None:
            return value
        array = np.asarray(value)
        with np.errstate(all="ignore"):
            whole = np.sum(array.astype(np.longdouble) * cotangent)
            return np.asarray(whole, array.dtype)

    @property
    def method(self) -> Any:
        """The mode's method, bound to the engine."""
        who = self.differentiator
        return who.modes()[self.mode].__get__(who, type(who))

    def tangents(self, seeds: list[Seed]) -> list[Array | None]:
        """Copies of the tangents that belong to the case, in its dtype."""
        graph, dtype = self.case.graph, self.case.dtype
        takes_none = self.differentiator.accepts.absent_tangents
        found: list[Array | None] = []
        for i, v in enumerate(tangents_of(graph, dtype)):
            if v is None and takes_none:
                found.append(None)
                continue
            like = self.case.point[i]
            whole = np.zeros_like(like) if v is None else np.asarray(v, dtype)
            handed = np.array(whole)
            found.append(handed)
            seeds.append((f"the tangent of input {i + 1}", whole, handed))
        return found


def _gradient(asked: ModeCall, point: list[Array], seeds: list[Seed]) -> Pulled:
    del seeds
    return _checked(asked.method(asked.function, point), len(asked.case.point))


def _vjp(asked: ModeCall, point: list[Array], seeds: list[Seed]) -> Pulled:
    whole = np.asarray(contracted(asked.case.graph).cotangent, asked.case.dtype)
    cotangent = np.array(whole)
    seeds.append(("the cotangent", whole, cotangent))
    return _checked(
        asked.method(asked.function, point, cotangent), len(asked.case.point)
    )


def _units(asked: ModeCall, point: list[Array], seeds: list[Seed]) -> Pulled:
    return _by_unit_tangents(asked.method, asked.function, point, seeds)


def _jvp(asked: ModeCall, point: list[Array], seeds: list[Seed]) -> Pulled:
    found = _pushed(asked.method(asked.function, point, asked.tangents(seeds)))
    return Pulled(found.value, [found.tangent])


def _hvp(asked: ModeCall, point: list[Array], seeds: list[Seed]) -> Pulled:
    found = asked.method(asked.function, point, asked.tangents(seeds))
    return _checked(found, len(asked.case.point))


def _jacobian(asked: ModeCall, point: list[Array], seeds: list[Seed]) -> Pulled:
    """The rows that are judged, of every block."""
    del seeds
    found = _checked(asked.method(asked.function, point), len(asked.case.point))
    output, rows = asked.function.graph.output.shape, asked.question.rows(asked.case)
    blocks = [
        _picked(block, output, x.shape, rows)
        for block, x in zip(found.cotangents, asked.case.point, strict=True)
    ]
    return Pulled(found.value, blocks)


def _hessian(asked: ModeCall, point: list[Array], seeds: list[Seed]) -> Pulled:
    """The rows that are judged, of all blocks in a row of blocks one below another."""
    del seeds
    found = _blocks(asked.method(asked.function, point), len(asked.case.point))
    rows, sizes = asked.question.rows(asked.case), [x.size for x in asked.case.point]
    starts = np.cumsum([0, *sizes])
    chosen = [
        (i, tuple(r - start for r in rows if start <= r < start + size))
        for i, (start, size) in enumerate(zip(starts.tolist(), sizes, strict=False))
    ]
    columns = []
    for j, x in enumerate(asked.case.point):
        parts = [
            _picked(found.cotangents[i][j], asked.case.point[i].shape, x.shape, own)
            for i, own in chosen
            if own
        ]
        columns.append(_joined(parts, x, [len(own) for _, own in chosen if own]))
    return Pulled(found.value, columns)


def _picked(block: Any, output: Shape, shape: Shape, rows: Sequence[int]) -> Any:
    """Some rows of a block of shape `output + shape`; one of another shape is left."""
    if block is None or np.shape(block) != (*output, *shape):
        return block
    return np.reshape(block, (math.prod(output), *shape))[list(rows)]


def _joined(parts: Sequence[Any], x: Array, counts: Sequence[int]) -> Any:
    """Rows of several blocks by x; a block of another shape is given instead of all.

    No rows at all are none that the engine gave: they have the dtype of x.
    """
    if not parts or all(part is None for part in parts):
        return None if parts else np.zeros((0, *x.shape), x.dtype)
    filled = []
    for part, count in zip(parts, counts, strict=True):
        wanted = (count, *x.shape)
        if part is not None and np.shape(part) != wanted:
            return part
        filled.append(np.zeros(wanted) if part is None else part)
    given = next(part for part in parts if part is not None)
    return np.concatenate([np.asarray(f, np.asarray(given).dtype) for f in filled])


def _blocks(result: Any, count: int) -> Pulled:
    """A Hessian as rows of blocks, all of which are arrays or None."""
    if not isinstance(result, Pulled):
        raise Misuse(
            f"the mode returned {_short(result)}; a hessian mode is "
            f"{KINDS['hessian']}: return Pulled(value, blocks)"
        )
    rows = result.cotangents
    if not isinstance(rows, Sequence) or len(rows) != count:
        raise Misuse(
            f"the Hessian is {_short(rows)}; give a list of {count} rows, one for each "
            "input, each a list of blocks, one for each input"
        )
    plain = []
    for i, row in enumerate(rows):
        if row is not None and (not isinstance(row, Sequence) or len(row) != count):
            raise Misuse(
                f"row {i} of the Hessian is {_short(row)}; give a list of {count} "
                "blocks, or None where input is not connected"
            )
        whole = [None] * count if row is None else row
        plain.append([_plain(b, f"block {i}, {j}") for j, b in enumerate(whole)])
    return Pulled(_plain(result.value, "value"), plain)


OF_ARRAYS = ("vjp", "jvp", "jacobian")
"""Kinds of modes that get the function before it is contracted."""

Answering = Callable[[ModeCall, list[Array], list[Seed]], Pulled]

ANSWERS: Mapping[tuple[str, Question], Answering] = {
    ("gradient", GRADIENT): _gradient,
    ("vjp", GRADIENT): _vjp,
    ("jvp", GRADIENT): _units,
    ("jvp", JVP): _jvp,
    ("hvp", SECOND): _hvp,
    ("jacobian", JACOBIAN): _jacobian,
    ("hessian", HESSIAN): _hessian,
}


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
