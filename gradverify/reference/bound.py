"""How much rounding may explain: the allowed error of every number, computed.

    B(w) = c * sum over sites s of |d(w.g)/ds| * scale_s

to first order, by one reverse sweep over the gradient program for a stack of
projections w; where there are too many of those, by running errors (`running.py`).
Where first order does not hold, by balls (`widening.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.autodiff.sweep import reverse
from gradverify.graph import LEAVES, Array, Node, interpret_all
from gradverify.reference.program import GradientProgram
from gradverify.reference.rounding import (
    CURVED,
    FORMATS,
    NEVER_UNDERFLOWS,
    SAFETY,
    SITES,
    STRAIGHT,
    SUMS,
    Format,
)
from gradverify.reference.running import running_errors
from gradverify.reference.widening import ball_bounds

STACK = 64  # projections swept at once: more would only cost memory
WORK = 2.0**25  # products of a reverse sweep an entry, beyond which errors run


@dataclass(frozen=True)
class Bound:
    """Allowed absolute errors of the entries of one node of the gradient program.

    tight: rounding inside the ops' stable formulas, arrays of the node's shape.
    loose: operands moved by an ulp as well, never less than tight.
    """

    tight: Array
    loose: Array


def bounds(
    program: GradientProgram, point: Sequence[Array], dtype: str, targets: Sequence[int]
) -> list[Bound]:
    """The bound of every entry of each target node of the program.

    Infinite where an intermediate overflows the format: rounding explains anything.
    """
    form = FORMATS[dtype]
    inputs = [EXTENDED.lift(x) for x in point]
    with np.errstate(all="ignore"):
        values = interpret_all(program.graph, EXTENDED.table, inputs)
        moved = _moved_values(program, inputs, form)
        sweep = _first_order if _work(program, targets) <= WORK else _running
        first = sweep(program, values, form, targets)
        again = sweep(program, moved, form, targets)
        is_straight = _is_straight(program.graph.nodes, values, moved)
    result = list(first)
    doubtful = [
        k
        for k, (a, b) in enumerate(zip(first, again, strict=True))
        if not (is_straight and _alike(a, b, form.smallest))
    ]
    if doubtful:
        balls = ball_bounds(program, point, form, [targets[k] for k in doubtful])
        for k, ball in zip(doubtful, balls, strict=True):
            result[k] = Bound(*ball)
    return result


def _work(program: GradientProgram, targets: Sequence[int]) -> int:
    """Entries of the targets times numbers of the program: the cost of all sweeps."""
    nodes = program.graph.nodes
    entries = sum(math.prod(nodes[t].shape) for t in targets)
    return entries * sum(math.prod(node.shape) for node in nodes)


def _is_straight(
    nodes: Sequence[Node], values: Sequence[Any], moved: Sequence[Any]
) -> bool:
    """Whether no curved op had its operands moved as far as its slope changes."""
    for node in nodes:
        if node.op in CURVED:
            x = [values[j] for j in node.operands]
            for j, radius in zip(node.operands, CURVED[node.op](*x), strict=True):
                shift = np.abs(moved[j] - values[j])
                if not np.all(shift <= STRAIGHT * radius):
                    return False
    return True


def _alike(a: Bound, b: Bound, least: float) -> bool:
    """Whether the bound is the same, within 2, at a point moved by the roundings."""
    return all(
        bool(np.all((x <= 2 * y + least) & (y <= 2 * x + least)))
        for x, y in ((a.tight, b.tight), (a.loose, b.loose))
    )


# ---- first order


def _first_order(
    program: GradientProgram,
    values: Sequence[Any],
    form: Format,
    targets: Sequence[int],
) -> list[Bound]:
    graph = program.graph
    tight, loose = _scales(graph.nodes, values, form)
    sizes = [math.prod(graph.nodes[t].shape) for t in targets]
    sums_tight = np.zeros(sum(sizes), np.longdouble)
    sums_loose = np.zeros(sum(sizes), np.longdouble)
    for part, seeds in _stacks(graph.nodes, targets, sizes):
        cotangents = reverse(graph, EXTENDED, values, seeds)
        sums_tight[part] = _weighted(cotangents, tight, part)
        sums_loose[part] = sums_tight[part] + _weighted(cotangents, loose, part)
    return _split(graph.nodes, targets, sizes, sums_tight, sums_loose)


def _running(
    program: GradientProgram,
    values: Sequence[Any],
    form: Format,
    targets: Sequence[int],
) -> list[Bound]:
    """As `_first_order`, never less than that, for any number of entries at once."""
    graph = program.graph
    tight, loose = _scales(graph.nodes, values, form)
    errors = running_errors(graph, values, (tight, loose), targets)
    return [Bound(SAFETY * a, SAFETY * (a + b)) for a, b in errors]


def _moved_values(
    program: GradientProgram, inputs: Sequence[Any], form: Format
) -> list[Any]:
    """All values, each moved by its rounding, in a direction that alternates."""
    sign = _alternating()
    unit, tiny = SAFETY * form.unit_roundoff, SAFETY * form.smallest

    def moved(op: str) -> Any:
        function, site = EXTENDED.table[op], SITES[op]

        def apply(*x: Any, **params: Any) -> Any:
            y = function(*x, **params)
            scale = site(EXTENDED, y, *x, **params)
            if scale is None:
                return y
            least = 0.0 if op in NEVER_UNDERFLOWS else tiny
            return y + next(sign) * (unit * scale + least)

        return apply

    table = EXTENDED.table | {op: moved(op) for op in SITES}
    return interpret_all(program.graph, table, inputs)


def _alternating() -> Iterator[float]:
    """Signs without a short period (Thue and Morse), so that no two errors pair up."""
    k = 0
    while True:
        yield -1.0 if k.bit_count() % 2 else 1.0
        k += 1


def _scales(
    nodes: Sequence[Node], values: Sequence[Any], form: Format
) -> tuple[dict[int, Array], dict[int, Array]]:
    """For every site the size of its rounding: tight ones, and what loose adds."""
    tight: dict[int, Array] = {}
    loose: dict[int, Array] = {}
    for i, node in enumerate(nodes):
        if node.op in LEAVES:
            continue
        x = [values[j] for j in node.operands]
        if node.op == "slack":
            size = form.unit_roundoff * np.abs(x[1])
            loose[i] = np.broadcast_to(size, node.shape)
            continue
        scale = SITES[node.op](EXTENDED, values[i], *x, **node.params)
        if scale is None or _is_exact_product(nodes, node):
            continue
        rounding = form.unit_roundoff * scale
        if node.op not in NEVER_UNDERFLOWS:
            rounding = rounding + form.smallest
        size = np.abs(values[i])
        # the scale of a sum holds all summands: in some order they overflow first
        most = scale if node.op in SUMS else size
        tight[i] = np.where(most <= form.largest, rounding, np.inf)
        if np.any(size < form.normal):
            # Factors in another order, or a backend that flushes to zero, lose it.
            loose[i] = np.where(size < form.normal, size, 0.0)
    return tight, loose


def _is_exact_product(nodes: Sequence[Node], node: Node) -> bool:
    """Whether a product is with 1, as the one that starts the reverse sweep."""
    return node.op == "mul" and any(
        nodes[j].op in ("literal", "data") and np.all(nodes[j].value == 1.0)
        for j in node.operands
    )


def _stacks(
    nodes: Sequence[Node], targets: Sequence[int], sizes: Sequence[int]
) -> Iterator[tuple[slice, Mapping[int, Any]]]:
    """Unit cotangents for every entry of every target, at most STACK at a time."""
    total = sum(sizes)
    starts = np.cumsum([0, *sizes])
    for begin in range(0, total, STACK):
        part = slice(begin, min(begin + STACK, total))
        seeds: dict[int, Any] = {}
        for target, start, size in zip(targets, starts, sizes, strict=False):
            rows = np.arange(max(start, part.start), min(start + size, part.stop))
            if not rows.size:
                continue
            unit = np.zeros((part.stop - part.start, size), np.longdouble)
            unit[rows - part.start, rows - start] = 1.0
            unit = unit.reshape(-1, *nodes[target].shape)
            seeds[target] = seeds[target] + unit if target in seeds else unit
        yield part, seeds


def _weighted(
    cotangents: Sequence[Any], scales: Mapping[int, Array], part: slice
) -> Array:
    """The sum over sites of |cotangent| * scale, for every row of the stack."""
    total = np.zeros(part.stop - part.start, np.longdouble)
    for i, scale in scales.items():
        ct = cotangents[i]
        if ct is None:
            continue
        flat = np.abs(ct).reshape(len(total), -1)
        weighted = flat * scale.reshape(-1)
        total += np.where(flat == 0.0, 0.0, weighted).sum(axis=1)
    return total


def _split(
    nodes: Sequence[Node],
    targets: Sequence[int],
    sizes: Sequence[int],
    tight: Array,
    loose: Array,
) -> list[Bound]:
    ends = np.cumsum([0, *sizes])
    return [
        Bound(
            (SAFETY * tight[a:b]).reshape(nodes[t].shape),
            (SAFETY * loose[a:b]).reshape(nodes[t].shape),
        )
        for t, a, b in zip(targets, ends[:-1], ends[1:], strict=True)
    ]
