"""Engines that die, hang or eat cost their own cases, and nothing else."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradverify.differentiators import (
    Derivatives,
    Differentiator,
    Pulled,
    Pushed,
    close_all,
    mode,
    present,
    register,
    run,
    tried_out,
)
from gradverify.differentiators.in_process import run_here
from gradverify.differentiators.isolation import isolate, release, worker_of
from gradverify.differentiators.isolation import worker as isolation_worker
from gradverify.differentiators.isolation.worker import Worker
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.differentiators.run import given_time
from gradverify.differentiators.time_limit import may_have_waited
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import Block, Budget, judge, verify_item
from gradverify.verify.asking import Asking

from . import hostile

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs its signals")


def of(op: str) -> Case:
    """A case of one op with two operands."""
    nodes = [input_leaf(), input_leaf()]
    nodes.append(apply_op(nodes, op, [0, 1]))
    return Case(Graph(tuple(nodes)), (np.array(3.0), np.array(5.0)))


def block(family: str = "mul", chunk: int = 4) -> Block:
    """A block of which nothing has been drawn yet."""
    asked = Asked(dtypes=("float64",), seed=7, chunk=chunk)
    return next(b for b in blocks(asked) if b.family == family)


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    """After every test the processes of engines are ended, and reaped."""
    yield
    close_all()


# ---- the end of a process

ENDS: dict[type[hostile.Hostile], str] = {
    hostile.Segfault: "its process was killed by SIGSEGV",
    hostile.Abort: "its process was killed by SIGABRT",
    hostile.Divided: "its process was killed by SIGFPE",
    hostile.OutOfMemory: "its process was killed by SIGKILL",
    hostile.Exit: "its process ended by itself, with the status 0",
    hostile.QuickExit: "its process ended by itself, with the status 0",
    hostile.Recursion: "its process was killed by SIGSEGV",
    hostile.InARow: "its process was killed by SIGSEGV in the op mul",
}


COMMON = (hostile.Segfault, hostile.QuickExit)
KINDS = [
    pytest.param(kind, id=kind.name, marks=() if kind in COMMON else pytest.mark.slow)
    for kind in ENDS
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_that_ends_its_process_is_crashed_and_goes_on(
    kind: type[hostile.Hostile],
) -> None:
    engine = kind()
    judgement = judge(of("mul"), engine, "reverse")
    assert judgement.verdict is Verdict.CRASHED
    assert judgement.got == f"ProcessEnded: {ENDS[kind]}"
    assert judgement.fatal
    assert judge(of("add"), engine, "reverse").verdict is Verdict.AGREES


def test_what_loads_slowly_has_time_for_it_whenever_its_process_is_started() -> None:
    engine = hostile.LoadsSlowly()
    assert run(engine, "reverse", of("add"), limit=5.0).error is None
    assert judge(of("mul"), engine, "reverse", limit=0.5).verdict is Verdict.CRASHED
    assert judge(of("add"), engine, "reverse", limit=0.5).verdict is Verdict.AGREES


@pytest.mark.slow
def test_an_engine_that_closes_the_wire_is_ended() -> None:
    engine = hostile.ClosesEverything()
    judgement = judge(of("mul"), engine, "reverse", limit=2.0)
    assert judgement.verdict in (Verdict.CRASHED, Verdict.TIMED_OUT)
    assert judge(of("add"), engine, "reverse").verdict is Verdict.AGREES


def test_the_last_words_of_a_process_are_kept() -> None:
    judgement = judge(of("mul"), hostile.Segfault(), "reverse")
    assert "Fatal Python error: Segmentation fault" in judgement.note
    assert "hostile.py" in judgement.note, "where it was"


def test_the_op_that_ended_the_process_is_the_finding() -> None:
    engine = hostile.InARow()
    result = verify_item(block("shared"), engine, "reverse", budget=Budget(4, least=4))
    assert {f.op for f in result.findings} == {"mul"}
    assert all(f.case.graph.ops == ("mul",) for f in result.findings), "it is alone"
    assert result.lost >= 2


# ---- no end

HANGS = (
    pytest.param(hostile.LoopInC, id="loop in C"),
    pytest.param(hostile.Swallows, id="swallows", marks=pytest.mark.slow),
    pytest.param(hostile.IgnoresTheAlarm, id="no alarm", marks=pytest.mark.slow),
)


@pytest.mark.parametrize("kind", HANGS)
def test_an_engine_without_an_end_is_ended_at_its_limit(
    kind: type[hostile.Hostile],
) -> None:
    engine = kind()
    assert run(engine, "reverse", of("add"), limit=5.0).error is None, "it has begun"
    judgement = judge(of("mul"), engine, "reverse", limit=0.5)
    assert judgement.verdict is Verdict.TIMED_OUT
    assert judge(of("add"), engine, "reverse").verdict is Verdict.AGREES


@pytest.mark.slow
def test_an_engine_that_stops_itself_is_ended_too() -> None:
    engine = hostile.StopsItself()
    assert judge(of("mul"), engine, "reverse", limit=0.3).verdict is Verdict.TIMED_OUT


@pytest.mark.slow
def test_an_item_is_out_of_patience_after_two() -> None:
    result = verify_item(block(), hostile.LoopInC(), "reverse", limit=0.3)
    assert result.counts == {Verdict.TIMED_OUT: 2}
    assert result.lost == 2


@pytest.mark.parametrize(("losing", "tried"), [(0.0, 1), (100.0, 2)])
def test_one_case_without_an_end_is_waited_for_where_no_time_may_be_lost(
    losing: float, tried: int
) -> None:
    """As it is once a trial has taken the engine's part of the time."""
    engine, budget = hostile.LoopInC(), Budget(losing=losing)
    result = verify_item(block(), engine, "reverse", budget=budget, limit=0.2)
    assert result.counts == {Verdict.TIMED_OUT: tried}
    verdicts = {found.judgement.verdict for found in result.findings}
    assert verdicts == {Verdict.TIMED_OUT}


