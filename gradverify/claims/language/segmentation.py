"""Tokens in the light of the names that are known: which are names, functions, prose.

The names of the surrounding program decide how `ab`, `x1`, `dL` and `2a` split: the
longest known name; where two splittings are as good, the text is not understood.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradverify.claims.language.differentials import differentials
from gradverify.claims.language.tokens import HALF_TURN, Token
from gradverify.claims.language.vocabulary import (
    AT_WORDS,
    CONNECTIVES,
    Vocabulary,
    is_named_function,
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
        "INDEXED",
        "NABLA",
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

    @property
    def at(self) -> int:
        """The place of the first token in the rewritten text."""
        return self.tokens[0].at if self.tokens else 0


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
        if cut == "cut" and token.kind == "SEP" and _goes_on(marked, i, current.tokens):
            cut = "skip"
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


def _goes_on(tokens: Sequence[Token], i: int, so_far: Sequence[Token]) -> bool:
    """Whether a formula goes on in its next line: `… \\\\ &+ x`.

    After a minus another equation may begin, which has a sign of its own.
    """
    following = _next(tokens, i)
    related = any(t.kind in RELATIONS for t in so_far)
    if following is None or not related or not following.formula:
        return False
    if so_far[-1].kind not in ENDS or not so_far[-1].formula:
        return False
    if following.kind in ("PLUS", "TIMES"):
        return True
    rest = tokens[i + 1 :]
    start = next(k for k, t in enumerate(rest) if t.kind not in ("NL", "SEP"))
    line = itertools.takewhile(lambda t: t.kind != "SEP", rest[start:])
    return following.kind == "MINUS" and not any(t.kind in RELATIONS for t in line)


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
        ends_sentence = following is not None and following.gap and not token.gap
        is_mark = len(so_far) == 1 and so_far[0].text.isupper()  # of a choice: B. …
        mathematical = not (ends_sentence or is_mark) and (
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
            power = bool(result) and (
                result[-1].kind == "CARET"
                or (
                    len(result) > 1 and [t.kind for t in result[-2:]] == ["CARET", "LB"]
                )
            )
            is_transposed = token.text == "T" and power
            result += (
                [token.of("TRANSPOSE")]
                if is_transposed
                else _word(token, tokens[i + 1 : i + 5], following, words)
            )
        elif token.text == "∇":
            result.append(token.of("NABLA"))
        else:
            result.append(token)
    return _applied(_with_arguments(result), words)


CLOSING = {"LPAR": "RPAR", "LB": "RB", "LBRACK": "RBRACK", "ATPAR": "RPAR"}


def _closed(tokens: Sequence[Token], start: int) -> int | None:
    """The place of what closes the bracket at `start`."""
    opening, closing = tokens[start].kind, CLOSING[tokens[start].kind]
    depth = 0
    for i in range(start, len(tokens)):
        depth += (tokens[i].kind == opening) - (tokens[i].kind == closing)
        if depth == 0:
            return i
    return None


def _is_list(tokens: Sequence[Token]) -> bool:
    """Whether tokens are names and numbers between commas: a point."""
    entries: list[list[str]] = [[]]
    for token in tokens:
        if token.kind == "COMMA":
            entries.append([])
        else:
            entries[-1].append(token.kind)
    return all(
        entry[entry[:1] == ["MINUS"] :] in (["NAME"], ["NUMBER"], ["PI"])
        for entry in entries
    )


def _is_call(tokens: Sequence[Token]) -> bool:
    """Whether tokens are a function of something, and nothing else: the h(x) of
    `dg/dh (h(x))`, which is where g' is taken, and no factor."""
    kinds = [t.kind for t in tokens[:2]]
    if kinds not in (["NAME", "LPAR"], ["UFUNC", "LPAR"], ["UCALL", "LPAR"]):
        return False
    return _closed(tokens, 1) == len(tokens) - 1


def _applied(tokens: list[Token], words: Vocabulary) -> list[Token]:
    """Functions that are applied, and derivatives at a place, marked as such."""
    result = list(tokens)
    for i, token in enumerate(tokens):
        j = i + 1
        while j < len(tokens) and tokens[j].kind == "PRIME":
            j += 1
        opens = j < len(tokens) and tokens[j].kind == "LPAR"
        is_name = token.kind in ("UFUNC", "NAME")
        if is_name and opens and _is_applied(tokens, i, j, words):
            result[i] = token.of("UCALL")
        kinds = [t.kind for t in tokens[i + 1 : i + 4]]
        if token.kind == "UFUNC" and kinds == ["CARET", "NUMBER", "LPAR"]:
            result[i] = token.of("UCALL")
        end = _derivative_end(tokens, i)
        if end is not None and end < len(tokens) and tokens[end].kind == "LPAR":
            close = _closed(tokens, end)
            inner = tokens[end + 1 : close]
            if close is not None and (_is_list(inner) or _is_call(inner)):
                result[end] = tokens[end].of("ATPAR")
    return result


# Letters that a function without a definition may have; others before parentheses are
# factors.
UNKNOWN_FUNCTIONS = frozenset(
    ["f", "g", "h", "p", "q", "u", "v", "F", "G", "H", "phi", "psi"]
)


