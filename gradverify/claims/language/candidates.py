"""Which parts of a text are claims, and what in them is prose."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from gradverify.claims.computation.file_program import NotUnderstood
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
    pairs = [*itertools.pairwise(kinds)]
    if any(a in ("NAME", "UFUNC", "UCALL", "FUNC") and b == "PRIME" for a, b in pairs):
        return True
    return any(p in (("RPAR", "PRIME"), ("RBRACK", "PRIME")) for p in pairs) and not (
        {"PROSE", "CONNECTIVE"} & set(kinds)
    )


def problem_of(tokens: Sequence[Token]) -> str:
    """The first token of a claim that is not understood."""
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


def without_opaque(tokens: Sequence[Token]) -> list[Token]:
    """Without members that are not computed, such as limits, if two others remain.

    In `f'(x) = lim … = 2x` the derivative is claimed to be 2x.
    """
    if all(t.kind != "OPAQUE" for t in tokens):
        return list(tokens)
    members, signs, depth = [list[Token]()], list[Token](), 0
    for token in tokens:
        depth += (token.kind in OPENING) - (token.kind in CLOSING)
        if token.kind in RELATIONS and not depth:
            signs.append(token)
            members.append([])
        else:
            members[-1].append(token)
    kept = [k for k, m in enumerate(members) if all(t.kind != "OPAQUE" for t in m)]
    if len(kept) < 2 or kept[0]:
        raise NotUnderstood("a limit, a product or an integral is not computed")
    result = list(members[0])
    for k in kept[1:]:
        between = signs[kept[kept.index(k) - 1] : k]
        sign = next((s for s in between if s.kind == "APPROX"), between[-1])
        result += [sign, *members[k]]
    return result


OPENING = frozenset({"LPAR", "LB", "LBRACK", "ATPAR"})
CLOSING = frozenset({"RPAR", "RB", "RBRACK"})


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
