"""Rows of known deviations as TOML text, added to a file without a change to the
rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from gradverify.graph import case_to_json
from gradverify.known.rows import (
    FILE_BYTES,
    READERS,
    Deviation,
    DeviationError,
    Size,
    parse_rows,
)
from gradverify.outside.reading import read_bytes
from gradverify.outside.writing import replace

# What TOML allows between single quotes, where nothing is escaped.
LITERAL = re.compile(r"[\t\x20-\x26\x28-\x7e\u00a0-\ud7ff\ue000-\U0010ffff]*")
Value = str | bool | date | Size | Sequence[str] | Mapping[str, str]
SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r",
         '"': '\\"', "\\": "\\\\"}  # fmt: skip


def quoted(text: str) -> str:
    """A TOML string: without escapes if none are needed."""
    if ("\\" in text or '"' in text) and LITERAL.fullmatch(text):
        return f"'{text}'"
    return '"' + "".join(SHORT.get(c) or _escaped(c) for c in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise DeviationError(
            f"{character!r} is half a character; allowed: Unicode text"
        )
    return f"\\u{code:04x}" if code < 0x20 or 0x7F <= code < 0xA0 else character


def _toml(value: Value) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, bool):
        return "true"
    if isinstance(value, Size):
        return quoted(str(value)) if value.in_bounds else repr(value.amount)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, date):
        return value.isoformat()
    return "[" + ", ".join(quoted(text) for text in value) + "]"


def row_to_toml(row: Deviation) -> str:
    """One [[deviation]] table; fields without a value are left out."""
    plain = {name: getattr(row, name) for name in READERS}
    plain["versions"] = str(row.versions)
    plain["gives"] = dict(row.gives)
    plain["verdict"] = [verdict.name for verdict in row.verdict]
    plain["witness"] = json.dumps(case_to_json(row.witness), separators=(",", ":"))
    lines = [f"{name} = {_toml(value)}" for name, value in plain.items() if value]
    return "\n".join(["[[deviation]]", *lines, ""])


def append_rows(path: Path, *rows: Deviation) -> None:
    """Add rows to a file, all or none; the file is made if there is none.

    What the file holds already stays as it is, comments included.
    """
    path = path.resolve()
    try:
        old = read_bytes(path, FILE_BYTES).decode("utf-8")
    except FileNotFoundError:
        old = ""
    except (OSError, UnicodeDecodeError) as error:
        raise DeviationError(f"{path} cannot be read: {error}") from None
    gap = "" if not old else "\n" if old.endswith("\n") else "\n\n"
    new = old + gap + "\n".join(map(row_to_toml, rows))
    parse_rows(new, path)  # raises for a second row with an id, and for a broken file
    try:
        replace(path, new.encode("utf-8"))
    except OSError as error:
        raise DeviationError(f"{path} cannot be written: {error}") from None
