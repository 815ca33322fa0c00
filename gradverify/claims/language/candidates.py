"""Which parts of a text are claims, and what in them is prose."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from gradverify.claims.language.assignments import assignments
from gradverify.claims.language.segmentation import RELATIONS, Segment
from gradverify.claims.language.tokens import Token
from gradverify.claims.language.vocabulary import AT_WORDS
from gradverify.claims.sources.fragments import Fragment


def notation(text: str) -> str:
    """How a text writes formulas."""
    if re.search(r"\\[a-zA-Z]+", text):
        return "latex"
    return "python" if re.search(r"\w\s*\*|\*\*", text) else "plain"


def line_of(fragment: Fragment, offset: int) -> str:
    """A line of a fragment, stripped."""
    lines = fragment.text.split("\n")
    return lines[min(offset, len(lines) - 1)].strip()


HINT = re.compile(
    r"∂|\\partial|\bd\s?[\^²³]|\bd\s*\([^\n]*/\s*d|\bd\s?\w*\s*/\s*d\s?\w|\\frac\s*\{\s*\\?(?:mathrm|text)?\{?d"
    r"|'\s*(?:\(|=)|\N{PRIME}|\\prime|\.grad\b|\bgrad of\b|∇|\\nabla"
    r"|\\dot\b|[A-Za-z]_\{?[a-z]{1,3}\}?\s*(?:\(|=)"
    r"|[Gg]radient|[Dd]erivative|[Aa]bleitung|[Dd]ériv|[Dd]eriva"
)


def looks_like_a_claim(text: str) -> bool:
    """Whether a text can hold a claim at all: a first, quick look."""
    return HINT.search(text) is not None


def is_claim(part: Segment) -> bool:
    """Whether a part states an equality about a derivative."""
    kinds = [t.kind for t in part.tokens]
    relations = [i for i, k in enumerate(kinds) if k in RELATIONS]
    if not relations or relations == [len(kinds) - 1]:  # an exercise states nothing
        return False
    if {"D", "GRADOF", "NABLA", "INDEXED"} & set(kinds):
        return True
    pairs = itertools.pairwise(kinds)
    return any(
        a in ("NAME", "UFUNC", "UCALL", "FUNC") and b == "PRIME" for a, b in pairs
    )


def problem_of(part: Segment) -> str:
    """The first token of a claim that is not understood."""
    tokens = left_trimmed(part.tokens)
    for i, token in enumerate(tokens):
        if token.kind == "PROSE" and i and tokens[i - 1].kind == "D":
            return f"{token.text} has no value in this file"
        if token.kind in ("PROSE", "UNKNOWN", "OTHER", "CONNECTIVE", "COMMAND", "WORD"):
            return f"{token.text!r} is not understood"
    return ""


def left_trimmed(tokens: Sequence[Token]) -> list[Token]:
    """Without prose before the first member, and without remarks in parentheses."""
    relation = next((i for i, t in enumerate(tokens) if t.kind in RELATIONS), 0)
    start = 0
    for i in range(relation):
        after_d = i and tokens[i - 1].kind == "D"
        if tokens[i].kind in ("PROSE", "CONNECTIVE") and not after_d:
            start = i + 1
    return _without_remarks(list(tokens[start:]))


def _without_remarks(tokens: list[Token]) -> list[Token]:
    """`(by the chain rule)` at the end says nothing that is computed."""
    if not tokens or tokens[-1].kind != "RPAR":
        return tokens
    depth = 0
    for i in range(len(tokens) - 1, -1, -1):
        depth += (tokens[i].kind == "RPAR") - (tokens[i].kind == "LPAR")
        if depth == 0:
            inside = tokens[i:]
            if tokens[i].gap and any(t.kind == "PROSE" for t in inside):
                return tokens[:i]
            break
    return tokens


def points_of(parts: Sequence[Segment]) -> dict[int, list[tuple[str, str]]]:
    """For every line, what its words `at x = 2, y = 3` set."""
    found: dict[int, list[tuple[str, str]]] = {}
    follows = False
    for part in parts:
        text = "".join(t.text for t in part.tokens)
        pairs = assignments(text)
        plain = bool(pairs) and re.fullmatch(r"[A-Za-z]\w*=-?[\d.,]+", text) is not None
        follows = plain and (
            part.after in AT_WORDS
            or (follows and part.after in ("", "and", "und", "et", "y", "e"))
        )
        if follows:
            found.setdefault(part.line, []).extend(pairs)
    return found
