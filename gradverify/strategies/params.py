"""Params by their names: every legal choice for an op and an operand's shape."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from gradverify.ops import OPS, Shape
from gradverify.strategies.layer_choices import kept, masks
from gradverify.strategies.own_shapes import OWN_CHOICES

# The last three are no dyadic numbers; the floats nearest to them are meant.
EXPONENTS = (2, 3, -1, 1, 0.5, 0, -2, 1.5, -0.5, 2.0, -1.0, 0.0, 1.0, 3.0, -1.5,
             0.1, 1 / 3, 2.7)  # fmt: skip

# Simplest first. Small: the mistakes that depend on a shape show at 1, 2 and 3.
SHAPES: tuple[Shape, ...] = (
    (), (2,), (3,), (1,), (2, 2), (2, 3), (3, 2), (1, 2), (2, 1), (3, 3), (1, 1),
)  # fmt: skip
EMPTY: tuple[Shape, ...] = ((0,), (0, 2), (2, 0))


def _axes(shape: Shape) -> Iterable[Any]:
    """None, every axis from either end, all axes written out, and no axis.

    One more axis than the operand has is among them, since `stack` may put its new one
    last.
    """
    rank = len(shape)
    yield None
    yield from ((a,) for a in range(-1, rank + 1))
    yield from ((a,) for a in range(-rank - 1, -1))
    if rank > 1:
        yield tuple(range(rank))
    yield ()


def _targets(shape: Shape) -> Iterable[Any]:
    """Shapes with as many elements, and shapes to which the operand broadcasts."""
    size = math.prod(shape)
    yield from ((size,), shape[::-1], (size, 1), (1, size), shape, (2, *shape))
    yield from SHAPES


def _orders(shape: Shape) -> Iterable[Any]:
    yield None
    yield from itertools.permutations(range(len(shape)))


# Ends of a clip. Dyadic, so that they are the same numbers in every dtype.
ENDS = (-1.0, 1.0, 0.0, 2.0, -0.5, 0.5)

SUBSCRIPTS = (
    "i,i->", "i,i->i", "i,j->ij", "i,j->ji", "ij,j->i", "i,ij->j", "ij,jk->ik",
    "ij,kj->ik", "ji,jk->ki", "ij,ij->ij", "ij,ji->", "ij,ij->i", "ij,jk->k",
    "ij,i->j", "i,jk->ki",
)  # fmt: skip

CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "axis": _axes,
    "keepdims": lambda shape: (False, True),
    "n": lambda shape: EXPONENTS,
    "shape": _targets,
    "axes": _orders,
    "approximate": lambda shape: ("none", "tanh"),
    "low": lambda shape: ENDS,
    "high": lambda shape: (1.0, 2.0, 0.0, 0.5, -0.5, 3.0),
    "lambd": lambda shape: (0.5, 1.0, 0.0, 2.0),
    "threshold": lambda shape: (1.0, 0.0, -0.5, 20.0),
    "value": lambda shape: (1.0, 0.5, -2.0, 0.0, 3.0),
    "least": lambda shape: (0.125, 0.0, 0.3, -0.5),
    "most": lambda shape: (1 / 3, 0.5, 1.5),
    "d": lambda shape: (1, 2, 3),
    "a": lambda shape: (1.0, 0.5, 2.0, 2.5, 10.0, 0.1),
    "b": lambda shape: (1.0, 0.5, 3.0, 4.5),
    "s": lambda shape: (2.0, 1.5, 3.0, 1.1, 10.0),
    "exponent": lambda shape: (1, -1, 3, -4, 0),
    "ddof": lambda shape: (0, 1),
    "start": lambda shape: range(3),
    "stop": lambda shape: range(1, 4),
    "subscripts": lambda shape: SUBSCRIPTS,
    **OWN_CHOICES,
}


# Params that go by the shapes of all operands.
OF_SHAPES: Mapping[str, Callable[..., Iterable[str]]] = {"mask": masks, "kept": kept}


@lru_cache(maxsize=4096)
def result_shape(op: str, shapes: tuple[Shape, ...], params: Any) -> Shape | None:
    """The shape of the result, or None if the shapes or params are not legal."""
    try:
        return OPS[op].shape(*shapes, **dict(params))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def legal_params(op: str, *shapes: Shape) -> tuple[tuple[tuple[str, Any], ...], ...]:
    """All legal choices of an op's params for its operands, the simplest first.

    Each is a tuple of (name, value) pairs. An op without params has one choice: the
    empty tuple.
    """
    names = OPS[op].params
    if not names:
        return ((),)
    found = {}
    menus = (_menu(op, name, shapes) for name in names)
    for values in itertools.product(*menus):
        params = tuple(zip(names, values, strict=True))
        shape = result_shape(op, shapes, params)
        is_drawn = shape is not None and (0 not in shape or 0 in sum(shapes, ()))
        if is_drawn:  # an empty slice of something checks nothing
            found[repr(params)] = params
    return tuple(found.values())


def _menu(op: str, name: str, shapes: tuple[Shape, ...]) -> Iterable[Any]:
    """The values that a param may have; `LookupError` if the table has no such
    param.
    """
    if name in OF_SHAPES:
        return OF_SHAPES[name](shapes)
    choices = CHOICES.get(f"{op}.{name}", CHOICES.get(name))
    if choices is None:
        raise LookupError(
            f"{op} has a param {name!r} without a row in CHOICES: add the values that "
            "it may have to gradverify/strategies/params.py"
        )
    return choices(shapes[0])
