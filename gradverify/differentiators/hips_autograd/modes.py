"""How autograd is asked for a derivative: a mode is one method.

The name of the method stands in ids. A script that shows a deviation calls the library
as the mode's row in `TAILS` (`spelling.py`) says; without a row it calls the method.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradverify.differentiators.protocol import (
    Differentiator,
    Lowered,
    Pulled,
    mode,
)
from gradverify.graph import Array


class AutogradModes(Differentiator):
    """The modes; abstract."""

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The library's own vector-Jacobian product with cotangent 1."""
        from autograd import make_vjp

        if not point:
            return Pulled(function(), [])
        vjp, value = make_vjp(function, argnum=tuple(range(len(point))))(*point)
        return Pulled(value, list(vjp(np.ones_like(value))))
