"""The points at which a function is looked at, and the cotangents that are pulled back.

The given point comes first. Then come points of ordinary numbers, points near the given
one, and points of values that break rules; all within the domain that the user states.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.capture.symmetric_arguments import kept_symmetric
from gradverify.expressions import Expression, parse
from gradverify.graph import Array
from gradverify.strategies.points import Values, array_of

ORDINARY = 20.0  # numbers up to this size are such as people look at


@dataclass(frozen=True, eq=False)
class FunctionPoint:
    """A point, and how it came about.

    kind: "given", "near" that one, "ordinary", "tied", "holed" or "hostile".
    """

    point: tuple[Array, ...]
    kind: str

    @property
    def is_ordinary(self) -> bool:
        """Whether a deviation here is no matter of huge or tiny numbers."""
        return self.kind != "hostile"

    @property
    def is_generic(self) -> bool:
        """Whether it is such as functions are at almost everywhere."""
        return self.kind not in ("hostile", "tied", "holed")

    def evened(self) -> FunctionPoint:
        """The place with every array the same along its first axis."""
        point = tuple(
            np.ascontiguousarray(np.broadcast_to(x[:1], x.shape))
            if x.ndim and x.size
            else x
            for x in self.point
        )
        return FunctionPoint(point, "near" if self.kind == "given" else self.kind)


def places(
    given: Sequence[Array],
    dtype: str,
    seed: int,
    allowed: Callable[..., bool],
    symmetric: frozenset[int] = frozenset(),
) -> Iterator[FunctionPoint]:
    """The given point, then others without end; only allowed ones.

    symmetric: the arguments, by position, that stay symmetric matrices.
    """
    source = np.random.default_rng(seed)
    choices = random.Random(seed)
    yield FunctionPoint(tuple(given), "given")
    kinds = (
        "ordinary", "near", "tied", "hostile", "ordinary", "holed", "hostile", "near",
    )  # fmt: skip
    k = 0
    while True:
        kind = kinds[k % len(kinds)]
        k += 1
        point = tuple(_moved(kind, given, dtype, source, choices))
        point = kept_symmetric(point, symmetric)
        if allowed(*point):
            yield FunctionPoint(point, kind)


def _moved(
    kind: str, given: Sequence[Array], dtype: str, source: Any, choices: random.Random
) -> Iterator[Array]:
    before: Array | None = None
    for x in given:
        if kind == "near":
            size = np.where(x == 0, 0.1, 0.25 * np.abs(x))
            made = x + size * source.uniform(-1.0, 1.0, x.shape)
        elif kind == "ordinary":
            made = source.standard_normal(x.shape) * choices.choice([0.5, 1.0, 2.0])
        elif kind == "tied":
            made = _tied(source.standard_normal(x.shape), before)
        elif kind == "holed":
            made = source.standard_normal(x.shape)
            if made.size > 1:  # one zero, among numbers that are none
                made.flat[source.integers(made.size)] = 0.0
        else:
            entries = [choices.randrange(100) for _ in range(choices.randint(1, 6))]
            values = Values(choices.randrange(100), entries)
            made = array_of(values, x.shape, before, dtype)
        before = np.asarray(made, dtype)
        yield before


Cotangents = Callable[[Sequence[tuple[int, ...]], str, Any], tuple[Array, ...]]
"""How cotangents for outputs of these shapes and this dtype are drawn from a source."""


def _tied(x: Array, before: Array | None) -> Array:
    """An array whose largest and smallest entries stand twice, beside themselves.

    before: the argument before it. One of the same shape has an entry of it.
    """
    if before is not None and x.shape == before.shape and x.size:
        x.flat[x.size // 2] = before.flat[x.size // 2]
    for places in (np.argmin, np.argmax):  # the largest is not written over
        if x.ndim and x.shape[-1] > 1:
            at = np.unravel_index(int(places(x)), x.shape)
            beside = at[-1] - 1 if at[-1] else 1
            x[(*at[:-1], beside)] = x[at]
    return x


def cotangents(
    shapes: Sequence[tuple[int, ...]], dtype: str, source: Any
) -> tuple[Array, ...]:
    """A cotangent for each output: of mixed signs, of many digits, now and then with
    zeros or of another size; never 1.
    """
    size = float(source.choice([1.0, 1.0, 1.0, 1e3, 1e-3]))
    found = []
    for shape in shapes:
        w = size * source.uniform(0.5, 2.0, shape) * source.choice([-1.0, 1.0], shape)
        if w.size > 1 and source.random() < 0.25:
            w = np.where(source.random(shape) < 0.3, 0.0, w)
        found.append(np.asarray(w).astype(dtype))
    return tuple(found)


def even_cotangents(
    shapes: Sequence[tuple[int, ...]], dtype: str, source: Any
) -> tuple[Array, ...]:
    """One number for all entries of an output."""
    return tuple(np.full(s, source.uniform(0.5, 2.0)).astype(dtype) for s in shapes)


def cotangents_of_one(k: int) -> Cotangents:
    """Cotangents of output k alone; those of the others are 0."""

    def drawn(
        shapes: Sequence[tuple[int, ...]], dtype: str, source: Any
    ) -> tuple[Array, ...]:
        whole = [source.uniform(0.5, 2.0, s).astype(dtype) for s in shapes]
        return tuple(w if i == k else np.zeros_like(w) for i, w in enumerate(whole))

    return drawn


# ---- the domain


def domain_of(text: str | None, names: Sequence[str]) -> Callable[..., bool]:
    """Whether a point lies in a domain such as `"x > 0"` or `"0 < p < 1 and q != 0"`.

    names: of the arguments in their order. Raises `ValueError` that names what is not
    understood.
    """
    if text is None:
        return lambda *point: True
    expression = parse(text)
    known = [_normal(name) for name in names]
    _checked(expression, expression.tree, known)
    return lambda *point: bool(
        np.all(_evaluated(expression.tree, dict(zip(known, point, strict=True))))
    )


def _normal(name: str) -> str:
    """A name such as `batch["x"]` as Python writes it."""
    try:
        return ast.unparse(ast.parse(name, mode="eval"))
    except SyntaxError:
        return name


_ORDERS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_SUMS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
ALLOWED = "comparisons of arguments and numbers, abs, + - * /, and, or, not"


def _checked(whole: Expression, tree: ast.expr, names: Sequence[str]) -> None:
    """Refuse what is no condition over the arguments."""
    if ast.unparse(tree) in names:
        return
    match tree:
        case ast.Compare(ops=ops) if all(type(o) in _ORDERS for o in ops):
            parts = [tree.left, *tree.comparators]
        case ast.BoolOp():
            parts = tree.values
        case ast.BinOp(op=op) if type(op) in _SUMS:
            parts = [tree.left, tree.right]
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            parts = [tree.operand]
        case ast.Call(func=ast.Name(id="abs"), args=[_], keywords=[]):
            parts = tree.args
        case ast.Name(id=name):
            whole.refuse(tree, f"{name} is no argument", ", ".join(names))
        case ast.Constant():
            whole.number(tree)
            return
        case _:
            whole.refuse(tree, f"{whole.source(tree)} is not understood", ALLOWED)
    for part in parts:
        _checked(whole, part, names)


@np.errstate(all="ignore")
def _evaluated(tree: ast.expr, values: Mapping[str, Any]) -> Any:
    if (name := ast.unparse(tree)) in values:
        return values[name]
    match tree:
        case ast.Compare():
            sides = [_evaluated(x, values) for x in (tree.left, *tree.comparators)]
            pairs = zip(tree.ops, sides, sides[1:], strict=False)
            return np.all([np.all(_ORDERS[type(o)](a, b)) for o, a, b in pairs])
        case ast.BoolOp():
            found = [bool(np.all(_evaluated(x, values))) for x in tree.values]
            return all(found) if isinstance(tree.op, ast.And) else any(found)
        case ast.BinOp():
            left, right = _evaluated(tree.left, values), _evaluated(tree.right, values)
            return _SUMS[type(tree.op)](left, right)
        case ast.UnaryOp(op=ast.Not()):
            return not np.all(_evaluated(tree.operand, values))
        case ast.UnaryOp():
            return -_evaluated(tree.operand, values)
        case ast.Call():
            return np.abs(_evaluated(tree.args[0], values))
        case ast.Constant():
            return tree.value
    raise ValueError(f"{tree!r} was not checked")
