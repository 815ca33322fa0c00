"""Records: lines that survive being cut, garbled, and read by an older version."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradverify.graph import (
    Case,
    Graph,
    apply_op,
    case_from_json,
    case_name,
    input_leaf,
)
from gradverify.records import Discrepancy, Records, encode, in_order, read

FIELDS = {
    "differentiator", "mode", "dtype", "verdict", "ops", "graph", "point", "got",
    "exact", "bound", "known", "finding", "case",
}  # fmt: skip


def write(path: Path, found: Records) -> Path:
    assert found.run is not None
    path.write_bytes(b"".join(map(encode, in_order(found))))
    return path


def test_records_survive_a_file(records: Records, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", records)
    assert read(path) == records
    last = json.loads(path.read_text().splitlines()[-1])
    assert last["type"] == "run"
    assert last["counts"]["toy"]["WRONG"] == 1


def test_a_discrepancy_has_its_fields(found: Callable[..., Discrepancy]) -> None:
    data = json.loads(encode(found()))
    assert set(data) >= FIELDS
    assert data["type"] == "discrepancy"
    case = case_from_json(data)
    assert case_name(case) == data["case"]


def refuse(name: str) -> None:
    raise AssertionError(f"bare {name}")


def test_no_number_is_lost_to_json(found: Callable[..., Discrepancy]) -> None:
    nodes = [input_leaf((2,))]
    nodes.append(apply_op(nodes, "sum", [0], axis=None))
    case = Case(Graph(tuple(nodes)), (np.array([np.nan, np.inf]),))
    record = found(case, error_ulps=math.inf, bound_ratio=math.nan, got="nan")
    data = json.loads(encode(record), parse_constant=refuse)
    assert data["error_ulps"] == "inf"
    assert data["bound_ratio"] == "nan"
    assert case_name(case_from_json(data)) == case_name(case)


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_cut_last_line_is_read_past(
    records: Records, tmp_path: Path, cut: int
) -> None:
    path = write(tmp_path / "a.jsonl", records)
    path.write_bytes(path.read_bytes()[: -cut - 1])
    found = read(path)
    assert found.run is None
    assert found.discrepancies == records.discrepancies
    assert "is cut or garbled; read past" in found.notes[-1].text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"\xff\xfe{", "is cut or garbled"),
        (b"[1, 2]", "is no object with a type"),
        (
            b'{"type": "wonder", "schema": 9}',
            "'wonder' is not understood (of schema 9;",
        ),
        (b'{"type": "note"}', "'note' is not understood"),
        (b'{"type": "note", "text": 3}', "'note' is not understood"),
        (b"[" * 100_000, "is cut or garbled"),
    ],
)
def test_what_is_not_understood_becomes_a_note(
    tmp_path: Path, line: bytes, text: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"type": "note", "text": "first", "more": 1}\n' + line + b"\n")
    found = read(path)
    assert found.notes[0].text == "first"
    assert text in found.notes[1].text
    assert "line 2" in found.notes[1].text
