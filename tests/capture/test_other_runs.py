"""What other runs of a function tell, in a wider format and of longer loops.

They run the user's code where the user did not: that must neither end a check, nor
change what is the user's, nor excuse what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import gradverify
from gradverify.verdict import Verdict
from tests.capture.torch_pairs import function, tensor

T = torch.tensor


def checked(f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """A check by few cases of the reverse mode."""
    return gradverify.check(f, *args, **{"cases": 1, "modes": "reverse", **options})


def numbers(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64)


# ---- what is the user's stays as it is


def test_gradients_of_parameters_are_kept_under_second_order() -> None:
    layer = torch.nn.Linear(2, 2, dtype=torch.float64)
    layer.weight.grad = kept = torch.ones(2, 2, dtype=torch.float64)
    modes = "reverse, backward, reverse-over-reverse"
    assert checked(layer, tensor(3, 2), modes=modes).ok
    assert layer.weight.grad is kept
    assert torch.equal(kept, torch.ones(2, 2, dtype=torch.float64))
    assert layer.bias.grad is None


# ---- the wider format


class Scaled(torch.nn.Module):
    """A layer with a wrong backward that cannot be copied, as one with weight_norm."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor([1.5, -0.5]))
        wrong = lambda g, x: 2 * g * x**2  # noqa: E731
        self.cube = function(lambda x: x**3, wrong)

    def forward(self, x: Any) -> Any:
        return self.cube(self.scale * x)

    def __deepcopy__(self, memo: Any) -> Any:
        raise RuntimeError("only tensors that are leaves can be copied")


def test_a_module_that_cannot_be_copied_is_judged() -> None:
    found = checked(Scaled(), tensor(2, dtype=torch.float32))
    assert found.result.items["reverse"].counts[Verdict.WRONG], str(found)


def _forward_mode(value: Callable[..., Any], slope: Callable[..., Any]) -> Any:
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return value(x)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_forward(*inputs)

        @staticmethod
        def jvp(ctx: Any, v: Any) -> Any:
            return slope(v, *ctx.saved_tensors)

    return Own.apply


def _wrong_in_float32(v: Any, x: Any) -> Any:
    return (2 if v.dtype == torch.float32 else 3) * v * x**2


def _float32_alone(v: Any, x: Any) -> Any:
    if v.dtype != torch.float32:
        raise TypeError("this kernel is one of float32")
    return 2 * v * x**2


@pytest.mark.parametrize("slope", [_wrong_in_float32, _float32_alone])
def test_a_kernel_that_is_wrong_in_float32_alone_is_found(slope: Any) -> None:
    own = _forward_mode(lambda x: x**3, slope)
    found = checked(own, tensor(3, dtype=torch.float32), modes="forward", cases=3)
    assert found.result.items["forward"].counts[Verdict.WRONG] == 3, str(found)


def test_digits_that_float32_loses_are_no_wrong_kernel() -> None:
    own = _forward_mode(torch.tanh, lambda v, x: v * (1 - torch.tanh(x) ** 2))
    point = T([0.3, 3.1, -5.2, 6.3, 8.4, 10.5])
    found = checked(own, point, modes="forward", cases=3)
    counts = found.result.items["forward"].counts
    assert not counts[Verdict.WRONG], str(found)
    assert counts[Verdict.IMPRECISE], str(found)


# ---- longer loops


def solved(x: Any, tolerance: float = 1e-6, rate: float = 0.3) -> Any:
    """The solution y of y = sin(y) rate + x, found by steps until a tolerance."""
    y, before = x, x + 1.0
    while (y - before).abs().max() > tolerance:
        y, before = rate * y.sin() + x, y
    return y


@pytest.mark.parametrize("point", [numbers(0.0, 0.0), numbers(2e-5, 1e-5)])
def test_a_right_solver_is_not_accused_where_its_solution_is_small(point: Any) -> None:
    for sign in (1.0, -1.0):

        def backward(g: Any, x: Any, sign: float = sign) -> Any:
            return sign * g / (1.0 - 0.3 * solved(x).cos())

        found = checked(function(solved, backward), point)
        assert found.ok == (sign == 1.0), str(found)


def test_an_argument_that_the_loop_does_not_read_is_held_to_its_bound() -> None:
    def forward(x: Any, w: Any) -> Any:
        return solved(x, 1e-4, 0.5) + 1e-4 * w

    def own(sign: float) -> Any:
        def backward(g: Any, x: Any, w: Any) -> Any:
            y = solved(x, 1e-4, 0.5)
            return g / (1.0 - 0.5 * y.cos()), sign * 1e-4 * g

        return function(forward, backward)

    point = numbers(0.3, 1.5, -0.9), numbers(0.3, 1.5, -0.9)
    assert checked(own(1.0), *point).ok
    assert not checked(own(-1.0), *point).ok


def _by_sign(g: Any, x: Any) -> Any:
    return 1.03 * g * (2.0 if x.sum() > 0 else 2.01)


def test_reads_of_several_applications_are_no_loop() -> None:
    def step(x: Any) -> Any:
        return x * (2.0 if x.sum().item() > 0 else 2.01)

    own = function(step, _by_sign)
    found = checked(
        lambda x: torch.cat([own(v) for v in x.split(2)]),
        numbers(0.5, 1.0, 2.0, 0.4, -3.0, -0.1),
    )
    counts = found.result.items["reverse"].counts
    assert counts[Verdict.WRONG], str(found)
    assert not counts[Verdict.IMPRECISE], str(found)


def test_a_loop_that_raises_when_it_is_run_on_does_not_end_the_check() -> None:
    def forward(x: Any) -> Any:
        steps, k = [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.01], 0
        while x.new_tensor(steps[k]).item() > 0.02:
            k += 1
        return x * steps[k]

    found = checked(function(forward, lambda g, x: 0.02 * g), numbers(0.5, 1.0))
    assert found.result.items["reverse"].counts[Verdict.WRONG], str(found)


@pytest.mark.parametrize("factor", [1.0, 1.005])
def test_a_loop_of_jax_that_counts_its_turns_is_no_search(factor: float) -> None:
    jax = pytest.importorskip("jax")

    def turns(x: Any) -> Any:
        step = lambda c: (c[0] + 1, 0.5 * c[1] + x)  # noqa: E731
        return jax.lax.while_loop(lambda c: c[0] < 10, step, (0, x * 0.0))[1]

    own = jax.custom_vjp(turns)
    slope = factor * (2.0 - 2.0**-9)
    own.defvjp(lambda x: (turns(x), None), lambda _, g: (slope * g,))
    with jax.enable_x64(True):
        found = checked(own, jax.numpy.array([0.3, -1.2, 2.0]))
    assert found.ok == (factor == 1.0), str(found)


# ---- outputs without entries


def test_an_output_without_entries_is_no_fault() -> None:
    assert checked(lambda x: (x.sin(), x[:0]), numbers(0.5, -1.0)).ok
