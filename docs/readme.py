"""README's list of ops, made from the op table: `python -m docs.readme`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from gradverify.ops import OPS
from gradverify.ops.linear_algebra_rows import LINEAR_ALGEBRA
from gradverify.ops.row import Op

README = Path(__file__).parents[1] / "README.md"

KINDS: Mapping[str, Sequence[Op]] = {"linear algebra": LINEAR_ALGEBRA}
"""The kinds of ops whose names are listed here; README's other rows stand by hand."""


def listed(text: str) -> str:
    """README with the rows of these kinds, the formulas and the count of all ops."""
    for kind, rows in KINDS.items():
        names = " ".join(f"`{row.name}`" for row in rows)
        text = _with_row(text, rf"\| {kind} \|", f"| {kind} | {names} |", "arrays")
    for row in OPS:
        if row.formula and not row.internal:
            line = f"| `{row.name}` | `{row.formula}` |"
            text = _with_row(text, rf"\| `{row.name}` \| `", line, None)
    count = len(OPS.public())
    return re.sub(r"^\| ops \| \d+,", f"| ops | {count},", text, flags=re.MULTILINE)


def _with_row(text: str, start: str, line: str, after: str | None) -> str:
    """The text with that line in place of the one that begins so, or as a new one.

    after: the first cell of the row that a new one follows; None for the last formula.
    """
    found = re.search(rf"^{start}.*$", text, flags=re.MULTILINE)
    if found:
        return text[: found.start()] + line + text[found.end() :]
    place = rf"^\| {after} \|.*\n" if after else r"^\| op \| computes \|\n(?:\|.*\n)+"
    last = re.search(place, text, flags=re.MULTILINE)
    if last is None:
        raise LookupError(f"README.md has no row {after!r} to put {line!r} after")
    return text[: last.end()] + line + "\n" + text[last.end() :]


if __name__ == "__main__":
    README.write_text(listed(README.read_text(encoding="utf-8")), encoding="utf-8")
