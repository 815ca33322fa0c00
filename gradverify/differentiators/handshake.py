"""Before any verdict: does a registered engine keep to the protocol?"""

from __future__ import annotations

import inspect
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.differentiators.derivatives import Derivatives
from gradverify.differentiators.examples import EXAMPLES, example_case
from gradverify.differentiators.protocol import Differentiator
from gradverify.differentiators.raised import Raised
from gradverify.differentiators.run import given_time, questions, run, unsupported
from gradverify.graph import (
    Array,
    Case,
    Graph,
    Node,
    apply_op,
    interpret,
)
from gradverify.ops import OPS
from gradverify.outside.nearest import meant
from gradverify.surroundings import surrounded

LOADING = 5.0  # seconds for the first call of an engine, in which it may load a library
PATIENCE = 2  # ops that end the process, or have no end, after which it is enough

FRAME = re.compile(r'^  File "(.+)", line (\d+)', re.MULTILINE)  # of a traceback
FAR = 1e-4  # of a value: more than any format loses at these points


class Greeting(NamedTuple):
    """What is wrong with an engine as a whole, and with single ops of its table.

    problems: sentences; with one of them nothing can be judged.
    ops: by op that fails alone, the sentence on it. Other ops are judged.
    unsupported: by op whose row raises NotImplementedError, what it says.
    lost: seconds that went to calls without an end, or to ends of the process.
    """

    problems: list[str]
    ops: dict[str, str]
    unsupported: dict[str, str]
    lost: float = 0.0


@surrounded
def handshake(
    differentiator: Differentiator, limit: float = 5.0, seconds: float = math.inf
) -> list[str]:
    """All that `greeting` finds wrong with an engine; each sentence once."""
    found = greeting(differentiator, limit, seconds)
    return [*found.problems, *dict.fromkeys(found.ops.values())]


@surrounded
def greeting(
    differentiator: Differentiator,
    limit: float = 5.0,
    seconds: float = math.inf,
    only: Sequence[str] = (),
    loading: float = LOADING,
) -> Greeting:
    """What is wrong with a registered engine: every mode is tried once on every op
    alone, inside the op's domain.

    Each problem is one sentence with a hint. Ops that fail in the same way share one
    sentence; if all of them fail, it is the engine that is wrong. No derivative is
    judged here. What ends the engine's process is a verdict,
    and no problem of its registration.

    limit: seconds for one op. After two that had no end in time, or where the first
        has none, no more are tried.
    seconds: for all ops and modes together. The rest is judged without having been
        tried.
    only: the modes that are tried; all if empty.
    loading: seconds for the first call, in which an engine may load a library.
    """
    name = differentiator.name
    if not differentiator.modes():
        hint = "decorate a method with @mode('gradient')"
        return Greeting([f"{name} has no mode: {hint}"], {}, {})
    problems = _rows(differentiator)
    calls, cases = _Calls(limit, seconds, loading), _cases(differentiator)
    alone: dict[str, str] = {}
    absent: dict[str, list[str]] = {}
    tried = only or [*differentiator.modes()]
    for mode in tried:
        if _compiles_at_once(differentiator, mode, cases):
            continue
        failures = _failures(differentiator, mode, cases, calls, absent)
        failing = sum(len(failure.ops) for failure in failures.values())
        for text, failure in failures.items():
            sentence = f"{name}:{mode} fails on {_list(failure.ops)}: {text}"
            sentence += failure.place
            if failing == len(cases):  # whatever the op, so that it is the engine
                problems.append(sentence)
            else:
                alone |= dict.fromkeys(failure.ops, sentence)
    # a mode may lack what others have, and says so when it is asked
    lacking = {op: t[0] for op, t in absent.items() if len(t) == len(tried)}
    return Greeting(problems, alone, lacking, calls.lost)


class _Calls:
    """The calls of an engine that is tried, until it has cost too much.

    lost: seconds that went to calls without an end, or to ends of the process.
    """

    def __init__(self, limit: float, seconds: float, loading: float) -> None:
        self.limit, self.loading = limit, loading
        self.end = time.perf_counter() + seconds
        self.lost, self._endless, self._loaded = 0.0, 0, False

    @property
    def are_over(self) -> bool:
        """Whether no more ops are tried."""
        return self._endless >= PATIENCE or time.perf_counter() > self.end

    def answer(
        self, differentiator: Differentiator, mode: str, case: Case
    ) -> tuple[Derivatives, float]:
        """What a mode answers, and the limit that it had: the first call has more."""
        most = self.limit if self._loaded else max(self.limit, self.loading)
        began = time.perf_counter()
        found = given_time(
            lambda times: _answered(differentiator, mode, case, times * most)
        )
        if found.fatal or found.timed_out:
            self.lost += time.perf_counter() - began
            # who has not even loaded in that time has had enough of it
            enough = found.timed_out and not self._loaded
            self._endless += PATIENCE if enough else 1
        self._loaded = True
        return found, most


class _Failure(NamedTuple):
    """Ops that fail in the same way, and where in the engine's file the first does."""

    place: str
    ops: list[str]


def _failures(
    differentiator: Differentiator,
    mode: str,
    cases: Mapping[str, Case],
    calls: _Calls,
    absent: dict[str, list[str]],
) -> dict[str, _Failure]:
    """How a mode fails on ops, by what is said of it.

    absent: gets what the engine says of ops that the mode does not have.
    """
    failures: dict[str, _Failure] = {}
    for op, case in cases.items():
        if calls.are_over:
            break
        found, most = calls.answer(differentiator, mode, case)
        text = _problem(op, found, most)
        if found.error is not None and found.error.is_missing:
            absent.setdefault(op, []).append(f"it raises {text}")
        elif text := text or _other_default(op, case, found):
            place = _place(differentiator, found.error)
            failures.setdefault(text, _Failure(place, [])).ops.append(op)
    return failures


