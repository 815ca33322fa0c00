"""How commands end."""

from __future__ import annotations

RIGHT, WRONG, USAGE, NOTHING = 0, 1, 2, 3

# Those of sysexits.h, and 128 with the number of a signal: none of them is a verdict.
FAULT = 70  # of gradverify itself
OUTPUT = 74  # what is said cannot be written
INTERRUPTED = 130
CLOSED = 141  # the reader, such as `head`, has seen enough
TERMINATED = 143


class CommandError(Exception):
    """The command cannot do what it was asked; the text says why."""


class OutputError(Exception):
    """Standard output takes no more: a disk is full, or the reader has gone."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or str(error))
        self.status = CLOSED if isinstance(error, BrokenPipeError) else OUTPUT
