"""Samples repeat; what fails is made small; what passes is never handed back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from gradverify.arithmetic.floats import FLOATS
from gradverify.autodiff import Tape
from gradverify.graph import (
    Case,
    Graph,
    Limits,
    apply_op,
    case_name,
    formula,
    input_leaf,
    interpret,
    interpret_all,
)
from gradverify.strategies import (
    draw,
    graphs,
    op_cases,
    sample,
    shrink,
)

SEEDS = (0, pytest.param(2, marks=pytest.mark.slow))
Predicate = Callable[[Case], bool]


def names(n: int, seed: int) -> list[str]:
    return [case_name(case) for case in sample(graphs(), n, seed)]


# ---- samples


def _one(op: str, *values: float) -> Case:
    nodes = [input_leaf() for _ in values]
    nodes.append(apply_op(nodes, op, range(len(values))))
    return Case(Graph(tuple(nodes)), tuple(np.array(v) for v in values))


def test_a_sample_has_as_many_distinct_cases_as_asked_for() -> None:
    assert len(set(names(90, 1))) == 90


def test_a_sample_repeats_for_its_seed_alone() -> None:
    assert names(40, 1) == names(40, 1)
    assert names(40, 1) != names(40, 2)


def test_a_strategy_with_few_cases_gives_those_it_has() -> None:
    strategy = op_cases("neg", within=Limits(ranks=range(1), empty=False)).map(
        lambda case: _one("neg", 2.0)
    )
    assert len(sample(strategy, 10, 0)) == 1


PROGRAM = """
import sys
from hypothesis import settings
from gradverify.graph import case_name
from gradverify.strategies import graphs, sample
if "profile" in sys.argv:
    settings.register_profile("mine", derandomize=True, database=None, max_examples=3)
    settings.load_profile("mine")
print(*(case_name(case) for case in sample(graphs(), 20, 5)))
"""


def test_only_what_a_filter_refuses_is_rejected() -> None:
    found = [draw(graphs(), 20, seed) for seed in range(3)]
    assert sum(s.begun for s in found) >= 60
    assert sum(s.rejected for s in found) == 0
    picky = graphs(ops=["sin"]).filter(lambda case: case.graph.size > 3)
    assert draw(picky, 20, 0).rejected > 0


@pytest.mark.slow
def test_no_profile_no_variable_and_no_local_module_changes_a_sample() -> None:
    outputs = set()
    for argument, variables in (("", {"CI": "1"}), ("profile", {}), ("", {"CI": ""})):
        outputs.add(
            subprocess.run(
                [sys.executable, "-c", PROGRAM, argument],
                env={**os.environ, **variables, "PYTHONHASHSEED": "random"},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
        )
    assert outputs == {" ".join(names(20, 5))}


EVERYTHING = """
from gradverify.graph import case_name
from gradverify.strategies import graphs, networks, op_cases, sample
for strategy in (graphs(), networks(), op_cases("einsum")):
    print(*map(case_name, sample(strategy, 30, 5)))
