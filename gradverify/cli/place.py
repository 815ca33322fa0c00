"""Do something in a repository, with its settings and conftests read by pytest.

Nothing heavy is imported here, because pytest must load its plugins before others do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gradverify.cli.output import complain
from gradverify.cli.status import USAGE, CommandError
from gradverify.plugin import options as settings
from gradverify.surroundings import Surroundings

if TYPE_CHECKING:
    from gradverify.plugin.shards import Death


@dataclass(frozen=True)
class Place:
    """A repository and its report folder."""

    root: Path
    reports: Path


def plugin_arguments() -> list[str]:
    """Arguments that make pytest load the plugin if it does not find it by itself."""
    installed = {point.name for point in entry_points(group="pytest11")}
    return [] if "gradverify" in installed else ["-p", "gradverify.plugin"]


class _Within:
    """A pytest plugin that does one thing instead of a run."""

    def __init__(self, command: Callable[[Place], int], reports: Path | None) -> None:
        self.command, self.reports, self.status = command, reports, USAGE

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Called when pytest has read its settings and the conftests."""
        from gradverify.plugin.early_end import EarlyEnd
        from gradverify.plugin.selection import register_hooked

        early_end = EarlyEnd(_cut_short)
        try:
            register_hooked(config)
        except ValueError as error:
            complain(error)
            return self.status
        try:
            reports = self.reports or settings.report_folder(config)
            early_end.begin()
            with Surroundings():  # a conftest may have set anything
                self.status = self.command(Place(config.rootpath, reports))
        except (CommandError, pytest.UsageError) as error:
            complain(error)
        finally:
            early_end.end()
        return self.status


def _cut_short(death: Death) -> None:
    complain(f"the command did not come to its end: {death.note}")


def within(command: Callable[[Place], int], reports: Path | None = None) -> int:
    """Do something in the repository of the current folder, and return the exit
    status.
    """
    do = _Within(command, reports.absolute() if reports else None)
    pytest.main(plugin_arguments(), plugins=[do])
    return do.status
