"""A context in which the host's filters for warnings and floating-point errors are
off.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def deaf(one_thread: bool = False) -> Iterator[None]:
    """Warnings and `np.seterr` of the host do not count here, not even while drawing.

    one_thread: torch gets one thread, because several processes run.
    """
    torch = sys.modules.get("torch") if one_thread else None
    threads = torch.get_num_threads() if torch else 0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)
