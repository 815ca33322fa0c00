"""Functions of PyTorch: right ones are not accused, and wrong ones are found."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gradverify
from gradverify.capture.torch_functions.dispatch_mode import DispatchMode
from gradverify.capture.torch_functions.stopped_tensors import StoppedTensors
from gradverify.capture.torch_functions.torch_call import TorchCall
from gradverify.capture.torch_functions.torch_probe import TorchProbe
from gradverify.capture.torch_functions.torch_tracer import TorchTracer
from tests.capture.torch_pairs import PAIRS, Pair, function, tensor

CASES = 6


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_right_backward_is_not_accused(pair: Pair) -> None:
    found = gradverify.check(pair.right, *pair.args, cases=CASES)
    assert found.ok, str(found)
    assert found.truth == pair.truth


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_wrong_backward_is_found(pair: Pair) -> None:
    found = gradverify.check(pair.wrong, *pair.args, cases=CASES)
    assert not found.ok
    assert found.findings[0].verdict in ("WRONG", "MISSING"), str(found)


def test_a_finding_names_the_users_argument() -> None:
    def forward(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return x * scale

    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(x, scale)
            return forward(x, scale)

        @staticmethod
        def backward(ctx, g):  # type: ignore[no-untyped-def]
            x, scale = ctx.saved_tensors
            return g * scale, -g * x

    found = gradverify.check(Scaled.apply, tensor(3), tensor(3), cases=CASES)
    assert {d.where.partition("[")[0] for d in found.findings} == {"d/dscale"}
    assert "Scaled.apply" in str(found)


def test_parameters_of_a_module_are_judged() -> None:
    layer = torch.nn.Linear(3, 2, dtype=torch.float64)
    found = gradverify.check(layer, tensor(4, 3), cases=CASES)
    assert found.ok, str(found)
    assert found.result.names == ("input", "weight", "bias")


def test_a_function_is_left_as_it_was() -> None:
    norm = torch.nn.BatchNorm1d(3, dtype=torch.float64)
    before = {k: v.clone() for k, v in norm.state_dict().items()}
    assert gradverify.check(norm, tensor(4, 3), cases=2).ok
    after = norm.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert all(p.grad is None for p in norm.parameters())


class _Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        return x**3


class _CutOff(_Cube):
    @staticmethod
    def backward(ctx, g):  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        return 3.0 * g * x.detach() ** 2


class _MarkedOnce(_Cube):
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        return 3.0 * g * x**2


@pytest.mark.parametrize("around", [lambda f, x: f(x), lambda f, x: f(x.sin()) * x])
def test_a_second_derivative_that_is_cut_off_is_found(around) -> None:  # type: ignore[no-untyped-def]
    options = {"cases": 2, "modes": "reverse, reverse-over-reverse"}
    cut = gradverify.check(lambda x: around(_CutOff.apply, x), tensor(3), **options)
    assert {d.mode for d in cut.findings} == {"reverse-over-reverse"}
    once = gradverify.check(
        lambda x: around(_MarkedOnce.apply, x), tensor(3), **options
    )
    assert once.ok, str(once)


def test_a_context_of_any_name_is_no_argument() -> None:
    pair = next(p for p in PAIRS if p.name == "an output that is used alone")
    assert TorchCall(pair.right, pair.args, {}).arguments[0].name == "x"


def test_half_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="half formats come later"):
        gradverify.check(torch.sin, tensor(3).half())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cases": 0}, "whole number from 1"),
        ({"domain": "y > 0"}, "y is no argument"),
        ({"domain": "x > 1000"}, "outside domain"),
        ({"wrt": "y"}, "no argument that can be differentiated"),
        ({"modes": "sideways"}, "allowed are reverse"),
    ],
)
def test_an_option_that_is_not_understood_is_named(options, text) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=text):
        gradverify.check(lambda x: x.exp(), tensor(3), **options)


def test_points_keep_to_the_domain() -> None:
    seen: list[float] = []

    def forward(x: torch.Tensor) -> torch.Tensor:
        seen.append(float(x.detach().min()))
        return x.log()

    logarithm = function(forward, lambda g, x: g / x)
    assert gradverify.check(logarithm, tensor(3).abs(), domain="xs[0] > 0", cases=9).ok
    assert len(seen) > 9
    assert min(seen) > 0


def test_a_kernel_is_held_against_plain_code() -> None:
    def kernel(x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.sin(x.detach().numpy()))

    right = function(kernel, lambda g, x: g * x.cos())
    wrong = function(kernel, lambda g, x: g * x.cos() * (1 + 1e-11))
    found = gradverify.check(right, tensor(3), reference=torch.sin, cases=CASES)
    assert found.ok, str(found)
    assert found.truth == "the reference"
    assert not gradverify.check(wrong, tensor(3), reference=torch.sin, cases=CASES).ok


def test_a_reference_that_is_another_function_is_not_believed() -> None:
    right = function(torch.sin, lambda g, x: g * x.cos())
    found = gradverify.check(right, tensor(3), reference=torch.tan, cases=CASES)
    assert found.truth == "differences of the function"
    assert any("the reference is not the function" in r for r in found.remarks)
    assert found.ok, str(found)


def test_a_number_that_was_read_stands_still_beside_a_point() -> None:
    call = TorchCall(lambda x: x * x[0].item(), (tensor(3),), {})
    at, beside = np.array([2.0, 3.0, 5.0]), np.array([7.0, 1.0, 4.0])
    (found,) = call.outputs_beside([beside], [at])
    assert np.array_equal(found, beside * 2.0)


def test_no_dispatch_mode_of_ours_loads_the_compiler() -> None:
    """PyTorch wraps the method of a mode that it hides from its compiler."""
    ours = [TorchProbe, TorchTracer, StoppedTensors]
    assert all(issubclass(m, DispatchMode) for m in ours)
    assert not [m for m in ours if hasattr(m.__torch_dispatch__, "__wrapped__")]
