"""Complex numbers as two real ones, their parts, along a last axis of length 2.

No number of a graph is complex. So a complex array is a symbol with one axis more, and
what is done with it is written down in real numbers. Symbols and arrays of parts may be
mixed; one operand at least is a symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.capture.moved_entries import reshaped, taken
from gradverify.graph import Array


def parts_of(value: Any) -> Array:
    """The parts of an array of complex numbers, or of real ones, in double."""
    array = np.asarray(value)
    return np.stack([array.real, array.imag], axis=-1).astype(float)


def halves(z: Any) -> tuple[Any, Any]:
    """The real and the imaginary part of complex numbers."""
    if not isinstance(z, Symbol):
        return z[..., 0], z[..., 1]
    shape = z.shape[:-1]
    one = m.slice(z, axis=(-1,), start=0, stop=1)
    other = m.slice(z, axis=(-1,), start=1, stop=2)
    return reshaped(one, shape), reshaped(other, shape)


def joined(real: Any, imaginary: Any) -> Symbol:
    """Complex numbers of their parts, of which one at least is a symbol."""
    shape = np.broadcast_shapes(np.shape(real), np.shape(imaginary))
    sides = []
    for x in (real, imaginary):
        symbol = x if isinstance(x, Symbol) else _other(real, imaginary, x)
        if symbol.shape != shape:
            symbol = m.broadcast_to(symbol, shape=shape)
        sides.append(reshaped(symbol, (*shape, 1)))
    found: Symbol = m.concatenate(*sides, axis=(-1,))
    return found


def _other(real: Any, imaginary: Any, x: Any) -> Symbol:
    program = next(s.program for s in (real, imaginary) if isinstance(s, Symbol))
    return program.lift(np.asarray(x, float))


def of_real(x: Symbol) -> Symbol:
    """Real numbers as complex ones."""
    return joined(x, np.zeros(x.shape))


def chosen_places(index: Array) -> Array:
    """The places of both parts of the entries that an index names."""
    return 2 * np.asarray(index)[..., None] + np.arange(2)


def chosen(z: Symbol, index: Array) -> Symbol:
    """Entries of complex numbers, flattened, at some places."""
    return taken(z, chosen_places(index))


def stretched(z: Any, shape: tuple[int, ...]) -> Any:
    """Complex numbers broadcast to a shape, which is that of the numbers."""
    if np.shape(z)[:-1] == shape:
        return z
    if not isinstance(z, Symbol):
        return np.broadcast_to(z, (*shape, 2))
    lined = (1,) * (len(shape) - len(z.shape) + 1)
    return m.broadcast_to(reshaped(z, (*lined, *z.shape)), shape=(*shape, 2))


def aligned(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands in one shape, so that their last axes meet."""
    shape = np.broadcast_shapes(np.shape(a)[:-1], np.shape(b)[:-1])
    return stretched(a, shape), stretched(b, shape)


# ---- arithmetic


def added(a: Any, b: Any) -> Any:
    """a + b."""
    a, b = aligned(a, b)
    return m.add(a, b)


def subtracted(a: Any, b: Any) -> Any:
    """a - b."""
    a, b = aligned(a, b)
    return m.sub(a, b)


def multiplied(a: Any, b: Any) -> Symbol:
    """a b."""
    (p, q), (r, s) = halves(a), halves(b)
    return joined(m.mul(p, r) - m.mul(q, s), m.mul(p, s) + m.mul(q, r))


def divided(a: Any, b: Any) -> Symbol:
    """a / b, by the conjugate of b over its square."""
    (p, q), (r, s) = halves(a), halves(b)
    size = r * r + s * s
    real = m.mul(p, r) + m.mul(q, s)
    imaginary = m.mul(q, r) - m.mul(p, s)
    return joined(m.div(real, size), m.div(imaginary, size))


def conjugated(z: Symbol) -> Symbol:
    """The conjugate."""
    real, imaginary = halves(z)
    return joined(real, -imaginary)


def modulus(z: Symbol) -> Symbol:
    """The modulus, which has a kink at 0."""
    found: Symbol = m.hypot(*halves(z))
    return found


def argument(z: Symbol) -> Symbol:
    """The angle, from -pi to pi."""
    real, imaginary = halves(z)
    found: Symbol = m.atan2(imaginary, real)
    return found


def polar(size: Any, angle: Any) -> Symbol:
    """Complex numbers of a modulus and an angle."""
    if not isinstance(angle, Symbol):
        return joined(size * np.cos(angle), size * np.sin(angle))
    return joined(m.mul(size, m.cos(angle)), m.mul(size, m.sin(angle)))


def exponential(z: Symbol) -> Symbol:
    """exp(z)."""
    real, imaginary = halves(z)
    return polar(m.exp(real), imaginary)


def logarithm(z: Symbol) -> Symbol:
    """log(z), with its cut along the negative numbers."""
    return joined(m.log(modulus(z)), argument(z))


def root(z: Symbol) -> Symbol:
    """The root whose real part is not negative."""
    return polar(m.sqrt(modulus(z)), argument(z) * 0.5)


