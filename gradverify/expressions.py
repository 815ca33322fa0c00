"""Python expressions read as text: parsed and checked against a whitelist, never run.

What goes in is text that anyone may have written. What comes out is a syntax tree of
bounded size, or an `ExpressionError`. The error says what is wrong, where, and what is
allowed.
"""

from __future__ import annotations

import ast
import math
import warnings
from dataclasses import dataclass
from typing import NoReturn

LENGTH = 100_000
"""Characters that are read at most."""

NODES = 2_000
"""Names, numbers, operators and calls in one expression, at most."""

DEPTH = 200
"""How deeply they may be nested; far below what Python's own stack allows."""


class ExpressionError(ValueError):
    """An expression that is not understood.

    It names the part, its column, and what is allowed.
    """


@dataclass(frozen=True)
class Expression:
    """A parsed expression together with its text, which error messages quote."""

    text: str
    tree: ast.expr

    def source(self, node: ast.expr) -> str:
        """The text of a node, shortened."""
        return shortened(ast.get_source_segment(self.text, node) or "")

    def refuse(self, node: ast.expr, problem: str, allowed: str) -> NoReturn:
        """Raise an error that points at `node`."""
        line = self.text.splitlines()[node.lineno - 1]
        column = len(line.encode()[: node.col_offset].decode()) + 1
        where = f"line {node.lineno}, " if node.lineno > 1 else ""
        raise ExpressionError(f"{where}column {column}: {problem}; allowed: {allowed}")

    def number(self, node: ast.Constant) -> int | float:
        """The number that a constant is. Anything else is refused."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(node, f"{self.source(node)} is no number", "ints and floats")
        try:
            finite = math.isfinite(float(value))
        except OverflowError:
            finite = False
        if not finite or (value == 0 and self._has_digits(node)):
            self.refuse(
                node,
                f"the number {self.source(node)} is outside the range of a float",
                "0 and magnitudes from 5e-324 to 1.7976931348623157e308",
            )
        return value

    def _has_digits(self, node: ast.Constant) -> bool:
        text = (ast.get_source_segment(self.text, node) or "").lower()
        return any(digit in "123456789" for digit in text.split("e")[0])


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
    expression = Expression(text, _tree(text))
    _check_size(expression)
    return expression


def _tree(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the text, which is not our code
            return ast.parse(text, mode="eval").body
    except (RecursionError, MemoryError):
        raise _too_deep() from None
    except SyntaxError as error:
        if "too many nested" in error.msg:
            raise _too_deep() from None
        line = f"line {error.lineno}, " if (error.lineno or 1) > 1 else ""
        raise ExpressionError(
            f"{line}column {error.offset or 1}: {shortened(text)} is no Python "
            f"expression ({shortened(error.msg, 80)}); allowed: such as (a + b) * a"
        ) from None
    except ValueError as error:  # null bytes, integers with thousands of digits
        raise ExpressionError(
            f"{shortened(repr(text))} is no Python expression "
            f"({shortened(str(error), 80)}); allowed: such as (a + b) * a"
        ) from None


def _too_deep() -> ExpressionError:
    return ExpressionError(
        f"the expression is nested too deeply; allowed: up to {DEPTH} levels (a long "
        "sum has one for each term: put parentheses around parts of it)"
    )


def _check_size(expression: Expression) -> None:
    level: list[ast.AST] = [expression.tree]
    count = depth = 0
    while level:
        depth += 1
        count += sum(isinstance(node, ast.expr) for node in level)
        if depth > DEPTH:
            raise _too_deep()
        if count > NODES:
            raise ExpressionError(
                f"the expression has more than {NODES} names, numbers and operations; "
                f"allowed: up to {NODES}"
            )
        level = [child for node in level for child in ast.iter_child_nodes(node)]
