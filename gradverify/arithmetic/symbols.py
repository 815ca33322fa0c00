"""Symbols: a graph or a Python function that is run on them writes down a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.graph import Graph, Node, apply_op, data_leaf, input_leaf, literal_leaf
from gradverify.ops import OPS, Shape


class Program:
    """Nodes that are written down one by one. Constants are rounded to the dtype."""

    def __init__(self, dtype: str = "float64") -> None:
        self.nodes: list[Node] = []
        self.dtype = np.dtype(dtype).type

    def append(self, node: Node) -> Symbol:
        """The symbol of a node put at the end."""
        self.nodes.append(node)
        return Symbol(self, len(self.nodes) - 1)

    def apply(self, op: str, *operands: Any, **params: Any) -> Symbol:
        """The symbol of the result of `op`. Numbers and arrays become leaves."""
        indices = [self.lift(x).index for x in operands]
        return self.append(apply_op(self.nodes, op, indices, **params))

    def lift(self, value: Any) -> Symbol:
        """The symbol itself; for a Python number a literal, for an array data."""
        if isinstance(value, Symbol):
            return value
        if isinstance(value, int | float) and not isinstance(value, np.floating):
            whole = isinstance(value, int)
            return self.append(literal_leaf(value if whole else self.rounded(value)))
        return self.append(data_leaf(self.rounded(value)))

    def rounded(self, value: Any) -> Any:
        """A number or an array, rounded to the dtype. Masks stay as they are."""
        if isinstance(value, float) and not isinstance(value, np.floating):
            return float(self.dtype(value))
        array = np.asarray(value)
        return array if array.dtype == bool else array.astype(self.dtype)

    def graph(self, output: Symbol) -> Graph:
        """The program up to `output`, which becomes the last node."""
        return Graph(tuple(self.nodes[: output.index + 1]))


def _operator(op: str) -> Callable[[Symbol, Any], Symbol]:
    return lambda self, other: self.program.apply(op, self, other)


def _reflected(op: str) -> Callable[[Symbol, Any], Symbol]:
    return lambda self, other: self.program.apply(op, other, self)


class Symbol:
    """A value that is a node of a program. Python's operators apply ops to it."""

    __slots__ = ("index", "program")
    __array_ufunc__ = None  # so that `ndarray + Symbol` asks Symbol

    def __init__(self, program: Program, index: int) -> None:
        self.program = program
        self.index = index

    @property
    def shape(self) -> Shape:
        """The node's shape."""
        return self.program.nodes[self.index].shape

    @property
    def ndim(self) -> int:
        """The node's rank."""
        return len(self.shape)

    def __neg__(self) -> Symbol:
        return self.program.apply("neg", self)

    def __pow__(self, other: Any) -> Symbol:
        if isinstance(other, int | float):
            return self.program.apply("power", self, n=other)
        return self.program.apply("pow", self, other)

    __add__, __radd__ = _operator("add"), _reflected("add")
    __sub__, __rsub__ = _operator("sub"), _reflected("sub")
    __mul__, __rmul__ = _operator("mul"), _reflected("mul")
    __truediv__, __rtruediv__ = _operator("div"), _reflected("div")
    __matmul__, __rmatmul__ = _operator("matmul"), _reflected("matmul")
    __rpow__ = _reflected("pow")


def _apply(op: str) -> Callable[..., Any]:
    def apply(*operands: Any, **params: Any) -> Any:
        program = next(x.program for x in operands if isinstance(x, Symbol))
        return program.apply(op, *operands, **params)

    return apply


# These are primitives alone. Composite ops expand, so a graph run on them is expanded.
PRIMITIVE_SYMBOLS = Arithmetic(
    "symbols", {name: _apply(name) for name in OPS.primitives()}, lambda x: x
)
SYMBOLS = Arithmetic(
    "symbols", {row.name: _apply(row.name) for row in OPS}, lambda x: x
)


def trace(
    function: Callable[..., Any],
    *shapes: Sequence[int],
) -> Graph:
    """The graph of a Python function of symbols, with one input for each shape.

    The function may use Python's operators, and ops such as `SYMBOLS.exp(x)`. Raises
    `ValueError` where the shapes of operands do not fit, with the op and the shapes.
    """
    program = Program()
    inputs = [program.append(input_leaf(shape)) for shape in shapes]
    return program.graph(program.lift(function(*inputs)))
