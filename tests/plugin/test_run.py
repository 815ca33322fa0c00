"""`pytest --gradverify` in repositories of users; each test runs its own pytest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

# as many cases as a smoke run has at most, on however busy a machine
SMALL = ("--gradverify-profile", "smoke", "--gradverify-suites", "ops,textbook",
         "--gradverify-time", "600")  # fmt: skip


@pytest.fixture
def run(pytester: pytest.Pytester, plugin_arguments: tuple[str, ...]) -> Any:
    """Run pytest in the scratch repository, the plugin loaded."""

    def runner(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*plugin_arguments, *arguments)

    return runner


@pytest.fixture
def repository(pytester: pytest.Pytester, toy_engine: str) -> Path:
    """A repository with `testpaths`, a test of its own, and the toy engine."""
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
    pytester.makeconftest(toy_engine)
    folder = pytester.mkdir("tests")
    (folder / "test_own.py").write_text("def test_own(): pass\n")
    return pytester.path


def lines(repository: Path) -> list[dict[str, Any]]:
    text = (repository / "reports" / "gradverify.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


MUL = "pyproject.toml::ops::mul[toy:forward:float64]"


def test_the_planted_mistake_is_found_and_written_down(
    run: Any, repository: Path
) -> None:
    result = run("--gradverify", *SMALL)
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
    found = lines(repository)
    discrepancy = next(r for r in found if r["type"] == "discrepancy")
    assert discrepancy["finding"] == "toy:forward:float64/mul/wrong"
    assert {"got", "exact", "bound", "known", "graph", "point"} <= set(discrepancy)
    assert found[-1]["type"] == "run"
    assert found[-1]["counts"]["toy"]["WRONG"] > 0
    assert (repository / "reports" / ".gitignore").read_text() == "*\n"
    assert len(list((repository / "reports").iterdir())) == 5
    assert (repository / "reports" / "gradverify.html").stat().st_size > 1000
    history = (repository / "reports" / "history.jsonl").read_text()
    assert "toy:forward:float64/mul/wrong" in history


def test_nothing_runs_and_nothing_is_written_unasked(
    run: Any, repository: Path
) -> None:
    run().assert_outcomes(passed=1)
    assert not (repository / "reports").exists()


def test_only_leaves_the_tests_of_the_repository_out(
    run: Any, repository: Path
) -> None:
    result = run(
        "--gradverify-only", *SMALL, "-k", "own or add", "--collect-only", "-q"
    )
    assert "test_own" not in result.stdout.str()
    result.stdout.fnmatch_lines(["pyproject.toml::ops::add[[]toy:forward:float64]"])
    assert not (repository / "reports").exists()


@pytest.mark.parametrize("node", [MUL, MUL.partition("[")[0]])
@pytest.mark.usefixtures("repository")
def test_a_named_item_switches_the_plugin_on(run: Any, node: str) -> None:
    run(node, "--gradverify-profile", "smoke").assert_outcomes(failed=1)


@pytest.mark.usefixtures("repository")
def test_a_suite_can_be_named(run: Any) -> None:
    result = run("pyproject.toml::textbook", "--gradverify-profile", "smoke")
    assert result.parseoutcomes()["failed"] == 2


def test_items_are_collected_once(
    run: Any, repository: Path, pytester: pytest.Pytester
) -> None:
    for arguments in (["."], [".", "pyproject.toml"], ["pyproject.toml"], []):
        result = run("--gradverify", *SMALL, "--collect-only", "-q", *arguments)
        assert result.stdout.str().count(MUL) == 1, arguments
    pytester.chdir()
    (repository / "tests").joinpath("sub").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository / "tests")
        result = run("--gradverify", *SMALL, "--collect-only", "-q")
        assert result.stdout.str().count("ops::mul[") == 1


@pytest.mark.usefixtures("repository")
def test_last_failed_runs_the_failed_item_alone(run: Any) -> None:
    run("--gradverify", *SMALL, "-k", "mul or add")
    again = run("--gradverify", *SMALL, "--lf").parseoutcomes()
    assert set(again) == {"failed", "deselected"}
    assert again["failed"] == 1


@pytest.mark.usefixtures("repository")
def test_first_failure_stops_the_run(run: Any) -> None:
    result = run("--gradverify", *SMALL, "-x", "-p", "no:cacheprovider")
    assert result.parseoutcomes()["failed"] == 1


def test_two_workers_find_the_same(run: Any, repository: Path) -> None:
    run("--gradverify", *SMALL)
    alone = lines(repository)
    run("--gradverify", *SMALL, "-n", "2")
    shared = lines(repository)
    assert alone[-1]["counts"] == shared[-1]["counts"]
    cases = [
        {r["case"] for r in x if r["type"] == "discrepancy"} for x in (alone, shared)
    ]
    assert cases[0] == cases[1]


@pytest.mark.usefixtures("repository")
def test_items_are_deaf_to_warnings_and_time_limits(run: Any) -> None:
    result = run("--gradverify-only", *SMALL, "-W", "error", "--timeout", "0.001",
                 "--strict-markers", "-k", "add")  # fmt: skip
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 1


@pytest.mark.usefixtures("repository")
def test_items_are_deaf_to_floating_point_errors(
    run: Any, repository: Path, toy_engine: str
) -> None:
    loud = "import numpy\n\nnumpy.seterr(all='raise')\n"
    (repository / "conftest.py").write_text(toy_engine + loud)
    judged = ("--gradverify-differentiators", "own-tape", "--gradverify-ops", "add,abs")
    result = run("--gradverify-only", "--gradverify-profile", "smoke",
                 "--gradverify-suites", "ops", *judged)  # fmt: skip
    assert result.parseoutcomes() == {"passed": 4}, "two ops in two dtypes"


FAULT = """

