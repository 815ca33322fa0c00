"""The rounding model changed, one number at a time: which tests go red?

`python -m tests.benchmarks.bench_mutations [FILE OF TESTS]`. A mutation is applied in
this process, the tests of the rounding model run, and the first that fails is printed.
One that no test notices is a number that nobody needs, or a test that is missing; then
the exit status is 1.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from gradverify.ops import OPS, Op
from gradverify.ops.row import FORWARD, MIXED
from gradverify.ops.sites import Site, relative
from gradverify.reference import (
    bound,
    gradient_program,
    rounding,
    roundings,
    stacked,
    widening,
)

from .table import print_table

FILE = Path(__file__).parents[1] / "reference" / "test_rounding_model.py"
READERS = (bound, rounding, roundings, widening)

Mutation = Callable[[], AbstractContextManager[None]]


def forget() -> None:
    """Drop what was worked out from the tables before."""
    gradient_program.expand.cache_clear()
    gradient_program.gradient_program.cache_clear()
    stacked.steps_of.cache_clear()
    stacked._functions_of.cache_clear()


@contextmanager
def row(changed: Op) -> Iterator[None]:
    """The op table with another row."""
    rows: Any = OPS.rows
    with mock.patch.dict(rows, {changed.name: changed}):
        written = {changed.name: gradient_program._apply(changed.name)}
        with mock.patch.dict(gradient_program._WRITTEN, written):
            forget()
            yield
    forget()


@contextmanager
def constant(name: str, value: float) -> Iterator[None]:
    """Another value of a constant, wherever it was imported to."""
    with contextlib.ExitStack() as stack:
        for module in READERS:
            if hasattr(module, name):
                stack.enter_context(mock.patch.object(module, name, value))
        forget()
        yield
    forget()


def with_site(op: str, site: Site) -> Mutation:
    known = OPS.calculus(op)
    return lambda: row(replace(OPS[op], calculus=replace(known, site=site)))


def times(site: Site, factor: float) -> Site:
    """The site with a size that many times as large."""

    def size(*given: Any, **params: Any) -> Any:
        found = site.size(*given, **params)
        return None if found is None else factor * found

    return replace(site, size=size)


def is_rounded(op: str) -> bool:
    """Whether a primitive has a size to halve: `nothing` is the size of the others."""
    return OPS.calculus(op).site.size.__name__ != "nothing"


def mutations() -> Iterator[tuple[str, Mutation]]:
    """Every mutation with a name that says what is changed."""
    for value in (1.0, 2.0, 16.0, 64.0):
        yield f"SAFETY = {value:g}", lambda value=value: constant("SAFETY", value)
    yield "STRAIGHT = 16", lambda: constant("STRAIGHT", 16.0)
    for op in OPS.primitives():
        known = OPS.calculus(op)
        site = known.site
        if known.reach is not None:
            flat = replace(OPS[op], calculus=replace(known, reach=None))
            yield f"{op}: reach removed", lambda flat=flat: row(flat)
        if is_rounded(op):
            yield f"{op}: site halved", with_site(op, times(site, 0.5))
            yield f"{op}: site times 4", with_site(op, times(site, 4.0))
        elif op != "slack":  # whose site only says that it does not underflow
            yield f"{op}: rounded", with_site(op, relative(1))
        if not site.underflows:
            yield f"{op}: underflows", with_site(op, replace(site, underflows=True))
        if site.adds:
            yield f"{op}: adds nothing", with_site(op, replace(site, adds=False))
    for op in OPS.public():
        other = MIXED if OPS[op].stability == FORWARD else FORWARD
        changed = replace(OPS[op], stability=other)
        yield f"{op}: {other} stable", lambda changed=changed: row(changed)


class Red:
    """A plugin of pytest that keeps the tests that failed."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a test that failed in any phase."""
        if report.failed:
            self.names.append(report.nodeid.rpartition("::")[2])


def red_tests(path: Path) -> list[str]:
    """The tests of a file that fail now; the run ends at the first."""
    red = Red()
    options = ["-q", "-x", "--tb=no", "--no-header", "-p", "no:cacheprovider"]
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*options, str(path)], plugins=[red])
    return red.names


def main(path: Path) -> int:
    before = red_tests(path)
    if before:
        print(f"red without any mutation: {before}")
        return 2
    found = {name: seen(name, mutation, path) for name, mutation in mutations()}
    missed = [name for name, red in found.items() if not red]
    print_table(
        "The first test that a mutation makes red",
        ["mutation", "test"],
        [[name, red[0] if red else "NONE"] for name, red in found.items()],
        f"{len(found) - len(missed)} of {len(found)} mutations are noticed",
    )
    return 1 if missed else 0


def seen(name: str, mutation: Mutation, path: Path) -> list[str]:
    """The tests that go red under a mutation; told on stderr at once."""
    with mutation():
        red = red_tests(path)
    print(f"{name}: {red[0] if red else 'NONE'}", file=sys.stderr, flush=True)
    return red


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FILE))
