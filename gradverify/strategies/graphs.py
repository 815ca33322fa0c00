"""Strategies of cases: random graphs, and one op alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from gradverify.formats import check_dtype
from gradverify.graph import Case, Limits
from gradverify.ops import OPS
from gradverify.strategies.build import build
from gradverify.strategies.choices import Choices, Ending, Input, OpChoice
from gradverify.strategies.coverage import Met
from gradverify.strategies.draft import USUAL, Scope
from gradverify.strategies.own_shapes import OWN_SHAPES
from gradverify.strategies.points import CHOICE, VALUES, Values, one_of_many
from gradverify.strategies.single_op import alone, operands_of
from gradverify.strategies.steering import steered_inputs

PLAINEST = Input(0, Values(0, [0]))

ONE_OP = Limits(empty=False)
"""What cases of one op are made of unless said."""


def graphs(
    *,
    ops: Sequence[str] | None = None,
    min_nodes: int = 1,
    max_nodes: int = 8,
    max_inputs: int = 3,
    within: Limits = USUAL,
    dtype: str = "float64",
    met: Met | None = None,
) -> st.SearchStrategy[Case]:
    """Random graphs with a point at which all operands lie in the domains of their ops.

    ops: the menu; unless given, all public ops but network layers.
    min_nodes, max_nodes: how many ops are drawn. Ops whose operands do not fit are left
        out, and joining unused nodes adds some.
    max_inputs: how many inputs at most. dtype: that of the point.
    within: what else graphs are made of, such as an engine's `accepts`.
    met: what earlier cases have had. Pairs of ops that none of them had are then drawn
        more often.

    An array at the end is contracted by `sum` and, if data are allowed, `mul`, even if
    these are not on the menu. Within ranks of `range(1)` there are no arrays. A graph
    shrinks to one op on one input, at 1.

    Raises `ValueError` for an op that is unknown, and for limits that allow no graph,
    with what is allowed.
    """
    if not 1 <= min_nodes <= max_nodes:
        raise ValueError(
            f"min_nodes={min_nodes} and max_nodes={max_nodes}; allowed are "
            "1 <= min_nodes <= max_nodes"
        )
    if max_inputs < 1:
        raise ValueError(f"max_inputs={max_inputs}; a graph needs at least 1")
    menu = _menu(ops)
    scope = Scope(menu, within, dtype)
    menu = _possible(scope)
    scope = replace(scope, ops=menu)
    # nested plain tuples, named once they are drawn: Hypothesis is fastest with these
    drawn = st.tuples(
        st.lists(st.tuples(CHOICE, VALUES), min_size=1, max_size=max_inputs),
        st.lists(_steps(menu), min_size=min_nodes, max_size=max_nodes),
        CHOICE,
        CHOICE,
    )
    names = _weighted(menu)

    def case(found: Any) -> Case:
        arrays, steps, join, weights = found
        inputs = [Input(shape, Values(*entries)) for shape, entries in arrays]
        named = [OpChoice(names[op], *choices) for op, *choices in steps]
        return build(Choices(inputs, named, Ending(join, weights)), scope, met)

    return drawn.map(case)


def op_cases(
    op: str,
    *,
    within: Limits = ONE_OP,
    dtype: str = "float64",
    met: Met | None = None,
) -> st.SearchStrategy[Case]:
    """Cases of one op on leaves of its own, contracted to a scalar.

    within: what operands may be.
    met: what earlier cases have had. Values of a regime that the op was not put to yet
        are then drawn more often.

    All legal shapes, params and kinds of operands occur. A point outside the op's open
    domain is moved into it. Only network layers have ranks above 2.
    """
    if op not in OWN_SHAPES:
        within = in_drawn_ranks(within)
    scope = Scope(_menu([op]), within, dtype, edges=op not in OWN_SHAPES)
    _possible(scope)
    count = max(1, OPS[op].arity - len(OPS[op].masks))
    operand = st.tuples(CHOICE, VALUES, CHOICE)
    drawn = st.tuples(CHOICE, st.lists(operand, min_size=count, max_size=count), CHOICE)

    def case(found: Any) -> Case:
        params, operands, weights = found
        inputs = [Input(s, Values(*entries), kind) for s, entries, kind in operands]
        leaves = steered_inputs(inputs, op, weights, met)
        return alone(OpChoice(op, 0, 0, params), leaves, Ending(0, weights), scope)

    return drawn.map(case)


def in_drawn_ranks(limits: Limits) -> Limits:
    """The limits without the ranks above 2, which only network layers have."""
    ranks = range(limits.ranks.start, min(limits.ranks.stop, 3))
    return replace(limits, ranks=ranks)


def _menu(ops: Sequence[str] | None) -> tuple[str, ...]:
    plain = tuple(op for op in OPS.public() if op not in OWN_SHAPES)
    names = plain if ops is None else tuple(ops)
    bad = [name for name in names if OPS[name].internal]
    if bad or not names:
        raise ValueError(
            f"ops={list(names)} cannot be drawn; allowed are some of {OPS.public()}"
        )
    return names


@lru_cache
def _possible(scope: Scope) -> tuple[str, ...]:
    """The ops of the menu that can have operands within the limits."""
    limits = scope.limits
    check_dtype(scope.dtype)
    layers = all(op in OWN_SHAPES for op in scope.ops)
    allowed = range(6 if layers else 3)
    if not limits.ranks or not set(limits.ranks) <= set(allowed):
        raise ValueError(f"ranks={limits.ranks}; allowed are some of {[*allowed]}")
    menu = tuple(op for op in scope.ops if _is_possible(op, limits))
    if not menu:
        raise ValueError(
            f"ops={list(scope.ops)} have no operands of ranks {list(limits.ranks)} "
            f"with broadcasting={limits.broadcasting}; allow more ranks, or other ops"
        )
    return menu


@lru_cache(maxsize=1024)
def _is_possible(op: str, limits: Limits) -> bool:
    """Whether shapes of operands fit. A domain always has a point of any shape."""
    try:
        operands_of(OPS[op], [PLAINEST] * 3, limits)
    except ValueError:
        return False
    return True


def _steps(menu: Sequence[str]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(one_of_many(len(_weighted(menu))), CHOICE, CHOICE, CHOICE)


def _weighted(menu: Sequence[str]) -> list[str]:
    """The menu, with every op on two or more operands in it twice.

    Graphs then share subexpressions more often, and look less like a chain.
    """
    return [name for name in menu for _ in range(2 if OPS[name].arity > 1 else 1)]
