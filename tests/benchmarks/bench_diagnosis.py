"""Planted slips: how often the right node and the right cause stand in the sentence.

    python -m tests.benchmarks.bench_diagnosis

The slips share no code with the table of causes. The seed was fixed after the table.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import warnings
from collections import Counter
from dataclasses import dataclass

from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.localize import guilty_op
from gradverify.differentiators import Differentiator
from gradverify.graph import Case
from gradverify.verdict import Judgement
from gradverify.verify import judge
from tests.planted.drawn import failing
from tests.planted.slips import SLIPS, WHOLE_SLIPS, by_op, rightly

from .table import print_table

SEED = 0x2044B90  # the commit at which the table of causes was frozen
BESIDE = 0.15  # of the slips are in no rule
NOTHING = "(none)"


@dataclass(frozen=True)
class Trial:
    """A planted slip, and the graph at which it shows."""

    cause: str
    op: str | None
    who: Differentiator
    case: Case
    found: Judgement


@dataclass(frozen=True)
class Outcome:
    """What was said of a slip: its cause, whether it is right, what it cost."""

    said: str
    node: bool
    cause: bool
    localizing: float
    seconds: float


def trial(source: random.Random) -> Trial | None:
    """A slip drawn by kind, then by op and engine; None where no graph shows it."""
    seed = source.randrange(10**6)
    op: str | None
    twin: Differentiator | None
    if source.random() < BESIDE:
        cause = source.choice(sorted(WHOLE_SLIPS))
        op, who, twin = None, WHOLE_SLIPS[cause](), None
    else:
        cause = source.choice(sorted({s.cause for s in SLIPS}))
        slip = source.choice([s for s in SLIPS if s.cause == cause])
        op = source.choice(slip.ops)
        inner = source.random() < 0.5
        who, twin = by_op(slip, op, inner), rightly(op, inner)
    try:
        case, found = failing(who, op, seed, twin)
    except LookupError:
        return None
    return Trial(cause, op, who, case, found)


def outcome(planted: Trial) -> Outcome:
    """Localise and diagnose; right is what the first sentence says."""
    case, who, found = planted.case, planted.who, planted.found
    began = time.process_time()
    guilty = guilty_op(case, lambda c: judge(c, who, "reverse"), found)
    between = time.process_time()
    why = diagnose(Failure(case, found, guilty.op, who, "reverse"))
    ended = time.process_time()
    op = None if why.node is None else case.graph.nodes[why.node].op
    node = planted.op is None or op == planted.op
    is_said = planted.cause in (why.cause, *why.equally)
    return Outcome(
        why.cause or NOTHING, node, is_said, between - began, ended - between
    )


def main() -> None:
    """Print what was said of every kind of slip, and how many were right."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--slips", type=int, default=60)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    source = random.Random(given.seed)
    confusion: Counter[tuple[str, str]] = Counter()
    outcomes: list[Outcome] = []
    unseen = 0
    while len(outcomes) < given.slips:
        planted = trial(source)
        if planted is None:
            unseen += 1
            continue
        found = outcome(planted)
        outcomes.append(found)
        if found.node and found.cause:
            said = planted.cause
        elif found.cause:
            said = f"{planted.cause}, at another node"
        else:
            said = found.said
        confusion[planted.cause, said] += 1
    print_table(
        f"Planted slips by what the first sentence says of them, seed {given.seed}",
        ["planted", "said", "times"],
        [[*pair, n] for pair, n in sorted(confusion.items())],
        _summary(outcomes, unseen),
    )


def _summary(outcomes: list[Outcome], unseen: int) -> str:
    right = sum(o.node and o.cause for o in outcomes)
    nodes = sum(o.node for o in outcomes)
    seconds = [o.seconds for o in outcomes]
    slow = sum(s >= 0.5 for s in seconds)
    localizing = statistics.median(o.localizing for o in outcomes)
    return (
        f"{right} of {len(outcomes)} with the right node and cause, {nodes} with the "
        f"right node. A diagnosis costs {statistics.median(seconds):.2f} s of process "
        f"time (median; at most {max(seconds):.2f}, {slow} over 0.5), finding the op "
        f"that deviates alone {localizing:.2f} s before. {unseen} slips showed at no "
        "graph that was drawn."
    )


if __name__ == "__main__":
    main()
