"""Which known deviation explains what an item found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from gradverify.diagnosis.localize import WHOLE, Guilty
from gradverify.diagnosis.op_alone import node_values, op_nodes
from gradverify.differentiators import Differentiator
from gradverify.graph import Case
from gradverify.known import Deviation, applies, matches, matches_whole
from gradverify.verdict import Judgement, Verdict


@dataclass(frozen=True)
class Listed:
    """Rows of known deviations, asked about one differentiator in one mode."""

    rows: Sequence[Deviation]
    differentiator: Differentiator
    mode: str
    dtype: str

    def row(self, case: Case, judgement: Judgement, guilty: Guilty) -> str | None:
        """The id of the row that explains a case, by the op that is guilty of it."""
        if guilty.op == WHOLE:
            return self._whole(case, judgement)
        return self._alone(guilty)

    def _alone(self, guilty: Guilty) -> str | None:
        """The row that speaks of the guilty op alone, as it deviates."""
        alone = guilty.alone
        if alone is None:
            return None
        index = op_nodes(alone.graph)[0]
        node, values = alone.graph.nodes[index], node_values(alone)
        operands = [values[j] for j in node.operands]
        return next(
            (
                row.id
                for row in self._applying(guilty.verdict)
                if matches(row, node.op, operands, node.params)
            ),
            None,
        )

    def _whole(self, case: Case, judgement: Judgement) -> str | None:
        """The row that speaks of graphs like this one, where no op deviates alone."""
        rows = self._applying(judgement.verdict)
        return next((r.id for r in rows if matches_whole(r, case.graph)), None)

    def _applying(self, verdict: Verdict | None) -> Iterator[Deviation]:
        """Rows about the differentiator, here and today, and such a verdict."""
        who = self.differentiator
        version = next(iter(who.versions().values()), "")
        for row in self.rows:
            if verdict in row.verdict and applies(
                row, who.name, version, self.mode, self.dtype, who.device, date.today()
            ):
                yield row
