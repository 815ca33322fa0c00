"""Where in a repository a finding belongs: the user's line that a reader goes to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradverify.capture.user_lines import is_installed
from gradverify.differentiators import Differentiator


def place_of(engine: Differentiator, op: str, root: Path) -> str:
    """`conftest.py:12`: the engine's function for that op, or else its class.

    Empty where both are outside of the repository, as those of a library are.
    """
    row = engine.table.get(op)
    lines = (_function(row) if callable(row) else None, _class(type(engine)))
    found = (within(root, *line) for line in lines if line is not None)
    return next(filter(None, found), "")


def within(root: Path, file: str, line: int) -> str:
    """The place from the root of the repository; empty for a file that is not in it,
    or that was installed there.
    """
    try:
        path = Path(file).resolve().relative_to(root.resolve())
    except (OSError, ValueError):
        return ""
    return "" if is_installed(path.as_posix()) else f"{path.as_posix()}:{line}"


def _function(row: Callable[..., Any]) -> tuple[str, int] | None:
    code = getattr(inspect.unwrap(row), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else None


def _class(kind: type) -> tuple[str, int] | None:
    try:
        file = inspect.getsourcefile(kind)
        _, line = inspect.getsourcelines(kind)
    except (OSError, TypeError):
        return None
    return (file, line) if file else None
