"""Whole runs with engines that end them, hang in them, or set what is everybody's."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import mpmath
import pytest

from gradverify import records

from ..scratch import RIGHT_ENGINE, Scratch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs its signals")

# as many cases as a smoke run has at most, on however busy a machine
SMALL = ("--gradverify-profile", "smoke", "--gradverify-suites", "ops,graphs",
         "--gradverify-dtypes", "float64", "--gradverify-time", "600",
         "-q", "-p", "no:cacheprovider")  # fmt: skip
ONLY = ("--gradverify-only", *SMALL)

HEAD = "import ctypes, os, sys, time\n"


HERE = '    name = "toy"\n    isolated = False'


def engine(
    attack: str, when: str = "len(function.graph.nodes) > 4", *, here: bool = False
) -> str:
    """A conftest with a right engine that does something at some of its cases.

    here: whether it runs in the process of the run.
    """
    right = RIGHT_ENGINE.replace(
        "        y = function(", f"        if {when}:\n            {attack}\n"
        "        y = function(", 1
    )  # fmt: skip
    assert attack in right
    if here:
        right = right.replace('    name = "toy"', HERE)
    return HEAD + right


def finding(scratch: Scratch) -> dict[str, Any]:
    (found,) = {d["finding"]: d for d in scratch.of_type("discrepancy")}.values()
    assert isinstance(found, dict)
    return found


# ---- the end of a process


@pytest.mark.slow
def test_a_run_with_an_engine_that_calls_os_exit_is_not_green(scratch: Scratch) -> None:
    scratch.write("conftest.py", engine("os._exit(0)", here=True))
    done = scratch.ended(scratch.begin(*ONLY, "-k", "add or shared"))
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*called os._exit(0), which would have ended the run*"])
    assert finding(scratch)["verdict"] == "CRASHED"


@pytest.mark.parametrize(
    ("attack", "status", "how"),
    [
        ("ctypes.CDLL(None)._exit(0)", 70, "with the status 0"),
        pytest.param("ctypes.string_at(0)", 139, "it was killed by SIGSEGV",
                     marks=pytest.mark.slow),
        pytest.param("os.kill(os.getpid(), 9)", 137, "it was killed by SIGKILL",
                     marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_a_run_that_does_not_come_to_its_end_says_so(
    scratch: Scratch, attack: str, status: int, how: str
) -> None:
    scratch.write("conftest.py", engine(attack, here=True))
    done = scratch.apart("gradverify", "run", *SMALL, "-k", "add or shared")
    assert done.ret == status
    assert "the run did not come to its end" in done.stderr.str()
    assert how in done.stderr.str()
    scratch.write("conftest.py", RIGHT_ENGINE)
    again = scratch.gradverify("run", *SMALL, "-k", "add")
    assert again.ret == 0
    again.stdout.fnmatch_lines(["an earlier run was killed while toy (forward) ran *"])


@pytest.mark.slow
def test_the_status_of_a_run_that_comes_to_its_end_is_its_own(
    repository: Scratch,
) -> None:
    done = repository.apart("gradverify", "run", *SMALL, "-k", "add")
    assert done.ret == 0
    done = repository.apart("gradverify", "run", *SMALL, "-k", "mul")
    assert done.ret == 1
    done = repository.apart("gradverify", "run", "--gradverify-ops", "foo")
    assert done.ret == 4


LOCKS = "lock = ctypes.PyDLL(None).pthread_mutex_lock; lock(mutex); lock(mutex)"


@pytest.mark.parametrize(
    ("attack", "verdict"),
    [
        ("ctypes.CDLL(None)._exit(0)", "CRASHED"),
        pytest.param(LOCKS, "TIMED_OUT", marks=pytest.mark.slow),
    ],
)
def test_what_no_process_can_do_about_itself_costs_a_case_under_plain_pytest(
    scratch: Scratch, attack: str, verdict: str
) -> None:
    """Neither can be seen from within; an engine is elsewhere unless it refuses."""
    mutex = "mutex = ctypes.create_string_buffer(64)\n"
    scratch.write("conftest.py", engine(attack) + mutex)
    done = scratch.pytest(*ONLY, "--gradverify-time", "20", "-k", "small or add")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["page: *.html"])
    assert finding(scratch)["verdict"] == verdict
    outcomes = {i["block"]: i["outcome"] for i in scratch.of_type("item")}
    assert outcomes["add"] == "passed"


def test_an_engine_that_dies_when_it_is_tried_is_named_with_the_op(
    scratch: Scratch,
) -> None:
    text = engine("pass").replace(
        "        return Dual(self.x * other.x", "        ctypes.string_at(0)\n"
        "        return Dual(self.x * other.x"
    )  # fmt: skip
    scratch.write("conftest.py", text)
    done = scratch.pytest(*ONLY, "-k", "add or mul or sin")
    assert done.ret == 1
    done.stdout.fnmatch_lines(
        [
            "*got     ProcessEnded: its process was killed by SIGSEGV in the op mul",
            "toy was tried and its process was killed by SIGSEGV in the op mul; *",
        ]
    )
    found = finding(scratch)
    assert (found["op"], found["finding"]) == ("mul", "toy:forward:float64/mul/crashed")
    assert "Segmentation fault" in found["note"]
    outcomes = {i["block"]: i["outcome"] for i in scratch.of_type("item")}
    ran = {name: how for name, how in outcomes.items() if how != "skipped"}
    assert ran == {"add": "passed", "mul": "failed", "sin": "passed"}


@pytest.mark.slow
def test_workers_of_xdist_that_die_one_after_another_lose_no_other_item(
    scratch: Scratch,
) -> None:
    pytest.importorskip("xdist")
    scratch.write("conftest.py", engine("ctypes.string_at(0)", here=True))
    few = "add or mul or sin or arrays or deep or shared"
    done = scratch.apart("pytest", *ONLY, "-n", "2", "-k", few)
    assert "INTERNALERROR" not in done.stdout.str()
    assert done.ret == 1
    assert done.parseoutcomes()["failed"] == 3, "the families of graphs"
    blocks = {i["block"] for i in scratch.of_type("item") if i["outcome"] == "passed"}
    assert {"add", "mul", "sin"} <= blocks


# ---- no end


def test_an_engine_without_an_end_stays_within_the_time_of_the_run(
    scratch: Scratch,
) -> None:
    text = engine("while True: time.sleep(0.01)").replace(
        '    name = "toy"', '    name = "toy"\n    isolated = True'
    )
    scratch.write("conftest.py", text)
    done = scratch.pytest(*ONLY, "--gradverify-time", "20")
    assert done.ret == 1
    waited = sum(i["counts"].get("TIMED_OUT", 0) for i in scratch.of_type("item"))
    assert waited <= 4, "cases that the run waited for; the others are not begun"
    skipped = [i["reason"] for i in scratch.of_type("item") if i["reason"]]
    assert any("the rest of it is not run" in reason for reason in skipped)
    assert finding(scratch)["verdict"] == "TIMED_OUT"


def test_what_a_trial_has_lost_is_no_longer_there_for_items(scratch: Scratch) -> None:
    """A quarter of four seconds goes to the trial, and one case is waited for."""
    text = engine("while True: time.sleep(0.01)", when="True")
    isolated = '    name = "toy"\n    isolated = True'
    scratch.write("conftest.py", text.replace('    name = "toy"', isolated))
    done = scratch.pytest(*ONLY, "--gradverify-time", "4")
    assert done.ret == 1
    items = scratch.of_type("item")
    assert sum(i["counts"].get("TIMED_OUT", 0) for i in items) == 1
    assert sum(i["cases"] for i in items) == 1
    skipped = [i["reason"] for i in items if i["outcome"] == "skipped"]
    assert any("1 times" in r and "the rest of it is not run" in r for r in skipped)
    assert any("no result after 1 s" in (i["reason"] or "") for i in items)


def test_the_memory_of_cases_is_given_back_at_the_end(scratch: Scratch) -> None:
    """pytest keeps its configuration, which our session hangs on, for ever."""
    scratch.write("conftest.py", RIGHT_ENGINE + KEPT)
    assert scratch.pytest(*ONLY, "-k", "add or mul").ret == 0
    drawn, kept, found = scratch.root.joinpath("kept").read_text().split()
    assert int(drawn) > 0
    assert (kept, found) == ("0", "None")


KEPT = """

