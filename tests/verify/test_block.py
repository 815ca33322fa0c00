"""Blocks of their own: for engines that can run little, and for such as compile."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import strategies as st

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.differentiators import (
    Accepts,
    Lowered,
    Pulled,
    load,
    mode,
    unsupported,
)
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.reference import reference
from gradverify.suites.blocks import AGAIN, Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import Block, Budget, verify_item
from gradverify.verify.block import CHUNK, POINTS


class Compiling(OwnTape):
    """Our tape, were each graph dear to it."""

    name = "compiling"
    compiles = True


def block(family: str = "small", dtype: str = "float64") -> Block:
    (found,) = (b for b in blocks(Asked(dtypes=(dtype,))) if b.family == family)
    return found


def first(of: Block, count: int) -> list[Case]:
    return [case for _, case in itertools.islice(of.cases(), count)]


def keys(cases: list[Case]) -> list[Any]:
    return [(c.graph, [x.tobytes() for x in c.point]) for c in cases]


def test_what_does_not_compile_shares_its_block() -> None:
    shared = block()
    assert shared.fitting(OwnTape()) is shared


def test_what_compiles_has_few_graphs_and_many_points() -> None:
    shared = block()
    own = shared.fitting(Compiling())
    assert own is not shared
    assert own is shared.fitting(Compiling()), "modes share it"
    cases = first(own, 10 * POINTS)
    assert len({c.graph for c in cases}) <= 2 * len(cases) / POINTS
    assert len({repr(key) for key in keys(cases)}) == len(cases)
    assert len({c.graph for c in first(shared, CHUNK)}) > CHUNK / 2
    most = {c.graph for c in first(shared, 10 * POINTS)}
    assert len(most) > 1.5 * len({c.graph for c in cases})


def test_beyond_the_first_chunk_a_graph_is_looked_at_in_several_points() -> None:
    shared = block("deep")
    later = first(shared, 5 * CHUNK)[CHUNK:]
    runs = [len([*same]) for _, same in itertools.groupby(later, lambda c: id(c.graph))]
    assert max(runs) == AGAIN
    assert len({repr(key) for key in keys(later[:AGAIN])}) == AGAIN


def test_the_references_of_a_graph_at_several_points_are_those_of_its_cases() -> None:
    shared = block("shared")
    cases = list(itertools.islice(shared.cases(), CHUNK, 2 * CHUNK))
    assert cases
    for position, case in cases:
        one, alone = shared.reference(position, case), reference(case)
        assert one.status is alone.status
        for ours, theirs in zip(one.bounds, alone.bounds, strict=True):
            assert np.allclose(
                ours.loose.astype(float), theirs.loose.astype(float), rtol=1e-9, atol=0
            )


def test_they_are_the_same_for_the_same_seed() -> None:
    one, two = (first(block().fitting(Compiling()), 30) for _ in range(2))
    assert keys(one) == keys(two)


def test_the_shared_cases_are_not_touched() -> None:
    alone, beside = block(), block()
    first(beside.fitting(Compiling()), CHUNK)
    assert keys(first(alone, CHUNK)) == keys(first(beside, CHUNK))


def test_written_cases_are_everybodys() -> None:
    written = Block("cases", "x", "float64", written=tuple(first(block(), 2)))
    assert written.fitting(Compiling()) is written


def test_an_engine_that_can_run_little_and_compiles_gets_both() -> None:
    class Scalars(Compiling):
        accepts = Accepts(ranks=range(1), literals=False, data=False)

    own = block("arrays").fitting(Scalars())
    assert own.points == POINTS
    assert all(n.shape == () for c in first(own, CHUNK) for n in c.graph.nodes)


@pytest.mark.parametrize("family", ["small", "arrays"])
@pytest.mark.parametrize("ops", [("add", "mul", "sin"), ("add", "mul", "sum")])
def test_an_engine_of_few_ops_gets_graphs_of_them(
    family: str, ops: tuple[str, ...]
) -> None:
    class Few(OwnTape):
        accepts = Accepts()
        table: ClassVar = {op: OwnTape.table[op] for op in (*ops, "data")}

    assert max(Few.accepts.ranks) > 2, "more than graphs have"
    shared = block(family)
    own = shared.fitting(Few())
    assert own is not shared
    cases = first(own, CHUNK)
    assert {op for case in cases for op in case.graph.ops} == set(ops)
    assert all(unsupported(Few(), case) is None for case in cases)
    is_array = any(x.shape for case in cases for x in case.point)
    assert is_array == ("sum" in ops)


def test_an_item_over_its_own_block_is_as_long_as_any() -> None:
    item = verify_item(block(), Compiling(), "reverse", budget=Budget(cases=CHUNK))
    assert item.cases == CHUNK


def test_the_first_item_of_a_block_pays_for_all_that_is_drawn_in_it() -> None:
    """The first chunk is drawn to see what an engine can run, before any case."""
    (block,) = blocks(Asked(suites=("ops",), ops=("exp",), dtypes=("float64",)))
    item = verify_item(block, OwnTape(), "reverse", budget=Budget(4))
    assert item.seconds["draw"] == block.seconds["draw"] > 0.0
    assert item.draws == block.draws


def test_a_case_is_drawn_only_where_it_is_looked_at() -> None:
    drawn = block()
    drawn.chunk = 4
    budget = Budget(cases=20, seconds=0.0, least=4)
    item = verify_item(drawn, Compiling(), "reverse", budget=budget)
    assert item.cases == 4
    assert len(drawn.fitting(Compiling()).drawn) == 4


def test_an_engine_that_compiles_looks_at_the_graphs_of_the_others() -> None:
    """Each at more points, with the references that are made already."""
    drawn = block()
    drawn.begin = 2
    own = drawn.fitting(Compiling())
    assert own is not drawn
    theirs, ours = first(drawn, 3), first(own, 12)
    graphs = list(dict.fromkeys(case.graph for case in ours))
    assert [theirs[0].graph, theirs[1].graph] == graphs[:2]
    assert len(ours) > len(graphs)
    assert own.reference(0, ours[0]) is not None
    known = drawn.reference(1, theirs[1])
    assert own.reference(POINTS, ours[POINTS]) is known
    assert own.reference(POINTS + 1, ours[POINTS + 1]) is not known


def test_few_cases_are_drawn_at_first_where_a_run_is_short() -> None:
    (short,) = blocks(
        Asked(suites=("ops",), ops=("exp",), dtypes=("float64",), begin=2)
    )
    short.fitting(OwnTape())
    first(short, 1)
    assert len(short.drawn) - len(short.first) == 4, "two, each behind an edge"
    first(short, len(short.drawn) + 1)
    assert len(short.drawn) > CHUNK


# ---- what an item makes of its block


def of_exp(*points: float) -> Block:
    """A block whose cases are drawn already. At -200 a slope is 0 in float32."""
    (spare,) = (b for b in blocks(Asked(dtypes=("float32",))) if b.family == "exp")
    graph = trace(SYMBOLS.exp, ())
    cases = [Case(graph, (np.array(x, np.float32),), "float32") for x in points]
    spare.drawn, spare.count = cases, 2
    return spare


def test_an_item_that_has_judged_nothing_goes_on_where_others_ended() -> None:
    """Two vacuous cases, at which another item ended, are no check."""
    item = verify_item(
        of_exp(-200.0, -190.0, 1.5, 2.5), OwnTape(), "reverse", budget=Budget(20, 0.0)
    )
    assert item.counts == {Verdict.VACUOUS: 2, Verdict.AGREES: 1}
    assert not item.checked_nothing()


@pytest.mark.parametrize(("seconds", "is_explained"), [(0.1, False), (60.0, True)])
def test_what_is_only_listed_is_explained_where_there_is_time(
    seconds: float, is_explained: bool
) -> None:
    """PyTorch's slope of tanh is 1 - y², which has lost its digits at 17."""
    shown = of_exp()
    shown.drawn = [Case(trace(SYMBOLS.tanh, ()), (np.array(17.0),), "float64")]
    shown.count, budget = 1, Budget(1, seconds)
    (finding,) = verify_item(
        shown, load("torch-cpu"), "reverse", budget=budget
    ).findings
    assert finding.judgement.verdict is Verdict.IMPRECISE
    assert (finding.explanation is not None) == is_explained


