"""Under pytest-xdist the items of a block stay in one worker, and share its cases."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from gradverify.plugin.settings import SUITES


class BlockScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Our items by block; all other tests one by one, as `--dist load` has them."""

    def __init__(self, config: pytest.Config, log: Any, anchor: str) -> None:
        super().__init__(config, log)
        self.prefixes = tuple(f"{anchor}::{suite}::" for suite in SUITES)

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(self.prefixes):
            return nodeid.partition("[")[0]
        return nodeid
