"""The program that a file writes down, statement by statement, and its derivatives.

Every name, written number and derivative is a node of one straight-line program over
primitives, so that whatever a claim says has a value wherever the program has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import PRIMITIVE_SYMBOLS, Program, Symbol
from gradverify.autodiff.sweep import reverse
from gradverify.claims.claim_limits import FILE_ELEMENTS, FILE_NODES, MATRIX_ROWS
from gradverify.claims.computation.constants import plain_number
from gradverify.graph import Array, Graph, Node, data_leaf, input_leaf
from gradverify.ops import OPS, Shape

WITH_COFACTORS = frozenset({
    "det", "slogdet", "logdet", "inv", "solve", "lstsq", "pinv", "pinv_singular",
    "matrix_power",
})  # fmt: skip


class NotUnderstood(ValueError):
    """Something in a file is outside what is read; the text says what and why."""


class Failed(NotUnderstood):
    """Something that gradverify itself fails at."""


def _is_large(shape: Shape) -> bool:
    """Whether a matrix has so many rows and columns that n! products are too many."""
    return len(shape) > 1 and min(shape[-2:]) > MATRIX_ROWS


@contextmanager
def understood() -> Iterator[None]:
    """Whatever goes wrong within is `NotUnderstood`: no file ends the command."""
    try:
        yield
    except (NotUnderstood, ImportError):
        raise
    except RecursionError:
        raise NotUnderstood("nested too deeply") from None
    except Exception as error:
        why = f"{type(error).__name__}: {str(error)[:80]}"
        raise Failed(f"gradverify fails to read it ({why})") from error


@dataclass(frozen=True, eq=False)
class Leaf:
    """A number or array that a file writes down, or one that it leaves open.

    value: fractions, exactly as written; None where the file does not say.
    half_unit: how far each may be off, where it is a rounded decimal; else None.
    reason: why there is no value.
    is_constant: whether it has no name, so that it is never moved.
    """

    shape: Shape
    value: Array | None = None
    half_unit: Array | None = None
    reason: str = ""
    is_constant: bool = False


@dataclass(frozen=True, eq=False)
class Cut:
    """The part of a program that a node needs, as a graph of its own.

    leaves: for every input of the graph, its node in the program.
    place: for every node of the program that is in it, its node in the graph.
    """

    graph: Graph
    leaves: tuple[int, ...]
    place: Mapping[int, int]


@dataclass(eq=False)
class FileProgram:
    """Nodes by number; those in `leaves` were written down, the others follow.

    derivatives: for a node that is a derivative, of which node by which.
    gradients: nodes that a library would have computed. masks: nodes that are 1 where
    a comparison holds and 0 elsewhere. supposed: nodes that functions from elsewhere
    give, which are read as their names say. spent: how many nodes and elements are not
    counted, since another part of the file has them.
    """

    record: Program = field(default_factory=Program)
    leaves: dict[int, Leaf] = field(default_factory=dict)
    derivatives: dict[int, tuple[int, int]] = field(default_factory=dict)
    gradients: set[int] = field(default_factory=set)
    masks: set[int] = field(default_factory=set)
    supposed: set[int] = field(default_factory=set)
    elements: int = 0
    spent: tuple[int, int] = (0, 0)
    _sweeps: dict[Any, dict[int, Symbol]] = field(default_factory=dict)

    # ---- trials

    def length(self) -> tuple[int, int]:
        """How far the program goes, for `shorten`."""
        return len(self.record.nodes), self.elements

    def shorten(self, length: tuple[int, int]) -> None:
        """Undo what was written down after the program had this length."""
        count, self.elements = length
        del self.record.nodes[count:]
        self.leaves = {i: leaf for i, leaf in self.leaves.items() if i < count}
        self.derivatives = {i: d for i, d in self.derivatives.items() if i < count}
        self.gradients = {i for i in self.gradients if i < count}
        self.masks = {i for i in self.masks if i < count}
        self.supposed = {i for i in self.supposed if i < count}
        self._sweeps.clear()

    def count_anew(self) -> None:
        """A code that draws large pictures leaves room for what comes after it."""
        self.spent = self.length()

    # ---- leaves

    def leaf(self, leaf: Leaf) -> Symbol:
        """A new node for something that is written down."""
        self._grow(leaf.shape)
        symbol = self.record.append(input_leaf(leaf.shape))
        self.leaves[symbol.index] = leaf
        return symbol

    def number(self, value: Any, **more: Any) -> Symbol:
        """A node for a fraction, or an object array of them."""
        array = np.asarray(value, dtype=object)
        return self.leaf(Leaf(array.shape, array, **more))

    def constant(self, value: Fraction) -> Symbol:
        """A number that is never moved; as data where a float equals it."""
        plain = plain_number(value)
        if plain is None:
            return self.number(value, is_constant=True)
        return self.record.append(data_leaf(float(plain)))

    def _grow(self, shape: Shape) -> None:
        """Count what is added; too large an array is refused, and not all after it."""
        size = int(np.prod(shape, dtype=object))
        nodes, elements = self.spent
        is_long = len(self.record.nodes) - nodes > FILE_NODES
        if is_long or self.elements + size - elements > FILE_ELEMENTS:
            raise NotUnderstood(
                f"the file computes more than {FILE_ELEMENTS} numbers in {FILE_NODES} "
                "steps; allowed: up to that"
            )
        self.elements += size

    # ---- ops

    def apply(self, op: str, *operands: Symbol, **params: Any) -> Symbol:
        """An op of the table applied, written in primitives.

        `NotUnderstood` where operands or params do not fit.
        """
        row = OPS[op]
        if row.arity and len(operands) != row.arity:
            raise NotUnderstood(f"{op} takes {row.arity} operands, not {len(operands)}")
        if op in WITH_COFACTORS and any(_is_large(x.shape) for x in operands):
            raise NotUnderstood(f"{op} is written out up to {MATRIX_ROWS} rows")
        try:
            result: Symbol = PRIMITIVE_SYMBOLS.table[op](*operands, **params)
        except (ValueError, TypeError, IndexError) as error:
            raise NotUnderstood(f"{op} does not fit: {error}") from None
        self._grow(result.shape)
        return result

    def copy(self, symbol: Symbol) -> Symbol:
        """The same value as a node of its own."""
        return self.apply("reshape", symbol, shape=symbol.shape)

    # ---- derivatives

    def cut(self, y: int, stops: frozenset[int] = frozenset()) -> Cut:
        """What node y needs; nodes in `stops` become inputs."""
        nodes = self.record.nodes
        kept = sorted(self._needed(y, stops))
        place = {old: new for new, old in enumerate(kept)}
        parts = []
        for i in kept:
            node = nodes[i]
            if i in stops and i != y and node.op not in ("data", "literal"):
                parts.append(input_leaf(node.shape))
            else:
                operands = tuple(place[j] for j in node.operands)
                parts.append(
                    Node(node.op, operands, node.params, node.shape, node.value)
                )
        leaves = tuple(i for i in kept if parts[place[i]].op == "input")
        return Cut(Graph(tuple(parts)), leaves, place)

    def derivative(
        self, y: Symbol, x: Symbol, stops: frozenset[int] = frozenset()
    ) -> Symbol:
        """The derivative of y with respect to x, as a node of x's shape.

        y is a single number, or of the shape of x and elementwise in it. With `stops`
        those nodes are held: only what y depends on beside them counts.
        """
        if y.shape != () and y.index != x.index:
            self._check_elementwise(y, x)
        stops -= {x.index, y.index}
        key = (y.index, stops | ({x.index} if stops else set()))
        if key not in self._sweeps:
            self._sweeps[key] = self._sweep(y, frozenset(key[1]))
        found = self._sweeps[key].get(x.index)
        if found is None:
            zeros = np.zeros(x.shape)
            found = self.record.append(data_leaf(zeros))
        result = self.copy(found)  # a node of its own, which may be told apart
        if not stops:
            self.derivatives[result.index] = (y.index, x.index)
        return result

    def _sweep(self, y: Symbol, stops: frozenset[int]) -> dict[int, Symbol]:
        cut = self.cut(y.index, stops)
        old = {new: i for i, new in cut.place.items()}
        values = [Symbol(self.record, old[k]) for k in range(len(old))]
        seed = self.record.append(data_leaf(np.ones(y.shape)))
        seeds = {len(values) - 1: seed}
        found = reverse(cut.graph, PRIMITIVE_SYMBOLS, values, seeds)
        return {old[k]: ct for k, ct in enumerate(found) if ct is not None}

    def _check_elementwise(self, y: Symbol, x: Symbol) -> None:
        cut = self.cut(y.index, frozenset({x.index}))
        if x.index not in cut.place:
            return
        depends = {cut.place[x.index]}
        for k, node in enumerate(cut.graph.nodes):
            if depends & set(node.operands):
                depends.add(k)
                if not is_elementwise(node.op) or node.shape != x.shape:
                    raise NotUnderstood(
                        f"the derivative of an array of shape {y.shape} is a Jacobian; "
                        "only scalars and elementwise functions are read"
                    )

    def _needed(self, y: int, stops: frozenset[int] = frozenset()) -> set[int]:
        """The nodes that y is computed from, itself among them."""
        nodes, needed, waiting = self.record.nodes, {y}, [y]
        while waiting:
            i = waiting.pop()
            if i not in stops or i == y:
                new = [j for j in nodes[i].operands if j not in needed]
                needed.update(new)
                waiting += new
        return needed

    def depends(self, y: int, x: int) -> bool:
        """Whether node y is computed from node x."""
        return x <= y and x in self._needed(y)

    def leaves_beneath(self, several: Iterable[int]) -> set[int]:
        """The leaves that nodes are computed from."""
        return {i for y in several for i in self._needed(y) if i in self.leaves}


def is_elementwise(op: str) -> bool:
    """Whether an op's every result comes from the operands at its own place."""
    from gradverify.ops import shapes

    return OPS[op].shape is shapes.elementwise or op in ("power", "scale")
