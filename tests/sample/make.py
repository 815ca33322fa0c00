"""The sample report, and the picture of it: from a run of an engine with mistakes.

    python -m tests.sample.make [--picture]

A scratch repository gets `engine.py` as its conftest and `notes.md` with a gradient
worked out by hand; then what a user would type. The page and its Markdown go to
`reports/sample/`; the picture, which needs Chromium and playwright, as well.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SAMPLE = ROOT / "reports" / "sample"

OPS = (
    "neg,exp,log,sin,cos,tanh,sqrt,abs,sigmoid,softplus,relu,add,sub,mul,div,power,"
    "maximum,minimum,where,sum,max,softmax,logsumexp,matmul,digamma,prod"
)
RUN = ("run", "-q", "--gradverify-profile", "smoke", "--gradverify-seed", "11",
       "--gradverify-suites", "ops,graphs,textbook", "--gradverify-ops", OPS,
       "--gradverify-differentiators", "sketch,autograd,torch-cpu")  # fmt: skip
CLAIMS = ("claims", "--json", "notes.md")
REPORT = ("report", "reports/gradverify.jsonl", "claims.jsonl", "--output",
          "reports/gradverify.html")  # fmt: skip

PICTURED = (1240, 1010)  # pixels


def main() -> None:
    """Make the sample anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", action="store_true", help="the picture alone")
    if not parser.parse_args().picture:
        with tempfile.TemporaryDirectory() as folder:
            sample(Path(folder))
    picture(SAMPLE / "gradverify.html", SAMPLE / "gradverify.png")


def sample(folder: Path) -> None:
    """Run in a scratch repository, and keep the page."""
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    shutil.copy(HERE / "engine.py", folder / "conftest.py")
    shutil.copy(HERE / "notes.md", folder)
    _gradverify(folder, RUN)
    claims = _gradverify(folder, CLAIMS)
    (folder / "claims.jsonl").write_text(claims, encoding="utf-8")
    _gradverify(folder, REPORT)
    SAMPLE.mkdir(parents=True, exist_ok=True)
    for name in ("gradverify.html", "gradverify.md"):
        shutil.copy(folder / "reports" / name, SAMPLE)


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
        tab.goto(f"{page.as_uri()}#discrepancies")
        tab.wait_for_timeout(500)
        tab.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main()
