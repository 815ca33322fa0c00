"""A graph as a tree of mathematics, for MathML in a template and as a line of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradverify.graph import LEAVES, Graph, Node, names_of

MOST_LEAVES = 40  # leaves of a formula; with more it is shown as a program
MINUS = "\N{MINUS SIGN}"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SUM, PRODUCT, PREFIX, POWER, ATOM = range(1, 6)  # how tightly a form binds


@dataclass(frozen=True)
class Term:
    """A piece of a formula.

    kind: name, number, infix, prefix, fraction, power, root, bars, call, fence.
    text: the name, the number, the sign, or the function.
    binds: how tightly.
    """

    kind: str
    text: str
    parts: tuple[Term, ...] = ()
    binds: int = ATOM


Form = Callable[[Sequence[Term], Node], Term]


def term(graph: Graph) -> Term | None:
    """The output as a tree, with shared operands written out; None if that would be
    long.
    """
    names = names_of(graph)
    terms: list[Term] = []
    sizes: list[int] = []
    for i, node in enumerate(graph.nodes):
        size = sum(sizes[j] for j in node.operands) or 1
        if size > MOST_LEAVES:
            return None
        sizes.append(size)
        terms.append(
            _leaf(node, names[i])
            if node.op in LEAVES
            else FORMS.get(node.op, _call)([terms[j] for j in node.operands], node)
        )
    return terms[-1]


def _leaf(node: Node, name: str) -> Term:
    if node.op == "literal":
        text = repr(node.value)
        return Term("number", text, binds=PREFIX if text.startswith("-") else ATOM)
    return Term("name", name)


def _infix(sign: str, binds: int) -> Form:
    """A sign between two parts. The part on its right keeps its parentheses.

    Floating-point arithmetic is not associative, so they matter.
    """

    def form(parts: Sequence[Term], node: Node) -> Term:
        left, right = parts
        least = ATOM if right.binds == PREFIX else binds + 1
        right = _fenced(right, least)
        return Term("infix", sign, (_fenced(left, binds), right), binds)

    return form


def _fenced(part: Term, least: int) -> Term:
    return part if part.binds >= least else Term("fence", "", (part,))


def _negative(parts: Sequence[Term], node: Node) -> Term:
    return Term("prefix", MINUS, (_fenced(parts[0], PREFIX),), PREFIX)


def _fraction(parts: Sequence[Term], node: Node) -> Term:
    above, below = (Term("number", "1"), *parts)[-2:]
    return Term("fraction", "/", (above, below), PRODUCT)


def _raised(parts: Sequence[Term], node: Node) -> Term:
    n = node.params.get("n", 2)
    exponent = parts[1] if len(parts) > 1 else Term("number", repr(n))
    return Term("power", "", (_fenced(parts[0], ATOM), exponent), POWER)


def _root(parts: Sequence[Term], node: Node) -> Term:
    return Term("root", "√", tuple(parts))


def _bars(parts: Sequence[Term], node: Node) -> Term:
    return Term("bars", "|", tuple(parts))


def _call(parts: Sequence[Term], node: Node) -> Term:
    params = (Term("name", f"{k}={_plain(v)}") for k, v in node.params.items())
    return Term("call", node.op, (*parts, *params))


def _plain(value: object) -> str:
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


# fmt: off
FORMS: dict[str, Form] = {
    "neg":        _negative,
    "add":        _infix("+", SUM),
    "sub":        _infix(MINUS, SUM),
    "mul":        _infix("·", PRODUCT),
    "div":        _fraction,
    "pow":        _raised,
    "power":      _raised,
    "square":     _raised,
    "reciprocal": _fraction,
    "sqrt":       _root,
    "abs":        _bars,
    "matmul":     _infix("@", PRODUCT),
}
# fmt: on


def line(found: Term) -> str:
    """The formula as one line of text, such as (a + b)·a²."""
    parts = [line(part) for part in found.parts]
    match found.kind:
        case "name" | "number":
            return found.text
        case "infix" if found.text == "·":
            return "·".join(parts)
        case "infix":
            return f" {found.text} ".join(parts)
        case "prefix":
            return found.text + parts[0]
        case "fraction":
            above, below = found.parts
            return f"{_level(above, PRODUCT)}/{_level(below, POWER)}"
        case "power":
            return _powered(parts[0], found.parts[1])
        case "bars":
            return f"|{parts[0]}|"
        case "fence":
            return f"({parts[0]})"
        case _:
            return f"{found.text}({', '.join(parts)})"


def _level(part: Term, least: int) -> str:
    return line(_fenced(part, least))


def _powered(base: str, exponent: Term) -> str:
    if exponent.text.lstrip("-").isdigit():
        return base + exponent.text.translate(SUPERSCRIPTS)
    return f"{base}^{_level(exponent, ATOM)}"
