"""One derivative of a network in forward mode, from the command line."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gradverify.cli import main
from gradverify.cli.replay import _block as block_of
from gradverify.cli.replay import _judged as judged
from gradverify.differentiators import Differentiator, load, mode
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.suites.large_network import Network
from gradverify.verdict import Verdict


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["v,5,2"], "∂o[2]/∂v[5, 2] of 9-8-4, tanh"),
        (["w,5,2", "--output", "1"], "∂o[1]/∂w[5, 2] of 9-8-4, tanh"),
        (["c,3", "--activation", "relu"], "∂o[3]/∂c[3] of 9-8-4, relu"),
    ],
)
def test_both_own_engines_agree_with_the_exact_one(
    arguments: list[str], title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entry, *others = arguments
    assert main(["network", "9-8-4", "--forward-entry", entry, *others]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == title
    for engine in ("own-dual", "own-tape"):
        assert any(line.startswith(engine) and "agrees" in line for line in lines)


def test_the_closed_form_is_the_hidden_unit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", "9-8-4", "--forward-entry", "v,5,2"]) == 0
    exact, closed = capsys.readouterr().out.splitlines()[1:3]
    assert closed.startswith("h[5]")
    numbers = [re.search(r"-?\d\.\d+", line)[0] for line in (exact, closed)]  # type: ignore[index]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["9-8-4", "--forward-entry", "v,8,2"], "no entry of 9-8-4; it has w [9, 8]"),
        (["9", "--forward-entry", "v,5,2"], "write its sizes as 784-784-10"),
        (["9-8-4", "--forward-entry", "v,1,1", "--output", "4"], "has 0 to 3"),
        (
            ["9-8-4", "--forward-entry", "v,1,1", "--activation", "x"],
            "allowed are tanh",
        ),
    ],
)
def test_what_makes_no_sense_ends_with_2(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["network", *arguments]) == 2
    assert text in capsys.readouterr().err


def test_a_network_that_is_right_again_is_judged_so() -> None:
    network = Network((6, 5, 3))
    judgement, _ = judged(network, load("own-tape"), "reverse")
    assert judgement.verdict is Verdict.AGREES
    assert block_of(network) is block_of(Network((6, 5, 3)))


def test_why_a_network_is_not_run_is_said() -> None:
    class Pushing(Differentiator):
        name = "pushing"
        table = OwnTape.table

        @mode("jvp", default=True)
        def forward(self, function: Any, point: Any, tangents: Any) -> Any:
            raise AssertionError("called")

    judgement, _ = judged(Network((40, 30, 10)), Pushing(), "forward")
    assert judgement.verdict is Verdict.UNSUPPORTED
    assert "1,540 calls" in judgement.note
