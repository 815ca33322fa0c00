"""Versions of installed packages, which do not change while a process runs."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version


@cache
def installed(package: str) -> str:
    """The version of a package; read once, since every item of a run asks for it.

    Raises `PackageNotFoundError` for one that is not installed.
    """
    return version(package)
