"""Files of strangers: regular ones, up to a size; others are an error, never a wait."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

# What a path leads to that is no file to read.
# fmt: off
OTHERS: Mapping[str, Callable[[int], bool]] = {
    "a folder":           stat.S_ISDIR,
    "a pipe":             stat.S_ISFIFO,
    "a device":           stat.S_ISCHR,
    "a device of blocks": stat.S_ISBLK,
    "a socket":           stat.S_ISSOCK,
}
# fmt: on


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file of at most so many bytes.

    Raises `OSError`, whose `strerror` says why: a pipe and a device, which may never
    end, are refused, as is what a link to one leads to.
    """
    refuse_others(path, os.stat(path).st_mode)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        refuse_others(path, os.fstat(file.fileno()).st_mode)  # it may have changed
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has over {most:,} bytes, the most allowed")
    return content


def refuse_others(path: Path, mode: int) -> None:
    """Raise `OSError` for a mode (of `stat`) that is not that of a regular file."""
    if not stat.S_ISREG(mode):
        what = next((name for name, is_so in OTHERS.items() if is_so(mode)), "no file")
        kind = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(kind, f"it is {what}, where a file is needed", str(path))
