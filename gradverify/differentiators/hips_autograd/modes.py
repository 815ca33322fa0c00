"""How autograd is asked for a derivative: a mode is one method.

The name of the method stands in ids. A script that shows a deviation calls the library
as the mode's row in `TAILS` (`tails.py`) says; without a row it calls the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.differentiators.protocol import (
    Differentiator,
    Lowered,
    Pulled,
    Pushed,
    mode,
)
from gradverify.graph import Array

Tangents = Sequence[Array | None]

# Many rules of autograd multiply by a float64 of NumPy's, such as log 2 or a count, or
# by a quotient of masks, and float32 becomes float64. By a tuple of inputs reverse mode
# adds that to zeros in float32. These modes return it as it is, for a third of all ops,
# so that a run asks them in float64 alone.
DOUBLE = ("float64",)


class AutogradModes(Differentiator):
    """The modes; abstract. What is not connected has zeros, as the library says."""

    @mode("vjp", default=True)
    def reverse(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`make_vjp`."""
        from autograd import make_vjp

        if not point:
            return Pulled(function(), [])
        vjp, value = make_vjp(function, argnum=_all(point))(*point)
        return Pulled(value, list(vjp(cotangent)))

    @mode("jvp", dtypes=DOUBLE)
    def forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pushed:
        """`make_jvp` by the inputs that have a tangent."""
        from autograd import make_jvp

        moved, directions = _directions(tangents)
        if not moved:
            return Pushed(function(*point), None)
        return Pushed(*make_jvp(function, argnum=moved)(*point)(directions))

    @mode("hvp")
    def reverse_over_reverse(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`make_vjp` of `grad`."""
        from autograd import grad, make_vjp

        moved, directions = _directions(tangents)
        if not moved:
            return Pulled(function(*point), [None] * len(point))
        gradient = grad(function, argnum=moved)
        vjp, _ = make_vjp(gradient, argnum=_all(point))(*point)
        return Pulled(function(*point), list(vjp(directions)))

    @mode("hvp")
    def forward_over_reverse(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`make_jvp` of `grad`."""
        from autograd import grad, make_jvp

        moved, directions = _directions(tangents)
        if not moved:
            return Pulled(function(*point), [None] * len(point))
        gradient = grad(function, argnum=_all(point))
        _, products = make_jvp(gradient, argnum=moved)(*point)(directions)
        return Pulled(function(*point), list(products))

    @mode("hvp")
    def reverse_over_forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`grad` of `make_jvp`."""
        from autograd import grad, make_jvp

        moved, directions = _directions(tangents)
        if not moved:
            return Pulled(function(*point), [None] * len(point))

        def slope(*inputs: Any) -> Any:
            return make_jvp(function, argnum=moved)(*inputs)(directions)[1]

        return Pulled(function(*point), list(grad(slope, argnum=_all(point))(*point)))

    @mode("jacobian", dtypes=DOUBLE)
    def jacobian(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`jacobian` by one input after the other.

        autograd has none by or of arrays without entries; such blocks are left out.
        """
        from autograd import jacobian

        value = function(*point)
        has_rows = bool(np.size(value))
        blocks = [
            jacobian(function, argnum=i)(*point) if x.size and has_rows else None
            for i, x in enumerate(point)
        ]
        return Pulled(value, blocks)

    @mode("hessian", dtypes=DOUBLE)
    def hessian(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`jacobian` of `jacobian`, as in autograd's own `hessian`."""
        from autograd import jacobian

        def block(i: int, j: int) -> Any:
            if not point[i].size or not point[j].size:
                return None
            return jacobian(jacobian(function, argnum=i), argnum=j)(*point)

        wrt = _all(point)
        return Pulled(function(*point), [[block(i, j) for j in wrt] for i in wrt])


def _all(point: Sequence[Array]) -> tuple[int, ...]:
    return tuple(range(len(point)))


def _directions(tangents: Tangents) -> tuple[tuple[int, ...], tuple[Array, ...]]:
    """The inputs that have a tangent, and these."""
    moved = tuple(i for i, t in enumerate(tangents) if t is not None)
    return moved, tuple(t for t in tangents if t is not None)
