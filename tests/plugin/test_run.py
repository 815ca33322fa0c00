"""`pytest --gradverify` in repositories of users."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from gradverify.verify import item

from ..scratch import RIGHT_ENGINE, TOY_ENGINE, Scratch

# as many cases as a smoke run has at most, on however busy a machine
SMALL = ("--gradverify-profile", "smoke", "--gradverify-suites", "ops,textbook",
         "--gradverify-time", "600")  # fmt: skip
MUL = "pyproject.toml::ops::mul[toy:forward:float64]"


def furnish(root: Path) -> Scratch:
    """A repository with `testpaths`, a test of its own, and the toy engine."""
    found = Scratch(root)
    found.write("pyproject.toml", '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
    found.write("conftest.py", TOY_ENGINE)
    found.write("tests/test_own.py", "def test_own(): pass\n")
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Scratch:
    return furnish(tmp_path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scratch, pytest.RunResult]:
    """A repository after a small run with a junitxml file, and how that run ended."""
    found = furnish(tmp_path_factory.mktemp("ran"))
    return found, found.pytest("--gradverify", *SMALL, "--junitxml", "junit.xml")


def test_the_planted_mistake_is_found_and_written_down(
    ran: tuple[Scratch, pytest.RunResult],
) -> None:
    repository, result = ran
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "gradverify: seed 0, profile smoke*",
            "  toy (forward)",
            "  not *autograd*: this repository registers its own",
            "toy, forward, float64: the derivative is wrong",
            "discrepancies: 1",
            "page: *gradverify.html",
        ]
    )
    found = repository.records()
    discrepancy = next(r for r in found if r["type"] == "discrepancy")
    assert discrepancy["finding"] == "toy:forward:float64/mul/wrong"
    assert {"got", "exact", "bound", "known", "graph", "point"} <= set(discrepancy)
    assert found[-1]["type"] == "run"
    assert found[-1]["counts"]["toy"]["WRONG"] > 0
    assert repository.text(".gitignore") == "*\n"
    assert len(list((repository.root / "reports").iterdir())) == 5
    assert len(repository.text("gradverify.html")) > 1000
    assert "toy:forward:float64/mul/wrong" in repository.text("history.jsonl")


def test_junit_names_the_items(ran: tuple[Scratch, pytest.RunResult]) -> None:
    text = (ran[0].root / "junit.xml").read_text()
    assert 'name="mul[toy:forward:float64]"' in text
    assert "the derivative is wrong" in text


@pytest.mark.slow
def test_two_workers_find_the_same(
    ran: tuple[Scratch, pytest.RunResult], repository: Scratch
) -> None:
    repository.apart("pytest", "--gradverify", *SMALL, "-n", "2")
    alone, shared = ran[0].records(), repository.records()
    assert alone[-1]["counts"] == shared[-1]["counts"]
    cases = [
        {r["case"] for r in x if r["type"] == "discrepancy"} for x in (alone, shared)
    ]
    assert cases[0]
    assert cases[0] == cases[1]


def test_last_failed_runs_the_failed_items_alone(
    ran: tuple[Scratch, pytest.RunResult], tmp_path: Path
) -> None:
    copy = Scratch(shutil.copytree(ran[0].root, tmp_path / "copy"))
    again = copy.pytest("--gradverify", *SMALL, "--lf").parseoutcomes()
    failed = ran[1].parseoutcomes()["failed"]
    assert set(again) == {"failed", "deselected"}
    assert again["failed"] == failed == 3


def test_nothing_runs_and_nothing_is_written_unasked(repository: Scratch) -> None:
    repository.pytest().assert_outcomes(passed=1)
    assert not (repository.root / "reports").exists()


def test_only_leaves_the_tests_of_the_repository_out(repository: Scratch) -> None:
    result = repository.pytest(
        "--gradverify-only", *SMALL, "-k", "own or add", "--collect-only", "-q"
    )
    assert "test_own" not in result.stdout.str()
    result.stdout.fnmatch_lines(["pyproject.toml::ops::add[[]toy:forward:float64]"])
    assert not (repository.root / "reports").exists()


@pytest.mark.parametrize("node", [MUL, MUL.partition("[")[0]])
def test_a_named_item_switches_the_plugin_on(repository: Scratch, node: str) -> None:
    repository.pytest(node, "--gradverify-profile", "smoke").assert_outcomes(failed=1)


def test_a_suite_can_be_named(repository: Scratch) -> None:
    result = repository.pytest(
        "pyproject.toml::textbook", "--gradverify-profile", "smoke"
    )
    assert result.parseoutcomes()["failed"] == 2


def test_items_are_collected_once(repository: Scratch) -> None:
    listed = ("--gradverify", *SMALL, "--collect-only", "-q")
    for arguments in (["."], [".", "pyproject.toml"], ["pyproject.toml"], []):
        result = repository.pytest(*listed, *arguments)
        assert result.stdout.str().count(MUL) == 1, arguments
    (repository.root / "tests" / "sub").mkdir()
    result = repository.pytest(*listed, within="tests")
    assert result.stdout.str().count("ops::mul[") == 1


def test_first_failure_stops_the_run(repository: Scratch) -> None:
    result = repository.pytest("--gradverify", *SMALL, "-x", "-p", "no:cacheprovider")
    assert result.parseoutcomes()["failed"] == 1


def test_items_are_deaf_to_warnings_and_time_limits(repository: Scratch) -> None:
    result = repository.pytest("--gradverify-only", *SMALL, "-W", "error", "--timeout",
                               "0.001", "--strict-markers", "-k", "add")  # fmt: skip
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 1


def test_items_are_deaf_to_floating_point_errors(repository: Scratch) -> None:
    loud = "import numpy\n\nnumpy.seterr(all='raise')\n"
    repository.write("conftest.py", TOY_ENGINE + loud)
    judged = ("--gradverify-differentiators", "own-tape", "--gradverify-ops", "add,abs")
    result = repository.pytest("--gradverify-only", "--gradverify-profile", "smoke",
                               "--gradverify-suites", "ops", *judged)  # fmt: skip
    assert result.parseoutcomes() == {"passed": 4}, "two ops in two dtypes"


def test_a_fault_of_ours_is_written_down_and_names_the_case(
    repository: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*args: Any, **options: Any) -> None:
        raise ArithmeticError("our own fault")

    monkeypatch.setattr(item, "judge", faulty)
    result = repository.pytest("--gradverify-only", *SMALL, "-k", "add")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        ["*ArithmeticError: our own fault", "*while toy (forward) ran case *: a + *"]
    )
    (failed,) = (r for r in repository.of_type("item") if r["outcome"] == "failed")
    assert failed["reason"].startswith("ArithmeticError: our own fault\n")
    assert "ran case" in failed["reason"]


def test_a_saved_file_that_is_no_case_is_one_failing_item(repository: Scratch) -> None:
    repository.write("gradverify-cases/broken.json", '{"graph": {"nodes": [')
    repository.write("gradverify-cases/nested.json", "[" * 100_000)
    (repository.root / "gradverify-cases" / "folder.json").mkdir()
    result = repository.pytest(
        "--gradverify", *SMALL[:2], "--gradverify-suites", "cases,ops"
    )
    result.stdout.fnmatch_lines(
        [
            "*cases::broken*",
            "*gradverify-cases/broken.json: not a case that can be read: *",
        ]
    )
    found = [r for r in repository.records() if r.get("suite") == "cases"]
    assert sorted(r["block"] for r in found) == ["broken", "folder", "nested"]
    assert all(r["outcome"] == "failed" for r in found)
    assert set(repository.records()[-1]["counts"]) == {"toy"}
    assert any(r.get("suite") == "ops" for r in repository.records())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("--gradverify-ops", "xyzzy"),
            "--gradverify-ops: 'xyzzy' is unknown; `gradverify ops`",
        ),
        (("--gradverify-ops", ","), "--gradverify-ops: ',' names nothing"),
        (("--gradverify-suites", "foo"), "'foo' is unknown; known: cases"),
        (("--gradverify-dtypes", "int8"), "'int8' is unknown; known: float64"),
        (("--gradverify-profile", "foo"), "'foo' is unknown; known: smoke, ci, deep"),
        (("--gradverify-fail-on", "foo"), "'foo' is unknown; known: wrong"),
        (("--gradverify-seed", "x"), "'x': give a whole number from 0 to"),
        (("--gradverify-time", "-1"), "'-1': give seconds from 1 to"),
        (("--gradverify-max-nodes", "17"), "'17': give a whole number from 1 to 16"),
        (("--gradverify-order", "3"), "'3': give a whole number from 1 to 2"),
        (
            ("--gradverify-differentiators", "foo"),
            "no differentiator 'foo'; known: own",
        ),
        (("--gradverify-report", "conftest.py"), "cannot be written"),
    ],
)
def test_a_wrong_option_is_a_usage_error(
    repository: Scratch, arguments: tuple[str, ...], text: str
) -> None:
    result = repository.pytest("--gradverify", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text in result.stderr.str()


def test_options_stand_in_the_ini_file(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("conftest.py", TOY_ENGINE)
    scratch.write(
        "tox.ini",
        "[pytest]\ngradverify = true\ngradverify_profile = smoke\n"
        "gradverify_ops = add, mul\ngradverify_suites = ops\ngradverify_report = out\n",
    )
    scratch.pytest().assert_outcomes(failed=1, passed=1)
    assert (tmp_path / "out" / "gradverify.html").is_file()


def test_an_absent_differentiator_that_is_named_is_a_usage_error(
    repository: Scratch,
) -> None:
    repository.write(
        "absent.py",
        "import gradverify\n\n"
        "class Gone(gradverify.Differentiator):\n"
        "    name, table = 'gone', {}\n"
        "    def available(self): return 'pip install gone'\n"
        "    @gradverify.mode('gradient')\n"
        "    def reverse(self, function, point): pass\n",
    )
    result = repository.pytest("--gradverify", "--gradverify-differentiators",
                               "absent:Gone", "-o", "pythonpath=.")  # fmt: skip
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "was named and cannot run: pip install gone" in result.stderr.str()


def test_a_run_of_ours_alone_that_judges_nothing_ends_with_3(
    repository: Scratch,
) -> None:
    repository.write("conftest.py", RIGHT_ENGINE)
    lacks = ("pyproject.toml::ops::softplus", "--gradverify-profile", "smoke")
    done = repository.pytest("--gradverify-only", *lacks)
    assert done.ret == 3
    done.stdout.fnmatch_lines(
        ["nothing was judged, every item was skipped: softplus: no such row"]
    )
    # beside other tests it is as any skipped test
    assert repository.pytest(*lacks).ret == 0


def test_without_an_anchor_the_error_says_what_to_create(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("test_own.py", "def test_own(): pass")
    result = scratch.pytest("--gradverify", "--rootdir", str(tmp_path))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "create an empty pytest.ini" in result.stderr.str()


def test_a_setup_script_is_an_anchor_and_is_not_run(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("setup.py", "raise SystemExit('it was run')\n")
    only = ("--gradverify-differentiators", "own-tape", "--gradverify-ops", "add")
    result = scratch.pytest("--gradverify-only", *SMALL, *only, "-k", "add")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 2, "one op in two dtypes"
    result.stdout.fnmatch_lines(["*only gradverify's own engines"])


def test_a_faulty_registration_is_one_failure(repository: Scratch) -> None:
    faulty = TOY_ENGINE.replace("function(*[", "function([")
    repository.write("conftest.py", faulty)
    result = repository.pytest("--gradverify", *SMALL)
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["toy is not registered rightly:", "*call it as*"])


def test_a_faulty_registration_fails_though_the_first_op_is_absent(
    repository: Scratch,
) -> None:
    faulty = TOY_ENGINE.replace("function(*[", "function([")
    lacking = faulty.replace('{"sin"', '{"neg": "has no sign", "sin"')
    repository.write("conftest.py", lacking)
    ops = ("--gradverify-suites", "ops", "--gradverify-ops", "neg,add,mul")
    result = repository.pytest("--gradverify", *SMALL, *ops)
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["toy is not registered rightly:", "*call it as*"])


def test_the_hook_names_differentiators(repository: Scratch) -> None:
    hooked = TOY_ENGINE.replace("@gradverify.register\n", "")
    hooked += "\n\ndef pytest_gradverify_differentiators():\n    return [Toy]\n"
    repository.write("conftest.py", hooked)
    repository.pytest(MUL, "--gradverify-profile", "smoke").assert_outcomes(failed=1)


# ---- processes that are killed

KILLER = """
    def __mul__(self, other):
        import os, signal
        if 5.0 < abs(self.x) and os.path.exists("armed"):
            os.kill(os.getpid(), signal.SIGKILL)
        return Dual(self.x * other.x, self.x * other.dx + self.dx * other.x)
