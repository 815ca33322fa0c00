"""Known deviations: reading, matching and writing rows."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from packaging.specifiers import SpecifierSet

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.diagnosis.op_alone import cotangent_alone, node_values
from gradverify.differentiators.registry import load
from gradverify.graph import Case
from gradverify.known import (
    COTANGENT,
    FILE_NAME,
    WHOLE,
    Deviation,
    DeviationError,
    Size,
    all_rows,
    append_rows,
    applies,
    is_expired,
    matches,
    read_rows,
    shipped_rows,
)
from gradverify.known.writer import quoted, row_to_toml
from gradverify.verdict import Verdict
from gradverify.verify import judge

TODAY = date(2030, 1, 1)
CASE = Case(trace(lambda x: SYMBOLS.exp(x), ()), (np.array(1.0),))
ROW = Deviation(
    id="toy-exp",
    differentiator="toy",
    op="exp",
    verdict=(Verdict.WRONG,),
    reason="its exp is a polynomial",
    witness=CASE,
    versions=SpecifierSet(">=1.2,<2"),
    modes=("reverse",),
    dtypes=("float64",),
    devices=("cpu",),
    when="x > 20",
    at_most=Size(12.0, in_bounds=True),
    gives=(("value", "x + 1"), ("x", "0.0")),
    computes_in="float32",
    link="https://example.org/1",
    until=date(2030, 6, 30),
)


@pytest.mark.parametrize("row", shipped_rows(), ids=lambda row: row.id)
def test_the_witness_of_every_shipped_row_deviates(row: Deviation) -> None:
    differentiator = load(row.differentiator)
    if differentiator.available() is not None:
        pytest.skip("not installed")
    mode = (row.modes or ("reverse",))[0]
    judgement = judge(row.witness, differentiator, mode)
    assert judgement.verdict in row.verdict
    if row.op == WHOLE:
        return
    nodes, values = row.witness.graph.nodes, node_values(row.witness)
    (node,) = (n for n in nodes if n.op == row.op)
    operands = [values[j] for j in node.operands]
    params = {**node.params, COTANGENT: cotangent_alone(row.witness)}
    assert matches(row, row.op, operands, params)


def test_softplus_of_torch_is_listed_above_its_threshold() -> None:
    (row,) = (r for r in shipped_rows() if r.id == "torch-softplus-threshold")
    assert matches(row, "softplus", [np.array([1.0, 25.0])], {})
    assert not matches(row, "softplus", [np.array(20.0)], {})
    assert not matches(row, "exp", [np.array(25.0)], {})
    version, today = "2.13.0+cpu", TODAY
    assert applies(row, "torch-cpu", version, "reverse", "float64", "cpu", today)
    assert not applies(row, "torch-cpu", version, "reverse", "float32", "cpu", today)


# fmt: off
RUNS = [
    ({},                                True),
    ({"differentiator": "other"},       False),
    ({"version": "1.2.0+local"},        True),
    ({"version": "1.9.0rc1"},           True),
    ({"version": "2.0"},                False),
    ({"version": "unknown"},            False),
    ({"mode": "forward"},               False),
    ({"dtype": "float32"},              False),
    ({"device": "cuda"},                False),
    ({"today": date(2030, 6, 30)},      True),
    ({"today": date(2030, 7, 1)},       False),
]
# fmt: on


@pytest.mark.parametrize(("change", "expected"), RUNS)
def test_a_row_applies_to_what_it_names(
    change: dict[str, object], expected: bool
) -> None:
    run_of = {"differentiator": "toy", "version": "1.5", "mode": "reverse",
              "dtype": "float64", "device": "cpu", "today": TODAY}  # fmt: skip
    assert applies(ROW, **(run_of | change)) is expected  # type: ignore[arg-type]


def test_a_row_that_names_nothing_applies_to_all() -> None:
    row = Deviation("a", "toy", "exp", (Verdict.WRONG,), "why", CASE)
    assert applies(row, "toy", "unknown", "any", "float32", "cuda", TODAY)
    assert matches(row, "exp", [np.array(1.0)], {})


def test_an_expired_row_says_so() -> None:
    assert not is_expired(ROW, date(2030, 6, 30))
    assert is_expired(ROW, date(2030, 7, 1))
    assert not is_expired(dataclasses.replace(ROW, until=None), date(9999, 1, 1))


# ---- reading


def written(tmp_path: Path, **changes: str | None) -> Path:
    """A file with one row, in which fields are replaced, added or (None) left out."""
    lines = dict(
        line.split(" = ", 1) for line in row_to_toml(ROW).splitlines() if " = " in line
    )
    lines |= {name: text for name, text in changes.items() if text is not None}
    kept = [f"{k} = {v}" for k, v in lines.items() if changes.get(k, "") is not None]
    path = tmp_path / FILE_NAME
    path.write_text("\n".join(["[[deviation]]", *kept, ""]), encoding="utf-8")
    return path


# fmt: off
BAD_ROWS = [
    ("id",       '"a b"',          "id is 'a b'; allowed: letters, digits"),
    ("id",       "3",              "id is 3; allowed"),
    ("reason",   '""',             "reason is ''; allowed: text that is not empty"),
    ("reason",   None,             "lacks reason"),
    ("witness",  None,             "lacks witness"),
    ("witness",  '"{"',            r"witness is '{'; allowed: a case as JSON"),
    ("witness",  '"[[[]]]"',       "allowed: a case as JSON"),
    ("op",       '"sine"',         "op is 'sine'; allowed: the name.*mean sin"),
    ("op",       '"step"',         "op is 'step'; .*`gradverify ops` lists them"),
    ("op",       '"sin"',          "the witness has exp; allowed: with sin"),
    ("verdict",  '"AGREES"',       "verdict is 'AGREES'; allowed: one or a list of"),
    ("gives",    "1.0",            "allowed: formulas by what they are of"),
    ("gives",    '{y = "1.0"}',    "gives has 'y'; allowed: value, x"),
    ("gives",    '{x = "y"}',      "gives has 'y': .*y is no operand or param"),
    ("verdict",  "[]",             r"verdict is \[\]; allowed"),
    ("verdict",  "[{}]",           "allowed: one or a list of"),
    ("versions", '"two"',          "versions is 'two'; allowed: a PEP 440"),
    ("dtypes",   '"float64"',      "dtypes is 'float64'; allowed: a list of texts"),
    ("until",    '"2030-01-31"',   "until is '2030-01-31'; allowed: a date without"),
    ("until",    "2030-01-31T00:00:00", "allowed: a date without quotes"),
    ("when",     '"y > 1"',        "when is 'y > 1': column 1: y is no operand"),
    ("when",     '"x >"',          "when is 'x >': column"),
    ("at_most",  "0",              "at_most is 0; allowed: a part of the exact number"),
    ("at_most",  '"20 ulps"',      'allowed: a part .* or "20 bounds"'),
    ("at_most",  "true",           "at_most is True; allowed"),
    ("at_most",  '"1e999 bounds"', "at_most is '1e999 bounds'; allowed: .* above 0"),
    ("at_most",  '"0 bounds"',     "at_most is '0 bounds'; allowed: .* above 0"),
    ("at_most",  "1" + "0" * 400,  "at_most is 10*; allowed: .* above 0"),
    ("at_most",  "inf",            "at_most is inf; allowed: .* above 0"),
    ("computes_in", '"float16"',   "computes_in is 'float16'; allowed: one of float64"),
    ("wen",      '"x > 1"',        "unknown field 'wen'; allowed: id, diff"),
]
# fmt: on


@pytest.mark.parametrize(("field", "value", "message"), BAD_ROWS)
def test_a_bad_row_is_named_with_its_file_field_and_value(
    tmp_path: Path, field: str, value: str | None, message: str
) -> None:
    path = written(tmp_path, **{field: value})
    with pytest.raises(DeviationError, match=message) as caught:
        read_rows(path)
    assert str(path) in str(caught.value)


# fmt: off
BAD_FILES = [
    ("[[deviation]",                      "is no TOML file"),
    ("[rows]\n",                          "holds rows; allowed"),
    ("deviation = 3",                     "no list of tables"),
    ("deviation = [3]",                   "deviation 1 is 3, no table"),
    ("\udce9",                            "cannot be read"),
]
# fmt: on


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_a_bad_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DeviationError, match=message):
        read_rows(path)


def test_no_file_is_no_rows(tmp_path: Path) -> None:
    assert read_rows(tmp_path / FILE_NAME) == ()
    assert all_rows(tmp_path) == shipped_rows()


def test_a_row_of_the_repository_wins_over_a_shipped_one(tmp_path: Path) -> None:
    own = dataclasses.replace(ROW, id=shipped_rows()[0].id)
    append_rows(tmp_path / FILE_NAME, own)
    rows = all_rows(tmp_path)
    assert [row.id for row in rows].count(own.id) == 1
    assert rows[0].differentiator == "toy"


# ---- writing

AWKWARD = [
    'a "quoted" word',
    r"C:\temp\new",
    "two\nlines\r\nand\ttabs",
    "it's 'single' and \"double\" and \\",
    "'''\"\"\"",
    "control \x00 \x1f \x7f \x85 \b \f",
    "ünïcode ∂ 🙂",
    " = # [x] ",
]


def as_row(row: Deviation) -> tuple[object, ...]:
    """A row without its witness, which is compared by its own parts."""
    values = [getattr(row, f.name) for f in dataclasses.fields(row)]
    witness = row.witness
    values.remove(witness)
    return (*values, witness.graph, [x.tobytes() for x in witness.point], witness.dtype)


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE_NAME
    row = dataclasses.replace(ROW, reason=text, link=text, modes=(text, "b"))
    append_rows(path, row)
    (found,) = read_rows(path)
    assert as_row(found) == as_row(row)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(DeviationError, match="half a character"):
        quoted("\ud800")


@pytest.mark.parametrize("before", ["", "# mine\n", "# no newline", "# a\r\n# b\r\n"])
def test_what_the_file_holds_stays_as_it_is(tmp_path: Path, before: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(before.encode())
    append_rows(path, ROW)
    append_rows(path, dataclasses.replace(ROW, id="second", until=None))
    assert path.read_bytes().decode().startswith(before)
    assert [row.id for row in read_rows(path)] == ["toy-exp", "second"]
    assert [p.name for p in tmp_path.iterdir()] == [FILE_NAME]


def test_a_row_is_not_written_twice_nor_into_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    append_rows(path, ROW)
    text = path.read_bytes()
    with pytest.raises(DeviationError, match="'toy-exp' occurs twice"):
        append_rows(path, ROW)
    assert path.read_bytes() == text
    path.write_text("[[deviation]\n")
    with pytest.raises(DeviationError, match="no TOML"):
        append_rows(path, ROW)
    assert path.read_text() == "[[deviation]\n"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviationError, match="cannot be written"):
        append_rows(tmp_path / "gone" / FILE_NAME, ROW)
