"""A bar on the terminal while a long item runs; nothing if the output goes to a
file.
"""

from __future__ import annotations

from typing import Any

import pytest

WIDTH = 24


class Progress:
    """Called with what is done next, out of so many stages."""

    def __init__(self, config: pytest.Config, name: str, stages: int) -> None:
        self.plugins, self.name, self.stages = config.pluginmanager, name, stages

    def __call__(self, done: int, stage: str) -> None:
        """Draw the bar on the line above. What pytest prints next goes on after it."""
        reporter: Any = self.plugins.getplugin("terminalreporter")
        capture: Any = self.plugins.getplugin("capturemanager")
        if reporter is None or capture is None or not reporter.isatty:
            return
        text = bar(done, self.stages, f"{self.name}: {stage}")
        with capture.global_and_fixture_disabled():
            reporter.rewrite(text, erase=True)


def bar(done: int, stages: int, text: str) -> str:
    """So much of it in #, then the text."""
    filled = WIDTH * min(done, stages) // stages
    return f"[{'#' * filled}{'.' * (WIDTH - filled)}] {text}"
