"""Tracked files, or those of an unpacked archive, speak of the product alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePath

import pytest

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
    found = marked(ROOT, tracked(ROOT) if (ROOT / ".git").exists() else walked(ROOT))
    assert not found, "\n".join(found)


def marked(root: Path, names: Iterable[str]) -> list[str]:
    """Where one of the words stands: name of the file, line, word."""
    pattern = re.compile("|".join(WORDS), re.IGNORECASE)
    found = []
    for name in names:
        path = root / name
        if not path.is_file() or path.suffix in (".png", ".svg"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [f"{name}:{i}: {m[0]}" for i, text in enumerate(lines, 1)
                  if (m := pattern.search(text))]  # fmt: skip
    return found


def tracked(root: Path) -> list[str]:
    """The files of a checkout that git tracks."""
    listing = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
    )
    return listing.stdout.splitlines()


def walked(root: Path) -> list[str]:
    """The files of an unpacked archive, but for what `.gitignore` leaves out."""
    rules = (root / ".gitignore").read_text(encoding="utf-8").split()
    files = (
        path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file()
    )
    return [
        f.as_posix() for f in files if ".git" not in f.parts and not ignored(f, rules)
    ]


def ignored(path: PurePath, rules: Sequence[str]) -> bool:
    """Whether the last rule that speaks of a file or of a folder above it says so.

    A rule without a slash within it speaks of a name at any depth.
    """
    above = [parent.as_posix() for parent in (path, *path.parents)]
    found = False
    for rule in rules:
        glob = rule.removeprefix("!").rstrip("/")
        if any(fnmatch(x, glob) for x in (above if "/" in glob else path.parts)):
            found = not rule.startswith("!")
    return found


def test_an_archive_is_searched_but_for_what_is_built(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    word = "TO" + "DO"
    names = ("README.md", "reports/sample/x.md", "gradverify/ops/row.py")
    built = ("build/lib/x.py", "reports/x.md", "tests/__pycache__/x.py", "g.egg-info/a")
    for name in (*names, *built):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"first\n{word}\n", encoding="utf-8")
    assert marked(tmp_path, walked(tmp_path)) == [
        f"{name}:2: {word}" for name in sorted(names)
    ]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no checkout of git")
def test_a_walk_finds_every_file_that_git_tracks() -> None:
    names = [name for name in tracked(ROOT) if (ROOT / name).is_file()]
    assert names
    assert set(names) <= set(walked(ROOT))
