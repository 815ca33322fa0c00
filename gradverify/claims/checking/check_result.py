"""What came of claims about one expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradverify.claims.checking.notebook import as_html, as_latex
from gradverify.claims.mending.slips import told
from gradverify.diagnosis.explanation import Explanation
from gradverify.graph import Graph


@dataclass(frozen=True)
class ClaimedDerivative:
    """One claimed derivative and what came of it.

    claimed, exact: as text; `exact` is the range of slopes at a kink.
    allowed: how far the claimed number may be from the exact one, the largest entry.
    judged: False where the exact derivative could not be decided.
    """

    name: str
    claimed: str
    exact: str
    right: bool
    allowed: float
    judged: bool = True
    note: str = ""

    def __str__(self) -> str:
        outcome = "right" if self.right else "wrong" if self.judged else "not judged"
        note = f" ({self.note})" if self.note else ""
        return (
            f"∂/∂{self.name}: claimed {self.claimed}, exact {self.exact} - "
            f"{outcome}{note}"
        )


@dataclass(frozen=True)
class ExactGradient:
    """The derivatives of an expression by the names in it, as text.

    Where there are none it is false, and the note says why.
    """

    expression: str
    derivatives: Mapping[str, str]
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.derivatives)

    def __str__(self) -> str:
        lines = [f"∂/∂{name} = {text}" for name, text in self.derivatives.items()]
        return "\n".join([*lines, *([self.note] if self.note else [])])


@dataclass(frozen=True)
class ClaimResult:
    """All claims about one expression; true only where every one of them is right.

    explanation: the slip that leads to the wrong ones, where some are. graph: the
    expression's, for a picture.
    """

    expression: str
    claims: tuple[ClaimedDerivative, ...]
    explanation: Explanation | None = None
    graph: Graph | None = None

    def __bool__(self) -> bool:
        return all(claim.right for claim in self.claims)

    def __str__(self) -> str:
        lines = [str(claim) for claim in self.claims]
        if self.explanation is not None:
            lines += told(self.explanation)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """As a notebook shows it, with the graph."""
        return as_html([str(c) for c in self.claims], self.explanation, self.graph)

    def _repr_latex_(self) -> str | None:
        """The sum over paths, where a claim is wrong."""
        return as_latex(self.explanation)