def _answered(
    differentiator: Differentiator, mode: str, case: Case, limit: float
) -> Derivatives:
    """What a mode answers to its questions: the first error, or the last answer."""
    for question in questions(differentiator, mode):
        found = run(differentiator, mode, case, limit=limit, question=question)
        if found.error is not None or found.timed_out:
            break
    return found


def warm_up(
    differentiator: Differentiator,
    limit: float = LOADING,
    only: Sequence[str] = (),
) -> None:
    """Run every mode once, so that what a first call loads does not count later.

    only: the modes that are run; all if empty.
    """
    cases = _cases(differentiator)
    for mode in only or differentiator.modes():
        if cases:
            run(differentiator, mode, next(iter(cases.values())), limit=limit)


def _compiles_at_once(
    differentiator: Differentiator, mode: str, cases: Mapping[str, Case]
) -> bool:
    """Whether an engine that compiles takes the sum of all cases; that halves the
    time.
    """
    if not differentiator.compiles or len(cases) < 2:
        return False
    case = _sum(list(cases.values()))
    if unsupported(differentiator, case) is not None:
        return False
    result = run(differentiator, mode, case, limit=60.0)
    return result.error is None and not result.timed_out


def _sum(cases: Sequence[Case]) -> Case:
    nodes: list[Node] = []
    point: list[Array] = []
    outputs = []
    for case in cases:
        moved = len(nodes)
        for node in case.graph.nodes:
            operands = tuple(j + moved for j in node.operands)
            nodes.append(replace(node, operands=operands))
        point += case.point
        outputs.append(len(nodes) - 1)
    total = outputs[0]
    for output in outputs[1:]:
        nodes.append(apply_op(nodes, "add", [total, output]))
        total = len(nodes) - 1
    return Case(Graph(tuple(nodes)), tuple(point), cases[0].dtype)


def _rows(differentiator: Differentiator) -> list[str]:
    """What is wrong with rows: no such op, or neither a function nor a reason."""
    problems = []
    known = {row.name for row in OPS} | {"data", "literal"}
    for op, row in differentiator.table.items():
        if op not in known:
            problems.append(
                f"{differentiator.name}: the table has a row {op!r}, which is no op; "
                f"{meant(str(op), OPS.public(), '`gradverify ops` lists them')}"
            )
        elif not callable(row) and not isinstance(row, str):
            problems.append(
                f"{differentiator.name}: the row {op!r} is {row!r}; allowed are a "
                "function, or a string that says why the op is absent"
            )
    return problems


def _cases(differentiator: Differentiator) -> dict[str, Case]:
    """One case for every op that the differentiator can run alone."""
    dtype = differentiator.accepts.dtypes[0]
    cases = {op: example_case(OPS[op], dtype) for op in OPS.public()}
    return {
        op: case
        for op, case in cases.items()
        if unsupported(differentiator, case) is None
    }


def _problem(op: str, result: Derivatives, limit: float) -> str | None:
    if result.fatal:
        return None
    if result.timed_out:
        return f"no result after {limit:g} s"
    if result.error is None:
        return None
    text = f"{result.error.kind}: {result.error}"
    return f"{text}{_hint(op, result.error)}"


def _place(differentiator: Differentiator, error: Raised | None) -> str:
    """The line of the engine's own file that raised; empty if that is not known."""
    try:
        file = inspect.getsourcefile(type(differentiator)) or ""
    except (TypeError, OSError):  # a class that was typed in
        return ""
    trace = "" if error is None else error.trace
    lines = [line for path, line in FRAME.findall(trace) if path == file]
    return f" ({Path(file).name}:{lines[-1]})" if lines else ""


def _other_default(op: str, case: Case, result: Derivatives) -> str | None:
    """What a value says of a constant that another library has another default for."""
    formula = OPS[op].formula
    if not formula:
        return None
    with np.errstate(all="ignore"):
        values = interpret(case.graph, FLOATS.table, [np.array(x) for x in case.point])
    try:
        got, ours = float(result.value), float(values)
    except (TypeError, ValueError):
        return None
    if abs(got - ours) <= FAR * abs(ours):
        return None
    return (
        f"its value is {got:.6g} where that of {op}, {formula}, is {ours:.6g}; give "
        "the row these constants"
    )


def _hint(op: str, error: BaseException) -> str:
    """What usually helps against such an error."""
    text = str(error)
    for sign, hint in HINTS:
        if sign in text:
            return f"; {hint(op)}"
    return ""


def _called(op: str) -> str:
    row = OPS[op]
    operands = ["x"] if row.arity == 1 else ["a", "b", "c"][: row.arity]
    shapes, params = EXAMPLES.get(op, ((), {}))
    del shapes
    given = [f"{key}={value!r}" for key, value in params.items()]
    return f"the row {op!r} is called as table[{op!r}]({', '.join(operands + given)})"


# From a sign in the text of an error to the hint for the op at hand.
HINTS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("call it as function(", lambda op: "a mode gets the point as a list of arrays"),
    ("unexpected keyword argument", _called),
    ("required positional argument", _called),
    ("invalid combination of arguments", _called),
    ("positional argument", _called),
    ("requires grad", lambda op: "detach what you return: value.detach().numpy()"),
    ("can't convert", lambda op: "return NumPy arrays of the host"),
)


def _list(ops: list[str]) -> str:
    shown = ", ".join(ops[:3])
    return shown if len(ops) <= 3 else f"{shown} and {len(ops) - 3} more ops"
