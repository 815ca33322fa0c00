"""Slips that put one thing in place of another.

They take the derivative of another op, another point, a narrower number format, or
another cotangent. As in `operand_slips`, each function takes an application of an op
and a key. It gives the bars that the application passes on if it is made with that
slip, or None if the slip does not apply. For example, `stale` differentiates at the
operands of the run before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradverify.diagnosis.operand_slips import Key, spread
from gradverify.diagnosis.right_sweep import Application, Bars, pullback, value_of
from gradverify.formats import format_of, narrower_than
from gradverify.ops import OPS
from gradverify.ops import shapes as s

Params = Mapping[str, Any]

# ---- another derivative


def others(a: Application) -> list[Key]:
    """Ops that could be taken for this one, as pairs of a name and params."""
    op, shape, params = a.node.op, OPS[a.node.op].shape, a.node.params
    if op in VARIANTS:
        return VARIANTS[op](params)
    if a.is_elementwise:
        return _alike(len(a.xs), s.elementwise, op)
    kept = tuple(sorted(params.items()))
    if shape in REDUCTIONS:
        return [
            (row.name, tuple(p for p in kept if p[0] in row.params))
            for row in OPS
            if row.shape in REDUCTIONS
            and not row.internal
            and row.name not in (op, *UNTABLED)
        ]
    if shape is s.along:
        along = [r.name for r in OPS if r.shape is s.along and not r.internal]
        return [(name, kept) for name in along if name != op]
    return []


def _exponents(params: Params) -> list[Key]:
    n = params["n"]
    return [("power", (("n", k),)) for k in (n + 1, n - 1, -n) if k not in (0, 1)]


def _forms(params: Params) -> list[Key]:
    form = "none" if params.get("approximate") == "tanh" else "tanh"
    return [("gelu", (("approximate", form),)), *_alike(1, s.elementwise, "gelu")]


# The ops that may be taken for themselves with other params.
VARIANTS: Mapping[str, Callable[[Params], list[Key]]] = {
    "power": _exponents,
    "gelu": _forms,
}
KINKED = ("abs", "relu", "leaky_relu", "maximum", "minimum")
REDUCTIONS = (s.reduction, s.nonempty_reduction, s.spread, s.deviation, s.norm)
# Their partials are 0, 1 or -1, which would be a dropped factor or a sign instead.
UNTABLED = (
    "add", "sub", "neg", "sign", "slack", "slack_back", "step", "peak", "accumulate",
    "where",
)  # fmt: skip
# Internal ops that are no public op with a factor, so that a rule may name them.
INTERNAL = ("sech",)


def _alike(arity: int, shape: Any, op: str) -> list[Key]:
    return [
        (row.name, ())
        for row in OPS
        if row.arity == arity
        and row.shape is shape
        and row.name not in (op, *UNTABLED)
        and (row.name in KINKED) == (op in KINKED)
        and (not row.internal or row.name in INTERNAL)
    ]


def of_another(a: Application, key: Key) -> Bars | None:
    op, params = key[0], dict(key[1])
    with np.errstate(all="ignore"):
        if a.is_elementwise:
            return a.through(a.partials(op, params))
        y = value_of(op, params, a.xs)
        found = pullback(op, params, a.dtype, a.ct, y, a.xs)
    return [b if f else None for b, f in zip(found, a.follows, strict=True)]


def value(a: Application, key: Key) -> Bars | None:
    if a.is_elementwise:
        return a.through([a.y] * len(a.xs))
    if len(a.xs) == 1 and a.has_axis:
        return [spread(a, a.ct * a.y, 0)]
    return None


def operands(a: Application) -> list[Key]:
    """The operands that may be taken for a derivative, where there are several."""
    return [*range(len(a.xs))] if a.is_elementwise and len(a.xs) > 1 else []


def operand(a: Application, key: Key) -> Bars:
    """The cotangent times an operand."""
    return a.through([np.broadcast_to(a.xs[key], a.node.shape)] * len(a.xs))


def diagonal(a: Application, key: Key) -> Bars | None:
    """Only what each entry of the result receives from its own entry of the operand."""
    if OPS[a.node.op].shape is not s.along or np.size(a.y) < 2:
        return None
    size = np.size(a.y)
    units = np.eye(size, dtype=np.longdouble).reshape(size, *a.node.shape)
    (rows,) = pullback(a.node.op, a.node.params, a.dtype, units, a.y, a.xs)
    return [a.ct * np.diagonal(rows.reshape(size, size)).reshape(a.node.shape)]


# ---- at another point, in another format


RUN_BEFORE = "of the run before"
OWN_RESULT = "that are its own result"
WHOLE_NUMBERS = "rounded to whole numbers"


def at(a: Application, xs: tuple[Any, ...]) -> Bars:
    y = value_of(a.node.op, a.node.params, xs)
    found = pullback(a.node.op, a.node.params, a.dtype, a.ct, y, xs)
    return [b if f else None for b, f in zip(found, a.follows, strict=True)]


def moments(a: Application) -> list[Key]:
    if not any(a.follows):
        return []
    earlier = [RUN_BEFORE] if a.before is not None else []
    own = [OWN_RESULT] if a.is_elementwise and len(a.xs) == 1 else []
    return [*earlier, *own, WHOLE_NUMBERS]


def stale(a: Application, key: Key) -> Bars | None:
    if key == RUN_BEFORE:
        return None if a.before is None else at(a, a.before)
    if key == OWN_RESULT:
        return at(a, (a.y,))
    return at(a, tuple(x if _is_mask(x) else np.rint(x) for x in a.xs))


def _is_mask(x: Any) -> bool:
    return bool(np.asarray(x).dtype == bool)


def narrower(x: Any, form: str, less: int = 0) -> Any:
    """x rounded to the significand of a format; the exponent is not limited.

    less: bits of the significand that are left out as well.
    """
    if _is_mask(x):
        return x
    mantissa, exponent = np.frexp(x)
    bits = format_of(form).precision - less
    return np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)


def roundings(a: Application) -> list[Key]:
    forms = [row.name for row in narrower_than(np.dtype(a.dtype).name)]
    what = ["the operands"] + (["the partial"] if a.is_elementwise else ["the result"])
    return [(w, f) for f in forms for w in what]


def rounded(a: Application, key: Key) -> Bars | None:
    what, form = key
    if what == "the operands":
        return at(a, tuple(narrower(x, form) for x in a.xs))
    if what == "the partial":
        return a.through([narrower(p, form) for p in a.partials()])
    return [None if b is None else narrower(b, form) for b in a.bars]


# ---- the cotangent


def ignored(a: Application, key: Key) -> Bars | None:
    ones = np.ones(np.shape(a.ct), np.longdouble)[()]
    return _with(a, ones)


def squared(a: Application, key: Key) -> Bars | None:
    return _with(a, a.ct * a.ct)


def _with(a: Application, ct: Any) -> Bars:
    found = pullback(a.node.op, a.node.params, a.dtype, ct, a.y, a.xs)
    return [b if f else None for b, f in zip(found, a.follows, strict=True)]
