"""Which lines are the user's: those of no library, of neither Python nor us."""

from __future__ import annotations

import linecache
import sys
import sysconfig
from functools import cache
from pathlib import Path
from types import FrameType

from gradverify.capture.captured import SourceLine

OURS = str(Path(__file__).parents[1])
PYTHON = sysconfig.get_paths()["stdlib"]
INSTALLED = ("site-packages", "dist-packages")  # the latter on Debian


def is_installed(path: str) -> bool:
    """Whether a file stands where packages are installed."""
    return any(folder in path for folder in INSTALLED)


@cache
def is_users(path: str, library: str) -> bool:
    """Whether a file is the user's. library: the folder of the library they call."""
    if path.startswith("<"):
        return not path.startswith("<__array_function__")
    return not path.startswith((OURS, library)) and not (
        path.startswith(PYTHON) and not is_installed(path)
    )


def is_written(path: str, library: str) -> bool:
    """Whether a file is the user's own, and belongs to no package that is installed."""
    return is_users(path, library) and not is_installed(path)


def line_at(path: str, number: int) -> SourceLine:
    """A line with its text."""
    return SourceLine(path, number, linecache.getline(path, number).strip())


def running_line(library: str) -> SourceLine | None:
    """The innermost line of the user's that is running; None if there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if is_users(path, library):
            return line_at(path, frame.f_lineno)
        frame = frame.f_back
    return None
