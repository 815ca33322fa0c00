"""Records of strangers: a report goes on past what it does not understand."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradverify import records
from gradverify.cli import main
from gradverify.outside.printing import visible
from gradverify.records import Note, Unfinished, lines_of
from gradverify.records import lines as record_lines
from gradverify.report.wording import LONGEST_NOTE, NOTES, remarks

from ..report.made import found, run_records

BAD: tuple[Any, ...] = ("abc", None, -1, 10**30, [], {}, "\x1b[31m\u202e", "x" * 5000,
                        [[]], True, "1e999", "nan", 1.5)  # fmt: skip
BROKEN = "This section could not be made"


def written(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def sample() -> list[Any]:
    """Records of every kind, as their lines."""
    whole = run_records()
    return [json.loads(records.encode(r)) for r in records.in_order(whole)]


def places(thing: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs: Any = ()
    if isinstance(thing, dict):
        pairs = thing.items()
    elif isinstance(thing, list):
        pairs = list(enumerate(thing))[:2]
    for key, value in pairs:
        yield (*before, key)
        yield from places(value, (*before, key))


def fields() -> list[tuple[int, tuple[Any, ...]]]:
    """One place for each field of each kind of record."""
    unique: dict[Any, tuple[int, tuple[Any, ...]]] = {}
    for i, line in enumerate(sample()):
        for place in places(line):
            names = tuple(k if isinstance(k, str) else 0 for k in place)
            unique.setdefault((line["type"], names), (i, place))
    return list(unique.values())


def reported(tmp_path: Path, lines: list[Any]) -> tuple[int, str, str]:
    """The status, what a terminal is told, and the page, of these records."""
    path = written(tmp_path / "gradverify.jsonl", lines)
    with pytest.MonkeyPatch.context() as patch:
        told: list[str] = []
        patch.setattr("gradverify.cli.report.say", told.append)
        status = main(["report", str(path)])
    return status, "\n".join(told), (tmp_path / "gradverify.html").read_text("utf-8")


def test_a_report_goes_on_past_any_field_that_is_not_understood(tmp_path: Path) -> None:
    everywhere = fields()
    assert len(everywhere) > 80
    random = np.random.default_rng(15)
    failed = []
    for k in random.permutation(len(everywhere))[:40]:
        i, place = everywhere[k]
        lines = copy.deepcopy(sample())
        target = lines[i]
        for key in place[:-1]:
            target = target[key]
        target[place[-1]] = BAD[int(random.integers(len(BAD)))]
        status, _, page = reported(tmp_path, lines)
        if status != 0 or BROKEN in page or "\x1b" in page:
            failed.append((lines[i]["type"], place, target[place[-1]]))
    assert not failed


@pytest.mark.parametrize("field", ["median_fault", "worst_ulps", "worst_ratio"])
def test_what_should_be_a_number_and_is_none_is_named(
    tmp_path: Path, field: str
) -> None:
    lines = sample()
    next(line for line in lines if line["type"] == "item")[field] = "abc"
    status, told, page = reported(tmp_path, lines)
    assert status == 0
    assert f"$.{field}" in told
    assert BROKEN not in page


@pytest.mark.parametrize("digits", [5_000, 1_000_000])
def test_an_integer_of_many_digits_is_read_past(tmp_path: Path, digits: int) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"type": "item", "cases": ' + "9" * digits + "}\n")
    (note,) = records.read(path).notes
    assert "line 1" in note.text


def test_a_newer_schema_is_told_once(tmp_path: Path) -> None:
    lines = sample()
    for line in lines:
        line["schema"] = 7
    _, told, _ = reported(tmp_path, lines)
    assert told.count("records of schema 7") == 1


def test_a_line_that_is_too_long_is_read_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_lines, "LINE", 1_000)
    path = written(tmp_path / "r.jsonl", [{"type": "note", "text": "x" * 2_000}])
    (note,) = lines_of(path)
    assert isinstance(note, Note)
    assert "has over 1,000 bytes" in note.text


def test_thousands_of_garbled_lines_are_few_notes(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("garbled\n" * 5_000)
    notes = records.read(path).notes
    assert len(notes) == 21
    assert notes[-1].text == "r.jsonl: 4980 more lines were read past"


def test_notes_are_bounded_in_number_and_length() -> None:
    many = tuple(Note(text="x" * 10_000) for _ in range(500))
    told = remarks(records.Records(notes=many))
    assert len(told) == NOTES + 1
    assert max(map(len, told)) == LONGEST_NOTE
    assert told[-1] == "450 more notes in the records"


def test_discrepancies_without_items_are_told_and_fail(tmp_path: Path) -> None:
    lines = [line for line in sample() if line["type"] == "discrepancy"]
    for line in lines:
        line |= {"item": "pyproject.toml::ops::mul[toy]", "failed": True}
    status, told, page = reported(tmp_path, lines)
    assert status == 0
    assert f"{len(lines)} discrepancies without items" in told
    assert "Nothing was compared" not in told
    assert "failed: " in page


def test_a_case_that_was_merely_in_flight_accuses_nobody(tmp_path: Path) -> None:
    d = found()
    left = Unfinished(
        differentiator="toy",
        mode="forward",
        dtype="float64",
        item="pyproject.toml::ops::mul[toy]",
        case=d.case,
        formula=d.formula,
        graph=d.graph,
        point=d.point,
    )
    lines = [line for line in sample() if line["type"] in ("item", "run")]
    for line in lines:
        line |= {"outcome": "passed"} if line["type"] == "item" else {"exit": 0}
    lines.insert(0, json.loads(records.encode(left)))
    status, told, page = reported(tmp_path, lines)
    assert status == 0
    assert f"the run ended while toy (forward) ran case {d.case}" in told
    assert "no new discrepancy" in told
    assert 'id="discrepancies"' not in page


def test_control_characters_of_records_reach_no_terminal(tmp_path: Path) -> None:
    hostile = "\x1b]0;t\x07\u202e\x9b2J"
    _, told, page = reported(tmp_path, [*sample(), {"type": "note", "text": hostile}])
    assert visible(hostile) in told
    assert not {c for c in told + page if not c.isprintable()} - {"\n", "\t"}
