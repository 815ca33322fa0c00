"""A run that is ended from within, or would never end, is red and has its page."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from gradverify.differentiators.refused_exit import ProcessExit, refused_exit

from ..scratch import Scratch
from .test_runs import ONLY, engine, finding

is_glibc = platform.libc_ver()[0] == "glibc"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs its signals")
HANGS = """while True:
                try:
                    time.sleep(0.01)
                except BaseException:
                    continue"""


# the second run holds its findings against those of the first
TIMES = (1, pytest.param(2, marks=pytest.mark.slow))


@pytest.mark.skipif(not is_glibc, reason="the functions of glibc are needed")
@pytest.mark.parametrize("times", TIMES)
def test_a_run_in_which_a_library_calls_exit_of_c_is_red_and_has_a_page(
    scratch: Scratch, times: int
) -> None:
    scratch.write("conftest.py", engine("ctypes.CDLL(None).exit(0)", here=True))
    for _ in range(times):
        done = scratch.apart("pytest", *ONLY, "-k", "add or small or shared")
    assert done.ret == 3
    done.stdout.fnmatch_lines(
        ["the run did not come to its end: *called exit() of C*", "page: *.html"]
    )
    assert finding(scratch)["verdict"] == "CRASHED"
    outcomes = [i["outcome"] for i in scratch.of_type("item")]
    assert "passed" in outcomes, "what was known before is kept"
    assert outcomes.count("failed") == 1
    assert not [p.name for p in scratch.root.glob("reports/.gradverify*")]


ENDS = """
import ctypes, os, sys
sys.path[:0] = sys.argv[2:]
from gradverify.plugin.early_end import EarlyEnd

end = EarlyEnd(lambda death: print(death.note, flush=True))
end.begin()
{do}
"""


@pytest.mark.skipif(not is_glibc, reason="the functions of glibc are needed")
@pytest.mark.parametrize(
    ("do", "status", "told"),
    [
        pytest.param("pass", 0, False, marks=pytest.mark.slow),
        ("end.end(); ctypes.CDLL(None).exit(0)", 0, False),
        ("ctypes.CDLL(None).exit(0)", 3, True),
        pytest.param("ctypes.PyDLL(None).exit(5)", 3, True, marks=pytest.mark.slow),
        pytest.param("import threading; t = threading.Thread("
                     "target=lambda: ctypes.CDLL(None).exit(0)); t.start(); t.join()",
                     3, True, marks=pytest.mark.slow),
        ("end._tell = lambda death: ctypes.CDLL(None).exit(0)\n"
         "ctypes.CDLL(None).exit(0)", 3, False),
        pytest.param("end._tell = lambda death: 1 / 0\nctypes.CDLL(None).exit(0)",
                     3, False, marks=pytest.mark.slow),
        ("if not os.fork(): ctypes.CDLL(None).exit(7)\n"
         "sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))", 7, False),
    ],
)  # fmt: skip
def test_exit_of_c_is_seen_while_a_run_goes_on(
    do: str, status: int, told: bool
) -> None:
    code = ENDS.format(do=do)
    done = subprocess.run(
        [sys.executable, "-c", code, *sys.path], capture_output=True, text=True
    )
    assert done.returncode == status, done.stderr
    assert ("exit() of C" in done.stdout) == told
    assert "Segmentation" not in done.stderr


@pytest.mark.slow
def test_an_engine_that_catches_all_that_would_end_it_does_not_hang_a_run(
    scratch: Scratch,
) -> None:
    scratch.write("conftest.py", engine(HANGS, here=True))
    options = (*ONLY, "-p", "no:timeout", "--gradverify-time", "10", "-k", "small")
    done = scratch.ended(scratch.begin(*options))
    assert done.ret == 3
    assert finding(scratch)["verdict"] == "TIMED_OUT"
    done.stdout.fnmatch_lines(["*whatever was raised to end it was caught*"])


@pytest.mark.slow
def test_a_loop_in_c_that_hangs_a_run_is_ended_by_the_system(scratch: Scratch) -> None:
    loop = "__import__('collections').deque(iter(int, 1), maxlen=0)"
    soon = "from gradverify.plugin import early_end as e\ne.TIMES = e.BESIDES = 0.2\n"
    scratch.write("conftest.py", soon + engine(loop, here=True))
    options = (*ONLY, "-p", "no:timeout", "--gradverify-time", "10", "-k", "small")
    done = scratch.apart("pytest", *options)
    assert done.ret != 0
    assert "conftest.py" in done.stderr.str(), "where it was"
    scratch.write("conftest.py", engine("pass"))
    again = scratch.pytest(*options)
    assert again.ret == 0
    again.stdout.fnmatch_lines(["an earlier run was killed while toy (forward) ran *"])


# ---- ends that Python knows


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        ("os", "_exit", (0,)),
        ("posix", "_exit", (0,)),
        ("os", "execv", ("/bin/true", ["true"])),
        ("os", "execl", ("/bin/true", "true")),
        ("os", "execvpe", ("true", ["true"], {})),
        ("posix", "execve", ("/bin/true", ["true"], {})),
    ],
)
def test_what_would_end_the_process_is_refused(
    module: str, name: str, arguments: tuple[object, ...]
) -> None:
    there = __import__(module)
    before = getattr(there, name)
    with refused_exit(), pytest.raises(ProcessExit, match="would have ended the run"):
        getattr(there, name)(*arguments)
    assert getattr(there, name) is before
