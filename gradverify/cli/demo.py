"""`gradverify demo`: a planted mistake is found and explained, without any library."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import webbrowser
from importlib import resources
from pathlib import Path

from gradverify.cli.output import say
from gradverify.cli.status import FAULT, RIGHT

MISTAKE = "the mistake"  # how the line of the engine is marked
SETTINGS = """\
[tool.pytest.ini_options]
gradverify_suites = "ops"
gradverify_ops = "mul exp tanh"
gradverify_profile = "smoke"
gradverify_time = "120"
"""  # more than it takes, so that a busy machine looks at all three as well
RUN = ("run", "--no-header", "-p", "no:cacheprovider")


def demo(*, opened: bool) -> int:
    """Judge an engine with a mistake in a folder of its own; show what is found.

    opened: whether the page is shown in a browser. The status is 0 if the mistake was
    found, as it must be.
    """
    folder = Path(tempfile.mkdtemp(prefix="gradverify-demo-"))
    engine = folder / "conftest.py"
    source = resources.files("gradverify.cli").joinpath("demo_engine.py").read_text()
    engine.write_text(source, encoding="utf-8")
    (folder / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    lines = enumerate(source.splitlines(), 1)
    number, line = next((n, text) for n, text in lines if MISTAKE in text)
    say("A small engine differentiates in forward mode. One of its rules is wrong:")
    say(f"\n  {engine}:{number}\n  {line.strip()}\n")
    say("gradverify does not know that. It judges the engine:")
    say(f"\n  $ cd {folder} && gradverify run\n", flush=True)
    found = subprocess.run(
        [sys.executable, "-m", "gradverify", *RUN], cwd=folder, check=False
    )
    page = folder / "reports" / "gradverify.html"
    say(f"\nThe page: {page.as_uri()}")
    say("Mend the line, and run it again there.")
    if opened:
        webbrowser.open(page.as_uri())
    return RIGHT if found.returncode == 1 and page.exists() else FAULT
