"""Engines that change the ground under a run, or lie in wait for its end."""

from __future__ import annotations

import builtins
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradverify import Pulled
from gradverify.verdict import Verdict
from gradverify.verify import judge

from ..scratch import TOY_ENGINE, Scratch
from .test_hostile_engines import RIGHT, A, B, engine, product
from .test_runs import ONLY, SMALL
from .test_runs import engine as conftest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs its signals")


class Endless:
    """NumPy asks it for an array, and it never has one."""

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        while True:
            time.sleep(0.01)


def limits() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def limited(function: Any, point: Any) -> Pulled:
    resource.setrlimit(resource.RLIMIT_NOFILE, (10, limits()[1]))
    return RIGHT


def mask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


def masked(function: Any, point: Any) -> Pulled:
    os.umask(0o777)
    return RIGHT


def traced(function: Any, point: Any) -> Pulled:
    sys.setprofile(lambda *arguments: None)
    return RIGHT


def blind(function: Any, point: Any) -> Pulled:
    np.asarray = np.array = lambda *arguments, **options: np.zeros(())
    return RIGHT


def speechless(function: Any, point: Any) -> Pulled:
    builtins.sorted = lambda *arguments, **options: []
    return RIGHT


def childless(function: Any, point: Any) -> Pulled:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    return RIGHT


def deaf(function: Any, point: Any) -> Pulled:
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
    return RIGHT


def blocked() -> set[Any]:
    return signal.pthread_sigmask(signal.SIG_BLOCK, ())


def homeless(function: Any, point: Any) -> Pulled:
    os.environ.clear()
    return RIGHT


def unheard(function: Any, point: Any) -> Pulled:
    sys.excepthook = lambda *arguments: os._exit(0)
    return RIGHT


def twice(function: Any, point: Any) -> Pulled:
    os.fork()
    return RIGHT


def wide(function: Any, point: Any) -> Pulled:
    return Pulled(A * B, [np.broadcast_to(B, (10**5, 10**5)), A])


def endless(function: Any, point: Any) -> Pulled:
    return Pulled(A * B, [Endless(), A])


# What an engine does, its verdict, what it is said to have changed, and what is to be
# as before.
GROUND: dict[str, tuple[Any, Verdict, tuple[str, ...], Callable[[], Any]]] = {
    "allows ten open files": (
        limited, Verdict.AGREES, ("the limits of the process",), limits),
    "makes files that nobody may read": (
        masked, Verdict.AGREES, ("the mask of new files",), mask),
    "profiles every call": (traced, Verdict.AGREES, ("tracing",), sys.getprofile),
    "blinds NumPy": (
        blind, Verdict.AGREES, ("the functions of NumPy",), lambda: np.asarray),
    "takes a built-in function away": (
        speechless, Verdict.AGREES, (), lambda: builtins.sorted),
    "ignores the ends of processes": (
        childless, Verdict.AGREES, (), lambda: signal.getsignal(signal.SIGCHLD)),
    "blocks every signal": (deaf, Verdict.AGREES, (), blocked),
    "clears the environment": (
        homeless, Verdict.AGREES, (), lambda: dict(os.environ)),
    "takes the hook for exceptions": (
        unheard, Verdict.AGREES, (), lambda: sys.excepthook),
    "forks, and both go on": (twice, Verdict.AGREES, (), os.getpid),
    "gives a view of 80 GB": (wide, Verdict.CRASHED, (), limits),
    "gives what never becomes an array": (endless, Verdict.TIMED_OUT, (), limits),
}  # fmt: skip


@pytest.mark.parametrize("attack", GROUND)
def test_an_engine_that(attack: str) -> None:
    answer, verdict, changed, read = GROUND[attack]
    before = read()
    found = judge(product(), engine(answer), "reverse", limit=0.5)
    assert (found.verdict, found.changed) == (verdict, changed), found.got
    assert read() == before


# ---- the end of a run


def test_an_engine_that_waits_for_the_end_of_python_makes_no_run_green(
    scratch: Scratch,
) -> None:
    waits = "import atexit, os\natexit.register(lambda: os._exit(0))\n"
    scratch.write("conftest.py", waits + TOY_ENGINE)
    assert scratch.apart("pytest", *ONLY, "-k", "mul").ret == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "attack",
    [
        "os.close(1)",
        "setattr(sys, 'stdout', None)",
        "__import__('shutil').rmtree('reports', ignore_errors=True)",
        "__import__('threading').Thread(target=time.sleep, args=(300,)).start()",
        "__import__('json').__dict__.update(dumps=None, loads=None)",
    ],
)
def test_a_run_has_its_page_and_ends_though_an_engine_does(
    scratch: Scratch, attack: str
) -> None:
    scratch.write("conftest.py", conftest(attack, when="True", here=True))
    done = scratch.apart("gradverify", "run", *SMALL, "-k", "add or mul")
    assert done.ret in (0, 1)
    assert scratch.of_type("item")
    assert (scratch.root / "reports" / "gradverify.html").exists()
