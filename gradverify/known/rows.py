"""Rows of known deviations, read from TOML files: the shipped one and a repository's
own.

A file holds `[[deviation]]` tables. A bad row is an error that names the file, the row,
the field, its value, and what is allowed.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from gradverify.formats import DTYPES
from gradverify.graph import Case, case_from_json
from gradverify.known.condition import (
    VALUE,
    Condition,
    OperandFormula,
    operands_of,
)
from gradverify.ops import OPS
from gradverify.ops.separate import is_elementwise
from gradverify.outside.nearest import meant
from gradverify.outside.reading import read_bytes
from gradverify.verdict import Verdict

FILE_BYTES = 16_000_000

FILE_NAME = "gradverify-known.toml"
"""A repository's own rows, beside its pyproject.toml."""

WHOLE = "graph"
"""In place of an op: a deviation that no op shows alone."""

SHIPPED = Path(__file__).with_name("shipped.toml")

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


BOUNDS = re.compile(r"(\d+(?:\.\d+)?(?:e\d+)?) bounds")


@dataclass(frozen=True)
class Size:
    """How large a deviation is at most: a part of the exact number, or in bounds."""

    amount: float
    in_bounds: bool = False

    def __str__(self) -> str:
        return f"{self.amount:g} bounds" if self.in_bounds else f"{self.amount:g}"


class DeviationError(ValueError):
    """A file of known deviations that cannot be read, or a bad row in it."""


@dataclass(frozen=True)
class Deviation:
    """One known deviation: who deviates, when, how, why, and a case that shows it.

    differentiator: a registered name.
    versions: a PEP 440 specifier; empty for all.
    modes, dtypes, devices: empty for all.
    when: a condition on the op's operands and params; empty for always.
    op: "graph" if no op shows the deviation alone. It is then about graphs that have
        all ops of the witness, each at least as often as the witness.
    verdict: the verdicts that it shows as.
    at_most: how large the deviation of a number is at most; what is larger is new.
    gives: what the library gives instead, where that can be said: pairs of "value", or
        of an operand's name for the derivative by it, and a formula in the operands.
        Another number is new. Elementwise ops alone have such formulas.
    computes_in: the format that the engine computes in, whatever its operands are; what
    rounding does not explain there is new.
    at_edge: whether it is about points at an edge (`reference/edges.py`), such as a
    norm of zeros.
    until: the last day on which it is accepted.
    """

    id: str
    differentiator: str
    op: str
    verdict: tuple[Verdict, ...]
    reason: str
    witness: Case
    versions: SpecifierSet = field(default_factory=SpecifierSet)
    modes: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    when: str = ""
    at_most: Size | None = None
    gives: tuple[tuple[str, str], ...] = ()
    computes_in: str = ""
    at_edge: bool = False
    link: str = ""
    until: date | None = None

    @property
    def condition(self) -> Condition:
        """`when`, parsed and checked."""
        return _condition(self.op, self.when)

    def formula(self, name: str) -> OperandFormula | None:
        """What `gives` says of the value or of the derivative by an operand."""
        text = dict(self.gives).get(name)
        return None if text is None else _formula(self.op, text)


@cache
def _formula(op: str, text: str) -> OperandFormula:
    return OperandFormula(op, text)


@cache
def _condition(op: str, when: str) -> Condition:
    return Condition(op, when)


# ---- fields: each reader takes the value from the file, or raises what is allowed


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text that is not empty")
    return value


def _any_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def _id(value: Any) -> str:
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise ValueError("letters, digits and . _ - (it is part of a test's name)")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError('a list of texts, such as ["float64"]')
    return tuple(value)


def _op(value: Any) -> str:
    if value not in (WHOLE, *OPS.public()):
        known = (*OPS.public(), WHOLE)
        near = meant(str(value), known, "`gradverify ops` lists them")
        raise ValueError(f"the name of an op, or {WHOLE!r} ({near})")
    return str(value)


def _verdicts(value: Any) -> tuple[Verdict, ...]:
    names = [value] if isinstance(value, str) else value
    allowed = [v.name for v in Verdict if v.fails("imprecise")]
    if not isinstance(names, list) or not names or any(n not in allowed for n in names):
        raise ValueError(f"one or a list of {', '.join(allowed)}")
    return tuple(Verdict[name] for name in names)


def _versions(value: Any) -> SpecifierSet:
    try:
        return SpecifierSet(_any_text(value))
    except InvalidSpecifier:
        raise ValueError('a PEP 440 specifier, such as ">=2.2,<3"') from None


def read_size(value: Any) -> Size:
    """A number or a text as a size. Raises `ValueError` with what is allowed."""
    allowed = 'a part of the exact number, such as 2e-9, or "20 bounds"'
    found = BOUNDS.fullmatch(value) if isinstance(value, str) else None
    amount = float(found[1]) if found else value
    is_number = isinstance(amount, int | float) and not isinstance(amount, bool)
    if not is_number or not 0 < amount <= sys.float_info.max:
        raise ValueError(f"{allowed}, finite and above 0")
    return Size(float(amount), in_bounds=found is not None)


