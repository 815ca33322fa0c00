"""Items without a run are told to pytest in two reports.

pytest's own protocol for a test costs several milliseconds, most of it for the capture
of logs. A short run has thousands of items that there is no time for.
"""

from __future__ import annotations

import time
from typing import Literal

import pytest

from gradverify.outside.printing import for_terminal
from gradverify.plugin.items import GradverifyItem


class LeftOut:
    """The protocol of an item that is skipped before it begins."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Report it as skipped; None if it is to run."""
        found = item.skipped_unrun() if isinstance(item, GradverifyItem) else None
        if found is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        path, line, _ = item.reportinfo()
        skipped = (str(path), line or 0, f"Skipped: {for_terminal(found.item.reason)}")
        _tell(item, "skipped", skipped, "setup")
        _tell(item, "passed", None, "teardown")
        if nextitem is None or nextitem.parent is not item.parent:
            # what ran before was torn down for a test of this suite, and no further
            item.session._setupstate.teardown_exact(nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True


def _tell(
    item: pytest.Item,
    outcome: Literal["passed", "skipped"],
    text: tuple[str, int, str] | None,
    when: Literal["setup", "teardown"],
) -> None:
    now = time.time()
    keywords: dict[str, Literal[1]] = dict.fromkeys(item.keywords, 1)
    report = pytest.TestReport(
        item.nodeid,
        item.location,
        keywords,
        outcome,
        text,
        when,
        user_properties=item.user_properties,
        start=now,
        stop=now,
    )
    item.ihook.pytest_runtest_logreport(report=report)
