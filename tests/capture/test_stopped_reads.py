"""What a function reads out of autograd's sight is a constant to its derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import gradverify
from gradverify.capture.function_noise import noise_of
from tests.capture.pair import CAPTURED, DIFFERENCED
from tests.capture.torch_pairs import function, tensor

CASES = 3


def _sine(x: Any) -> Any:
    return torch.from_numpy(np.sin(x.numpy(force=True)))


def _product(x: Any, y: Any) -> Any:
    return torch.from_numpy(np.sin(x.numpy(force=True)) * y.numpy(force=True))


def through_numpy(error: float) -> Callable[..., Any]:
    """A sine that cannot be read, with a backward that is off by a part of it."""
    return function(_sine, lambda g, x: g * x.cos() * (1.0 + error))


def of_two(forward: Callable[..., Any], error: float) -> Callable[..., Any]:
    """A product of a sine, whose first slope is off by a part of it."""

    def backward(g: Any, x: Any, y: Any) -> Any:
        return g * x.cos() * y * (1.0 + error), g * x.sin()

    return function(forward, backward)


def _without_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    def scaled(x: Any) -> Any:
        with torch.no_grad():
            size = x.norm().item()
        return f(x / size) * size

    return scaled


def _slope_inside(f: Callable[..., Any]) -> Callable[..., Any]:
    def sloped(x: Any) -> Any:
        own = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad((own**3).sum(), own, create_graph=True)
        return f(x) * slope

    return sloped


READING = {
    "item": lambda f: lambda x: f(x) * x[0].item(),
    "tolist": lambda f: lambda x: f(x) * x.tolist()[1],
    "numpy": lambda f: lambda x: f(x) * float(x.detach().numpy()[0]),
    "asarray": lambda f: lambda x: f(x) * np.asarray(x.detach()).sum(),
    "a whole number": lambda f: lambda x: f(x) + int(4.0 * x[1]),
    "no_grad": _without_gradients,
    "a derivative of a copy": _slope_inside,
}


@pytest.mark.parametrize("name", READING)
def test_a_read_stands_still_beside_what_is_not_seen(name: str) -> None:
    around = READING[name]
    right = gradverify.check(around(through_numpy(0.0)), tensor(3), cases=CASES)
    assert right.ok, str(right)
    assert right.truth == DIFFERENCED
    wrong = gradverify.check(around(through_numpy(1e-4)), tensor(3), cases=CASES)
    assert not wrong.ok


@pytest.mark.parametrize(
    ("forward", "truth"),
    [(_product, DIFFERENCED), (lambda x, y: x.sin() * y, CAPTURED)],
)
def test_an_argument_without_a_gradient_stands_still(forward, truth) -> None:  # type: ignore[no-untyped-def]
    right, wrong = of_two(forward, 0.0), of_two(forward, 1e-4)
    found = gradverify.check(lambda x: right(x, x.detach()), tensor(3), cases=CASES)
    assert found.ok, str(found)
    assert found.truth == truth
    assert not gradverify.check(
        lambda x: wrong(x, x.detach()), tensor(3), cases=CASES
    ).ok


def test_a_read_is_no_reason_to_difference() -> None:
    def scaled(x: Any) -> Any:
        return x.sin() / np.linalg.norm(x.detach().numpy())

    found = gradverify.check(scaled, tensor(3), cases=CASES)
    assert found.ok, str(found)
    assert found.truth == CAPTURED


def test_what_an_op_makes_below_autograd_is_followed() -> None:
    z = torch.complex(tensor(2), tensor(2) + 1.0)
    found = gradverify.check(lambda z: (z * z.conj()).real, z, cases=CASES)
    assert found.ok, str(found)

    def stopped(x: Any) -> Any:
        y = x.exp()
        return x * y.detach_()

    assert gradverify.check(stopped, tensor(3), cases=CASES).ok


def test_a_derivative_inside_of_a_layer_is_followed() -> None:
    def residual(x: Any, w: Any) -> Any:
        u = torch.tanh(x @ w) @ w.t()
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return ((slope + u) ** 2).mean()

    found = gradverify.check(
        residual, tensor(2, 2), tensor(2, 2) + 1.0, cases=1, modes="reverse"
    )
    assert found.ok, str(found)


@pytest.mark.parametrize("size", [1e3, 1e7, 1e11])
def test_a_function_that_loses_digits_is_not_accused_of_it(size: float) -> None:
    def lossy(x: Any) -> Any:
        values = x.numpy(force=True)
        return torch.from_numpy((np.sin(values) + size) - size)

    right = function(lossy, lambda g, x: g * x.cos())
    found = gradverify.check(right, tensor(3), cases=6)
    assert not found.findings, str(found)
    wrong = function(lossy, lambda g, x: 1.2 * g * x.cos())
    assert not gradverify.check(wrong, tensor(3), cases=6).ok or size > 1e10


@pytest.mark.parametrize("size", [1e-3, 1e-7, 1e-11])
def test_noise_is_measured(size: float) -> None:
    source = np.random.default_rng(5)
    rough = noise_of(lambda t: np.sin(t) + size * source.standard_normal(), 1.0)
    assert size / 4 < rough < 4 * size
    stepped = noise_of(lambda t: size * np.round(np.sin(0.7 + t) / size), 1.0)
    assert size / 16 < stepped < 2 * size
    assert noise_of(lambda t: 1.0 + t, 1.0) < 1e-14
    assert noise_of(lambda t: 3.0, 1.0) == 0.0


def test_at_a_kink_every_slope_between_is_right() -> None:
    def relu(x: Any) -> Any:
        return torch.from_numpy(np.maximum(x.numpy(force=True), 0.0))

    for share, ok in ((0.0, True), (0.5, True), (1.0, True), (1.5, False)):

        def backward(g: Any, x: Any, share: float = share) -> Any:
            return g * ((x > 0) + share * (x == 0))

        own = function(relu, backward)
        found = gradverify.check(own, torch.zeros(2).double(), cases=1)
        assert found.ok == ok, (share, str(found))