def _is_applied(tokens: Sequence[Token], i: int, j: int, words: Vocabulary) -> bool:
    """Whether a name before parentheses is a function of what stands within them."""
    name, close = tokens[i].text, _closed(tokens, j)
    if tokens[i].kind == "UFUNC":
        return True
    if close is None:
        return False
    inner = tokens[j + 1 : close]
    if i and tokens[i - 1].kind == "D":  # ∂f(x, y)/∂x
        return _is_list(inner) and words.is_formula(name)
    if j > i + 1:  # y'(0)
        return True
    if words.is_formula(name):
        return _is_list(inner) and not tokens[j].gap
    applied = _is_list(inner) or any(
        t.kind in ("UFUNC", "NAME") and t.text in UNKNOWN_FUNCTIONS
        and k + 1 < len(inner) and inner[k + 1].kind == "LPAR"
        for k, t in enumerate(inner)
    )  # fmt: skip
    is_free = name in words.free and name not in words.names
    return is_free and name in UNKNOWN_FUNCTIONS and applied and not tokens[j].gap


def _derivative_end(tokens: Sequence[Token], i: int) -> int | None:
    """Where the tokens of a derivative that begins at i end; None where none does."""
    if tokens[i].kind == "FRAC":
        top = i + 1
        if (
            top + 2 >= len(tokens)
            or tokens[top].kind != "LB"
            or tokens[top + 1].kind != "D"
        ):
            return None
        middle = _closed(tokens, top)
        if middle is None or middle + 2 >= len(tokens) or middle == top + 2:
            return None
        if [t.kind for t in tokens[middle + 1 : middle + 3]] != ["LB", "D"]:
            return None
        if middle == top + 4 and tokens[top + 2].kind == "CARET":  # d^2/dx^2 alone
            return None
        end = _closed(tokens, middle + 1)
        return None if end is None else end + 1
    if tokens[i].kind == "INDEXED":
        return i + 1
    if tokens[i].kind != "D" or (i and tokens[i - 1].kind in ("SLASH", "LB")):
        return None
    j = i + 1
    while j < len(tokens) and tokens[j].kind in ("CARET", "NUMBER", "NAME", "UFUNC"):
        j += 1
    if (
        j == i + 1
        or j + 2 >= len(tokens)
        or tokens[j].kind != "SLASH"
        or tokens[j + 1].kind != "D"
    ):
        return None
    j += 1
    while (
        j + 1 < len(tokens)
        and tokens[j].kind == "D"
        and tokens[j + 1].kind in ("NAME", "UFUNC")
    ):
        j += 2
        if (
            j + 1 < len(tokens)
            and tokens[j].kind == "CARET"
            and tokens[j + 1].kind == "NUMBER"
        ):
            j += 2
    return j


def _command(token: Token) -> Token:
    name = token.text[1:]
    if name == "frac":
        return token.of("FRAC")
    if name == "sqrt":
        return token.of("SQRT")
    if is_named_function(name):
        return token.of("FUNC", name)
    if name == HALF_TURN:
        return token.of("PI")
    return token.of("UNKNOWN")


def _word(
    token: Token, ahead: Sequence[Token], following: Token | None, words: Vocabulary
) -> list[Token]:
    text, kind = token.text, following.kind if following else ""
    name = words.find(text)
    if text == "e" and kind == "CARET" and "e" not in words.flipped:
        return [token.of("EULER")]
    if text == "pi" and (name is None or "pi" in words.flipped):
        return [token.of("PI")]
    if text == "sigma" and name is not None and kind == "LPAR":
        alone = len(ahead) > 2 and ahead[1].kind == "WORD" and ahead[2].kind == "RPAR"
        is_number = not words.is_function(name)
        alone = alone or name not in words.names
        if is_number and alone != ("sigma" in words.flipped):
            return [token.of("FUNC", text)]
    if name is not None:
        return [token.of("UFUNC" if words.is_function(name) else "NAME", name)]
    if is_named_function(text) and kind in BEFORE_OPERAND:
        return [token.of("FUNC", text)]
    indexed = words.partial(text)
    if indexed is not None:
        return [token.of("INDEXED", indexed)]
    if text == "T":
        return [token.of("TRANSPOSE")]
    if text.lower() in CONNECTIVES or text.lower() in AT_WORDS:
        return [token.of("CONNECTIVE")]
    is_power = kind == "CARET" and text.endswith("e") and "e" not in words.names
    if is_power and "e" not in words.flipped:  # x e^x
        before = words.split(text[:-1])
        if before is not None:
            euler = replace(token.of("EULER", "e"), gap=False)
            return [*_named(token, before, words), euler]
    pieces = words.split(text)
    if pieces is None:
        return [token.of("PROSE")]
    return _named(token, pieces, words)


def _named(token: Token, pieces: Sequence[str], words: Vocabulary) -> list[Token]:
    """The names that a word is a product of."""
    first = token.of("NAME", pieces[0])
    more = [replace(token.of("NAME", p), gap=False) for p in pieces[1:]]
    marks = [t.of("UFUNC") if words.is_function(t.text) else t for t in [first, *more]]
    return marks


BEFORE_OPERAND = frozenset(
    {"LPAR", "CARET", "PRIME", "LB", "NUMBER", "WORD", "COMMAND"}
)


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
                Token("LPAR", "(", place, at=tokens[i].at),
                *tokens[i:end],
                Token("RPAR", ")", place, at=tokens[i].at),
            ]
            i = end
    return result


# ---- differentials
