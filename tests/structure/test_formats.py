"""The table of formats says what NumPy says, and nobody else keeps another one."""

from __future__ import annotations

import ast
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import gradverify
from gradverify.formats import (
    DTYPES,
    FORMATS,
    ROWS,
    Format,
    check_dtype,
    drawn_in,
    format_of,
    narrower_than,
)

PACKAGE = Path(gradverify.__file__).parent


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_dtypes_row_is_numpys(dtype: str) -> None:
    form, known = format_of(dtype), np.finfo(dtype)
    assert form.unit_roundoff == float(known.eps) / 2
    assert form.spacing == float(known.eps)
    assert form.smallest == float(known.smallest_subnormal)
    assert form.normal == float(known.tiny)
    assert form.largest == float(known.max)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_dtype_is_drawn_within_its_range(dtype: str) -> None:
    form, drawn = format_of(dtype), drawn_in(dtype)
    assert 10.0**drawn.growth < form.largest
    assert 10.0**-drawn.growth > form.normal
    assert drawn.largest**3 < form.largest
    assert form.spacing < drawn.wrong_constant < 1.0


@pytest.mark.parametrize(
    "form", [row for row in ROWS if row.wider], ids=lambda r: r.name
)
def test_a_wider_format_holds_all_numbers(form: Format) -> None:
    wider = format_of(str(form.wider))
    assert wider.precision > form.precision
    assert wider.emax >= form.emax
    assert Fraction(form.smallest) % Fraction(wider.smallest) == 0
    assert ROWS.index(wider) < ROWS.index(form)


def test_narrower_formats_are_those_of_the_whole_chain() -> None:
    names = {dtype: [row.name for row in narrower_than(dtype)] for dtype in FORMATS}
    assert names["float64"] == ["float32", "TF32", "bfloat16"]
    assert names["float32"] == ["TF32", "bfloat16"]
    assert names["TF32"] == names["bfloat16"] == []


def test_an_absent_row_is_an_error_that_says_where_it_goes() -> None:
    with pytest.raises(ValueError, match=r"'float8' is unknown; .* gradverify/formats"):
        format_of("float8")
    with pytest.raises(ValueError, match=r"drawn in TF32; .* float64, float32: give"):
        drawn_in("TF32")
    with pytest.raises(ValueError, match="dtype 'TF32' is unknown; allowed are"):
        check_dtype("TF32")


def tables_by_format(path: Path) -> list[str]:
    """The places of a file where a dict has a format's name for a key."""
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and key.value in FORMATS
    ]


def test_no_other_file_has_a_table_by_format() -> None:
    paths = sorted(PACKAGE.rglob("*.py"))
    assert len(paths) > 200
    assert [place for path in paths for place in tables_by_format(path)] == []


def test_that_test_can_fail(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text('BITS = {"float64": 53}\n', encoding="utf-8")
    assert tables_by_format(path) == ["other.py:1"]
