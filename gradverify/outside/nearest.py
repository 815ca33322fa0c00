"""A name that is not known: which one was meant, or where those are that are known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

FEW = 12  # names that are listed in full


def meant(word: str, known: Iterable[str], listing: str = "") -> str:
    """What to add to "... is unknown; ": the nearest names, and all if they are few.

    listing: where all names can be seen; told if they are many and none is near.
    """
    names = list(known)
    by_lower = {name.lower(): name for name in reversed(names)}
    near = difflib.get_close_matches(word.lower(), by_lower, n=3, cutoff=0.66)
    if len(names) <= FEW:
        every = f"known: {', '.join(names)}"
    else:
        every = "" if near else listing or f"known: {', '.join(names)}"
    if not near:
        return every
    guess = f"did you mean {' or '.join(by_lower[n] for n in near)}?"
    return f"{guess} {every}".strip()
