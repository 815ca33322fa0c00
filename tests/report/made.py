"""Records as a run writes them, without a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradverify.graph import Case, Graph, apply_op, input_leaf, literal_leaf
from gradverify.plugin.item_outcome import discrepancy
from gradverify.records import (
    Changes,
    Claim,
    Diagnosis,
    Discrepancy,
    Evidence,
    Item,
    Known,
    Note,
    Records,
    Run,
    Selftest,
)
from gradverify.verdict import Judgement, Verdict


def eleven() -> Case:
    """(a + b)(ab) at (2, 3)."""
    nodes = [input_leaf(), input_leaf()]
    nodes.append(apply_op(nodes, "add", [0, 1]))
    nodes.append(apply_op(nodes, "mul", [0, 1]))
    nodes.append(apply_op(nodes, "mul", [2, 3]))
    return Case(Graph(tuple(nodes)), (np.array(2.0), np.array(3.0)))


REPRODUCER = """\
# (a + b) * (a * b): toy gives 11.0 for d/da at (2, 3); the exact number is 21
import toy

a, b = toy.variable(2.0), toy.variable(3.0)
((a + b) * (a * b)).backward()
print(a.grad, "should be 21.0")
"""


def wide() -> Case:
    """A sum of more lines than a terminal shows, at a long point."""
    nodes = [input_leaf((30,)), literal_leaf(3.0)]
    for _ in range(12):
        nodes.append(apply_op(nodes, "mul", [len(nodes) - 1 or 0, 0]))
        nodes.append(apply_op(nodes, "sin", [len(nodes) - 1]))
    nodes.append(apply_op(nodes, "sum", [len(nodes) - 1], axis=None))
    return Case(Graph(tuple(nodes)), (np.linspace(0.1, 2.0, 30),))


def found(case: Case | None = None, **fields: Any) -> Discrepancy:
    """A discrepancy of a case and what was judged of it."""
    names = ("known", "accepted", "failed", "count", "item", "finding", "op",
             "diagnosis", "evidence", "reproducer")  # fmt: skip
    record = {k: fields.pop(k) for k in names if k in fields}
    known = {
        "verdict": Verdict.WRONG,
        "where": "d/da",
        "got": "11.0",
        "exact": "21",
        "error_ulps": 2.8e15,
        "allowed": 2e-14,
        "bound_ratio": 5e14,
        "smallest_fault": 1e-15,
    }
    judgement = Judgement(**{**known, **fields})
    standard = {
        "finding": "toy:reverse:float64/mul/wrong",
        "item": "pyproject.toml::textbook::eleven[toy:reverse:float64]",
    }
    return discrepancy(
        "toy", "reverse", case or eleven(), judgement, **{**standard, **record}
    )


def explained() -> dict[str, Any]:
    """What a diagnosis says of the eleven."""
    steps = [f"2^-{q}" for q in (4, 8, 12, 16, 20, 24, 28, 32)]
    line = [(str(x / 4), str(2.0 ** (10 + abs(x))), "4.0") for x in range(-8, 9)]
    return {
        "op": "mul",
        "diagnosis": Diagnosis(
            sentence="d = mul(a, b) passes 1 on to a where it should pass b = 3",
            cause="a factor was dropped",
            node=3,
            operand=0,
            op="mul",
            also=["the contribution was added once too little"],
            paths=["through c: 1 · d = 1 · 6 = 6", "through d: b · c = 3 · 5 = 15",
                   "claimed: 6 + 1 · 5 = 11"],
            latex=r"6 + 15 = 21",
        ),
        "evidence": Evidence(
            values=["2", "3", "5", "6", "30"],
            adjoints=["21", "16", "6", "5", "1"],
            guilty=(3, 0),
            quotients=[(s, f"{21 + 8 * 2.0 ** -(4 * i + 4):.17g}")
                       for i, s in enumerate(steps)],
            line=line,
        ),
        "reproducer": REPRODUCER,
    }  # fmt: skip


def run_records() -> Records:
    """The records of a small run with something of every kind."""
    bad = found(**explained())
    known = found(
        verdict=Verdict.IMPRECISE,
        known="toy-row",
        failed=False,
        count=3,
        op="exp",
        error_ulps=612.5,
        bound_ratio=3.1,
        finding="toy:reverse:float64/exp/imprecise",
        item="pyproject.toml::ops::exp[toy:reverse:float64]",
    )
    listed = found(
        verdict=Verdict.KINK_CONVENTION,
        failed=False,
        op="abs",
        got="0",
        exact="[0, 1]",
        error_ulps=None,
        bound_ratio=None,
        finding="toy:reverse:float64/abs/kink_convention",
    )
    items = (
        item("textbook", "eleven", "failed", {"WRONG": 1}),
        item(
            "ops",
            "exp",
            "passed",
            {"AGREES": 17, "IMPRECISE": 3},
            errors={"-inf": 10, "-1": 5, "0": 2, "9": 3},
            worst_ulps="612.5",
            worst_ratio="3.1",
            ops={"exp": 20},
            op_pairs={"exp>mul": 4},
            regimes={"exp:large": 3, "exp:tiny": 0},
            median_fault="1e-15",
        ),
        item(
            "ops", "abs", "passed", {"AGREES": 18, "KINK_CONVENTION": 1, "VACUOUS": 1}
        ),
        item("ops", "log", "skipped", {}, reason="log: the table has no row for it"),
        item("ops", "sin", "failed", {"UNRESOLVED": 2}, reason="checked nothing: 2"),
    )
    run = Run(
        counts={"toy": {"WRONG": 1, "AGREES": 35, "IMPRECISE": 3, "KINK_CONVENTION": 1,
                        "VACUOUS": 1, "UNRESOLVED": 2}},
        items={"failed": 2, "passed": 2, "skipped": 1},
        ops={"exp": 20, "abs": 20}, op_pairs={"add>mul": 1},
        versions={"python": "3.11.0"}, differentiators={"toy": {"toylib": "1.0"}},
        absent={"autograd": "autograd cannot be imported"}, devices=["x86_64 Linux"],
        profile="ci", fail_on="wrong", started="2030-01-01T00:00:00+00:00",
        seconds={"run": 1.5, "all draw": 0.25, "all reference": 1.0}, exit=1,
    )  # fmt: skip
    return Records(
        (bad, known, listed), items, (Note(text="a note"),), run,
        (claim("wrong", step=1, exact="21", cause="a factor was dropped: b"),
         claim("right", line=9), claim("not understood", reason="no expression")),
        Changes(base="run of 2029-12-31", newly_wrong=["toy:reverse:float64/mul/wrong"],
                worse=[("toy:reverse:float64/exp/imprecise", "20", "612.5")]),
        (Selftest(engine="toy", planted={"mul:sign": 1, "exp:sign": 1},
                  found={"mul:sign": 1, "exp:sign": 0}),),
        (Known(id="toy-row", reason="exp loses its tail", when="x < -700"),),
    )  # fmt: skip


def claim(verdict: str, **fields: Any) -> Claim:
    standard = {
        "file": "notes.ipynb",
        "cell": 4,
        "line": 2,
        "text": "df/da = (a+b)·b + ab = 5·1 + 6 = 11",
        "chain": ("df/da", "(a+b)·b + ab", "5·1 + 6", "11"),
        "claimed": "11",
    }
    return Claim(verdict=verdict, **{**standard, **fields})


def item(suite: str, block: str, outcome: str, counts: Any, **fields: Any) -> Item:
    return Item(
        id=f"pyproject.toml::{suite}::{block}[toy:reverse:float64]",
        suite=suite,
        block=block,
        differentiator="toy",
        mode="reverse",
        dtype="float64",
        outcome=outcome,
        counts=counts,
        **fields,
    )
