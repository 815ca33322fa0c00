"""The sample report, and the picture of it: from a run of an engine with mistakes.

    python -m tests.sample.make            the run, the page and the picture
    python -m tests.sample.make --page     page and picture, from the records kept

A scratch repository gets `engine.py` as its conftest and `notes.md` with a gradient
worked out by hand; then what a user would type. Records, page and Markdown go to
`reports/sample/`; the picture, which needs Chromium and playwright, as well. Digests
of what they were made from say when they are older than that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SAMPLE = ROOT / "reports" / "sample"
DIGESTS = SAMPLE / "made_from.json"

RECORDS = "gradverify.jsonl"
RUN = ("run", "-q", "--gradverify-profile", "ci", "--gradverify-seed", "11",
       "--gradverify-time", "200", "--gradverify-suites", "ops",
       "--gradverify-dtypes", "float64")  # fmt: skip
# Engines, modes and ops of each run; a machine that is busy has time for both.
RUNS = (
    ("sketch", "all", "exp,mul,maximum,tanh"),
    ("autograd,torch-cpu", "reverse,forward", "exp,mul,digamma"),
)
CLAIMS = ("claims", "--json", "notes.md")
PICTURED = (1000, 1000)  # pixels of the window

# What is made, and what decides how it looks.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "run": ("tests/sample/engine.py", "tests/sample/notes.md"),
    "page": ("gradverify/report/templates/*", "gradverify/report/assets/*"),
}


def main() -> None:
    """Make the sample anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="from the records kept")
    SAMPLE.mkdir(parents=True, exist_ok=True)
    if not parser.parse_args().page:
        with tempfile.TemporaryDirectory() as folder:
            text = run(Path(folder)).read_text(encoding="utf-8")
            for place in (str(ROOT), sysconfig.get_paths()["purelib"], folder):
                text = text.replace(f"{place}/", "")  # in tracebacks
            (SAMPLE / RECORDS).write_text(text, encoding="utf-8")
    _gradverify(SAMPLE, ("report", RECORDS))
    picture(SAMPLE / "gradverify.html", SAMPLE / "gradverify.png")
    text = json.dumps({made: digest(made) for made in SOURCES}, indent=1)
    DIGESTS.write_text(f"{text}\n", encoding="utf-8")


def digest(made: str, root: Path = ROOT) -> str:
    """A digest of the files that decide how the run, or the page, looks."""
    found = hashlib.sha256()
    files = (path for pattern in SOURCES[made] for path in root.glob(pattern))
    for path in sorted(files):
        found.update(path.name.encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def run(folder: Path) -> Path:
    """Run in a scratch repository. Returns the records of the run and of the notes."""
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    shutil.copy(HERE / "engine.py", folder / "conftest.py")
    shutil.copy(HERE / "notes.md", folder)
    parts = ["claims.jsonl"]
    claims = _gradverify(folder, CLAIMS)
    (folder / parts[0]).write_text(claims, encoding="utf-8")
    for engines, modes, ops in RUNS:
        own = ("--gradverify-differentiators", engines, "--gradverify-modes", modes,
               "--gradverify-ops", ops)  # fmt: skip
        parts.insert(0, f"reports-{engines}")
        _gradverify(folder, (*RUN, *own, "--gradverify-report", parts[0]))
    _gradverify(folder, ("report", *parts, "--merged", RECORDS))
    return folder / RECORDS


def _gradverify(folder: Path, arguments: tuple[str, ...]) -> str:
    """What a command prints; that something is wrong is what the sample is about."""
    done = subprocess.run(
        [sys.executable, "-m", "gradverify", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode > 1:
        sys.exit(f"gradverify {' '.join(arguments)}: exit status {done.returncode}")
    return done.stdout


def picture(page: Path, path: Path) -> None:
    """The first wrong derivative as it stands on the page."""
    from playwright.sync_api import sync_playwright

    from ..browser.conftest import ARGUMENTS

    width, height = PICTURED
    with sync_playwright() as driver:
        chromium = shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        tab = browser.new_page(viewport={"width": width, "height": height})
        tab.goto(page.as_uri())
        tab.locator("#discrepancies .card").first.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main()