"""


@pytest.mark.slow
def test_no_number_of_a_users_module_changes_a_sample(tmp_path: Path) -> None:
    """Hypothesis looks for such numbers, but not in folders that are called tests."""
    module = tmp_path / "numbers_of_mine.py"
    module.write_text(f"NUMBERS = {[*range(-300, -100), *range(100, 300)]}\n")
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program + EVERYTHING],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join((str(tmp_path), *sys.path)),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for program in ("", "import numbers_of_mine")
    }
    assert len(outputs) == 1


def test_sampling_leaves_the_users_profile_alone() -> None:
    before = repr(settings.default)
    sample(graphs(), 5, 0)
    assert repr(settings.default) == before


# ---- shrinking


def operands_of(case: Case, op: str) -> list[list[np.ndarray]]:
    with np.errstate(all="ignore"):
        values = interpret_all(case.graph, FLOATS.table, case.point)
    nodes = [node for node in case.graph.nodes if node.op == op]
    return [[np.asarray(values[j]) for j in node.operands] for node in nodes]


def beyond(op: str, test: Callable[..., Any]) -> Predicate:
    return lambda case: any(bool(np.any(test(*x))) for x in operands_of(case, op))


def has_fan_out(case: Case) -> bool:
    uses = Counter(j for node in case.graph.nodes for j in node.operands)
    return any(k > 1 and case.graph.nodes[i].operands for i, k in uses.items())


def has_literal_on_the_left(case: Case) -> bool:
    nodes = case.graph.nodes
    return any(n.operands and nodes[n.operands[0]].op == "literal" for n in nodes)


# fmt: off
PLANTED: dict[str, tuple[Predicate, int, list[float]]] = {
    "tanh beyond 3":      (beyond("tanh", lambda x: abs(x) > 3),      1, [4.0]),
    "div by a negative":  (beyond("div",  lambda a, b: b < 0),        1, [-1.0]),
    "log of two entries": (beyond("log",  lambda x: x.size > 1),      2, [1.0, 1.0]),
    "exp of a large":     (beyond("exp",  lambda x: x > 5),           1, [10.0]),
    "where not chosen":   (beyond("where", lambda mask, a, b: ~mask), 1, [1.0]),
    "an op used twice":   (has_fan_out,                               2, [1.0]),
    "literal on the left": (has_literal_on_the_left,                  1, [1.0]),
}
# fmt: on


# Few enough that every one is drawn within the examples of a search.
MENU = ("add", "sub", "mul", "div", "exp", "log", "sin", "tanh", "where", "relu", "sum")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_shrinks_to_the_smallest_graph(name: str, seed: int) -> None:
    fails, ops, point = PLANTED[name]
    case = shrink(graphs(ops=MENU), fails, seed)
    assert case is not None
    assert fails(case)
    assert case.graph.size == ops, formula(case.graph)
    assert np.concatenate([x.ravel() for x in case.point]).tolist() == point


# A gradient that is wrong on purpose: the tape with one function of its table altered.


def gradient(case: Case, wrong: Callable[[dict[str, Any]], None]) -> list[np.ndarray]:
    tape = Tape()
    table = dict(tape.table)
    wrong(table)
    inputs = [tape.variable(x) for x in case.point]
    with np.errstate(all="ignore"):
        return tape.gradient(interpret(case.graph, table, inputs), inputs)


def flipped_tanh(table: dict[str, Any]) -> None:
    """The derivative is 1 + y² in the place of 1 - y², the value is right."""
    right = table["tanh"]

    def tanh(x: Any) -> Any:
        y = right(x)
        return y if np.ndim(x) else y + 2.0 * (y.primal**2) * (x - x.primal)

    table["tanh"] = tanh


def deaf_maximum(table: dict[str, Any]) -> None:
    """The second operand is taken for a constant."""
    right = table["maximum"]
    table["maximum"] = lambda a, b: right(a, getattr(b, "primal", b))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("wrong", [flipped_tanh, deaf_maximum])
def test_a_wrong_gradient_shrinks_to_its_op_at_plain_numbers(
    wrong: Callable[[dict[str, Any]], None], seed: int
) -> None:
    def fails(case: Case) -> bool:
        good = gradient(case, lambda table: None)
        bad = gradient(case, wrong)
        return any(
            np.any(abs(a - b) > 1e-6 * abs(a)) for a, b in zip(good, bad, strict=True)
        )

    few = graphs(ops=("mul", "sin", "tanh", "maximum"))
    case = shrink(few, fails, seed)
    assert case is not None
    assert fails(case)
    assert case.graph.size == 1, formula(case.graph)
    assert all(x.size == 1 and x in (0.5, 1.0, 2.0) for x in case.point)


def test_nothing_is_found_where_nothing_fails() -> None:
    assert shrink(graphs(), lambda case: False, 0, max_examples=20) is None


def test_a_search_ends_with_its_time() -> None:
    drawn: list[Case] = []
    large: list[Case] = []

    def fails(case: Case) -> bool:
        if case.graph.size > 2:
            large.append(case)
        return case.graph.size > 2

    counted = graphs().map(lambda case: drawn.append(case) or case)  # type: ignore[func-returns-value]
    assert shrink(counted, fails, 0, is_over=lambda: bool(drawn)) is None
    assert len(drawn) == 1
    found = shrink(graphs(), fails, 0, is_over=lambda: bool(large))
    assert large == [found], "what was found by then, as it was found"
