"""An engine of one page, with one mistake: forward mode on pairs of numbers.

`gradverify demo` copies this file as a conftest.py and judges it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import gradverify


class Pair:
    """A number and its derivative along one direction."""

    def __init__(self, x: float, dx: float) -> None:
        self.x, self.dx = x, dx

    def __add__(self, other: "Pair") -> "Pair":
        return Pair(self.x + other.x, self.dx + other.dx)

    def __mul__(self, other: "Pair") -> "Pair":
        return Pair(self.x * other.x, self.x * other.dx + self.dx * other.x)

    def sin(self) -> "Pair":
        """The derivative of sin is cos."""
        return Pair(math.sin(self.x), math.cos(self.x) * self.dx)

    def exp(self) -> "Pair":
        """The derivative of exp is its value."""
        y = math.exp(self.x)
        return Pair(y, y * self.dx)

    def tanh(self) -> "Pair":
        """The derivative of tanh by its value y."""
        y = math.tanh(self.x)
        return Pair(y, (1 - y) * self.dx)  # the mistake: it is 1 - y * y


@gradverify.register
class Toy(gradverify.Differentiator):
    """What gradverify needs to know of it: a table of its functions, and one mode."""

    name = "toy"
    accepts = gradverify.Accepts(ranks=range(1), literals=False, data=False)
    table = gradverify.operators("add mul") | {
        "sin": Pair.sin,
        "exp": Pair.exp,
        "tanh": Pair.tanh,
    }

    @gradverify.mode("jvp")
    def forward(
        self,
        function: Callable[..., Pair],
        point: Sequence[Any],
        tangents: Sequence[Any],
    ) -> gradverify.Pushed:
        """The derivative of the function along the tangents."""
        pairs = zip(point, tangents, strict=True)
        y = function(*(Pair(float(x), float(dx)) for x, dx in pairs))
        return gradverify.Pushed(y.x, y.dx)
