"""The context in which an item runs: settings of the host have no effect in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gradverify.surroundings import Surroundings


@contextmanager
def deaf(one_thread: bool = False) -> Iterator[None]:
    """Our own settings, and no warnings, also while cases are drawn.

    one_thread: torch gets one thread, because several processes run.
    """
    torch = sys.modules.get("torch") if one_thread else None
    with Surroundings():
        if torch:  # put back with all other settings
            torch.set_num_threads(1)
        yield