def test_a_trial_without_an_end_takes_what_a_first_call_may() -> None:
    trial = tried_out(hostile.AlwaysLoops(), limit=0.2, loading=0.4)
    assert trial.lost >= 0.4
    (note,) = trial.notes
    # 0.4 s, or up to four times that where the processor was busy
    found = re.search(r"was tried and gave no result in ([0-9.]+) s", note)
    assert found is not None
    assert 0.4 <= float(found[1]) <= 1.6
    assert tried_out(hostile.Segfault(), limit=5.0).lost > 0.0
    assert tried_out(OwnTape(), limit=5.0).lost == 0.0


# ---- too much


def test_an_allocation_beyond_the_machine_is_an_error_of_the_engine() -> None:
    judgement = judge(of("mul"), hostile.ThirtyGigabytes(), "reverse")
    assert judgement.verdict is Verdict.CRASHED
    assert "MemoryError" in judgement.got
    assert not judgement.fatal


def test_output_is_not_ours(capfd: pytest.CaptureFixture[str]) -> None:
    engine = hostile.Chatters()
    for _ in range(3):
        assert judge(of("mul"), engine, "reverse").verdict is Verdict.AGREES
    assert "chatter" not in "".join(capfd.readouterr())


# ---- a process of its own gives what this one gives


def test_all_that_an_engine_gives_comes_through_the_wire() -> None:
    def plain(found: Derivatives) -> Any:
        inner = found.intermediates or {}
        numbers = (found.value, *found.cotangents, *inner.values())
        return (
            [(np.asarray(x).dtype, np.asarray(x).tobytes()) for x in numbers],
            [*inner],
            found.error,
            found.warnings,
        )

    engine = hostile.Hostile()
    cases = [
        case
        for family in ("small", "arrays", "shared")
        for _, (_, case) in zip(range(20), block(family, 20).cases(), strict=False)
    ]
    apart = [plain(run(engine, "reverse", case)) for case in cases]
    here = [plain(run_here(engine, "reverse", case, 10.0)) for case in cases]
    assert len(apart) == 60
    assert apart == here


