"""Traps of JAX functions, each with a right derivative and with a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.capture.pair import DIFFERENCED, Pair


def array(*shape: int, dtype: str = "float64", more: float = 0.0) -> Any:
    """Numbers that hide nothing, the same in every run."""
    made = np.random.default_rng(sum(shape) + 3).standard_normal(shape) + more
    with jax.enable_x64(dtype == "float64"):
        return jnp.asarray(made, dtype)


def pulled(forward: Callable[..., Any], back: Callable[..., Any]) -> Any:
    """A `custom_vjp` that saves its arguments. back: of a cotangent and them."""
    function = jax.custom_vjp(forward)
    function.defvjp(lambda *xs: (forward(*xs), xs), lambda xs, g: back(g, *xs))
    return function


def pushed(forward: Callable[..., Any], slope: Callable[..., Any]) -> Any:
    """A `custom_jvp` of one argument. slope: of the argument and its tangent."""
    function = jax.custom_jvp(forward)
    function.defjvp(lambda xs, vs: (forward(*xs), slope(*xs, *vs)))
    return function


def vjps(
    name: str,
    forward: Callable[..., Any],
    right: Callable[..., Any],
    wrong: Callable[..., Any],
    *args: Any,
    around: Callable[[Any], Callable[..., Any]] = lambda f: f,
    **options: Any,
) -> Pair:
    """Two functions that differ in their backward."""
    pair = [around(pulled(forward, back)) for back in (right, wrong)]
    return Pair(name, pair[0], pair[1], args, **options)


def jvps(
    name: str,
    forward: Callable[..., Any],
    right: Callable[..., Any],
    wrong: Callable[..., Any],
    *args: Any,
    around: Callable[[Any], Callable[..., Any]] = lambda f: f,
    **options: Any,
) -> Pair:
    """Two functions that differ in their forward mode."""
    pair = [around(pushed(forward, slope)) for slope in (right, wrong)]
    return Pair(name, pair[0], pair[1], args, **options)


CUBE = (
    lambda x: x**3,
    lambda g, x: (3.0 * x**2 * g,),
    lambda g, x: (3.0 * x * g,),
)


def _softmax_back(g: Any, x: Any) -> Any:
    y = jax.nn.softmax(x)
    return (y * (g - jnp.sum(g * y, -1, keepdims=True)),)


def _norm(x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(
        x.var(-1, keepdims=True) + 1e-5
    )


def _norm_back(g: Any, x: Any, mean: bool = True) -> Any:
    y, scale = _norm(x), jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)
    middle = g.mean(-1, keepdims=True) if mean else 0.0
    return (scale * (g - middle - y * (g * y).mean(-1, keepdims=True)),)


def _attention(q: Any, k: Any, v: Any) -> Any:
    scores = q @ k.T / np.sqrt(q.shape[-1])
    mask = np.tri(*scores.shape, dtype=bool)
    return jax.nn.softmax(jnp.where(mask, scores, -jnp.inf)) @ v


def _attention_back(g: Any, q: Any, k: Any, v: Any, factor: float = 1.0) -> Any:
    scale = 1.0 / np.sqrt(q.shape[-1])
    scores = jnp.where(np.tri(len(q), len(k), dtype=bool), q @ k.T * scale, -jnp.inf)
    p = jax.nn.softmax(scores)
    dp = g @ v.T
    ds = p * (dp - jnp.sum(dp * p, -1, keepdims=True)) * scale
    return ds @ k, ds.T @ q * factor, p.T @ g


def _host(x: Any) -> Any:
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return jax.pure_callback(np.sin, shape, x, vmap_method="sequential")


def _branch(x: Any) -> Any:
    return jax.lax.cond(x.sum() > 0, lambda v: v * v, jnp.exp, x)


def _branch_back(g: Any, x: Any) -> Any:
    return (jnp.where(x.sum() > 0, 2.0 * x, jnp.exp(x)) * g,)


def _looped(f: Callable[..., Any]) -> Callable[..., Any]:
    def loop(x: Any) -> Any:
        return jax.lax.scan(lambda c, t: (jnp.sin(c) + f(t), c * t), x[0], x)

    return loop


def _in_python(f: Callable[..., Any]) -> Callable[..., Any]:
    """A branch that Python takes, which no jaxpr can show."""
    return lambda x: f(x) if x[0] > 0 else f(-2.0 * x)


def _estimated(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: f(x + jax.lax.stop_gradient(jnp.round(x) - x))


def _stopped_beside_host(f: Callable[..., Any]) -> Callable[..., Any]:
    """What is differenced must keep still what is stopped."""
    return lambda x: f(x) * jax.lax.stop_gradient(jnp.exp(x))


def _gathered_back(g: Any, x: Any, index: Any) -> Any:
    return jnp.zeros_like(x).at[index].add(2.0 * x[index] * g), None


def _gathered_lost(g: Any, x: Any, index: Any) -> Any:
    return jnp.zeros_like(x).at[index].set(2.0 * x[index] * g), None


def _closed(f: Callable[..., Any]) -> Callable[..., Any]:
    held = array(3, more=2.0)
    return lambda x: f(x * held) / held


def _once(x: Any) -> Any:
    return jnp.sin(x), jnp.sum(x)


INDEX, MASK = np.array([0, 2, 2, 1]), np.array([True, False, True])


def _solved(x: Any) -> Any:
    """The solution of y = sin(y) 0.3 + x, to six digits."""

    def goes_on(pair: Any) -> Any:
        return jnp.max(jnp.abs(pair[0] - pair[1])) > 1e-6

    start = x, x + 1.0
    return jax.lax.while_loop(
        goes_on, lambda pair: (0.3 * jnp.sin(pair[0]) + x, pair[0]), start
    )[0]


PAIRS = (
    vjps("custom_vjp", *CUBE, array(4)),
    vjps(
        "a solver that ends at a tolerance",
        _solved,
        lambda g, x: (g / (1.0 - 0.3 * jnp.cos(_solved(x))),),
        lambda g, x: (g / (1.0 - 0.3 * jnp.sin(_solved(x))),),
        array(2),
    ),
    jvps(
        "custom_jvp",
        jnp.tanh,
        lambda x, v: (1.0 - jnp.tanh(x) ** 2) * v,
        lambda x, v: (1.0 - jnp.tanh(x)) * v,
        array(4),
    ),
    vjps("under jit", *CUBE, array(4), around=jax.jit),
    vjps("under vmap", *CUBE, array(3, 2), around=jax.vmap),
    vjps("checkpointed", *CUBE, array(4), around=jax.checkpoint),
    vjps(
        "softmax without its sum",
        lambda x: jax.nn.softmax(x),
        _softmax_back,
        lambda g, x: (jax.nn.softmax(x) * g,),
        array(2, 3),
    ),
    vjps(
        "a norm without the mean term",
        _norm,
        _norm_back,
        lambda g, x: _norm_back(g, x, mean=False),
        array(2, 4),
    ),
    vjps(
        "masked attention without a scale",
        _attention,
        _attention_back,
        lambda *xs: _attention_back(*xs, factor=2.0),
        array(3, 2),
        array(3, 2, more=-0.5),
        array(3, 2, more=0.5),
    ),
    vjps(
        "a host callback",
        _host,
        lambda g, x: (g * jnp.cos(x),),
        lambda g, x: (g * jnp.cos(x) * 1.000001,),
        array(3),
        truth=DIFFERENCED,
    ),
    vjps(
        "a host callback in float32",
        _host,
        lambda g, x: (g * jnp.cos(x),),
        lambda g, x: (g * jnp.cos(x) * 1.01,),
        array(3, dtype="float32"),
        truth=DIFFERENCED,
    ),
    vjps(
        "a callback beside stop_gradient",
        _host,
        lambda g, x: (g * jnp.cos(x),),
        lambda g, x: (g * jnp.sin(x),),
        array(3),
        around=_stopped_beside_host,
        truth=DIFFERENCED,
    ),
    vjps(
        "a branch on values",
        _branch,
        _branch_back,
        lambda g, x: (2.0 * x * g,),
        array(4),
    ),
    vjps("a branch in Python", *CUBE, array(3), around=_in_python, truth=DIFFERENCED),
    vjps(
        "within a scan",
        jnp.sin,
        lambda g, x: (g * jnp.cos(x),),
        lambda g, x: (g * jnp.cos(x) + 1e-7 * g,),
        array(3),
        around=_looped,
    ),
    vjps("a declared straight-through", *CUBE, array(4), around=_estimated),
    vjps(
        "integer inputs",
        lambda x, index: x[index] ** 2,
        _gathered_back,
        _gathered_lost,
        array(3),
        INDEX,
    ),
    vjps(
        "a Boolean input",
        lambda x, mask: jnp.where(mask, jnp.exp(x), x),
        lambda g, x, mask: (jnp.where(mask, jnp.exp(x), 1.0) * g, None),
        lambda g, x, mask: (jnp.where(mask, 1.0, jnp.exp(x)) * g, None),
        array(3),
        MASK,
    ),
    vjps(
        "several outputs",
        _once,
        lambda g, x: (g[0] * jnp.cos(x) + g[1],),
        lambda g, x: (g[0] * jnp.cos(x),),
        array(3),
    ),
    vjps(
        "a dict and a tuple",
        lambda x, w: x * w,
        lambda g, x, w: (g * w, g * x),
        lambda g, x, w: (g * x, g * w),
        {"x": array(3), "more": (array(3, more=1.0), "a word")},
        around=lambda f: lambda batch: f(batch["x"], batch["more"][0]),
    ),
    vjps("an array that is closed over", *CUBE, array(3), around=_closed),
    vjps(
        "a library function that asks for NaN",
        lambda x: jnp.logaddexp(x, 0.0),
        lambda g, x: (g * jax.nn.sigmoid(x),),
        lambda g, x: (g * jax.nn.sigmoid(-x),),
        array(3),
    ),
    vjps("float32", *CUBE, array(4, dtype="float32")),
    vjps(
        "an ignored cotangent",
        lambda x: x / jnp.sqrt(1.0 + x**2),
        lambda g, x: (g * (1.0 + x**2) ** -1.5,),
        lambda g, x: ((1.0 + x**2) ** -1.5 + 0.0 * g,),
        array(3),
    ),
    vjps(
        "a wrong sum over broadcast axes",
        lambda x, b: jnp.tanh(x + b),
        lambda g, x, b: (
            g / jnp.cosh(x + b) ** 2,
            (g / jnp.cosh(x + b) ** 2).sum(0),
        ),
        lambda g, x, b: (
            g / jnp.cosh(x + b) ** 2,
            (g / jnp.cosh(x + b) ** 2).mean(0),
        ),
        array(3, 2),
        array(2),
    ),
)
