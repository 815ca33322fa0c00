"""The tables of the reference are made from the program's own tables, whole."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gradverify.differentiators.protocol import KINDS
from gradverify.ops import OPS
from gradverify.plugin.options import OPTIONS, flag
from gradverify.suites import SUITES, TABLE
from gradverify.verdict import Verdict

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def pages() -> Any:
    spec = importlib.util.spec_from_file_location("made", DOCS / "made.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)  # as Sphinx has it
        spec.loader.exec_module(module)
    return module.PAGES


def first_cells(page: Callable[[], Iterator[str]]) -> list[str]:
    """The names in the first column, below the head."""
    return [m[1] for line in page() if (m := re.match(r"\| `([^`]+)`", line))]


def test_the_ops_are_listed_once_and_whole(pages: Any) -> None:
    assert first_cells(pages["ops"]) == list(OPS.public())


LIBRARIES = ("torch-cpu", "jax", "autograd")

# What scripts call: one function, several, one in a loop, one that is handed on.
TOLD = {
    "exp": ("yes", "yes", "yes"),
    "gelu": ("yes", "yes", "composed"),
    "leaky_relu": ("yes", "yes", "composed"),
    "pixel_shuffle": ("yes", "composed", "composed"),
    "hfft2": ("yes", "composed", "composed"),
    "interp": ("composed", "yes", "composed"),
    "cummax": ("yes", "yes", "composed"),
    "index_add": ("yes", "composed", "autograd's arrays cannot be assigned to"),
    "betainc": ("PyTorch has no incomplete beta function", "yes", "yes"),
}


def test_it_is_told_of_each_library_how_it_has_an_op(pages: Any) -> None:
    lines = [*pages["op_engines"]()]
    assert first_cells(lambda: iter(lines)) == list(OPS.public())
    (head,) = (line for line in lines if line.startswith("| op |"))
    there = [LIBRARIES.index(name) for name in re.findall(r"`([^`]+)`", head)]
    assert there, "torch and autograd are installed wherever these tests run"
    rows = {
        m[1]: m[2] for line in lines if (m := re.match(r"\| `(\w+)` \| (.*) \|", line))
    }
    told = {op: tuple(cells[k] for k in there) for op, cells in TOLD.items()}
    assert {op: tuple(rows[op].split(" | ")) for op in TOLD} == told
    counts = [line for line in lines if " ops itself; " in line]
    counted = [list(map(int, re.findall(r"\b\d+\b", line))) for line in counts]
    assert len(counted) == len(there)
    assert all(row[0] + row[2] + row[3] == row[1] for row in counted), counted


def test_every_formula_stands_beside_its_op(pages: Any) -> None:
    lines = [line.replace("\\|", "|") for line in pages["ops"]()]
    told = [row for row in OPS if row.formula and not row.internal]
    assert len(told) > 10
    for row in told:
        (line,) = (text for text in lines if text.startswith(f"| `{row.name}` |"))
        assert f"`{row.formula}`" in line


def test_suites_options_and_verdicts_are_whole(pages: Any) -> None:
    assert first_cells(pages["suites"]) == list(SUITES)
    assert all(row.says in "\n".join(pages["suites"]()) for row in TABLE)
    options = [name.partition(" ")[0] for name in first_cells(pages["options"])]
    assert options == [flag(name) for name, *_ in OPTIONS]
    assert first_cells(pages["verdicts"]) == [v.name for v in Verdict]


def test_every_kind_of_mode_has_its_signature(pages: Any) -> None:
    text = "\n".join(pages["kinds"]())
    assert len(first_cells(pages["kinds"])) == len(KINDS)
    for kind in KINDS:
        assert f'@gradverify.mode("{kind}")' in text
    engines = set(first_cells(pages["modes"]))
    assert {"own-dual", "own-tape", "torch-cpu", "jax", "autograd"} <= engines


def test_every_page_that_is_made_is_shown(pages: Any) -> None:
    files = [p for p in DOCS.rglob("*.md") if p.parent.name not in ("_made", "_build")]
    shown = "\n".join(p.read_text(encoding="utf-8") for p in files)
    assert [name for name in pages if f"_made/{name}.md" not in shown] == []
