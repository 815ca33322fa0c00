"""Files that are written whole: beside, then renamed, so that nobody reads half."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from gradverify.outside.reading import refuse_others


def replace(path: Path, content: bytes) -> None:
    """Give a file this content, and its old mode; a link is followed.

    Raises `OSError`, which leaves the old content and nothing beside it. A device or a
    pipe is refused: renaming would put a file in its place.
    """
    path = path.resolve()
    mode = _mode(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(beside, flags, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if mode is not None:
            os.chmod(beside, stat.S_IMODE(mode))
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def _mode(path: Path) -> int | None:
    """The mode of a regular file; None where there is nothing, an error else."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    refuse_others(path, mode)
    return mode


def append(path: Path, content: bytes) -> None:
    """Add to a regular file, which is made where there is none: all of it, or nothing.

    Raises `OSError`, which leaves the file as it was.
    """
    before = path.stat().st_size if _mode(path) is not None else None
    try:
        with path.open("ab") as file:
            file.write(content)
    except OSError:
        with contextlib.suppress(OSError):
            if before is None:
                path.unlink()
            else:
                os.truncate(path, before)
        raise


def refuge_path(name: str) -> Path:
    """Where `refuge` makes its folder."""
    return Path(tempfile.gettempdir()) / name


def refuge(name: str) -> Path:
    """A folder of this user alone for what finds no place elsewhere; made if needed.

    Raises `OSError` where that name belongs to somebody else.
    """
    path = refuge_path(name)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    is_ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    if not (stat.S_ISDIR(found.st_mode) and is_ours):
        raise FileExistsError(f"{path} belongs to somebody else")
    return path
