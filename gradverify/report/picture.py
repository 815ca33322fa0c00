"""A graph laid out in layers by Graphviz: boxes and curves that a template draws."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gradverify.graph import LEAVES, Graph, names_of
from gradverify.records import Evidence
from gradverify.report.wording import cut

MOST_NODES = 30  # nodes of a picture; a longer graph is shown as a program
CHARACTER, LINE, MARGIN = 7.3, 16, 8  # of a box, in pixels
LONGEST = 26  # characters of a line in a box
ORDERED = frozenset({"sub", "div", "pow", "atan2", "where", "matmul", "clip"})
POINTS = 72.0  # of an inch; Graphviz counts in inches


@dataclass(frozen=True)
class Box:
    """A node: the middle of its box, its size, and its lines of text."""

    x: float
    y: float
    width: float
    height: float
    title: str
    lines: Sequence[tuple[str, str]]
    kind: str


@dataclass(frozen=True)
class Edge:
    """The way of an operand into a node: a path, its arrow head, and a mark at its
    end.
    """

    path: str
    head: str
    mark: str
    x: float
    y: float
    guilty: bool


@dataclass(frozen=True)
class Picture:
    """A drawing, and a sentence that says what it shows."""

    width: float
    height: float
    boxes: Sequence[Box]
    edges: Sequence[Edge]
    sentence: str
    legend: str


def picture(graph: Graph, evidence: Evidence | None) -> Picture | None:
    """The graph with values and adjoints.

    None if it is long, or if there is no Graphviz.
    """
    if len(graph.nodes) > MOST_NODES:
        return None
    try:
        import pygraphviz
    except ImportError:
        return None
    evidence = evidence or Evidence()
    drawing = pygraphviz.AGraph(
        directed=True, strict=False, rankdir="TB", nodesep=0.3, ranksep=0.4
    )
    texts = [_texts(graph, i, evidence) for i in range(len(graph.nodes))]
    for i, (title, lines) in enumerate(texts):
        width, height = _size(title, lines)
        drawing.add_node(
            i,
            label="",
            shape="box",
            fixedsize="true",
            width=width / POINTS,
            height=height / POINTS,
        )
    for i, node in enumerate(graph.nodes):
        for k, j in enumerate(node.operands):
            drawing.add_edge(j, i, key=f"{i}.{k}", dir="none")
    drawing.layout("dot")
    _, _, width, height = _numbers(drawing.graph_attr["bb"])
    boxes = [_box(drawing, graph, i, text, height) for i, text in enumerate(texts)]
    edges = list(_edges(drawing, graph, evidence, height))
    legend = _legend(evidence)
    return Picture(width, height, boxes, edges, _sentence(graph), legend)


def _legend(evidence: Evidence) -> str:
    parts = {
        "= value": evidence.values,
        "∂ exact adjoint": evidence.adjoints,
        "red: where it goes wrong": evidence.guilty,
    }
    return " · ".join(text for text, there in parts.items() if there)


def _texts(
    graph: Graph, i: int, evidence: Evidence
) -> tuple[str, list[tuple[str, str]]]:
    node, name = graph.nodes[i], names_of(graph)[i]
    title = name if node.op == "input" else node.op
    if node.op not in LEAVES:
        title = f"{name} = {node.op}"
    lines = [
        (kind, cut(texts[i], LONGEST))
        for kind, texts in (("value", evidence.values), ("adjoint", evidence.adjoints))
        if i < len(texts) and texts[i]
    ]
    if not lines and node.op == "literal":
        lines = [("value", repr(node.value))]
    return title, lines


def _size(title: str, lines: Sequence[tuple[str, str]]) -> tuple[float, float]:
    longest = max(len(title), *(len(text) + 3 for _, text in lines), 4)
    return (
        longest * CHARACTER + 2 * MARGIN,
        (1 + len(lines)) * LINE + 1.25 * MARGIN,
    )


def _numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", text)]


def _box(
    drawing: Any,
    graph: Graph,
    i: int,
    text: tuple[str, list[tuple[str, str]]],
    top: float,
) -> Box:
    x, y = _numbers(drawing.get_node(i).attr["pos"])[:2]
    width, height = _size(*text)
    node = graph.nodes[i]
    kind = "output" if i == len(graph.nodes) - 1 else "op"
    return Box(x, top - y, width, height, *text, "leaf" if node.op in LEAVES else kind)


def _edges(
    drawing: Any, graph: Graph, evidence: Evidence, top: float
) -> Iterator[Edge]:
    for i, node in enumerate(graph.nodes):
        for k, j in enumerate(node.operands):
            flat = _numbers(drawing.get_edge(j, i, f"{i}.{k}").attr["pos"])
            points = [(x, top - y) for x, y in zip(flat[::2], flat[1::2], strict=True)]
            numbered = node.op in ORDERED or len(node.operands) > 2
            yield _edge(points, str(k + 1) if numbered else "", _is(evidence, i, k))


def _is(evidence: Evidence, node: int, operand: int) -> bool:
    """Whether this is the edge to mark."""
    if evidence.guilty is None:
        return False
    where, which = evidence.guilty
    return where == node and which in (None, operand)


def _edge(points: Sequence[tuple[float, float]], mark: str, guilty: bool) -> Edge:
    (x0, y0), *rest = points
    path = f"M{x0:.1f} {y0:.1f}C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in rest)
    x, y = points[-1]
    dx, dy = x - points[-2][0], y - points[-2][1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    ux, uy = dx / length, dy / length
    sides = ((x - 7 * ux - s * uy, y - 7 * uy + s * ux) for s in (3.5, -3.5))
    head = f"M{x:.1f} {y:.1f}L" + "L".join(f"{a:.1f} {b:.1f}" for a, b in sides) + "Z"
    return Edge(path, head, mark, x + 9, y - 6, guilty)


def _sentence(graph: Graph) -> str:
    names = names_of(graph)
    steps = [
        f"{names[i]} = {node.op}({', '.join(names[j] for j in node.operands)})"
        for i, node in enumerate(graph.nodes)
        if node.op not in LEAVES
    ]
    return "The graph: " + "; ".join(steps)
