"""The sum over paths from the output to an input, as it is and as it was taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.diagnosis.naming import (
    DIGITS,
    Naming,
    digits_apart,
    listed,
    number,
)
from gradverify.diagnosis.slip_search import Edge, Slip, changing
from gradverify.graph import Graph
from gradverify.graph.latex import symbol

MOST_PATHS = 8  # paths that are written out
LONGEST = 200  # characters of a sum


@dataclass(frozen=True)
class Sum:
    """The sum over paths in words and in LaTeX."""

    lines: tuple[str, ...] = ()
    latex: str = ""


def paths_to(graph: Graph, target: int) -> Iterator[tuple[Edge, ...]]:
    """All ways from the output back to a node, as lists of edges.

    Ways through first operands come first.
    """

    def walk(i: int, taken: tuple[Edge, ...]) -> Iterator[tuple[Edge, ...]]:
        if i == target:
            yield taken
            return
        for k, j in enumerate(graph.nodes[i].operands):
            if j >= target:
                yield from walk(j, (*taken, (i, k)))

    yield from walk(len(graph.nodes) - 1, ())


def few_paths(graph: Graph, target: int) -> list[tuple[Edge, ...]] | None:
    """The paths; None if there are too many to write out."""
    found = []
    for path in paths_to(graph, target):
        found.append(path)
        if len(found) > MOST_PATHS:
            return None
    return found


def sum_over_paths(
    words: Naming, slip: Slip | None, targets: Sequence[int], given: Sequence[Any]
) -> Sum:
    """The sum over paths for the first target, and what the slip gives for the others.

    targets: inputs whose derivatives are wrong.
    given: the wrong numbers.
    """
    if not targets or not words.is_scalar:
        return Sum()
    target = targets[0]
    paths = few_paths(words.graph, target)
    if not paths or paths == [()]:
        return Sum()
    names, total = words.names, words.right.adjoints[target]
    head = f"∂{names[-1]}/∂{names[target]}"
    formulas = " + ".join(_product([words.symbol(*e) for e in p]) for p in paths)
    figures = _figures([[words.local(*e) for e in p] for p in paths])
    parts = _distinct([head, formulas, figures, number(_zeroed(total))])
    line = " = ".join(parts)
    if len(line) > LONGEST:
        return Sum()
    taken = None if slip is None else _taken(words, slip, paths, given[0])
    lines = [line if taken is None else f"{line}; {taken}"]
    if taken is not None and slip is not None:
        lines += _others(words, slip, targets, given)
    lines.append(_where(words))
    return Sum(tuple(x for x in lines if x), _latex(words, target, paths, figures))


def _zeroed(value: Any) -> Any:
    return 0.0 if value is None else value


def _distinct(parts: Sequence[str]) -> list[str]:
    kept = [parts[0]]
    for part in parts[1:]:
        if part != kept[-1]:
            kept.append(part)
    return kept


def _product(factors: Sequence[str]) -> str:
    if len(factors) == 1:
        return factors[0]
    return "·".join(f if _is_atom(f) else f"({f})" for f in factors)


def _is_atom(text: str) -> bool:
    """Whether a factor needs no parentheses: a name, a number, a call."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and (character == " " or (character == "-" and position == 0)):
            return False
    return True


def _figures(products: Sequence[Sequence[Any]], digits: int = DIGITS) -> str:
    """The same sum in numbers.

    Factors of 1 are left out, and a product with 0 is written as 0.
    """
    terms = []
    for factors in products:
        if any(f == 0 for f in factors):
            terms.append("0")
            continue
        texts = [number(f, digits) for f in factors if f != 1] or ["1"]
        terms.append(
            "·".join(
                f"({t})" if t.startswith("-") and (k or terms) else t
                for k, t in enumerate(texts)
            )
        )
    return " + ".join(terms)


# ---- as it was taken


def locals_with(words: Naming, slip: Slip) -> dict[Edge, Any]:
    """The local derivatives that the slip puts in place of the right ones."""
    change = changing(slip)
    found = {}
    for i in {i for i, _ in slip.edges}:
        bars = change(words.right.application(i, np.longdouble(1.0)))
        if bars is not None:
            for node, k in slip.edges:
                if node == i:
                    found[i, k] = np.longdouble(0.0) if bars[k] is None else bars[k]
    return found


def _taken(
    words: Naming, slip: Slip, paths: Sequence[Sequence[Edge]], given: Any
) -> str | None:
    """Which local derivatives were taken for which others, and the sum that this gives.

    None if it gives another sum. That is so for a slip that is no other local
    derivative, such as a cotangent that is squared.
    """
    other = locals_with(words, slip)
    products = [[other[e] if e in other else words.local(*e) for e in p] for p in paths]
    total = sum((np.prod(np.array(p)) for p in products), np.longdouble(0.0))
    if not np.isfinite(total) or abs(total - given) > 1e-3 * abs(given):
        return None
    on_paths = [e for e in slip.edges if e in other and any(e in p for p in paths)]
    if not on_paths:
        return None
    told = listed([_took(words, e, other[e]) for e in on_paths])
    exact = sum(
        (np.prod(np.array([words.local(*e) for e in p])) for p in paths),
        np.longdouble(0.0),
    )
    digits = digits_apart(total, exact)
    result = " = ".join(_distinct([_figures(products, digits), number(total, digits)]))
    return f"{words.who} took {told}: {result}"


def _took(words: Naming, edge: Edge, other: Any) -> str:
    """What a local derivative was taken for, with enough digits to tell both apart."""
    digits = digits_apart(other, words.local(*edge))
    taken = number(other, digits)
    return f"{words.partial(*edge)} as {taken} (it is {words.truth(*edge, digits)})"


def _others(
    words: Naming, slip: Slip, targets: Sequence[int], given: Sequence[Any]
) -> list[str]:
    found = words.right.swept(changing(slip))
    told = []
    for i, number_given in zip(targets[1:], given[1:], strict=True):
        total = _zeroed(found[i])
        if abs(total - number_given) <= 1e-3 * abs(number_given):
            told.append(f"{number(total)} for {words.names[i]}")
    return [f"the same slip gives {listed(told)}"] if told else []


def _where(words: Naming) -> str:
    lines = [words.line(i) for i, n in enumerate(words.graph.nodes) if n.operands]
    text = f"where {', '.join(lines)}"
    return text if len(lines) > 1 and len(text) <= LONGEST else ""


# ---- LaTeX


def _latex(
    words: Naming, target: int, paths: Sequence[Sequence[Edge]], figures: str
) -> str:
    names = words.names
    head = rf"\frac{{\partial {symbol(names[-1])}}}{{\partial {symbol(names[target])}}}"
    terms = [r" \cdot ".join(words.latex(*e) for e in path) for path in paths]
    numbers = figures.replace("·", r" \cdot ")
    total = number(_zeroed(words.right.adjoints[target]))
    parts = _distinct(
        [head, " + ".join(terms), _scientific(numbers), _scientific(total)]
    )
    return " = ".join(parts)


def _scientific(text: str) -> str:
    """1e-09 as LaTeX has it."""
    import re

    return re.sub(r"e([+-]?\d+)", lambda m: rf" \cdot 10^{{{int(m[1])}}}", text)
