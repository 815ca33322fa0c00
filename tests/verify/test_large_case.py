"""Every entry of a network is judged: one that is wrong is found and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradverify.autodiff import Tape
from gradverify.differentiators import (
    Accepts,
    Differentiator,
    Pulled,
    load,
    mode,
)
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.reference import Slope
from gradverify.suites.large_network import Network, network_block
from gradverify.verdict import Verdict
from gradverify.verify import STAGES, LargeBlock, verify_large

FAULTS: dict[str, Callable[[Any], Any]] = {
    "zeroed": lambda g: 0.0 * g,
    "sign": lambda g: -g,
    "off by 1e-9": lambda g: g * (1 + 1e-9),
}
ENTRIES = {"w": (0, (5, 7)), "b": (1, (3,)), "v": (2, (5, 2)), "c": (3, (1,))}
ENGINES = ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")
BLOCKS = {
    (sizes, dtype): network_block(Network(sizes, dtype=dtype))
    for sizes in ((6, 5, 3), (40, 30, 10), (72, 60, 10))
    for dtype in ("float64", "float32")
}


def tampered(position: int, index: tuple[int, ...], fault: Any) -> Differentiator:
    """Our tape, with one entry of the gradient changed."""

    class Tampered(Differentiator):
        name = "tampered"
        accepts = Accepts(dtypes=("float64", "float32"))
        table = Tape().table

        @mode("gradient", default=True)
        def reverse(self, function: Any, point: Any) -> Pulled:
            pulled = OwnTape().reverse(function, point, np.ones((), point[0].dtype))
            cotangents = [np.array(ct) for ct in pulled.cotangents]
            cotangents[position][index] = fault(cotangents[position][index])
            return Pulled(pulled.value, cotangents)

    return Tampered()


def block_of(*sizes: int, dtype: str = "float64") -> LargeBlock:
    return BLOCKS[sizes, dtype]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sizes", [(6, 5, 3), (40, 30, 10), (72, 60, 10)])
@pytest.mark.parametrize("name", ENGINES)
def test_no_right_engine_is_accused(
    name: str, sizes: tuple[int, ...], dtype: str
) -> None:
    engine = load(name)
    if (why := engine.available()) is not None:
        pytest.skip(why)
    modes = [*engine.modes()]
    item = verify_large(block_of(*sizes, dtype=dtype), engine, modes[0])
    assert item.counts == {Verdict.AGREES: 1}
    assert not item.findings
    _, median, worst = item.faults
    assert median < (1e-9 if dtype == "float64" else 1e-1)
    assert median <= worst


@pytest.mark.parametrize(
    "sizes",
    [(6, 5, 3), (40, 30, 10), pytest.param((72, 60, 10), marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_wrong_entry_is_found_and_named(
    fault: str, name: str, sizes: tuple[int, ...]
) -> None:
    position, index = ENTRIES[name]
    index = tuple(min(i, n - 1) for i, n in zip(index, shape(sizes, name), strict=True))
    engine = tampered(position, index, FAULTS[fault])
    item = verify_large(block_of(*sizes), engine, "reverse")
    (finding,) = item.findings
    assert finding.judgement.verdict is Verdict.WRONG
    assert finding.judgement.where == f"d/d{name}{list(index)}"
    assert finding.written["point"] == []


def shape(sizes: tuple[int, ...], name: str) -> tuple[int, ...]:
    a, b, c = sizes
    return {"w": (a, b), "b": (b,), "v": (b, c), "c": (c,)}[name]


def test_the_stages_are_told_once_each_and_the_reference_s_only_where_it_is_new() -> (
    None
):
    block = network_block(Network((6, 5, 3)))
    told: list[tuple[int, str]] = []
    for _ in range(2):
        verify_large(
            block,
            load("own-tape"),
            "reverse",
            lambda done, stage: told.append((done, stage)),
        )
    first, again = told[: len(STAGES)], told[len(STAGES) :]
    assert [done for done, _ in first] == list(range(len(STAGES)))
    assert [stage for _, stage in first[:-1]] == list(STAGES[:-1])
    assert first[-1] == (len(STAGES) - 1, "own-tape, reverse")
    assert again == [first[0], first[-1]]


def test_the_note_counts_what_deviates() -> None:
    engine = tampered(0, (slice(3, 5), 7), lambda g: -g)  # type: ignore[arg-type]
    (finding,) = verify_large(block_of(72, 60, 10), engine, "reverse").findings
    assert finding.judgement.note == "2 of 4,990 entries deviate"


def test_a_zero_that_is_right_is_no_fault() -> None:
    block = network_block(Network((72, 60, 10), "relu"))
    gradient = block.reference(0, block.case).gradient[0].high
    dead = int(np.flatnonzero(~gradient.any(axis=0))[0])
    engine = tampered(0, (5, dead), FAULTS["zeroed"])
    assert verify_large(block, engine, "reverse").counts == {Verdict.AGREES: 1}
    engine = tampered(0, (5, dead), lambda g: g + 1e-30)
    (finding,) = verify_large(block, engine, "reverse").findings
    assert finding.judgement.where == f"d/dw[5, {dead}]"


def test_where_our_own_references_disagree_nobody_is_accused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gradverify.reference import assemble
    from gradverify.reference.smooth import OUR_FAULT

    monkeypatch.setattr(
        assemble, "conclude_smooth", lambda *_: (Slope.UNRESOLVED, (), OUR_FAULT)
    )
    engine = tampered(*ENTRIES["v"], FAULTS["sign"])
    item = verify_large(network_block(Network((72, 60, 10))), engine, "reverse")
    assert item.counts == {Verdict.UNRESOLVED: 1}
    assert not item.findings


def test_a_mode_of_one_derivative_a_call_is_not_asked_for_thousands() -> None:
    class Pushing(Differentiator):
        name = "pushing"
        table = Tape().table

        @mode("jvp", default=True)
        def forward(self, function: Any, point: Any, tangents: Any) -> Any:
            raise AssertionError("called")

    item = verify_large(block_of(40, 30, 10), Pushing(), "forward")
    assert item.counts == {Verdict.UNSUPPORTED: 1}
    assert "1,540 calls" in next(iter(item.skipped))
