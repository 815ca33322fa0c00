"""A script in the guilty library's own API that shows the deviation by itself.

It does not need gradverify, unless the library has no spelling for an op.
"""

from __future__ import annotations

import numpy as np

from gradverify.compare import decimal
from gradverify.differentiators import Differentiator
from gradverify.differentiators.spelling import ScriptContents, by_engine, script
from gradverify.graph import Case, formula
from gradverify.reference import reference
from gradverify.verdict import Judgement


def reproducer(
    case: Case, differentiator: Differentiator, mode: str, judgement: Judgement
) -> str:
    """A script that prints the derivatives: what was got, what is exact, the error.

    It calls what the rows of the engine's table call. If the engine has no spelling for
    an op or for the mode, the script lets gradverify run the case.
    """
    found = reference(case)
    exact = found.gradient or [np.full(x.shape, np.nan) for x in case.point]
    program = ScriptContents(
        case,
        title(case, differentiator, mode, judgement),
        decimal(found.value),
        [[decimal(v) for v in x.reshape(-1)] for x in exact],
    )
    kind = differentiator.modes()[mode].kind
    own = script(program, differentiator.spelling(mode), mode, kind)
    if own is not None:
        return own
    cls = type(differentiator)
    return by_engine(program, f"{cls.__module__}:{cls.__qualname__}", mode)


def title(
    case: Case, differentiator: Differentiator, mode: str, judgement: Judgement
) -> str:
    """The first line of the script: which engine, its version, and what is wrong."""
    versions = ", ".join(f"{k} {v}" for k, v in differentiator.versions().items())
    who = versions or differentiator.name
    verdict = judgement.verdict.value
    return f"{who}, {mode}, {case.dtype}: {formula(case.graph)[:120]}: {verdict}."
