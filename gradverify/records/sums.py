"""The records of several files as one, and counts added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gradverify.records.common import marked
from gradverify.records.record_kinds import (
    Counts,
    Discrepancy,
    Item,
    Note,
    Records,
    Run,
)

NO_TESTS = 5  # the exit status of pytest if a shard got no item


def joined(parts: Iterable[Records]) -> Records:
    """The shards of a run as one.

    If an item occurs in several shards with the same seed, it looked at the same cases
    in each. The shard that got furthest counts, with its discrepancies. With other
    seeds it met other cases, and counts again. The record of the run is computed from
    what is kept.
    """
    found = list(parts)
    if len(found) == 1:
        return found[0]
    seeds = _seeds(found)
    best = _best(found, seeds)
    items = tuple(item for _, item in best.values())
    runs = [part.run for part in found if part.run is not None]
    twice = sum(len(part.items) for part in found) - len(items)
    return Records(
        marked(list(_discrepancies(found, seeds, best))),
        items,
        tuple(_once([*_about(runs, twice), *(n for p in found for n in p.notes)])),
        _joined_run(runs, items),
        tuple(_once(claim for part in found for claim in part.claims)),
        None,
        tuple(_once(test for part in found for test in part.selftests)),
        tuple({k.id: k for part in found for k in part.known}.values()),
    )


Best = Mapping[tuple[str, int], tuple[int, Item]]


def _seeds(parts: Sequence[Records]) -> list[int]:
    """The seed of every part.

    A part that was cut off is taken for a shard of the first.
    """
    seeds = [part.run.seed for part in parts if part.run is not None]
    first = seeds[0] if seeds else 0
    return [part.run.seed if part.run is not None else first for part in parts]


def _best(parts: Sequence[Records], seeds: Sequence[int]) -> Best:
    """For every item and seed, the shard that got furthest, and its record."""
    best: dict[tuple[str, int], tuple[int, Item]] = {}
    for k, (part, seed) in enumerate(zip(parts, seeds, strict=True)):
        for item in part.items:
            before = best.get((item.id, seed))
            if before is None or item.cases > before[1].cases:
                best[item.id, seed] = (k, item)
    return best


def _discrepancies(
    parts: Sequence[Records], seeds: Sequence[int], best: Best
) -> Iterable[Discrepancy]:
    """The discrepancies of the items that are kept, and those without an item."""
    seen = set()
    for k, (part, seed) in enumerate(zip(parts, seeds, strict=True)):
        for d in part.discrepancies:
            owner = best.get((d.item, seed))
            key = (d.item, seed, d.finding, d.case, d.known)
            if (owner is None or owner[0] == k) and key not in seen:
                seen.add(key)
                yield d


def _once(found: Iterable[Any]) -> list[Any]:
    """Equal records once, in their order."""
    unique: dict[bytes, Any] = {}
    for record in found:
        unique.setdefault(msgspec.json.encode(record), record)
    return list(unique.values())


def _about(runs: Sequence[Run], twice: int) -> Iterable[Note]:
    """What a reader of the whole must know about the parts."""
    if twice:
        what = "1 item occurs" if twice == 1 else f"{twice} items occur"
        yield Note(text=f"{what} in several shards of one seed, and counted once")
    seeds = sorted({run.seed for run in runs})
    if len(seeds) > 1:
        yield Note(text=f"shards of the seeds {', '.join(map(str, seeds))}")
    commits = {run.commit or "an unknown one" for run in runs}
    if len(commits) > 1:
        yield Note(text=f"shards of several commits: {', '.join(sorted(commits))}")


def _joined_run(runs: Sequence[Run], items: Sequence[Item]) -> Run | None:
    """The record of the whole run; durations are added up."""
    if not runs:
        return None
    draws = total(item.draws for item in items)
    begun = draws.get("begun", 0)
    exits = {run.exit for run in runs}
    ran = {k: v for run in runs for k, v in run.differentiators.items()}
    absent = {k: v for run in runs for k, v in run.absent.items() if k not in ran}
    commits = {run.commit for run in runs}
    return msgspec.structs.replace(
        runs[-1],
        counts=counts_by_differentiator(items),
        items=total({item.outcome: 1} for item in items),
        ops=total(item.ops for item in items),
        op_pairs=total(item.op_pairs for item in items),
        regimes=total([_none_of(runs), *(item.regimes for item in items)]),
        rejection_rate=draws.get("rejected", 0) / begun if begun else None,
        versions={k: v for run in runs for k, v in run.versions.items()},
        differentiators=ran,
        absent=absent,
        devices=list(dict.fromkeys(d for run in runs for d in run.devices)),
        started=min(run.started for run in runs),
        seconds=_added(run.seconds for run in runs),
        exit=max(exits - {NO_TESTS}, default=NO_TESTS),
        commit=runs[0].commit if len(commits) == 1 else None,
    )


def _none_of(runs: Iterable[Run]) -> Counts:
    """All regimes that exist, each met by no case."""
    return {name: 0 for run in runs for name in run.regimes}


def _added(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for part in parts:
        for key, seconds in part.items():
            sums[key] = round(sums.get(key, 0.0) + seconds, 6)
    return sums


def total(counts: Iterable[Mapping[str, int]]) -> Counts:
    """Counts added up by key."""
    sums: Counts = {}
    for count in counts:
        for key, n in count.items():
            sums[key] = sums.get(key, 0) + n
    return sums


def counts_by_differentiator(items: Iterable[Item]) -> dict[str, Counts]:
    """How often every differentiator was given each verdict."""
    found: dict[str, list[Counts]] = {}
    for item in (i for i in items if i.differentiator):
        found.setdefault(item.differentiator, []).append(item.counts)
    return {name: total(counts) for name, counts in found.items()}
