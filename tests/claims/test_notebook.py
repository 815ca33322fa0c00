"""What a notebook shows of a claim: verdicts, the sum as a formula, the graph."""

from __future__ import annotations

import sys

import pytest

from gradverify.claims import ClaimResult, check_claim
from gradverify.graph import Graph, input_leaf
from gradverify.graph.drawing import drawing


def eleven() -> ClaimResult:
    expression = "(a + b) * (a * b)"
    return check_claim(expression, at={"a": 2, "b": 3}, claims={"a": 11, "b": 11})


def test_a_wrong_claim_has_a_formula_and_a_picture() -> None:
    found = eleven()
    assert found._repr_latex_() == (
        r"$\displaystyle \frac{\partial e}{\partial a} = d \cdot 1 + c \cdot b = "
        r"6 + 5 \cdot 3 = 21$"
    )
    page = found._repr_html_()
    assert "6 + 5 = 11" in page
    assert "c = a + b" in page


def test_without_graphviz_the_program_stands_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    page = eleven()._repr_html_()
    assert "<svg" not in page
    assert "<pre>" in page
    assert "e = c * d" in page


def test_a_right_claim_has_no_formula() -> None:
    found = check_claim("a * a", at={"a": 3}, claims={"a": 6})
    assert found.explanation is None
    assert found._repr_latex_() is None
    assert "right" in found._repr_html_()


@pytest.mark.parametrize("with_graphviz", [True, False])
def test_text_is_escaped(monkeypatch: pytest.MonkeyPatch, with_graphviz: bool) -> None:
    if with_graphviz:
        pytest.importorskip("pygraphviz")
    else:
        monkeypatch.setitem(sys.modules, "pygraphviz", None)
    hostile = "<script>alert(1)</script>"
    page = drawing(Graph((input_leaf(),)), [hostile], [hostile])
    assert "<script>" not in page
    assert "alert(1)" in page
