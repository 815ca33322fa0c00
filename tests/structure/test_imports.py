"""The package's own order: imports point one way, and heavy libraries wait."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradverify

PACKAGE = Path(gradverify.__file__).parent

# Earlier rooms know nothing of later ones; rooms on one line do not know each other.
ORDER = (
    ("surroundings", "formats", "outside"),
    ("ops",),
    ("graph",),
    ("arithmetic",),
    ("autodiff",),
    ("questions",),
    ("strategies", "differentiators", "expressions", "verdict"),
    ("reference",),
    ("compare",),
    ("diagnosis", "known"),
    ("verify", "claims"),
    ("capture",),
    ("suites",),
    ("selftest",),
    ("records",),
    ("report",),
    ("plugin",),
    ("cli",),
    ("__main__",),
)
HEAVY = ("torch", "autograd", "jax", "scipy", "matplotlib", "hypothesis", "mpmath", "flint", "numpy")  # fmt: skip  # noqa: E501


def files() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        yield relative.parts[0].removesuffix(".py"), path


def imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    """The rooms that a file imports, `TYPE_CHECKING` blocks and all."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
            if node.module == "gradverify":
                names = [f"gradverify.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            head, _, rest = name.partition(".")
            if head == "gradverify" and rest:
                yield node.lineno, rest.split(".")[0]


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {room for room, _ in files()} - {"__init__"}
    assert rooms == {room for group in ORDER for room in group}


def test_imports_point_one_way() -> None:
    level = {room: i for i, group in enumerate(ORDER) for room in group}
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} imports {target}"
        for room, path in files()
        if room in level
        for line, target in imported_rooms(path)
        if target != room and level[target] >= level[room]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", ["gradverify", "gradverify.plugin"])
def test_import_brings_no_heavy_library(module: str) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not set(HEAVY) & set(done.stdout.split())


def test_scipy_is_loaded_by_what_needs_it() -> None:
    needs = (
        "import sys, numpy, gradverify.verify, gradverify.suites\n"
        "from gradverify.arithmetic.floats import FLOATS\n"
        "print('scipy' in sys.modules)\n"
        "FLOATS.table['erf'](numpy.array(0.5))\n"
        "print('scipy' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", needs], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]


def test_that_test_can_fail() -> None:
    script = "import sys, numpy; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "numpy" in done.stdout.split()
