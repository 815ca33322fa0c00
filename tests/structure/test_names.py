"""A name says one thing: no file and no class is called as another one is."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import gradverify

PACKAGE = Path(gradverify.__file__).parent

# The folder of every library has these files, so that whoever knows one knows all.
OF_A_LIBRARY = {
    "table.py", "layers.py", "linear_algebra.py", "elementwise.py", "special.py",
    "indexing.py", "modes.py", "ordering.py", "settings.py",
    "spelling.py", "tails.py", "transforms.py",
}  # fmt: skip
LIBRARIES = {"hips_autograd", "jax_numpy", "own", "pytorch"}


def file_names() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        is_shared = path.name in OF_A_LIBRARY and path.parent.name in LIBRARIES
        where = "a library" if is_shared else str(path.parent.relative_to(PACKAGE))
        if path.name != "__init__.py":
            yield path.name, where


def class_names() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name, f"{path.relative_to(PACKAGE)}:{node.lineno}"


def doubled(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names that stand in several places, with these places."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    for name, where in names:
        places[name].add(where)
    return {name: sorted(w) for name, w in places.items() if len(w) > 1}


def test_a_file_name_occurs_once() -> None:
    names = list(file_names())
    assert len(names) > 200
    assert not doubled(names)


def test_a_class_name_occurs_once() -> None:
    names = list(class_names())
    assert len(names) > 200
    assert not doubled(names)


def test_a_doubled_name_is_seen() -> None:
    found = doubled([("step.py", "a"), ("step.py", "b"), ("program.py", "a")])
    assert found == {"step.py": ["a", "b"]}
