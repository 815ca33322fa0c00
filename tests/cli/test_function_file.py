"""`gradverify check-file`: a function that is named on the command line."""

from __future__ import annotations

import pytest

from tests.scratch import Scratch

OPS = """
import torch

class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x ** 3 * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return 3 * x ** 2 * w * g, {dw} * g

def plain(x, w):
    return x ** 3 * w
"""
AT = ("--at", "x=randn(3)", "--at", "w=[1.5, -2, 0.25]", "--cases", "3")


@pytest.mark.parametrize(("dw", "status"), [("x ** 3", 0), ("x ** 2", 1)])
def test_a_function_of_a_file_is_judged(scratch: Scratch, dw: str, status: int) -> None:
    name = f"ops_{status}"
    scratch.write(f"{name}.py", OPS.format(dw=dw))
    done = scratch.gradverify("check-file", f"{name}.py::Cube", *AT)
    assert done.ret == status, done.stdout.str() + done.stderr.str()
    assert "Cube.apply, float64: judged by the captured program" in done.stdout.str()
    assert ("for d/dw" in done.stdout.str()) == bool(status)


def test_a_reference_is_named_in_the_same_way(scratch: Scratch) -> None:
    scratch.write("own_ops.py", OPS.format(dw="x ** 3"))
    where = ("own_ops:Cube", "--reference", "own_ops:plain")
    done = scratch.gradverify("check-file", *where, *AT)
    assert done.ret == 0, done.stdout.str() + done.stderr.str()
    assert "judged by the reference" in done.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("own.py::Cube",), "say what the function is called with (x, w)"),
        (("own.py::Cubed", *AT), "there is no Cubed"),
        (("none.py::Cube", *AT), "none.py is no Python file"),
        (("own.py", *AT), "is no place of a function"),
        (("own.py::Cube", "--at", "x=exec(3)"), "exec makes no array"),
        (("own.py::Cube", "--at", "x=randn(99999999999)"), "is no length"),
        (("own.py::Cube", *AT, "--modes", "sideways"), "allowed are reverse"),
    ],
)
def test_what_is_not_understood_is_named(
    scratch: Scratch, arguments: tuple[str, ...], text: str
) -> None:
    scratch.write("own.py", OPS.format(dw="x ** 3"))
    done = scratch.gradverify("check-file", *arguments)
    assert done.ret == 2
    assert text in done.stderr.str()
