"""A run against an older one: which findings came, which went, and which got worse."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from gradverify.records.record_kinds import (
    Changes,
    Discrepancy,
    Item,
    Records,
    number_of,
)
from gradverify.verdict import Verdict

WORSE = 2.0  # times the old error in ulps; two runs meet different cases


def changes(
    before: Records, now: Records, *, base: str, still: Collection[str] = ()
) -> Changes:
    """What became of the findings of an older run.

    base: the older run in words.
    still: findings of the older run whose old case still deviates, whether this run met
        them or not.

    Known deviations count in neither run. So a finding that was accepted since then is
    neither fixed nor new. A finding is fixed only if its item ran this time and its
    op fails in no other way. If the item did not run, the finding is "gone".
    """
    old, new = _unlisted(before), _unlisted(now)
    shown = {d.finding for d in now.discrepancies} | set(still)
    failing = {_stem(f) for f, found in new.items() if _is_wrong(found)}
    ran = {item.id for item in now.items if looked(item)}
    came = [f for f in new if f not in old]
    went = [f for f in old if f not in shown]
    fixed = [
        f
        for f in went
        if _is_wrong(old[f])
        and _stem(f) not in failing
        and all(d.item in ran for d in old[f])
    ]
    return Changes(
        base=base,
        newly_wrong=[f for f in came if _is_wrong(new[f])],
        fixed=fixed,
        newly_imprecise=[f for f in came if _is_imprecise(new[f])],
        worse=list(_worse(old, new)),
        gone=[f for f in went if any(d.item not in ran for d in old[f])],
    )


def looked(item: Item) -> bool:
    """Whether an item looked at any case."""
    return item.outcome != "skipped" and item.cases > 0


Kinds = Mapping[str, list[Discrepancy]]


def _unlisted(found: Records) -> Kinds:
    """Discrepancies by finding, without known deviations and kinks."""
    kinds: dict[str, list[Discrepancy]] = {}
    for d in found.discrepancies:
        if d.known is None and (_is_wrong([d]) or _is_imprecise([d])):
            kinds.setdefault(d.finding, []).append(d)
    return dict(sorted(kinds.items()))


def _is_wrong(found: Iterable[Discrepancy]) -> bool:
    """Whether a verdict is one that fails.

    For a verdict of a later version, the record says so.
    """
    return any(
        Verdict[d.verdict].fails() if d.verdict in Verdict.__members__ else d.failed
        for d in found
    )


def _is_imprecise(found: Iterable[Discrepancy]) -> bool:
    return any(d.verdict == Verdict.IMPRECISE.name for d in found)


def _stem(finding: str) -> str:
    """A finding without its verdict."""
    return finding.rpartition("/")[0]


def _worse(old: Kinds, new: Kinds) -> Iterable[tuple[str, str, str]]:
    for finding in old:
        if finding in new and not _is_wrong(new[finding]):
            before, after = (_largest(kinds[finding]) for kinds in (old, new))
            if before is not None and after is not None and after > WORSE * before:
                yield finding, repr(before), repr(after)


def _largest(found: Iterable[Discrepancy]) -> float | None:
    """The largest error in ulps that is a number."""
    sizes = (number_of(d.error_ulps) for d in found)
    return max((x for x in sizes if x is not None and math.isfinite(x)), default=None)