@pytest.mark.slow
def test_an_isolated_engine_has_the_verdicts_of_one_that_is_not() -> None:
    budget = Budget(30, least=30)
    apart = verify_item(block("deep", 20), hostile.Hostile(), "reverse", budget=budget)
    here = verify_item(block("deep", 20), OwnTape(), "reverse", budget=budget)
    assert dict(apart.counts) == dict(here.counts)
    assert apart.ops == here.ops


def test_what_an_isolated_engine_changes_is_named_and_stays_there() -> None:
    here = os.getcwd()
    assert run(hostile.Moves(), "reverse", of("mul")).changed == ("the folder",)
    assert os.getcwd() == here


def test_an_exception_has_its_name_and_its_text() -> None:
    apart = run(hostile.ThirtyGigabytes(), "reverse", of("mul")).error
    assert apart is not None
    assert apart.kind.endswith("MemoryError")
    assert "MemoryError" in apart.kinds
    assert "Unable to allocate" in str(apart)


# ---- trying an engine


def test_an_engine_that_dies_when_it_is_tried_goes_on_in_a_process_of_its_own() -> None:
    engine = hostile.Segfault()
    type(engine).isolated = None
    try:
        trial = tried_out(engine)
        assert trial.problems == ()
        (note,) = trial.notes
        assert re.search("killed by SIGSEGV.*; it runs in a process of its own", note)
        assert judge(of("mul"), engine, "reverse").verdict is Verdict.CRASHED
    finally:
        type(engine).isolated = True
        release(engine)


@pytest.mark.parametrize(("wanted", "stays"), [(None, True), (False, False)])
def test_an_engine_stays_in_the_process_in_which_it_was_tried(
    wanted: bool | None, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile.RaisesNoText, "isolated", wanted)
    engine = hostile.RaisesNoText()
    tried_out(engine)
    assert (worker_of(engine) is not None) == stays
    release(engine)


def test_a_built_in_engine_is_not_tried_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: Any, **options: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refused)
    assert tried_out(OwnTape()).problems == ()


def test_a_path_among_the_places_of_imports_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [tmp_path, *sys.path])
    engine = hostile.Segfault()
    assert judge(of("add"), engine, "reverse").verdict is Verdict.AGREES
    assert worker_of(engine) is not None
    assert sys.path[0] is tmp_path, "the host's own list is as it was"


def test_a_process_cannot_be_had_in_a_folder_that_was_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    _is_refused("FileNotFoundError")


def test_a_process_cannot_be_had_where_none_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*arguments: Any, **options: Any) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", refused)
    _is_refused("BlockingIOError: no more processes")


def _is_refused(why: str) -> None:
    found = Worker(hostile.Segfault()).run("reverse", of("mul"), 5.0)
    assert found.fatal
    assert found.error is not None
    assert found.error.kind == "NotIsolated"
    assert f"cannot run in a process of its own: {why}" in found.error.text


def test_an_engine_that_cannot_be_found_again_is_tried_here() -> None:
    class Local(OwnTape):
        name = "local"

    engine: Differentiator = Local()
    trial = tried_out(engine)
    assert trial.problems == ()
    assert "define the class at the top level of a module" in trial.notes[0]
    assert worker_of(engine) is None


def test_one_that_wants_to_be_isolated_and_cannot_be_found_is_refused() -> None:
    class LocalIsolated(OwnTape):
        name = "local-isolated"
        isolated = True

    (problem,) = tried_out(LocalIsolated()).problems
    assert "local-isolated cannot run in a process of its own" in problem
    assert "define the class at the top level" in problem


