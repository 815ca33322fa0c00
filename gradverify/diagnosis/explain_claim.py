"""A wrong gradient worked out by hand: which slips lead to its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradverify.diagnosis.explain_case import equally_good
from gradverify.diagnosis.explanation import DrawnEvidence, Explanation
from gradverify.diagnosis.graph_slips import WholeSlip, whole_slips
from gradverify.diagnosis.naming import Naming, naming, number
from gradverify.diagnosis.observation import Observation, is_smooth
from gradverify.diagnosis.paths import sum_over_paths
from gradverify.diagnosis.right_sweep import right
from gradverify.diagnosis.sentences import sentence
from gradverify.diagnosis.slip_search import Slip, slips
from gradverify.graph import Array, Case

LISTED = 4  # explanations beside the first

WHO = "the claim"


def explain_claim(
    case: Case,
    claimed: Mapping[int, Array],
    allowed: Mapping[int, Array],
    names: Sequence[str],
) -> Explanation:
    """The slips that give the claimed derivatives, with the fewest changes first.

    claimed, allowed: by input node, the numbers and how far they may be off.

    There is one point only, so that several slips may explain the numbers. All of them
    are listed.
    """
    with np.errstate(all="ignore"):
        if not is_smooth(case):
            return Explanation()
        whole = right(case)
        seen = Observation(whole, claimed, allowed)
        if not seen.deviates or not np.all(np.isfinite(seen.given)):
            return Explanation()
        words = naming(whole, WHO, names)
        by_op = [slip for slip in slips([seen]) if slip.cause.by_hand]
        others = whole_slips([seen], by_hand=True)
        return said(words, [*by_op, *others], seen)


def said(
    words: Naming, found: Sequence[Slip | WholeSlip], seen: Observation
) -> Explanation:
    """The explanation by slips, the likeliest first.

    Without slips, the sum over paths alone.
    """
    best = found[0] if found else None
    wrong = [i for i in words.graph.inputs if i in seen.wrong]
    given = [np.asarray(seen.got[i]) for i in wrong]
    scalars = [g.reshape(())[()] for g in given if g.size == 1]
    total = sum_over_paths(
        words,
        best if isinstance(best, Slip) else None,
        wrong if len(scalars) == len(given) else (),
        scalars,
    )
    if best is None:
        return Explanation(
            paths=total.lines,
            latex=total.latex,
            lines=words.lines,
            shown=shown(words),
        )
    equal = equally_good(found)
    told = {(s.cause.name, s.node) for s in equal[:2]}
    others = [s for s in found[1:] if (s.cause.name, s.node) not in told]
    texts = [sentence(words, s) for s in equal[:2]]
    edge = best.edges[0] if isinstance(best, Slip) else (best.node, None)
    node, operand = edge
    if isinstance(best, Slip) and len(best.edges) > 1:
        operand = None
    return Explanation(
        sentence=joined(texts),
        cause=best.cause.name,
        equally=tuple(s.cause.name for s in equal[1:2]),
        node=node,
        operand=operand,
        op="" if node is None else words.graph.nodes[node].op,
        also=tuple(dict.fromkeys(sentence(words, s) for s in others))[:LISTED],
        paths=total.lines,
        latex=total.latex,
        lines=words.lines,
        shown=shown(words, None if node is None else (node, operand)),
    )


def joined(texts: Sequence[str]) -> str:
    """Equally good explanations in one sentence; a place that they share is said
    once.
    """
    first, *rest = texts
    place, colon, _ = first.partition(": ")
    for text in rest:
        same = colon and text.startswith(place + ": ")
        first += f"; or {text[len(place) + 2 :] if same else text}"
    return first


def shown(words: Naming, guilty: tuple[int, int | None] | None = None) -> DrawnEvidence:
    """The values and adjoints of all nodes, and the edge to mark."""
    adjoints = words.right.adjoints
    return DrawnEvidence(
        values=tuple(number(v, 10) for v in words.right.values),
        adjoints=tuple("" if a is None else number(a, 10) for a in adjoints),
        guilty=guilty,
    )
