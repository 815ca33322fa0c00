"""A run that is compared with an older one, in a repository with a planted engine."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
from msgspec.structs import replace

from gradverify.differentiators import Differentiator, Pulled, load, mode
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.differentiators.run import BUSY
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.plugin.baseline import Base, compared
from gradverify.plugin.baseline import _verdict as verdict_on
from gradverify.plugin.item_outcome import discrepancy
from gradverify.records import Discrepancy, Item, Records
from gradverify.report.wording import DIED
from gradverify.verdict import Judgement, Verdict

from ..scratch import RIGHT_ENGINE, TOY_ENGINE, Scratch

RUN = ("--gradverify-only", "--gradverify-profile", "smoke", "--gradverify-suites",
       "ops", "--gradverify-time", "600")  # fmt: skip
MUL = "toy:forward:float64/mul/wrong"

# The product rule as it should be, and a sine that lost its sign.
MENDED = RIGHT_ENGINE.replace("math.cos(self.x)", "-math.cos(self.x)")


def furnish(root: Path) -> Scratch:
    """A repository with the toy engine."""
    found = Scratch(root)
    found.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    found.write("conftest.py", TOY_ENGINE)
    return found


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A repository whose ops were run once; not to be changed."""
    found = furnish(tmp_path_factory.mktemp("older"))
    found.pytest(*RUN)
    return found


@pytest.fixture
def repository(older: Scratch, tmp_path: Path) -> Scratch:
    """A copy of the repository whose ops were run once."""
    return Scratch(shutil.copytree(older.root, tmp_path / "copy"))


def changes(repository: Scratch) -> dict[str, Any] | None:
    return next(iter(repository.of_type("changes")), None)


def test_a_finding_leads_to_the_line_that_registers_the_engine(older: Scratch) -> None:
    (found,) = (d for d in older.of_type("discrepancy") if d["finding"] == MUL)
    line = 1 + TOY_ENGINE.splitlines().index("@gradverify.register")
    assert found["place"] == f"conftest.py:{line}"  # `operators` has no line there


def test_what_came_and_what_went_is_said(
    repository: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert changes(repository) is None
    shutil.copy(
        repository.root / "reports" / "gradverify.jsonl", repository.root / "old.jsonl"
    )
    repository.write("conftest.py", MENDED)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(repository.root / "summary.md"))
    result = repository.pytest(
        *RUN, "--gradverify-against", "old.jsonl", "-k", "mul or sin"
    )
    lines = MENDED.splitlines()
    sine = 1 + lines.index("    def sin(self):")
    result.stdout.fnmatch_lines(
        [
            # At 2e154 any slope of a sine is within rounding of the argument.
            "against *old.jsonl, 20??-??-??: 1 newly wrong, 1 fixed, 1 newly imprecise",
            "  newly wrong: toy:forward:float64/sin/wrong",
            f"  fixed: {MUL}",
            f"::error file=conftest.py,line={sine},title=gradverify%3A toy%2C"
            " forward%2C float64::*sin(a) at *",
        ]
    )
    found = changes(repository)
    assert found is not None
    assert found["fixed"] == [MUL]
    assert "1 newly wrong, 1 fixed" in repository.text("gradverify.html")
    assert "1 newly wrong, 1 fixed" in (repository.root / "summary.md").read_text()

    # the records that this run wrote over are the base where none is named
    again = repository.pytest(*RUN, "-k", "mul or sin")
    again.stdout.fnmatch_lines(["against gradverify.jsonl, 20*: no change"])
    assert "newly wrong" not in again.stdout.str()


