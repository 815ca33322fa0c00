"""Our own modules are imported as they are, without rewritten assertions.

pytest rewrites the assertions of every plugin, that is of all modules of the
distribution that registers it. Ours assert nothing about a user's code. To rewrite one
takes about as long as to load it, and where no bytecode is kept (on a fresh machine, or
with PYTHONDONTWRITEBYTECODE) it is done again in every process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class PlainImports:
    """A finder of our own modules. It stands before the one of pytest."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Where a module of ours lies; None for all others."""
        if not name.startswith("gradverify."):
            return None
        return PathFinder.find_spec(name, path, target)


def import_plainly() -> Callable[[], None]:
    """Put such a finder first, and return the function that takes it away again."""
    finder = PlainImports()
    sys.meta_path.insert(0, finder)
    return lambda: sys.meta_path.remove(finder)
