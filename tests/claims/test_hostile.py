"""Files from anywhere: nothing of them runs, and what is too much is said to be."""

# ruff: noqa: E501

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradverify.claims.judgement.claim_record import Claim
from gradverify.claims.reading.reader import read_claims
from gradverify.claims.sources.files import UnreadableError

MARK = "import pathlib; pathlib.Path({!r}).write_text('ran')"


def notebook(*sources: str) -> str:
    cells = [{"cell_type": "code", "source": s, "outputs": []} for s in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "cells": cells})


def claims(folder: Path, name: str, text: str) -> list[Claim]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_claims(path)


# name of the file, its text, and the words of a reason that is given
# fmt: off
HOSTILE = (
    ("a.py",    "x = __import__('os').system('x')\ny = 2.0\n# dx/dy = 1",      "is no function that is read"),
    ("a.py",    "x = ().__class__.__mro__\ny = 2.0\n# dx/dy = 1",              "is not read"),
    ("a.py",    "x = 2.0\ny = x * 9**9**9**9\n# dy/dx = 1",                    "too large"),
    ("a.py",    "x = 2.0\ny = x\n# dy/dx = 9^(9^(9^9))",                       "not finite"),
    ("a.py",    "x = 2.0\ny = x\n# dy/dx = 1e999999999",                       "too large"),
    ("a.py",    "x = 2.0\ny = x\n# dy/dx = 1" + "0" * 5000,                    "too many digits"),
    ("a.py",    "x = 2.0\ny = x\n# dy/dx = 1" + "0" * 500,                     "too large, or too small"),
    ("a.py",    "x = 2.0\ny = x\n# dy/dx = 0.0e9999999999",                    "too large, or too small"),
    ("a.py",    "x = 2.0\ny = " + "(" * 500 + "x" + ")" * 500,                 "no Python"),
    ("a.py",    "x = 2.0\ny = x" + " + x" * 3000,                              "no Python|deep"),
    ("a.py",    "x = np.zeros((10**6, 10**6))\ny = x.sum()\n# dy/dx = 0",      "whole number"),
    ("a.py",    "x = torch.randn(10**6, 10**6)\ny = x.sum()\n# dy/dx = 0",     "whole number"),
    ("a.py",    "def f(x): return f(x) + f(x)\ny = f(2.0)\nx = 1.0\n# dy/dx = 1", "calls too many|statements"),
    ("a.py",    "x = input()\ny = x * 2\n# dy/dx = 2",                         "comes from input"),
    ("a.md",    "$x = 2$, $y = x^2$\n\n$" + "(" * 800 + "x" + ")" * 800 + r" = \frac{dy}{dx}$", "tokens"),
    ("a.md",    "∂x/∂x=" * 60_000,                                            "characters"),
    ("a.ipynb", notebook("# dy/dx = 1 " * 1_000_000),                          "characters"),
)
# fmt: on


