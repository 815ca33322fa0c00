"""What a text sets: `x = 2, y = -1`."""

from __future__ import annotations

import re


def assignments(text: str) -> list[tuple[str, str]]:
    """`x=2, y=-1` as pairs."""
    found = re.findall(r"([A-Za-z]\w*)\s*=\s*(-?\s*\d[\d.,]*\d|-?\s*\d)", text)
    return [(name, number.replace(" ", "")) for name, number in found]
