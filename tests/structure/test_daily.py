"""What daily work leaves out: no function that is gone, and of every table a part."""

from __future__ import annotations

import ast

from tests.benchmarks.bench_tests import ROOT
from tests.daily import EVERY, MANY, function_of, left_out, listed


def test_every_listed_function_is_there() -> None:
    functions = {function_of(test) for test in listed()}
    assert functions
    files = {function.partition("::")[0] for function in functions}
    stale = "run python -m tests.benchmarks.bench_tests --write"
    assert all((ROOT / file).exists() for file in files), stale
    there = {
        f"{file}::{node.name}"
        for file in files
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert functions <= there, stale


def test_of_a_long_table_each_eighth_row_stays() -> None:
    rows = [f"tests/test_a.py::test_b[{k}]" for k in range(MANY)]
    kept = {*rows} - {*left_out(rows)}
    assert kept == {*rows[::EVERY]}
    assert not [*left_out(rows[:-1])], "a shorter one is whole"


def test_what_took_long_is_left_out_and_its_neighbour_is_not() -> None:
    long = min(listed())
    assert [*left_out([long, "tests/test_a.py::test_b"])] == [long]
