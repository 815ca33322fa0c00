"""Libraries with one wrong answer are one finding; those with two are two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gradverify.records import Diagnosis, Discrepancy, Records, grouped, marked
from gradverify.report.findings import findings
from gradverify.report.overview import headline
from gradverify.report.terminal import summary
from gradverify.verdict import Verdict

Make = Callable[..., Discrepancy]
TOY, TWIN = "toy:reverse:float64/mul/wrong", "twin:reverse:float64/mul/wrong"


def twins(found: Make, first: Any, second: Any, **fields: Any) -> list[Discrepancy]:
    """Two engines at one case, with these answers."""
    one = found(got=first, finding=TOY, **fields)
    other = found(got=second, finding=TWIN, **fields)
    return [one, msgspec.structs.replace(other, differentiator="twin")]


@pytest.mark.parametrize(
    ("first", "second", "exact", "is_common"),
    [
        ("11.0", "11.0", "21", True),
        ("11.0", "11.000000000000002", "21", True),
        ("11.0", "12.0", "21", False),
        ("11.0", "11.00000000000002", "21", False),
        # near one another because both are near the exact number
        ("21.000000000000004", "20.999999999999996", "21", False),
        ("nan", "nan", "21", True),
        ("inf", "nan", "21", False),
        ("None", "None", "21", True),
        ("ValueError: no", "ValueError: no", "", False),
    ],
)
def test_an_answer_is_the_same_within_a_few_ulps(
    found: Make, first: str, second: str, exact: str, is_common: bool
) -> None:
    one, other = marked(twins(found, first, second, exact=exact))
    assert (one.common, other.common) == (([TWIN], [TOY]) if is_common else ([], []))
    assert len(grouped([one, other])) == (1 if is_common else 2)


def test_a_finding_common_to_several_groups_joins_the_first_by_name(
    found: Make,
) -> None:
    leaders = [f"toy:reverse:float64/{op}/wrong" for op in "hgfedcba"]
    for n in range(4):
        late = f"twin{n}:reverse:float64/mul/wrong"
        rows = [found(finding=name) for name in leaders]
        last = found(finding=late)
        rows.append(msgspec.structs.replace(last, common=sorted(leaders)))
        groups = [[d.finding for d in members] for members in grouped(rows)]
        assert groups[-1] == [min(leaders), late]  # "a" came last of them


def test_a_few_ulps_are_those_of_the_dtype(found: Make) -> None:
    pair = [msgspec.structs.replace(d, dtype="float32")
            for d in twins(found, "11.0", "11.000002")]  # fmt: skip
    assert [bool(d.common) for d in marked(pair)] == [True, True]


def test_other_verdicts_and_other_cases_are_other_findings(found: Make) -> None:
    one, other = twins(found, "11.0", "11.0")
    for fields in ({"verdict": "STALE"}, {"case": "0123456789"}, {"where": "d/db"},
                   {"known": "row"}, {"differentiator": "toy"}):  # fmt: skip
        changed = msgspec.structs.replace(other, **fields)
        assert not any(d.common for d in marked([one, changed]))


def test_both_names_stand_in_terminal_and_page(found: Make) -> None:
    both = Records(marked(twins(found, "11.0", "11.0")))
    lines = list(summary(both))
    assert lines[0] == "discrepancies: 1"
    assert f"{TOY}, the same in twin:reverse in 2 items" in lines[1]
    section = findings(both)
    assert section is not None
    ((_, (card,)),) = section.groups
    assert card.head.who == "toy, reverse, float64 and twin, reverse, float64"
    assert card.head.also == ["f-twin-reverse-float64-mul-wrong"]
    assert card.head.columns == "toy:reverse twin:reverse"


def test_two_answers_are_two_findings_in_terminal_and_page(found: Make) -> None:
    both = Records(marked(twins(found, "11.0", "12.0")))
    assert next(iter(summary(both))) == "discrepancies: 2"
    section = findings(both)
    assert section is not None
    assert len(section.groups[0][1]) == 2


def test_the_headline_counts_what_is_common_once(found: Make, records: Records) -> None:
    same, other = (
        msgspec.structs.replace(
            records, discrepancies=marked(twins(found, "11.0", answer))
        )
        for answer in ("11.0", "12.0")
    )
    assert "1 kind of discrepancy, in toy and twin" in headline(same)
    assert "2 kinds of discrepancy, in toy and twin" in headline(other)


def test_a_verdict_needs_no_number(found: Make) -> None:
    pair = twins(found, "None", "None", verdict=Verdict.MISSING)
    assert [bool(d.common) for d in marked(pair)] == [True, True]


def test_what_an_engine_may_declare_is_one_finding_with_its_ops(found: Make) -> None:
    why = Diagnosis(sentence="a Python number makes float64", cause="python numbers")
    rows = [
        found(finding=f"toy:reverse:float64/{op}/wrong_dtype", op=op, diagnosis=why)
        for op in ("add", "mul", "add")
    ]  # fmt: skip
    rows.append(found(finding=TOY))
    (declared, other) = grouped(rows)
    assert [d.op for d in declared] == ["add", "mul", "add"]
    assert [d.finding for d in other] == [TOY]
    (line,) = [text for text in summary(Records(tuple(rows))) if "python num" in text]
    assert "toy:reverse:float64/python numbers (add, mul) in 3 items" in line


def test_what_several_modes_do_at_one_op_is_one_finding(found: Make) -> None:
    modes = ["reverse", "forward", "forward-over-forward"]
    wrong = [
        msgspec.structs.replace(
            found(got="1.0", finding=f"{who}:{mode}:float64/exp/wrong"),
            differentiator=who,
            mode=mode,
        )
        for mode in modes
        for who in ("one", "two")
    ]
    groups = grouped(wrong)
    assert [[d.mode for d in members] for members in groups] == [modes] * 2
    known = [msgspec.structs.replace(d, known="row") for d in wrong[:2]]
    assert len(grouped([*known, *wrong[2:]])) == 4
