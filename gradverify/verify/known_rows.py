"""Which known deviation explains what an item found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.compare import compare
from gradverify.diagnosis.localize import WHOLE, Guilty
from gradverify.diagnosis.op_alone import cotangent_alone, node_values, op_nodes
from gradverify.differentiators import Differentiator, run
from gradverify.formats import format_of
from gradverify.graph import Array, Case, names_of
from gradverify.known import (
    COTANGENT,
    OF_NUMBERS,
    VALUE,
    Deviation,
    applies,
    is_within,
    matches,
    matches_whole,
    operands_of,
)
from gradverify.ops import Shape
from gradverify.ops.maps import unbroadcast
from gradverify.questions import QUESTIONS
from gradverify.reference import RoundingModel, reference, straightened
from gradverify.verdict import Judgement
from gradverify.verify.asking import model_of
from gradverify.verify.judging import judge

ROUNDINGS = 64.0  # units of roundoff that a formula's number may be off by


def is_given(row: Deviation, judgement: Judgement, alone: Case) -> bool:
    """Whether the number that an op alone gave is the one that its row foretells.

    A row without formulas foretells none, and no formula is about NaN. Formulas are of
    the value and of gradients: those of tangents and Hessians follow from them in ways
    that depend on the library, so that there the size alone decides.
    """
    if not row.gives or judgement.verdict not in OF_NUMBERS:
        return True
    if judgement.where != VALUE and not judgement.where.startswith("d/d"):
        return True
    index = op_nodes(alone.graph)[0]
    node, values = alone.graph.nodes[index], node_values(alone)
    name, shape, place = _deviating(judgement.where, alone)
    formula = row.formula(name)
    if formula is None:
        return False
    operands, ct = [values[j] for j in node.operands], cotangent_alone(alone)
    params = {**node.params, COTANGENT: ct}
    found = np.broadcast_to(formula.value(operands, params), node.shape)
    if judgement.where == VALUE:  # of all entries: those of which the row is not about
        found = np.where(_spoken_of(row, operands, params, node.shape), found,
                         values[index])  # fmt: skip
    terms = np.broadcast_to(ct * np.asarray(found, np.float64), node.shape)
    wanted = float(unbroadcast(FLOATS, terms, shape, len(node.shape))[place])
    room = ROUNDINGS * format_of(alone.dtype).unit_roundoff * float(np.abs(terms).sum())
    return abs(float(judgement.got) - wanted) <= room + (judgement.allowed or 0.0)


def _spoken_of(
    row: Deviation, operands: Sequence[Array], params: Mapping[str, Any], shape: Shape
) -> Array:
    """At which entries of an elementwise op its row says something."""
    whole = [np.broadcast_to(x, shape).ravel() for x in operands]
    holds = [
        row.condition.holds(list(each), params) for each in zip(*whole, strict=True)
    ]
    return np.reshape(np.array(holds, bool), shape)


def _deviating(where: str, alone: Case) -> tuple[str, Shape, tuple[int, ...]]:
    """What deviates: its name in a row, its shape, and the place of the entry."""
    nodes, names = alone.graph.nodes, names_of(alone.graph)
    node = nodes[op_nodes(alone.graph)[0]]
    label, _, place = where.removeprefix("d/d").partition("[")
    for name, j in zip(operands_of(node.op), node.operands, strict=True):
        if where != VALUE and names[j] == label:
            entry = tuple(int(i) for i in place.rstrip("]").split(",") if i)
            return name, nodes[j].shape, entry
    return where, (), ()


@dataclass(frozen=True)
class Listed:
    """Rows of known deviations, asked about one differentiator in one mode."""

    rows: Sequence[Deviation]
    differentiator: Differentiator
    mode: str
    dtype: str

    def row(self, case: Case, judgement: Judgement, guilty: Guilty) -> str | None:
        """The id of the row that explains a case, asked by the op that is guilty
        of it.
        """
        if guilty.op == WHOLE:
            return self._whole(case, judgement)
        return self._alone(guilty)

    def beyond_value(self, case: Case, guilty: Guilty) -> Judgement | None:
        """What deviates in the derivatives beside a wrong value that a row explains, if
        no row explains that: the judgement on the case as if its value were right.
        """
        alone = guilty.alone
        if alone is None or guilty.judgement is None:
            return None
        asked = guilty.judgement.question
        if not (rest := self._derivatives(alone, asked)).verdict.fails():
            return None
        if self._alone(Guilty(guilty.op, alone, rest)) is not None:
            return None
        whole = self._derivatives(case, asked)
        return whole if whole.verdict.fails() else None

    def _derivatives(self, case: Case, asked: str) -> Judgement:
        """The judgement on the derivatives of a case alone, as they were asked for."""
        question = QUESTIONS[asked]
        found = reference(case, model_of(self.differentiator), question)
        given = run(self.differentiator, self.mode, case, question=question)
        return compare(case, found, replace(given, value=float(found.value)))

    def _alone(self, guilty: Guilty) -> str | None:
        """The row that is about the guilty op alone, where it deviates."""
        alone = guilty.alone
        if alone is None:
            return None
        index = op_nodes(alone.graph)[0]
        node, values = alone.graph.nodes[index], node_values(alone)
        operands = [values[j] for j in node.operands]
        params = {**node.params, COTANGENT: cotangent_alone(alone)}
        assert guilty.judgement is not None
        rows = self._applying(guilty.judgement)
        return next(
            (
                row.id
                for row in rows
                if matches(row, node.op, operands, params)
                and is_given(row, guilty.judgement, alone)
                and self._is_explained(row, alone, guilty.judgement.question)
            ),
            None,
        )

    def _is_explained(self, row: Deviation, alone: Case, asked: str) -> bool:
        """Whether the op alone is where the row says, or as imprecise as its format."""
        if row.at_edge and straightened(alone.graph, alone.point) is None:
            return False
        if not row.computes_in:
            return True
        model = RoundingModel(row.computes_in)
        found = reference(alone, model, QUESTIONS[asked])
        judgement = judge(alone, self.differentiator, self.mode, found=found)
        return not judgement.verdict.fails()

    def _whole(self, case: Case, judgement: Judgement) -> str | None:
        """The row that is about graphs like this one, if no op deviates alone."""
        rows = self._applying(judgement)
        return next((r.id for r in rows if matches_whole(r, case.graph)), None)

    def _applying(self, judgement: Judgement) -> Iterator[Deviation]:
        """The rows about this differentiator, here and today, with that size."""
        who = self.differentiator
        version, today = next(iter(who.versions().values()), ""), date.today()
        for row in self.rows:
            if (
                judgement.verdict in row.verdict
                and is_within(row, judgement)
                and applies(
                    row, who.name, version, self.mode, self.dtype, who.device, today
                )
            ):
                yield row
