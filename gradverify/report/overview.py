"""The first screen: the verdict in a sentence, counts, what ran, what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gradverify.records import (
    Changes,
    Item,
    Records,
    Run,
    counts_by_differentiator,
    grouped,
    total,
)
from gradverify.report.signs import SIGNS, kind, word
from gradverify.report.wording import (
    changed,
    figure,
    looked_at,
    rank,
    remarks,
    sentence,
    share,
)

NAMED = 6  # items of a reason, or findings of a change, that are named


@dataclass(frozen=True)
class Fact:
    """A name, and the text that belongs to it."""

    name: str
    text: str


@dataclass(frozen=True)
class Chip:
    """A verdict, how often it was given, and what it means."""

    verdict: str
    word: str
    kind: str
    sign: str
    count: int
    share: str
    sentence: str


@dataclass(frozen=True)
class Ran:
    """A differentiator that ran: modes, dtypes, versions, and counts by verdict with
    kinds.
    """

    name: str
    about: str
    counts: Sequence[tuple[int, str]]
    total: int


@dataclass(frozen=True)
class Change:
    """A list of findings that came, went, or got worse."""

    title: str
    kind: str
    lines: Sequence[str]
    more: int


@dataclass(frozen=True)
class Overview:
    """All of the first screen."""

    sentence: str
    is_right: bool
    chips: Sequence[Chip]
    ran: Sequence[Ran]
    absent: Sequence[Fact]
    skipped: Sequence[tuple[str, Sequence[str], int]]
    skipped_items: str
    facts: Sequence[Fact]
    base: str
    changed: str
    changes: Sequence[Change]
    notes: Sequence[str]


def overview(found: Records) -> Overview:
    """The first screen of a run."""
    run = run_of(found)
    chips = list(_chips(found, run))
    return Overview(
        sentence=headline(found),
        is_right=is_right(found),
        chips=chips,
        ran=list(_ran(found, run, [chip.verdict for chip in chips])),
        absent=[Fact(name, why) for name, why in run.absent.items()],
        skipped=list(_skipped(found.items)),
        skipped_items=many(
            sum(i.outcome == "skipped" for i in found.items), "skipped item"
        ),
        facts=list(_facts(run, found)),
        base=found.changes.base if found.changes else "",
        changed=changed(found.changes) if found.changes else "",
        changes=list(_changes(found.changes)) if found.changes else [],
        notes=[*remarks(found), *_missing_run(found)],
    )


def run_of(found: Records) -> Run:
    """The run's own record. If the file was cut off, one computed from its items."""
    return found.run or Run(counts=counts_by_differentiator(found.items))


def is_right(found: Records) -> bool:
    """Whether nothing failed."""
    failed = any(i.outcome == "failed" for i in found.items)
    wrong = any(claim.verdict == "wrong" for claim in found.claims)
    failing = any(d.failed for d in found.discrepancies)
    return not (failed or failing or wrong) and run_of(found).exit == 0


# ---- the sentence


def headline(found: Records) -> str:
    """The verdict of a run in one sentence."""
    cases = sum(n for i in found.items for n in i.counts.values())
    seen = len({i.differentiator for i in found.items} - {""})
    compared = f"{many(cases, 'comparison')} of {many(seen, 'differentiator')}: "
    said = [*_found(found), *_worked_out(found)]
    if not said or not (cases or found.claims or found.discrepancies):
        return "Nothing was compared."
    return (compared if cases else "") + "; ".join(said) + "."


def _found(found: Records) -> Iterable[str]:
    failed = sum(i.outcome == "failed" for i in found.items)
    failing = [d for d in found.discrepancies if d.failed]
    kinds = len(grouped(failing))
    if kinds:
        who = list(dict.fromkeys(d.differentiator for d in failing))
        yield f"{many(kinds, 'kind')} of discrepancy, in {_list(who)}"
    elif failed:
        yield f"no discrepancy, but {many(failed, 'item')} failed"
    elif found.items:
        yield "no new discrepancy"


def _worked_out(found: Records) -> Iterable[str]:
    judged = [c for c in found.claims if c.verdict in ("right", "wrong")]
    wrong = sum(c.verdict == "wrong" for c in judged)
    if judged:
        amount = wrong or "none"
        verb = "are" if wrong > 1 else "is"
        what = many(len(judged), "derivative")
        yield f"{amount} of {what} worked out by hand {verb} wrong"


