"""Processor time of each test, its processes included, and what daily work leaves out.

Run: python -m tests.benchmarks.bench_tests [--write] [pytest's arguments]

All tests run, as many at once as there are processors. The slowest twenty are printed,
and what all of them and those of daily work take together. `--write` makes
`tests/slow_tests.txt` anew, if all tests pass; what is printed of daily work is that of
the list before.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.benchmarks.table import print_table
from tests.daily import LIST

ROOT = Path(__file__).parents[2]

INTO = "GRADVERIFY_TEST_TIMES"
"""The folder into which the processes of the tests write what these took."""

LONG = 0.2  # seconds, from which on a test is no daily work

HEADER = f"# Tests that took {LONG} s of processor time or more; see daily.py.\n"


class Took(NamedTuple):
    """A test, the seconds of processor time that it took, and whether it is marked."""

    test: str
    seconds: float
    slow: bool


def _used() -> float:
    """Seconds of processor time of this process, and of those that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Write down what a test took. As a plugin, this module sees every test."""
    began = _used()
    result = yield
    slow = item.get_closest_marker("slow") is not None
    line = json.dumps([item.nodeid, _used() - began, slow])
    with (Path(os.environ[INTO]) / f"{os.getpid()}.jsonl").open("a") as file:
        print(line, file=file)
    return result


def measured(arguments: list[str]) -> tuple[list[Took], int]:
    """What each test took, in the order of time; and pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", *arguments]
        command += ["--dist", "worksteal", "-p", __name__]
        environment = os.environ | {INTO: folder, "PYTHONPATH": str(ROOT)}
        status = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        files = Path(folder).glob("*.jsonl")
        lines = [line for file in files for line in file.read_text().splitlines()]
    found = [Took(*json.loads(line)) for line in lines]
    return sorted(found, key=lambda took: -took.seconds), status.returncode


def main(arguments: list[str]) -> int:
    """Measure, print, and write the list if that is asked for."""
    write = "--write" in arguments
    others = [a for a in arguments if a != "--write"]
    if write and others:
        sys.exit("--write is of all tests: give no other argument beside it")
    found, status = measured(others)
    if write and status == pytest.ExitCode.OK:
        long = sorted(took.test for took in found if took.seconds >= LONG)
        LIST.write_text(HEADER + "".join(f"{test}\n" for test in long), "utf-8")
    rows = [(took.test, took.seconds) for took in found[:20]]
    print_table("the slowest tests", ("test", "seconds"), rows)
    daily = [took.seconds for took in found if not took.slow]
    rows = [
        ("all", len(found), sum(took.seconds for took in found)),
        ("daily work", len(daily), sum(daily)),
    ]
    print_table("processor time", ("tests", "number", "seconds"), rows)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
