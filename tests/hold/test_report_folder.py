"""The report folder under attack: no record is lost, and no full disk is a verdict."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gradverify import records
from gradverify.graph import Case, Graph, apply_op, case_name, input_leaf
from gradverify.plugin import shards
from gradverify.plugin.shards import Writer, last_attempts
from gradverify.records import Discrepancy, Item, Note

from ..report.made import found as discrepancy
from ..scratch import LOADED, PATHS, REPORTS, TOY_ENGINE, Scratch

RUN = (
    "--gradverify-only",
    "--gradverify-suites",
    "ops",
    "--gradverify-ops",
    "add,mul,sin",
    "--gradverify-profile",
    "smoke",
    "--gradverify-time",
    "600",  # as many cases as a smoke run has at most, on however busy a machine
)
# What a repository does after the first of its items.
AFTER_ONE = """

def pytest_runtest_logreport(report, done=[]):
    if report.when == "call":
        done.append(report)
        if len(done) == 1:
            attack()


def attack():
"""
ATTACKS = {
    "vanishes": "    import shutil; shutil.rmtree('reports')",
    "is moved away": "    import os; os.rename('reports', 'elsewhere')",
    "becomes a file": "    import shutil; shutil.rmtree('reports'); "
    "open('reports', 'w').close()",
    "has a folder for the page": "    import os; os.mkdir('reports/gradverify.html')",
    "has a folder for records": "    import os; os.mkdir('reports/gradverify.jsonl')",
    "has a folder for the history": "    import os; os.mkdir('reports/history.jsonl')",
    "has a pipe for the history": "    import os; os.mkfifo('reports/history.jsonl')",
}  # fmt: skip


@pytest.fixture(autouse=True)
def refuges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A place of its own for temporary files."""
    place = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(place))
        yield place


def written(repository: Scratch, refuges: Path, name: str) -> Path:
    """A file of the report, wherever it had to go."""
    places = [repository.root / REPORTS, *refuges.iterdir()]
    (found,) = [p / name for p in places if (p / name).is_file()]
    return found


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """The status of a run whose folder nobody touches, and how many items it has."""
    found = Scratch(tmp_path_factory.mktemp("alone"))
    found.write("pytest.ini", "[pytest]\n")
    found.write("conftest.py", TOY_ENGINE)
    done = found.pytest(*RUN)
    return int(done.ret), len(found.of_type("item"))


DAILY = ("vanishes", "becomes a file")


@pytest.mark.parametrize(
    "attack",
    [pytest.param(n, marks=() if n in DAILY else pytest.mark.slow) for n in ATTACKS],
)
def test_no_record_is_lost_where_the_folder(
    repository: Scratch, refuges: Path, left_alone: tuple[int, int], attack: str
) -> None:
    status, items = left_alone
    assert items > 1
    conftest = repository.root / "conftest.py"
    conftest.write_text(conftest.read_text() + AFTER_ONE + ATTACKS[attack] + "\n")
    done = repository.pytest(*RUN)
    assert done.ret == status == 1  # the engine's own mistake, and nothing else
    found = records.read(written(repository, refuges, "gradverify.jsonl"))
    assert len(found.items) == items
    assert {d.finding for d in found.discrepancies} == {"toy:forward:float64/mul/wrong"}
    page = written(repository, refuges, "gradverify.html")
    assert f"page: {page}" in done.stdout.str()
    told = [x for x in done.outlines if re.search("does not take|gone|written", x)]
    assert len(told) == 1
    reports = repository.root / REPORTS
    left = [p.name for p in (reports.iterdir() if reports.is_dir() else ())]
    assert not [name for name in left if name.startswith(".gradverify")]


@pytest.mark.slow
def test_a_disk_that_is_full_is_no_wrong_gradient(
    repository: Scratch, refuges: Path
) -> None:
    repository.write("conftest.py", repository_of_right() + AFTER_ONE + LIMIT)
    before = places()
    done = repository.apart("pytest", *RUN)
    assert done.ret == pytest.ExitCode.INTERNAL_ERROR
    text = done.stdout.str()
    assert "does not take gradverify.jsonl" in text
    assert "they are lost, since no place takes them" in text
    assert "a fault of gradverify" not in text
    assert not [p for p in places() if p not in before]
    assert "failed" not in text.splitlines()[-1]


# A run as root may write anywhere, unless it gives this up.
POWERS = "-dac_override,-dac_read_search"
POWERLESS = ("setpriv", f"--bounding-set={POWERS}", f"--inh-caps={POWERS}")


