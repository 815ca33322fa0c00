"""The table of attacks names no test that is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\b([a-z_]+): ([a-z0-9_]+)(?=<br>| \|)")


def in_table() -> set[tuple[str, str]]:
    text = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return {found for row in rows for found in ROW.findall(row)}


def in_files() -> set[tuple[str, str]]:
    return {
        (path.stem.removeprefix("test_"), node.name.removeprefix("test_"))
        for path in (ROOT / "tests" / "hold").glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_test_in_the_table_of_attacks_exists() -> None:
    named = in_table()
    assert len(named) > 100
    assert not named - in_files()
