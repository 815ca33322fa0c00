"""A differentiator's own test: `test_gradients = gradverify.conformance(Toy)`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import pytest

from gradverify.differentiators import Differentiator, Trial, modes, tried_out
from gradverify.plugin.item_outcome import heading, outcome
from gradverify.plugin.shield import deaf
from gradverify.report.terminal import failure_text
from gradverify.suites.blocks import Asked, Unreadable, blocks
from gradverify.verify import Block, Budget, verify_item

CASES = 50  # cases that each test looks at


def conformance(
    differentiator: type[Differentiator],
    *,
    suites: Collection[str] = ("ops", "graphs"),
    dtypes: Collection[str] = (),
    cases: int = CASES,
    seed: int = 0,
) -> Callable[..., None]:
    """Ordinary parametrised tests of a differentiator, which need no option of pytest.

    The first test checks whether the differentiator keeps to the protocol. Then there
    is one test for each op of its table and for each family of graphs. Assign the
    result to a name that begins with `test_`.

    suites: of them, "ops" and "graphs". dtypes: all that the differentiator accepts if
    none is named. cases: how many each test looks at. seed: what they are drawn from.

    Raises `ValueError` for a class that cannot be registered, with what it lacks.
    """
    instance = _instance(differentiator)
    accepted = dtypes or instance.accepts.dtypes
    parts = [
        pytest.param(block, mode, id=f"{block.family}:{mode}:{block.dtype}")
        for block in _blocks(instance, suites, accepted, seed)
        for mode in modes(instance)
    ]
    handed = pytest.param(None, "", id="handshake")

    @pytest.mark.parametrize(("block", "mode"), [handed, *parts])
    def test_gradients(block: Block | None, mode: str) -> None:
        reason = instance.available()
        if reason is not None:
            pytest.skip(reason)
        found = _trial(differentiator)
        if block is None:
            if problems := [*found.problems, *dict.fromkeys(found.ops.values())]:
                _fail(f"{instance.name} is not registered rightly:", *problems)
        elif found.problems:
            pytest.skip(f"{instance.name} is not registered rightly")
        else:
            _check(block, instance, mode, cases)

    return test_gradients


def _blocks(
    instance: Differentiator,
    suites: Collection[str],
    dtypes: Collection[str],
    seed: int,
) -> list[Block]:
    """The blocks for which the differentiator has the ops."""
    found = blocks(Asked(suites=suites, dtypes=dtypes, seed=seed))
    table: Any = instance.table
    return [b for b in found if b.suite != "ops" or callable(table.get(b.family))]


def _check(block: Block, instance: Differentiator, mode: str, cases: int) -> None:
    if isinstance(block, Unreadable):
        _fail(block.problem)
    with deaf():
        result = verify_item(block, instance, mode, budget=Budget(cases=cases))
    name = f"{block.suite}::{block.family}"
    judged = outcome(heading(name, block, instance.name, mode), result)
    item = judged.item
    if item.outcome == "skipped":
        pytest.skip(item.reason)
    if item.outcome == "failed":
        _fail(failure_text(judged.failing, item.more, said=None), item.reason)


def _fail(*lines: str) -> None:
    pytest.fail("\n".join(line for line in lines if line), pytrace=False)


@cache
def _instance(differentiator: type[Differentiator]) -> Differentiator:
    return differentiator()


@cache
def _trial(differentiator: type[Differentiator]) -> Trial:
    instance = _instance(differentiator)
    found = tried_out(instance)
    instance.taken_out = {**found.ops, **found.unsupported}
    return found
