"""Large networks in a run: by option, by the id of an item, and what is refused."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from gradverify.cli import main
from gradverify.plugin.progress import bar

TAMPERED = """\
import numpy as np

import gradverify
from gradverify.differentiators.own.tape import OwnTape


@gradverify.register
class Tampered(gradverify.Differentiator):
    name = "tampered"
    table = OwnTape.table

    @gradverify.mode("gradient", default=True)
    def reverse(self, function, point):
        pulled = OwnTape().reverse(function, point)
        cotangents = [ct if ct is None else np.array(ct) for ct in pulled.cotangents]
        if len(cotangents) == 4:
            cotangents[2][5, 2] *= 1 + 1e-9
        return gradverify.Pulled(pulled.value, cotangents)
"""

ITEM = "pyproject.toml::networks::72-60-10[tampered:reverse:float64]"


@pytest.fixture
def run(pytester: pytest.Pytester, plugin_arguments: tuple[str, ...]) -> Any:
    """Run pytest in a repository with the tampered engine."""
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n")
    pytester.makeconftest(TAMPERED)

    def runner(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*plugin_arguments, *arguments)

    return runner


def test_a_wrong_entry_is_named_and_its_item_can_be_named(
    run: Any, pytester: pytest.Pytester
) -> None:
    result = run(ITEM)
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
    text = (pytester.path / "reports" / "gradverify.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    item = next(r for r in found if r["type"] == "item")
    assert 0 < float(item["median_fault"]) < float(item["worst_fault"])
    assert (pytester.path / "reports" / "gradverify.html").is_file()


def test_a_network_is_replayed_from_what_it_is_made_of(
    run: Any, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    item = ITEM.replace("72-60-10", "72-60-10-relu-mse")
    assert run(item, "--gradverify-seed", "7").ret == pytest.ExitCode.TESTS_FAILED
    path = pytester.path / "reports" / "gradverify.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    found = next(r for r in rows if r["type"] == "discrepancy")
    assert found["network"] == {
        "sizes": [72, 60, 10], "activation": "relu", "loss": "mse", "dtype": "float64",
        "seed": 7, "target": None,
    }  # fmt: skip
    again = pytester.run(
        sys.executable, "-m", "gradverify.cli", "replay", found["case"]
    )
    assert again.ret == 1
    again.stdout.fnmatch_lines(["STILL WRONG", f"*got*{found['got']}*d/dv?5, 2?"])
    pytester.makeconftest("")
    for arguments in (["save", found["case"]], ["accept", found["finding"]]):
        assert main(arguments) == 2
        assert re.search("too large to be.*replay", capsys.readouterr().err)
    damaged = {**found, "network": found["network"] | {"seed": -1}}
    path.write_text(json.dumps(damaged) + "\n")
    assert main(["replay", found["case"]]) == 2
    assert re.search("cannot be made.*seeds from 0 up", capsys.readouterr().err)


def test_networks_are_chosen_by_option(run: Any) -> None:
    result = run(
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
    run: Any, option: str, value: str, text: str
) -> None:
    result = run("--gradverify-only", f"--gradverify-{option}", value)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([text])


def test_a_bar_fills_from_the_left() -> None:
    assert bar(0, 2, "x") == f"[{'.' * 24}] x"
    assert bar(1, 2, "x") == f"[{'#' * 12}{'.' * 12}] x"
    assert bar(3, 2, "x") == f"[{'#' * 24}] x"
