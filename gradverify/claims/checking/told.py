"""Which slip leads to a gradient that somebody worked out wrongly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradverify.diagnosis.explain_claim import explain_claim
from gradverify.diagnosis.explanation import Explanation
from gradverify.graph import Array
from gradverify.reference import Reference


def told(explanation: Explanation) -> list[str]:
    """An explanation in lines."""
    others = [f"or: {text}" for text in explanation.also]
    lines = [explanation.sentence, *explanation.paths, *others]
    return [line for line in lines if line]


def why_wrong(
    found: Mapping[str, Array], truth: Reference, names: list[str]
) -> Explanation | None:
    """The slips that give the claimed numbers; None where there is nothing to say.

    found: the stated numbers by the names of inputs; names: of all inputs.
    """
    entries = [entry for x in found.values() for entry in x.flat]
    if any(entry.value is None for entry in entries):
        return None
    inputs = dict(zip(names, truth.case.graph.inputs, strict=True))
    claimed, allowed = {}, {}
    for name, x in found.items():
        bound = truth.loose[names.index(name)]
        halves = np.reshape([float(e.half_unit) for e in x.flat], x.shape)
        numbers = np.reshape([float(e.value) for e in x.flat], x.shape)
        claimed[inputs[name]] = numbers.astype(np.longdouble)
        allowed[inputs[name]] = np.asarray(bound + halves, np.longdouble)
    found_out = explain_claim(truth.case, claimed, allowed, names)
    return found_out if told(found_out) else None
