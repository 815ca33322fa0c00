"""What an operand may be that a file leaves open: the values that are tried for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import KNOWN_ENTRIES
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.open_parameters import IDS, LABELS, OUTSIDE, OpenParameter
from gradverify.claims.code.penalties import PENALTY
from gradverify.claims.code.stand_ins import stand_ins
from gradverify.claims.computation.bindings import Counted, Function, Layer, Value
from gradverify.claims.computation.file_program import Leaf

# All different, so that a transposed matrix does not fit; odd, so that the mean over
# them cancels no factor 2.
ROWS, INPUTS, OUTPUTS = 3, 5, 7

# fmt: off
MATRICES = (
    (ROWS, INPUTS), (INPUTS, OUTPUTS), (ROWS, 1), (INPUTS, 1), (ROWS, OUTPUTS),
    (1, OUTPUTS), (1, INPUTS), (INPUTS, ROWS), (OUTPUTS, INPUTS), (1, ROWS),
    (OUTPUTS, 1), (1, 1),
    (ROWS, 2), (ROWS, 4),  # for weights of a file's own sizes
)
VECTORS = ((OUTPUTS,), (INPUTS,), (ROWS,))
# Small, since a loop goes over all their windows.
IMAGES = (
    (2, 2, 3, 3), (3, 2, 2, 2), (2, 3, 3, 2), (2, 2, 2, 3), (2, 2, 4, 4), (2, 4, 4, 2),
    (2, 3, 3), (3, 3, 2), (3, 3), (2, 2, 3), (2, 4, 4), (4, 4, 2), (1, 1, 1, 3),
    (2, 3, 2, 5), (2, 2, 5, 5),
)
# fmt: on
SIZES = (INPUTS, OUTPUTS, ROWS)
SMALL = (2, 3)  # of what is moved over an image, and of its channels
IS_SMALL = re.compile(
    r"(?i)(?:kernel|filter|pool|window|patch|field|k|f|ker)_?(?:size|h|w|height|width|dim)?|"
    r"k[hw]|size|(?:\w+_)?channels?(?:_\w+)?|[ci]_?(?:in|out)|depth|"
    r"(?:num|n|number_of)_?(?:filters?|kernels?|maps?)|filters"
)
STRIDE = re.compile(r"(?i)strides?(?:_?[hwxy])?")
PADDING = re.compile(r"(?i)pad(?:ding)?(?:_?[hwxy])?")
SMALL_NUMBER = re.compile(r"(?i)eps(?:ilon)?")  # that keeps a root from 0
LEARNING_RATE = re.compile(r"(?i)learning_rate|lr")
WINDOW = re.compile(r"(?i)(?:kernel|filter|pool|window|patch|field)")
SHAPE = re.compile(r"(?i)\w*(?:shape|size|dims?|dimensions?)")
LAYER_SIZES = (INPUTS, OUTPUTS, ROWS)  # of a network: its input, one layer, its output
ANY_NUMBER = "is any number"
GATES = 4  # into which a product is cut at most
STATE = 2  # of as many entries, since weights have as many for each gate
IS_STATE = re.compile(r"(?i)(?:\w+_)?(?:[hcs]|state|cell|hidden)(?:_\w+|\d|prev|next)?")
IS_BIAS = re.compile(r"(?i)b\w{0,2}|bias\w*")
IS_WEIGHT = re.compile(r"[WUwu]\w{0,3}|(?:\w+_)?weights?(?:_\w+)?|kernel|params?")
OF_STATE = re.compile(r"(?i)[wu]_?h\d?|u|\w*(?:rec|hh|hid)\w*")
SQUARE = re.compile(
    r"(?i)[wu]_?(\w)\1|[wu]_?rec\w*|u"
)  # weights from a state to itself


def of_the_file(code: Journal, parameter: OpenParameter) -> Callable[[], Value] | None:
    """What the file itself calls so, if anything."""
    if parameter.table or parameter.key.startswith(OUTSIDE):
        return None
    known = code.names.get(parameter.name)
    is_small = not isinstance(known, Symbol) or np.prod(known.shape) <= KNOWN_ENTRIES
    if isinstance(known, Symbol | dict) and is_small:
        return lambda: dict(known) if isinstance(known, dict) else known
    return None


def candidates(
    code: Journal, parameter: OpenParameter
) -> Iterator[Callable[[], Value]]:
    """What an operand may be that the file does not give."""
    if parameter.may_lack and parameter.is_setting and not parameter.is_called:
        yield lambda: None
        return
    if parameter.texts:
        yield from (partial(str, text) for text in parameter.texts)
        return
    keys = tuple(k for t in parameter.tables for k in _keys(code, t))
    if keys:
        yield from (partial(str, key) for key in keys)
        return
    if parameter.is_called:
        yield from (s.anew for s in stand_ins(parameter.name))
        return
    if parameter.is_table:
        yield dict
        return
    if parameter.is_chance:
        yield lambda: Layer("generator")
        return
    if parameter.is_sizes:
        yield lambda: tuple(Counted(n) for n in LAYER_SIZES)
        return
    if SMALL_NUMBER.fullmatch(parameter.name) and not parameter.least:
        yield partial(_stated, code, np.asarray(Fraction(1, 100), dtype=object))
        return
    factors = (PENALTY, LEARNING_RATE)
    if any(f.fullmatch(parameter.name) for f in factors) and not parameter.least:
        yield partial(any_number, code, parameter.name, ())
        return
    is_number = parameter.is_setting or parameter.table or parameter.is_size
    for names, ends in ((STRIDE, (1, 2)), (PADDING, (1, 0))):
        if names.fullmatch(parameter.name):
            yield from (partial(Counted, n) for n in ends)
            return
    is_length = not parameter.is_operand or parameter.name.endswith("_size")
    if is_number and IS_SMALL.fullmatch(parameter.name) and is_length:
        yield from (partial(Counted, n) for n in SMALL)
    shapes = lengths_of(parameter)
    if shapes:
        yield from (partial(tuple, [Counted(n) for n in s]) for s in shapes)
        return
    if parameter.is_size:
        yield from (partial(Counted, n) for n in SIZES)
        return
    may_be_size = parameter.is_setting and not parameter.name[0].isupper()
    if may_be_size and not parameter.is_operand:
        yield from (partial(Fraction, n) for n in SIZES)
    is_label = LABELS.fullmatch(parameter.name) and parameter.prefers_arrays
    if is_label or parameter.is_index:
        yield from _labels(code, parameter)
    if parameter.is_index:
        return
    yield from (
        partial(any_number, code, parameter.name, shape) for shape in _shapes(parameter)
    )
    if may_be_size and parameter.is_operand:
        yield from (partial(Fraction, n) for n in SIZES)


def lengths_of(parameter: OpenParameter) -> list[tuple[int, ...]]:
    """The lengths that an operand may list, where it is a shape: `n, m = size`."""
    count = parameter.axes or parameter.entries
    if not count or SHAPE.fullmatch(parameter.name) is None:
        return []
    moved = WINDOW.match(parameter.name) is not None
    small = [(2, 2), (2, 3)] if moved else []
    return [s for s in (*small, *IMAGES) if len(s) == count]


def _shapes(parameter: OpenParameter) -> list[tuple[int, ...]]:
    """The shapes of an array that an operand may be, the likeliest first."""
    shapes: list[tuple[int, ...]]
    shapes = [s for s in ((), *VECTORS, *MATRICES) if len(s) >= parameter.least]
    if parameter.prefers_arrays:
        shapes = [s for s in (*VECTORS, *MATRICES, ()) if len(s) >= parameter.least]
    if parameter.is_factor and not parameter.least:
        shapes = [(), *(s for s in shapes if s)]
    if parameter.axes is not None:
        every = ((), *VECTORS, *MATRICES, *IMAGES)
        shapes = [s for s in every if len(s) == parameter.axes]
    if SQUARE.fullmatch(parameter.name):
        shapes = [(n, n) for n in SIZES] + shapes
    if 2 < parameter.fold <= GATES:
        shapes = [*_of_gates(parameter), *shapes]
    if parameter.prefers_columns:
        shapes.sort(key=lambda s: s[1:] != (1,))
    if parameter.prefers_columns and parameter.is_gone_through:
        shapes = [*((2, n, 1) for n in SIZES), *shapes]  # a column for each step
    return shapes


def _labels(code: Journal, parameter: OpenParameter) -> Iterator[Callable[[], Value]]:
    """Classes of examples as whole numbers, and as rows with a 1 in each."""
    two = np.arange(1, ROWS + 1) % 2  # for a file of two classes
    yield partial(_stated, code, np.arange(ROWS) + 1)
    yield partial(_stated, code, two)
    for n in (INPUTS, OUTPUTS) if parameter.is_index else ():  # as many examples
        yield partial(_stated, code, np.arange(n) % ROWS)
        yield partial(_stated, code, np.arange(n) % 2)
    if IDS.fullmatch(parameter.name):  # several for each example
        yield partial(_stated, code, np.arange(2 * ROWS).reshape(ROWS, 2) % 4)
    for columns in (INPUTS, OUTPUTS):
        one_hot = np.eye(columns, dtype=int)[1 : ROWS + 1]
        yield partial(_stated, code, one_hot)
    yield partial(_stated, code, np.eye(2, dtype=int)[two])


def _of_gates(parameter: OpenParameter) -> Iterator[tuple[int, ...]]:
    """Shapes where an array is cut into gates: of its weights, and of a state."""
    name, wide = parameter.name, parameter.fold * STATE
    shapes: list[tuple[int, ...]]
    if IS_STATE.fullmatch(name):
        shapes = [(ROWS, STATE), (STATE,), (2, STATE)]
    elif IS_BIAS.fullmatch(name):
        shapes = [(wide,), (1, wide), (wide, 1)]
    elif IS_WEIGHT.fullmatch(name):
        deep = [INPUTS, STATE, INPUTS + STATE, ROWS]
        if OF_STATE.fullmatch(name):
            deep.sort(key=lambda n: n != STATE)
        long = [(n, wide) for n in deep]
        shapes = [*long, *((wide, n) for n, _ in long)]
    else:
        return
    for lengths in shapes:
        if len(lengths) >= parameter.least and parameter.axes in (None, len(lengths)):
            yield lengths


def _keys(code: Journal, table: str) -> Iterator[str]:
    """The texts under which a dict of the file, or of a class of it, has functions."""
    held = (of_class.get(table) for of_class in code.attributes.values())
    for found in (code.names.get(table), *held):
        if isinstance(found, dict):
            functions = (Function, Layer, ast.ClassDef, tuple)
            yield from (k for k, v in found.items()
                        if isinstance(k, str) and isinstance(v, functions))  # fmt: skip


def _stated(code: Journal, numbers: Any) -> Symbol:
    exact = np.vectorize(Fraction, otypes=[object])(numbers)
    return code.program.number(exact, is_constant=True)


def any_number(code: Journal, name: str, shape: tuple[int, ...]) -> Symbol:
    """An operand of which the file does not say what numbers it has."""
    return code.program.leaf(Leaf(shape, reason=f"{name} {ANY_NUMBER}"))
