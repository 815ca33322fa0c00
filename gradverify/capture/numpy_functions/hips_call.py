"""A function of HIPS autograd at some arguments: its own rules are what is judged."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from types import FrameType
from typing import Any, final

import autograd
import autograd.builtins
import numpy as np
from autograd.core import make_jvp, make_vjp
from autograd.tracer import isbox, primitive

from gradverify.capture.numpy_functions.numpy_call import ArrayCall
from gradverify.graph import Array

_PRIMITIVE = primitive(abs).__code__
"""The code that runs around every primitive."""


@final
class HipsCall(ArrayCall):
    """A function of `autograd.numpy`, with primitives and rules of the user's.

    Its primitives are run on arrays that are followed. So what they compute is read,
    and what `defvjp` and `defjvp` say of them is judged.
    """

    library = "autograd"

    @property
    def modes(self) -> Mapping[str, str]:
        """Reverse mode by `make_vjp`, forward mode by `make_jvp`."""
        return {"reverse": "vjp", "forward": "jvp"}

    def _tuple(self, arrays: Sequence[Any]) -> Any:
        """The outputs as one tuple, which autograd differentiates as a whole."""
        return autograd.builtins.tuple(tuple(self.called(arrays)))

    def is_constant(self) -> bool:
        """Outside of primitives; within one, its author says what the derivative is."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code is _PRIMITIVE:
                return False
            frame = frame.f_back
        return True

    def _is_output(self, x: Any) -> bool:
        plain = x
        while isbox(plain):
            plain = plain._value
        return super()._is_output(plain)

    def gradients(
        self, arrays: Sequence[Any], weights: Sequence[Any]
    ) -> tuple[list[Any], list[Array | None]]:
        """The outputs and their vjp."""
        pull, outputs = make_vjp(lambda xs: self._tuple(list(xs)), tuple(arrays))
        given = tuple(
            np.asarray(w, np.asarray(y).dtype) if np.ndim(y) else type(y)(w)
            for y, w in zip(outputs, weights, strict=True)
        )
        return list(outputs), [np.asarray(g) for g in pull(given)]

    def push(
        self, mode: str, point: Sequence[Array], tangents: Sequence[Array]
    ) -> tuple[tuple[Array, ...], tuple[Array | None, ...]]:
        """The outputs and their jvp."""
        arrays, along = tuple(self.handed(point)), tuple(self.handed(tangents))
        outputs, found = make_jvp(lambda xs: self._tuple(list(xs)), arrays)(along)
        return tuple(map(np.asarray, outputs)), tuple(map(np.asarray, found))

    def describe(self) -> Mapping[str, Any]:
        """The version of autograd."""
        return {**super().describe(), "autograd": version("autograd")}