class Raising(OwnTape):
    """Our tape, which raises one of two exceptions for every other exp."""

    name = "raising"

    def __init__(self, *errors: Exception) -> None:
        self.errors = errors

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Any) -> Pulled:
        """It raises by the sign of the point."""
        raise self.errors[int(point[0] > 0) % len(self.errors)]


def names_found(*errors: Exception) -> list[str]:
    item = verify_item(of_exp(-1.5, 1.5), Raising(*errors), "reverse")
    assert item.counts == {Verdict.CRASHED: 2}
    return sorted(finding.finding for finding in item.findings)


def test_two_exceptions_of_an_op_are_two_findings() -> None:
    name = "raising:reverse:float32/exp/crashed"
    two = names_found(ValueError("no shape"), TypeError("no dtype"))
    assert len(two) == 2
    assert two[0] == name
    assert two[1] in (f"{name}-ValueError", f"{name}-TypeError")
    same_class = names_found(ValueError("no shape"), ValueError("no dtype"))
    assert same_class == [name, f"{name}-ValueError"]


def test_one_exception_with_other_numbers_is_one_finding() -> None:
    one = names_found(ValueError("no shape (2, 3)"), ValueError("no shape (4,)"))
    assert one == ["raising:reverse:float32/exp/crashed"]


@pytest.mark.parametrize(
    ("low", "looked"), [(-220.0, CHUNK), (1.0, 2)], ids=["vacuous", "checked"]
)
def test_an_item_that_has_seen_nothing_looks_at_a_whole_chunk(
    low: float, looked: int
) -> None:
    """exp underflows in float32 from -104 down, so that zeros would agree as well."""

    def exponential(x: float) -> Case:
        nodes = [input_leaf()]
        nodes.append(apply_op(nodes, "exp", [0]))
        return Case(Graph(tuple(nodes)), (np.array(x, np.float32),), "float32")

    points = st.floats(low, low + 10.0, width=32)
    of = Block("ops", "exp", "float32", strategy=points.map(exponential))
    budget = Budget(cases=100, seconds=0.0, least=2)
    result = verify_item(of, OwnTape(), "reverse", budget=budget)
    assert result.cases == looked
    kept = Verdict.VACUOUS if looked == CHUNK else Verdict.AGREES
    assert result.counts == {kept: looked}
