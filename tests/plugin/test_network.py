"""Large networks in a run: by option, by the id of an item, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradverify.plugin.progress import bar

from ..scratch import Scratch

TAMPERED = """\
import numpy as np

import gradverify
from gradverify.differentiators.own.tape_engine import OwnTape


@gradverify.register
class Tampered(gradverify.Differentiator):
    name = "tampered"
    table = OwnTape.table

    @gradverify.mode("gradient", default=True)
    def reverse(self, function, point):
        pulled = OwnTape().reverse(function, point, np.ones(()))
        cotangents = [ct if ct is None else np.array(ct) for ct in pulled.cotangents]
        if len(cotangents) == 4:
            cotangents[2][5, 2] *= 1 + 1e-9
        return gradverify.Pulled(pulled.value, cotangents)
"""

ITEM = "pyproject.toml::networks::72-60-10[tampered:reverse:float64]"


@pytest.fixture
def repository(tmp_path: Path) -> Scratch:
    """A repository with the tampered engine."""
    found = Scratch(tmp_path)
    found.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    found.write("conftest.py", TAMPERED)
    return found


def test_a_wrong_entry_is_named_and_its_item_can_be_named(repository: Scratch) -> None:
    result = repository.pytest(ITEM)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "tampered, reverse, float64: the derivative is wrong",
            "  graph   cross_entropy of 72-60-10, tanh",
            "  got     *for d/dv?5, 2?",
            "  note    1 of 4,990 entries deviate",
            "  next    gradverify replay *",
        ]
    )
    (item,) = repository.of_type("item")
    assert 0 < float(item["median_fault"]) < float(item["worst_fault"])
    assert repository.text("gradverify.html")


def test_a_network_is_replayed_from_what_it_is_made_of(repository: Scratch) -> None:
    item = ITEM.replace("72-60-10", "72-60-10-relu-mse")
    result = repository.pytest(item, "--gradverify-seed", "7")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (found,) = repository.of_type("discrepancy")
    assert found["network"] == {
        "sizes": [72, 60, 10], "activation": "relu", "loss": "mse", "dtype": "float64",
        "seed": 7, "target": None,
    }  # fmt: skip
    again = repository.gradverify("replay", found["case"])
    assert again.ret == 1
    again.stdout.fnmatch_lines(["STILL WRONG", f"*got*{found['got']}*d/dv?5, 2?"])
    repository.write("conftest.py", "")
    for arguments in (["save", found["case"]], ["accept", found["finding"]]):
        refused = repository.gradverify(*arguments)
        assert refused.ret == 2
        refused.stderr.fnmatch_lines(["*too large to be*replay*"])
    damaged = {**found, "network": found["network"] | {"seed": -1}}
    repository.write("reports/gradverify.jsonl", json.dumps(damaged) + "\n")
    refused = repository.gradverify("replay", found["case"])
    assert refused.ret == 2
    refused.stderr.fnmatch_lines(["*cannot be made*seeds from 0 up*"])


def test_networks_are_chosen_by_option(repository: Scratch) -> None:
    result = repository.pytest(
        "--gradverify-only", "--collect-only", "-q", "--gradverify-suites", "networks",
        "--gradverify-network", "6-5-3,4-3-2", "--gradverify-dtypes", "float64",
    )  # fmt: skip
    result.stdout.fnmatch_lines(
        [f"*::networks::{n}?tampered:reverse:float64?" for n in ("6-5-3", "4-3-2")]
    )


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("network", "784", "*'784' is no network; write its sizes as 784-784-10*"),
        ("network", "9999-9999-10", "*at most 2,000,000 weights*"),
        (
            "activation",
            "sin",
            "*--gradverify-activation: 'sin' is unknown; known: tanh*",
        ),
        ("loss", "hinge", "*--gradverify-loss: 'hinge' is unknown*cross_entropy*"),
    ],
)
def test_what_is_no_network_is_a_usage_error(
    repository: Scratch, option: str, value: str, text: str
) -> None:
    result = repository.pytest("--gradverify-only", f"--gradverify-{option}", value)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([text])


def test_a_bar_fills_from_the_left() -> None:
    assert bar(0, 2, "x") == f"[{'.' * 24}] x"
    assert bar(1, 2, "x") == f"[{'#' * 12}{'.' * 12}] x"
    assert bar(3, 2, "x") == f"[{'#' * 24}] x"