import gradverify.verify.item


def faulty(*args, **options):
    raise ArithmeticError("our own fault")


gradverify.verify.item.judge = faulty
"""


def test_a_fault_of_ours_is_written_down_and_names_the_case(
    run: Any, repository: Path, toy_engine: str
) -> None:
    (repository / "conftest.py").write_text(toy_engine + FAULT)
    result = run("--gradverify-only", *SMALL, "-k", "add")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        ["*ArithmeticError: our own fault", "*while toy (forward) ran case *: a + *"]
    )
    item = next(r for r in lines(repository) if r["type"] == "item")
    assert item["outcome"] == "failed"
    assert item["reason"].startswith("ArithmeticError: our own fault\n")
    assert "ran case" in item["reason"]


def test_a_saved_file_that_is_no_case_is_one_failing_item(
    run: Any, repository: Path
) -> None:
    folder = repository / "gradverify-cases"
    folder.mkdir()
    (folder / "broken.json").write_text('{"graph": {"nodes": [')
    (folder / "nested.json").write_text("[" * 100_000)
    (folder / "folder.json").mkdir()
    result = run("--gradverify", *SMALL[:2], "--gradverify-suites", "cases,ops")
    result.stdout.fnmatch_lines(
        [
            "*cases::broken*",
            "*gradverify-cases/broken.json: not a case that can be read: *",
        ]
    )
    found = [r for r in lines(repository) if r.get("suite") == "cases"]
    assert sorted(r["block"] for r in found) == ["broken", "folder", "nested"]
    assert all(r["outcome"] == "failed" for r in found)
    assert set(lines(repository)[-1]["counts"]) == {"toy"}
    assert any(r.get("suite") == "ops" for r in lines(repository))


def test_junit_names_the_items(run: Any, repository: Path) -> None:
    run("--gradverify", *SMALL, "-k", "mul", "--junitxml", "junit.xml")
    text = (repository / "junit.xml").read_text()
    assert 'name="mul[toy:forward:float64]"' in text
    assert "the derivative is wrong" in text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--gradverify-ops", "foo"), "--gradverify-ops: 'foo' is unknown; known: neg"),
        (("--gradverify-suites", "foo"), "'foo' is unknown; known: ops"),
        (("--gradverify-dtypes", "int8"), "'int8' is unknown; known: float64"),
        (("--gradverify-profile", "foo"), "'foo' is unknown; known: smoke, ci, deep"),
        (("--gradverify-fail-on", "foo"), "'foo' is unknown; known: wrong"),
        (("--gradverify-seed", "x"), "'x': give a whole number from 0 up"),
        (("--gradverify-time", "-1"), "'-1': give seconds from 1 up"),
        (("--gradverify-differentiators", "foo"), "no differentiator 'foo'; known are"),
        (("--gradverify-report", "conftest.py"), "cannot be written"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_a_wrong_option_is_a_usage_error(
    run: Any, arguments: tuple[str, ...], text: str
) -> None:
    result = run("--gradverify", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text in result.stderr.str()


def test_options_stand_in_the_ini_file(
    run: Any, pytester: pytest.Pytester, toy_engine: str
) -> None:
    pytester.makeconftest(toy_engine)
    pytester.makeini(
        "[pytest]\ngradverify = true\ngradverify_profile = smoke\n"
        "gradverify_ops = add, mul\ngradverify_suites = ops\ngradverify_report = out\n"
    )
    run().assert_outcomes(failed=1, passed=1)
    assert (pytester.path / "out" / "gradverify.html").is_file()


@pytest.mark.usefixtures("repository")
def test_an_absent_differentiator_that_is_named_is_a_usage_error(
    run: Any, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        absent="import gradverify\n\n"
        "class Gone(gradverify.Differentiator):\n"
        "    name, table = 'gone', {}\n"
        "    def available(self): return 'pip install gone'\n"
        "    @gradverify.mode('gradient')\n"
        "    def reverse(self, function, point): pass\n"
    )
    result = run("--gradverify", "--gradverify-differentiators", "absent:Gone",
                 "-p", "absent")  # fmt: skip
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "was named and cannot run: pip install gone" in result.stderr.str()


def test_without_an_anchor_the_error_says_what_to_create(
    run: Any, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile("def test_own(): pass")
    result = run("--gradverify", "--rootdir", str(pytester.path))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "create an empty pytest.ini" in result.stderr.str()


def test_a_setup_script_is_an_anchor_and_is_not_run(
    run: Any, pytester: pytest.Pytester
) -> None:
    pytester.path.joinpath("setup.py").write_text("raise SystemExit('it was run')\n")
    only = ("--gradverify-differentiators", "own-tape", "--gradverify-ops", "add")
    result = run("--gradverify-only", *SMALL, *only, "-k", "add")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 2, "one op in two dtypes"
    result.stdout.fnmatch_lines(["*only gradverify's own engines"])


def test_a_faulty_registration_is_one_failure(
    run: Any, repository: Path, toy_engine: str
) -> None:
    faulty = toy_engine.replace("function(*[", "function([")
    (repository / "conftest.py").write_text(faulty)
    result = run("--gradverify", *SMALL)
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["toy is not registered rightly:", "*call it as*"])


def test_a_faulty_registration_fails_though_the_first_op_is_absent(
    run: Any, repository: Path, toy_engine: str
) -> None:
    faulty = toy_engine.replace("function(*[", "function([")
    lacking = faulty.replace('{"sin"', '{"neg": "has no sign", "sin"')
    (repository / "conftest.py").write_text(lacking)
    ops = ("--gradverify-suites", "ops", "--gradverify-ops", "neg,add,mul")
    result = run("--gradverify", *SMALL, *ops)
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["toy is not registered rightly:", "*call it as*"])


def test_the_hook_names_differentiators(
    run: Any, repository: Path, toy_engine: str
) -> None:
    hooked = toy_engine.replace("@gradverify.register\n", "")
    hooked += "\n\ndef pytest_gradverify_differentiators():\n    return [Toy]\n"
    (repository / "conftest.py").write_text(hooked)
    run(MUL, "--gradverify-profile", "smoke").assert_outcomes(failed=1)


# ---- processes that are killed

KILLER = """
    def __mul__(self, other):
        import os, signal
        if 5.0 < abs(self.x) and os.path.exists("armed"):
            os.kill(os.getpid(), signal.SIGKILL)
        return Dual(self.x * other.x, self.x * other.dx + self.dx * other.x)
