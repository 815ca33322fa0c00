"""What the documentation shows is what the program prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ..scratch import Scratch

DOCS = Path(__file__).parents[2] / "docs"
TUTORIALS = DOCS / "tutorials"


def text(name: str) -> str:
    return (TUTORIALS / name).read_text(encoding="utf-8")


def test_the_finding_of_the_toy_engine(scratch: Scratch) -> None:
    scratch.write("conftest.py", text("toy_engine.py"))
    found = scratch.pytest(
        "--gradverify-only", "--gradverify-suites=ops", "--gradverify-ops=mul",
        "--gradverify-profile=smoke",
    )  # fmt: skip
    assert found.ret == 1
    assert text("toy_finding.txt").rstrip() in found.stdout.str()


def test_the_claim_of_the_notes(scratch: Scratch) -> None:
    scratch.write("notes.py", text("notes.py"))
    found = scratch.gradverify("claims", "notes.py")
    assert found.ret == 1
    assert found.stdout.str().rstrip() == text("notes.txt").rstrip()


def test_the_finding_of_the_norm(scratch: Scratch) -> None:
    scratch.write("my_ops.py", text("my_ops.py"))
    at = ("--at", "x=randn(3,4)", "--at", "weight=randn(4)")
    found = scratch.gradverify("check-file", "my_ops.py::RmsNorm", *at)
    assert found.ret == 1
    assert found.stdout.str().rstrip() == text("my_ops.txt").rstrip()


SNIPPETS = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGE = DOCS / "how-to" / "check-a-jax-function.md"
SAID = (
    ("softplus, reverse, float32: the derivative is wrong",),
    (
        "forward, float64: judged by the captured program",
        "lambda, float64: judged by the captured program",
    ),
    ("logsumexp, reverse, float64: the derivative is wrong",),
)


@pytest.mark.parametrize("place", range(len(SAID)))
def test_the_functions_of_the_page_are_judged_as_it_says(
    place: int, capsys: pytest.CaptureFixture[str]
) -> None:
    snippets = SNIPPETS.findall(PAGE.read_text(encoding="utf-8"))
    assert len(snippets) == len(SAID)
    code, said = snippets[place], SAID[place]
    if "import jax" in code:
        pytest.importorskip("jax")
    exec(compile(code, str(PAGE), "exec"), {})
    printed = capsys.readouterr().out
    assert [text for text in said if text not in printed] == [], printed
    assert ("is wrong" in printed) == ("is wrong" in said[0]), printed


CHECKED = re.compile(r"^\$ gradverify (check .*)\n((?:[^`].*\n)*)```", re.MULTILINE)


def shown() -> list[tuple[str, str]]:
    files = [*sorted(TUTORIALS.glob("*.md")), DOCS.parent / "README.md"]
    pages = [p.read_text(encoding="utf-8") for p in files]
    return [(m[1], m[2]) for page in pages for m in CHECKED.finditer(page)]


@pytest.mark.parametrize(("command", "output"), shown())
def test_checked_expressions(command: str, output: str, scratch: Scratch) -> None:
    assert scratch.gradverify(*shlex.split(command)).stdout.str() == output.rstrip()


def test_expressions_are_checked_somewhere() -> None:
    assert len(shown()) > 1


def test_every_page_is_found_from_the_first() -> None:
    first = (DOCS / "index.md").read_text(encoding="utf-8")
    pages = {
        p.relative_to(DOCS).with_suffix("").as_posix()
        for p in DOCS.rglob("*.md")
        if not {"_made", "_build"} & {*p.parts} and p.name != "index.md"
    }
    assert len(pages) > 15
    assert {page for page in pages if page not in first.split()} == set()
