"""Tokens in the light of the names that are known: which are names, functions, prose.

The names of the surrounding program decide how `ab`, `x1`, `dL` and `2a` split: the
longest known name; where two splittings are as good, the text is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.rewriting import Token
from gradverify.claims.trail import NotUnderstood
from gradverify.claims.values import Function

# fmt: off
FUNCTIONS: Mapping[str, str] = {
    "exp": "exp", "log": "log", "ln": "log", "sin": "sin", "cos": "cos", "tan": "tan",
    "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "sqrt": "sqrt", "sigmoid": "sigmoid",
    "sigma": "sigmoid", "relu": "relu", "ReLU": "relu", "RELU": "relu", "abs": "abs",
    "softplus": "softplus", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "max": "maximum", "min": "minimum", "maximum": "maximum", "minimum": "minimum",
    "square": "square", "sum": "sum", "mean": "mean", "sech": "sech",
}

# Words after which another sentence begins, and those that introduce a point.
CONNECTIVES = frozenset("""
and or so then hence thus because since as while which gives giving we get is was are that
this therefore using via by from again now also both but not after before here there
und oder also daher dann denn weil da wobei wo ist sind wegen damit folglich sowie nach
et ou donc car puisque alors soit ainsi est sont comme ce qui
o pues entonces luego porque es son y quindi allora dunque perché
""".split())
AT_WORDS = frozenset("""
at for when where with if in an bei für mit im en pour avec au para con cuando per wenn
falls quand si
""".split())
# fmt: on

PIECES = 12  # of a word that is split
MATH = frozenset({"NAME", "NUMBER", "D", "FUNC", "UFUNC", "UCALL", "ATPAR", "LPAR", "LB", "EULER", "PI", "FRAC", "SQRT", "GRADOF", "DNAME"})  # fmt: skip  # noqa: E501
RELATIONS = frozenset({"EQ", "APPROX"})
ENDS = frozenset({"NAME", "NUMBER", "RPAR", "RB", "RBRACK", "EULER", "PI", "AT", "PRIME"})  # fmt: skip  # noqa: E501


@dataclass(frozen=True, eq=False)
class TextFunction:
    """A function that a text defines: its parameters, and the formula of its value."""

    name: str
    parameters: tuple[str, ...]
    formula: Any
    scope: Mapping[str, Any] = field(repr=False)


class Vocabulary:
    """The names of a place, in the spellings that texts use for them."""

    def __init__(self, names: Mapping[str, Any], free: frozenset[str] = frozenset()) -> None:  # fmt: skip  # noqa: E501
        self.names, self.free = names, free
        self.spellings: dict[str, str] = {}
        for name, value in names.items():
            if isinstance(value, Symbol | Function | TextFunction) or _is_value(value):
                for spelling in _spellings(name):
                    self.spellings.setdefault(spelling, name)
        for name in names:
            if name in self.spellings:
                self.spellings[name] = name

    def find(self, word: str) -> str | None:
        """The name that a word stands for, None where it is none."""
        if word in self.free:
            return word
        return self.spellings.get(word) or self.spellings.get(word.replace("_", ""))

    def is_function(self, name: str) -> bool:
        """Whether a name stands for a function of the file."""
        return isinstance(self.names.get(name), Function | TextFunction)

    def split(self, word: str) -> tuple[str, ...] | None:
        """The names that a word is a product of; None where there are none."""
        whole = self.find(word)
        if whole is not None:
            return (whole,)
        if len(word) > 3 * PIECES:
            return None
        best = self._shortest(word)
        if not best:
            return None
        if len(best) > 1:
            shown = " or ".join("·".join(parts) for parts in best[:2])
            raise NotUnderstood(f"{word} has two readings, {shown}")
        return best[0]

    def _shortest(self, word: str) -> list[tuple[str, ...]]:
        """The splittings into the fewest known names."""
        ways: list[list[tuple[str, ...]]] = [[()]] + [[] for _ in word]
        for end in range(1, len(word) + 1):
            found = []
            for start in range(end):
                name = self.find(word[start:end].strip("_")) if ways[start] else None
                if name is not None:
                    found += [(*way, name) for way in ways[start]]
            least = min((len(w) for w in found), default=0)
            ways[end] = [w for w in found if len(w) == least][:4]
        return [w for w in ways[-1] if len(w) <= PIECES]


def _is_value(value: Any) -> bool:
    return not (value is None or isinstance(value, str | bool | type)) and not hasattr(value, "bases")  # fmt: skip  # noqa: E501


def _spellings(name: str) -> Iterator[str]:
    yield name
    yield name.replace("_", "")
    if name.endswith("hat") and not name.endswith("_hat"):
        yield f"{name[:-3]}_hat"
    if name in ("lam", "lambda_", "lmbda"):
        yield "lambda"
    if name.endswith("_"):
        yield name[:-1]


# ---- words


@dataclass
class Part:
    """Tokens between two separators.

    after: the word that introduces it. line: of its first token.
    """

    tokens: list[Token]
    after: str = ""

    @property
    def line(self) -> int:
        """The line of the first token."""
        return self.tokens[0].line if self.tokens else 0


def parts_of(tokens: Sequence[Token], words: Vocabulary) -> list[Part]:
    """The text cut at separators, every word known for what it is."""
    marked = _words(_differentials(list(tokens), words), words)
    parts, current, depth = [], Part([]), 0
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
            current, depth = Part([], after), 0
        else:
            current.tokens.append(token)
    return [p for p in [*parts, current] if p.tokens]


OPERATOR = re.compile(
    r"(?:\bd|∂)\s*/\s*(?:d|∂)\s*([A-Za-z]\w*)"
    r"|\\frac\s*\{\s*(?:d|∂)\s*\}\s*\{\s*(?:d|∂)\s*([A-Za-z]\w*)\s*\}"
)


def free_names(text: str, names: Mapping[str, Any]) -> frozenset[str]:
    """Names without a value that a formula may use: those that `d/dx` and f(x) bind."""
    found = {a or b for a, b in OPERATOR.findall(text)}
    for value in names.values():
        if isinstance(value, Function):
            found |= {a.arg for a in value.parameters.args}
        elif isinstance(value, TextFunction):
            found |= set(value.parameters)
    return frozenset(n for n in found if n not in names and len(n) <= 2)


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
            if kinds[: len(shape)] == shape and end < len(tokens) and tokens[end].kind == "LPAR":  # fmt: skip  # noqa: E501
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
        if i + 1 < len(tokens) and tokens[i].kind == "CARET" and tokens[i + 1].kind == "NUMBER":  # fmt: skip  # noqa: E501
            result += tokens[i : i + 2]
            i += 2
        if i < len(tokens) and tokens[i].kind in ("NUMBER", "NAME", "PI", "EULER"):
            end = i + 1
            while end < len(tokens) and tokens[end].kind == "NAME" and (not tokens[end].gap or tokens[end - 1].kind == "NUMBER"):  # fmt: skip  # noqa: E501
                end += 1
            if end + 1 < len(tokens) and tokens[end].kind == "CARET" and tokens[end + 1].kind in ("NUMBER", "NAME"):  # fmt: skip  # noqa: E501
                end += 2
            place = tokens[i].line
            result += [Token("LPAR", "(", place), *tokens[i:end], Token("RPAR", ")", place)]  # fmt: skip  # noqa: E501
            i = end
    return result


# ---- differentials


def _differentials(tokens: list[Token], words: Vocabulary) -> list[Token]:
    """`de/da`, `d e / d a`, and the two halves of a fraction: a D before each name."""
    result = list(tokens)
    marks: set[int] = set()
    for i, token in enumerate(tokens):
        if token.text == "\\frac" and i + 2 < len(tokens) and tokens[i + 1].kind == "LB":
            close = _closing(tokens, i + 1)
            if close is None or close + 2 >= len(tokens):
                continue
            top, bottom = i + 2, close + 2
            if tokens[close + 1].kind == "LB" and _is_d(tokens[top]) and _is_d(tokens[bottom]):  # fmt: skip  # noqa: E501
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
                result.append(Token("WORD", token.text[1:], token.line))
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
