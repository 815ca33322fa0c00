"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def text(cell: Any) -> str:
    """A cell as text: floats by three digits, None as a dash."""
    if cell is None:
        return "-"
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def print_table(
    title: str, head: Sequence[str], rows: Iterable[Sequence[Any]], note: str = ""
) -> None:
    """Columns as wide as they need, the first to the left, the others to the right."""
    cells = [list(head), *([text(c) for c in row] for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    print(f"\n{title}\n")
    for i, row in enumerate(cells):
        others = [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *others]).rstrip())
        if i == 0:
            print("  ".join("-" * w for w in widths))
    if note:
        print(f"\n{note}")
