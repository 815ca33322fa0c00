"""Engines within engines: whose a value is when one engine runs over another.

The values of an engine are an arithmetic as well, its *algebra*. A tape over the
algebra of another tape has a backward pass that is taped, and a tape over duals one
that is pushed forward. For example, `Tape(Dual.algebra)` gives Hessians times vectors.

To an engine, the values of engines beneath it are constants. An op on a value of an
engine around it is that engine's, whatever table it was looked up in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.autodiff.operands import data
from gradverify.autodiff.traced import Traced, confused


class Algebra(Arithmetic):
    """The arithmetic of the values of one engine, which are of the class `kind`."""

    def __init__(
        self, primitives: Mapping[str, Callable[..., Any]], kind: type[Traced]
    ) -> None:
        beneath = kind.arithmetic
        super().__init__(
            f"{kind.__name__} over {beneath.name}", primitives, data(beneath)
        )
        self.kind = kind


def nested(kind: Any, m: Arithmetic) -> None:
    """Set up a class of values over an arithmetic, before its algebra is made."""
    kind.arithmetic = m
    kind.beneath = frozenset()
    if isinstance(m, Algebra):
        kind.beneath = m.kind.beneath | {m.kind}


def around(kind: type[Traced], operands: Sequence[Any]) -> type[Traced] | None:
    """The class of values whose engine runs an op, if that is not `kind`.

    It is the class of the operand that has all other operands beneath it. Raises
    `TypeError` for two operands of which neither is beneath the other.
    """
    found: type[Traced] | None = None
    for x in operands:
        if not isinstance(x, Traced):
            continue
        other = type(x)
        if found is None or found in other.beneath:
            found = other
        elif other is not found and other not in found.beneath:
            raise confused(found.__name__, x)
    return None if found is kind else found
