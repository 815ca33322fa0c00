"""Slips that people make in a rule, planted into engines; written once, over NumPy.

They share no code with the table of causes that is to find them: what is right comes
from autograd, not from our rules.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.differentiators import Differentiator, Lowered, Pulled, mode
from gradverify.differentiators.hips_autograd import HipsAutograd
from gradverify.differentiators.pytorch import TorchCpu
from gradverify.graph import Array, Graph
from gradverify.ops import OPS

from .engines import NO_ROWS, PerUse, Rows

# (ct, y, operands, params, the right cotangents) to the wrong ones
Rule = Callable[..., Sequence[Any]]

REDUCTIONS = ("sum", "mean", "var", "norm", "logsumexp")
UNARY = ("exp", "log", "sin", "cos", "tanh", "sqrt", "sigmoid", "softplus", "square",
         "log10", "exp2", "atan", "sinh", "log1p", "expm1", "erf")  # fmt: skip
BINARY = ("mul", "div", "sub", "atan2", "hypot", "pow", "logaddexp")


@dataclass(frozen=True)
class Slip:
    """A slip: its name in the table of causes, the ops it may be in, and the rule."""

    cause: str
    ops: tuple[str, ...]
    rule: Rule
    detail: str = ""


def right_cotangents(op: str, ct: Any, operands: Sequence[Any], params: Any) -> Any:
    """What autograd gives for the operands of one op."""
    from autograd import make_vjp

    row: Any = HipsAutograd().table[op]
    args = [np.asarray(x) for x in operands]
    wrt = tuple(k for k, x in enumerate(args) if x.dtype != bool)
    vjp, _ = make_vjp(lambda *xs: row(*xs, **params), argnum=wrt)(*args)
    found = dict(zip(wrt, vjp(np.asarray(ct, float)), strict=True))
    return [found.get(k, 0.0) for k in range(len(args))]


def _partials(op: str, ct: Any, y: Any, operands: Sequence[Any], params: Any) -> Any:
    wide = [np.broadcast_to(x, np.shape(y)) for x in operands]
    return right_cotangents(op, np.ones(np.shape(y)), wide, params)


def _summed(term: Any, x: Any) -> Any:
    """A term in the shape of the operand x."""
    term = np.asarray(term)
    while term.ndim > np.ndim(x):
        term = term.sum(0)
    for axis, n in enumerate(np.shape(x)):
        if n == 1 != term.shape[axis]:
            term = term.sum(axis, keepdims=True)
    return term


# ---- the rules: (op, ct, y, operands, params) to cotangents


def scaled(factor: float, only: int | None = None) -> Rule:
    def rule(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
        found = right_cotangents(op, ct, xs, params)
        return [g * factor if only in (None, k) else g for k, g in enumerate(found)]

    return rule


def unit(only: int | None) -> Rule:
    """The partial taken as 1."""

    def rule(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
        found = right_cotangents(op, ct, xs, params)
        return [_summed(ct, x) if only in (None, k) else g
                for k, (g, x) in enumerate(zip(found, xs, strict=True))]  # fmt: skip

    return rule


def swapped(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    first, second = _partials(op, ct, y, xs, params)
    return [_summed(ct * second, xs[0]), _summed(ct * first, xs[1])]


def of_value(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    return [_summed(ct * y, x) for x in xs]


def cotangent(power: int) -> Rule:
    def rule(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
        return right_cotangents(op, np.asarray(ct) ** power, xs, params)

    return rule


def by_count(inverse: bool) -> Rule:
    def rule(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
        n = max(1, np.size(xs[0]) // max(1, np.size(y)))
        (found,) = right_cotangents(op, ct, xs, params)
        return [found / n if inverse else found * n]

    return rule


def as_op(other: str) -> Rule:
    def rule(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
        wide = [np.broadcast_to(x, np.shape(y)) for x in xs]
        found = right_cotangents(other, np.ones(np.shape(y)), wide, {})
        return [_summed(ct * p, x) for p, x in zip(found, xs, strict=True)]

    return rule


def single(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    """The partial in single precision."""
    found = _partials(op, ct, y, xs, params)
    return [_summed(ct * np.float64(np.asarray(p).astype(np.float32)), x)
            for p, x in zip(found, xs, strict=True)]  # fmt: skip


def first_entry(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    """Broadcasting undone by the first entry."""

    def first(term: Any, shape: Any) -> Any:
        term = np.asarray(term)
        while term.ndim > len(shape):
            term = term[0]
        for axis, n in enumerate(shape):
            term = term.take(range(n), axis) if n == 1 else term
        return term

    found = _partials(op, ct, y, xs, params)
    return [first(ct * p, np.shape(x)) for p, x in zip(found, xs, strict=True)]


def untransposed(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    found = right_cotangents(op, ct, xs, params)
    left, right = xs
    if np.ndim(left) == np.ndim(right) == 2 and len({*left.shape, *right.shape}) == 1:
        found = [ct @ right, left @ ct]
    return found


def stale() -> Rule:
    """The partials at the operands of the run before, of the same shapes."""
    before: dict[Any, Any] = {}

    def rule(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
        shapes = tuple(np.shape(x) for x in xs)
        used = before.get(shapes, xs)
        before[shapes] = [np.array(x) for x in xs]
        return right_cotangents(op, ct, used, params)

    return rule


def formula(*partials: Callable[..., Any]) -> Rule:
    """A partial for each operand, from the result, the operands and the params."""

    def rule(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
        with np.errstate(all="ignore"):
            found = [
                np.broadcast_to(f(y, *xs, **params), np.shape(y)) for f in partials
            ]
            return [_summed(ct * p, x) for p, x in zip(found, xs, strict=True)]

    return rule


def _kept(y: Any, x: Any, params: Any) -> Any:
    """The result of a reduction, or its cotangent, beside the operand."""
    axis = params.get("axis")
    axis = tuple(range(np.ndim(x))) if axis is None else tuple(axis)
    gone = {a % np.ndim(x) for a in axis} if np.ndim(x) else set()
    return np.reshape(y, [1 if k in gone else n for k, n in enumerate(np.shape(x))])


def norm_with_epsilon(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    (x,) = xs
    return [_kept(ct, x, params) * x / (_kept(y, x, params) + 1e-6)]


def log_softmax_by_output(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    axis = tuple(params["axis"])
    return [ct - y * np.sum(ct, axis=axis, keepdims=True)]


def softmax_without_sum(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    return [ct * y]


def over_one_less(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    """A reduction over n elements divided by n - 1, unless n is 1."""
    n = np.size(xs[0]) // max(1, np.size(y))
    (found,) = right_cotangents(op, ct, xs, params)
    return [found * n / max(n - 1, 1)]


def with_ddof(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
    """The deviation over n - 1 on the way back, or over n where it is over n - 1."""
    n = np.size(xs[0]) // max(1, np.size(y))
    ddof = params.get("ddof", 0)
    (found,) = right_cotangents(op, ct, xs, params)
    return [found * np.sqrt((n - ddof) / max(n - 1 + ddof, 1))]


SQUARE = ("matmul",)

# The rows of the table are wider than a page.
# ruff: noqa: E501

# fmt: off
SLIPS: tuple[Slip, ...] = (
    Slip("factor dropped",    BINARY,      unit(0), "the first"),
    Slip("factor dropped",    BINARY,      unit(1), "the second"),
    Slip("factor dropped",    BINARY,      unit(None), "all"),
    Slip("factor dropped",    UNARY,       unit(None)),
    Slip("path dropped",      BINARY,      scaled(0.0, 0), "the first"),
    Slip("path dropped",      BINARY,      scaled(0.0, 1), "the second"),
    Slip("sign",              UNARY,       scaled(-1.0)),
    Slip("sign",              BINARY,      scaled(-1.0, 1), "the second"),
    Slip("swapped",           BINARY,      swapped),
    Slip("transposed",        SQUARE,      untransposed),
    Slip("not summed",        BINARY,      first_entry),
    Slip("scaled by n",       REDUCTIONS,  by_count(False), "n"),
    Slip("scaled by n",       REDUCTIONS,  by_count(True), "1/n"),
    Slip("constant factor",   UNARY,       scaled(2.0), "2"),
    Slip("constant factor",   ("log10",),  scaled(math.log(10)), "ln 10"),
    Slip("constant factor",   ("exp2",),   scaled(1 / math.log(2)), "1/ln 2"),
    Slip("constant factor",   ("sin", "cos"), scaled(math.pi / 180), "π/180"),
    Slip("constant factor",   UNARY,       scaled(1.0 + 1e-9), "1e-9"),
    Slip("another op",        ("sin", "tanh", "exp", "atan"), as_op("sigmoid")),
    Slip("another op",        ("log", "sqrt", "sinh"), as_op("log1p")),
    Slip("value",             ("sin", "log", "tanh", "sqrt", "log1p"), of_value),
    Slip("lower precision",   UNARY,       single),
    Slip("cotangent ignored", UNARY,       cotangent(0)),
    Slip("cotangent squared", UNARY,       cotangent(2)),
    Slip("zero",              UNARY,       scaled(0.0)),
    Slip("wrong formula",     ("exp",),    formula(lambda y, x: x), "x for exp(x)"),
    Slip("wrong formula",     ("tanh",),   formula(lambda y, x: 1 - y), "1 - y for tanh"),
    Slip("wrong formula",     ("sigmoid",), formula(lambda y, x: y * (1 + y)), "y(1 + y) for sigmoid"),
    Slip("wrong formula",     ("log",),    formula(lambda y, x: x), "x for 1/x"),
    Slip("wrong formula",     ("div",),    formula(lambda y, a, b: 1 / b, lambda y, a, b: -y), "a/b for a/b**2"),
    Slip("wrong formula",     ("pow",),    formula(lambda y, a, b: b * a ** (b - 1), lambda y, a, b: y * np.log(b)), "the log of the exponent"),
    Slip("wrong formula",     ("sqrt",),   formula(lambda y, x: 0.5 / x), "1/(2x) for sqrt"),
    Slip("epsilon",           ("norm",),   norm_with_epsilon, "1e-6"),
    Slip("short constant",    ("log10",),  formula(lambda y, x: 0.4343 / x), "0.4343"),
    Slip("short constant",    ("log10",),  formula(lambda y, x: 1 / (2.3026 * x)), "1/2.3026"),
    Slip("short constant",    ("exp2",),   formula(lambda y, x: 0.6931 * y), "0.6931"),
    Slip("short constant",    ("erf",),    formula(lambda y, x: 1.1284 * np.exp(-x * x)), "1.1284"),
    Slip("result for exp",    ("log_softmax",), log_softmax_by_output),
    Slip("held constant",     ("softmax",), softmax_without_sum, "the sum"),
    Slip("other param",       ("std",),    with_ddof, "ddof"),
    Slip("scaled by n",       ("mean",),   over_one_less, "n/(n-1)"),
)
# fmt: on


# ---- engines


class Rewritten(Differentiator):
    """autograd, or PyTorch, which shows all adjoints, with another rule in it."""

    table: Rows = NO_ROWS
    name = "rewritten"

    def __init__(self, engine: Any, op: str, rule: Rule) -> None:
        self.engine = engine
        make = _autograd_row if isinstance(engine, HipsAutograd) else _torch_row
        self.table = {**engine.table, op: make(engine.table[op], op, rule)}

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """As the engine does it."""
        found: Pulled = self.engine.reverse(function, point, np.ones(()))
        return found


def _autograd_row(original: Any, op: str, rule: Rule) -> Any:
    from autograd.extend import defvjp, primitive

    apply = primitive(lambda *xs, **params: original(*xs, **params))

    def maker(k: int) -> Callable[..., Any]:
        return lambda y, *xs, **params: lambda ct: rule(op, ct, y, xs, params)[k]

    defvjp(apply, *(maker(k) for k in range(OPS[op].arity)))
    return apply


def _torch_row(original: Any, op: str, rule: Rule) -> Any:
    import torch

    def array(x: Any) -> Any:
        return x.detach().numpy() if isinstance(x, torch.Tensor) else x

    class Planted(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, params: Any, *xs: Any) -> Any:
            y = original(*xs, **params)
            ctx.seen = array(y), [array(x) for x in xs], params
            return y

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            y, xs, params = ctx.seen
            found = rule(op, ct.numpy(), y, xs, params)
            needed = ctx.needs_input_grad[1:]
            return None, *(
                torch.tensor(np.asarray(g, float)).reshape(np.shape(x)) if n else None
                for g, n, x in zip(found, needed, xs, strict=True)
            )

    return lambda *xs, **params: Planted.apply(params, *xs)


class Mixed(Differentiator):
    """autograd, whose derivatives are handed on by another function of them."""

    name = "mixed"

    def __init__(self, change: Callable[[Any, Sequence[Any]], Sequence[Any]]) -> None:
        self.engine = HipsAutograd()
        self.change = change

    @property
    def table(self) -> Mapping[str, Any]:
        """autograd's."""
        return self.engine.table

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """autograd's derivatives, changed."""
        found: Pulled = self.engine.reverse(function, point, np.ones(()))
        return Pulled(found.value, list(self.change(found.value, found.cotangents)))


def by_op(slip: Slip, op: str, inner: bool) -> Differentiator:
    """An engine with the slip in the rule of one op; `inner`: it shows all adjoints."""
    return Rewritten(TorchCpu() if inner else HipsAutograd(), op, slip.rule)


WHOLE_SLIPS: Mapping[str, Callable[[], Differentiator]] = {
    "overwritten": lambda: PerUse("overwriting", HipsAutograd(), False),
    "another input": lambda: Mixed(lambda y, g: list(reversed(g))),
    "lower precision": lambda: Mixed(
        lambda y, g: [np.float64(np.asarray(x).astype(np.float32)) for x in g]
    ),
}


def rightly(op: str, inner: bool) -> Differentiator:
    """The right twin of `by_op`."""
    return Rewritten(TorchCpu() if inner else HipsAutograd(), op, scaled(1.0))


def draw_slip(source: random.Random) -> tuple[Slip, str]:
    """A slip and the op that it is in."""
    kind = source.choice(sorted({s.cause for s in SLIPS}))
    slip = source.choice([s for s in SLIPS if s.cause == kind])
    return slip, source.choice(slip.ops)


def has_op(graph: Graph, op: str) -> bool:
    """Whether the op occurs."""
    return op in graph.ops
