"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gradverify.cli import main
from gradverify.differentiators import registry

from ..scratch import RIGHT_ENGINE, TOY_ENGINE, Scratch

ELEVEN = ["check", "(a+b)*(a*b)", "--at", "a=2", "--at", "b=3"]


def test_a_wrong_claim_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ELEVEN, "--claim", "a=11", "--claim", "b=11"]) == 1
    text = capsys.readouterr().out
    assert "claimed 11, exact 21" in text
    assert "claimed 11, exact 16" in text


def test_a_right_claim_is_accepted() -> None:
    assert main([*ELEVEN, "--claim", "a=21", "--claim", "b=16"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["-a*b", "--at", "a=2", "--at", "b=3", "--claim", "a=-3"],
        ["--at=a=2", "--cl", "a=-3", "-a*b", "--at", "b=3"],
        ["--at", "a=2", "--at", "b=3", "--claim", "a=-3", "--", "-a*b"],
    ],
)
def test_an_expression_may_begin_with_a_minus(arguments: list[str]) -> None:
    assert main(["check", *arguments]) == 0


def test_without_a_claim_the_gradient_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(ELEVEN) == 0
    assert capsys.readouterr().out == "∂/∂a = 21\n∂/∂b = 16\n"
    assert main(["check", "abs(a)", "--at", "a=0"]) == 0
    assert "∂/∂a = [-1, 1]" in capsys.readouterr().out
    assert main(["check", "log(a)", "--at", "a=-1"]) == 3


def test_a_word_too_many_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*ELEVEN, "--claims-of", "a=11"])
    printed = capsys.readouterr().err
    assert "unrecognized arguments: --claims-of" in printed
    assert "did you mean --claim?" in printed


