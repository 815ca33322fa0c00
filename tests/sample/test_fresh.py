"""The sample is not older than the templates of the report, nor than its engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gradverify import records

from .make import DIGESTS, RECORDS, ROOT, SAMPLE, SOURCES, digest

COMMANDS = {
    "run": "python -m tests.sample.make",
    "page": "python -m tests.sample.make --page",
}


@pytest.mark.parametrize("made", SOURCES)
def test_the_sample_is_as_new_as_what_it_was_made_from(made: str) -> None:
    kept = json.loads(DIGESTS.read_text(encoding="utf-8"))
    assert kept[made] == digest(made), f"the sample is older: {COMMANDS[made]}"


def test_a_digest_follows_every_file(tmp_path: Path) -> None:
    assets = tmp_path / "gradverify" / "report" / "assets"
    shutil.copytree(ROOT / "gradverify" / "report" / "assets", assets)
    seen = [digest("page", tmp_path)]
    style = assets / "page.css"
    style.write_text(style.read_text("utf-8") + " ", encoding="utf-8")
    seen.append(digest("page", tmp_path))
    style.rename(assets / "other.css")
    seen.append(digest("page", tmp_path))
    assert len(set(seen)) == 3


def test_the_sample_shows_what_a_run_can_find() -> None:
    found = records.read(SAMPLE / RECORDS)
    own = [d for d in found.discrepancies if d.differentiator == "sketch"]
    assert {d.op for d in own if d.failed} >= {"mul", "exp", "maximum"}
    assert {d.mode for d in own} == {"reverse", "pullback"}
    assert any(d.verdict == "IMPRECISE" for d in own)
    assert any(d.known for d in found.discrepancies)
    assert {c.verdict for c in found.claims} == {"right", "wrong"}
    page = (SAMPLE / "gradverify.html").read_text(encoding="utf-8")
    assert all(d.case in page for d in own if d.failed)
