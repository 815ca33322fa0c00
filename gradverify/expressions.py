"""Python expressions: one parser and one walk; nothing is executed.

What goes in is text that anyone may have written. `parse` makes a syntax tree of it, of
bounded size. A `Reader` walks over such a tree, and the rows of its table say what each
part becomes: a node of a graph, a value in a file of notes, a test of arrays. The table
is the whitelist as well, since a part without a row is refused.
"""

from __future__ import annotations

import ast
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NoReturn

LENGTH = 100_000
"""Characters that are read at most."""

NODES = 2_000
"""Names, numbers, operators and calls in one expression, at most."""

DEPTH = 200
"""How deeply they may be nested; far below what Python's own stack allows."""

TOO_DEEP = "nested too deeply"

SyntaxRows = Mapping[type[ast.AST], Callable[..., Any]]


class ExpressionError(ValueError):
    """An expression that is not understood.

    It names the part, its column, and what is allowed.
    """


# ---- text to tree


@dataclass(frozen=True)
class Expression:
    """A parsed expression together with its text, which error messages quote."""

    text: str
    tree: ast.expr

    def source(self, node: ast.expr) -> str:
        """The text of a node, shortened."""
        return shortened(self._segment(node))

    def refuse(self, node: ast.expr, problem: str, allowed: str) -> NoReturn:
        """Raise an error that points at `node`."""
        self._raise_at(node, f"{problem}; allowed: {allowed}")

    def number(self, node: ast.Constant) -> int | float:
        """The number that a constant is. Anything else is refused."""
        try:
            return number(node, self._segment(node))
        except ExpressionError as error:
            self._raise_at(node, str(error))

    def _segment(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or ""

    def _raise_at(self, node: ast.expr, message: str) -> NoReturn:
        line = self.text.splitlines()[node.lineno - 1]
        column = len(line.encode()[: node.col_offset].decode()) + 1
        where = f"line {node.lineno}, " if node.lineno > 1 else ""
        raise ExpressionError(f"{where}column {column}: {message}") from None


def number(node: ast.Constant, text: str) -> int | float:
    """The number that a constant is; `ExpressionError` if no float holds it.

    text: how the constant is written. `1e-400` has the value 0.0, and only the text
    tells that something else was meant.
    """
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        problem = f"{shortened(text)} is no number"
        raise ExpressionError(f"{problem}; allowed: ints and floats")
    try:
        finite = math.isfinite(float(value))
    except OverflowError:
        finite = False
    digits = text.lower().split("e")[0]
    if not finite or (value == 0 and any(d in "123456789" for d in digits)):
        raise ExpressionError(
            f"the number {shortened(text)} is outside the range of a float; allowed: 0 "
            "and magnitudes from 5e-324 to 1.7976931348623157e308"
        )
    return value


def shortened(text: str, width: int = 40) -> str:
    """The text on one line, cut where it is longer than `width`."""
    line = " ".join(text.split())
    line = "".join(c if c.isprintable() else "?" for c in line[: width + 1])
    return line if len(line) <= width else line[: width - 3] + "..."


def parse(text: str) -> Expression:
    """The syntax tree of one Python expression, within the limits of this module."""
    if not isinstance(text, str):
        raise ExpressionError(f"an expression is text, not {type(text).__name__}")
    if len(text) > LENGTH:
        raise ExpressionError(
            f"the expression has {len(text)} characters; allowed: up to {LENGTH}"
        )
    text = text.strip()
    if not text:
        raise ExpressionError("the expression is empty; allowed: such as (a + b) * a")
    try:
        tree = syntax_tree(text, "eval")
    except SyntaxError as error:
        raise _no_expression(text, error) from None
    assert isinstance(tree, ast.Expression)
    if sum(isinstance(node, ast.expr) for node in ast.walk(tree)) > NODES:
        raise ExpressionError(
            f"the expression has more than {NODES} names, numbers and operations; "
            f"allowed: up to {NODES}"
        )
    return Expression(text, tree.body)


def syntax_tree(text: str, mode: Literal["eval", "exec"]) -> ast.AST:
    """The syntax tree of Python text, up to `DEPTH` levels deep.

    Whatever Python's parser raises becomes a `SyntaxError`, with a line if it has one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the text, which is not our code
            tree: ast.AST = ast.parse(text, mode=mode)
    except (RecursionError, MemoryError):
        raise SyntaxError(TOO_DEEP) from None
    except SyntaxError as error:
        if "too many nested" in error.msg:
            raise SyntaxError(TOO_DEEP) from None
        raise
    except ValueError as error:  # null bytes, integers with thousands of digits
        raise SyntaxError(str(error)) from None
    level = [tree]
    for _ in range(DEPTH + 1):  # the root is no level of the text
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return tree
    raise SyntaxError(TOO_DEEP)


def _no_expression(text: str, error: SyntaxError) -> ExpressionError:
    if error.msg == TOO_DEEP:
        return ExpressionError(
            f"the expression is {TOO_DEEP}; allowed: up to {DEPTH} levels (a long sum "
            "has one for each term: put parentheses around parts of it)"
        )
    line = f"line {error.lineno}, " if (error.lineno or 1) > 1 else ""
    place = f"{line}column {error.offset or 1}: " if error.lineno else ""
    return ExpressionError(
        f"{place}{shortened(text)} is no Python expression "
        f"({shortened(error.msg, 80)}); allowed: such as (a + b) * a"
    )


# ---- tree to meaning


class Reader(ABC):
    """The one walk over an expression. A subclass is a table of what its parts mean.

    rows: from a class of `ast` to a rule. The rule of an operator (`ast.Add`, `ast.Lt`,
    `ast.Not`, …) gets the reader, the node, and what the operands mean. The rule of any
    other node (`ast.Name`, `ast.Call`, …) gets the reader and the node alone. It reads
    what it needs, since in `x[1:3]` or `sum(x, axis=0)` not every part is a value.
    """

    rows: ClassVar[SyntaxRows]

    def read(self, node: ast.expr) -> Any:
        """What an expression means, by the rows of this reader."""
        kind: ast.AST = node
        operands: list[ast.expr] = []
        match node:
            case ast.UnaryOp(op=kind, operand=operand):
                operands = [operand]
            case ast.BinOp(left=left, op=kind, right=right):
                operands = [left, right]
            case ast.BoolOp(op=kind, values=operands):
                pass
            case ast.Compare():
                return self._compared(node)
        return self._row(node, kind)(self, node, *[self.read(x) for x in operands])

    def _compared(self, node: ast.Compare) -> Any:
        """`a < b < c` is `a < b and b < c`, with b read once."""
        rules = [self._row(node, op) for op in node.ops]
        join = self._row(node, ast.And()) if len(rules) > 1 else None
        values = [self.read(x) for x in (node.left, *node.comparators)]
        each = zip(rules, values, values[1:], strict=False)
        found = [rule(self, node, a, b) for rule, a, b in each]
        return found[0] if join is None else join(self, node, *found)

    def _row(self, node: ast.expr, kind: ast.AST) -> Callable[..., Any]:
        rule = self.rows.get(type(kind))
        return self.unread(node) if rule is None else rule

    @abstractmethod
    def unread(self, node: ast.expr) -> NoReturn:
        """Raise the error about a node that has no row."""
