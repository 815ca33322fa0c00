"""Tokens in the light of the names that are known: which are names, functions, prose.

The names of the surrounding program decide how `ab`, `x1`, `dL` and `2a` split: the
longest known name; where two splittings are as good, the text is not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradverify.claims.language.differentials import differentials
from gradverify.claims.language.tokens import Token
from gradverify.claims.language.vocabulary import (
    AT_WORDS,
    CONNECTIVES,
    FUNCTIONS,
    Vocabulary,
)

MATH = frozenset(
    {
        "NAME",
        "NUMBER",
        "D",
        "FUNC",
        "UFUNC",
        "UCALL",
        "ATPAR",
        "LPAR",
        "LB",
        "EULER",
        "PI",
        "FRAC",
        "SQRT",
        "GRADOF",
        "DNAME",
    }
)
RELATIONS = frozenset({"EQ", "APPROX"})
ENDS = frozenset(
    {"NAME", "NUMBER", "RPAR", "RB", "RBRACK", "EULER", "PI", "AT", "PRIME"}
)


# ---- words


@dataclass
class Segment:
    """Tokens between two separators.

    after: the word that introduces it. line: of its first token.
    """

    tokens: list[Token]
    after: str = ""

    @property
    def line(self) -> int:
        """The line of the first token."""
        return self.tokens[0].line if self.tokens else 0


def parts_of(tokens: Sequence[Token], words: Vocabulary) -> list[Segment]:
    """The text cut at separators, every word known for what it is."""
    marked = _words(differentials(list(tokens), words), words)
    parts, current, depth = [], Segment([]), 0
    for i, token in enumerate(marked):
        kind = token.kind
        if kind in ("LPAR", "LBRACK", "LB", "ATPAR"):
            depth += 1
        elif kind in ("RPAR", "RBRACK", "RB"):
            depth = max(0, depth - 1)
        previous = marked[i - 1] if i else None
        following = _next(marked, i)
        cut = _cuts(token, current.tokens, previous, following, depth)
        if cut == "product":
            current.tokens.append(token.of("TIMES", "*"))
        elif cut == "relation":
            current.tokens.append(token.of("EQ", "="))
        elif cut == "skip":
            continue
        elif cut:
            after = cut if cut != "cut" else "" if current.tokens else current.after
            parts.append(current)
            current, depth = Segment([], after), 0
        else:
            current.tokens.append(token)
    return [p for p in [*parts, current] if p.tokens]


def _next(tokens: Sequence[Token], i: int) -> Token | None:
    return next((t for t in tokens[i + 1 :] if t.kind not in ("NL", "SEP")), None)


def _cuts(
    token: Token,
    so_far: Sequence[Token],
    previous: Token | None,
    following: Token | None,
    depth: int,
) -> str:
    """What a token does to the text: cuts it, joins it, or nothing."""
    kind = token.kind
    goes_on = following is not None and following.kind in RELATIONS and bool(so_far)
    if kind == "SEP":
        return "skip" if goes_on else "cut"
    if kind == "NL":
        if previous is not None and previous.kind == "NL":
            return "cut"
        operators = RELATIONS | {"PLUS", "TIMES", "MINUS"}
        joins = goes_on or (
            following is not None and following.kind in ("PLUS", "TIMES")
        )
        hangs = previous is not None and previous.kind in operators
        return "skip" if joins or hangs or depth else "cut"
    if kind == "CONNECTIVE":
        return token.text.lower() if depth == 0 else ""
    if depth:
        return ""
    if kind in ("COMMA", "MARK"):
        return "cut"
    if kind == "COLON":
        head = any(t.kind in ("D", "GRADOF", "PRIME") for t in so_far)
        related = any(t.kind in RELATIONS for t in so_far)
        return "relation" if head and not related else "cut"
    if kind == "DOT":
        mathematical = (
            previous is not None
            and previous.kind in ENDS
            and following is not None
            and following.kind in MATH
            and (token.gap or previous.kind in ("RB", "RPAR"))
        )
        return "product" if mathematical else "cut"
    return ""


def _words(tokens: list[Token], words: Vocabulary) -> list[Token]:
    result: list[Token] = []
    for i, token in enumerate(tokens):
        following = tokens[i + 1] if i + 1 < len(tokens) else None
        if token.kind == "COMMAND":
            result.append(_command(token))
        elif token.kind == "WORD":
            result += _word(token, following, words)
        else:
            result.append(token)
    return _applied(_with_arguments(result))


def _applied(tokens: list[Token]) -> list[Token]:
    """Functions that are applied, and derivatives of functions at a place, marked."""
    result = list(tokens)
    for i, token in enumerate(tokens):
        if token.kind != "UFUNC":
            continue
        j = i + 1
        while j < len(tokens) and tokens[j].kind == "PRIME":
            j += 1
        if j < len(tokens) and tokens[j].kind == "LPAR":
            result[i] = token.of("UCALL")
        kinds = [t.kind for t in tokens[i + 1 : i + 7]]
        for shape in (["SLASH", "D", "NAME"], ["RB", "LB", "D", "NAME", "RB"]):
            end = i + 1 + len(shape)
            if (
                kinds[: len(shape)] == shape
                and end < len(tokens)
                and tokens[end].kind == "LPAR"
            ):
                result[end] = tokens[end].of("ATPAR")
    return result


def _command(token: Token) -> Token:
    name = token.text[1:]
    if name == "frac":
        return token.of("FRAC")
    if name == "sqrt":
        return token.of("SQRT")
    if name in FUNCTIONS:
        return token.of("FUNC", name)
    return token.of("UNKNOWN")


def _word(token: Token, following: Token | None, words: Vocabulary) -> list[Token]:
    text, kind = token.text, following.kind if following else ""
    name = words.find(text)
    if name is not None:
        return [token.of("UFUNC" if words.is_function(name) else "NAME", name)]
    if text in FUNCTIONS and kind in BEFORE_OPERAND:
        return [token.of("FUNC", text)]
    if text == "e" and kind == "CARET":
        return [token.of("EULER")]
    if text == "pi":
        return [token.of("PI")]
    if text == "T":
        return [token.of("TRANSPOSE")]
    if text.lower() in CONNECTIVES or text.lower() in AT_WORDS:
        return [token.of("CONNECTIVE")]
    pieces = words.split(text)
    if pieces is None:
        return [token.of("PROSE")]
    first = token.of("NAME", pieces[0])
    return [first, *(Token("NAME", p, token.line) for p in pieces[1:])]


BEFORE_OPERAND = frozenset({"LPAR", "CARET", "PRIME", "LB", "NUMBER", "WORD"})


def _with_arguments(tokens: list[Token]) -> list[Token]:
    """`sin 2x` as `sin(2x)`: a function without parentheses takes what is nearest."""
    result: list[Token] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        result.append(token)
        i += 1
        if token.kind != "FUNC":
            continue
        if (
            i + 1 < len(tokens)
            and tokens[i].kind == "CARET"
            and tokens[i + 1].kind == "NUMBER"
        ):
            result += tokens[i : i + 2]
            i += 2
        if i < len(tokens) and tokens[i].kind in ("NUMBER", "NAME", "PI", "EULER"):
            end = i + 1
            while (
                end < len(tokens)
                and tokens[end].kind == "NAME"
                and (not tokens[end].gap or tokens[end - 1].kind == "NUMBER")
            ):
                end += 1
            if (
                end + 1 < len(tokens)
                and tokens[end].kind == "CARET"
                and tokens[end + 1].kind in ("NUMBER", "NAME")
            ):
                end += 2
            place = tokens[i].line
            result += [
                Token("LPAR", "(", place),
                *tokens[i:end],
                Token("RPAR", ")", place),
            ]
            i = end
    return result


# ---- differentials