def reciprocal(z: Symbol) -> Symbol:
    """1 / z."""
    return divided(parts_of(np.ones(z.shape[:-1])), z)


def square(z: Symbol) -> Symbol:
    """z z."""
    return multiplied(z, z)


def whole_power(z: Symbol, n: int) -> Symbol:
    """z to a whole power, by products."""
    if n < 0:
        return reciprocal(whole_power(z, -n))
    if n == 0:
        return z * 0.0 + parts_of(np.ones(z.shape[:-1]))
    half = whole_power(z, n // 2) if n > 1 else None
    if half is None:
        return z
    return multiplied(square(half), z) if n % 2 else square(half)


def power(a: Any, b: Any) -> Symbol:
    """a to the power b."""
    if not isinstance(a, Symbol):
        size, angle = np.hypot(a[..., 0], a[..., 1]), np.arctan2(a[..., 1], a[..., 0])
        return exponential(multiplied(b, np.stack([np.log(size), angle], axis=-1)))
    return exponential(multiplied(b, logarithm(a)))


def sine(z: Symbol) -> Symbol:
    """sin(z)."""
    a, b = halves(z)
    return joined(m.sin(a) * m.cosh(b), m.cos(a) * m.sinh(b))


def cosine(z: Symbol) -> Symbol:
    """cos(z)."""
    a, b = halves(z)
    return joined(m.cos(a) * m.cosh(b), -(m.sin(a) * m.sinh(b)))


def hyperbolic_sine(z: Symbol) -> Symbol:
    """sinh(z)."""
    a, b = halves(z)
    return joined(m.sinh(a) * m.cos(b), m.cosh(a) * m.sin(b))


def hyperbolic_cosine(z: Symbol) -> Symbol:
    """cosh(z)."""
    a, b = halves(z)
    return joined(m.cosh(a) * m.cos(b), m.sinh(a) * m.sin(b))


def hyperbolic_tangent(z: Symbol) -> Symbol:
    """tanh(z), by sines and cosines of twice z."""
    a, b = halves(z)
    below = m.cosh(a * 2.0) + m.cos(b * 2.0)
    return joined(m.sinh(a * 2.0) / below, m.sin(b * 2.0) / below)


def logistic(z: Symbol) -> Symbol:
    """1 / (1 + exp(-z))."""
    one = parts_of(np.ones(z.shape[:-1]))
    return divided(one, exponential(-z) + one)


def matrix_product(product: Callable[[Any, Any], Any], a: Any, b: Any) -> Symbol:
    """A bilinear product, by four products of parts."""
    (p, q), (r, s) = halves(a), halves(b)
    return joined(product(p, r) - product(q, s), product(p, s) + product(q, r))


ONE: Mapping[str, Callable[[Symbol], Symbol]] = {
    "neg": lambda z: -z,
    "exp": exponential,
    "log": logarithm,
    "sqrt": root,
    "rsqrt": lambda z: reciprocal(root(z)),
    "sin": sine,
    "cos": cosine,
    "sinh": hyperbolic_sine,
    "cosh": hyperbolic_cosine,
    "tanh": hyperbolic_tangent,
    "reciprocal": reciprocal,
    "square": square,
    "sigmoid": logistic,
    "logistic": logistic,
    "abs": modulus,
    "angle": argument,
}
"""Functions of one complex number, under the names that libraries have for them."""

TWO: Mapping[str, Callable[[Any, Any], Symbol]] = {
    "add": added,
    "sub": subtracted,
    "mul": multiplied,
    "div": divided,
    "pow": power,
}


# ---- Fourier transforms


FORWARD = {0: "backward", 1: "ortho", 2: "forward"}
"""The norm of a transform forward, by the number of roots of n that divide it."""

BACKWARD = {0: "forward", 1: "ortho", 2: "backward"}
"""The norm of an inverse one."""


def transformed(z: Symbol, axes: tuple[int, ...], norm: str, *, inverse: bool) -> Any:
    """Fourier transforms along some axes of the numbers."""
    for axis in axes:
        z = (m.ifft if inverse else m.fft)(z, length=None, axis=(axis,), norm=norm)
    return z


def transformed_real(
    x: Symbol, axes: tuple[int, ...], norm: str, *, half: bool = True
) -> Any:
    """Fourier transforms of real numbers; of the last axis one half is given."""
    if not half:
        return transformed(of_real(x), axes, norm, inverse=False)
    *rest, last = axes
    y = m.rfft(x, length=None, axis=(last,), norm=norm)
    return transformed(y, tuple(rest), norm, inverse=False)


def transformed_back(z: Symbol, axes: tuple[int, ...], norm: str, length: int) -> Any:
    """Inverse transforms to real numbers, of one half along the last axis."""
    *rest, last = axes
    z = transformed(z, tuple(rest), norm, inverse=True)
    usual = length == 2 * (z.shape[last % (z.ndim - 1)] - 1)
    return m.irfft(z, length=None if usual else length, axis=(last,), norm=norm)
