"""Engines into which a rule can be put: our tape, and wrappers of two libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.autodiff import Tape, Variable
from gradverify.autodiff.operands import constant
from gradverify.autodiff.rules import Rule, rules_of
from gradverify.differentiators import Accepts, Differentiator, Lowered, Pulled, mode
from gradverify.differentiators.hips_autograd import HipsAutograd
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.differentiators.pytorch import TorchCpu
from gradverify.graph import Array, Graph, Node, input_leaf
from gradverify.ops import OPS
from gradverify.ops.maps import Linear, unbroadcast

Rows = Mapping[str, Callable[..., Any]]
NO_ROWS: Rows = MappingProxyType({})  # every instance has its own
BOTH = Accepts(dtypes=("float64", "float32"))

# (ct, y, *operands, **params) to the cotangents of the operands, over NumPy
Vjp = Callable[..., Sequence[Any]]


class Engine(Protocol):
    """How a fault gets into an engine."""

    @staticmethod
    def with_rule(name: str, op: str, vjp: Vjp) -> Differentiator:
        """The engine with that rule for one op."""

    @staticmethod
    def adding(name: str, *, accumulates: bool) -> Differentiator:
        """The engine with the contributions of a fan-out added up, or overwritten."""


# ---- our tape


class PlantedTape(Differentiator):
    """A tape of our own that was made with care or without."""

    accepts = BOTH
    table: Rows = NO_ROWS

    def __init__(
        self, name: str, make: Callable[[], Tape], rows: Rows = NO_ROWS
    ) -> None:
        self.name = name  # type: ignore[misc]
        self.make = make
        self.table = {**make().table, **rows}

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """One sweep from the output."""
        tape = self.make()
        inputs = [tape.variable(x) for x in point]
        output = function(*inputs)
        if not isinstance(output, Variable):
            return Pulled(output, [None] * len(point))
        found = tape.cotangents({output: 1.0})
        return Pulled(output.primal, [found[x.index] for x in inputs])

    @staticmethod
    def with_rule(name: str, op: str, vjp: Vjp) -> Differentiator:
        """A copy of the table of rules with other rows for one op.

        A composite becomes an op of its own, which the tape has a rule for.
        """

        def linear(k: int) -> Linear:
            def pull(m: Any, ct: Any, y: Any, *xs: Any, **params: Any) -> Any:
                return vjp(ct, y, *xs, **params)[k]

            return Linear(jvp=_no_jvp, vjp=pull)

        row = tuple(linear(k) for k in range(OPS[op].arity))
        if not OPS[op].is_primitive:
            return PlantedTape(name, Tape, {op: _recorded(op, row)})
        rows = {op: row}

        def rules(name: str, arity: int) -> tuple[Rule, ...]:
            return rows.get(name) or rules_of(name, arity)

        return PlantedTape(name, lambda: Tape(rules=rules))

    @staticmethod
    def adding(name: str, *, accumulates: bool) -> Differentiator:
        """A sweep of its own."""
        return PlantedTape(name, SummingTape if accumulates else OverwritingTape)


def _recorded(op: str, rules: tuple[Rule, ...]) -> Callable[..., Any]:
    """An op on variables that is written on their tape with these rules."""
    function = FLOATS.table[op]

    def apply(*operands: Any, **params: Any) -> Any:
        variables = [x for x in operands if isinstance(x, Variable)]
        if not variables:
            return function(*operands, **params)
        tape, like = variables[0].tape, variables[0].primal
        primals = tuple(
            x.primal if isinstance(x, Variable) else constant(FLOATS, x, like)
            for x in operands
        )
        indices = tuple(x.index if isinstance(x, Variable) else -1 for x in operands)
        y = function(*primals, **params)
        tape.steps.append((rules, y, primals, indices, params))
        return tape.variable_class(tape, len(tape.steps) - 1, y)

    return apply


def _no_jvp(*operands: Any, **params: Any) -> Any:
    raise NotImplementedError("planted rules go backward only")


class SummingTape(Tape):
    """A tape whose sweep is written out plainly."""

    accumulates = True

    def cotangents(self, seeds: Mapping[Variable, Any]) -> list[Any]:
        """The cotangents of all variables."""
        found: list[Any] = [None] * len(self.steps)
        for y, seed in seeds.items():
            found[y.index] = np.float64(seed)
        for i in reversed(range(len(self.steps))):
            for j, term in _terms(self.steps[i], found[i]):
                if self.accumulates and found[j] is not None:
                    term = found[j] + term
                found[j] = term
        return found


class OverwritingTape(SummingTape):
    """The same, but for the sum."""

    accumulates = False


def _terms(step: Any, ct: Any) -> list[tuple[int, Any]]:
    """What one application adds to the cotangents of the variables it was put to."""
    rules, y, xs, parents, params = step
    terms = []
    for rule, x, j in zip(rules, xs, parents, strict=True):
        if j < 0 or ct is None:
            continue
        if isinstance(rule, Linear):
            terms.append((j, rule.vjp(FLOATS, ct, y, *xs, **params)))
            continue
        partial = rule(FLOATS, y, *xs, **params) if callable(rule) else rule
        terms.append((j, unbroadcast(FLOATS, ct * partial, np.shape(x), np.ndim(y))))
    return terms


# ---- libraries


class PlantedAutograd(Differentiator):
    """autograd, with one of its functions replaced."""

    accepts = BOTH
    table: Rows = NO_ROWS
    reverse = HipsAutograd.reverse

    def __init__(self, name: str, rows: Rows) -> None:
        self.name = name  # type: ignore[misc]
        self.table = {**HipsAutograd().table, **rows}

    @staticmethod
    def with_rule(name: str, op: str, vjp: Vjp) -> Differentiator:
        """A primitive of autograd's with that rule; over NumPy where it has none."""
        from autograd.extend import defvjp, primitive

        row = HipsAutograd().table[op]
        original: Any = row if callable(row) else FLOATS.table[op]
        apply = primitive(lambda *xs, **params: original(*xs, **params))

        def maker(k: int) -> Callable[..., Any]:
            return lambda y, *xs, **params: lambda ct: vjp(ct, y, *xs, **params)[k]

        defvjp(apply, *(maker(k) for k in range(OPS[op].arity)))
        return PlantedAutograd(name, {op: apply})

    @staticmethod
    def adding(name: str, *, accumulates: bool) -> Differentiator:
        """autograd, run with an input for every use."""
        return PerUse(name, HipsAutograd(), accumulates)


