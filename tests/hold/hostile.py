"""Engines that do what no engine should; each does it at a product.

At anything else they are our own tape. This file is also imported by the processes of
isolated engines, so that it imports nothing of the tests.
"""

from __future__ import annotations

import collections
import ctypes
import itertools
import os
import signal
import sys
import time
import warnings
from typing import Any, ClassVar

import numpy as np

from gradverify.differentiators import Accepts, Differentiator, Lowered, Pulled, mode
from gradverify.differentiators.own.tape_engine import OwnTape


def for_ever_in_c() -> None:
    """A loop in C that holds the interpreter's lock and looks at no signal."""
    collections.deque(itertools.repeat(None), maxlen=0)


class Hostile(Differentiator):
    """Our tape, but for `attack`."""

    name = "hostile"
    accepts = Accepts(dtypes=("float64", "float32"))
    isolated = True

    @property
    def table(self) -> Any:
        """That of our tape."""
        return OwnTape().table

    @mode("vjp", default=True)
    def reverse(self, function: Lowered, point: Any, cotangent: Any) -> Pulled:
        """The attack, then the right cotangents."""
        if "mul" in function.graph.ops:
            self.attack(function, point)
        return OwnTape().reverse(function, point, cotangent)

    def attack(self, function: Lowered, point: Any) -> None:
        """What is done."""


# ---- the ends of a process


class Segfault(Hostile):
    """Reads at the address 0."""

    name = "segfault"

    def attack(self, function: Lowered, point: Any) -> None:
        ctypes.string_at(0)


class Abort(Hostile):
    """As a failed assertion in C++."""

    name = "abort"

    def attack(self, function: Lowered, point: Any) -> None:
        os.abort()


class Divided(Hostile):
    """As an integer division by 0 in C."""

    name = "divided"

    def attack(self, function: Lowered, point: Any) -> None:
        os.kill(os.getpid(), signal.SIGFPE)


