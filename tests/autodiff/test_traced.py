"""Python's operators and NumPy's functions on variables and on duals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import digamma, erf, expit, gammaln

from gradverify.autodiff import Dual, Tape

A = np.array([[0.3, 1.2, -0.7], [2.1, 0.4, 0.9]])
C = np.array([1.5, -2.0, 0.25])


def on_tape(f: Callable[[Any], Any], at: Any) -> tuple[Any, Any]:
    """The value, and the gradient of its sum."""
    tape = Tape()
    x = tape.variable(at)
    y = f(x)
    return y.primal, tape.pullback(y, np.ones(y.shape), [x])[0]


def on_duals(f: Callable[[Any], Any], at: Any) -> tuple[Any, Any]:
    eye = np.eye(np.size(at)).reshape(np.size(at), *np.shape(at))
    y = f(Dual(at, eye))
    sums = y.tangent.reshape(np.size(at), -1).sum(axis=1)
    return y.primal, sums.reshape(np.shape(at))


# fmt: off
SPELLINGS: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = [
    ("x + c",        lambda x: x + C,                   lambda x: np.ones_like(x)),
    ("c + x",        lambda x: C + x,                   lambda x: np.ones_like(x)),
    ("2 - x",        lambda x: 2 - x,                   lambda x: -np.ones_like(x)),
    ("c * x",        lambda x: C * x,                   lambda x: C + 0 * x),
    ("x / c",        lambda x: x / C,                   lambda x: 1 / C + 0 * x),
    ("1.0 / x",      lambda x: 1.0 / x,                 lambda x: -1 / x**2),
    ("-x",           lambda x: -x,                      lambda x: -np.ones_like(x)),
    ("x ** 3",       lambda x: x**3,                    lambda x: 3 * x**2),
    ("x ** -1",      lambda x: x**-1,                   lambda x: -1 / x**2),
    ("2.0 ** x",     lambda x: 2.0**x,                  lambda x: 2.0**x * np.log(2.0)),
    ("x @ c",        lambda x: x @ C,                   lambda x: C + 0 * x),
    ("d @ x",        lambda x: C[:2] @ x,               lambda x: C[:2, None] + 0 * x),
    ("abs(x)",       abs,                               np.sign),
    ("np.exp",       np.exp,                            np.exp),
    ("np.sin",       np.sin,                            np.cos),
    ("np.tanh",      np.tanh,                           lambda x: 1 / np.cosh(x) ** 2),
    ("np.power",     lambda x: np.power(x, 2),          lambda x: 2 * x),
    ("np.add",       lambda x: np.add(C, x),            lambda x: np.ones_like(x)),
    ("np.maximum",   lambda x: np.maximum(x, 0.5),      lambda x: (x > 0.5) * 1.0),
    ("np.where",     lambda x: np.where(x > 0.5, x, 0), lambda x: (x > 0.5) * 1.0),
    ("np.greater",   lambda x: x * np.greater(x, 0.5),  lambda x: (x > 0.5) * 1.0),
    ("x <= x",       lambda x: x * (x <= x),            lambda x: np.ones_like(x)),
    ("expit",        expit,                             lambda x: expit(x) * expit(-x)),
    ("erf",          lambda x: erf(x / 2),
                                     lambda x: np.exp(-x * x / 4) / np.sqrt(np.pi)),
    ("gammaln",      lambda x: gammaln(x + 1),          lambda x: digamma(x + 1)),
    ("np.hypot",     lambda x: np.hypot(x, 3),          lambda x: x / np.hypot(x, 3)),
    ("np.arctan2",   lambda x: np.arctan2(x, 1.0),      lambda x: 1 / (1 + x * x)),
    ("np.expm1",     np.expm1,                          np.exp),
    ("np.prod axis", lambda x: np.prod(x, axis=0),      lambda x: x[::-1]),
    ("np.max",       lambda x: np.max(x, axis=1),       lambda x: (x > 1) * 1.0),
    ("np.sum",       np.sum,                            lambda x: np.ones_like(x)),
    ("np.sum axis",  lambda x: np.sum(x, axis=1),       lambda x: np.ones_like(x)),
    ("x.sum",        lambda x: x.sum(axis=(0, 1)),      lambda x: np.ones_like(x)),
    ("np.mean",      lambda x: np.mean(x, 0),           lambda x: np.ones_like(x) / 2),
    ("x.mean",       lambda x: x.mean(keepdims=True),   lambda x: np.ones_like(x) / 6),
    ("np.reshape",   lambda x: np.reshape(x, (3, -1)),  lambda x: np.ones_like(x)),
    ("x.reshape",    lambda x: x.reshape(6) * 2,        lambda x: 2 + 0 * x),
    ("x.T",          lambda x: x.T @ C[:2],             lambda x: C[:2, None] + 0 * x),
    ("np.transpose", lambda x: np.transpose(x, (1, -2)) @ C[:2],
                                                        lambda x: C[:2, None] + 0 * x),
    ("x.transpose",  lambda x: x.transpose(1, 0),       lambda x: np.ones_like(x)),
    ("broadcast_to", lambda x: np.broadcast_to(x, (4, 2, 3)),
                                                        lambda x: 4 + 0 * x),
    ("np.matmul",    lambda x: np.matmul(x, C),         lambda x: C + 0 * x),
    ("np.shape",     lambda x: x * np.shape(x)[1],      lambda x: 3 + 0 * x),
]
# fmt: on


@pytest.mark.parametrize("engine", [on_tape, on_duals])
@pytest.mark.parametrize(
    ("f", "slope"), [row[1:] for row in SPELLINGS], ids=[row[0] for row in SPELLINGS]
)
def test_a_spelling_has_numpys_value_and_the_right_slope(
    engine: Any, f: Any, slope: Any
) -> None:
    with np.errstate(invalid="ignore"):
        value, gradient = engine(f, A)
        np.testing.assert_allclose(value, f(A), rtol=1e-14)
        np.testing.assert_allclose(gradient, slope(A), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("x", [Tape().variable(A), Dual(A, A[None])])
@pytest.mark.parametrize(
    ("f", "name"),
    [
        (np.copysign, "np.copysign has no derivative here"),
        (lambda a, b: np.concatenate([a, b]), "np.concatenate has no derivative"),
        (lambda a, b: np.add.reduce(a), "np.add.reduce has no derivative here"),
        (lambda a, b: np.add(a, b, out=A), "np.add with ['out'] has no derivative"),
    ],
)
def test_other_functions_are_refused_with_those_that_are_supported(
    x: Any, f: Any, name: str
) -> None:
    with pytest.raises(TypeError) as caught:
        f(x, x)
    assert name in str(caught.value)
    said = str(caught.value)
    assert "supported are scipy.special.expit, scipy.special.erf" in said
    assert "scipy.special.psi and np.absolute, np.add" in said


def test_shape_rank_and_size_are_those_of_the_primal() -> None:
    x = Tape().variable(A)
    assert (x.shape, x.ndim, x.size, np.ndim(x), np.size(x)) == ((2, 3), 2, 6, 2, 6)


def test_a_tangent_needs_a_leading_axis() -> None:
    with pytest.raises(ValueError, match=r"a tangent of shape \(\) does not fit"):
        Dual(1.0, 1.0)
    with pytest.raises(
        ValueError, match=r"allowed is \(m, \*\(2, 3\)\) for m tangents"
    ):
        Dual(A, A)


def test_duals_with_different_numbers_of_tangents_do_not_meet() -> None:
    with pytest.raises(ValueError, match=r"duals with \[1, 2\] tangents met"):
        Dual(1.0, [1.0]) * Dual(1.0, [1.0, 0.0])


def test_what_does_not_move_makes_no_nan_of_an_infinite_slope() -> None:
    x, z = Dual(np.array([0.0, 4.0]), np.eye(3)[:, :2]), Dual(1.0, [0.0, 0.0, 1.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.sum(np.sqrt(x)) + z
    np.testing.assert_array_equal(y.tangent, [np.inf, 0.25, 1.0])


def test_a_dual_of_a_function_without_the_operand_has_zero_tangents() -> None:
    y = Dual.table["sign"](Dual(A, np.ones((4, 2, 3))))
    np.testing.assert_array_equal(y.tangent, np.zeros((4, 2, 3)))


def test_reading_a_variable_shows_its_value() -> None:
    assert repr(Tape().variable(2.0)) == "Variable(np.float64(2.0))"
    assert repr(Dual(2.0, [1.0])) == "Dual(np.float64(2.0), array([1.]))"
