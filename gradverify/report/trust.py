"""Trust: what the run covered, what it could have missed, and where its time went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from gradverify.ops import OPS
from gradverify.records import Counts, Item, Records, Selftest, total
from gradverify.report.overview import run_of
from gradverify.report.wording import figure, rank, share

NOTHING_SEEN = ("VACUOUS", "UNRESOLVED")
UNJUDGED = ("UNSUPPORTED", "NO_DERIVATIVE", *NOTHING_SEEN)
RULE_OF_THREE = 3.0  # n clean cases bound a rate by 3/n with 95 % confidence


@dataclass(frozen=True)
class Coverage:
    """How much of something was covered: a name, two counts, and what is missing."""

    name: str
    seen: int
    whole: int
    share: float
    missing: Sequence[str]


@dataclass(frozen=True)
class Seen:
    """What the run saw of one op, over all differentiators.

    fed, feeds: how many ops came before it, and how many after it.
    most: the upper bound on its rate of failure if nothing failed, else empty.
    """

    op: str
    judged: int
    vacuous: str
    fed: int
    feeds: int
    regimes: Sequence[tuple[str, int]]
    most: str


@dataclass(frozen=True)
class Sight:
    """How small a fault the checks of a differentiator would have seen, and what
    remains.

    typical, worst: relative faults.
    most: the upper bound on the rate of failure.
    """

    name: str
    judged: int
    vacuous: str
    typical: str
    worst: str
    deviates: int
    fails: bool
    most: str


@dataclass(frozen=True)
class FaultScore:
    """Planted faults of one kind: how many were found, and in which ops the others
    were.
    """

    engine: str
    kind: str
    found: int
    planted: int
    missed: Sequence[str]


@dataclass(frozen=True)
class Span:
    """A stage and its time, as a share of all stages."""

    name: str
    seconds: str
    share: float


@dataclass(frozen=True)
class Trust:
    """The section's parts."""

    coverage: Sequence[Coverage]
    ops: Sequence[Seen]
    sights: Sequence[Sight]
    scores: Sequence[FaultScore]
    selftest: tuple[int, int]
    spans: Sequence[Span]
    has_regimes: bool


def trust(found: Records) -> Trust | None:
    """The section of a run; None if no item ran."""
    ran = [i for i in found.items if i.differentiator]
    if not ran:
        return None
    ops = list(_ops(found, ran))
    return Trust(
        list(_coverage(found)),
        ops,
        list(_sights(ran)),
        [score for test in found.selftests for score in _scores(test)],
        (
            sum(sum(s.found.values()) for s in found.selftests),
            sum(sum(s.planted.values()) for s in found.selftests),
        ),
        list(_spans(run_of(found).seconds)),
        any(row.regimes for row in ops),
    )


# ---- coverage


def _coverage(found: Records) -> Iterator[Coverage]:
    run = run_of(found)
    public = list(OPS.public())
    seen = run.ops or total(i.ops for i in found.items)
    yield _covered("ops", public, seen)
    pairs = run.op_pairs or total(i.op_pairs for i in found.items)
    all_pairs = [f"{a}>{b}" for a in public for b in public]
    yield _covered("pairs of ops, one fed by the other", all_pairs, pairs)
    regimes = run.regimes or total(i.regimes for i in found.items)
    if regimes:
        met = sum(n > 0 for n in regimes.values())
        missing = [name for name, n in regimes.items() if not n]
        yield Coverage("regimes of ops", met, len(regimes), met / len(regimes), missing)


def _covered(name: str, wanted: Sequence[str], seen: Mapping[str, int]) -> Coverage:
    missing = [w for w in wanted if not seen.get(w)]
    n = len(wanted) - len(missing)
    shown = missing if len(missing) <= len(wanted) / 2 else []
    return Coverage(name, n, len(wanted), n / len(wanted), shown[:40])


