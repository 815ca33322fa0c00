"""The faults of `question_faults.py` in JAX and autograd, for the checkers of these.

A rule there is written for tensors. Here the same rules stand once more, over whatever
NumPy a library has, and are planted as each library wants it: in JAX a `custom_vjp` for
a fault of cotangents and a `custom_jvp` for all others, in autograd a primitive with
both. A fault that is a mode of its own, or a function with parameters, stands not
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.differentiators import Lowered, load
from gradverify.graph import Array, Graph

Partials = tuple[Callable[..., Any], ...]


def functions(m: Any) -> dict[str, tuple[Callable[..., Any], Partials]]:
    """The ops with their partials, over a library's NumPy."""

    def sigmoid(x: Any) -> Any:
        return 0.5 * (m.tanh(0.5 * x) + 1.0)

    def size(a: Any, b: Any) -> Any:
        return m.sqrt(a * a + b * b)

    return {
        "exp": (m.exp, (m.exp,)),
        "log": (m.log, (lambda x: 1 / x,)),
        "sin": (m.sin, (m.cos,)),
        "cos": (m.cos, (lambda x: -m.sin(x),)),
        "tanh": (m.tanh, (lambda x: 1 / m.cosh(x) ** 2,)),
        "sigmoid": (sigmoid, (lambda x: sigmoid(x) * sigmoid(-x),)),
        "sqrt": (m.sqrt, (lambda x: 0.5 / m.sqrt(x),)),
        "log1p": (m.log1p, (lambda x: 1 / (1 + x),)),
        "expm1": (m.expm1, (m.exp,)),
        "square": (m.square, (lambda x: 2 * x,)),
        "add": (lambda a, b: a + b, (lambda a, b: 1 + 0 * (a * b),) * 2),
        "mul": (lambda a, b: a * b, (lambda a, b: b + 0 * a, lambda a, b: a + 0 * b)),
        "div": (
            lambda a, b: a / b,
            (lambda a, b: 1 / b + 0 * a, lambda a, b: -a / b / b),
        ),
        "atan2": (
            m.arctan2,
            (lambda a, b: b / size(a, b) ** 2, lambda a, b: -a / size(a, b) ** 2),
        ),
        "hypot": (
            size,
            (lambda a, b: a / size(a, b), lambda a, b: b / size(a, b)),
        ),
        "logaddexp": (
            m.logaddexp,
            (lambda a, b: sigmoid(a - b), lambda a, b: sigmoid(b - a)),
        ),
    }


@dataclass(frozen=True)
class Rule:
    """How a function goes wrong; without arguments it is right.

    pull, push: a cotangent or tangent, the partial and the operand's place to what is
    passed on. bent: a partial, the operands, the place, the library's NumPy and its
    function that holds a value constant, to the partial that is differentiated.
    """

    pull: Callable[[Any, Any, int], Any] = lambda g, p, k: g * p
    push: Callable[[Any, Any, int], Any] = lambda x_dot, p, k: x_dot * p
    bent: Callable[[Any, Any, int, Any, Any], Any] = lambda p, x, k, m, held: p


def _dropped(which: int) -> Rule:
    return Rule(push=lambda x_dot, p, k: x_dot * p * (0.0 if k == which else 1.0))


def _held(which: int) -> Rule:
    return Rule(bent=lambda p, x, k, m, held: held(p) if k == which else p)


RIGHT = Rule()
RULES: Mapping[str, Rule] = {
    "cotangent squared": Rule(pull=lambda g, p, k: g * g * p),
    "cotangent ignored": Rule(pull=lambda g, p, k: p + 0 * g),
    "tangent of operand 0 dropped": _dropped(0),
    "tangent of operand 1 dropped": _dropped(1),
    "wrong sign of the forward rule": Rule(push=lambda x_dot, p, k: -x_dot * p),
    "forward rule twice as large": Rule(push=lambda x_dot, p, k: 2 * x_dot * p),
    "factor detached": Rule(bent=lambda p, x, k, m, held: held(p)),
    "factor of operand 0 detached": _held(0),
    "factor of operand 1 detached": _held(1),
    "second derivative of the wrong sign": Rule(
        bent=lambda p, x, k, m, held: 2 * held(p) - p
    ),
    "second derivative twice as large": Rule(
        bent=lambda p, x, k, m, held: 2 * p - held(p)
    ),
    "zero second derivative at ties": Rule(
        bent=lambda p, x, k, m, held: m.where(
            m.abs(x[0] + 0 * x[1]) == m.abs(x[1] + 0 * x[0]), held(p), p
        )
    ),
}