# ---- asking an engine whether it can run


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (hostile.Absent, "no \x1b[31mlicence here"),
        (hostile.QuitsWhenAsked, "it was asked whether it is available, and its "
         "process ended by itself, with the status 0"),
        (hostile.RaisesWhenAsked, "SystemExit: 0"),
        (hostile.HangsWhenAsked, "it was asked whether it is available, and gave no "
         "answer in 3 s"),
    ],
)  # fmt: skip
def test_an_engine_is_asked_whether_it_can_run_in_a_process_of_its_own(
    kind: type[hostile.Hostile], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind is hostile.HangsWhenAsked:
        monkeypatch.setattr(isolation_worker, "LOADING", 3.0)
    assert present(f"{kind.__module__}:{kind.__name__}") == reason


def test_the_process_in_which_it_was_asked_is_the_one_in_which_it_is_tried() -> None:
    engine = present("tests.hold.hostile:Asked")
    assert isinstance(engine, hostile.Asked)
    assert engine.here == [], "not in this process"
    assert worker_of(engine) is None, "it is not isolated"
    worker = isolate(engine)
    assert worker._process is not None
    release(engine)


# ---- hostile objects, in this process


def test_an_exception_without_a_text_is_the_engines() -> None:
    judgement = judge(of("mul"), hostile.RaisesNoText(), "reverse")
    assert judgement.verdict is Verdict.CRASHED
    assert judgement.got == (
        "NoText: its text cannot be read: __str__ raised SystemExit"
    )


def test_a_warning_without_a_text_is_the_engines() -> None:
    found = run(hostile.WarnsWithoutText(), "reverse", of("mul"))
    assert found.error is None
    assert found.warnings == (
        "NoWarning: its text cannot be read: __str__ raised SystemExit",
    )


def test_a_graph_that_is_emptied_costs_that_case_alone() -> None:
    drawn = block("shared")
    engine = hostile.EmptiesTheGraph()
    result = verify_item(drawn, engine, "reverse", budget=Budget(8, least=8))
    assert result.fault is None
    assert all(case.graph.nodes for case in drawn.drawn), "ours are as they were"
    again = verify_item(drawn, OwnTape(), "reverse", budget=Budget(8, least=8))
    alone = verify_item(
        block("shared"), OwnTape(), "reverse", budget=Budget(8, least=8)
    )
    assert again.counts[Verdict.AGREES] > 0
    assert again.counts == alone.counts


def test_the_end_of_the_process_by_os_exit_is_an_error() -> None:
    judgement = judge(of("mul"), hostile.QuitsInPython(), "reverse")
    assert judgement.verdict is Verdict.CRASHED
    assert "called os._exit(0)" in judgement.got
    assert os._exit.__module__ in ("posix", "nt"), "it is the usual one again"


def test_a_process_that_an_engine_forks_may_end() -> None:
    class Forks(OwnTape):
        name = "forks"

        @mode("gradient", default=True)
        def reverse(self, function: Any, point: Any) -> Pulled:
            child = os.fork()
            if not child:
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            return OwnTape().reverse(function, point, np.ones(()))

    assert run(Forks(), "reverse", of("mul")).error is None


class Pushes(Differentiator):
    """A jvp that writes into its tangents."""

    name = "pushes"
    table = OwnTape().table
    place = 0

    @mode("jvp")
    def forward(self, function: Any, point: Any, tangents: Any) -> Pushed:
        """The product rule; then one tangent is another one."""
        (a, b), (da, db) = point, tangents
        found = Pushed(float(a * b), float(da * b + a * db))
        tangents[self.place][...] = 2.0
        return found


class Pulls(Differentiator):
    """A vjp that writes into its cotangent."""

    name = "pulls"
    table = OwnTape().table

    @mode("vjp")
    def reverse(self, function: Any, point: Any, cotangent: Any) -> Pulled:
        """The product rule; then the cotangent is another one."""
        a, b = point
        found = Pulled(float(a * b), [cotangent * b, cotangent * a])
        cotangent *= 3.0
        return found


@pytest.mark.parametrize(
    ("engine", "mode", "where"),
    [
        (Pushes(), "forward", "the tangent of input 1"),
        (Pulls(), "reverse", "the cotangent"),
    ],
)
def test_a_seed_that_is_overwritten_is_an_input_that_is_changed(
    engine: Differentiator, mode: str, where: str
) -> None:
    judgement = judge(of("mul"), engine, mode)
    assert judgement.verdict is Verdict.INPUT_MUTATED
    assert judgement.where == where


def test_a_masked_array_is_no_array_of_numbers() -> None:
    class Masked(OwnTape):
        name = "masked"

        @mode("gradient", default=True)
        def reverse(self, function: Any, point: Any) -> Pulled:
            found = OwnTape().reverse(function, point, np.ones(()))
            hidden = np.ma.masked_array(np.array(5.0), mask=True)
            return Pulled(found.value, [hidden, found.cotangents[1]])

    judgement = judge(of("mul"), Masked(), "reverse")
    assert judgement.verdict is Verdict.CRASHED
    assert "cotangent 0 is a MaskedArray, which is no array of numbers" in judgement.got


@pytest.mark.parametrize(
    "name",
    ["", "a,b", "a b", "a:b", "a[b]", "\x1b[31mred", "x" * 5000, "-n", "é", 7, None],
)
def test_a_name_that_could_not_be_asked_for_is_refused(name: Any) -> None:
    cls = type("Named", (OwnTape,), {"name": name})
    with pytest.raises(
        ValueError, match=r"has the name .*; a name has up to 60"
    ) as told:
        register(cls)
    assert len(str(told.value)) < 300
    assert "\x1b" not in str(told.value)


# ---- a fault of ours


def test_a_fault_of_ours_costs_its_case_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradverify.verify import item

    seen = []

    def faulty(case: Case, *arguments: Any, **options: Any) -> Any:
        seen.append(case)
        if len(seen) == 3:
            raise ArithmeticError("our own fault")
        return judge(case, *arguments, **options)

    monkeypatch.setattr(item, "judge", faulty)
    budget = Budget(8, least=8)
    result = verify_item(block("shared"), OwnTape(), "reverse", budget=budget)
    assert result.fault is not None
    assert result.fault.case is seen[2]
    assert str(result.fault.error) == "our own fault"
    assert sum(result.counts.values()) == 7, "all others are known"


# ---- a machine that stands still

STOPPED = """
import sys, time
sys.path[:0] = sys.argv[2:]
import numpy as np
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.differentiators import mode, run
from gradverify.graph import Case, Graph, apply_op, input_leaf

class Slow(OwnTape):
    name = "slow"
    @mode("gradient", default=True)
    def reverse(self, function, point):
        print("begun", flush=True)
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            pass
        return OwnTape().reverse(function, point, np.ones(()))

nodes = [input_leaf(), input_leaf()]
nodes.append(apply_op(nodes, "mul", [0, 1]))
case = Case(Graph(tuple(nodes)), (np.array(3.0), np.array(5.0)))
print(run(Slow(), "reverse", case, limit=float(sys.argv[1])).timed_out)
"""


@pytest.mark.parametrize(
    ("limit", "pause"), [(1.0, 2.0), pytest.param(10.0, 11.0, marks=pytest.mark.slow)]
)
def test_a_pause_of_the_machine_is_no_time_of_the_engine(
    limit: float, pause: float
) -> None:
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(limit), root],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(pause)
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == "False\n"


