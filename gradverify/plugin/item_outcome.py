"""From the result of the pipeline to what the item does: it passes, fails, or is
skipped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from gradverify import records
from gradverify.graph import Case
from gradverify.plugin.shards import of_case
from gradverify.records import Discrepancy, number_text
from gradverify.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from gradverify.diagnosis.explanation import Explanation
    from gradverify.verify import Block, Finding, ItemResult

TEXT = 2000  # characters of an exception's text that a record keeps


@dataclass(frozen=True)
class ItemOutcome:
    """What becomes of an item: its record, and its discrepancies."""

    item: records.Item
    discrepancies: tuple[Discrepancy, ...] = ()

    @property
    def failing(self) -> tuple[Discrepancy, ...]:
        """The discrepancies that fail the item."""
        return tuple(d for d in self.discrepancies if d.failed)


def outcome(
    head: Mapping[str, Any],
    result: ItemResult,
    *,
    policy: str = "wrong",
    accepted: Collection[str] = (),
) -> ItemOutcome:
    """What an item's result means under a policy; `head` is the item's heading.

    accepted: findings that the repository has accepted; only the policy `new` asks for
        them.
    """
    forgiven = accepted if policy == "new" else ()
    found = tuple(_record(head, f, policy, forgiven) for f in result.findings)
    kind, reason = _kind(result, any(d.failed for d in found))
    item = records.Item(
        **head,
        outcome=kind,
        counts={v.name: n for v, n in result.counts.items() if n},
        cases=result.cases,
        ops=dict(result.ops),
        op_pairs=dict(result.op_pairs),
        regimes=dict(result.regimes),
        more=result.more,
        draws=dict(result.draws),
        seconds={k: round(s, 6) for k, s in result.seconds.items()},
        skipped=dict(result.skipped),
        median_fault=number_text(median(result.faults) if result.faults else None),
        worst_fault=number_text(max(result.faults, default=None)),
        errors=dict(result.errors.exponents),
        worst_ulps=number_text(result.errors.ulps),
        worst_ratio=number_text(result.errors.ratio),
        warnings=[_short(str(warning)) for warning in result.warnings],
        changed=list(result.changed),
        reason=reason,
    )
    return ItemOutcome(item, found)


def heading(name: str, block: Block, differentiator: str, mode: str) -> dict[str, Any]:
    """The fields of an item's record that say which one it is."""
    return {
        "id": name,
        "suite": block.suite,
        "block": block.family,
        "differentiator": differentiator,
        "mode": mode,
        "dtype": block.dtype,
    }


def without_a_run(head: Mapping[str, Any], kind: str, reason: str) -> ItemOutcome:
    """An item that was failed or skipped before any case ran."""
    return ItemOutcome(records.Item(**head, outcome=kind, reason=_short(reason)))


def _kind(result: ItemResult, fails: bool) -> tuple[str, str]:
    if fails:
        return "failed", ""
    seen = {verdict for verdict, n in result.counts.items() if n}
    if seen == {Verdict.UNSUPPORTED}:
        reasons = sorted(result.skipped, key=lambda r: -result.skipped[r])
        return "skipped", "; ".join(reasons[:2]) or Verdict.UNSUPPORTED.value
    if result.checked_nothing():
        parts = [f"{result.counts[v]} {v.name}" for v in Verdict if v in seen]
        return "failed", f"checked nothing: {', '.join(parts) or 'no case was drawn'}"
    return "passed", ""


def _record(
    head: Mapping[str, Any], finding: Finding, policy: str, accepted: Collection[str]
) -> Discrepancy:
    taken = finding.finding in accepted
    fails = finding.judgement.verdict.fails(policy)
    return discrepancy(
        head["differentiator"],
        head["mode"],
        finding.case,
        finding.judgement,
        known=finding.known,
        finding=finding.finding,
        op=finding.op,
        item=head["id"],
        count=finding.count,
        largest="" if finding.largest is None else str(finding.largest),
        failed=fails and finding.known is None and not taken,
        accepted=taken,
        written=finding.written,
        **of_explanation(finding.explanation),
    )


def of_explanation(found: Explanation | None) -> dict[str, Any]:
    """The fields of a record that say where and why, and what shows it."""
    if found is None:
        return {}
    drawn = found.shown
    diagnosis = records.Diagnosis(
        sentence=_short(found.sentence),
        cause=found.cause,
        node=found.node,
        operand=found.operand,
        op=found.op,
        also=[_short(text) for text in found.also],
        paths=[_short(text) for text in found.paths],
        latex=_short(found.latex),
        digits_lost=found.digits_lost,
        rewriting=found.rewriting,
    )
    evidence = records.Evidence(
        values=list(drawn.values),
        adjoints=list(drawn.adjoints),
        guilty=drawn.guilty,
        quotients=list(drawn.quotients),
        line=list(drawn.line),
    )
    return {
        "diagnosis": diagnosis if found.sentence else None,
        "evidence": evidence,
        "reproducer": found.script,
    }


def discrepancy(
    differentiator: str,
    mode: str,
    case: Case,
    judgement: Judgement,
    *,
    known: str | None = None,
    finding: str = "",
    written: Mapping[str, Any] | None = None,
    **more: Any,
) -> Discrepancy:
    """The record of a judgement.

    written: the fields of a case that is too large to be written down.
    """
    return Discrepancy(
        differentiator=differentiator,
        mode=mode,
        verdict=judgement.verdict.name,
        got=_short(judgement.got),
        exact=_short(judgement.exact),
        bound=number_text(judgement.allowed),
        known=known,
        finding=finding,
        where=judgement.where,
        error_ulps=number_text(judgement.error_ulps),
        bound_ratio=number_text(judgement.bound_ratio),
        smallest_fault=number_text(judgement.smallest_fault),
        note=_short(judgement.note),
        traceback=judgement.trace.encode("utf-8", "replace").decode(),
        **(written or of_case(case)),
        **more,
    )


def _short(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= TEXT else clean[: TEXT - 1] + "…"
