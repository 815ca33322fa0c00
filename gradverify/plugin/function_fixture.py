"""The fixture `gradverify`: `gradverify.check` within a test, as an item of the run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gradverify.outside.printing import for_terminal
from gradverify.plugin.checked_function import CheckedFunction, checked, recorded
from gradverify.plugin.items import SESSION
from gradverify.report.terminal import failure_text
from gradverify.report.wording import Invocation


class FunctionFixture:
    """What a test gets as `gradverify`. `check` fails the test if something is wrong.

    Where gradient suites run as well (`pytest --gradverify`), the records go into the
    same report, and known deviations of the repository are accepted.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._node = request.node
        self._session = request.config.stash.get(SESSION, None)
        self._count = 0

    def check(
        self, function: Callable[..., Any], *args: Any, **options: Any
    ) -> CheckedFunction:
        """As `gradverify.check`; the test fails with the text of what is wrong.

        It fails as well if nothing could be judged.
        """
        __tracebackhide__ = True
        session = self._session
        rows = () if session is None else session.rows
        result = checked(function, args, options, known=rows)
        self._count += 1
        number = f"-{self._count}" if self._count > 1 else ""
        policy = "wrong" if session is None else session.settings.fail_on
        found = recorded(result, f"{self._node.nodeid}::check{number}", policy)
        said = None
        if session is not None:
            file, line, _ = self._node.location
            test = f"{file}:{line + 1}" if line is not None else ""
            for outcome in found.outcomes:
                session.record(outcome, test)
            settings = session.settings
            said = Invocation(settings.report_as_given, session.selection.classes)
        failing = [d for d in found.findings if d.failed]
        if failing:
            pytest.fail(for_terminal(failure_text(failing, 0, said)), pytrace=False)
        if not result.judged:
            text = f"nothing could be judged:\n{found}"
            pytest.fail(for_terminal(text), pytrace=False)
        return found


def is_of_a_test(item: str) -> re.Match[str] | None:
    """The test that an item of a function stands in, as the first group."""
    return re.fullmatch(r"(.*)::check(-\d+)?\[[^\]]*\]", item, re.DOTALL)
