"""A jaxpr at two points at once: what `stop_gradient` stops is as at the second one.

Differences of a function do not see that gradients are stopped. Differences of what is
run here do, since the stopped values stand still.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jax.extend.core import Literal

from gradverify.capture.jax_functions.lineax_systems import factored_anew, is_lineax

CALLS = ("jaxpr", "call_jaxpr")
CUSTOM = "custom_"


def stops(jaxpr: Any) -> bool:
    """Whether gradients are stopped, outside of custom derivatives."""
    return any(
        eqn.primitive.name == "stop_gradient" or any(map(stops, inner_jaxprs(eqn)))
        for eqn in jaxpr.eqns
        if not eqn.primitive.name.startswith(CUSTOM)
    )


def inner_jaxprs(eqn: Any) -> list[Any]:
    """The jaxprs that an equation holds."""
    found = []
    for value in eqn.params.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            plain = getattr(part, "jaxpr", part)
            if hasattr(plain, "eqns"):
                found.append(plain)
    return found


def run_beside(
    jaxpr: Any, consts: Sequence[Any], moved: Sequence[Any], fixed: Sequence[Any]
) -> list[Any]:
    """The outputs at `moved`, with stopped values as at `fixed`.

    Raises `NotImplementedError` for a gradient that is stopped within a loop.
    """
    return [pair[0] for pair in _run(jaxpr, consts, [*zip(moved, fixed, strict=True)])]


def _run(jaxpr: Any, consts: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    known: dict[Any, Any] = {}
    known.update(zip(jaxpr.constvars, ((c, c) for c in consts), strict=True))
    known.update(zip(jaxpr.invars, values, strict=True))

    def read(atom: Any) -> Any:
        return (atom.val,) * 2 if isinstance(atom, Literal) else known[atom]

    for eqn in jaxpr.eqns:
        pairs = [read(v) for v in eqn.invars]
        known.update(zip(eqn.outvars, _equation(eqn, pairs), strict=True))
    return [read(v) for v in jaxpr.outvars]


def _equation(eqn: Any, pairs: Sequence[Any]) -> list[Any]:
    name = eqn.primitive.name
    if name == "stop_gradient":
        return [(fixed, fixed) for _, fixed in pairs]
    called = next((eqn.params[k] for k in CALLS if k in eqn.params), None)
    loops = name in ("scan", "while", "cond")
    if loops and any(map(stops, inner_jaxprs(eqn))):
        raise NotImplementedError(f"a gradient is stopped within {name}")
    if called is not None and not loops and name != "pallas_call":
        # of a custom derivative nothing is stopped: its author says what it is
        plain, consts = getattr(called, "jaxpr", called), getattr(called, "consts", ())
        if not name.startswith(CUSTOM):
            return _run(plain, consts, pairs)
        sides = [_plainly(plain, consts, [p[k] for p in pairs]) for k in (0, 1)]
    else:
        values = [[p[k] for p in pairs] for k in (0, 1)]
        if is_lineax(eqn):
            values = [factored_anew(eqn, side) for side in values]
        sides = [bound(eqn, side) for side in values]
    return [*zip(*sides, strict=True)]


def _plainly(jaxpr: Any, consts: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The outputs of a jaxpr in which nothing is stopped: both points are one."""
    return [pair[0] for pair in _run(jaxpr, consts, [(x, x) for x in values])]


def bound(eqn: Any, values: Sequence[Any]) -> list[Any]:
    """The results of an equation that holds no function, run by JAX."""
    found = eqn.primitive.bind(*values, **eqn.params)
    return list(found) if eqn.primitive.multiple_results else [found]
