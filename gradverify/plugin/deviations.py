"""The known deviations of a run: those that are read, met, or expired."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import pytest

from gradverify.known import (
    FILE_NAME,
    Deviation,
    DeviationError,
    all_rows,
    is_expired,
    read_rows,
)
from gradverify.records import Discrepancy, Known, Note


def rows_of(root: Path) -> tuple[Sequence[Deviation], Sequence[Deviation]]:
    """All rows, and the repository's own. `pytest.UsageError` names a bad row."""
    try:
        return all_rows(root), read_rows(root / FILE_NAME)
    except DeviationError as error:
        raise pytest.UsageError(f"gradverify: {error}") from error


def expired(rows: Iterable[Deviation]) -> list[Note]:
    """Rows whose last day has passed; they are judged again."""
    return [
        Note(text=f"{row.id} was accepted until {row.until}, and is judged again")
        for row in rows
        if is_expired(row, date.today())
    ]


def met(rows: Sequence[Deviation], found: Sequence[Discrepancy]) -> tuple[Known, ...]:
    """The known deviations that a run met, with their reasons."""
    names = {d.known for d in found}
    return tuple(
        Known(
            id=row.id,
            reason=row.reason,
            when=row.when,
            link=row.link,
            until=row.until.isoformat() if row.until else None,
        )
        for row in rows
        if row.id in names
    )
