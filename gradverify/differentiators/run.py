"""One differentiator on one case: in this process, or in one of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradverify.differentiators.derivatives import Derivatives
from gradverify.differentiators.in_process import run_here
from gradverify.differentiators.isolation import worker_of
from gradverify.differentiators.protocol import Differentiator
from gradverify.formats import format_of
from gradverify.graph import LEAVES, Case, Graph, Limits
from gradverify.ops import OPS
from gradverify.ops.shapes import elementwise
from gradverify.questions import GRADIENT, Question, questions_of


def modes(differentiator: Differentiator) -> tuple[str, ...]:
    """The modes that run if none is named: the default ones, or all without such."""
    found = differentiator.modes()
    default = tuple(name for name, m in found.items() if m.default)
    return default or tuple(found)


def questions(differentiator: Differentiator, mode: str) -> tuple[Question, ...]:
    """What a mode is asked of every case, in this order.

    A jvp is asked for whole gradients, by unit tangents, where the engine has no other
    way to give them.
    """
    found = differentiator.modes()
    asked = questions_of(found[mode].kind)
    if len(asked) > 1 and any(m.kind in ("gradient", "vjp") for m in found.values()):
        return asked[1:]
    return asked


def run(
    differentiator: Differentiator,
    mode: str,
    case: Case,
    *,
    limit: float = 10.0,
    question: Question | None = None,
) -> Derivatives:
    """The answer of that mode to a question about the case, in at most `limit` seconds.

    question: by default the first one that a mode of its kind is asked.

    Nothing is raised. What the engine raises, warns of, overwrites or changes is in the
    result. If it has a process of its own, so is the end of that process. Only the
    user's own interrupt, and what ends a test of pytest, are passed on.
    """
    if question is None:
        declared = differentiator.modes().get(mode)
        question = GRADIENT if declared is None else questions_of(declared.kind)[0]
    worker = worker_of(differentiator)
    if worker is not None:
        return worker.run(mode, case, limit, question)
    return run_here(differentiator, mode, case, limit, question=question)


BUSY = 2  # times that an engine is asked again which waited for a busy processor
# Limits that such an engine is given at most. All its tries last nine of them, which an
# engine that waits for something else costs as well.
LONGER = 4.0


def given_time(ask: Callable[[float], Derivatives]) -> Derivatives:
    """An answer, asked for again where the engine waited for a busy processor.

    Then it may take longer by the clock, up to `LONGER` limits, since it had only a
    share of the processor. One that has had it for its limit is not asked again.

    ask: takes how many times its limit the engine may take.
    """
    found, times = ask(1.0), 1.0
    for _ in range(BUSY):
        if found.starved and found.busy < found.seconds / times:
            times = min(LONGER, 1.5 * times * found.seconds / max(found.busy, 1e-3))
            found = ask(times)
    return found


# ---- what a differentiator cannot run


def unsupported(differentiator: Differentiator, case: Case) -> str | None:
    """Why the differentiator cannot run the case; None if it can."""
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
