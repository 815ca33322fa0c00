"""No module imports itself through others, inside a room either."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import gradverify

PACKAGE = Path(gradverify.__file__).parent


def module_name(path: Path, root: Path) -> str:
    """The name by which a file below `root` is imported; a folder's is its own."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(text: str, names: frozenset[str]) -> Iterator[str]:
    """The modules among `names` that a source text imports.

    Imports inside functions and under `TYPE_CHECKING` count like all others.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found = whole if whole in names else node.module or ""
                if found in names:
                    yield found


def import_graph(package: Path) -> dict[str, set[str]]:
    """For every module of a package, the modules of it that it imports."""
    files = {module_name(path, package.parent): path for path in package.rglob("*.py")}
    names = frozenset(files)
    return {
        name: set(imported(path.read_text(encoding="utf-8"), names)) - {name}
        for name, path in files.items()
    }


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of one circle, in the order of their imports; empty without one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1][::-1]
        return found
    return []


def test_no_module_imports_itself_through_others() -> None:
    graph = import_graph(PACKAGE)
    assert len(graph) > 100
    found = circle(graph)
    assert not found, "a circle of imports: " + " -> ".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "import pack.a",
        "from pack import a",
        "from pack.a import x",
        "def f():\n    from pack.a import x",
        "if TYPE_CHECKING:\n    from pack.a import x",
    ],
)
def test_that_test_sees_every_kind_of_import(line: str, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    for name, text in {"__init__": "", "a": "import pack.b", "b": line}.items():
        (pack / f"{name}.py").write_text(text, encoding="utf-8")
    assert set(circle(import_graph(pack))) == {"pack.a", "pack.b"}
