"""The report folder: ignored by git if it is ours, and nothing in it is torn."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gradverify import records
from gradverify.graph import Case, Graph, apply_op, case_name, input_leaf
from gradverify.plugin import folder, shards
from gradverify.plugin.shards import Writer
from gradverify.records import Note


def tanh() -> Case:
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "tanh", [0]))
    return Case(Graph(tuple(nodes)), (np.array(0.5),))


def test_a_new_folder_is_ignored_by_git(tmp_path: Path) -> None:
    folder.prepare(tmp_path / "a" / "reports")
    assert (tmp_path / "a" / "reports" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    folder.prepare(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_takes_no_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        folder.prepare(tmp_path / "file")


def test_a_record_is_in_the_file_at_once(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "run")
    writer.write(Note(text="first"))
    assert records.read(shards.shards(tmp_path, "run")["main"]).notes[0].text == "first"
    writer.close()


def test_the_case_in_flight_is_named(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "run", "gw0")
    case = tanh()
    writer.in_flight("toy", "reverse", "x.toml::ops::tanh[toy:reverse:float64]", case)
    stopped = shards.merged(tmp_path, "run")
    assert stopped.unfinished[0].case == case_name(case)
    assert not stopped.discrepancies  # of what ended from outside nobody is accused
    died = {"gw0": shards.Death("killed")}
    found = shards.merged(tmp_path, "run", died=died)
    assert found.discrepancies[0].case == case_name(case)
    assert found.discrepancies[0].verdict == "CRASHED"
    assert found.discrepancies[0].note == "killed"
    assert (found.items[0].suite, found.items[0].block) == ("ops", "tanh")
    writer.landed()
    assert not shards.merged(tmp_path, "run", died=died).discrepancies
    writer.close()


def test_a_shorter_case_overwrites_a_longer_one(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "run")
    writer.in_flight("toy", "reverse", "i" * 500, tanh())
    writer.in_flight("toy", "reverse", "i", tanh())
    assert shards.merged(tmp_path, "run").unfinished[0].item == "i"
    writer.close()


def test_noting_a_case_is_cheap(tmp_path: Path) -> None:
    writer, case = Writer(tmp_path, "run"), tanh()
    best = min(_timed(writer, case) for _ in range(20))
    writer.close()
    assert best < 60e-6  # 4 µs where measured; a case that is new costs 10 to 55


def _timed(writer: Writer, case: Case) -> float:
    began = time.perf_counter()
    for _ in range(50):
        writer.in_flight("toy", "reverse", "pyproject.toml::ops::tanh[toy]", case)
    return (time.perf_counter() - began) / 50


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.plugin.shards import Writer
from gradverify.records import Note

nodes = [input_leaf()]
nodes.append(apply_op(nodes, "tanh", [0]))
writer = Writer(Path(sys.argv[1]), "dead")
writer.write(Note(text="kept"))
writer.in_flight("toy", "reverse", "item", Case(Graph(tuple(nodes)), (np.array(0.5),)))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_left_is_collected_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(folder.__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", str(root))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -9
    notes = shards.collect_leftovers(tmp_path)
    assert case_name(tanh()) in notes[0].text
    assert [path.name for path in tmp_path.iterdir()] == ["gradverify-killed.jsonl"]
    kept = records.read(tmp_path / "gradverify-killed.jsonl")
    assert kept.notes[0].text == "kept"
    assert kept.unfinished[0].case == case_name(tanh())
    assert not shards.collect_leftovers(tmp_path)


def test_a_living_run_is_no_leftover(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "living")
    writer.in_flight("toy", "reverse", "item", tanh())
    assert not shards.collect_leftovers(tmp_path)
    assert shards.shards(tmp_path, "living")
    writer.close()


def test_a_torn_note_is_read_past(tmp_path: Path) -> None:
    for text in (b"", b"\n", b'{"head":["a"', b'{"head":[1],"case":{}}\n', b"\xff"):
        (tmp_path / ".gradverify-x-main.in-flight").write_bytes(text)
        assert not shards.merged(tmp_path, "x").unfinished