# which of an engine's answers wait for a busy processor, and the verdict
WAITING = [
    ((), Verdict.AGREES),
    ((0,), Verdict.AGREES),
    ((0, 1), Verdict.TIMED_OUT),  # by then it has had the time
    ((1,), Verdict.AGREES),
    ((1, 2), Verdict.AGREES),
]


@pytest.mark.parametrize(("waiting", "verdict"), WAITING)
def test_who_waits_for_a_busy_processor_is_asked_again_and_not_accused(
    waiting: tuple[int, ...], verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run that had no time does not contradict the first."""
    number, usual = itertools.count(), Asking.run

    def asked(asking: Asking, times: float = 1.0) -> Derivatives:
        if next(number) in waiting:
            busy = 0.3 * times  # of a limit of 1 s
            return Derivatives(timed_out=True, starved=True, seconds=times, busy=busy)
        return usual(asking, times)

    monkeypatch.setattr(Asking, "run", asked)
    assert judge(of("mul"), OwnTape(), "reverse", twice=True).verdict is verdict


# the share of the processor that an engine gets, and seconds that it needs of its 1 s
SHARES = [(1.0, 0.9), (0.9, 0.85), (0.6, 0.7), (0.5, 0.95), (0.25, 0.8), (0.15, 0.55)]


@pytest.mark.parametrize(("share", "needs"), SHARES)
def test_an_engine_with_a_share_of_the_processor_has_more_time(
    share: float, needs: float
) -> None:
    def asked(times: float) -> Derivatives:
        if needs <= share * times:
            return Derivatives(seconds=needs / share, busy=needs)
        waited = may_have_waited(share * times, times)
        return Derivatives(
            timed_out=True, starved=waited, seconds=times, busy=share * times
        )

    assert not given_time(asked).timed_out


@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.95, 1.0])
def test_an_engine_without_an_end_is_not_asked_for_ever(share: float) -> None:
    tries: list[float] = []

    def asked(times: float) -> Derivatives:
        tries.append(times)
        waited = may_have_waited(share * times, times)
        return Derivatives(
            timed_out=True, starved=waited, seconds=times, busy=share * times
        )

    assert given_time(asked).timed_out
    assert sum(tries) <= 9.0


def test_a_stopped_process_of_an_engine_is_waited_for() -> None:
    engine = hostile.Hostile()
    run(engine, "reverse", of("add"))
    worker = worker_of(engine)
    assert worker is not None
    assert worker._process is not None
    os.kill(worker._process.process.pid, signal.SIGSTOP)
    helper = subprocess.Popen(
        [sys.executable, "-c", "import os, sys, time; time.sleep(1.5); "
         f"os.kill({worker._process.process.pid}, {int(signal.SIGCONT)})"]
    )  # fmt: skip
    found = run(engine, "reverse", of("mul"), limit=0.5)
    helper.wait()
    assert not found.timed_out
    assert found.error is None


# ---- nothing is left behind


def test_the_process_of_an_engine_ends_with_the_run_that_is_killed() -> None:
    root = str(Path(__file__).parents[2])
    code = (
        "import sys, os; sys.path.insert(0, sys.argv[1]);"
        "from tests.hold import hostile, test_engines as t;"
        "from gradverify.differentiators.isolation import isolate;"
        "w = isolate(hostile.LoopInC()); w.start();"
        "w.foresee('reverse', [t.of('mul')], 100.0);"
        "print(w._process.process.pid, flush=True); import time; time.sleep(100)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, root], stdout=subprocess.PIPE, text=True
    ) as run_:
        assert run_.stdout is not None
        pid = int(run_.stdout.readline())
        time.sleep(0.5)
        run_.kill()
    until = time.monotonic() + 10
    while _lives(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_files_and_processes_are_gone_when_an_engine_is_released() -> None:
    engine = hostile.Hostile()
    is_linux = os.path.isdir("/proc/self/fd")
    before = len(os.listdir("/proc/self/fd")) if is_linux else None
    worker = isolate(engine)
    assert worker.start() == ""
    assert worker._process is not None
    pid = worker._process.process.pid
    release(engine)
    assert not _lives(pid)
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before