def test_claims_about_arrays() -> None:
    shaped = ["check", "sum(w * w)", "--at", "w=[[1, 2], [3, 0.5]]"]
    assert main([*shaped, "--claim", "w=[[2, 4], [6, 1.0]]"]) == 0
    assert main([*shaped, "--claim", "w=[[2, 4], [6, 2]]"]) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["check", "__import__('os')", "--at", "a=1", "--claim", "a=1"], "gradverify:"),
        (["check", "a", "--at", "a", "--claim", "a=1"], "write it as --at a=2"),
        (["check", "a", "--at", "a=[1,", "--claim", "a=1"], "no list of numbers"),
        (["check", "a", "--at", "a=1", "--at", "a=2"], "a is given 2 times"),
        (["check", "a", "--at", "a=1", "--claim", "a=1", "--claim", "a=2"], "2 times"),
        (["report", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_what_makes_no_sense_ends_with_2(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert text in capsys.readouterr().err


def test_an_undecided_claim_ends_with_3() -> None:
    assert main(["check", "sqrt(a)", "--at", "a=0", "--claim", "a=1"]) == 3


def test_ops_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops"]) == 0
    text = capsys.readouterr().out
    assert "softplus" in text
    assert "mul (*)" in text
    assert "\naccumulate " not in text
    kinked = {line.split()[0] for line in text.splitlines() if ", kink" in line}
    assert {"abs", "relu", "clip", "max", "max_pool2d", "hardswish"} <= kinked
    assert not kinked & {"exp", "softplus", "elu", "norm", "sum"}


# ---- in a repository, from a run to an accepted finding

SMOKE = ("--gradverify-profile", "smoke", "--gradverify-time", "600")
OPS = (*SMOKE, "--gradverify-suites", "ops", "-q")
FINDING = "toy:forward:float64/mul/wrong"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scratch, pytest.RunResult]:
    """A repository whose ops were run once, to be copied, and how that run ended."""
    found = Scratch(tmp_path_factory.mktemp("ran"))
    found.write("pytest.ini", "[pytest]\n")
    found.write("conftest.py", TOY_ENGINE)
    return found, found.gradverify("run", *OPS)


@pytest.fixture
def after_a_run(ran: tuple[Scratch, pytest.RunResult], tmp_path: Path) -> Scratch:
    """A copy of the repository whose ops were run once."""
    return Scratch(shutil.copytree(ran[0].root, tmp_path / "copy"))


def test_a_run_ends_with_1_where_something_is_wrong(
    ran: tuple[Scratch, pytest.RunResult],
) -> None:
    assert ran[1].ret == 1
    assert f"gradverify accept {FINDING}" in ran[1].stdout.str()


@pytest.mark.slow
def test_from_a_run_to_an_accepted_finding(after_a_run: Scratch) -> None:
    here = after_a_run
    case = here.of_type("discrepancy")[0]["case"]

    again = here.gradverify("replay", case)
    assert again.ret == 1
    assert "STILL WRONG" in again.stdout.str()

    saved = here.gradverify("save", case[:6])
    assert saved.ret == 0
    assert (here.root / "gradverify-cases" / f"{case}.json").is_file()
    # as people type it, in a process of its own
    cases = here.apart("gradverify", "run", "--gradverify-suites", "cases", "-q")
    assert f"cases::{case}[toy:forward:float64]" in cases.stdout.str()
    assert cases.ret == 1

    accepted = here.gradverify(
        "accept", FINDING, "--reason", "planted", "--until", "2999-01-01"
    )
    assert accepted.ret == 0, accepted.stderr.str()
    assert "planted" in (here.root / "gradverify-known.toml").read_text()
    known = here.gradverify("run", "--gradverify-suites", "ops,known", *SMOKE)
    assert known.ret == 0, known.stdout.str()
    assert "known deviations: 1" in known.stdout.str()

    here.write("conftest.py", RIGHT_ENGINE)
    fixed = here.gradverify("replay", case)
    assert fixed.ret == 0
    assert "FIXED" in fixed.stdout.str()
    gone = here.gradverify("run", "--gradverify-suites", "known", *SMOKE)
    assert gone.ret == 1
    assert "no longer shows" in gone.stdout.str()


def test_a_finding_is_accepted_under_a_condition(after_a_run: Scratch) -> None:
    here = after_a_run
    false = here.gradverify("accept", FINDING, "--when", "a > 20")
    assert false.ret == 2
    assert "does not hold at the witness, where mul(a, b, ct)" in false.stderr.str()
    unread = here.gradverify("accept", FINDING, "--when", "z > 20")
    assert unread.ret == 2
    assert "z is no operand or param" in unread.stderr.str()
    assert not (here.root / "gradverify-known.toml").exists()

    done = here.gradverify("accept", FINDING, "--when", "a > 0.5")
    assert done.ret == 0, done.stderr.str()
    covers = "covers every WRONG of mul in toy, forward, float64 up to 10 of the exact"
    assert f"{covers} number where a > 0.5" in done.stdout.str()
    product = (*OPS, "--gradverify-ops", "mul")
    for policy in ("wrong", "new"):  # factors below 0.5 are new
        again = here.gradverify("run", *product, "--gradverify-fail-on", policy)
        assert again.ret == 1
        assert "known deviations: 1" in again.stdout.str()
    whole = here.gradverify("accept", FINDING)
    assert whole.ret == 2
    assert "this case lies elsewhere" in whole.stderr.str()
    rest = here.gradverify("accept", FINDING, "--when", "a <= 0.5")
    assert rest.ret == 0, rest.stderr.str()
    assert "mul-wrong-2" in rest.stdout.str()
    assert here.gradverify("run", *product).ret == 0


# ---- a module of others that cannot be used


@pytest.fixture
def theirs(repository: Scratch, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """A repository in which an installed package names the engine `theirs:Engine`."""
    repository.write("pytest.ini", "[pytest]\npythonpath = .\n")
    point = EntryPoint("theirs", "theirs:Engine", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    repository.write("conftest.py", "")
    return repository


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("class Engine(", "SyntaxError"),
        ("Engine = 3", "no subclass"),
        (
            "import gradverify\nclass Engine(gradverify.Differentiator):\n"
            "    name, table = 'theirs', {}\n"
            "    def available(self): raise OSError('no\\ndriver')\n"
            "    @gradverify.mode('gradient')\n"
            "    def reverse(self, function, point): pass\n",
            "OSError: no driver",
        ),
    ],
)
def test_a_broken_entry_point_is_one_line(
    theirs: Scratch, module: str, reason: str
) -> None:
    theirs.write("theirs.py", module)
    done = theirs.gradverify("differentiators")
    assert done.ret == 0, done.stderr.str()
    (line,) = [x for x in done.outlines if x.startswith("theirs")]
    assert "not available" in line
    assert reason in line
    assert "own-tape" in done.stdout.str()
    run = theirs.gradverify("run", "--collect-only", "--gradverify-ops", "add")
    assert run.ret == 0
    why = line.partition("not available: ")[2]
    assert f"not theirs: {why}" in run.stdout.str()


def test_a_case_is_replayed_past_a_broken_entry_point(theirs: Scratch) -> None:
    theirs.write("theirs.py", "raise RuntimeError('no licence')")
    one = {"shape": [], "dtype": "float64", "values": ["0x1p0"]}
    graph = {"nodes": [{"op": "input", "shape": []},
                       {"op": "sin", "operands": [0], "params": {}}]}  # fmt: skip
    case = {"graph": graph, "point": [one], "dtype": "float64"}
    theirs.write("case.json", json.dumps(case))
    done = theirs.gradverify("replay", "case.json")
    assert done.ret == 0, done.stderr.str()
    assert "own-tape" in done.stdout.str()


# ---- the rest


def test_the_page_is_made_anew(scratch: Scratch) -> None:
    scratch.write("a.jsonl", '{"type": "note", "text": "kept"}\n{"type": "it')
    done = scratch.gradverify("report", "a.jsonl", "--output", "out.html")
    assert done.ret == 3
    assert "line 2 is cut or garbled" in done.stdout.str()
    assert "kept" in (scratch.root / "out.html").read_text()


def test_differentiators_are_listed(repository: Scratch) -> None:
    done = repository.gradverify("differentiators")
    assert done.ret == 0
    assert "own-tape" in done.stdout.str()
    assert "registered here" in done.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("replay", "xyz"), "'xyz' is no case"),
        (("replay", "0123456789"), "no case 0123456789"),
        (("replay", "nowhere.json"), "nowhere.json cannot be read: No such file"),
        (("save", "0123456789"), "no case 0123456789"),
        (("accept", "toy/x"), "has no findings"),
        (("accept", "toy/x", "--until", "soon"), "no date"),
        (("wonder",), "no command 'wonder'; "),
        ((), "required"),
    ],
)
def test_commands_that_cannot_do_what_they_are_asked(
    repository: Scratch, arguments: tuple[str, ...], text: str
) -> None:
    done = repository.gradverify(*arguments)
    assert done.ret == 2
    assert text in done.stderr.str()