import pathlib, pytest
from gradverify.plugin.items import SESSION

def drawn(config):
    return sum(len(block.drawn) for block in config.stash[SESSION].blocks)

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    pathlib.Path("kept").write_text(f"{drawn(session.config)} ")

@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    with open("kept", "a") as file:
        file.write(f"{drawn(config)} {config.stash[SESSION].found}")
"""


# ---- what is everybody's


def test_an_engine_that_changes_a_setting_is_named_in_the_output(
    scratch: Scratch,
) -> None:
    text = engine("__import__('mpmath').mp.dps = 5", when="True")
    scratch.write("conftest.py", text)
    done = scratch.pytest(*ONLY, "-k", "add")
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        ["toy changes mpmath's precision while it runs; it was *"]
    )


def test_what_a_test_module_sets_makes_no_right_engine_wrong(scratch: Scratch) -> None:
    scratch.write("conftest.py", RIGHT_ENGINE)
    scratch.write(
        "test_own.py", "import mpmath\nmpmath.mp.dps = 5\ndef test_own(): pass\n"
    )
    with mpmath.workdps(15):
        done = scratch.pytest(
            "test_own.py", "--gradverify", *SMALL, "-k", "add or mul or own"
        )
        assert mpmath.mp.dps == 5, "as the test module has set it"
    assert done.ret == 0
    assert done.parseoutcomes()["passed"] == 3


# ---- a run that is killed


def _killed(scratch: Scratch, seconds: float) -> int | pytest.ExitCode:
    """Kill a run some time after it has begun to write; its status, as a process."""
    others = _shards(scratch)
    run = scratch.begin(*ONLY, "-k", "add or mul or sin")
    while not any(_shards(scratch) - others):
        assert os.waitpid(run, os.WNOHANG) == (0, 0), "it has not ended before"
        time.sleep(0.01)
    time.sleep(seconds)
    os.kill(run, signal.SIGKILL)
    return scratch.ended(run).ret


def _shards(scratch: Scratch) -> set[Path]:
    """The files of runs that have not come to their end, if something is in them."""
    found = scratch.root.glob("reports/.gradverify-*.jsonl")
    return {path for path in found if path.exists() and path.stat().st_size}


def _left(scratch: Scratch) -> int:
    """How many lines killed runs have left: collected by a later run, or not yet."""
    kept = scratch.root.glob("reports/gradverify-killed*.jsonl")
    return sum(len(p.read_bytes().splitlines()) for p in (*kept, *_shards(scratch)))


@pytest.mark.slow
def test_a_run_that_is_killed_loses_the_case_in_flight_at_most(
    scratch: Scratch,
) -> None:
    """Also where the run that is killed had just collected what others left.

    The engine sleeps, so that there is a case in flight at most moments.
    `test_report_folder.py` kills more of them, each in a folder of its own.
    """
    scratch.write("conftest.py", engine("time.sleep(0.05)", when="True"))
    source, killed, known = random.Random(7), 0, 0
    for _ in range(6):
        killed += _killed(scratch, source.uniform(0.0, 1.5)) == -signal.SIGKILL
        assert _left(scratch) >= known, "all that was written is kept"
        known = _left(scratch)
    assert killed >= 3
    done = scratch.pytest(*ONLY, "-k", "sin[")
    assert done.ret == 0, "the next run is well"
    assert _left(scratch) >= known > 0, "all that was written is kept"
    reports = scratch.root / "reports"
    assert not list(reports.glob(".gradverify-*")), "all is collected"
    kept = records.read(reports / "gradverify-killed.jsonl")
    assert 1 <= len(kept.unfinished) <= killed, "the cases in flight"