def _ops(found: Records, ran: Sequence[Item]) -> Iterator[Seen]:
    """What the run saw of every op.

    The op's own items say how often it failed. All items together say where it was met.
    """
    own: dict[str, list[Item]] = {}
    for item in ran:
        if item.suite == "ops":
            own.setdefault(item.block, []).append(item)
    fed, feeds = _neighbours(total(i.op_pairs for i in ran))
    regimes = _regimes(total(i.regimes for i in ran))
    guilty = {d.op for d in found.discrepancies if d.failed or d.known is not None}
    met = total(i.ops for i in ran)
    for op in OPS.public():
        if not met.get(op):
            continue
        counts = total(i.counts for i in own.get(op, []))
        yield Seen(
            op,
            met[op],
            _vacuous(counts),
            fed.get(op, 0),
            feeds.get(op, 0),
            regimes.get(op, []),
            "" if op in guilty else _most(met[op]),
        )


def _neighbours(pairs: Counts) -> tuple[Counts, Counts]:
    fed: Counts = {}
    feeds: Counts = {}
    for pair in pairs:
        before, _, after = pair.partition(">")
        feeds[before] = feeds.get(before, 0) + 1
        fed[after] = fed.get(after, 0) + 1
    return fed, feeds


def _regimes(counts: Counts) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for key, n in counts.items():
        op, _, regime = key.partition(":")
        found.setdefault(op, []).append((regime, n))
    return found


# ---- what could have been missed


def _sights(ran: Sequence[Item]) -> Iterator[Sight]:
    failing = {i.differentiator for i in ran if i.outcome == "failed"}
    by_name: dict[str, list[Item]] = {}
    for item in ran:
        by_name.setdefault(item.differentiator, []).append(item)
    for name, items in by_name.items():
        counts = total(i.counts for i in items)
        judged = _judged(counts)
        deviates = sum(n for v, n in counts.items() if rank(v) < rank("IMPRECISE"))
        typical = [float(i.median_fault) for i in items if i.median_fault]
        worst = [float(i.worst_fault) for i in items if i.worst_fault]
        yield Sight(
            name,
            judged,
            _vacuous(counts),
            figure(repr(median(typical))) if typical else "",
            figure(repr(max(worst))) if worst else "",
            deviates,
            name in failing,
            "" if deviates else _most(judged),
        )


def _judged(counts: Counts) -> int:
    return sum(n for verdict, n in counts.items() if verdict not in UNJUDGED)


def _vacuous(counts: Counts) -> str:
    whole = sum(n for v, n in counts.items() if v != "UNSUPPORTED")
    nothing = sum(counts.get(v, 0) for v in NOTHING_SEEN)
    return share(nothing, whole) if whole else ""


def _most(n: int) -> str:
    return share_of(min(1.0, RULE_OF_THREE / n)) if n else ""


def share_of(part: float) -> str:
    """A part of one, in percent."""
    return f"{100 * part:.2g} %"


def _scores(test: Selftest) -> Iterator[FaultScore]:
    """Scores by kind of fault; planted faults are named by op and kind."""
    kinds: dict[str, list[str]] = {}
    for name, n in test.planted.items():
        if n:
            kinds.setdefault(name.rpartition(":")[2], []).append(name)
    for kind, names in kinds.items():
        missed = [n for n in names if test.found.get(n, 0) < test.planted[n]]
        yield FaultScore(
            test.engine,
            kind,
            sum(test.found.get(n, 0) for n in names),
            sum(test.planted[n] for n in names),
            [n.rpartition(":")[0] for n in missed],
        )


# ---- time


def _spans(seconds: Mapping[str, float]) -> Iterator[Span]:
    stages = {
        name.removeprefix("all "): s
        for name, s in seconds.items()
        if name.startswith("all ")
    }
    whole = sum(stages.values())
    for name, s in sorted(stages.items(), key=lambda pair: -pair[1]):
        if whole:
            yield Span(name, f"{s:.1f} s", s / whole)
