"""Faults that only one question sees, beside the checkers of three libraries.

    python -m tests.benchmarks.bench_modes --into rows.jsonl [--seeds 10]
    python -m tests.benchmarks.bench_modes --sum rows.jsonl

Every fault of `tests/planted/question_faults.py` stands in PyTorch's functions, and is
looked for under each seed, in the op's own block in float64, in the one mode that sees
it. The checkers get the trials of `trials.py`, up to their first objection: `gradcheck`
as it is and with `check_forward_ad`, `gradgradcheck`, each by default but for the
warnings; JAX's and autograd's `check_grads(order=2)` the same faults in functions of
these libraries (`mode_checkers.py`), JAX's the first trials alone, since each takes
seconds to compile. A fault that stands in a mode of its own is none of a library's
function, so that they cannot be asked about it. Every checker gets the right twins as
well. Of every right twin 20 cases are looked at under each seed, in the default mode,
in forward mode and at second order. A row that is in the file is not run again. With
`--only gradverify twin` the rows of the others are left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from gradverify.differentiators import Lowered
from gradverify.graph import Array, Graph
from gradverify.known import shipped_rows
from gradverify.suites.blocks import Asked, blocks
from gradverify.verify import Block, Budget, verify_item

from ..planted.question_faults import FAULTS, Planted, QuestionFault, unexplained
from .mode_checkers import (
    RIGHT,
    RULES,
    Rule,
    autograd_is_content,
    jax_is_content,
)
from .table import print_table
from .trials import POINTS, trials

Row = dict[str, Any]

CASES, STEP = 40, 4  # looked at for a fault at most, and in one go
COMPILED = 3  # trials for JAX
TWIN_MODES = ("reverse", "forward", "reverse-over-reverse")

CHECKERS: dict[str, Callable[..., bool]] = {
    "gradcheck": torch.autograd.gradcheck,
    "gradcheck forward": lambda f, x: torch.autograd.gradcheck(
        f, x, check_forward_ad=True
    ),
    "gradgradcheck": torch.autograd.gradgradcheck,
}


def block_of(fault: QuestionFault, seed: int) -> Block:
    (found,) = blocks(
        Asked(suites=("ops",), ops=(fault.family,), dtypes=("float64",), seed=seed)
    )
    return found


def ours(fault: QuestionFault, seed: int) -> Row:
    """The cases that were looked at until the fault was found, and the seconds."""
    block, who = block_of(fault, seed), fault.planted()
    began = time.process_time()
    for cases in range(STEP, CASES + 1, STEP):
        block.count = None
        budget = Budget(cases=cases, least=cases, shrinking=0.0)
        result = verify_item(block, who, fault.mode, budget=budget)
        if any(v.fails() for v in result.counts):
            return {"found": True, "cases": cases, "s": time.process_time() - began}
    return {"found": False, "cases": CASES, "s": time.process_time() - began}


def theirs(fault: QuestionFault, seed: int, check: Callable[..., bool]) -> Row:
    """Whether a checker objects to any of the trials."""
    began = time.process_time()
    objects = False
    for graph, point in trials(fault.family, seed):
        if not _is_content(fault.planted(), graph, point, check):
            objects = True
            break
    return {"found": objects, "s": time.process_time() - began}


def _is_content(
    who: Planted, graph: Graph, point: Sequence[Array], check: Callable[..., bool]
) -> bool:
    inputs = tuple(torch.tensor(x, requires_grad=True) for x in point)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(check(Lowered(graph, who.table, "float64"), inputs))
        except Exception:
            return False


OTHERS: dict[str, tuple[Callable[..., bool], int]] = {
    "JAX check_grads(order=2)": (jax_is_content, COMPILED),
    "autograd check_grads(order=2)": (autograd_is_content, POINTS),
}


def elsewhere(fault: QuestionFault, who: str, rule: Rule) -> Row:
    """Whether the checker of another library objects to any of the trials."""
    check, count = OTHERS[who]
    began, op = time.process_time(), fault.family
    objects = any(
        not check(op, rule, graph, point)
        for graph, point in islice(trials(op, 0), count)
    )
    return {"found": objects, "s": time.process_time() - began}


def twin_of(fault: QuestionFault, check: Callable[..., bool]) -> Row:
    """Whether a checker of PyTorch objects to the right twin."""
    objects = any(
        not _is_content(fault.twin(), graph, point, check)
        for graph, point in trials(fault.family, 0)
    )
    return {"found": objects, "s": 0.0}


def accused(fault: QuestionFault, seed: int) -> list[str]:
    """What the right twin was accused of; none is right."""
    found = []
    for mode in TWIN_MODES:
        block = block_of(fault, seed)
        budget = Budget(cases=20, shrinking=0.0)
        result = verify_item(
            block, fault.twin(), mode, budget=budget, known=shipped_rows()
        )
        found += [f"{mode}: {f.judgement.verdict.name}" for f in unexplained(result)]
    return found


def is_of(name: str, only: Sequence[str]) -> bool:
    """Whether a row belongs to one of those that were named, or none was."""
    return not only or name.partition("|")[0] in only


def rows(seeds: int) -> Iterator[tuple[str, Callable[[], Row]]]:
    """All that is to be run, by name."""
    for fault in FAULTS:
        name = f"{fault.name}, {fault.family}"
        for seed in range(seeds):
            yield f"gradverify|{name}|{seed}", lambda f=fault, s=seed: ours(f, s)
        for who, check in CHECKERS.items() if fault.row is not None else ():
            yield f"{who}|{name}|0", lambda f=fault, c=check: theirs(f, 0, c)
        for who in OTHERS if fault.name in RULES else ():
            rule = RULES[fault.name]
            yield f"{who}|{name}|0", lambda f=fault, w=who, r=rule: elsewhere(f, w, r)
    twins = {fault.family: fault for fault in FAULTS if fault.right is not None}
    for op, fault in twins.items():
        for who, check in CHECKERS.items():
            yield f"{who} on twins|{op}|0", lambda f=fault, c=check: twin_of(f, c)
        for who in OTHERS:
            yield (
                f"{who} on twins|{op}|0",
                lambda f=fault, w=who: elsewhere(f, w, RIGHT),
            )
    for op, fault in twins.items():
        for seed in range(seeds):
            yield (
                f"twin|{op}|{seed}",
                lambda f=fault, s=seed: {"accused": accused(f, s)},
            )


def report(found: dict[str, Row]) -> None:
    """How many faults each finds, and the seconds for one."""
    table = []
    for who in ("gradverify", *CHECKERS, *OTHERS):
        own = {k: r for k, r in found.items() if k.startswith(f"{who}|")}
        faults = dict.fromkeys(k.split("|")[1] for k in own)
        always = [f for f in faults if all(
            r["found"] for k, r in own.items() if k.split("|")[1] == f)]  # fmt: skip
        if own:
            seconds = statistics.median(r["s"] for r in own.values())
            table.append([who, len(faults), len(always), len(own), seconds])
    print_table(
        "faults that only one question sees",
        ["", "faults", "found under all seeds", "runs", "median seconds"],
        table,
    )
    missed = [
        k for k, r in found.items() if k.startswith("gradverify|") and not r["found"]
    ]
    print("\nnot found by gradverify: " + (", ".join(missed) or "none"))
    twins = {k: r["accused"] for k, r in found.items() if k.startswith("twin|")}
    wrong = {k: texts for k, texts in twins.items() if texts}
    print(f"right twins under all seeds: {len(twins)} runs, accused: {wrong or 'none'}")
    for who in (*CHECKERS, *OTHERS):
        own = {k: r for k, r in found.items() if k.startswith(f"{who} on twins|")}
        objected = [k.split("|")[1] for k, r in own.items() if r["found"]]
        print(
            f"{who}: {len(own)} right twins, accused: {', '.join(objected) or 'none'}"
        )


def main() -> None:
    """Run what is not in the file yet, or print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--into", type=Path)
    parser.add_argument("--sum", type=Path)
    parser.add_argument("--first", type=int, help="run only so many rows")
    parser.add_argument("--only", nargs="*", default=(), help="the first part of names")
    given = parser.parse_args()
    path = given.sum or given.into
    text = path.read_text(encoding="utf-8") if path and path.exists() else ""
    found = {row.pop("name"): row for row in map(json.loads, text.splitlines())}
    if given.sum is None:
        fresh = (
            pair
            for pair in rows(given.seeds)
            if pair[0] not in found and is_of(pair[0], given.only)
        )
        for name, make in islice(fresh, given.first):
            found[name] = make()
            print(name, found[name], flush=True)
            if given.into:
                with given.into.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"name": name, **found[name]}) + "\n")
    report(found)


if __name__ == "__main__":
    main()
