"""The fixture `gradverify`: a test fails with our text, and its records are a run's."""

from __future__ import annotations

import pytest

from gradverify import records
from tests.scratch import Scratch

FUNCTION = """
import torch

class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return {factor} * x ** 2 * g

def test_cube(gradverify):
    x = torch.tensor([0.5, -1.25], dtype=torch.float64)
    found = gradverify.check(Cube.apply, x, cases=3)
    assert found.ok
"""


def test_a_wrong_function_fails_its_test_with_our_text(scratch: Scratch) -> None:
    scratch.write("test_mine.py", FUNCTION.format(factor=2))
    done = scratch.pytest("test_mine.py")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    text = done.stdout.str()
    assert "Cube.apply, reverse, float64: the derivative is wrong" in text
    assert "for d/dx[" in text
    assert "Traceback" not in text


def test_a_right_function_passes(scratch: Scratch) -> None:
    scratch.write("test_mine.py", FUNCTION.format(factor=3))
    done = scratch.pytest("test_mine.py")
    assert done.ret == pytest.ExitCode.OK, done.stdout.str()


def test_what_a_test_finds_is_in_the_report_and_can_be_replayed(
    scratch: Scratch,
) -> None:
    path = scratch.write("test_mine.py", FUNCTION.format(factor=2))
    done = scratch.pytest(
        "--gradverify",
        "--gradverify-suites=textbook",
        "--gradverify-differentiators=own-tape",
        "--gradverify-report=reports",
        "test_mine.py",
    )
    assert done.ret == pytest.ExitCode.TESTS_FAILED, done.stdout.str()
    found = records.read(scratch.root / "reports" / "gradverify.jsonl")
    own = [d for d in found.discrepancies if d.differentiator == "Cube.apply"]
    assert {d.mode for d in own} == {"reverse", "backward"}
    assert own[0].item == "test_mine.py::test_cube::check[torch:reverse:float64]"
    assert {d.place.partition(":")[0] for d in own} == {"test_mine.py"}
    assert "Cube.apply" in (scratch.root / "reports" / "gradverify.html").read_text()
    again = scratch.gradverify("replay", own[0].case, "--report", "reports")
    assert again.ret == 1
    assert "STILL wrong" in again.stdout.str()
    kept = scratch.gradverify("save", own[0].case, "--report", "reports")
    assert kept.ret == 2
    assert "to keep its point, check the function at it in" in kept.stderr.str()
    accepted = scratch.gradverify(
        "accept", "--all", "--reason", "a factor of two", "--report", "reports"
    )
    assert accepted.ret == 0, accepted.stderr.str()
    known = scratch.pytest(
        "--gradverify", "--gradverify-suites=textbook",
        "--gradverify-differentiators=own-tape", "--gradverify-report=reports",
        "test_mine.py",
    )  # fmt: skip
    assert known.ret == pytest.ExitCode.OK, known.stdout.str()
    assert records.read(scratch.root / "reports" / "gradverify.jsonl").discrepancies
    path.write_text(FUNCTION.format(factor=3))
    fixed = scratch.apart("gradverify", "replay", own[0].case, "--report", "reports")
    assert fixed.ret == 0, fixed.stdout.str() + fixed.stderr.str()
    assert "FIXED" in fixed.stdout.str()
