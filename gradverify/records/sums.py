"""Records of several files as one, and counts added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gradverify.records.rows import Counts, Item, Records, Run


def joined(parts: Iterable[Records]) -> Records:
    """Several files as one; the last run holds where there is one file alone."""
    found = list(parts)
    runs = [part.run for part in found if part.run is not None]
    return Records(
        tuple(d for part in found for d in part.discrepancies),
        tuple(i for part in found for i in part.items),
        tuple(n for part in found for n in part.notes),
        runs[0] if len(found) == 1 and runs else _joined_run(runs),
        tuple(c for part in found for c in part.claims),
        found[0].changes if len(found) == 1 else None,
        tuple(s for part in found for s in part.selftests),
        tuple({k.id: k for part in found for k in part.known}.values()),
    )


def _joined_run(runs: Sequence[Run]) -> Run | None:
    if not runs:
        return None
    counts: dict[str, list[Counts]] = {}
    for run in runs:
        for name, count in run.counts.items():
            counts.setdefault(name, []).append(count)
    return msgspec.structs.replace(
        runs[-1],
        counts={name: total(parts) for name, parts in counts.items()},
        items=total(run.items for run in runs),
        ops=total(run.ops for run in runs),
        op_pairs=total(run.op_pairs for run in runs),
        regimes=total(run.regimes for run in runs),
        differentiators={k: v for run in runs for k, v in run.differentiators.items()},
        absent={k: v for run in runs for k, v in run.absent.items()},
        exit=max(run.exit for run in runs),
    )


def total(counts: Iterable[Mapping[str, int]]) -> Counts:
    """Counts added up by key."""
    sums: Counts = {}
    for count in counts:
        for key, n in count.items():
            sums[key] = sums.get(key, 0) + n
    return sums


def counts_by_differentiator(items: Iterable[Item]) -> dict[str, Counts]:
    """How much of each verdict every differentiator had."""
    found: dict[str, list[Counts]] = {}
    for item in (i for i in items if i.differentiator):
        found.setdefault(item.differentiator, []).append(item.counts)
    return {name: total(counts) for name, counts in found.items()}
