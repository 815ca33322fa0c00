"""A repository of a user in a folder of its own, in which pytest and gradverify run.

Most runs take place in this process, since another one would spend more time on loading
libraries than on judging. A run that kills its process, or is killed, takes place in a
copy of this one (`begin`). A process of its own is for what needs a fresh interpreter:
the command `gradverify run`, pytest-xdist, and what is true of nothing else.
"""

from __future__ import annotations

import faulthandler
import gc
import io
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import invalidate_caches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradverify.cli import main
from gradverify.differentiators import registry

REPORTS = "reports"
TOLD = "told.txt"  # what a run in a copy of this process prints
# Where a process of its own finds gradverify, installed or not.
PATHS = (
    str(Path(__file__).parents[1]),
    *os.environ.get("PYTHONPATH", "").split(os.pathsep),
)
IS_INSTALLED = "gradverify" in {p.name for p in entry_points(group="pytest11")}
LOADED = () if IS_INSTALLED else ("-p", "gradverify.plugin")

# A forward-mode engine in a conftest. Its product rule drops a path.
TOY_ENGINE = """\
import math

import gradverify


class Dual:
    def __init__(self, x, dx):
        self.x, self.dx = x, dx

    def __add__(self, other):
        return Dual(self.x + other.x, self.dx + other.dx)

    def __mul__(self, other):
        return Dual(self.x * other.x, self.x * other.dx)

    def sin(self):
        return Dual(math.sin(self.x), math.cos(self.x) * self.dx)


@gradverify.register
class Toy(gradverify.Differentiator):
    name = "toy"
    accepts = gradverify.Accepts(ranks=range(1), literals=False, data=False)
    table = gradverify.operators("add mul") | {"sin": Dual.sin}

    @gradverify.mode("jvp", default=True)
    def forward(self, function, point, tangents):
        y = function(*[Dual(float(x), float(dx)) for x, dx in zip(point, tangents)])
        return gradverify.Pushed(y.x, y.dx)
"""

# The same engine with the product rule as it should be.
RIGHT_ENGINE = TOY_ENGINE.replace(
    "self.x * other.dx)", "self.x * other.dx + self.dx * other.x)"
)


class Scratch:
    """A folder with a configuration of pytest, and what can be done in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        """Write a file, the folders above it included."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def pytest(self, *arguments: str, within: str = ".") -> pytest.RunResult:
        """Run pytest in this process, in a folder of the repository."""
        return self._here(lambda: pytest.main([*LOADED, *arguments]), within)

    def gradverify(self, *arguments: str) -> pytest.RunResult:
        """Run the command `gradverify` in this process."""
        return self._here(lambda: main(arguments), ".")

    def apart(self, module: str, *arguments: str) -> pytest.RunResult:
        """Run `python -m module` in a process of its own."""
        loaded = LOADED if module == "pytest" else ()
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", module, *loaded, *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(PATHS)},
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.perf_counter() - began
        return _result(done.returncode, done.stdout, done.stderr, took)

    def begin(self, *arguments: str) -> int:
        """Begin a run of pytest in a copy of this process, and return its id.

        It may be killed as any other process. It loads no library anew, which is most
        of what a short run costs. `ended` waits for it.
        """
        # Of threads: Python warns from 3.12 on, and JAX where another test loaded it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            pid = os.fork()
        if pid:
            return pid
        try:
            faulthandler.disable()  # it writes to the terminal of our tests
            os.setsid()
            told = os.open(self.root / TOLD, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(told, 1)
            os.dup2(told, 2)
            sys.stdout = sys.stderr = io.TextIOWrapper(io.FileIO(1, "w", closefd=False))
            with _as_if_new(self.root, self.root):
                status = int(pytest.main([*LOADED, *arguments]))
            sys.stdout.flush()
            os._exit(status)
        finally:
            os._exit(70)

    def ended(self, pid: int) -> pytest.RunResult:
        """Wait for a run that was begun; what it printed, and its status.

        The status is that of the process, negative for a signal.
        """
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return _result(status, (self.root / TOLD).read_text("utf-8"), "", 0.0)

    def _here(self, do: Callable[[], int], within: str) -> pytest.RunResult:
        out, err = io.StringIO(), io.StringIO()
        began = time.perf_counter()
        with (
            _as_if_new(self.root, self.root / within),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                status: Any = do()
            except SystemExit as exit:  # argparse refuses a command in this way
                status = exit.code
        took = time.perf_counter() - began
        return _result(int(status), out.getvalue(), err.getvalue(), took)

    def text(self, name: str) -> str:
        """The text of a file among the reports."""
        return (self.root / REPORTS / name).read_text(encoding="utf-8")

    def records(self, name: str = "gradverify.jsonl") -> list[dict[str, Any]]:
        """The records that the last run wrote, in their order."""
        return [json.loads(line) for line in self.text(name).splitlines()]

    def of_type(self, kind: str, name: str = "gradverify.jsonl") -> list[Any]:
        """The records of one type."""
        return [record for record in self.records(name) if record["type"] == kind]


def _result(status: int, out: str, err: str, took: float) -> pytest.RunResult:
    return pytest.RunResult(status, out.splitlines(), err.splitlines(), took)


@contextmanager
def _as_if_new(root: Path, folder: Path) -> Iterator[None]:
    """Put back what a run changes in its process.

    Modules of the repository are forgotten, so that the next run reads their files
    again. Those of libraries stay, since NumPy and PyTorch can be loaded only once.
    The clock of the process begins anew, since gradverify counts what went before a
    run as a part of its time.
    """
    before, used = set(sys.modules), time.process_time()
    cpu = time.process_time
    with (
        pytest.MonkeyPatch.context() as patch,
        warnings.catch_warnings(),
        np.errstate(),
    ):
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        patch.setattr(time, "process_time", lambda: cpu() - used)
        patch.setattr(registry, "_registered", {})
        patch.setattr(sys, "dont_write_bytecode", True)  # of files that soon change
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        patch.setenv("PY_COLORS", "0")
        patch.setenv("COLUMNS", "80")
        registry._instance.cache_clear()
        invalidate_caches()
        gc.freeze()  # pytest looks for garbage as it ends: what was here before is none
        try:
            yield
        finally:
            gc.unfreeze()
            registry._instance.cache_clear()
            _forget(root, set(sys.modules) - before)


def _forget(root: Path, names: set[str]) -> None:
    for name in names:
        path = getattr(sys.modules[name], "__file__", None)
        if path is not None and Path(path).is_relative_to(root):
            del sys.modules[name]
