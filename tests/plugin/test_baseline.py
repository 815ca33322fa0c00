"""A run that is compared with an older one, in a repository with a planted engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
from msgspec.structs import replace

from gradverify.differentiators import Differentiator, Pulled, load, mode
from gradverify.differentiators.own.tape import OwnTape
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.plugin.baseline import Base, compared
from gradverify.plugin.baseline import _verdict as verdict_on
from gradverify.plugin.item_outcome import discrepancy
from gradverify.records import Discrepancy, Item, Records
from gradverify.report.wording import DIED
from gradverify.verdict import Judgement, Verdict

RUN = ("--gradverify-only", "--gradverify-profile", "smoke", "--gradverify-suites",
       "ops", "--gradverify-time", "600")  # fmt: skip
MUL = "toy:forward:float64/mul/wrong"


@pytest.fixture
def run(pytester: pytest.Pytester, plugin_arguments: tuple[str, ...]) -> Any:
    """Run pytest in the scratch repository, the plugin loaded."""

    def runner(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*plugin_arguments, *RUN, *arguments)

    return runner


@pytest.fixture
def repository(pytester: pytest.Pytester, toy_engine: str) -> Path:
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n")
    pytester.makeconftest(toy_engine)
    return pytester.path


def changes(repository: Path) -> dict[str, Any] | None:
    text = (repository / "reports" / "gradverify.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    return next((r for r in found if r["type"] == "changes"), None)


def mend(repository: Path) -> None:
    """The product rule as it should be, and a sine that lost its sign."""
    conftest = repository / "conftest.py"
    text = conftest.read_text().replace(
        "self.x * other.dx)", "self.x * other.dx + self.dx * other.x)"
    )
    conftest.write_text(text.replace("math.cos(self.x)", "-math.cos(self.x)"))


def test_what_came_and_what_went_is_said(
    run: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    assert changes(repository) is None
    old = shutil.copy(repository / "reports" / "gradverify.jsonl", "old.jsonl")
    mend(repository)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(repository / "summary.md"))
    result = run("--gradverify-against", str(old), "-k", "mul or sin")
    result.stdout.fnmatch_lines(
        [
            "against *old.jsonl, 20??-??-??: 1 newly wrong, 1 fixed",
            "  newly wrong: toy:forward:float64/sin/wrong",
            f"  fixed: {MUL}",
            "::error title=gradverify%3A toy%2C forward%2C float64::*sin(a) at *",
        ]
    )
    found = changes(repository)
    assert found is not None
    assert found["fixed"] == [MUL]
    page = (repository / "reports" / "gradverify.html").read_text()
    assert "1 newly wrong, 1 fixed" in page
    assert "1 newly wrong, 1 fixed" in (repository / "summary.md").read_text()

    # the records that this run wrote over are the base where none is named
    again = run("-k", "mul or sin")
    again.stdout.fnmatch_lines(["against gradverify.jsonl, 20*: no change"])
    assert "newly wrong" not in again.stdout.str()


def test_a_finding_is_fixed_only_where_it_was_looked_for(
    run: Any, repository: Path
) -> None:
    run("-k", "mul or add")
    shutil.copytree(repository / "reports", "kept")
    # a folder stands for the records in it; the ini file is read from the rootdir
    (repository / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ngradverify_against = "kept"\n'
    )
    result = run("-k", "add")
    result.stdout.fnmatch_lines(["against *kept, 20*: 1 no longer checked"])
    # what nobody named and did not run all of this says nothing about it
    (repository / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    assert "against" not in run("-k", "add or mul").stdout.str()


@final
class DropsAPath(OwnTape):
    """Our tape with a product whose second path has no cotangent."""

    name = "planted"

    @mode("gradient", default=True)
    def reverse(self, function: Any, point: Any) -> Pulled:
        found = super().reverse(function, point)
        return Pulled(found.value, [0.5 * ct for ct in found.cotangents])


def square() -> Case:
    """a * a at 1."""
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "mul", [0, 0]))
    return Case(Graph(tuple(nodes)), (np.array(1.0),))


@pytest.mark.parametrize(
    ("judged", "answer", "fixed"),
    [
        (OwnTape, "1.0", ["the/finding"]),
        (DropsAPath, "1.0", []),
        # what ended its process is not tried again in this one
        (DropsAPath, DIED, ["the/finding"]),
    ],
)
def test_a_finding_is_fixed_only_where_its_old_case_is_right_now(
    judged: type[Differentiator], answer: str, fixed: list[str]
) -> None:
    who = judged()
    wrong = Judgement(Verdict.WRONG, "d/da", answer, "2")
    old = discrepancy(who.name, "reverse", square(), wrong,
                      finding="the/finding", item="an/item")  # fmt: skip
    ran = Item(id="an/item", suite="ops", block="mul", differentiator=who.name,
               mode="reverse", dtype="float64", outcome="passed", cases=4)  # fmt: skip
    before = Base(Records((old,), (ran,)), "old.jsonl", is_named=True)
    found = compared(before, Records((), (ran,)), [who])
    assert found is not None
    assert (found.fixed, found.gone, found.newly_wrong) == (fixed, [], [])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "has no records of a run; name"),
        (b"\x00\xff" * 100, "has no records of a run (old.jsonl: line 1 is cut or"),
        (b'{"type": "note", "text": "x"}', "has no records of a run (x)"),
        (b'{"type": "item", "id": 3}', "has no records of a run (old.jsonl: line 1 of"),
    ],
)
def test_a_base_that_is_none_is_a_usage_error(
    run: Any, repository: Path, content: bytes | None, text: str
) -> None:
    if content is not None:
        (repository / "old.jsonl").write_bytes(content)
    result = run("--gradverify-against", "old.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text in result.stderr.str()
    assert not (repository / "reports").exists()


def test_what_of_a_base_is_garbled_is_said(run: Any, repository: Path) -> None:
    run("-k", "mul")
    text = (repository / "reports" / "gradverify.jsonl").read_bytes()
    (repository / "old.jsonl").write_bytes(b"{cut\n" + text)
    result = run("--gradverify-against", "old.jsonl", "-k", "mul")
    result.stdout.fnmatch_lines(
        ["*old.jsonl: line 1 is cut or garbled; read past", "against *: no change"]
    )
    # a garbled run that nobody named is no error
    (repository / "reports" / "gradverify.jsonl").write_bytes(b"\xff\xfe{\n")
    assert "against" not in run("-k", "mul").stdout.str()


def test_the_network_of_an_older_run_is_made_again() -> None:
    made_from = {"sizes": [6, 5, 3], "activation": "relu", "loss": "mse", "seed": 4}
    found = Discrepancy(
        differentiator="own-tape", mode="reverse", dtype="float64", verdict="WRONG",
        ops=[], graph={}, point=[], got="", exact="", bound=None, known=None,
        finding="", case="", network=made_from,
    )  # fmt: skip
    assert verdict_on(found, load("own-tape")) is Verdict.AGREES
    with pytest.raises(ValueError, match="seeds from 0 up"):
        verdict_on(replace(found, network=made_from | {"seed": -1}), load("own-tape"))
