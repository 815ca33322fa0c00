"""A claim's outcome as a notebook shows it: the verdicts, the sum, the graph."""

from __future__ import annotations

import html
from collections.abc import Sequence

from gradverify.claims.mending.slips import told
from gradverify.diagnosis.explanation import Explanation
from gradverify.graph import LEAVES, Graph, numbered_lines
from gradverify.graph.drawing import drawing


def as_html(
    claims: Sequence[str], explanation: Explanation | None, graph: Graph | None
) -> str:
    """The claims as lines, the explanation, and the graph with the guilty edge red."""
    parts = [f"<div>{html.escape(line)}</div>" for line in claims]
    if explanation is not None:
        parts += [f"<p>{html.escape(line)}</p>" for line in told(explanation)]
        if graph is not None:
            parts.append(_drawn(graph, explanation))
    return "\n".join(parts)


def _drawn(graph: Graph, explanation: Explanation) -> str:
    shown = explanation.shown
    lines = explanation.lines or numbered_lines(graph)
    notes = []
    for i, node in enumerate(graph.nodes):
        value = shown.values[i] if i < len(shown.values) else ""
        adjoint = shown.adjoints[i] if i < len(shown.adjoints) else ""
        is_constant = node.op in LEAVES and node.op != "input"
        texts = [] if is_constant or not value else [f"value {value}"]
        texts += [f"derivative {adjoint}"] if adjoint and not is_constant else []
        notes.append(", ".join(texts))
    return drawing(graph, lines, notes, shown.guilty)


def as_latex(explanation: Explanation | None) -> str | None:
    """The sum over paths as a formula; None where there is none, as notebooks want."""
    if explanation is None or not explanation.latex:
        return None
    return f"$\\displaystyle {explanation.latex}$"
