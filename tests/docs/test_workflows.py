"""Workflows and the action are YAML, and what they run is a script of bash."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILES = (
    "action.yml",
    ".github/workflows/ci.yml",
    ".github/workflows/weekly.yml",
    "gradverify/cli/starter/gradverify.yml",
)


def steps(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in [found.get("runs", {}), *found.get("jobs", {}).values()]:
        yield from job.get("steps", ())


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_github_is_understood(file: str) -> None:
    yaml = pytest.importorskip("yaml", reason="comes with the documentation's tools")
    found = list(steps(yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))))
    assert found
    odd = [step for step in found if ("run" in step) is ("uses" in step)]
    assert odd == []
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    scripts = "\n".join(step["run"] for step in found if "run" in step)
    assert scripts
    subprocess.run([bash, "-n"], input=scripts.encode(), check=True)


def test_every_workflow_is_looked_at() -> None:
    there = {p.relative_to(ROOT).as_posix() for p in ROOT.glob(".github/**/*.yml")}
    assert there <= set(FILES)