"""


@pytest.fixture
def armed(repository: Scratch) -> Scratch:
    """A repository whose engine kills its process, which is that of the run."""
    here = TOY_ENGINE.replace(
        '    name = "toy"', '    name = "toy"\n    isolated = False'
    )
    head, _, tail = here.partition("    def __mul__")
    repository.write(
        "conftest.py",
        head + KILLER.lstrip("\n") + "\n    def sin" + tail.partition("    def sin")[2],
    )
    repository.write("armed", "")
    return repository


@pytest.mark.slow
def test_a_killed_worker_names_its_case_and_loses_nothing(armed: Scratch) -> None:
    result = armed.apart("pytest", "--gradverify", *SMALL, "-n", "2")
    assert result.parseoutcomes()["failed"] >= 1
    found = armed.records()
    crashed = [r for r in found if r.get("verdict") == "CRASHED"]
    assert crashed
    assert crashed[0]["got"] == "the process died"
    assert found[-1]["counts"]["toy"]["CRASHED"] == len(crashed)
    assert found[-1]["counts"]["toy"]["AGREES"] > 0
    assert len(list((armed.root / "reports").iterdir())) == 5


@pytest.mark.slow
def test_a_killed_run_is_named_by_the_next(armed: Scratch) -> None:
    killed = armed.ended(armed.begin("--gradverify", *SMALL))
    assert killed.ret == -9
    (armed.root / "armed").unlink()
    result = armed.pytest("--gradverify", *SMALL)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*an earlier run was killed while toy (forward) ran case *gradverify replay*"]
    )
    assert (armed.root / "reports" / "gradverify-killed.jsonl").is_file()
    again = armed.pytest("--gradverify", *SMALL, "-k", "add")
    assert "an earlier run" not in again.stdout.str()


# ---- what a run costs everybody

LOADERS = """\
import sys

