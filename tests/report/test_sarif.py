"""Findings as SARIF: the form of the specification, levels, places, and one each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from gradverify import records
from gradverify.cli import main
from gradverify.records import Records
from gradverify.report.job_summary import workflow_commands
from gradverify.report.sarif import sarif

from .made import found as discrepancy
from .made import run_records
from .test_page import hostile

# What SARIF 2.1.0 requires of each object that is written, and what else it may have;
# no other property is allowed there.
OBJECTS: dict[str, tuple[set[str], set[str]]] = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"results", "columnKind"}),
    "tool": ({"driver"}, set()),
    "driver": ({"name"}, {"version", "informationUri", "rules"}),
    "rule": ({"id"}, {"shortDescription"}),
    "result": (
        {"message"},
        {"ruleId", "level", "kind", "locations", "partialFingerprints"},
    ),
    "message": ({"text"}, set()),
    "location": (set(), {"physicalLocation"}),
    "place": ({"artifactLocation"}, {"region"}),
    "artifact": ({"uri"}, set()),
    "region": (set(), {"startLine"}),
}
LEVELS = {"none", "note", "warning", "error"}


def formed(kind: str, value: Any) -> Any:
    """The object, which has what its kind requires and nothing that is unknown."""
    required, more = OBJECTS[kind]
    assert required <= set(value) <= required | more, kind
    return value


def read(found: Records) -> tuple[list[Any], list[Any]]:
    """The rules and the results of a document that keeps to the specification."""
    log = formed("log", json.loads(sarif(found, "1.0")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = formed("driver", formed("tool", formed("run", run)["tool"])["driver"])
    ids = [formed("rule", rule)["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert formed("message", rule["shortDescription"])["text"]
    for result in (formed("result", r) for r in run["results"]):
        assert formed("message", result["message"])["text"]
        assert result["ruleId"] in ids
        assert result["level"] in LEVELS
        assert result.get("kind", "fail") in {"fail", "review"}
        (location,) = result["locations"]
        place = formed("place", formed("location", location)["physicalLocation"])
        assert formed("artifact", place["artifactLocation"])["uri"].isascii()
        if "region" in place:
            assert formed("region", place["region"])["startLine"] >= 1
    return driver["rules"], run["results"]


def test_a_run_has_a_result_for_each_finding_and_claim() -> None:
    rules, results = read(run_records())
    assert [r["ruleId"] for r in results] == ["wrong", "imprecise", "wrong-derivative"]
    assert [r["level"] for r in results] == ["error", "note", "error"]
    assert rules[0] == {
        "id": "wrong", "shortDescription": {"text": "The derivative is wrong"}
    }  # fmt: skip
    text = results[0]["message"]["text"]
    for part in ("toy, reverse, float64", "got 11.0 for d/da, exact 21",
                 "passes 1 on to a", "gradverify replay"):  # fmt: skip
        assert part in text


def test_what_is_accepted_is_a_note_and_lost_digits_a_warning() -> None:
    accepted = discrepancy(failed=False, accepted=True)
    lossy = discrepancy(failed=False, finding="toy:reverse:float64/tanh/imprecise")
    lossy = msgspec.structs.replace(lossy, verdict="IMPRECISE")
    kink = msgspec.structs.replace(lossy, verdict="KINK_CONVENTION", finding="a/b/c")
    _, results = read(Records((accepted, lossy, kink)))
    assert [r["level"] for r in results] == ["note", "warning"]


def test_several_modes_are_one_result() -> None:
    one = discrepancy()
    other = msgspec.structs.replace(
        one, mode="forward", finding="toy:forward:float64/mul/wrong"
    )
    _, results = read(Records((one, other)))
    (result,) = results
    text = result["message"]["text"]
    assert text.startswith("toy, reverse and forward, float64: ")


def test_a_place_is_the_users_line_or_else_the_item() -> None:
    placed = msgspec.structs.replace(discrepancy(), place="src/my engine.py:12")
    _, ((result), *_) = read(Records((placed,)))
    place = result["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == "src/my engine.py"
    assert place["region"] == {"startLine": 12}
    (line,) = workflow_commands(Records((placed,)))
    assert line.startswith("::error file=src/my engine.py,line=12,title=gradverify")
    for spoiled in ("", "x", "x:0", "x:-3", ":4", "x:y"):
        odd = msgspec.structs.replace(placed, place=spoiled)
        _, ((result), *_) = read(Records((odd,)))
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "pyproject.toml"


def test_a_finding_has_the_same_fingerprint_in_every_run() -> None:
    one = discrepancy()
    later = msgspec.structs.replace(one, got="12.0", case="0123456789")
    other = msgspec.structs.replace(one, finding="toy:reverse:float64/add/wrong")
    prints = [read(Records((d,)))[1][0]["partialFingerprints"] for d in (one, later)]
    assert prints[0] == prints[1]
    assert read(Records((other,)))[1][0]["partialFingerprints"] != prints[0]


def test_hostile_records_keep_to_the_specification() -> None:
    assert len(read(hostile(discrepancy))[1]) > 1
    assert read(Records()) == ([], [])


def test_the_command_writes_it(tmp_path: Path) -> None:
    path, target = tmp_path / "a.jsonl", tmp_path / "findings.sarif"
    path.write_bytes(b"".join(map(records.encode, records.in_order(run_records()))))
    assert main(["report", str(path), "--sarif", str(target)]) == 0
    assert len(json.loads(target.read_text("utf-8"))["runs"][0]["results"]) == 3
