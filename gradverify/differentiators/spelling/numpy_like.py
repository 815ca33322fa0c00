"""What libraries share whose functions are those of NumPy: autograd and JAX."""

from __future__ import annotations

from gradverify.differentiators.spelling.source_rows import (
    OPERATORS,
    Row,
    calls,
    sliced,
)

COMMON = (
    "exp log sin cos tanh sqrt abs maximum where sign square reciprocal exp2 expm1 "
    "log2 log10 log1p tan sinh cosh minimum hypot logaddexp sum mean prod max min var "
    "std"
)
RENAMED = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
}


def numpy_rows(m: str) -> dict[str, Row]:
    """The rows that both have; m is the name under which the module is imported."""
    return {
        **OPERATORS,
        **calls(m, COMMON, **RENAMED),
        "clip": lambda x, low, high: f"{m}.clip({x}, {low!r}, {high!r})",
        "cumsum": lambda x, axis: f"{m}.cumsum({x}, {axis[0]})",
        "slice": sliced,
        "concatenate": lambda a, b, axis: f"{m}.concatenate(({a}, {b}), {axis[0]})",
        "stack": lambda a, b, axis: f"{m}.stack(({a}, {b}), {axis[0]})",
        "einsum": lambda a, b, subscripts: f"{m}.einsum({subscripts!r}, {a}, {b})",
        "reshape": lambda x, shape: f"{m}.reshape({x}, {tuple(shape)!r})",
        "transpose": lambda x, axes=None: f"{m}.transpose({x}, {axes!r})",
        "broadcast_to": lambda x, shape: f"{m}.broadcast_to({x}, {tuple(shape)!r})",
    }