class PlantedTorch(Differentiator):
    """PyTorch, with one of its functions replaced."""

    accepts = BOTH
    table: Rows = NO_ROWS
    device = TorchCpu.device
    reverse, _leaves = TorchCpu.reverse, TorchCpu._leaves

    def __init__(self, name: str, rows: Rows) -> None:
        self.name = name  # type: ignore[misc]
        self.table = {**TorchCpu().table, **rows}

    @staticmethod
    def with_rule(name: str, op: str, vjp: Vjp) -> Differentiator:
        """A `torch.autograd.Function` with that rule."""
        original: Any = TorchCpu().table[op]
        return PlantedTorch(name, {op: _torch_function(original, vjp)})

    @staticmethod
    def of_function(name: str, op: str, value: Any, vjp: Vjp) -> Differentiator:
        """The same of a function of tensors that PyTorch does not have."""
        return PlantedTorch(name, {op: _torch_function(value, vjp)})

    @staticmethod
    def adding(name: str, *, accumulates: bool) -> Differentiator:
        """PyTorch, run with an input for every use."""
        return PerUse(name, TorchCpu(), accumulates)


def _torch_function(original: Callable[..., Any], vjp: Vjp) -> Callable[..., Any]:
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
            found = vjp(ct.numpy(), y, *xs, **params)
            needed = ctx.needs_input_grad[1:]
            # a copy in C order: PyTorch takes no array that runs backwards
            tensors = (torch.tensor(np.array(g, order="C")) if n else None
                       for g, n in zip(found, needed, strict=True))  # fmt: skip
            return None, *tensors

    return lambda *xs, **params: Planted.apply(params, *xs)


class PerUse(Differentiator):
    """An engine that is given an input of its own for every use of an input.

    The cotangents of the uses are added up, or the last one overwrites the others.
    """

    accepts = BOTH
    table: Rows = NO_ROWS

    def __init__(self, name: str, engine: Any, accumulates: bool) -> None:
        self.name = name  # type: ignore[misc]
        self.engine = engine
        self.accumulates = accumulates
        self.table = engine.table

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The engine's own gradient by all uses, put together."""
        graph, uses = one_use_each(function.graph)
        lowered = Lowered(graph, self.table, function.dtype)
        leaves = [point[k] for k in uses]
        pulled = self.engine.reverse(lowered, leaves, np.ones(()))
        found: list[Any] = [None] * len(point)
        for k, ct in zip(uses, pulled.cotangents, strict=True):
            if ct is not None:
                added = self.accumulates and found[k] is not None
                found[k] = found[k] + ct if added else ct
        return Pulled(pulled.value, found)


def one_use_each(graph: Graph) -> tuple[Graph, list[int]]:
    """The graph with an input for every use of an input, and which input that was."""
    nodes: list[Node] = []
    place: dict[int, int] = {}
    uses: list[int] = []
    order = {node: k for k, node in enumerate(graph.inputs)}

    def use(j: int) -> int:
        if j not in order:
            return place[j]
        uses.append(order[j])
        nodes.append(input_leaf(graph.nodes[j].shape))
        return len(nodes) - 1

    for i, node in enumerate(graph.nodes):
        if i not in order:
            operands = tuple(use(j) for j in node.operands)
            place[i] = len(nodes)
            nodes.append(Node(node.op, operands, node.params, node.shape, node.value))
    if not nodes or graph.output.op == "input":
        use(len(graph.nodes) - 1)
    return Graph(tuple(nodes)), uses


ENGINES: Mapping[str, type[Engine]] = {
    OwnTape.name: PlantedTape,
    HipsAutograd.name: PlantedAutograd,
    TorchCpu.name: PlantedTorch,
}