"""


@pytest.fixture
def armed(repository: Path, toy_engine: str) -> Path:
    """A repository whose engine kills its process."""
    head, _, tail = toy_engine.partition("    def __mul__")
    (repository / "conftest.py").write_text(
        head + KILLER.lstrip("\n") + "\n    def sin" + tail.partition("    def sin")[2]
    )
    (repository / "armed").touch()
    return repository


def test_a_killed_worker_names_its_case_and_loses_nothing(
    run: Any, armed: Path
) -> None:
    result = run("--gradverify", *SMALL, "-n", "2")
    assert result.parseoutcomes()["failed"] >= 1
    found = lines(armed)
    crashed = [r for r in found if r.get("verdict") == "CRASHED"]
    assert crashed
    assert crashed[0]["got"] == "the process died"
    assert found[-1]["counts"]["toy"]["CRASHED"] == len(crashed)
    assert found[-1]["counts"]["toy"]["AGREES"] > 0
    assert len(list((armed / "reports").iterdir())) == 5


def test_a_killed_run_is_named_by_the_next(run: Any, armed: Path) -> None:
    run("--gradverify", *SMALL)
    (armed / "armed").unlink()
    result = run("--gradverify", *SMALL)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*an earlier run was killed while toy (forward) ran case *gradverify replay*"]
    )
    assert (armed / "reports" / "gradverify-killed.jsonl").is_file()
    assert "an earlier run" not in run("--gradverify", *SMALL).stdout.str()


# ---- conformance


def test_conformance_makes_ordinary_tests(
    run: Any, pytester: pytest.Pytester, toy_engine: str
) -> None:
    pytester.makeini("[pytest]")
    unregistered = toy_engine.replace("@gradverify.register\n", "")
    pytester.makepyfile(
        unregistered + "\n\ntest_gradients = gradverify.conformance(Toy, cases=20)\n"
    )
    result = run("-v")
    result.stdout.fnmatch_lines(
        [
            "*::test_gradients[[]handshake] PASSED*",
            "*::test_gradients[[]add:forward:float64] PASSED*",
            "*::test_gradients[[]mul:forward:float64] FAILED*",
            "toy, forward, float64: the derivative is wrong",
        ]
    )
    assert not (pytester.path / "reports").exists()
