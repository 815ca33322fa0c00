"""The one way in which commands write: no text of strangers acts on a terminal."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

from gradverify.cli.status import OutputError
from gradverify.outside.printing import visible_lines


def say(text: str = "", *, flush: bool = False) -> None:
    """A result, on standard output; `OutputError` where that takes no more."""
    try:
        print(visible_lines(text), flush=flush)
    except OSError as error:
        raise OutputError(error) from error


def say_exactly(text: str) -> None:
    """Text for another program, such as a diff: in UTF-8 and sign by sign.

    On a terminal it is shown as everything is.
    """
    if sys.stdout.isatty() or not isinstance(sys.stdout, TextIOWrapper):
        say(text)
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
    except OSError as error:
        raise OutputError(error) from error


def complain(text: object) -> None:
    """What went wrong, as a line of standard error, which nobody may be reading."""
    try:
        print(f"gradverify: {visible_lines(str(text))}", file=sys.stderr)
    except OSError:
        silence(sys.stderr)


def finish() -> None:
    """Write what is still held back; `OutputError` where that cannot be done."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(error) from error


def silence(stream: TextIO) -> None:
    """Give up a stream, so that nothing tries to write to it when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
