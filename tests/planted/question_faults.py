"""Faults that one question sees and others do not, planted into PyTorch's functions.

Each is a `torch.autograd.Function` in the place of one op, or a mode that is written
wrongly. It is right for the value and for all questions but its own. Every fault has a
right twin, which is made in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch

from gradverify.differentiators import Accepts, Lowered, Pulled, Rows, mode
from gradverify.differentiators.pytorch.modes import TorchModes
from gradverify.differentiators.pytorch.table import rows
from gradverify.graph import Array
from gradverify.verify import Finding, ItemResult

Partial = Callable[..., Any]  # (y, *operands) to the partial by one of them
Second = Callable[[Any, tuple[Any, ...]], Any]  # a partial and operands to another one
SQRT_PI = 1.7724538509055159


def length(a: Any, b: Any) -> Any:
    """A hypotenuse to divide by: 1 where it is 0, so that no slope there is 0 / 0."""
    found = torch.hypot(a, b)
    return torch.where(found == 0, torch.ones_like(found), found)


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Partial, ...]]] = {
    "exp": (torch.exp, (lambda x: torch.exp(x),)),
    "log": (torch.log, (lambda x: 1 / x,)),
    "sin": (torch.sin, (lambda x: torch.cos(x),)),
    "cos": (torch.cos, (lambda x: -torch.sin(x),)),
    "tanh": (torch.tanh, (lambda x: 4 * torch.sigmoid(2 * x) * torch.sigmoid(-2 * x),)),
    "sigmoid": (
        torch.sigmoid,
        (lambda x: torch.sigmoid(x) * torch.sigmoid(-x),),
    ),
    "sqrt": (torch.sqrt, (lambda x: 0.5 / torch.sqrt(x),)),
    "log1p": (torch.log1p, (lambda x: 1 / (1 + x),)),
    "expm1": (torch.expm1, (lambda x: torch.exp(x),)),
    "square": (torch.square, (lambda x: 2 * x,)),
    "add": (torch.add, (lambda a, b: torch.ones_like(a * b),) * 2),
    "mul": (torch.mul, (lambda a, b: b, lambda a, b: a)),
    "div": (torch.div, (lambda a, b: 1 / b, lambda a, b: -a / b / b)),
    "atan2": (
        torch.atan2,
        (
            lambda a, b: b / torch.hypot(a, b) / torch.hypot(a, b),
            lambda a, b: -a / torch.hypot(a, b) / torch.hypot(a, b),
        ),
    ),
    "hypot": (
        torch.hypot,
        (lambda a, b: a / length(a, b), lambda a, b: b / length(a, b)),
    ),
    "logaddexp": (
        torch.logaddexp,
        (
            lambda a, b: torch.sigmoid(a - b),
            lambda a, b: torch.sigmoid(b - a),
        ),
    ),
}


def pulled(g: Any, partial: Any, k: int) -> Any:
    return product_of(g, partial)


def pushed(x_dot: Any, partial: Any, k: int) -> Any:
    return product_of(x_dot, partial)


def product_of(moved: Any, partial: Any) -> Any:
    """A cotangent or tangent times a slope; nothing where it is 0 and the slope is not
    finite.
    """
    product = moved * partial
    still = (moved == 0) & ~torch.isfinite(partial)
    return torch.where(still, torch.zeros_like(product), product)


def same(partial: Any, operands: tuple[Any, ...], k: int) -> Any:
    return partial


@dataclass(frozen=True)
class Rule:
    """How a function goes wrong; without arguments it is right.

    pull: cotangent, partial and operand to what the operand receives. push: the same of
    a tangent. bent: a partial and the operands to a partial of the same value, which
    may have another derivative.
    """

    pull: Callable[[Any, Any, int], Any] = pulled
    push: Callable[[Any, Any, int], Any] = pushed
    bent: Callable[[Any, tuple[Any, ...], int], Any] = same


def elementwise(op: str, rule: Rule) -> Callable[..., Any]:
    """A custom function for an elementwise op."""
    function, partials = FUNCTIONS[op]

    def of(k: int, operands: tuple[Any, ...]) -> Any:
        return rule.bent(partials[k](*operands), operands, k)

    class Custom(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*operands: Any) -> Any:
            return function(*operands)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            operands = ctx.saved_tensors
            return tuple(
                rule.pull(g, of(k, operands), k).sum_to_size(x.shape)
                for k, x in enumerate(operands)
            )

        @staticmethod
        def jvp(ctx: Any, *tangents: Any) -> Any:
            operands = ctx.saved_tensors
            terms = [
                rule.push(x_dot, of(k, operands), k)
                for k, x_dot in enumerate(tangents)
                if x_dot is not None
            ]
            shape = torch.broadcast_shapes(*(x.shape for x in operands))
            return sum(terms[1:], terms[0]).broadcast_to(shape).clone()

    def row(*operands: Any) -> Any:
        like = next(x for x in operands if isinstance(x, torch.Tensor))
        return Custom.apply(*(torch.as_tensor(x, dtype=like.dtype) for x in operands))

    return row


# ---- faults of a cotangent or a tangent


def squared(g: Any, partial: Any, k: int) -> Any:
    return g * g * partial


def ignored(g: Any, partial: Any, k: int) -> Any:
    return torch.ones_like(g) * partial


def dropped(which: int) -> Callable[[Any, Any, int], Any]:
    return lambda x_dot, partial, k: x_dot * partial * (0.0 if k == which else 1.0)


def negated(x_dot: Any, partial: Any, k: int) -> Any:
    return -x_dot * partial


def doubled(x_dot: Any, partial: Any, k: int) -> Any:
    return 2 * x_dot * partial


# ---- faults of second order: the partial's value is right, its derivative is not


def with_derivative(value: Any, other: Any) -> Any:
    """The value of one with the derivative of the other."""
    return value.detach() + other - other.detach()


def detached(partial: Any, operands: Any, k: int) -> Any:
    return partial.detach()


def turned(partial: Any, operands: Any, k: int) -> Any:
    return with_derivative(partial, -partial)


def twice(partial: Any, operands: Any, k: int) -> Any:
    return with_derivative(partial, 2 * partial)


def detached_by(which: int) -> Callable[[Any, Any, int], Any]:
    """The partial by one operand alone is held constant."""
    return lambda partial, operands, k: partial.detach() if k == which else partial


def without_history(g: Any, partial: Any, k: int) -> Any:
    """The cotangent is held constant, or the tangent."""
    return g.detach() * partial


def detached_forward(x_dot: Any, partial: Any, k: int) -> Any:
    return x_dot * partial.detach()


def exchanged(op: str) -> Callable[[Any, tuple[Any, ...], int], Any]:
    """The partials' derivatives by the two operands have changed places."""

    def bent(partial: Any, operands: tuple[Any, ...], k: int) -> Any:
        a, b = operands
        other = (a.detach() + b - b.detach(), b.detach() + a - a.detach())
        return with_derivative(partial, FUNCTIONS[op][1][k](*other))

    return bent


