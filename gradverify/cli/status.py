"""How commands end."""

from __future__ import annotations

RIGHT, WRONG, USAGE, NOTHING = 0, 1, 2, 3


class CommandError(Exception):
    """The command cannot do what it was asked; the text says why."""
