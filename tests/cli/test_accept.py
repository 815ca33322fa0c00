"""What can be accepted, up to which day, and what a run makes of it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradverify import records
from gradverify.cli.accept import Accepted, accept
from gradverify.cli.place import Place
from gradverify.cli.status import RIGHT, CommandError
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.known import FILE_NAME, WHOLE, DeviationError, Size, read_rows
from gradverify.known.rows import parse_rows
from gradverify.plugin.item_outcome import discrepancy
from gradverify.report.wording import DIED
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import Budget, verify_item
from tests.planted.engines import PlantedTape

NAME = "overwriting:reverse:float64"
TODAY = date.today()


def shared() -> Case:
    """sin(a) * sin(a), the sine applied once, at 0.5."""
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "sin", [0]))
    nodes.append(apply_op(nodes, "mul", [1, 1]))
    return Case(Graph(tuple(nodes)), (np.array(0.5),))


def place(
    folder: Path, op: str = WHOLE, got: str = "0.5", largest: str = "0.5"
) -> Place:
    """A repository whose last run found the case to be wrong."""
    judgement = Judgement(Verdict.WRONG, "d/da", got, "1")
    found = discrepancy("overwriting", "reverse", shared(), judgement, op=op,
                        finding=f"{NAME}/{op}/wrong", item="an item",
                        largest=largest)  # fmt: skip
    (folder / "gradverify.jsonl").write_bytes(records.encode(found))
    return Place(folder, folder)


def accepted(here: Place, op: str = WHOLE, **options: Any) -> int:
    given = {"reason": "planted", "until": None, "when": ""} | options
    return accept(here, Accepted([f"{NAME}/{op}/wrong"], **given))


def test_a_finding_that_no_op_shows_alone_is_accepted_for_graphs_with_its_ops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accepted(place(tmp_path)) == RIGHT
    assert (
        "covers every WRONG in overwriting, reverse, float64 that no op shows alone "
        "up to 1 of the exact number, of graphs that have sin, mul"
        in capsys.readouterr().out
    )
    (row,) = read_rows(tmp_path / FILE_NAME)
    assert (row.op, row.when, row.verdict) == (WHOLE, "", (Verdict.WRONG,))


def test_a_run_lists_what_has_the_ops_and_fails_of_the_rest(tmp_path: Path) -> None:
    accepted(place(tmp_path))
    rows = read_rows(tmp_path / FILE_NAME)
    engine = PlantedTape.adding("overwriting", accumulates=False)
    (block,) = (
        b for b in blocks(Asked(suites=("graphs",), ops=("sin", "mul", "add"),
                          dtypes=("float64",))) if b.family == "shared"
    )  # fmt: skip
    item = verify_item(block, engine, "reverse", budget=Budget(40), known=rows)
    wrong = [f for f in item.findings if f.judgement.verdict is Verdict.WRONG]
    listed = [f for f in wrong if f.known]
    assert listed
    assert all({"sin", "mul"} <= set(f.case.graph.ops) for f in listed)
    others = [f for f in wrong if not f.known]
    assert others
    assert all(f.op == WHOLE for f in wrong)
    assert not any({"sin", "mul"} <= set(f.case.graph.ops) for f in others)


@pytest.mark.parametrize(
    ("fields", "options", "text"),
    [
        ({}, {"when": "x > 2"}, "a whole graph has no operands; accept it without"),
        ({}, {"until": TODAY - timedelta(1)}, "that day has passed; give today"),
        ({"got": DIED}, {}, "its case ends the process"),
        ({"op": "wonder"}, {}, "'wonder' is no op"),
        ({}, {"at_most": "much"}, "--at-most 'much'; allowed: "),
        ({}, {"at_most": "-1"}, "finite and above 0"),
    ],
)
def test_what_cannot_be_accepted_says_why(
    tmp_path: Path, fields: dict[str, str], options: dict[str, Any], text: str
) -> None:
    with pytest.raises(CommandError, match=text.replace("(", r"\(")):
        accepted(place(tmp_path, **fields), fields.get("op", WHOLE), **options)
    assert not (tmp_path / FILE_NAME).exists()


def test_today_is_the_last_day(tmp_path: Path) -> None:
    assert accepted(place(tmp_path), until=TODAY) == RIGHT
    (row,) = read_rows(tmp_path / FILE_NAME)
    assert row.until == TODAY


def test_a_file_gives_a_whole_graph_no_condition(tmp_path: Path) -> None:
    accepted(place(tmp_path))
    path = tmp_path / FILE_NAME
    text = path.read_text().replace('op = "graph"', 'op = "graph"\nwhen = "x > 2"')
    with pytest.raises(DeviationError, match="a whole graph has no operands"):
        parse_rows(text, path)


# What the run saw at most, what is asked for, and the size in the row.
# fmt: off
SIZES = [
    ("2.1e-09",    "",          Size(1e-8)),
    ("1",          "",          Size(10.0)),
    ("3 bounds",   "",          Size(10.0, in_bounds=True)),
    ("9e307",      "",          Size(1e308)),
    ("",           "",          None),
    ("2.1e-09",    "3e-9",      Size(3e-9)),
    ("2.1e-09",    "20 bounds", Size(20.0, in_bounds=True)),
]
# fmt: on


@pytest.mark.parametrize(("seen", "asked", "size"), SIZES)
def test_what_is_larger_than_what_was_seen_is_new(
    tmp_path: Path, seen: str, asked: str, size: Size | None
) -> None:
    accepted(place(tmp_path, largest=seen), at_most=asked)
    (row,) = read_rows(tmp_path / FILE_NAME)
    assert row.at_most is None if size is None else str(row.at_most) == str(size)


def test_a_run_says_how_large_a_finding_was_at_most() -> None:
    def rule(ct: Any, y: Any, x: Any) -> list[Any]:
        return [ct * y * np.where(x > 1.0, 1.25, 1.001)]

    engine = PlantedTape.with_rule("factors", "exp", rule)
    (block,) = blocks(Asked(suites=("ops",), ops=("exp",), dtypes=("float64",)))
    item = verify_item(block, engine, "reverse", budget=Budget(12))
    sizes = [f.largest for f in item.findings if f.judgement.verdict is Verdict.WRONG]
    assert [size.amount for size in sizes if size] == pytest.approx([0.25])
