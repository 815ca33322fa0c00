"""Names of nodes, partial derivatives and numbers, as sentences have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS, Program, Symbol
from gradverify.autodiff.rules import rules_of
from gradverify.diagnosis.right_sweep import Right
from gradverify.graph import (
    CONSTANTS,
    Graph,
    Node,
    apply_op,
    formula,
    input_leaf,
    live,
    names_of,
)
from gradverify.graph.latex import latex, symbol
from gradverify.graph.show import LETTERS
from gradverify.ops import OPS
from gradverify.ops.calculus import filled

DIGITS = 6  # of a number in a sentence, unless more are needed to tell it from another
MOST_DIGITS = 17  # tell any two numbers of float64 apart
ENTRIES = 4  # entries of an array that a sentence writes out


@dataclass(frozen=True, eq=False)
class Naming:
    """How the nodes of a right computation are called in sentences.

    names: of all nodes.
    who: the engine, or "the claim".
    """

    right: Right
    names: tuple[str, ...]
    who: str

    @property
    def graph(self) -> Graph:
        """The graph that the sentences are about."""
        return self.right.graph

    @cached_property
    def is_scalar(self) -> bool:
        """Whether every node is a number."""
        return all(node.shape == () for node in self.graph.nodes)

    @property
    def lines(self) -> tuple[str, ...]:
        """Every node on a line: inputs by their names, ops as `d = a * b`."""
        return tuple(
            self.line(i) if node.operands else self._spelled(i)
            for i, node in enumerate(self.graph.nodes)
        )

    def line(self, i: int) -> str:
        """A node as `d = a * b`."""
        graph, names = self._alone(i)
        return f"{self.names[i]} = {formula(graph, names)}"

    def _alone(self, i: int) -> tuple[Graph, list[str]]:
        """The node's op on its operands' names."""
        node = self.graph.nodes[i]
        nodes: list[Node] = []
        for j in node.operands:
            operand = self.graph.nodes[j]
            is_number = operand.op in CONSTANTS
            nodes.append(operand if is_number else input_leaf(operand.shape))
        nodes.append(apply_op(nodes, node.op, range(len(nodes)), **node.params))
        return Graph(tuple(nodes)), [*(self.names[j] for j in node.operands), ""]

    # ---- partial derivatives

    def partial(self, i: int, k: int) -> str:
        """An edge as ∂d/∂a."""
        operands = self.graph.nodes[i].operands
        text = f"∂{self.names[i]}/∂{self.names[operands[k]]}"
        if operands.count(operands[k]) > 1:
            text += f" by its {ORDINALS[k] if k < len(ORDINALS) else k + 1} operand"
        return text

    def symbol(self, i: int, k: int) -> str:
        """A local derivative as a formula in the names: b for ∂(ab)/∂a."""
        found = self._derivative(i, k)
        if found is None:
            return self._primed(i, k)
        return _without_zeros(formula(*found)) if isinstance(found, tuple) else found

    def latex(self, i: int, k: int) -> str:
        """A local derivative in LaTeX, in brackets if it is a sum."""
        found = self._derivative(i, k)
        if found is None:
            i_name, j_name = self.names[i], self.names[self.graph.nodes[i].operands[k]]
            above, below = symbol(i_name), symbol(j_name)
            return rf"\frac{{\partial {above}}}{{\partial {below}}}"
        if isinstance(found, str):
            return found if not found.startswith("-") else f"({found})"
        text = latex(*found)
        simple = found[0].output.op in SIMPLE
        return text if simple else rf"\left({text}\right)"

    def _primed(self, i: int, k: int) -> str:
        node = self.graph.nodes[i]
        if len(node.operands) == 1:
            return f"{node.op}'({self.names[node.operands[0]]})"
        return self.partial(i, k)

    def _derivative(self, i: int, k: int) -> tuple[Graph, list[str]] | str | None:
        """The formula of a rule with the names of its nodes.

        It is a number if the derivative is one, and None if the rule is a map.
        """
        node = self.graph.nodes[i]
        if not OPS[node.op].is_primitive:
            return None
        rule = rules_of(node.op, len(node.operands))[k]
        if isinstance(rule, float):
            return f"{rule:g}"
        if not callable(rule):
            return None
        program = Program()
        shown = (i, *node.operands)
        symbols = [program.append(input_leaf(self.graph.nodes[j].shape)) for j in shown]
        result = rule(SYMBOLS, *symbols, **node.params)
        if not isinstance(result, Symbol):
            return f"{float(result):g}"
        graph = _unguarded(program.graph(result))
        if any(OPS[op].internal and op not in SAID for op in graph.ops):
            return None  # a name that no user knows
        if any(node.op == "literal" and node.value == 0.0 for node in graph.nodes):
            return None  # 0 * x + 1, which stands for ones in the shape of x
        own = [self._spelled(j) for j in shown][: len(graph.nodes)]
        return graph, [*own, *names_of(graph)[len(own) :]]

    def _spelled(self, i: int) -> str:
        """A name, or the numbers that a literal or an array of data holds."""
        node = self.graph.nodes[i]
        if node.op not in CONSTANTS:
            return self.names[i]
        if np.size(node.value) > ENTRIES:
            return "data"
        text = number(node.value)
        return f"({text})" if text.startswith("-") else text

    def in_names(self, text: str, i: int) -> str:
        """A formula with the names of its nodes.

        The formula is in y, the result, and in x, or a and b, the operands.
        """
        node = self.graph.nodes[i]
        operands = [self._spelled(j) for j in node.operands]
        known = {"y": self.names[i], "x": operands[0]}
        known |= dict(zip("ab", operands, strict=False)) if len(operands) > 1 else {}
        known |= {k: repr(v) for k, v in node.params.items()}
        return re.sub(r"\b[a-z]+\b", lambda found: known.get(found[0], found[0]), text)

    # ---- numbers

    def value(self, i: int) -> str:
        """The value of a node."""
        return number(self.right.values[i])

    def local(self, i: int, k: int) -> Any:
        """The local derivative over an edge, if it is a number."""
        one = np.longdouble(1.0)
        bar = self.right.application(i, one).bars[k]
        return np.longdouble(0.0) if bar is None else bar

    def truth(self, i: int, k: int, digits: int = DIGITS) -> str:
        """What a partial derivative is, as `b = 3`; empty if that has no short form."""
        node = self.graph.nodes[i]
        if self._derivative(i, k) is None and not self.is_scalar:
            return ""
        text = self.symbol(i, k)
        if node.shape != () or self.graph.nodes[node.operands[k]].shape != ():
            return text
        figure = number(self.local(i, k), digits)
        return figure if text in (figure, self.partial(i, k)) else f"{text} = {figure}"


SIMPLE = ("input", "mul", "div", "power", "literal", "data", "sin", "cos", "exp", "log",
          "sech", "sign", "sigmoid", "step")  # fmt: skip
# Internal ops that a formula may name.
SAID = ("scale", "sech", "step", "rise")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def _unguarded(graph: Graph) -> Graph:
    """The formula without the 1 that a rule adds to a number where that is 0."""
    program = Program()
    guarded = program.graph(filled(SYMBOLS, program.append(input_leaf())))
    whole = guarded.output
    place = [*range(len(graph.nodes))]
    nodes: list[Node] = []
    for i, node in enumerate(graph.nodes):
        nodes.append(replace(node, operands=tuple(place[j] for j in node.operands)))
        if node.op == whole.op and _is_alike(
            graph, node.operands[1], guarded, whole.operands[1]
        ):
            place[i] = place[node.operands[0]]
    return Graph(live(nodes[: place[-1] + 1])) if graph.output.operands else graph


def _is_alike(graph: Graph, i: int, pattern: Graph, j: int) -> bool:
    """Whether a node is what a node of a pattern is; its input stands for anything."""
    node, other = graph.nodes[i], pattern.nodes[j]
    if j in pattern.inputs:
        return True
    if (node.op, node.value) != (other.op, other.value):
        return False
    pairs = zip(node.operands, other.operands, strict=True)
    return all(_is_alike(graph, k, pattern, n) for k, n in pairs)


def naming(right: Right, who: str, inputs: Sequence[str] | None = None) -> Naming:
    """Names for a computation: the inputs' own names if given, letters for the ops."""
    names = list(names_of(right.graph))
    if inputs is not None:
        free = (c for c in LETTERS if c not in inputs)
        for k, i in enumerate(right.graph.inputs):
            names[i] = inputs[k]
        for i, node in enumerate(right.graph.nodes):
            if node.operands and len(names[i]) == 1:
                names[i] = next(free, f"v{i}")
    return Naming(right, tuple(names), who)


def digits_apart(value: Any, other: Any) -> int:
    """As many digits as tell two numbers, or two short arrays, apart."""
    for digits in range(DIGITS, MOST_DIGITS):
        if number(value, digits) != number(other, digits):
            return digits
    return MOST_DIGITS


def number(value: Any, digits: int = DIGITS) -> str:
    """A number, or a short array, as people write it."""
    array = np.asarray(value)
    if array.ndim:
        flat = [number(v, digits) for v in array.reshape(-1)[:ENTRIES]]
        more = ", …" if array.size > ENTRIES else ""
        return f"[{', '.join(flat)}{more}]"
    found = float(array)
    if np.isfinite(found) and found == int(found) and abs(found) < 1e15:
        return f"{int(found)}"
    return f"{found:.{digits}g}"


def _without_zeros(text: str) -> str:
    return re.sub(r"(?<![\w.])(\d+)\.0(?!\d)", r"\1", text)


def listed(texts: Sequence[str]) -> str:
    """Texts as `a`, `a and b`, or `a, b and c`."""
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last