class OutOfMemory(Hostile):
    """As the system ends one that takes too much."""

    name = "out-of-memory"

    def attack(self, function: Lowered, point: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Exit(Hostile):
    """`exit(0)` of C, as STOP of Fortran calls it."""

    name = "exit"

    def attack(self, function: Lowered, point: Any) -> None:
        ctypes.CDLL(None).exit(0)


class QuickExit(Hostile):
    """`_exit(0)` of C, past everything that Python could do."""

    name = "quick-exit"

    def attack(self, function: Lowered, point: Any) -> None:
        ctypes.CDLL(None)._exit(0)


class LoadsSlowly(Hostile):
    """Loads a library in the first call of a process; ends it at a product."""

    name = "loads-slowly"
    is_loaded = False

    @mode("vjp", default=True)
    def reverse(self, function: Lowered, point: Any, cotangent: Any) -> Pulled:
        if not LoadsSlowly.is_loaded:
            time.sleep(1.5)
        LoadsSlowly.is_loaded = True
        return super().reverse(function, point, cotangent)

    def attack(self, function: Lowered, point: Any) -> None:
        os.abort()


class Recursion(Hostile):
    """Recursion in C until the stack is full."""

    name = "recursion"

    def attack(self, function: Lowered, point: Any) -> None:
        sys.setrecursionlimit(10**9)
        nested: Any = ()
        for _ in range(10**6):
            nested = (nested,)
        repr(nested)
        hash(nested)


class ClosesEverything(Hostile):
    """Closes every file, the wire to the run included."""

    name = "closes-everything"

    def attack(self, function: Lowered, point: Any) -> None:
        os.closerange(0, 1000)


class InARow(Hostile):
    """Dies in a row of its table."""

    name = "in-a-row"

    @property
    def table(self) -> Any:
        def mul(a: Any, b: Any) -> Any:
            ctypes.string_at(0)

        return {**OwnTape().table, "mul": mul}


# ---- no end


class LoopInC(Hostile):
    """No handler of a signal is ever called."""

    name = "loop-in-c"

    def attack(self, function: Lowered, point: Any) -> None:
        for_ever_in_c()


class Swallows(Hostile):
    """Catches whatever is raised to end it."""

    name = "swallows"

    def attack(self, function: Lowered, point: Any) -> None:
        while True:
            try:
                time.sleep(0.01)
            except BaseException:
                continue


class IgnoresTheAlarm(Hostile):
    """Sets the signal aside that would end it."""

    name = "ignores-the-alarm"

    def attack(self, function: Lowered, point: Any) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        time.sleep(1000)


class AlwaysLoops(Hostile):
    """Has no end in its very first call, whatever the op."""

    name = "always-loops"

    @mode("vjp", default=True)
    def reverse(self, function: Lowered, point: Any, cotangent: Any) -> Pulled:
        for_ever_in_c()
        raise AssertionError("it has no end")


class StopsItself(Hostile):
    """Waits for a signal that nobody sends."""

    name = "stops-itself"

    def attack(self, function: Lowered, point: Any) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


# ---- too much


class ThirtyGigabytes(Hostile):
    """Asks for more than there is."""

    name = "thirty-gigabytes"

    def attack(self, function: Lowered, point: Any) -> None:
        np.ones(30 * 2**30 // 8)


class Chatters(Hostile):
    """Writes megabytes to standard output and error, past Python's own files."""

    name = "chatters"

    def attack(self, function: Lowered, point: Any) -> None:
        for file in (1, 2):
            os.write(file, b"chatter " * 2**18)


class Leaks(Hostile):
    """Keeps a megabyte a call."""

    name = "leaks"
    kept: ClassVar[list[Any]] = []

    def attack(self, function: Lowered, point: Any) -> None:
        self.kept.append(bytearray(1 << 20))


# ---- hostile objects


class NoText(Exception):
    """An exception that has no text."""

    def __str__(self) -> str:
        raise SystemExit("no text")

    __repr__ = __str__


class RaisesNoText(Hostile):
    """Raises what cannot be printed."""

    name = "raises-no-text"
    isolated = False

    def attack(self, function: Lowered, point: Any) -> None:
        raise NoText


class WarnsWithoutText(Hostile):
    """Warns of what cannot be printed."""

    name = "warns-without-text"
    isolated = False

    def attack(self, function: Lowered, point: Any) -> None:
        class NoWarning(UserWarning):
            text = "asked for by Python itself"

            def __str__(self) -> str:
                return self.text or sys.exit("no text")

        warning = NoWarning()
        warnings.warn(warning, stacklevel=1)
        warning.text = ""


class EmptiesTheGraph(Hostile):
    """Takes the graph apart."""

    name = "empties-the-graph"
    isolated = False

    def attack(self, function: Lowered, point: Any) -> None:
        for node in function.graph.nodes:
            vars(node).clear()
        object.__setattr__(function.graph, "nodes", ())


class QuitsInPython(Hostile):
    """Ends the process it is in, with a status that says that all is well."""

    name = "quits-in-python"
    isolated = False

    def attack(self, function: Lowered, point: Any) -> None:
        os._exit(0)


class Moves(Hostile):
    """Goes to another folder."""

    name = "moves"

    def attack(self, function: Lowered, point: Any) -> None:
        os.chdir("/")


# ---- when it is asked whether it can run


class Asked(Hostile):
    """Counts where it is asked; the count stays in that process."""

    name = "asked"
    isolated = False
    here: ClassVar[list[int]] = []

    def available(self) -> str | None:
        self.here.append(os.getpid())
        return None


class Absent(Asked):
    """Says why it cannot run, in colours."""

    name = "absent"

    def available(self) -> str | None:
        return "no \x1b[31mlicence\nhere"


class QuitsWhenAsked(Asked):
    """Ends its process with a status that says that all is well."""

    name = "quits-when-asked"

    def available(self) -> str | None:
        os._exit(0)


class RaisesWhenAsked(Asked):
    """Raises what ends Python."""

    name = "raises-when-asked"

    def available(self) -> str | None:
        raise SystemExit(0)


class HangsWhenAsked(Asked):
    """Never answers."""

    name = "hangs-when-asked"

    def available(self) -> str | None:
        for_ever_in_c()
        return None
