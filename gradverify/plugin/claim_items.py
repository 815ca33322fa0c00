"""Derivatives worked out by hand in files, as tests: one item for each claim, as in
doctest.

The files are read and never imported. pytest would import a script because it is named
on the command line; that is undone here.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradverify.claims.reading.reader import read_claims
from gradverify.claims.sources.files import UnreadableError, files_in
from gradverify.outside.printing import for_terminal, visible
from gradverify.outside.writing import replace
from gradverify.plugin import folder
from gradverify.plugin.options import report_folder
from gradverify.records import Claim, Records, Run, decode, encode, in_order
from gradverify.report import claim_text as text

RECORDS, PAGE = "claims.jsonl", "claims.html"
RUN = "gradverify-run"  # the plugin that holds the run of the gradient suites


class WrongClaim(Exception):
    """A claim is wrong, or a file cannot be read. Its text is what the user reads."""


class ClaimFile(pytest.File):
    """A script, a notebook or a text."""

    def collect(self) -> Iterable[pytest.Item]:
        """One item for each claim, named by its place; one item for a file that cannot
        be read.
        """
        try:
            found = read_claims(self.path)
        except UnreadableError as error:
            yield UnreadableClaimFile.from_parent(
                self, name="unreadable", reason=str(error)
            )
            return
        taken: dict[str, int] = {}
        for claim in found:
            record = msgspec.structs.replace(claim, file=self._shown())
            cell = "" if record.cell is None else f"cell{record.cell}-"
            name = f"{cell}line{record.line}"
            taken[name] = taken.get(name, 0) + 1
            number = f"-{taken[name]}" if taken[name] > 1 else ""
            yield ClaimItem.from_parent(self, name=name + number, claim=record)

    def _shown(self) -> str:
        root = self.config.rootpath
        inside = self.path.is_relative_to(root)
        return (self.path.relative_to(root) if inside else self.path).as_posix()


class ClaimItem(pytest.Item):
    """Passes where a claim is right; is skipped where that could not be said."""

    def __init__(self, *, claim: Claim, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.claim = claim

    def runtest(self) -> None:
        """The file was judged when it was collected."""
        if self.claim.verdict in ("not understood", "unsure"):
            pytest.skip(for_terminal(f"{self.claim.verdict}: {self.claim.reason}"))
        if self.claim.verdict == "wrong":
            raise WrongClaim("\n".join(text.lines(self.claim)))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The claim, without a traceback."""
        if isinstance(excinfo.value, WrongClaim):
            return for_terminal(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the claim stands."""
        return (
            self.path,
            self.claim.line - 1,
            f"{visible(self.claim.file)}: {self.name}",
        )


class UnreadableClaimFile(pytest.Item):
    """Fails: a file that was asked for cannot be read."""

    def __init__(self, *, reason: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reason = reason

    def runtest(self) -> None:
        """Say why."""
        raise WrongClaim(self.reason)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The reason alone."""
        del style
        return for_terminal(str(excinfo.value))


class ClaimHooks:
    """The hooks of a run that has such files."""

    def __init__(self, config: pytest.Config, files: Sequence[Path]) -> None:
        self.config, self.files = config, frozenset(files)
        self.claims: list[Claim] = []
        self.started = datetime.now(UTC)

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[Any], list[Any]]:
        """Read a file for claims. It is not a test module, though it is named here."""
        found = yield
        if file_path not in self.files:
            return found
        patterns = parent.config.getini("python_files")
        if not any(file_path.match(pattern) for pattern in patterns):
            found = [c for c in found if not isinstance(c, pytest.Module)]
        return [*found, ClaimFile.from_parent(parent, path=file_path)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Send the claim along with the report, also from a worker of pytest-xdist."""
        report = yield
        if isinstance(item, ClaimItem) and call.when == "call":
            report.gradverify_claim = encode(item.claim).decode()
        return report

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Gather the claims in the process that writes them down."""
        line = vars(report).get("gradverify_claim")
        claim = decode(line.encode()) if line else None
        if isinstance(claim, Claim):
            self.claims.append(claim)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Add the claims to the records of the gradient suites, or to a file of their
        own.
        """
        config = session.config
        if "workerinput" in vars(config) or not self.claims:
            return
        run = config.pluginmanager.get_plugin(RUN)
        if run is None:
            self._write(int(exitstatus))
        elif run.session.writer is not None:
            for claim in self.claims:
                run.session.writer.write(claim)

    def _write(self, exitstatus: int) -> None:
        from gradverify.report.page import page

        reports = report_folder(self.config)
        run = Run(started=self.started.isoformat(timespec="seconds"), exit=exitstatus)
        found = Records(claims=tuple(self.claims), run=run)
        try:
            folder.prepare(reports)
            replace(reports / RECORDS, b"".join(map(encode, in_order(found))))
            replace(reports / PAGE, page(found).encode("utf-8", "replace"))
        except OSError as error:
            raise pytest.UsageError(f"--gradverify-report: {error}") from error

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say how many claims there are, and where the page is."""
        if not self.claims:
            return
        files = len({claim.file for claim in self.claims})
        terminalreporter.section("gradverify claims")
        terminalreporter.line(for_terminal(text.counted(self.claims, files)))
        if self.config.pluginmanager.get_plugin(RUN) is None:
            page = report_folder(self.config) / PAGE
            terminalreporter.line(for_terminal(f"page: {page}"))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for line in text.error_lines(self.claims):
                terminalreporter.line(for_terminal(line))


def files_of(config: pytest.Config, given: str) -> list[Path]:
    """The files of an option's paths, folders and globs; it is an error if there are
    none.

    Paths of the command line count from the folder in which pytest was called, and may
    be quoted. Paths of the ini file count from the rootdir.
    """
    by_option = config.getoption("gradverify_claims") is not None
    base = config.invocation_params.dir if by_option else config.rootpath
    found: dict[Path, None] = {}
    for word in _quoted(given) if by_option else given.split():
        here = list(files_in(base, word))
        if not here:
            raise pytest.UsageError(f"--gradverify-claims: {word}: no such files")
        found.update(dict.fromkeys(path.resolve() for path in here))
    return list(found)


def _quoted(given: str) -> list[str]:
    try:
        return shlex.split(given)
    except ValueError as error:
        raise pytest.UsageError(f"--gradverify-claims: {given}: {error}") from None


def start(config: pytest.Config, given: str) -> None:
    """Collect the files together with the rest of the run."""
    try:
        import lark
    except ImportError:
        raise pytest.UsageError(
            '--gradverify-claims needs lark: pip install "gradverify[claims]"'
        ) from None
    del lark
    files = files_of(config, given)
    here = config.invocation_params.dir
    folders = [(here / a).resolve() for a in map(str, config.args) if "::" not in a]
    named = [a.split("::")[0] for a in map(str, config.args) if "::" in a]
    missing = [f for f in files if f not in folders and not set(folders) & {*f.parents}]
    if any((here / name).resolve() in files for name in named):
        missing = []  # items are named on the command line, and nothing else is to run
    config.args = [*map(str, config.args), *map(str, missing)]
    config.pluginmanager.register(ClaimHooks(config, files), "gradverify-claims")
