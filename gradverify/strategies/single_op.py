"""One op alone on fresh leaves, at a point moved into its domain."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from gradverify.graph import Array, Case, Limits, input_leaf, literal_leaf
from gradverify.ops import OPS, Op, Shape
from gradverify.ops.shapes import broadcast_to, elementwise
from gradverify.strategies.choices import Ending, Input, OpChoice
from gradverify.strategies.draft import Draft, Grown, Scope, is_within_room
from gradverify.strategies.ending import finished
from gradverify.strategies.leaves import data_of, literal, mask, shapes
from gradverify.strategies.own_shapes import OWN_SHAPES, OWN_VALUES
from gradverify.strategies.params import legal_params, result_shape
from gradverify.strategies.points import array_of

# An operand's kind, by its choice: below SAME an input of its own; below LITERAL the
# same input as the one before; below DATA a Python number; else an array of data.
SAME, LITERAL, DATA = 60, 70, 86


def alone(
    step: OpChoice, inputs: Sequence[Input], ending: Ending, scope: Scope
) -> Case:
    """The chosen op on leaves of its own, contracted to a scalar.

    If the shapes do not fit, the next ones that do are taken. If the point lies outside
    the open domain or the limits, the nearest plain point inside is taken. These are
    tried in order: signs dropped, zeros made ones, sizes cut, all entries below 1 or
    above it, entries moved apart, 1, 1/2 or 2 everywhere, and at last the points to
    which the op's domain moves it, and one of ones.
    """
    row = OPS[step.op]
    kinds, found = operands_of(row, inputs, scope.limits)
    apart = ["input" if kind == "same" else kind for kind in kinds]
    # an op of twice the same may have no point at all inside its domain
    for tried in [kinds, apart] if "same" in kinds else [kinds]:
        leaves = _leaves(row, tried, found, inputs, scope)
        with np.errstate(all="ignore"):
            plainer = itertools.product(*(_moved(leaf, scope) for leaf in leaves))
            last = (_inside(row, x) for x in (leaves, _as_ones(leaves)))
            for moved in itertools.chain([leaves], plainer, *last):
                draft = Draft(scope)
                if _put(draft, row, step, tried, moved):
                    return finished(draft, ending)
    raise ValueError(
        f"no operands for {row.name} within {scope}; allow it more ranks, or leave "
        "it out of ops"
    )


def operands_of(
    row: Op, inputs: Sequence[Input], limits: Limits
) -> tuple[list[str], Sequence[Shape]]:
    """What each operand is, and its shape; masks are left out.

    `ValueError` if no shapes within the limits fit.
    """
    kinds = _kinds(row, inputs, limits)
    if row.name in OWN_SHAPES:
        found = _layer_shapes(row, inputs, limits)
        return _possible(kinds, found), found
    return kinds, _shapes(row, kinds, inputs, limits)


def _kinds(row: Op, inputs: Sequence[Input], limits: Limits) -> list[str]:
    """What each operand is, masks left out. At least one operand is an input."""
    kinds: list[str] = []
    for k in range(row.arity - len(row.masks)):
        choice = inputs[k].kind if k < len(inputs) else SAME
        kinds.append(_kind(row, choice, limits))
        if kinds[-1] == "same" and "input" not in kinds:
            kinds[-1] = "input"
    if "input" not in kinds:
        kinds[0] = "input"
    return kinds


def _kind(row: Op, choice: int, limits: Limits) -> str:
    if choice < SAME or row.arity == 1:
        return "input"
    if choice < LITERAL:
        return "same"
    if choice < DATA and limits.literals and row.operator:
        return "literal"
    return "data" if choice >= DATA and limits.data else "input"


def _shapes(
    row: Op, kinds: Sequence[str], inputs: Sequence[Input], limits: Limits
) -> list[Shape]:
    """A shape for each operand: the chosen ones, or the next in the pool that fit."""
    pool = shapes(limits)
    orders: list[Sequence[Shape | None]] = []
    for k, kind in enumerate(kinds):
        if kind in ("input", "data"):
            start = inputs[k % len(inputs)].shape % len(pool)
            orders.append(pool[start:] + pool[:start])
        else:
            orders.append((() if kind == "literal" else None,))
    for picked in itertools.product(*orders):
        result: list[Shape] = []
        for kind, shape in zip(kinds, picked, strict=True):
            last = [s for s, k in zip(result, kinds, strict=False) if k == "input"]
            result.append(last[-1] if kind == "same" else shape or ())
        if _fits(row, result, kinds, limits):
            return result
    raise ValueError(f"{row.name} has no operands of ranks {list(limits.ranks)}")


def _layer_shapes(row: Op, inputs: Sequence[Input], limits: Limits) -> Sequence[Shape]:
    """The shapes of a layer's operands: those chosen, or the next within the limits."""
    menu = OWN_SHAPES[row.name]
    start = inputs[0].shape % len(menu)
    for found in menu[start:] + menu[:start]:
        if all(len(s) in limits.ranks for s in found) and _fits(row, found, (), limits):
            return found
    raise ValueError(f"{row.name} has no operands of ranks {list(limits.ranks)}")


def _possible(kinds: Sequence[str], found: Sequence[Shape]) -> list[str]:
    """The kinds; a repeated operand whose shape differs becomes an input."""
    result: list[str] = []
    last: Shape | None = None
    for kind, shape in zip(kinds, found, strict=True):
        result.append("input" if kind == "same" and shape != last else kind)
        last = shape if result[-1] == "input" else last
    return result


