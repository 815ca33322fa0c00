"""Functions of JAX: right ones are not accused, and wrong ones are found."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import gradverify
from gradverify.verdict import Verdict

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
extended = pytest.importorskip("jax.extend.core")
pairs = pytest.importorskip("tests.capture.jax_pairs")

CASES = 3


@pytest.mark.parametrize("pair", pairs.PAIRS, ids=lambda pair: pair.name)
def test_a_right_derivative_is_not_accused(pair: Any) -> None:
    found = gradverify.check(pair.right, *pair.args, cases=CASES)
    assert found.ok, str(found)
    assert found.truth == pair.truth, str(found)


@pytest.mark.parametrize("pair", pairs.PAIRS, ids=lambda pair: pair.name)
def test_a_wrong_derivative_is_found(pair: Any) -> None:
    found = gradverify.check(pair.wrong, *pair.args, cases=CASES)
    assert not found.ok, str(found)
    assert found.findings[0].verdict == "WRONG", str(found)


class Layer(NamedTuple):
    """A module as a pytree: its arrays are parameters."""

    weight: Any
    bias: Any

    def __call__(self, x: Any) -> Any:
        return jnp.tanh(x @ self.weight + self.bias)


def test_arrays_of_a_function_that_is_a_pytree_are_its_parameters() -> None:
    layer = Layer(pairs.array(3, 2), pairs.array(2))
    found = gradverify.check(layer, pairs.array(2, 3), cases=2)
    assert found.ok, str(found)
    assert found.result.names == ("x", "weight", "bias")


def test_a_finding_names_the_argument_and_the_users_line() -> None:
    def forward(x: Any, scale: Any) -> Any:
        return x * scale  # the line that is named

    wrong = pairs.pulled(forward, lambda g, x, scale: (g * scale, -g * x))
    found = gradverify.check(wrong, pairs.array(3), pairs.array(3), cases=CASES)
    assert {d.where.partition("[")[0] for d in found.findings} == {"d/dscale"}
    text = " ".join(str(found).split())
    assert "test_jax_functions.py" in text
    assert "# the line that is named" in text


def test_second_order_is_judged_where_it_is_asked_for() -> None:
    @jax.custom_jvp
    def cube(x: Any) -> Any:
        return x**3

    cube.defjvp(
        lambda xs, vs: (xs[0] ** 3, 3.0 * jax.lax.stop_gradient(xs[0]) ** 2 * vs[0])
    )
    assert gradverify.check(cube, pairs.array(3), cases=CASES).ok
    found = gradverify.check(cube, pairs.array(3), cases=CASES, modes="all")
    assert not found.ok
    assert {d.mode for d in found.findings if d.failed} == {
        "forward-over-reverse",
        "reverse-over-reverse",
    }


def _primitive(name: str, slope: Any) -> Any:
    """x² as a primitive of the user's, which JAX runs by what it is written in."""
    made = extended.Primitive(name)
    made.def_impl(lambda x: x * x)
    made.def_abstract_eval(lambda x: x)
    jax.interpreters.ad.defjvp(made, slope)
    jax.interpreters.mlir.register_lowering(
        made,
        jax.interpreters.mlir.lower_fun(lambda x: x * x, multiple_results=False),
    )
    return made.bind


def test_a_primitive_that_is_written_in_jax_is_read() -> None:
    options = {"cases": 2, "modes": "reverse"}
    right = _primitive("mine", lambda v, x: 2.0 * x * v)
    wrong = _primitive("other", lambda v, x: x * v)
    found = gradverify.check(lambda x: right(x) + x, pairs.array(3), **options)
    assert found.ok, str(found)
    assert found.truth == "the captured program"
    assert not gradverify.check(lambda x: wrong(x) + x, pairs.array(3), **options)


def test_numpy_arrays_are_taken_by_a_function_of_jax() -> None:
    wrong = pairs.pulled(*pairs.CUBE[::2])
    found = gradverify.check(wrong, np.array([0.5, -2.0]), cases=CASES)
    assert not found.ok
    assert found.result.dtype == "float32"  # as JAX has it without 64 bits


def test_half_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="half formats come later"):
        gradverify.check(jnp.sin, jnp.ones(3, jnp.bfloat16))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"wrt": "y"}, "no argument that can be differentiated"),
        ({"modes": "sideways"}, "allowed are reverse, forward"),
    ],
)
def test_an_option_that_is_not_understood_is_named(options: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        gradverify.check(lambda x: jnp.exp(x), pairs.array(3), **options)


def test_what_has_no_row_is_named_with_its_line() -> None:
    def by_order(x: Any) -> Any:
        return jax.scipy.special.gammainc(x, 2.0)  # no row by its order

    x = jnp.array([0.5, 1.5])
    found = gradverify.check(by_order, x, cases=1, domain="x > 0.1")
    assert found.truth == pairs.DIFFERENCED
    assert any("igamma" in r and "no row" in r for r in found.remarks), found.remarks
    assert found.ok, str(found)


def _ridge(theta: Any, b: Any) -> Any:
    """The solution of (A + theta) x = b by an iteration that is not read."""
    matrix = jnp.array([[4.0, 1.0, 0.3], [1.0, 3.0, 0.2], [0.3, 0.2, 2.0]], jnp.float32)
    times = lambda x: matrix @ x + theta * x  # noqa: E731
    return jax.scipy.sparse.linalg.cg(times, b)[0]


@pytest.mark.parametrize("factor", [1.0, 1.0 + 1e-3])
def test_digits_that_a_solver_loses_are_no_wrong_formula(factor: float) -> None:
    """Its derivative in theta is a difference of larger numbers, 243 ulps off."""

    @jax.custom_jvp
    def scaled(x: Any) -> Any:
        return x

    @scaled.defjvp
    def _(xs: Any, tangents: Any) -> Any:
        return xs[0], tangents[0] * factor

    found = gradverify.check(
        lambda theta, b: _ridge(scaled(theta), b),
        jnp.float32(0.5),
        jnp.array([0.5, -1.0, 2.0], jnp.float32),
        modes="forward",
        cases=20,
        seed=1,
    )
    assert found.truth == "differences of the function"
    counts = found.result.items["forward"].counts
    if factor == 1.0:
        assert found.ok, str(found)
        assert counts[Verdict.AGREES] + counts[Verdict.IMPRECISE] > 0
    else:
        assert counts[Verdict.WRONG] > 15
