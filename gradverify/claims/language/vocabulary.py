"""The names of a place, in the spellings that texts use for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import WORD_PIECES
from gradverify.claims.computation.bindings import Function
from gradverify.claims.computation.file_program import NotUnderstood
from gradverify.claims.language.tokens import NAMED_LETTERS, Token

# ruff: noqa: SIM905
# fmt: off
FUNCTIONS: Mapping[str, str] = {
    "exp": "exp", "log": "log", "ln": "log", "sin": "sin", "cos": "cos", "tan": "tan",
    "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "sqrt": "sqrt",
    "sigmoid": "sigmoid", "sigma": "sigmoid", "relu": "relu", "ReLU": "relu",
    "RELU": "relu", "abs": "abs", "softplus": "softplus", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "max": "maximum", "min": "minimum",
    "maximum": "maximum", "minimum": "minimum", "square": "square", "sum": "sum",
    "mean": "mean", "sech": "sech", "logtwo": "log2", "logten": "log10",
    "log2": "log2", "log10": "log10", "erf": "erf", "arcsinh": "asinh",
    "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh", "arctanh": "atanh",
}
INVERSES: Mapping[str, str] = {  # one over another function
    "sec": "cos", "csc": "sin", "cosec": "sin", "cot": "tan", "cotan": "tan",
    "coth": "tanh", "csch": "sinh",
}
BASED = "logbase_"  # before the base of a logarithm
PIECEWISE = "piecewise"  # values and conditions in turn, and the last value

# Words after which another sentence begins, and those that introduce a point.
CONNECTIVES = frozenset(
    "and or so then hence thus because since as while which gives giving we get is was "
    "are that this therefore using via by from again now also both but not after "
    "before here there und oder also daher dann denn weil da wobei wo ist sind wegen "
    "damit folglich sowie nach et ou donc car puisque alors soit ainsi est sont comme "
    "ce qui o pues entonces luego porque es son y quindi allora dunque perché".split()
)
AT_WORDS = frozenset(
    "at for when where with if in an bei für mit im en pour avec au para con cuando "
    "per wenn falls quand si".split()
)
# fmt: on

Place = tuple[int, int, int]  # a cell, its section, a line


@dataclass(frozen=True, eq=False)
class TextFunction:
    """A function that a text defines: its parameters, and the formula of its value.

    place: the cell, its section and the line of the definition.
    """

    name: str
    parameters: tuple[str, ...]
    formula: Any
    place: Place = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class TextFormula:
    """A name that a text defines by a formula, which is read where the name is used.

    So `y = w x`, `w = 2` and `w = u + 1` may come in any order.
    """

    name: str
    formula: Any
    place: Place = (0, 0, 0)


@dataclass(frozen=True)
class Depends:
    """A name of which a text says only what it depends on: `y = y(x)`, `x = g(t)`."""

    name: str
    on: tuple[str, ...]
    place: Place = (0, 0, 0)


TextValue = TextFunction | TextFormula | Depends


class Vocabulary:
    """The names of a place, in the spellings that texts use for them.

    free: names without a value that the texts of the place may use. flipped: words that
    are read the other way than usual: `e` as a name before a power, `sigma` as a number
    before parentheses, `pi` as the constant where it is a name too.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        free: frozenset[str] = frozenset(),
        flipped: frozenset[str] = frozenset(),
    ) -> None:
        self.names, self.free, self.flipped = names, free, flipped
        self.spellings: dict[str, str] = {}
        for name, value in names.items():
            if isinstance(value, Symbol | Function | TextValue) or _is_value(value):
                for spelling in _spellings(name):
                    self.spellings.setdefault(spelling, name)
        for name in names:
            if name in self.spellings:
                self.spellings[name] = name

    def find(self, word: str) -> str | None:
        """The name that a word stands for, None where it is none."""
        if word in self.spellings:
            return self.spellings[word]
        if word in self.free:
            return word
        return self.spellings.get(word.replace("_", ""))

    def is_function(self, name: str) -> bool:
        """Whether a name stands for a function of the file."""
        return isinstance(self.names.get(name), Function | TextFunction)

    def is_formula(self, name: str) -> bool:
        """Whether a name stands for something that is computed from other names."""
        return isinstance(self.names.get(name), TextFormula | Depends)

    def partial(self, word: str) -> str | None:
        """`f_x` and `f_xy`, where f is a function: its derivative by those letters."""
        stem, _, index = word.partition("_")
        name = self.find(stem) if index and word not in self.names else None
        if name is None or not (self.is_function(name) or self.is_formula(name)):
            return None
        if not (index.isascii() and index.isalpha() and index.islower()):
            return None
        value = self.names.get(name)
        if isinstance(value, TextFunction) and not {*index} <= {*value.parameters}:
            return None  # f_c(x) = c + x is another function
        return f"{name}_{index}" if len(set(index)) < 3 and len(index) < 4 else None

    def split(self, word: str) -> tuple[str, ...] | None:
        """The names that a word is a product of; None where there are none."""
        whole = self.find(word)
        if whole is not None:
            return (whole,)
        if len(word) > 3 * WORD_PIECES:
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
        ways: list[list[tuple[str, ...]]] = [[()], *([] for _ in word)]
        for end in range(1, len(word) + 1):
            found = []
            for start in range(end):
                name = self.find(word[start:end]) if ways[start] else None
                if name is not None:
                    found += [(*way, name) for way in ways[start]]
            found = list(dict.fromkeys(found))
            least = min((len(w) for w in found), default=0)
            ways[end] = [w for w in found if len(w) == least][:4]
        return [w for w in ways[-1] if len(w) <= WORD_PIECES]