def test_a_finding_is_fixed_only_where_it_was_looked_for(repository: Scratch) -> None:
    shutil.copytree(repository.root / "reports", repository.root / "kept")
    # a folder stands for the records in it; the ini file is read from the rootdir
    repository.write(
        "pyproject.toml", '[tool.pytest.ini_options]\ngradverify_against = "kept"\n'
    )
    result = repository.pytest(*RUN, "-k", "add")
    result.stdout.fnmatch_lines(["against *kept, 20*: 1 no longer checked"])
    # what nobody named and did not run all of this says nothing about it
    repository.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    result = repository.pytest(*RUN, "-k", "add or mul")
    assert MUL in result.stdout.str()
    assert "against" not in result.stdout.str()


@final
class DropsAPath(OwnTape):
    """Our tape with a product whose second path has no cotangent."""

    name = "planted"

    @mode("gradient", default=True)
    def reverse(self, function: Any, point: Any) -> Pulled:
        found = super().reverse(function, point, np.ones(()))
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
    found = compared(before, Records((), (ran,)), [who], lambda who: 10.0)
    assert found is not None
    assert (found.fixed, found.gone, found.newly_wrong) == (fixed, [], [])


@final
class HasNoEnd(OwnTape):
    """Our tape, which sleeps at every question, and counts them."""

    name = "endless"
    asked = 0

    @mode("gradient", default=True)
    def reverse(self, function: Any, point: Any) -> Pulled:
        HasNoEnd.asked += 1
        time.sleep(100.0)
        raise AssertionError("it has no end")


def test_one_old_case_without_an_end_is_tried_for_all_of_an_engine() -> None:
    who, late = HasNoEnd(), Judgement(Verdict.TIMED_OUT, "", "-", "2")
    old = [
        discrepancy(who.name, "reverse", square(), late,
                    finding=f"finding/{k}", item="an/item")
        for k in range(BUSY + 2)
    ]  # fmt: skip
    ran = Item(id="an/item", suite="ops", block="mul", differentiator=who.name,
               mode="reverse", dtype="float64", outcome="passed", cases=4)  # fmt: skip
    before = Base(Records(tuple(old), (ran,)), "old.jsonl", is_named=True)
    found = compared(before, Records((), (ran,)), [who], lambda who: 0.2)
    assert found is not None
    assert (found.fixed, found.newly_wrong) == ([], [])
    # one case is asked for again where the processor was busy, but never that often
    assert 1 <= HasNoEnd.asked <= BUSY + 1


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
    tmp_path: Path, content: bytes | None, text: str
) -> None:
    repository = furnish(tmp_path)
    if content is not None:
        (tmp_path / "old.jsonl").write_bytes(content)
    result = repository.pytest(*RUN, "--gradverify-against", "old.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text in result.stderr.str()
    assert not (tmp_path / "reports").exists()


def test_what_of_a_base_is_garbled_is_said(repository: Scratch) -> None:
    path = repository.root / "reports" / "gradverify.jsonl"
    (repository.root / "old.jsonl").write_bytes(b"{cut\n" + path.read_bytes())
    result = repository.pytest(*RUN, "--gradverify-against", "old.jsonl", "-k", "mul")
    result.stdout.fnmatch_lines(
        ["*old.jsonl: line 1 is cut or garbled; read past", "against *: no change"]
    )
    # a garbled run that nobody named is no error
    path.write_bytes(b"\xff\xfe{\n")
    result = repository.pytest(*RUN, "-k", "mul")
    assert MUL in result.stdout.str()
    assert "against" not in result.stdout.str()


def test_the_network_of_an_older_run_is_made_again() -> None:
    made_from = {"sizes": [6, 5, 3], "activation": "relu", "loss": "mse", "seed": 4}
    found = Discrepancy(
        differentiator="own-tape", mode="reverse", dtype="float64", verdict="WRONG",
        ops=[], graph={}, point=[], got="", exact="", bound=None, known=None,
        finding="", case="", network=made_from,
    )  # fmt: skip
    assert verdict_on(found, load("own-tape"), 10.0) is Verdict.AGREES
    unmade = replace(found, network=made_from | {"seed": -1})
    with pytest.raises(ValueError, match="seeds from 0 up"):
        verdict_on(unmade, load("own-tape"), 10.0)
