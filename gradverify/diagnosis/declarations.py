"""Deviations that an engine may declare: what it does not take, and how it says so.

One cause may show in many ops. For example, an engine that takes subnormal numbers for
zero deviates in most of them. Each row has a test of its cause. Some run the same case
without what the engine may not take, and it must be right there. Others run a case that
has nothing else, and it must deviate there as well.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from gradverify.diagnosis.generic_points import PointStyle, moved, resized
from gradverify.diagnosis.observation import is_smooth, observed
from gradverify.diagnosis.right_sweep import right
from gradverify.differentiators import Derivatives, Differentiator
from gradverify.formats import format_of
from gradverify.graph import (
    LEAVES,
    Array,
    Case,
    Graph,
    apply_op,
    input_leaf,
    literal_leaf,
)
from gradverify.ops import OPS
from gradverify.ops.shapes import elementwise
from gradverify.verdict import Judgement, Verdict

Look = Callable[[Case], Derivatives | None]

FLUSHED = 2.0**8  # times the smallest number: far below all normal ones


@dataclass(frozen=True)
class DeviatingEngine:
    """A case at which an engine deviates, and how to run the engine."""

    case: Case
    judgement: Judgement
    differentiator: Differentiator
    look: Look


@dataclass(frozen=True)
class Declaration:
    """Something that an engine may declare instead.

    name: as records have it, the cause of a finding.
    says: what happens, with the fields got and exact.
    declare: what an engine says, as source text.
    shows: whether the deviation comes from that.
    """

    name: str
    says: str
    declare: str
    shows: Callable[[DeviatingEngine], bool]


# ---- evidence


def _is_right(look: Look, case: Case) -> bool:
    """Whether the engine is right at a case; at a kink, whether it runs there."""
    found = look(case)
    if found is None or found.error is not None or found.timed_out:
        return False
    seen = observed(case, found)
    return not seen.deviates if seen is not None else not is_smooth(case)


def _with_inputs(case: Case, op: str) -> Case | None:
    """The case with inputs in the place of all leaves of a kind; None if it has none."""
    point, nodes, changed = iter(case.point), [], False
    values: list[Array] = []
    for node in case.graph.nodes:
        is_mask = node.op == "data" and node.value.dtype == bool
        if node.op == op and not is_mask:
            values.append(np.asarray(node.value, case.dtype))
            node, changed = input_leaf(node.shape), True
        elif node.op == "input":
            values.append(next(point))
        nodes.append(node)
    return Case(Graph(tuple(nodes)), tuple(values), case.dtype) if changed else None


def _crashes(found: DeviatingEngine) -> bool:
    return found.judgement.verdict in (Verdict.CRASHED, Verdict.WRONG_SHAPE)


def promotes(found: DeviatingEngine) -> bool:
    """Whether a product with a Python number alone has the same wrong dtype."""
    if found.judgement.verdict is not Verdict.WRONG_DTYPE:
        return False
    nodes = [input_leaf(), literal_leaf(1.5)]
    nodes.append(apply_op(nodes, "mul", [0, 1]))
    one = np.ones((), found.case.dtype)
    seen = found.look(Case(Graph(tuple(nodes)), (one,), found.case.dtype))
    dtypes = _dtypes(seen) if seen is not None else ()
    return found.judgement.got in dtypes


def _dtypes(found: Derivatives) -> Iterator[str]:
    for x in (found.value, *found.cotangents):
        dtype = getattr(x, "dtype", None)
        if dtype is not None:
            yield str(dtype)


def refuses(op: str) -> Callable[[DeviatingEngine], bool]:
    """Whether an exception is gone with inputs in the place of leaves of that kind."""

    def shows(found: DeviatingEngine) -> bool:
        other = _with_inputs(found.case, op) if _crashes(found) else None
        return other is not None and _is_right(found.look, other)

    return shows


def flushes(found: DeviatingEngine) -> bool:
    """Whether a product of a subnormal number and 1 is zero, and this case has such
    numbers.
    """
    if not _has_subnormals(found.case) or _deviates_at_ordinary(found):
        return False
    tiny = FLUSHED * format_of(found.case.dtype).smallest
    nodes = [input_leaf(), input_leaf()]
    nodes.append(apply_op(nodes, "mul", [0, 1]))
    point = (np.array(tiny, found.case.dtype), np.ones((), found.case.dtype))
    seen = found.look(Case(Graph(tuple(nodes)), point, found.case.dtype))
    if seen is None or seen.error is not None or np.shape(seen.value) != ():
        return False
    gone = [seen.value, *seen.cotangents[1:]]
    return any(x is not None and np.shape(x) == () and x == 0 for x in gone)


def _deviates_at_ordinary(found: DeviatingEngine) -> bool:
    """Whether it is wrong at numbers near 1, too, so that something else is wrong."""
    other = moved(found.case, 0, ORDINARY)
    if other is None or _has_subnormals(other):
        return False
    return not _is_right(found.look, other)


ORDINARY = PointStyle(0.4, ordinary=True)


def _has_subnormals(case: Case) -> bool:
    """Whether an input, a value or a derivative is subnormal."""
    normal = format_of(case.dtype).normal
    with np.errstate(all="ignore"):
        sweep = right(case)
        arrays = [*sweep.values, *sweep.adjoints]
    return any(
        bool(np.any((np.abs(x) > 0) & (np.abs(x) < normal)))
        for x in map(np.asarray, arrays)
        if x.dtype != bool and x.dtype != object
    )


def needs_entries(found: DeviatingEngine) -> bool:
    """Whether the program runs on arrays with two entries for every empty axis."""
    if all(node.shape.count(0) == 0 for node in found.case.graph.nodes):
        return False
    other = resized(found.case, lambda n: n or 2, fill=1.5)
    return other is not None and _is_right(found.look, other)


def needs_equal_shapes(found: DeviatingEngine) -> bool:
    """Whether an exception is gone with leaves in the shape of the result."""
    other = _unbroadcast(found.case) if _crashes(found) else None
    return other is not None and _is_right(found.look, other)


def _unbroadcast(case: Case) -> Case | None:
    """The case with every leaf as wide as what it is combined with.

    None if no operand is stretched, or if one that is stretched is no leaf.
    """
    nodes = list(case.graph.nodes)
    for node in case.graph.nodes:
        if node.op in LEAVES or OPS[node.op].shape is not elementwise:
            continue
        for j in node.operands:
            if nodes[j].shape != node.shape and nodes[j].op != "literal":
                if nodes[j].op not in LEAVES:
                    return None
                nodes[j] = replace(nodes[j], shape=node.shape)
    if all(a is b for a, b in zip(nodes, case.graph.nodes, strict=True)):
        return None
    point, given = [], iter(case.point)
    for i, node in enumerate(nodes):
        if node.op == "data":
            wide = np.array(np.broadcast_to(node.value, node.shape))
            nodes[i] = replace(node, value=wide)
        elif node.op == "input":
            point.append(np.array(np.broadcast_to(next(given), node.shape)))
    try:
        return Case(Graph(tuple(nodes)), tuple(point), case.dtype)
    except ValueError:  # a leaf has another use
        return None


# fmt: off
DECLARATIONS: tuple[Declaration, ...] = (
    Declaration("python numbers", "a Python number makes {got} of {exact}, as in a * 1.5",         "literals=False",       promotes),
    Declaration("python numbers", "it does not take a Python number; an input in its place runs",  "literals=False",       refuses("literal")),
    Declaration("subnormals",     "a subnormal number is taken for zero, as in a * 1",             "subnormals=False",     flushes),
    Declaration("empty arrays",   "it does not take an array without entries; two entries run",    "empty=False",          needs_entries),
    Declaration("broadcasting",   "it does not take operands of different shapes; equal ones run", "broadcasting=False",   needs_equal_shapes),
    Declaration("data",           "it does not take an array that is not differentiated",          "data=False",           refuses("data")),
)
# fmt: on

DECLARED = tuple(dict.fromkeys(row.name for row in DECLARATIONS))
"""The causes that stand for one deviation of an engine, whatever the op."""


def declaration(found: DeviatingEngine) -> Declaration | None:
    """What the engine may declare instead of this deviation; None if nothing."""
    return next((row for row in DECLARATIONS if row.shows(found)), None)


def sentence(row: Declaration, found: DeviatingEngine) -> str:
    """What happens, and what the engine may say."""
    told = row.says.format(got=found.judgement.got, exact=found.judgement.exact)
    return f"{told}; {_advice(row, found)}"


def _advice(row: Declaration, found: DeviatingEngine) -> str:
    """What the engine declares, or where the Python number is that is no operand."""
    said = "if that is meant, the engine says so: accepts = gradverify.Accepts"
    nodes = found.case.graph.nodes
    if row.shows is not promotes or any(node.op == "literal" for node in nodes):
        return f"{said}({row.declare})"
    scalars = any(node.op == "data" and node.shape == () for node in nodes)
    if scalars and "data" not in found.differentiator.table:
        return 'data of rank 0 are such numbers, unless the table has a row "data"'
    return (
        "here the row, a param of the op, or the library itself has one: make it a "
        f"number of {found.case.dtype} in the row"
    )


# ---- what is seen in the time that runs take

SLOW = 0.25  # seconds for a graph of a few ops: more than NumPy needs for a thousand
ENOUGH = 4  # cases


def compiling(differentiator: Differentiator, seconds: Sequence[float]) -> str | None:
    """What an engine may declare that needs much time for every new graph.

    None if it is fast, or if it declares so already.
    """
    if differentiator.compiles or len(seconds) < ENOUGH:
        return None
    usual = median(seconds)
    if usual < SLOW:
        return None
    return (
        f"{differentiator.name} takes {usual:.1f} s for a graph of a few ops; if it "
        f"compiles every new graph, it says so: {COMPILES}"
    )


COMPILES = "compiles = True"
