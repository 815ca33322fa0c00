"""The names of a place, in the spellings that texts use for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.bindings import Function
from gradverify.claims.computation.file_program import NotUnderstood

# ruff: noqa: SIM905
# fmt: off
FUNCTIONS: Mapping[str, str] = {
    "exp": "exp", "log": "log", "ln": "log", "sin": "sin", "cos": "cos", "tan": "tan",
    "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "sqrt": "sqrt",
    "sigmoid": "sigmoid", "sigma": "sigmoid", "relu": "relu", "ReLU": "relu",
    "RELU": "relu", "abs": "abs", "softplus": "softplus", "arcsin": "asin",
    "arccos": "acos", "arctan": "atan", "max": "maximum", "min": "minimum",
    "maximum": "maximum", "minimum": "minimum", "square": "square", "sum": "sum",
    "mean": "mean", "sech": "sech",
}

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

PIECES = 12  # of a word that is split


@dataclass(frozen=True, eq=False)
class TextFunction:
    """A function that a text defines: its parameters, and the formula of its value."""

    name: str
    parameters: tuple[str, ...]
    formula: Any
    scope: Mapping[str, Any] = field(repr=False)


class Vocabulary:
    """The names of a place, in the spellings that texts use for them."""

    def __init__(
        self, names: Mapping[str, Any], free: frozenset[str] = frozenset()
    ) -> None:
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
        ways: list[list[tuple[str, ...]]] = [[()], *([] for _ in word)]
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
