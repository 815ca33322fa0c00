"""Tracked files speak of the product alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Written in halves, so that this file does not hold what it looks for.
WORDS = (
    r"\bclau" + r"de\b", r"\banthro" + r"pic\b", r"\bchat" + r"gpt\b",
    r"\bl" + r"lm\b", r"\bsub" + r"agents?\b", r"\bco-auth" + r"ored-by\b",
    r"/wo" + r"rk/", r"/tm" + r"p/",
    r"\bpypi\.o" + r"rg\b", r"\bissue #" + r"\d", r"\bin this sess" + r"ion\b",
    r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b",
)  # fmt: skip


def test_no_word_of_the_workshop_is_left() -> None:
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pattern = re.compile("|".join(WORDS), re.IGNORECASE)
    found = []
    for name in listing.stdout.split("\n"):
        path = ROOT / name
        if not name or not path.is_file() or path.suffix in (".png", ".svg"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [f"{name}:{i}: {m[0]}" for i, text in enumerate(lines, 1)
                  if (m := pattern.search(text))]  # fmt: skip
    assert not found, "\n".join(found)