@pytest.mark.slow
def test_a_run_that_loses_its_rights_keeps_its_records(repository: Scratch) -> None:
    is_root = os.getuid() == 0
    if is_root and shutil.which("setpriv") is None:
        pytest.skip("root loses no rights without setpriv")
    conftest = repository.root / "conftest.py"
    taken = "    import os; os.chmod('reports', 0o555)\n"
    conftest.write_text(conftest.read_text() + AFTER_ONE + taken)
    done = subprocess.run(
        [
            *(POWERLESS if is_root else ()),
            sys.executable,
            "-m",
            "pytest",
            *LOADED,
            *RUN,
        ],
        cwd=repository.root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(PATHS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, "the engine's own mistake, and nothing else"
    page = re.search("(?m)^page: (.*)$", done.stdout)
    assert page is not None
    refuge = Path(page[1]).parent
    try:
        assert refuge != repository.root / REPORTS
        found = records.read(refuge / "gradverify.jsonl")
        assert [d.op for d in found.discrepancies] == ["mul"]
        assert "(Permission denied): they are in" in done.stdout
    finally:
        shutil.rmtree(refuge)


def places() -> list[Path]:
    """The refuges among the temporary files of all processes."""
    root = os.environ.get("TMPDIR") or "/".join(("", "tmp"))
    return list(Path(root).glob("gradverify-*"))


LIMIT = """\
    import resource
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
"""


def repository_of_right() -> str:
    """The conftest of an engine without a mistake."""
    from ..scratch import RIGHT_ENGINE

    return RIGHT_ENGINE


# ---- one writer


def tanh() -> Case:
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "tanh", [0]))
    return Case(Graph(tuple(nodes)), (np.array(0.5),))


@pytest.fixture
def full_disk() -> Iterator[Callable[[int], None]]:
    """From the call on no file may get larger than so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 40, 150])
def test_a_writer_on_a_full_disk_keeps_its_records_in_memory(
    tmp_path: Path, full_disk: Callable[[int], None], size: int
) -> None:
    writer = Writer(tmp_path, "run")
    full_disk(size)
    for k in range(5):
        writer.in_flight("toy", "reverse", "item", tanh())
        writer.write(Note(text=f"number {k}"))
        writer.landed()
    found = shards.merged(tmp_path, "run", own=writer.lines)
    assert [note.text for note in found.notes] == [f"number {k}" for k in range(5)]
    assert "kept in memory alone" in writer.trouble
    writer.close()


def test_a_writer_goes_where_there_is_room(tmp_path: Path, refuges: Path) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    writer = Writer(reports, "run")
    writer.write(Note(text="first"))
    reports.rename(tmp_path / "old")
    (tmp_path / "reports").touch()
    writer.write(Note(text="second"))
    assert f"records go to {refuges}" in writer.trouble
    shard = shards.shards(reports, "run")["main"]
    assert [n.text for n in records.read(shard).notes] == ["first", "second"]
    writer.close()
    shards.clear(reports, "run")
    assert not list(refuges.iterdir())


def test_an_item_that_is_run_again_replaces_what_it_left() -> None:
    def item(outcome: str) -> Item:
        return Item(id="a", suite="ops", block="mul", differentiator="toy",
                    mode="forward", dtype="float64", outcome=outcome)  # fmt: skip

    wrong = msgspec.structs.replace(discrepancy(), item="a")
    again = last_attempts([wrong, item("failed"), Note(text="between"), item("passed")])
    assert [r for r in again if isinstance(r, Discrepancy)] == []
    assert [r.outcome for r in again if isinstance(r, Item)] == ["passed"]
    assert [r.text for r in again if isinstance(r, Note)] == ["between"]


def test_a_flaky_item_is_on_record_by_its_last_attempt(repository: Scratch) -> None:
    repository.write(
        "conftest.py",
        TOY_ENGINE + "\n\nfrom _pytest.runner import runtestprotocol\n\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    for _ in range(2):\n"
        "        reports = runtestprotocol(item, nextitem=nextitem, log=False)\n"
        "    for report in reports:\n"
        "        item.ihook.pytest_runtest_logreport(report=report)\n"
        "    return True\n",
    )
    repository.pytest(*RUN, "--gradverify-ops", "mul,sin")
    items = [r["id"] for r in repository.of_type("item")]
    found = [(r["item"], r["finding"]) for r in repository.of_type("discrepancy")]
    assert len(items) == len(set(items)) > 0
    assert len(found) == len(set(found)) == 1


# ---- killed and stopped runs


def test_several_killed_runs_leave_their_cases_side_by_side(tmp_path: Path) -> None:
    for k in range(3):
        shards._shard(tmp_path, f"dead{k}", "main").write_bytes(
            records.encode(Note(text=f"of run {k}"))
        )
        writer = Writer(tmp_path, f"living{k}")
        writer.in_flight("toy", "reverse", "item", tanh())
        flight = shards._flight(tmp_path, f"living{k}", "main").read_bytes()
        writer.close()
        shards._flight(tmp_path, f"dead{k}", "main").write_bytes(flight)
        told = shards.collect_leftovers(tmp_path)
        assert [case_name(tanh()) in note.text for note in told] == [True]
    kept = records.read(tmp_path / shards.KILLED)
    assert [n.text for n in kept.notes] == ["of run 0", "of run 1", "of run 2"]
    assert len(kept.unfinished) == 3
    assert not kept.discrepancies


def test_what_killed_runs_left_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "KEPT", 2_000)
    for k in range(40):
        shards._shard(tmp_path, f"dead{k}", "main").write_bytes(
            records.encode(Note(text=f"of run {k:04}"))
        )
        shards._flight(tmp_path, f"dead{k}", "main").write_bytes(b"\n")
        shards.collect_leftovers(tmp_path)
    kept = records.read(tmp_path / shards.KILLED)
    assert (tmp_path / shards.KILLED).stat().st_size <= 2_000
    assert kept.notes[-1].text == "of run 0039"
    assert all("garbled" not in note.text for note in kept.notes)


SLOW = """

