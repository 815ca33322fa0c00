"""Drawn graphs at which a planted slip shows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from gradverify.differentiators import Differentiator
from gradverify.graph import Case, names_of
from gradverify.strategies import draw, graphs
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge

from .slips import BINARY, REDUCTIONS, UNARY

MOST = 12  # ops of a graph
PLAIN = ("add", "neg", "matmul", "reshape", "broadcast_to", "transpose")
MENU = tuple(sorted({*UNARY, *BINARY, *REDUCTIONS, *PLAIN}))
TRIED = (6, 24, 60)  # graphs in which a slip is looked for: most show it at once
OFTEN = 12  # times that an op stands in the menu


@cache
def drawn(op: str | None, seed: int, count: int = 24) -> tuple[Case, ...]:
    """Graphs of up to 12 ops that have the op; more of them begin with the same."""
    menu = (*MENU, *[op] * OFTEN) if op else MENU
    found = draw(graphs(min_nodes=3, max_nodes=MOST, ops=menu), count, seed).cases
    return tuple(
        c for c in found if c.graph.size <= MOST and (not op or op in c.graph.ops)
    )


def failing(
    who: Differentiator,
    op: str | None,
    seed: int,
    twin: Differentiator | None = None,
) -> tuple[Case, Judgement]:
    """The first graph at which the derivative by an input is wrong.

    twin: the same without the slip. A library that is wrong by itself shows no slip.

    `LookupError` where there is none.
    """
    for case in _looked_at(op, seed):
        found = judge(case, who, "reverse")
        names = names_of(case.graph)
        inputs = [f"d/d{names[i]}" for i in case.graph.inputs]
        if found.verdict is Verdict.WRONG and found.where.split("[")[0] in inputs:
            own = twin is not None and judge(case, twin, "reverse").verdict.fails()
            if not own:
                return case, found
    raise LookupError(f"{who.name} is wrong at none of the graphs of seed {seed}")


def _looked_at(op: str | None, seed: int) -> Iterator[Case]:
    """What is drawn, in its order. The rest is drawn if it is needed."""
    looked = 0
    for count in TRIED:
        found = drawn(op, seed, count)
        yield from found[looked:]
        looked = len(found)