import gradverify.verify
import pytest

def test_loaders():
    names = ["gradverify.verify.item", "gradverify.graph.node", __name__]
    assert [type(sys.modules[n].__loader__).__name__ for n in names] == [
        "SourceFileLoader", "SourceFileLoader", "AssertionRewritingHook",
    ]

def test_finders():
    assert [type(f).__name__ for f in sys.meta_path].count("PlainImports") == 1
"""


def test_pytest_rewrites_no_assertions_of_ours(scratch: Scratch) -> None:
    scratch.write("test_loaders.py", LOADERS)
    result = scratch.apart("pytest")
    assert result.parseoutcomes() == {"passed": 2}, result.outlines


def test_what_finds_our_modules_goes_when_the_run_ends(scratch: Scratch) -> None:
    scratch.write("test_it.py", "def test_it():\n    pass\n")
    before = [*sys.meta_path]
    assert scratch.pytest().ret == 0
    assert sys.meta_path == before


# ---- conformance


@pytest.mark.slow
def test_conformance_makes_ordinary_tests(scratch: Scratch) -> None:
    unregistered = TOY_ENGINE.replace("@gradverify.register\n", "")
    scratch.write(
        "test_toy.py",
        unregistered + "\n\ntest_gradients = gradverify.conformance(Toy, cases=20)\n",
    )
    result = scratch.pytest("-v")
    result.stdout.fnmatch_lines(
        [
            "*::test_gradients[[]handshake] PASSED*",
            "*::test_gradients[[]add:forward:float64] PASSED*",
            "*::test_gradients[[]mul:forward:float64] FAILED*",
            "toy, forward, float64: the derivative is wrong",
        ]
    )
    assert not (scratch.root / "reports").exists()
