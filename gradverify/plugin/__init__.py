"""The pytest plugin: hooks only. Every run of pytest imports it, so it is light.

Nothing heavier than pytest is imported before a run asks for gradient suites.

PYTEST_DONT_REWRITE: `gradverify run` has imported this before pytest starts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradverify.outside.printing import for_terminal
from gradverify.plugin import hookspecs
from gradverify.plugin import options as settings
from gradverify.plugin.plain_imports import import_plainly
from gradverify.surroundings import surrounded

if TYPE_CHECKING:
    from gradverify.plugin.function_fixture import FunctionFixture
    from gradverify.plugin.session import Session


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options, and ini values with the same names."""
    settings.add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hook by which engines are named."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.fixture(name="gradverify")
def gradverify_fixture(request: pytest.FixtureRequest) -> FunctionFixture:
    """`gradverify.check(f, x)` fails the test if a derivative of `f` is wrong."""
    from gradverify.plugin.function_fixture import FunctionFixture

    return FunctionFixture(request)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before anything imports more of us."""
    early_config.add_cleanup(import_plainly())


def pytest_configure(config: pytest.Config) -> None:
    """Switch on the suites, and claims in files, if the user asks for them."""
    if config.option.help or config.option.version:
        return
    if settings.is_on(config):
        _start_suites(config)
    if settings.claims(config):
        from gradverify.plugin.claim_items import start

        start(config, settings.claims(config))


def _start_suites(config: pytest.Config) -> None:
    from gradverify.plugin.items import SESSION
    from gradverify.plugin.left_out import LeftOut
    from gradverify.plugin.session import Session

    anchor = settings.anchor(config)
    if anchor is None:
        raise pytest.UsageError(
            f"gradverify: the rootdir {config.rootpath} has none of "
            f"{', '.join(settings.ANCHORS)} to hang its tests under; create an empty "
            "pytest.ini there"
        )
    config.args = settings.arguments(config, anchor)
    session = Session(config, anchor)
    if not config.option.collectonly:
        session.open()
    config.stash[SESSION] = session
    config.pluginmanager.register(Hooks(session), "gradverify-run")
    config.pluginmanager.register(LeftOut(), "gradverify-left-out")


class Hooks:
    """The hooks of a run that has gradient suites."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @surrounded
    def pytest_report_header(self) -> list[str]:
        """Say which differentiators run, and why the others do not."""
        return [for_terminal(line) for line in self.session.header()]

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[Any], list[Any]]:
        """Our suites hang under the anchor, once.

        If the anchor is a Python file that is named, pytest takes it for a test module.
        A setup.py must not be imported for that reason.
        """
        found = yield
        if file_path != self.session.anchor:
            return found
        from gradverify.plugin.collection import GradverifyFile

        if not _is_test_module(parent.config, file_path):
            found = [c for c in found if not isinstance(c, pytest.Module)]
        return [*found, GradverifyFile.from_parent(parent, path=file_path)]

    @surrounded
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn what was selected, before the first item runs."""
        from gradverify.plugin.items import GradverifyItem, KnownItem

        items = [item for item in session.items if isinstance(item, GradverifyItem)]
        drawn = [(i.block, i.differentiator, i.mode) for i in items if i.is_drawn]
        witnesses = [i for i in items if isinstance(i, KnownItem) and i.is_shipped]
        self.session.expect(drawn, has_witnesses=bool(drawn and witnesses))
        for item in items:
            self.session.spokesmen.setdefault(item.differentiator.name, item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item
    ) -> Generator[None, object, object]:
        """The time of a run does not count tests that are not ours."""
        from gradverify.plugin.items import ReportingItem

        began = time.time()
        result = yield
        if not isinstance(item, ReportingItem):
            self.session.elsewhere += time.time() - began
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist which run it is part of."""
        node.workerinput["gradverify_run"] = self.session.run
        node.workerinput["gradverify_began"] = self.session.began

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep each block in one worker, unless the user chose another distribution."""
        if config.getvalue("dist") != "load":
            return None
        from gradverify.plugin.scheduling import BlockScheduling

        anchor = self.session.anchor.relative_to(config.rootpath).as_posix()
        return BlockScheduling(config, log, anchor)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Merge and write the page, once the workers are done."""
        from gradverify.plugin.early_end import keep

        session.exitstatus = self.session.close(int(exitstatus))
        if self.session.is_controller:
            keep(int(session.exitstatus))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Know which worker of pytest-xdist died of the case that it ran."""
        if error:
            self.session.worker_died(node.gateway.id)

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind where the run did not come to its end."""
        self.session.abandon()
        self.session.found = None  # pytest keeps its configuration for ever

    def pytest_terminal_summary(
        self, terminalreporter: Any, config: pytest.Config
    ) -> None:
        """Print counts, discrepancies, known deviations, and where the page is."""
        self._summarise(terminalreporter, config)

    def say_last(self, config: pytest.Config) -> None:
        """Print the same where the process ends before pytest asks for it."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        capturing = config.pluginmanager.get_plugin("capturemanager")
        if reporter is not None:
            with (
                capturing.global_and_fixture_disabled() if capturing else nullcontext()
            ):
                reporter.ensure_newline()
                self._summarise(reporter, config)
                reporter.flush()

    @surrounded
    def _summarise(self, terminalreporter: Any, config: pytest.Config) -> None:
        found = self.session.found
        if found is None:
            return
        from gradverify.plugin.github_actions import in_github_actions
        from gradverify.report.terminal import summary

        terminalreporter.section("gradverify")
        for line in summary(found, brief=config.get_verbosity() < 0):
            terminalreporter.line(for_terminal(line))
        for trouble in self.session.troubles:
            terminalreporter.line(for_terminal(trouble))
        if self.session.page is not None:
            terminalreporter.line(for_terminal(f"page: {self.session.page}"))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for line in in_github_actions(found, os.environ):
                terminalreporter.line(for_terminal(line))


def _is_test_module(config: pytest.Config, path: Path) -> bool:
    patterns = config.getini("python_files")
    return any(path.match(pattern) for pattern in patterns)