def _list(names: Sequence[str]) -> str:
    shown = list(names[:3]) + ([f"{len(names) - 3} more"] if len(names) > 3 else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def many(n: int, thing: str) -> str:
    """A count with its noun, such as "2 findings"."""
    return f"{n:,} {thing}" + ("" if n == 1 else "s")


# ---- its tables


def _chips(found: Records, run: Run) -> Iterable[Chip]:
    """Verdicts with their counts.

    A verdict that fails nothing in this run is not shown as bad.
    """
    counts = total(run.counts.values())
    failing = {verdict for _, verdict in _failing(found)}
    whole = sum(counts.values())
    for verdict in sorted(counts, key=rank):
        if n := counts[verdict]:
            k = kind(verdict)
            k = "known" if k == "bad" and verdict not in failing else k
            yield Chip(
                verdict,
                word(verdict),
                k,
                SIGNS[k][0],
                n,
                share(n, whole),
                sentence(verdict),
            )


def _ran(found: Records, run: Run, verdicts: Sequence[str]) -> Iterable[Ran]:
    modes: dict[str, dict[str, None]] = {}
    dtypes: dict[str, dict[str, None]] = {}
    failing = _failing(found)
    for item in found.items:
        modes.setdefault(item.differentiator, {})[item.mode] = None
        dtypes.setdefault(item.differentiator, {})[item.dtype] = None
    for name in dict.fromkeys([*run.differentiators, *run.counts]):
        counts = run.counts.get(name, {})
        about = (
            ", ".join(modes.get(name, ())),
            ", ".join(dtypes.get(name, ())),
            versions(run.differentiators.get(name, {})),
        )
        yield Ran(
            name,
            " · ".join(filter(None, about)),
            [(counts.get(v, 0), _kind_in(failing, name, v)) for v in verdicts],
            sum(counts.values()),
        )


def _failing(found: Records) -> frozenset[tuple[str, str]]:
    """Differentiators, each with the verdicts that fail there."""
    named = {(d.differentiator, d.verdict) for d in found.discrepancies if d.failed}
    items = [i for i in found.items if i.outcome == "failed"]
    return frozenset(named | {(i.differentiator, v) for i in items for v in i.counts})


def _kind_in(failing: frozenset[tuple[str, str]], name: str, verdict: str) -> str:
    """The kind of a verdict. If it fails nothing in a differentiator, it is not bad."""
    k = kind(verdict)
    return "known" if k == "bad" and (name, verdict) not in failing else k


def versions(found: Mapping[str, str]) -> str:
    """Names and versions on one line."""
    return ", ".join(f"{name} {version}" for name, version in found.items())


def _skipped(items: Iterable[Item]) -> Iterable[tuple[str, list[str], int]]:
    reasons: dict[str, list[str]] = {}
    for item in items:
        if item.outcome == "skipped":
            name = item.id.partition("::")[2] or item.id
            reasons.setdefault(item.reason, []).append(name)
    for reason, names in sorted(reasons.items(), key=lambda pair: -len(pair[1])):
        yield reason, names[:NAMED], len(names)


def _facts(run: Run, found: Records) -> Iterable[Fact]:
    rate = run.rejection_rate
    pairs = {
        "started": run.started,
        "duration": f"{run.seconds['run']:.1f} s" if "run" in run.seconds else "",
        "exit status": str(run.exit),
        "profile": run.profile,
        "looked at": looked_at(found),
        "seed": str(run.seed),
        "fails on": run.fail_on,
        "commit": run.commit or "",
        "items": ", ".join(f"{n} {kind}" for kind, n in sorted(run.items.items())),
        "rejected draws": "" if rate is None else f"{100 * rate:.2g} %",
        "devices": ", ".join(run.devices),
        "versions": versions(run.versions),
    }
    return (Fact(name, text) for name, text in pairs.items() if text)


def _changes(changes: Changes) -> Iterable[Change]:
    worse = [
        f"{name}: {figure(old)} ulps, now {figure(new)}"
        for name, old, new in changes.worse
    ]
    parts = (
        ("newly wrong", "bad", changes.newly_wrong),
        ("newly imprecise", "lost", changes.newly_imprecise),
        ("more error than before", "lost", worse),
        ("fixed", "fine", changes.fixed),
        ("no longer checked", "none", changes.gone),
    )
    for title, k, lines in parts:
        if lines:
            yield Change(title, k, lines[:NAMED], max(0, len(lines) - NAMED))


def _missing_run(found: Records) -> Iterable[str]:
    if found.run is None:
        yield "The records have no last line of type run: they were cut."
