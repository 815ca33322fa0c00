"""Under pytest-xdist all items of a block stay in one worker and share its cases."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from gradverify.suites import SUITES


class BlockScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Our items go out by block; all other tests one by one, as with `--dist load`."""

    def __init__(self, config: pytest.Config, log: Any, anchor: str) -> None:
        super().__init__(config, log)
        self.prefixes = tuple(f"{anchor}::{suite}::" for suite in SUITES)

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(self.prefixes):
            return nodeid.partition("[")[0]
        return nodeid

    def remove_node(self, node: Any) -> str | None:
        """Give what a worker left to others, but not the item at which it died.

        The base class would give that item to others too, and it would kill one worker
        after another.
        """
        workload = self.assigned_work.pop(node)
        pending = [
            (scope, nodeid)
            for scope, unit in workload.items()
            for nodeid, is_done in unit.items()
            if not is_done
        ]
        if not pending:
            return None
        scope, died_of = pending[0]
        workload[scope][died_of] = True
        self.workqueue.update(
            {scope: unit for scope, unit in workload.items() if not all(unit.values())}
        )
        for other in self.assigned_work:
            self._reschedule(other)
        return str(died_of)

    def _reschedule(self, node: Any) -> None:
        """Give a worker more to do, if it knows the items already.

        One that has just replaced another does not yet; it will be asked again. The
        base class would take a piece of work out of the queue and lose it.
        """
        if node in self.registered_collections:
            super()._reschedule(node)

    def schedule(self) -> None:
        """Hand out work; a worker that replaces another may get a single item.

        A worker runs an item only when it knows the next one, or knows that there is
        none. The second round tells it.
        """
        is_running = self.collection is not None
        super().schedule()
        if is_running:
            super().schedule()
