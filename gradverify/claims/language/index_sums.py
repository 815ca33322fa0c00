"""Sums over an index, written out: `Σ_i w_i x_i` becomes w_1 x_1 + w_2 x_2 + w_3 x_3.

What holds of a sum for whatever length holds for three terms. So a sum whose length the
text leaves open is read with three, its upper bound is the number 3, and an index that
is free in a formula, such as the i of ∂S/∂w_i, is 2. This is done to the text, before
it is cut into tokens, and its line ends stay where they are.
"""

# The patterns are full of look-alikes.

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gradverify.claims.claim_limits import TERMS

SIGN = r"(?:\\sum(?![a-zA-Z])(?:\s*\\(?:no)?limits)?|∑|Σ(?=\s*_))"
PART = r"(\{[^{}]*\}|\\?[A-Za-z0-9])"
SUM = re.compile(rf"{SIGN}\s*_\s*{PART}(?:\s*\^\s*{PART})?")
BOUND = re.compile(r"\{?\s*([a-zA-Z])\s*(?:(?:=|\\in|∈)\s*[^{}]*)?\}?")
SUBSCRIPT = re.compile(
    r"_\s*(?:([a-z])(?![A-Za-z])|\{\s*([a-z]{1,2}|[a-z]\s*,\s*[a-z])\s*\})"
)
EXAMPLE = re.compile(r"\^\s*\{?\s*\(\s*([a-z])\s*\)\s*\}?")
KRONECKER = re.compile(
    r"\\delta\s*_\s*\{\s*([a-z])\s*,?\s*([a-z])\s*\}|δ_?\{?([a-z])([a-z])\}?"
)
USUAL = "ijkl"
CHOSEN = ("2", "1", "3", "2")  # what free indices are, in the order of their letters
ENDS = re.compile(
    r"=|\\\\|\$|\\(?:quad|qquad|text|end|right|approx)(?![a-zA-Z])|[,;&≈]"
)


@dataclass(frozen=True)
class Sums:
    """What a file sums over.

    indices: its letters, bound or free. bounds: letters that say how many terms there
    are. stems: names that have an index.
    """

    indices: tuple[str, ...]
    bounds: frozenset[str]
    stems: frozenset[str]

    def written_out(self, text: str) -> str:
        """The text with its sums as terms, and free indices as numbers."""
        text = KRONECKER.sub(self._kronecker, text)
        for _ in range(TERMS):
            found = [*SUM.finditer(text)]
            if not found:
                break
            text = _first_terms(text, found[-1])  # the innermost sum comes last
        for letter, number in self.numbers():
            text = _with_number(text, letter, number)
        for bound in sorted(self.bounds):
            text = re.sub(
                rf"(?<![A-Za-z\\_]){bound}(?![A-Za-z_])", f"{{{TERMS}}}", text
            )
        return text

    def numbers(self) -> list[tuple[str, str]]:
        """For each free index the number that it stands for."""
        return [*zip(self.indices, CHOSEN, strict=False)]

    def free_in(self, text: str) -> int:
        """How many indices a text has that no sum in it binds."""
        bound = {_index_of(m) for m in SUM.finditer(text)}
        return len({i for i in _letters(text) if i in self.indices} - bound)

    def others(self, name: str) -> dict[str, dict[str, str]]:
        """For `p_2`, which was p_i: p_1 and p_3, each with what 1, 2 and 3 become."""
        stem, _, number = name.rpartition("_")
        if stem not in self.stems or number != CHOSEN[0]:
            return {}
        numbers = [str(k + 1) for k in range(TERMS)]
        return {f"{stem}_{k}": {k: number, number: k} for k in numbers if k != number}

    def _kronecker(self, match: re.Match[str]) -> str:
        first, second = (g for g in match.groups() if g)
        if not {first, second} <= {*self.indices}:
            return match[0]
        numbers = dict(self.numbers())
        return "1" if numbers[first] == numbers[second] else "0"