def detached_at_ties(partial: Any, operands: Any, k: int) -> Any:
    a, b = torch.broadcast_tensors(*operands)
    return torch.where(a.abs() == b.abs(), partial.detach(), partial)


# ---- functions of their own


class Cumsum(torch.autograd.Function):
    """A cumulative sum whose forward rule is the reverse one."""

    @staticmethod
    def forward(ctx: Any, x: Any, axis: int) -> Any:
        ctx.axis = axis
        return torch.cumsum(x, axis)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.flip(ctx.axis).cumsum(ctx.axis).flip(ctx.axis), None

    @staticmethod
    def jvp(ctx: Any, x_dot: Any, axis: None) -> Any:
        return x_dot.flip(ctx.axis).cumsum(ctx.axis).flip(ctx.axis)


class Softmax(torch.autograd.Function):
    """A softmax whose result is held constant in its own derivative."""

    @staticmethod
    def forward(ctx: Any, x: Any, axis: int) -> Any:
        y = torch.softmax(x, axis)
        ctx.axis = axis
        ctx.kept = y.detach()
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        y = ctx.kept
        return y * (g - (g * y).sum(ctx.axis, keepdim=True)), None


class Product(torch.autograd.Function):
    """A product whose second derivative is 0 where two factors are 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.prod(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        flat = x.reshape(-1)
        others = [
            torch.prod(torch.cat((flat[:k], flat[k + 1 :]))) for k in range(len(flat))
        ]
        partial = torch.stack(others).reshape(x.shape) if others else x
        if int((x == 0).sum()) == 2:
            partial = partial.detach()
        return g * partial


def product(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    whole = rows("cpu")["prod"]
    if axis is None and not keepdims:
        return Product.apply(x)
    return whole(x, axis=axis, keepdims=keepdims)  # type: ignore[operator]


# ---- engines


class Planted(TorchModes):
    """PyTorch with one row in the place of its own."""

    accepts = Accepts(dtypes=("float64", "float32"), absent_tangents=True)
    table: Rows = MappingProxyType({})  # every instance has its own

    def __init__(self, name: str, others: Rows) -> None:
        self.name = name  # type: ignore[misc]
        self.table = {**rows(self.device), **others}

    def versions(self) -> Mapping[str, str]:
        """That of PyTorch, whose known deviations depend on it."""
        return {"torch": torch.__version__}


class MixedRows(Planted):
    """Its batching rule gives the rows of a Jacobian in another order."""

    @mode("jacobian")
    def mixed(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`jacrev`, with the first and the last row exchanged."""
        found = TorchModes.modes()["jacrev"].__get__(self, type(self))(function, point)
        return Pulled(found.value, [b and None if b is None else _mixed(b, found.value)
                                    for b in found.cotangents])  # fmt: skip


