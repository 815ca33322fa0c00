"""A graph as a picture, or as a numbered program where Graphviz is not installed."""

from __future__ import annotations

import html
from collections.abc import Sequence

from gradverify.graph.node import LEAVES
from gradverify.graph.program import Graph

MOST_NODES = 40  # nodes of a picture that is read
WRONG, PLAIN = "#c0392b", "#555555"


def drawing(
    graph: Graph,
    lines: Sequence[str],
    notes: Sequence[str],
    guilty: tuple[int, int | None] | None = None,
) -> str:
    """The graph as HTML: an SVG drawn by pygraphviz, or the lines of the program.

    All text is escaped.

    lines: one for each node, such as `d = a * b`.
    notes: one for each node, such as its value. It stands below the line, and may be
        empty.
    guilty: a node and the operand whose edge is red. If the operand is None, all edges
        of the node are.
    """
    if len(graph.nodes) <= MOST_NODES:
        found = _svg(graph, lines, notes, guilty)
        if found is not None:
            return found
    shown = [
        f"{line}    {note}" if note else line
        for line, note in zip(lines, notes, strict=True)
    ]
    return f"<pre>{html.escape(chr(10).join(shown))}</pre>"


def _svg(
    graph: Graph,
    lines: Sequence[str],
    notes: Sequence[str],
    guilty: tuple[int, int | None] | None,
) -> str | None:
    try:
        import pygraphviz
    except ImportError:
        return None
    picture = pygraphviz.AGraph(
        directed=True, strict=False, rankdir="LR", bgcolor="transparent"
    )
    for i, node in enumerate(graph.nodes):
        # in a label a backslash is an escape, and "<" at its head begins markup
        texts = [t.replace("\\", "\\\\") for t in (f" {lines[i]}", notes[i]) if t]
        shape = "plaintext" if node.op in LEAVES else "box"
        picture.add_node(i, label="\n".join(texts), shape=shape, fontsize=11)
    for i, node in enumerate(graph.nodes):
        for k, j in enumerate(node.operands):
            is_guilty = guilty is not None and guilty[0] == i and guilty[1] in (None, k)
            picture.add_edge(j, i, key=f"{i}.{k}", color=WRONG if is_guilty else PLAIN)
    try:
        text: str = picture.draw(format="svg", prog="dot").decode()
    except (OSError, ValueError):
        return None
    return text[text.index("<svg") :]
