"""Which known deviation explains what an item found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from gradverify.diagnosis.localize import WHOLE, Guilty
from gradverify.diagnosis.op_alone import cotangent_alone, node_values, op_nodes
from gradverify.differentiators import Differentiator
from gradverify.graph import Case
from gradverify.known import (
    COTANGENT,
    Deviation,
    applies,
    is_within,
    matches,
    matches_whole,
)
from gradverify.reference import RoundingModel, reference, straightened
from gradverify.verdict import Judgement
from gradverify.verify.judging import judge


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
                and self._is_explained(row, alone)
            ),
            None,
        )

    def _is_explained(self, row: Deviation, alone: Case) -> bool:
        """Whether the op alone is where the row says, or as imprecise as its format."""
        if row.at_edge and straightened(alone.graph, alone.point) is None:
            return False
        if not row.computes_in:
            return True
        found = reference(alone, RoundingModel(row.computes_in))
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