def sums_of(texts: Iterable[str]) -> Sums | None:
    """What the texts of a file sum over; None where they have no sum that is read."""
    several = [*texts]
    found = [m for text in several for m in SUM.finditer(text)]
    bound = {i for m in found if (i := _index_of(m))}
    if not bound:
        return None
    used = {i for text in several for i in _letters(text)}
    free = [i for i in USUAL if i in used and i not in bound]
    indices = (*free, *sorted(bound))
    if len(indices) > len(CHOSEN):
        return None
    ends = {m[2].strip("{} ") for m in found if m[2]}
    bounds = frozenset(e for e in ends if len(e) == 1 and e.isalpha())
    stems = {m[1] for text in several for m in INDEXED.finditer(text)}
    return Sums(indices, bounds - {*indices}, frozenset(stems))


INDEXED = re.compile(r"([A-Za-z])\s*_\s*\{?[a-z]\}?(?![A-Za-z0-9])")


def _index_of(match: re.Match[str]) -> str:
    found = BOUND.fullmatch(match[1])
    return found[1] if found is not None else ""


def _letters(text: str) -> list[str]:
    """The letters of subscripts, and of `x^{(i)}`."""
    found = [c for m in SUBSCRIPT.finditer(text) for c in (m[1] or m[2]) if c.isalpha()]
    return found + [m[1] for m in EXAMPLE.finditer(text)]


def _first_terms(text: str, match: re.Match[str]) -> str:
    """The text with one sum as its terms."""
    index, end = _index_of(match), _end_of_body(text, match.end())
    body = text[match.end() : end]
    top = (match[2] or "").strip("{} ")
    start = re.search(r"=\s*(\d+)", match[1])
    first = int(start[1]) if start else 1
    last = int(top) if top.isdigit() else TERMS
    if not index or not body.strip() or not 0 <= last - first < 2 * TERMS:
        return f"{text[: match.start()]} ‡ {text[match.end() :]}"
    terms = [_with_number(body, index, str(k)) for k in range(first, last + 1)]
    rest = [t.replace("\n", " ") for t in terms[1:]]
    inner = " + ".join(f"({t})" for t in (terms[0], *rest))
    return f"{text[: match.start()]} ({inner}) {text[end:]}"


def _end_of_body(text: str, start: int) -> int:
    """Where what is summed ends: before a sign of a sum, a relation, a bracket."""
    depth, place, is_empty = 0, start, True
    while place < len(text):
        sign = text[place]
        if depth == 0 and ENDS.match(text, place):
            break
        if sign in "([{" or text.startswith("\\left", place):
            depth += 1
            place += 5 if text.startswith("\\left", place) else 0
            is_empty = False
        elif sign in ")]}":
            depth -= 1
            if depth < 0:
                break
        elif text.startswith("\\right", place):
            place += 6
            depth -= 1
        elif sign in "+-" and depth == 0 and not is_empty:
            break
        elif not sign.isspace():
            is_empty = False
        place += 1
    return place


def _with_number(text: str, letter: str, number: str) -> str:
    """The text with an index as a number: in subscripts, on examples, as a factor."""

    def subscript(match: re.Match[str]) -> str:
        inner = match[1] or match[2].replace(",", "").replace(" ", "")
        return f"_{{{inner.replace(letter, number)}}}" if letter in inner else match[0]

    text = SUBSCRIPT_OR_NUMBER.sub(subscript, text)
    text = re.sub(rf"\^\s*\{{?\s*\(\s*{letter}\s*\)\s*\}}?", f"^{{[{number}]}}", text)
    return re.sub(
        rf"(?<=\^){letter}(?![A-Za-z])|(?<=\^\{{){letter}(?=\}})", number, text
    )


SUBSCRIPT_OR_NUMBER = re.compile(
    r"_\s*(?:([a-z])(?![A-Za-z])|\{\s*([a-z0-9]{1,2}|[a-z0-9]\s*,\s*[a-z0-9])\s*\})"
)