def _gives(value: Any) -> tuple[tuple[str, str], ...]:
    allowed = 'formulas by what they are of, such as {value = "x", x = "1.0"}'
    if not isinstance(value, dict) or not value:
        raise ValueError(allowed)
    if not all(isinstance(text, str) for text in value.values()):
        raise ValueError(allowed)
    return tuple(value.items())


def _format(value: Any) -> str:
    if value not in DTYPES:
        raise ValueError(f"one of {', '.join(DTYPES)}")
    return str(value)


def _yes(value: Any) -> bool:
    if value is not True:
        raise ValueError("true, or nothing")
    return True


def _until(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("a date without quotes, such as 2030-01-31")
    return value


def _witness(value: Any) -> Case:
    try:
        return case_from_json(json.loads(_text(value)))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a case as JSON text ({error})") from None


# fmt: off
READERS: Mapping[str, Callable[[Any], Any]] = {
    "id": _id, "differentiator": _text, "versions": _versions, "modes": _texts,
    "dtypes": _texts, "devices": _texts, "op": _op, "when": _any_text,
    "verdict": _verdicts, "reason": _text, "link": _any_text, "at_most": read_size,
    "gives": _gives, "computes_in": _format, "at_edge": _yes, "until": _until,
    "witness": _witness,
}
# fmt: on

REQUIRED = tuple(
    f.name
    for f in fields(Deviation)
    if f.default is MISSING and f.default_factory is MISSING
)


def read_rows(path: Path) -> tuple[Deviation, ...]:
    """The rows of a file; none where there is no such file."""
    try:
        text = read_bytes(path, FILE_BYTES).decode("utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise DeviationError(f"{path} cannot be read: {error}") from None
    return parse_rows(text, path)


def parse_rows(text: str, path: Path) -> tuple[Deviation, ...]:
    """The rows in the text of a file; `path` is used in messages only."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DeviationError(f"{path} is no TOML file: {error}") from None
    tables = data.pop("deviation", [])
    if data or not isinstance(tables, list):
        names = ", ".join(data) or "deviation, which is no list of tables"
        raise DeviationError(f"{path} holds {names}; allowed: [[deviation]] tables")
    rows = tuple(_row(table, k, path) for k, table in enumerate(tables))
    ids = [row.id for row in rows]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise DeviationError(f"{path}: id {twice[0]!r} occurs twice; allowed: once")
    return rows


def _row(table: Any, index: int, path: Path) -> Deviation:
    if not isinstance(table, dict):
        raise DeviationError(f"{path}: deviation {index + 1} is {table!r}, no table")
    where = f"{path}: deviation {table.get('id', f'number {index + 1}')!r}"
    unknown = sorted(set(table) - set(READERS))
    if unknown:
        raise DeviationError(
            f"{where} has the unknown field {unknown[0]!r}; allowed: "
            f"{', '.join(READERS)}"
        )
    missing = [name for name in REQUIRED if name not in table]
    if missing:
        raise DeviationError(f"{where} lacks {', '.join(missing)}")
    found = {name: _field(name, value, where) for name, value in table.items()}
    row = Deviation(**found)
    if row.op == WHOLE:
        for name in ("when", "gives"):
            if found.get(name):
                raise DeviationError(
                    f"{where}: {name} is {found[name]!r}; allowed: nothing, since a "
                    "whole graph has no operands"
                )
        return row
    try:
        _ = row.condition
    except ValueError as error:
        raise DeviationError(f"{where}: when is {row.when!r}: {error}") from None
    _check_gives(row, where)
    if row.op not in row.witness.graph.ops:
        ops = ", ".join(row.witness.graph.ops) or "no op at all"
        raise DeviationError(f"{where}: the witness has {ops}; allowed: with {row.op}")
    return row


def _check_gives(row: Deviation, where: str) -> None:
    """Refuse formulas of what is no operand, or of an op that mixes elements."""
    if row.gives and not is_elementwise(row.op):
        raise DeviationError(
            f"{where}: gives is {dict(row.gives)!r}; allowed: nothing, since {row.op} "
            "mixes elements; say at_most"
        )
    names = (VALUE, *operands_of(row.op))
    for name, text in row.gives:
        if name not in names:
            raise DeviationError(
                f"{where}: gives has {name!r}; allowed: {', '.join(names)}"
            )
        try:
            row.formula(name)
        except ValueError as error:
            raise DeviationError(f"{where}: gives has {text!r}: {error}") from None


def _field(name: str, value: Any, where: str) -> Any:
    try:
        return READERS[name](value)
    except ValueError as error:
        raise DeviationError(
            f"{where}: {name} is {value!r}; allowed: {error}"
        ) from None


@cache
def shipped_rows() -> tuple[Deviation, ...]:
    """The rows that come with gradverify."""
    return read_rows(SHIPPED)


def all_rows(root: Path) -> tuple[Deviation, ...]:
    """The shipped rows and those of the repository at `root`.

    If an id occurs twice, the repository's row counts.
    """
    own = read_rows(root / FILE_NAME)
    ids = {row.id for row in own}
    return (*own, *(row for row in shipped_rows() if row.id not in ids))
