"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gradverify.cli import main

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    toy_engine: str,
    plugin_arguments: tuple[str, ...],
) -> Command:
    """Run `gradverify` in a repository with the toy engine."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(toy_engine)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gradverify.cli", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


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


def test_a_word_too_many_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*ELEVEN, "--claims-of", "a=11"])
    assert "unrecognized arguments: --claims-of" in capsys.readouterr().err


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
        (["check", "a", "--at", "a=1"], "no claims are given"),
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
    assert "accumulate" not in text


def test_from_a_run_to_an_accepted_finding(command: Command, tmp_path: Path) -> None:
    smoke = (
        "--gradverify-profile",
        "smoke",
        "--gradverify-time",
        "600",
        "--gradverify-suites",
        "ops",
        "-q",
    )
    assert command("run", *smoke).returncode == 1
    last = tmp_path / "reports" / "gradverify.jsonl"
    found = [json.loads(line) for line in last.read_text().splitlines()]
    case = next(r["case"] for r in found if r["type"] == "discrepancy")

    again = command("replay", case)
    assert again.returncode == 1
    assert "STILL WRONG" in again.stdout

    saved = command("save", case[:6])
    assert saved.returncode == 0
    assert (tmp_path / "gradverify-cases" / f"{case}.json").is_file()
    cases = command("run", "--gradverify-suites", "cases", "-q")
    assert f"cases::{case}[toy:forward:float64]" in cases.stdout
    assert cases.returncode == 1

    finding = "toy:forward:float64/mul/wrong"
    accepted = command(
        "accept", finding, "--reason", "planted", "--until", "2999-01-01"
    )
    assert accepted.returncode == 0, accepted.stderr
    assert "planted" in (tmp_path / "gradverify-known.toml").read_text()
    known = command("run", "--gradverify-suites", "ops,known", *smoke[:4])
    assert known.returncode == 0, known.stdout
    assert "known deviations: 1" in known.stdout

    engine = (tmp_path / "conftest.py").read_text()
    repaired = engine.replace(
        "self.x * other.dx)", "self.x * other.dx + self.dx * other.x)"
    )
    (tmp_path / "conftest.py").write_text(repaired)
    fixed = command("replay", case)
    assert fixed.returncode == 0
    assert "FIXED" in fixed.stdout
    gone = command("run", "--gradverify-suites", "known", *smoke[:4])
    assert gone.returncode == 1
    assert "no longer shows" in gone.stdout


SMOKE = (
    "--gradverify-profile",
    "smoke",
    "--gradverify-time",
    "600",
    "--gradverify-suites",
    "ops",
    "-q",
)
FINDING = "toy:forward:float64/mul/wrong"


def test_a_finding_is_accepted_under_a_condition(
    command: Command, tmp_path: Path
) -> None:
    assert command("run", *SMOKE).returncode == 1
    false = command("accept", FINDING, "--when", "a > 20")
    assert false.returncode == 2
    assert "does not hold at the witness, where mul(a, b) has the" in false.stderr
    unread = command("accept", FINDING, "--when", "z > 20")
    assert unread.returncode == 2
    assert "z is no operand or param" in unread.stderr
    assert not (tmp_path / "gradverify-known.toml").exists()

    done = command("accept", FINDING, "--when", "a > 0.5")
    assert done.returncode == 0, done.stderr
    assert "covers every WRONG of mul in toy, forward, float64 where a > 0.5" in (
        done.stdout
    )
    for policy in ("wrong", "new"):  # factors below 0.5 are new
        again = command("run", *SMOKE, "--gradverify-fail-on", policy)
        assert again.returncode == 1
        assert "known deviations: 1" in again.stdout
    rest = command("accept", FINDING)
    assert rest.returncode == 0, rest.stderr
    assert "mul-wrong-2" in rest.stdout
    assert "to cover less, accept it with --when" in rest.stdout
    assert command("run", *SMOKE).returncode == 0


BROKEN = """

import gradverify.differentiators.registry as registry
from importlib.metadata import EntryPoint

(POINT,) = [EntryPoint("theirs", "theirs:Engine", registry.GROUP)]
registry.entry_points = lambda group: [POINT]
"""


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
    command: Command, tmp_path: Path, module: str, reason: str
) -> None:
    (tmp_path / "theirs.py").write_text(module)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (tmp_path / "conftest.py").write_text(BROKEN)
    done = command("differentiators")
    assert done.returncode == 0, done.stderr
    (line,) = [x for x in done.stdout.splitlines() if x.startswith("theirs")]
    assert "not available" in line
    assert reason in line
    assert "own-tape" in done.stdout
    run = command("run", "--collect-only", "--gradverify-ops", "add")
    assert run.returncode == 0
    assert f"not theirs: {line.partition('not available: ')[2]}" in run.stdout


def test_a_case_is_replayed_past_a_broken_entry_point(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "theirs.py").write_text("raise RuntimeError('no licence')")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (tmp_path / "conftest.py").write_text(BROKEN)
    one = {"shape": [], "dtype": "float64", "values": ["0x1p0"]}
    graph = {"nodes": [{"op": "input", "shape": []},
                       {"op": "sin", "operands": [0], "params": {}}]}  # fmt: skip
    case = {"graph": graph, "point": [one], "dtype": "float64"}
    (tmp_path / "case.json").write_text(json.dumps(case))
    done = command("replay", "case.json")
    assert done.returncode == 0, done.stderr
    assert "own-tape" in done.stdout


def test_the_page_is_made_anew(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"type": "note", "text": "kept"}\n{"type": "it')
    done = command("report", "a.jsonl", "--output", "out.html")
    assert done.returncode == 3
    assert "line 2 is cut or garbled" in done.stdout
    assert "kept" in (tmp_path / "out.html").read_text()


def test_differentiators_are_listed(command: Command) -> None:
    done = command("differentiators")
    assert done.returncode == 0
    assert "own-tape" in done.stdout
    assert "registered here" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("replay", "xyz"), "'xyz' is no case"),
        (("replay", "0123456789"), "no case 0123456789"),
        (("replay", "nowhere.json"), "cannot be read as a case"),
        (("save", "0123456789"), "no case 0123456789"),
        (("accept", "toy/x"), "no finding 'toy/x'"),
        (("accept", "toy/x", "--until", "soon"), "no date"),
        (("wonder",), "invalid choice"),
        ((), "required"),
    ],
)
def test_commands_that_cannot_do_what_they_are_asked(
    command: Command, arguments: tuple[str, ...], text: str
) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert text in done.stderr