def _reduced(x: Any, like: Any) -> Any:
    """Summed over the axes along which an operand was stretched."""
    shape = np.shape(like)
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    short = tuple(i for i, n in enumerate(shape) if n == 1 and x.shape[i] > 1)
    return x.sum(axis=short, keepdims=True)


def in_jax(op: str, rule: Rule) -> Callable[..., Any]:
    """The op as a function of JAX with a rule of its own."""
    import jax

    m = jax.numpy
    function, partials = functions(m)[op]

    def bent(k: int, x: Sequence[Any]) -> Any:
        return rule.bent(partials[k](*x), x, k, m, jax.lax.stop_gradient)

    if rule.pull is not RIGHT.pull:
        pulled = jax.custom_vjp(lambda *x: function(*x))
        pulled.defvjp(
            lambda *x: (function(*x), x),
            lambda x, g: tuple(
                _reduced(rule.pull(g, bent(k, x), k), x[k]) for k in range(len(x))
            ),
        )
        return pulled
    pushed = jax.custom_jvp(lambda *x: function(*x))

    @pushed.defjvp
    def push(x: Any, x_dot: Any) -> Any:
        y = function(*x)
        terms = [rule.push(t, bent(k, x), k) for k, t in enumerate(x_dot)]
        return y, m.broadcast_to(sum(terms[1:], terms[0]), y.shape)

    return pushed


def in_autograd(op: str, rule: Rule) -> Callable[..., Any]:
    """The op as a primitive of autograd."""
    import autograd.numpy as m
    from autograd.extend import defjvp, defvjp, primitive

    @primitive
    def held(x: Any) -> Any:
        return x

    defvjp(held, lambda y, x: lambda g: 0.0 * g)
    defjvp(held, lambda g, y, x: 0.0 * g)
    partials = functions(m)[op][1]
    planted = primitive(lambda *x: functions(np)[op][0](*x))

    def bent(k: int, x: Sequence[Any]) -> Any:
        return rule.bent(partials[k](*x), x, k, m, held)

    def maker(k: int) -> Callable[..., Any]:
        return lambda y, *x: lambda g: _reduced(rule.pull(g, bent(k, x), k), x[k])

    def pusher(k: int) -> Callable[..., Any]:
        return lambda g, y, *x: m.broadcast_to(rule.push(g, bent(k, x), k), y.shape)

    defvjp(planted, *(maker(k) for k in range(len(partials))))
    defjvp(planted, *(pusher(k) for k in range(len(partials))))
    result: Callable[..., Any] = planted
    return result


def jax_is_content(op: str, rule: Rule, graph: Graph, point: Sequence[Array]) -> bool:
    """What `jax.test_util.check_grads(order=2)` says, as it is but for the modes.

    A `custom_vjp` has no forward mode.
    """
    import jax
    from jax.test_util import check_grads

    from gradverify.differentiators.jax_numpy.settings import settings

    ways = ("rev",) if rule.pull is not RIGHT.pull else ("fwd", "rev")
    with settings("float64"):
        table = {**load("jax").table, op: in_jax(op, rule)}
        args = tuple(jax.numpy.asarray(x) for x in point)
        try:
            check_grads(Lowered(graph, table, "float64"), args, order=2, modes=ways)
        except Exception:
            return False
    return True


def autograd_is_content(
    op: str, rule: Rule, graph: Graph, point: Sequence[Array]
) -> bool:
    """What `autograd.test_util.check_grads(order=2)` says in both modes."""
    from autograd.test_util import check_grads

    table = {**load("autograd").table, op: in_autograd(op, rule)}
    function = Lowered(graph, table, "float64")
    try:
        every = tuple(
            range(len(point))
        )  # it takes the first argument alone if not told
        check_grads(function, every, modes=["fwd", "rev"], order=2)(*point)
    except Exception:
        return False
    return True
