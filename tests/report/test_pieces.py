"""What the page's pictures are made of: digits, formulas, charts, layouts, tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from gradverify.graph import Graph, Node, apply_op, input_leaf, literal_leaf
from gradverify.records import Discrepancy, Evidence, Records
from gradverify.report.charts import along, convergence, histogram
from gradverify.report.formula import line, term
from gradverify.report.highlight import tokens
from gradverify.report.listing import listing
from gradverify.report.matrix import matrix
from gradverify.report.picture import picture
from gradverify.report.shared_digits import compared
from gradverify.report.trust import trust

from .made import eleven, explained, item


@pytest.mark.parametrize(
    ("got", "exact", "same", "rest", "suffix"),
    [
        ("11.0", "21", "", ("11", "21"), ""),
        ("20.5", "21", "2", ("0.5", "1"), ""),
        ("0.30000000000000004", "0.3", "0.3", ("0000000000000004", ""), ""),
        ("1.0", "0.999", "", ("1", "0.999"), ""),
        ("-2.5", "2.5", "", ("-2.5", "2.5"), ""),
        ("1.25e-30", "1.26e-30", "1.2", ("5", "6"), "e-30"),
        ("0.0", "1.5e-30", "", ("0", "1.5e-30"), ""),
        ("1e300", "2", "", ("1e300", "2"), ""),
        ("21.0", "21", "21", ("", ""), ""),
        # as many digits as tell them apart, and no more
        ("3.0", "2.718281828459045235360", "", ("3", "2.718…"), ""),
        (
            "0.250000000200000016",
            "0.25000000012345678901234",
            "0.250000000",
            ("2000…", "1234…"),
            "",
        ),
        ("0.00012345678901", "0.00098765432101234", "0.000", ("1234…", "9876…"), ""),
        ("12345678.5", "87654321.123456789", "", ("12345678.5", "87654321.123…"), ""),
        (
            "-0.001426977792997",
            "-0.000542664677185146",
            "-0.00",
            ("1426…", "05426…"),
            "",
        ),
        ("1e-7", "1.00000000123456789e-7", "1", ("", ".000000001234…"), "e-7"),
    ],
)
def test_the_digits_that_differ(
    got: str, exact: str, same: str, rest: tuple[str, str], suffix: str
) -> None:
    found = compared(got, exact)
    assert found is not None
    assert (found.same, (found.got, found.exact), found.suffix) == (same, rest, suffix)


@pytest.mark.parametrize(("got", "exact"), [("nan", "1"), ("1", "[0, 1]"), ("", "1")])
def test_what_is_no_number_has_no_digits(got: str, exact: str) -> None:
    assert compared(got, exact) is None


Step = tuple[str, list[int]]


def graph(*steps: Step) -> Graph:
    """The inputs a and b, the literal -3.0, then steps."""
    nodes: list[Node] = [input_leaf(), input_leaf(), literal_leaf(-3.0)]
    for op, operands in steps:
        params = {"n": 3} if op == "power" else {}
        nodes.append(apply_op(nodes, op, operands, **params))
    return Graph(tuple(nodes))


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([("add", [0, 1]), ("mul", [0, 1]), ("mul", [3, 4])], "(a + b)·(a·b)"),
        ([("sub", [0, 1]), ("sub", [0, 3])], "a - (a - b)"),
        ([("add", [0, 2])], "a + (-3.0)"),
        ([("neg", [0]), ("power", [3])], "(-a)³"),
        ([("mul", [0, 1]), ("div", [0, 3])], "a/(a·b)"),
        ([("add", [0, 1]), ("div", [3, 1])], "(a + b)/b"),
        ([("abs", [0]), ("sqrt", [3]), ("square", [4])], "√(|a|)²"),
        ([("add", [0, 1]), ("pow", [0, 3])], "a^(a + b)"),
        ([("reciprocal", [0]), ("exp", [3])], "exp(1/a)"),
    ],
)  # fmt: skip
def test_a_formula_as_a_line(steps: Sequence[Step], text: str) -> None:
    found = term(graph(*steps))
    assert found is not None
    assert line(found).replace("\N{MINUS SIGN}", "-") == text


def test_a_long_formula_is_left_to_the_program() -> None:
    steps = [("add", [i, i]) for i in range(2, 12)]
    assert term(graph(*steps)) is None


def test_layers_and_the_guilty_edge() -> None:
    pytest.importorskip("pygraphviz")
    found = picture(eleven().graph, explained()["evidence"])
    assert found is not None
    heights = [box.y for box in found.boxes]
    assert heights[0] == heights[1] < heights[2] == heights[3] < heights[4]
    assert [edge.guilty for edge in found.edges] == [False, False, True, *[False] * 3]
    assert found.boxes[2].lines == [("value", "5"), ("adjoint", "6")]


def test_two_ways_into_one_node_are_two_edges() -> None:
    pytest.importorskip("pygraphviz")
    found = picture(graph(("mul", [0, 0]), ("sub", [0, 3])), None)
    assert found is not None
    assert len({edge.path for edge in found.edges}) == 4
    assert [edge.mark for edge in found.edges] == ["", "", "1", "2"]


def test_without_graphviz_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert picture(eleven().graph, None) is None


def test_a_histogram_counts_all_in_its_bins() -> None:
    errors = {"-inf": 3, "-70": 2, "0": 5, "3": 1, "40": 7, "inf": 1, "junk": 9}
    chart = histogram("toy", errors)
    assert chart is not None
    titles = [bar.title.rpartition(": ") for bar in chart.bars]
    assert [(name, int(n)) for name, _, n in titles] == [
        ("no error", 3),
        ("under 1/16 ulps", 2),
        ("1 to 2 ulps", 5),
        ("8 to 16 ulps", 1),
        ("over 2³² ulps", 7),
        ("not finite", 1),
    ]
    assert chart.sentence.startswith("19 comparisons: 16% without error, 26% within")
    assert histogram("toy", {}) is None


def test_the_quotients_near_the_exact_number(
    found: Callable[..., Discrepancy],
) -> None:
    chart = convergence(found(**explained()))
    assert chart is not None
    quotients, claimed = chart.lines
    heights = [y for _, y, _ in quotients.dots]
    assert heights == sorted(heights)  # pixels grow downwards
    assert claimed.dots == []
    assert "off by about 1e-9" in chart.sentence


def test_the_line_says_how_often_it_is_over(found: Callable[..., Discrepancy]) -> None:
    places = [("-1", "1", "4"), ("0", "9", "4"), ("1", "nan", "4"), ("2", "0", "4")]
    chart = along(found(evidence=Evidence(line=places)))
    assert chart is not None
    assert chart.sentence == "Error in ulps at 3 places; over the bound at 1"


def test_code_keeps_its_lines() -> None:
    code = 'x = """a\n\n<b>"""\n'
    lines = tokens(code)
    assert ["".join(token.text for token in line) for line in lines] == [
        'x = """a', "", '<b>"""',
    ]  # fmt: skip


def test_a_case_that_many_items_show_is_one_row(records: Records) -> None:
    twice = msgspec.structs.replace(records.discrepancies[0], item="a::b::c")
    both = listing(Records((records.discrepancies[0], twice)))
    assert both is not None
    assert [row.count for row in both.rows] == [2]
    assert both.island["words"]["item"]["list"][0].endswith(" a::b::c")


def test_the_matrix_shows_the_worst_of_all_suites(records: Records) -> None:
    found = matrix(records)
    assert found is not None
    cells = {row.name: row.cells[0] for panel in found.panels for row in panel.rows}
    assert cells["mul"].kind == "bad"  # found in a textbook case
    assert cells["exp"].kind == "lost"
    assert cells["log"].word == "skipped"
    assert cells["textbook::eleven"].query == "block:textbook::eleven who:toy:reverse"
    assert "worst error 612 ulps" in cells["exp"].title


def test_what_is_known_is_not_bad(found: Callable[..., Discrepancy]) -> None:
    name = "pyproject.toml::ops::exp[toy:reverse:float64]"
    known = found(known="row", failed=False, op="exp", item=name)
    result = matrix(Records((known,), (item("ops", "exp", "passed", {"WRONG": 1}),)))
    assert result is not None
    assert result.panels[0].rows[0].cells[0].kind == "known"


def test_clean_cases_bound_the_rate_of_failure() -> None:
    clean = item(
        "ops", "sin", "passed", {"AGREES": 290, "VACUOUS": 10, "IMPRECISE": 10}
    )
    found = trust(Records((), (clean,)))
    assert found is not None
    assert found.sights[0].most == "1 %"  # 3 of 300
    assert found.sights[0].vacuous == "3.2 %"
    bad = item("ops", "exp", "failed", {"WRONG": 1})
    found = trust(Records((), (clean, bad)))
    assert found is not None
    assert found.sights[0].most == ""
