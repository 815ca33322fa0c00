"""A badge says how many derivatives are right, or how many findings are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from gradverify import records
from gradverify.cli import main
from gradverify.records import Records
from gradverify.report.badge import badge

from .made import run_records


def test_findings_that_fail_are_counted() -> None:
    found = run_records()
    wrong = [c for c in found.claims if c.verdict == "wrong"]
    said = json.loads(badge(found))
    assert said["schemaVersion"] == 1
    assert said["label"] == "gradients"
    assert said["message"] == f"{1 + len(wrong)} wrong"
    assert said["color"] == "red"


def test_without_a_finding_right_derivatives_are_counted() -> None:
    found = msgspec.structs.replace(run_records(), discrepancies=(), claims=())
    said = json.loads(badge(found))
    assert said["message"] == "35 right"
    assert said["color"] == "brightgreen"


def test_nothing_is_neither_right_nor_wrong() -> None:
    said = json.loads(badge(Records()))
    assert (said["message"], said["color"]) == ("nothing judged", "lightgrey")


def test_the_command_writes_it(tmp_path: Path) -> None:
    path, target = tmp_path / "a.jsonl", tmp_path / "badge.json"
    path.write_bytes(b"".join(map(records.encode, records.in_order(run_records()))))
    assert main(["report", str(path), "--badge", str(target)]) == 0
    assert target.read_text() == badge(records.read(path))