@pytest.mark.parametrize(("name", "text", "reason"), HOSTILE)
def test_what_is_too_much_is_not_understood(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    found = claims(tmp_path, name, text)
    words = reason.split("|")
    assert found
    assert {c.verdict for c in found} == {"not understood"}
    assert any(word in c.reason for c in found for word in words), found


# fmt: off
UNREADABLE = (
    ("a.ipynb", '{"cells": [',                 "is no notebook"),
    ("a.ipynb", "[" * 100_000,                 "is no notebook"),
    ("a.ipynb", "[1, 2]",                      "no list of cells"),
    ("a.csv",   "a,b",                         "files end in"),
)
# fmt: on


@pytest.mark.parametrize(("name", "text", "reason"), UNREADABLE)
def test_what_cannot_be_read_says_why(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    with pytest.raises(UnreadableError, match=reason):
        claims(tmp_path, name, text)


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableError, match="UTF-8"):
        read_claims(path)


def test_cells_of_any_shape_are_borne(tmp_path: Path) -> None:
    cells = [1, None, {"cell_type": "code", "source": {"a": 1}}, {"outputs": 3}]
    text = json.dumps({"nbformat": 4, "cells": cells})
    assert claims(tmp_path, "a.ipynb", text) == []


# Statements that no library would take, before a claim that is right.
MISCALLED = (
    "z = torch.mm(x)", "z = np.clip(x, 0, 1, 2, 3)", "z = x.reshape(shape=())",
    "z = np.where(x > 1)", "z = np.sum()", "z = x.squeeze(axis='a')", "z = max()",
    "z = np.eye()", "z = np.zeros()", "z = np.zeros_like()", "z = x.clip(lo=1)",
    "z = torch.autograd.grad(x)", "z = F.cross_entropy(np.array([1., 2.]), 7)",
    "z = F.cross_entropy(np.array([1., 2.]), -1)", "z = nn.Linear(1)(x)",
    "z = grad(lambda: 1)(x)", "z = jax.grad(lambda u: u, argnums=5)(x)",
    "z = x[[]]", "z = nn.Nothing()(x)", "z = identity()", "z = torch.randn(-1)",
    "z = x.permute(0, 1)", "z = x.norm(ord=[])", "z = 'a' + 1", "z = -'a'",
    "z = [1] < 'a'", "z = np.array([1, [2]])", "z = x.view(-1, -1)", "(z, *w) = x",
)  # fmt: skip


@pytest.mark.parametrize("statement", MISCALLED)
def test_a_statement_that_makes_no_sense_spoils_no_other(
    tmp_path: Path, statement: str
) -> None:
    text = f"x = 2.0\n{statement}\ny = x * x\n# dy/dx = 4\n# dz/dx = 4\n"
    right, unknown = claims(tmp_path, "a.py", text)
    assert right.verdict.value == "right"
    assert unknown.verdict.value == "not understood"


def broken(*_: object) -> None:
    raise ZeroDivisionError("a fault of ours")


# where a fault is planted, and which claims are still judged
FAULTS = (
    ("gradverify.claims.code.statements.Evaluator.binary", ["not understood", "right"]),
    ("gradverify.claims.code.statements._Statements.bind", ["not understood"] * 2),
    ("gradverify.claims.reading.text_claims.readings", ["not understood"] * 2),
)


@pytest.mark.parametrize(("place", "verdicts"), FAULTS)
def test_a_fault_of_ours_is_a_reason_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, verdicts: list[str]
) -> None:
    monkeypatch.setattr(place, broken)
    text = "x = 2.0\ny = x * x\n# dy/dx = 4\nz = abs(x)\n# dz/dx = 1\n"
    found = claims(tmp_path, "a.py", text)
    assert [c.verdict for c in found] == verdicts
    assert "ZeroDivisionError: a fault of ours" in found[0].reason


def test_a_fault_outside_statements_makes_the_file_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradverify.claims.reading.reader.states_of", broken)
    with pytest.raises(UnreadableError, match=r"a\.py: .*a fault of ours"):
        claims(tmp_path, "a.py", "x = 2.0\n")


def test_a_function_of_a_longer_cell_can_be_called(tmp_path: Path) -> None:
    long = "\n" * 30 + "def f(u):\n    v = u * u\n    return v"
    text = notebook(long, "x = 2.0\ny = f(x)\n# dy/dx = 4")
    assert [c.verdict for c in claims(tmp_path, "a.ipynb", text)] == ["right"]


# ---- nothing runs

STATEMENTS = (
    "{}", "x = [{}]", "def f(a={}):\n    return a", "@f({})\ndef g():\n    pass",
    "class A:\n    x = ({})", "print(f'{{({})}}')", "import {}", "with {}:\n    pass",
    "assert {}", "lambda: {}", "del {}", "for i in {}:\n    pass",
)  # fmt: skip
CALLS = (
    "__import__('pathlib').Path({!r}).write_text('ran')", "open({!r}, 'w').write('ran')",
    "eval(\"open({!r}, 'w')\")", "exec(\"open({!r}, 'w')\")",
    "().__class__.__base__.__subclasses__()", "getattr(__builtins__, 'open')({!r}, 'w')",
)  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from(STATEMENTS), st.sampled_from(CALLS)),
        min_size=1,
        max_size=4,
    ),
    as_notebook=st.booleans(),
)
def test_no_code_of_a_file_ever_runs(
    tmp_path: Path, parts: list[tuple[str, str]], as_notebook: bool
) -> None:
    marker = str(tmp_path / "marker")
    lines = [s.format(c.format(marker)) for s, c in parts]
    lines.append("x = 2.0\ny = x * x\n# dy/dx = 2x = 4")
    text = "\n".join(lines)
    if as_notebook:
        claims(tmp_path, "a.ipynb", notebook(text))
    else:
        claims(tmp_path, "a.py", text)
    assert not os.path.exists(marker)


def test_such_a_line_would_leave_its_mark(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    exec(CALLS[0].format(str(marker)))
    assert marker.exists()


def test_a_large_matrix_is_not_inverted_by_cofactors(tmp_path: Path) -> None:
    code = """
import numpy as np
def fit(X, y):
    A = X.T @ X
    w = np.linalg.pinv(A) @ (X.T @ y)
    loss = np.sum((X @ w - y) ** 2)
    dw = 2 * X.T @ (X @ w - y)
    return loss, dw
"""
    path = tmp_path / "notes.py"
    path.write_text(code, encoding="utf-8")
    started = time.process_time()
    read_claims(path)
    assert time.process_time() - started < 20
