"""A script in the guilty library's own API that shows the deviation by itself.

It does not need gradverify, unless the library has no spelling for an op.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from mpmath import mp, mpf

from gradverify.compare import decimal
from gradverify.differentiators import Differentiator, questions
from gradverify.differentiators.spelling import ScriptContents, by_engine, script
from gradverify.graph import Array, Case, Graph, formula
from gradverify.questions import (
    GRADIENT,
    HESSIAN,
    JVP,
    QUESTIONS,
    SECOND,
    Question,
    contracted,
    tangents_of,
    up_to,
)
from gradverify.reference import reference
from gradverify.reference.differences import value_at
from gradverify.reference.gradient_program import expand
from gradverify.verdict import Judgement


def reproducer(
    case: Case, differentiator: Differentiator, mode: str, judgement: Judgement
) -> str:
    """A script that prints the derivatives: what was got, what is exact, the error.

    It calls what the rows of the engine's table call. If the engine has no spelling for
    an op or for the mode, the script lets gradverify run the case.
    """
    question = QUESTIONS[judgement.question]
    asked = questions(differentiator, mode)
    if question not in asked and differentiator.modes()[mode].kind != "jvp":
        question = asked[0]  # the judgement is of another mode, or says a verdict alone
    kind = differentiator.modes()[mode].kind
    program = _contents(case, question, kind, differentiator)
    program = replace(program, title=title(case, differentiator, mode, judgement))
    own = script(program, differentiator.spelling(mode), mode, kind)
    if own is not None and _is_whole(case, question):
        return own
    cls = type(differentiator)
    # there the value is contracted, as the case contracts it
    program = replace(program, value=[decimal(reference(case).value)])
    return by_engine(program, f"{cls.__module__}:{cls.__qualname__}", mode)


def _contents(
    case: Case, question: Question, kind: str, differentiator: Differentiator
) -> ScriptContents:
    """What a script has of a case, and of what the mode is asked with."""
    found, parts = reference(case, question=question), question.parts(case)
    exact = found.gradient or [np.full(p.shape, np.nan) for p in parts]
    at, cotangent = contracted(case.graph)
    of_array = kind in ARRAYS and (kind, question) != ("jvp", GRADIENT)
    array = up_to(case.graph, at) if of_array else case.graph
    tangents: list[Array | None] | None = None
    if question in (JVP, SECOND):
        takes_none = differentiator.accepts.absent_tangents
        tangents = [
            np.zeros(x.shape, case.dtype)
            if v is None and not takes_none
            else None
            if v is None
            else v.astype(case.dtype)
            for x, v in zip(
                case.point, tangents_of(case.graph, case.dtype), strict=True
            )
        ]
    return ScriptContents(
        case,
        "",
        [decimal(v) for v in _values(array, case)],
        [[decimal(v) for v in np.reshape(x, -1)] for x in exact],
        [part.name for part in parts],
        question.name,
        cotangent.astype(case.dtype) if kind == "vjp" else None,
        tangents,
        None if array is case.graph else array,
    )


ARRAYS = ("vjp", "jvp", "jacobian")  # kinds of modes that get the array


def _values(graph: Graph, case: Case) -> list[Any]:
    """The exact entries of a graph's output, at the point of a case."""
    with mp.workprec(DIGITS):
        found = value_at(expand(graph, case.dtype).graph, case.point)
    shape = graph.output.shape
    whole = np.full(shape, mpf("nan")) if found is None else np.asarray(found, object)
    return list(whole.reshape(-1))


def _is_whole(case: Case, question: Question) -> bool:
    """Whether the arrays of a library are those that are judged, and not rows of them.

    A Hessian comes in blocks, which a script would have to join.
    """
    if question is HESSIAN:
        return False
    array = case.graph.nodes[contracted(case.graph).node]
    entries = math.prod(array.shape)
    return not question.is_matrix or len(question.rows(case)) == entries


DIGITS = 400  # bits of the values that a script shows


def title(
    case: Case, differentiator: Differentiator, mode: str, judgement: Judgement
) -> str:
    """The first line of the script: which engine, its version, and what is wrong."""
    versions = ", ".join(f"{k} {v}" for k, v in differentiator.versions().items())
    who = versions or differentiator.name
    verdict = judgement.verdict.value
    return f"{who}, {mode}, {case.dtype}: {formula(case.graph)[:120]}: {verdict}."
