"""The hook by which a conftest or a plugin names its differentiators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gradverify.differentiators import Differentiator


def pytest_gradverify_differentiators(
    config: pytest.Config,
) -> Sequence[type[Differentiator]]:
    """Return differentiator classes of this repository, to be registered."""
    raise NotImplementedError
