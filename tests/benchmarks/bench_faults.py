"""Planted faults found under ten seeds, beside the checkers of two libraries.

    python -m tests.benchmarks.bench_faults [--seeds 10] [--engines own-tape ...]

gradverify looks at the cases of the faulty op's own block, then of the graph families,
with the budget that these blocks have in the `ci` profile; a fault counts as found when
a case has one of the verdicts that the fault may be found as. (An item of a run
looks at the same cases in the same order, then makes them small.)

The other checkers get what a careful user would give them: the faulty op alone at 20
random normal points, of ranks 0 to 2, broadcast and not, contracted with random weights
to a scalar; for contributions that are overwritten, four functions that use an input
twice. Torch's `gradcheck`, by default and in fast mode; autograd's `check_grads` in
reverse, order 1, all else by default. Each checks its own library directly and the
other engines as an opaque function with their gradient; PyTorch adds up an opaque
gradient that was not summed, so that `gradcheck` cannot see that one. The last rows
are the right twins: whoever objects to one raises a false alarm.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.localize import WHOLE
from gradverify.differentiators import Differentiator
from gradverify.graph import Array, Graph
from gradverify.ops import OPS
from gradverify.plugin.clock import PROFILES
from gradverify.suites.blocks import FAMILIES, blocks
from gradverify.verify import REPEATED, Block, judge

from ..planted.engines import ENGINES
from ..planted.faults import FAULTS, Fault, planted, twin
from .checkers import check_grads, gradcheck
from .table import print_table

POINTS = 20
TWIN_CASES = 20

ELEMENTWISE = (((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 3)), ((), (3,)))
SHAPES = {
    "matmul": (((2, 3), (3, 2)), ((3, 3), (3, 3)), ((3,), (3,)), ((2, 2), (2, 2)))
}
FAN_OUTS: tuple[Callable[..., Any], ...] = (
    lambda a, b: a * a + b,
    lambda a, b: a + a * b,
    lambda a, b: s.sin(a) * a * b,
    lambda a, b: s.exp(b) * (a + b),
)

Trial = tuple[Graph, list[Array]]
Checker = Callable[[Differentiator, Graph, Sequence[Array]], bool]

CHECKERS: dict[str, Checker] = {
    "gradcheck": gradcheck,
    "gradcheck fast": partial(gradcheck, fast=True),
    "check_grads": check_grads,
}


# ---- gradverify


@cache
def own_blocks(op: str, seed: int) -> list[Block]:
    """The blocks that are looked at for a fault in that op."""
    drawn = blocks(suites=("ops", "graphs"), dtypes=("float64",), seed=seed)
    families = [b for b in drawn if b.suite == "graphs"]
    return [b for b in drawn if b.suite == "ops" and b.family == op] + families


def cases_until_found(fault: Fault, who: Differentiator, seed: int) -> int | None:
    """How many cases gradverify looked at until it saw the fault; None: not seen."""
    looked = 0
    profile = PROFILES["ci"]
    share = profile.seconds / (len(OPS.public()) + len(FAMILIES))
    for block in own_blocks(fault.op, seed):
        for position, case in block.cases():
            spent = sum(block.seconds.values())
            is_enough = position >= profile.least and spent > share
            if is_enough or position == profile.most:
                break
            found = block.reference(position, case)
            looked += 1
            repeated = position % REPEATED == 0
            verdict = judge(case, who, "reverse", found=found, twice=repeated).verdict
            if verdict in fault.verdicts:
                return looked
    return None


def accuses(fault: Fault, who: Differentiator, seed: int) -> bool:
    """Whether a right engine gets a verdict of the fault's in the first cases."""
    block = own_blocks(fault.op, seed)[0]
    return any(
        judge(case, who, "reverse", found=block.reference(k, case)).verdict
        in fault.verdicts
        for k, case in islice(block.cases(), TWIN_CASES)
    )


# ---- what a careful user gives the others


def trials(op: str, seed: int) -> Iterator[Trial]:
    """The functions and points that the other checkers get."""
    rng = np.random.default_rng(seed)
    for k in range(POINTS):
        shapes = _shapes(op, k)
        weights = rng.normal(size=_result(op, k, shapes))
        function = FAN_OUTS[k % len(FAN_OUTS)] if op == WHOLE else partial(_apply, op)
        graph = trace(partial(_contracted, function, weights), *shapes)
        point = [np.asarray(rng.normal(size=shape)) for shape in shapes]
        if op == "log":
            point = [np.abs(x) + 0.1 for x in point]
        yield graph, point


def _shapes(op: str, k: int) -> tuple[tuple[int, ...], ...]:
    menu = SHAPES.get(op, ELEMENTWISE)
    arity = 2 if op == WHOLE else OPS[op].arity
    return menu[k % len(menu)][:arity]


def _result(op: str, k: int, shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    return np.broadcast_shapes(*shapes) if op == WHOLE else OPS[op].shape(*shapes)


def _apply(op: str, *operands: Any) -> Any:
    return getattr(s, op)(*operands)


def _contracted(function: Callable[..., Any], weights: Array, *operands: Any) -> Any:
    return s.sum(function(*operands) * weights, axis=None)


def objects(checker: Checker, who: Differentiator, op: str, seed: int) -> bool:
    """Whether a checker finds anything wrong in any of the trials."""
    np.random.seed(seed)  # check_grads draws its directions from NumPy's own state
    return any(not checker(who, graph, point) for graph, point in trials(op, seed))


# ---- the tables


def row_of(fault: Fault, engine: str, seeds: int) -> list[Any]:
    """One fault in one engine: how often each checker found it."""
    found = [cases_until_found(fault, planted(fault, engine), k) for k in range(seeds)]
    seen = [n for n in found if n is not None]
    others = [
        sum(objects(c, planted(fault, engine), fault.op, k) for k in range(seeds))
        for c in CHECKERS.values()
    ]
    until = statistics.median(seen) if seen else None
    return [fault.name, engine, len(seen), *others, until, max(seen, default=None)]


def twin_row(engine: str, seeds: int) -> list[Any]:
    """Right twins in one engine: how many were objected to."""
    pairs = [(fault, k) for fault in FAULTS for k in range(seeds)]
    first = sum(accuses(f, twin(f, engine), k) for f, k in pairs)
    others = [
        sum(objects(c, twin(f, engine), f.op, k) for f, k in pairs)
        for c in CHECKERS.values()
    ]
    return [f"right twins ({len(pairs)})", engine, first, *others, None, None]


def main() -> None:
    """Print a row for every fault and engine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--engines", nargs="*", default=list(ENGINES))
    given = parser.parse_args()
    rows = [row_of(f, e, given.seeds) for f in FAULTS for e in given.engines]
    rows += [twin_row(engine, given.seeds) for engine in given.engines]
    print_table(
        f"Planted faults found, of {given.seeds} seeds",
        ["fault", "engine", "gradverify", *CHECKERS, "cases until", "at most"],
        rows,
        "cases until: how many gradverify looked at until it saw the fault (median, "
        "and the most of all seeds).",
    )


if __name__ == "__main__":
    main()
