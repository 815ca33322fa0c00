"""autograd's further elementwise functions, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradverify.differentiators.composed.composed_elementwise import (
    composed_elementwise,
    halves,
    spelled_elementwise,
)
from gradverify.differentiators.protocol import Rows, functions
from gradverify.differentiators.spelling.source_rows import Row, calls, defined

# autograd's names, by module.
NUMPY = "remainder nan_to_num rad2deg deg2rad floor ceil trunc round"
SPECIAL = "logit"


def elementwise_rows() -> Rows:
    """The functions, composed where there is none; the library is imported here."""
    import autograd.numpy as anp
    import autograd.scipy.special as special

    # fmt: off
    return {
        **composed_elementwise(anp),
        **functions(anp, NUMPY),
        **functions(special, SPECIAL),
        "glu":         _glu(special),
        "softmin":     _softmin(anp),
        "cbrt":        "autograd.numpy has no derivative of it",
        "heaviside":   "autograd.numpy has no derivative of it",
        "float_power": "autograd.numpy has no derivative of it",
    }
    # fmt: on


def _glu(special: Any) -> Any:
    """The first half gated by the second."""

    def apply(x: Any, axis: Any) -> Any:
        first, second = halves(x, axis)
        return first * special.expit(second)

    return apply


def _softmin(np: Any) -> Any:
    """exp(-x) over its sum; the smallest entry is held constant."""

    def apply(x: Any, axis: Any) -> Any:
        from autograd.tracer import getval

        e = np.exp(np.min(getval(x), axis=axis[0], keepdims=True) - x)
        return e / np.sum(e, axis=axis[0], keepdims=True)

    return apply


ELEMENTWISE: Mapping[str, Row] = {
    **spelled_elementwise("np"),
    **calls("np", NUMPY),
    **calls("special", SPECIAL),
    "glu": defined("_glu(special)", _glu),
    "softmin": defined("_softmin(np)", _softmin),
}
