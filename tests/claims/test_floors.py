"""The floors of the room: a file is read upwards, and no floor knows a later one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import gradverify

ROOM = Path(gradverify.__file__).parent / "claims"

# A floor knows those before it. `checking` judges a formula by itself.
FLOORS = (
    "sources",
    "computation",
    "language",
    "code",
    "meaning",
    "judgement",
    "mending",
    "reading",
    "checking",
)


def imported_floors(path: Path) -> Iterator[tuple[int, str]]:
    """The floors that a file imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            inside = parts[:2] == ["gradverify", "claims"] and len(parts) > 2
            if inside and parts[2] != "claim_limits":  # which knows no floor
                yield node.lineno, parts[2]


def test_every_file_stands_on_a_floor() -> None:
    found = {p.name for p in ROOM.iterdir() if p.name != "__pycache__"}
    assert found == {"__init__.py", "claim_limits.py", *FLOORS}


def test_floors_know_the_ones_before_alone() -> None:
    files = [(f, p) for f in FLOORS for p in sorted((ROOM / f).glob("*.py"))]
    assert len(files) > 30
    imports = [(f, p, n, t) for f, p in files for n, t in imported_floors(p)]
    assert len(imports) > 50
    wrong = [
        f"{path.relative_to(ROOM)}:{line} imports {target}"
        for floor, path, line, target in imports
        if FLOORS.index(target) > FLOORS.index(floor)
    ]
    assert not wrong, "\n".join(wrong)
