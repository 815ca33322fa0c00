"""What our own tests share: Hypothesis profiles, and repositories to run in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from .daily import left_out
from .scratch import TOY_ENGINE, Scratch

# Processes of tests find each other's bytecode, whatever the machine says of it: else
# each of them compiles all of gradverify again, which is a third of its time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = str(
    Path(__file__).parents[1] / ".pytest_cache" / "bytecode"
)

# Arrays of a few numbers gain nothing by threads, which wait for one another while the
# other processes of the tests run: a batch norm of twelve numbers took 40 ms.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what daily work leaves out, before marks are looked at."""
    slow = {*left_out(item.nodeid for item in items)}
    for item in items:
        if item.nodeid in slow:
            item.add_marker("slow")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """An empty repository of a user."""
    found = Scratch(tmp_path)
    found.write("pytest.ini", "[pytest]\n")
    return found


@pytest.fixture
def repository(scratch: Scratch) -> Scratch:
    """A repository that registers the toy engine."""
    scratch.write("conftest.py", TOY_ENGINE)
    return scratch
