"""What our own tests share: pytester, Hypothesis profiles, an engine to judge."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# A forward-mode engine in a conftest. Its product rule drops a path.
TOY_ENGINE = """\
import math

import gradverify


class Dual:
    def __init__(self, x, dx):
        self.x, self.dx = x, dx

    def __add__(self, other):
        return Dual(self.x + other.x, self.dx + other.dx)

    def __mul__(self, other):
        return Dual(self.x * other.x, self.x * other.dx)

    def sin(self):
        return Dual(math.sin(self.x), math.cos(self.x) * self.dx)


@gradverify.register
class Toy(gradverify.Differentiator):
    name = "toy"
    accepts = gradverify.Accepts(ranks=range(1), literals=False, data=False)
    table = gradverify.operators("add mul") | {"sin": Dual.sin}

    @gradverify.mode("jvp", default=True)
    def forward(self, function, point, tangents):
        y = function(*[Dual(float(x), float(dx)) for x, dx in zip(point, tangents)])
        return gradverify.Pushed(y.x, y.dx)
"""


@pytest.fixture
def toy_engine() -> str:
    """The text of a conftest that registers an engine with a planted mistake."""
    return TOY_ENGINE


@pytest.fixture
def plugin_arguments(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """What makes another pytest load the plugin, where it is not installed."""
    if "gradverify" in {point.name for point in entry_points(group="pytest11")}:
        return ()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    return ("-p", "gradverify.plugin")
