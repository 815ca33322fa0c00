"""What is read of JAX beyond arithmetic: matrices, complex numbers, scatters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradverify
from gradverify.capture import call_of
from gradverify.capture.captured import contracted
from gradverify.graph import Case
from gradverify.reference import value_alone

jax = pytest.importorskip("jax")
jnp = jax.numpy


def array(*shape: int, shift: float = 0.0) -> Any:
    size = int(np.prod(shape))
    return np.sin(np.arange(1.0, size + 1.0) * 2.3 + shift).reshape(shape)


def complex_array(*shape: int) -> Any:
    return array(*shape) + 1j * array(*shape, shift=0.7)


GIVEN = array(3, 3) + np.eye(3)


def scattered(x: Any, s: Any) -> Any:
    at = jnp.array([0, 2, 0])
    return x.at[at].multiply(s) + x.at[at].max(s) + x.at[at].min(2.0 * s)


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "svd": (lambda x: jnp.linalg.svd(x, full_matrices=False), (array(3, 2),)),
    "qr": (jnp.linalg.qr, (array(3, 2),)),
    "solve of several": (jnp.linalg.solve, (GIVEN, array(3, 2))),
    "triangular": (
        lambda x, b: jax.scipy.linalg.solve_triangular(x, b, trans=1, lower=True),
        (GIVEN, array(3)),
    ),
    "a convolution": (
        lambda x, w: jnp.fft.irfft(jnp.fft.rfft(x) * jnp.fft.rfft(w), 5),
        (array(5), array(5, shift=1.0)),
    ),
    "fft2": (lambda z: jnp.fft.ifft2(jnp.fft.fft2(z)[::-1]), (complex_array(2, 3),)),
    "complex functions": (
        lambda z: jnp.exp(z) / (1 + z * z) + z**3,
        (complex_array(3),),
    ),
    "complex scan": (
        lambda z: jax.lax.scan(lambda c, t: (c * t, c.imag), z[0], z)[1],
        (complex_array(3),),
    ),
    "scatters": (scattered, (array(4), array(3))),
    "the larger of what is masked": (
        lambda x: jnp.maximum(
            jnp.where(jnp.arange(3) < 2, x, -jnp.inf),
            jnp.where(jnp.arange(3) > 0, 2.0 * x, -jnp.inf),
        ),
        (array(3),),
    ),
    "stacks": (
        lambda x, z: (
            jnp.stack([x, jnp.tile(x[:1], 3) * 2.0], 1) @ jnp.stack([z, z[::-1]]).real
        ),
        (array(3), complex_array(2)),
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_program_gives_the_value(name: str) -> None:
    function, args = FUNCTIONS[name]
    with jax.enable_x64(True):
        call = call_of(function, [jnp.asarray(x) for x in args], {})
        point = tuple(a.value for a in call.arguments)
        outputs = call.outputs(point)
        captured = call.capture(point)
    weights = [np.arange(1.0, y.size + 1.0).reshape(y.shape) for y in outputs]
    graph = contracted(captured, weights).graph
    value, bound = value_alone(Case(graph, point, "float64")) or (None, None)
    assert value is not None
    assert bound is not None
    right = sum(float(np.sum(y * w)) for y, w in zip(outputs, weights, strict=True))
    assert abs(float(value) - right) <= 16.0 * float(bound.loose)


@pytest.mark.parametrize("turned", [False, True])
def test_a_complex_backward_is_held_against_the_program(turned: bool) -> None:
    @jax.custom_vjp
    def product(z: Any, w: Any) -> Any:
        return z * w

    def backward(kept: Any, g: Any) -> Any:
        z, w = kept
        return (g * jnp.conj(w), g * z) if turned else (g * w, g * z)

    product.defvjp(lambda z, w: (z * w, (z, w)), backward)
    with jax.enable_x64(True):
        args = jnp.asarray(complex_array(2)), jnp.asarray(complex_array(2) * 1.5)
        found = gradverify.check(product, *args, cases=2, modes="reverse")
    assert found.ok is not turned
    assert found.truth == "the captured program"