def _mixed(block: Any, value: Any) -> Any:
    return block[::-1] if value.ndim else block


class LowerTriangle(Planted):
    """Its Hessian has zeros above the diagonal."""

    @mode("hessian")
    def lower(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`hessian`, of which blocks for j > i are missing."""
        own = TorchModes.modes()["hessian"].__get__(self, type(self))
        found = own(function, point)
        return Pulled(found.value, [
            [None if j > i else block for j, block in enumerate(row)]
            for i, row in enumerate(found.cotangents)
        ])  # fmt: skip


class Overwrites(Planted):
    """A second backward overwrites what the first one left, and should add to it."""

    @mode("vjp")
    def overwriting(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """Two passes with half of the cotangent each."""
        reverse = TorchModes.modes()["reverse"].__get__(self, type(self))
        return Pulled(*reverse(function, point, cotangent / 2)[:2])


@dataclass(frozen=True)
class QuestionFault:
    """A fault, where it is looked for, and the mode that sees it.

    family: the op or graph family whose cases show it.
    """

    name: str
    family: str
    mode: str
    row: Any = None
    engine: type[Planted] = Planted
    right: Any = field(default=None)

    def planted(self) -> Planted:
        """The engine with the fault."""
        own = {} if self.row is None else {self.family: self.row}
        return self.engine("planted", own)

    def twin(self) -> Planted:
        """The engine with the right function, made in the same way.

        All else is PyTorch's own, so that it has PyTorch's name and known deviations.
        """
        own = {} if self.right is None else {self.family: self.right}
        return Planted("torch-cpu", own)


def _rule(name: str, op: str, mode: str, rule: Rule) -> QuestionFault:
    right = elementwise(op, Rule())
    return QuestionFault(name, op, mode, elementwise(op, rule), right=right)


SECOND = "reverse-over-reverse"
FORWARD = "forward-over-forward"

FAULTS = (
    *(_rule("cotangent squared", op, "reverse", Rule(pull=squared))
      for op in ("exp", "tanh", "mul", "hypot")),
    *(_rule("cotangent ignored", op, "reverse", Rule(pull=ignored))
      for op in ("sin", "sigmoid", "div", "sqrt")),
    *(_rule(f"tangent of operand {k} dropped", op, "forward", Rule(push=dropped(k)))
      for op, k in (("mul", 0), ("mul", 1), ("div", 1), ("atan2", 0), ("hypot", 1),
                    ("add", 1))),
    *(_rule("wrong sign of the forward rule", op, "forward", Rule(push=negated))
      for op in ("exp", "log", "sin", "cos", "tanh", "sigmoid")),
    *(_rule("forward rule twice as large", op, "forward", Rule(push=doubled))
      for op in ("sqrt", "square")),
    *(_rule("factor detached", op, SECOND, Rule(bent=detached))
      for op in ("exp", "log", "sin", "tanh", "sigmoid", "sqrt", "div", "hypot")),
    *(_rule(f"factor of operand {k} detached", op, SECOND, Rule(bent=detached_by(k)))
      for op, k in (("mul", 0), ("mul", 1), ("logaddexp", 1))),
    *(_rule("second derivative of the wrong sign", op, SECOND, Rule(bent=turned))
      for op in ("cos", "atan2")),
    *(_rule("second derivative twice as large", op, SECOND, Rule(bent=twice))
      for op in ("log1p", "expm1")),
    *(_rule("cotangent detached", op, SECOND, Rule(pull=without_history))
      for op in ("exp", "mul")),
    *(_rule("second partials exchanged", op, SECOND, Rule(bent=exchanged(op)))
      for op in ("div", "mul")),
    _rule("factor of the forward rule detached", "sin", FORWARD,
          Rule(push=detached_forward)),
    *(_rule("zero second derivative at ties", op, SECOND, Rule(bent=detached_at_ties))
      for op in ("logaddexp", "hypot")),
    QuestionFault("jvp transposed", "cumsum", "forward",
                  lambda x, axis: Cumsum.apply(x, axis[0])),
    QuestionFault("result detached", "softmax", SECOND,
                  lambda x, axis: Softmax.apply(x, axis[0])),
    QuestionFault("zero second derivative at two zeros", "prod", SECOND, product),
    QuestionFault("rows of a batch exchanged", "exp", "mixed", engine=MixedRows),
    QuestionFault("half of the Hessian missing", "mul", "lower", engine=LowerTriangle),
    QuestionFault("accumulation that overwrites", "exp", "overwriting",
                  engine=Overwrites),
)  # fmt: skip


def unexplained(result: ItemResult) -> list[Finding]:
    """What a twin is accused of, but for what known deviations of PyTorch explain."""
    return [
        f for f in result.findings if f.judgement.verdict.fails() and f.known is None
    ]
