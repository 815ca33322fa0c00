"""Python code as tokens with colour classes; a template writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pygments.lexers.python import PythonLexer
from pygments.token import STANDARD_TYPES


@dataclass(frozen=True)
class CodeToken:
    """A piece of a line, and the short class that Pygments gives to its kind."""

    text: str
    kind: str


def tokens(code: str) -> tuple[tuple[CodeToken, ...], ...]:
    """The lines of a program, each as tokens."""
    lines: list[list[CodeToken]] = [[]]
    for token in _tokens(code.expandtabs(4)):
        first, *rest = token.text.split("\n")
        if first:
            lines[-1].append(CodeToken(first, token.kind))
        for text in rest:
            lines.append([CodeToken(text, token.kind)] if text else [])
    while lines and not lines[-1]:
        lines.pop()
    return tuple(tuple(line) for line in lines)


def _tokens(code: str) -> Iterator[CodeToken]:
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    for kind, text in lexer.get_tokens(code):
        while kind not in STANDARD_TYPES and kind.parent is not None:
            kind = kind.parent
        yield CodeToken(text, STANDARD_TYPES.get(kind, ""))