def pytest_runtest_logreport(report):
    import time
    if report.when == "call":
        time.sleep(0.3)
"""


def written_to(reports: Path) -> bool:
    """Whether a run has written records of some items."""
    sizes = [p.stat().st_size for p in reports.glob(".gradverify-*.jsonl")]
    return sum(sizes) > 300


def begun(repository: Scratch, *arguments: str) -> subprocess.Popen[str]:
    """A run in a process group of its own, of which some items have been run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gradverify", "run", *RUN[1:], *arguments],
        cwd=repository.root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(PATHS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    reports = repository.root / REPORTS
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        if written_to(reports):
            return process
        time.sleep(0.05)
    raise AssertionError(f"the run did not begin: {process.communicate()[0]}")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize("all_of_them", [False, True], ids=["one", "group"])
def test_sigterm_writes_the_page_and_accuses_nobody(
    repository: Scratch, workers: tuple[str, ...], all_of_them: bool
) -> None:
    repository.write("conftest.py", repository_of_right() + SLOW)
    process = begun(repository, *workers)
    (os.killpg if all_of_them else os.kill)(process.pid, signal.SIGTERM)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 143, out
    assert "page: " in out
    found = records.read(repository.root / REPORTS / "gradverify.jsonl")
    assert found.items
    assert not found.discrepancies
    assert found.run is not None
    assert found.run.exit == 143
    left = [p.name for p in (repository.root / REPORTS).glob(".gradverify-*")]
    assert not left


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_loses_the_case_in_flight_alone(
    repository: Scratch,
) -> None:
    repository.write("conftest.py", repository_of_right() + SLOW)
    random = np.random.default_rng(20)
    lost = []
    for _ in range(12):
        run, reports = repository.begin(*RUN), repository.root / REPORTS
        while not written_to(reports):
            assert os.waitpid(run, os.WNOHANG) == (0, 0), "it has not ended before"
            time.sleep(0.02)
        time.sleep(float(random.uniform(0, 1)))
        os.killpg(run, signal.SIGKILL)
        assert repository.ended(run).ret == -signal.SIGKILL
        (shard,) = reports.glob(".gradverify-*.jsonl")
        whole = shard.read_bytes().count(b"\n")
        end = time.monotonic() + 10  # the system takes its time to free the lock
        while not (reports / shards.KILLED).exists() and time.monotonic() < end:
            notes = shards.collect_leftovers(reports)
        lost.append(len(notes))
        kept = records.read(reports / shards.KILLED)
        assert len(kept.items) >= whole - 1
        assert not kept.discrepancies
        assert not [n for n in kept.notes if "read past" in n.text]
        (reports / shards.KILLED).unlink()
        assert not list(reports.glob(".gradverify-*"))
    assert max(lost) <= 1
