"""Records without a run, and golden texts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from gradverify.graph import Case
from gradverify.ops import OPS
from gradverify.records import Discrepancy, Records

from . import made


@pytest.fixture
def found() -> Callable[..., Discrepancy]:
    """Make a discrepancy of a case and what was judged of it."""
    return made.found


@pytest.fixture
def wide_case() -> Case:
    """A long program at a long point."""
    return made.wide()


@pytest.fixture
def records() -> Records:
    """A small run with something of every kind."""
    return made.run_records()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file in `golden/`; GOLDEN=write makes it anew."""
    folder = request.path.parent / "golden"

    n = len(list(OPS.public()))
    sizes = rf" of ({n}|{n * n}|{n * n:,})(?=\D)"  # of the op table, which grows

    def compare(name: str, text: str) -> None:
        path = folder / name
        text = re.sub(sizes, " of all", text)
        if os.environ.get("GOLDEN") == "write":
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
