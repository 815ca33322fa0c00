"""Where a run takes place: the versions of packages, the machine, and the commit."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = ("gradverify", "hypothesis", "mpmath", "numpy", "pytest", "python-flint")


def versions() -> dict[str, str]:
    """The version of Python, and those of the packages that this run uses."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def device() -> str:
    """The processor and the system."""
    return f"{platform.machine()} {platform.system()}"


def commit(root: Path) -> str | None:
    """The commit that is checked out, if the repository is one of git."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
