"""What verdicts do to an item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.plugin.item_outcome import ItemOutcome, heading, outcome
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import Block, Finding, ItemResult

V = Verdict


HEAD = heading("id", Block("ops", "tanh", "float64"), "own-tape", "reverse")


def judged(
    counts: Mapping[Verdict, int],
    verdict: Verdict | None = None,
    known: str | None = None,
    **options: Any,
) -> ItemOutcome:
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "tanh", [0]))
    case = Case(Graph(tuple(nodes)), (np.array(0.5),))
    findings = ()
    if verdict is not None:
        findings = (Finding(Judgement(verdict), case, "tanh", "the/finding", known),)
    result = ItemResult(counts, findings, cases=sum(counts.values()),
                  skipped=options.pop("skipped", {}))  # fmt: skip
    return outcome(HEAD, result, **options)


@pytest.mark.parametrize(
    ("verdict", "policy", "kind"),
    [
        (V.WRONG, "wrong", "failed"),
        (V.NONDETERMINISTIC, "wrong", "failed"),
        (V.IMPRECISE, "wrong", "passed"),
        (V.IMPRECISE, "imprecise", "failed"),
        (V.KINK_CONVENTION, "imprecise", "passed"),
        (V.KINK_COMPOSITION, "imprecise", "passed"),
        (V.WRONG, "new", "failed"),
    ],
)
def test_a_finding_fails_by_the_policy(
    verdict: Verdict, policy: str, kind: str
) -> None:
    counts = {verdict: 1, V.AGREES: 3}
    assert judged(counts, verdict, policy=policy).item.outcome == kind


def test_a_known_deviation_passes_and_is_recorded() -> None:
    found = judged({V.WRONG: 1}, V.WRONG, known="row")
    assert found.item.outcome == "passed"
    assert found.discrepancies[0].known == "row"
    assert not found.failing


@pytest.mark.parametrize(("policy", "kind"), [("wrong", "failed"), ("new", "passed")])
def test_an_accepted_finding_passes_only_where_new_ones_fail(
    policy: str, kind: str
) -> None:
    found = judged({V.WRONG: 1}, V.WRONG, policy=policy, accepted={"the/finding"})
    assert found.item.outcome == kind


@pytest.mark.parametrize(
    ("counts", "kind", "reason"),
    [
        ({V.VACUOUS: 3}, "failed", "checked nothing: 3 VACUOUS"),
        ({V.VACUOUS: 1, V.UNRESOLVED: 1}, "failed", "checked nothing: 1 VACUOUS, 1 UN"),
        ({V.VACUOUS: 1, V.UNSUPPORTED: 1}, "failed", "checked nothing"),
        ({}, "failed", "checked nothing: no case was drawn"),
        ({V.UNSUPPORTED: 2}, "skipped", "no data"),
        ({V.VACUOUS: 9, V.AGREES: 1}, "passed", ""),
        ({V.NO_DERIVATIVE: 1}, "passed", ""),
    ],
)
def test_an_item_that_checked_nothing_fails(
    counts: Mapping[Verdict, int], kind: str, reason: str
) -> None:
    item = judged(counts, skipped={"no data": 2}).item
    assert item.outcome == kind
    assert item.reason.startswith(reason)


def test_a_long_exception_is_cut() -> None:
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "tanh", [0]))
    case = Case(Graph(tuple(nodes)), (np.array(0.5),))
    finding = Finding(
        Judgement(V.CRASHED, got="x" * 9999 + "\udcff"), case, "tanh", "f"
    )
    result = ItemResult({V.CRASHED: 1}, (finding,), cases=1)
    found = outcome(HEAD, result)
    assert len(found.discrepancies[0].got) == 2000
