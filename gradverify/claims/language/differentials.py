"""Which letters d and ∂ are differentials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gradverify.claims.language.tokens import Token
from gradverify.claims.language.vocabulary import Vocabulary


def differentials(tokens: list[Token], words: Vocabulary) -> list[Token]:
    """`de/da`, `d e / d a`, and the two halves of a fraction: a D before each name."""
    result = list(tokens)
    marks: set[int] = set()
    for i, token in enumerate(tokens):
        if (
            token.text == "\\frac"
            and i + 2 < len(tokens)
            and tokens[i + 1].kind == "LB"
        ):
            close = _closing(tokens, i + 1)
            if close is None or close + 2 >= len(tokens):
                continue
            top, bottom = i + 2, close + 2
            if (
                tokens[close + 1].kind == "LB"
                and _is_d(tokens[top])
                and _is_d(tokens[bottom])
            ):
                marks |= {top, bottom}
        elif _is_d(token) and not (i and tokens[i - 1].kind == "D"):
            slash = _numerator_end(tokens, i, words)
            if slash is not None and _is_d(tokens[slash + 1]):
                marks |= {i, slash + 1}
    result = []
    for i, token in enumerate(tokens):
        if i in marks and token.kind == "WORD":
            result.append(token.of("D", "d"))
            if len(token.text) > 1:
                result.append(replace(token.of("WORD", token.text[1:]), gap=False))
        else:
            result.append(token)
    return result


def _is_d(token: Token) -> bool:
    return token.kind == "D" or (token.kind == "WORD" and token.text.startswith("d"))


def _numerator_end(tokens: Sequence[Token], i: int, words: Vocabulary) -> int | None:
    """The slash after a numerator that begins at i; None where there is none."""
    token, j = tokens[i], i + 1
    bare = token.kind == "D" or token.text == "d"
    if not bare and not (
        _is_short(token.text[1:]) or words.split(token.text[1:]) is not None
    ):
        return None
    if bare and j + 1 < len(tokens) and tokens[j].kind == "CARET":
        j += 2
    if bare and j < len(tokens) and tokens[j].kind == "WORD":
        j += 1
    if j < len(tokens) and tokens[j].kind == "LPAR":
        close = _closing(tokens, j)
        if close is None:
            return None
        j = close + 1
    is_slash = j + 1 < len(tokens) and tokens[j].kind == "SLASH"
    return j if is_slash else None


def _is_short(word: str) -> bool:
    """Whether a word is surely a name: `L`, `x1`, `w_2`."""
    return re.fullmatch(r"[A-Za-z](_?[A-Za-z]?\d*)", word) is not None


def _closing(tokens: Sequence[Token], start: int) -> int | None:
    opening = tokens[start].kind
    closing = {"LB": "RB", "LPAR": "RPAR", "LBRACK": "RBRACK"}[opening]
    depth = 0
    for i in range(start, min(len(tokens), start + 400)):
        depth += (tokens[i].kind == opening) - (tokens[i].kind == closing)
        if depth == 0:
            return i
    return None
