"""What is accepted, what is new, and commands that work as they are printed."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib

import pytest

from ..scratch import Scratch

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
# The toy engine with a wrong sine beside its wrong product.
TWO = "math.cos(self.x) * self.dx"


def two_mistakes(repository: Scratch) -> None:
    path = repository.root / "conftest.py"
    path.write_text(path.read_text().replace(TWO, f"-{TWO}"))


def rows(repository: Scratch) -> list[str]:
    text = (repository.root / "gradverify-known.toml").read_text()
    return [row["id"] for row in tomllib.loads(text)["deviation"]]


MUL, SIN = "toy:forward:float64/mul/wrong", "toy:forward:float64/sin/wrong"


def test_several_findings_are_accepted_at_once_and_none_twice(
    repository: Scratch,
) -> None:
    two_mistakes(repository)
    repository.pytest(*RUN)
    assert repository.gradverify("accept", MUL, SIN, MUL).ret == 0
    assert len(rows(repository)) == 2
    again = repository.gradverify("accept", MUL)
    assert again.ret == 0
    assert "is accepted already" in again.stdout.str()
    assert len(rows(repository)) == 2
    assert repository.pytest(*RUN).ret == 0


def test_all_that_fails_is_accepted(repository: Scratch) -> None:
    two_mistakes(repository)
    repository.pytest(*RUN)
    assert repository.gradverify("accept", "--all", "--reason", "old").ret == 0
    assert len(rows(repository)) == 2
    refused = repository.gradverify("accept", "--all", MUL)
    assert refused.ret == 2
    assert "name the findings to accept, or give --all" in refused.stderr.str()


def test_nothing_is_written_if_one_of_several_cannot_be_accepted(
    repository: Scratch,
) -> None:
    repository.pytest(*RUN)
    refused = repository.gradverify("accept", MUL, "toy:forward:float64/mull/wrong")
    assert refused.ret == 2
    assert f"did you mean {MUL}" in refused.stderr.str()
    assert not (repository.root / "gradverify-known.toml").exists()


@pytest.mark.slow
def test_what_an_older_run_has_found_is_not_new(repository: Scratch) -> None:
    repository.pytest(*RUN)
    old = repository.root / "old.jsonl"
    shutil.copy(repository.root / "reports" / "gradverify.jsonl", old)
    new = (*RUN, "--gradverify-fail-on", "new", "--gradverify-against", str(old))
    assert repository.pytest(*new).ret == 0
    two_mistakes(repository)
    done = repository.pytest(*new)
    assert done.ret == 1
    assert [d["finding"] for d in repository.of_type("discrepancy") if d["failed"]] == [
        SIN
    ]
    assert "accepted, or there before: 1" in done.stdout.str()


@pytest.mark.slow
def test_a_shrunk_case_lies_outside_all_known_rows(repository: Scratch) -> None:
    repository.pytest(*RUN)
    assert repository.gradverify("accept", MUL, "--when", "a == 1").ret == 0
    repository.pytest(*RUN)
    shown = [d for d in repository.of_type("discrepancy") if d["failed"]]
    assert [d["finding"] for d in shown] == [MUL]
    (point,) = [d["point"] for d in shown]
    assert float.fromhex(point[0]["values"][0]) != 1.0
    # the command that this finding comes with makes no row for all of it
    rows = (repository.root / "gradverify-known.toml").read_bytes()
    again = repository.gradverify("accept", MUL)
    assert again.ret == 2
    assert "is accepted where a == 1 alone" in again.stderr.str()
    assert "give --when with a condition for it too" in again.stderr.str()
    assert (repository.root / "gradverify-known.toml").read_bytes() == rows
    assert repository.gradverify("accept", MUL, "--when", "a != 1").ret == 0


def test_commands_work_as_they_are_printed(repository: Scratch) -> None:
    done = repository.pytest(*RUN, "--gradverify-report", "my reports")
    lines = re.findall(r"^ {2}(?:next)? {4,8}(gradverify .*)$", done.stdout.str(), re.M)
    assert len(lines) >= 3
    for line in lines[:3]:
        command, *arguments = shlex.split(line)
        assert command == "gradverify"
        again = repository.gradverify(*arguments)
        assert again.ret == (1 if arguments[0] == "replay" else 0), again.errlines


def test_an_engine_that_was_named_by_its_class_is_replayed_so(
    scratch: Scratch, repository: Scratch
) -> None:
    (repository.root / "conftest.py").rename(repository.root / "mine.py")
    text = (repository.root / "mine.py").read_text()
    repository.write("mine.py", text.replace("@gradverify.register\n", ""))
    repository.write("pytest.ini", "[pytest]\npythonpath = .\n")
    named = ("--gradverify-differentiators", "mine:Toy")
    done = repository.pytest(*RUN, *named)
    (line,) = set(re.findall(r"gradverify replay .*", done.stdout.str()))
    assert line.endswith(" --differentiator mine:Toy")
    again = repository.gradverify(*shlex.split(line)[1:])
    assert again.ret == 1
    assert "STILL WRONG" in again.stdout.str()


def test_a_file_never_chooses_what_is_imported(repository: Scratch) -> None:
    repository.write("evil.py", "open('was imported', 'w')\n")
    repository.pytest(*RUN)
    record = repository.of_type("discrepancy")[0]
    path = repository.root / "reports" / "gradverify.jsonl"
    text = path.read_text().replace(
        '"differentiator":"toy"', '"differentiator":"evil:X"'
    )
    path.write_text(text)
    done = repository.gradverify("replay", record["case"])
    assert done.ret == 2
    assert "only the command line names a class" in done.stderr.str()
    assert not (repository.root / "was imported").exists()


def test_a_crash_is_one_line_and_its_traceback_is_on_the_page(
    repository: Scratch,
) -> None:
    path = repository.root / "conftest.py"
    right = f"return Dual(math.sin(self.x), {TWO})"
    raises = (
        "if self.x != 0.75:  # where an engine is tried\n"
        "            raise ValueError('first line\\nsecond \\x1b[31m line')\n"
        f"        {right}"
    )
    path.write_text(path.read_text().replace(right, raises))
    done = repository.pytest(*RUN, "--gradverify-ops", "sin")
    text = done.stdout.str()
    assert "first line\\nsecond \\x1b[31m line" in text
    assert "\x1b" not in text
    assert "Traceback" not in text
    page = repository.text("gradverify.html")
    assert "Traceback of the differentiator" in page
    assert "in sin" in page