def _fits(
    row: Op, found: Sequence[Shape], kinds: Sequence[str], limits: Limits
) -> bool:
    arrays = {s for s, kind in zip(found, kinds, strict=False) if kind != "literal"}
    spreads = len(arrays) > 1 if row.shape is elementwise else row.shape is broadcast_to
    if spreads and not limits.broadcasting:
        return False
    whole = result_shape("add", tuple(found), ()) or () if row.masks else ()
    found = [*found]
    for position in row.masks:
        found.insert(position, whole)
    results = (
        result_shape(row.name, tuple(found), params)
        for params in legal_params(row.name, *found)
    )
    return any(s is not None and len(s) in limits.ranks for s in results)


def _leaves(
    row: Op,
    kinds: Sequence[str],
    found: Sequence[Shape],
    inputs: Sequence[Input],
    scope: Scope,
) -> list[Grown]:
    """A leaf for each operand. A repeated operand is the same object."""
    leaves: list[Grown] = []
    followed: list[Grown] = []
    before = None
    for k, (kind, shape) in enumerate(zip(kinds, found, strict=True)):
        choice = inputs[k % len(inputs)]
        if kind == "same":
            leaves.append(followed[-1])
        elif kind == "literal":
            leaves.append(literal(choice.kind - LITERAL))
        else:
            before = array_of(
                choice.values, shape, before, scope.dtype, widest=scope.edges
            )
            if row.name in OWN_VALUES:
                before = OWN_VALUES[row.name](before, choice.kind)
            is_input = kind == "input"
            leaf = Grown(input_leaf(shape), before) if is_input else data_of(before)
            leaves.append(leaf)
            followed += [leaf] * is_input
    return leaves


def _moved(leaf: Grown, scope: Scope) -> list[Grown]:
    """The leaf with its value, then with values that get plainer and plainer.

    Away from the edges, those outside the room are left out. Otherwise a huge entry of
    a convolution's first operand would have all values of the other two tried beside
    it, for all params, and to no end.
    """
    variants = _plainer(leaf)
    if scope.edges:
        return variants
    return [x for x in variants if is_within_room(x, scope)] or variants


def _plainer(leaf: Grown) -> list[Grown]:
    value = np.asarray(leaf.value)
    if value.dtype.kind == "i":
        return [leaf, literal(1)]
    whole = np.where(value == 0, 1.0, value)
    cut = [np.clip(whole, -c, c) for c in (80.0, 20.0, 5.0)]
    below = [x / (1.0 + np.abs(x)) for x in (value, cut[-1])]
    signed = [value, whole, *cut, *below]
    above = [1.0 + np.abs(x) for x in (value, cut[-1])]
    apart = [x + np.arange(x.size).reshape(x.shape) for x in (value, cut[-1])]
    variants = [v for x in signed for v in (x, np.abs(x))]
    variants += [*above, *apart, *(np.full_like(value, c) for c in (1.0, 0.5, 2.0))]
    distinct = {v.tobytes(): v for v in variants}.values()
    return [leaf, *(_with_value(leaf, v) for v in list(distinct)[1:])]


def _inside(row: Op, leaves: Sequence[Grown]) -> Iterator[list[Grown]]:
    """The leaves moved into the op's domain for these params.

    Where they lie inside as doubles, but not in their own format, as a matrix that is
    all but singular, they are moved all the same.
    """
    values = [np.asarray(leaf.value, np.float64) for leaf in leaves]
    mask_shape = np.broadcast_shapes(*(x.shape for x in values)) if row.masks else ()
    for position in row.masks:
        values.insert(position, np.ones(mask_shape, bool))
    for params in legal_params(row.name, *(x.shape for x in values)):
        for move in (row.domain.moved, row.domain.into):
            moved = move(*values, **dict(params))
            given = (np.asarray(x) for k, x in enumerate(moved) if k not in row.masks)
            new: dict[int, Grown] = {}
            for leaf, x in zip(leaves, given, strict=True):
                # one that is used twice may have to be moved for one use alone
                if id(leaf) not in new or np.any(x != leaf.value):
                    new[id(leaf)] = _with_value(leaf, x)
            yield [new[id(leaf)] for leaf in leaves]


def _as_ones(leaves: Sequence[Grown]) -> list[Grown]:
    """The leaves with ones in them; one that is used twice stays one."""
    ones = {id(x): _with_value(x, np.ones(np.shape(x.value))) for x in leaves}
    return [ones[id(leaf)] for leaf in leaves]


def _with_value(leaf: Grown, value: Array) -> Grown:
    if leaf.node.op == "input":
        return Grown(leaf.node, value.astype(leaf.value.dtype))
    if leaf.node.op == "data":
        return data_of(value.astype(leaf.value.dtype))
    return Grown(literal_leaf(value.item()), value.item())


def _put(
    draft: Draft, row: Op, step: OpChoice, kinds: Sequence[str], leaves: Sequence[Grown]
) -> bool:
    operands: list[int | Grown] = []
    last = -1
    for kind, leaf in zip(kinds, leaves, strict=True):
        if kind == "input":
            last = draft.put(leaf)
        operands.append(last if kind in ("input", "same") else leaf)
    known = [draft.shape_of(x) for x in operands]
    for position in row.masks:
        operands.insert(position, mask(draft, known, step.params))
    menu = legal_params(row.name, *map(draft.shape_of, operands))
    places = (menu[(step.params + k) % len(menu)] for k in range(len(menu)))
    return any(draft.try_op(row.name, operands, params) for params in places)
