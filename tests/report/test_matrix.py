"""The matrix has the modes of an engine side by side."""

from __future__ import annotations

from gradverify.records import Item, Records
from gradverify.report.matrix import TURNS, matrix


def item(op: str, mode: str, outcome: str = "passed", verdict: str = "AGREES") -> Item:
    return Item(
        id=f"ops::{op}[who:{mode}:float64]",
        suite="ops",
        block=op,
        differentiator="who",
        mode=mode,
        dtype="float64",
        outcome=outcome,
        counts={verdict: 3},
    )


def test_modes_that_took_turns_share_a_column_that_comes_last() -> None:
    ops = ("neg", "exp", "log", "sin", "cos", "tanh", "sqrt", "abs")
    items = [item(op, mode) for op in ops for mode in ("reverse", "forward")]
    items.insert(2, item("exp", "vmapped", "failed", "WRONG"))
    items.append(item("log", "aot"))
    found = matrix(Records(items=tuple(items)))
    assert found is not None
    assert found.columns == [("who", "reverse"), ("who", "forward"), ("who", TURNS)]
    cells = {row.name: row.cells for panel in found.panels for row in panel.rows}
    assert [c.kind for c in cells["exp"]] == ["fine", "fine", "bad"]
    assert "modes: vmapped" in cells["exp"][2].title
    assert cells["exp"][2].query == "op:exp who:who"
    assert cells["neg"][2].kind == "none"