def is_named_function(word: str) -> bool:
    """Whether a word is a function of mathematics: `sin`, `sec`, a logarithm."""
    return (
        word in FUNCTIONS
        or word in INVERSES
        or word == PIECEWISE
        or word.startswith(BASED)
    )


def _is_value(value: Any) -> bool:
    return not (value is None or isinstance(value, str | bool | ast.AST))


def _spellings(name: str) -> Iterator[str]:
    yield name
    yield name.replace("_", "")
    if name.endswith("hat") and not name.endswith("_hat"):
        yield f"{name[:-3]}_hat"
    if name in ("lam", "lambda_", "lmbda"):
        yield "lambda"
    if name.endswith("_"):
        yield name[:-1]


# ---- names that have no value

# A name within a formula: a letter with its index, which may be a word at the end.
PIECE = re.compile(
    r"[A-Za-z](?:_\d+|_[A-Za-z]\d*(?![A-Za-z])|_[A-Za-z]{2,}\d*$|\d+)?'*"
)
INDEXED = re.compile(r"[A-Za-z]{2,}_\w+")
MARKED = re.compile(r"\w+_(?:hat|bar|tilde)(?:_\w+)?")


def free_words(tokens: Sequence[Token], known: Vocabulary) -> frozenset[str]:
    """Words of a text that may be names though nothing gives them a value.

    Between the marks of a formula these are all letters, `wx` being w·x; elsewhere only
    letters that stand alone, since the rest is prose.
    """
    found: set[str] = set()
    parameters = frozenset(
        p
        for value in known.names.values()
        if isinstance(value, TextFunction)
        for p in value.parameters
        if len(p) == 1
    )
    for i, token in enumerate(tokens):
        if token.kind != "WORD" or known.find(token.text) is not None:
            continue
        if not token.formula and len(token.text) == 2 and {*token.text} <= parameters:
            found |= {*token.text}  # the xy of `f(x, y) = x²y`
        following = tokens[i + 1] if i + 1 < len(tokens) else None
        is_power = following is not None and following.kind == "CARET"
        if token.text == "e" and is_power and "e" not in known.flipped:
            continue
        if known.partial(token.text) is not None:
            continue
        if token.formula:
            previous = tokens[i - 1] if i else None
            found |= _names_within(token, previous, following)
        elif _is_letter(token.text) and not _is_article(tokens, i):
            found.add(token.text)
    return frozenset(found - {"pi"})


def _names_within(
    token: Token, previous: Token | None, following: Token | None
) -> set[str]:
    word = token.text
    after = following.kind if following is not None else "SEP"
    if word == "sigma":  # a number, where it is not applied
        return {word} if after in ALONE else set()
    if word == "d":  # a number, where it is no sign of a derivative
        opens = previous is not None and previous.kind in ("LB", "SLASH")
        return {word} if after in ALONE and not (opens or after == "CARET") else set()
    if word.endswith("e") and after == "CARET" and len(word) < 4:
        word = word[:-1]  # x e^x
        if not word:
            return set()
    stem = word.split("_")[0].rstrip("0123456789'")
    is_product = {*word} <= {*"xyz"}  # the xy of `xy = 1` is no name
    heads = (
        not is_product
        and after == "EQ"
        and (previous is None or previous.kind in BEFORE_HEAD)
    )
    if is_named_function(word) and stem not in NAMED_LETTERS:
        return set()
    if (
        stem in NAMED_LETTERS
        or MARKED.fullmatch(word)
        or INDEXED.fullmatch(word)
        or heads
    ):
        return {word}
    pieces = PIECE.findall(word)
    return {*pieces} - {"d"} if "".join(pieces) == word else set()


BEFORE_HEAD = frozenset({"SEP", "NL", "WORD", "COLON"})
ALONE = frozenset(
    "EQ APPROX RB RPAR RBRACK PLUS MINUS TIMES SLASH CARET SEP COMMA DOT NL".split()
)


def _is_letter(word: str) -> bool:
    """A letter, maybe with an index or a mark: `x`, `w_1`, `x1`, `y_hat`, `theta`."""
    stem = word.split("_")[0]
    return (
        len(stem.rstrip("'")) == 1
        or MARKED.fullmatch(word) is not None
        or stem in NAMED_LETTERS - {"pi", "sigma"}
        or (len(word) == 2 and word[1].isdigit())
    )


def _is_article(tokens: Sequence[Token], i: int) -> bool:
    """Whether a letter is a word of the prose, such as `a` in `a function`."""
    if tokens[i].text not in ("a", "A", "I", "e", "o", "y", "à", "è", "é", "u"):
        return False
    around = [tokens[j] for j in (i - 1, i + 1) if 0 <= j < len(tokens)]
    return all(t.kind in ("WORD", "NL", "DOT", "COMMA") for t in around)
