"""What operands a function takes that its file never calls: found by trying.

The file does not say what shape an operand has. Shapes are tried, one parameter after
the other. A shape at which some statement does not fit is given up at once. Of the
shapes that fit, the one under which most gradients come out right counts, since a wrong
shape does not make a wrong gradient right.
"""

# ruff: noqa: SIM905 (a table of words is read more easily as one text)

from __future__ import annotations

import ast
import re
from collections.abc import (
    Callable,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any, TypeGuard

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import (
    FITTING_CHOICES,
    KNOWN_ENTRIES,
    SHAPE_CHOICES,
    SHAPE_TRIALS,
    TABLE_OPERANDS,
    TRIALS_BESIDE,
    TRIED_STATEMENTS,
)
from gradverify.claims.code.backward_passes import GradientFit, fit_of
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.library import CHANCE
from gradverify.claims.code.stand_ins import is_asked, stand_ins
from gradverify.claims.computation.bindings import (
    Counted,
    Function,
    Layer,
    Unknown,
    Value,
)
from gradverify.claims.computation.file_program import (
    Leaf,
    NotUnderstood,
    understood,
)

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
SHAPE = re.compile(r"(?i)\w*(?:shape|size|dims?|dimensions?)")
LAYER_SIZES = (INPUTS, OUTPUTS, ROWS)  # of a network: its input, one layer, its output
SUMS = frozenset({"add", "sub"})
LONG_AXIS = 40  # of a longer one no operand is made
LABELS = re.compile(r"(?i)(?:y|t|label|target|y_?true|one_?hot|d_?labels?|classes)s?")
ANY_NUMBER = "is any number"
OWN = "self."  # before what an object holds
OUTSIDE = "outside "  # before a name of the file that is no operand of its own
SQUARE = re.compile(
    r"(?i)[wu]_?(\w)\1|[wu]_?rec\w*|u"
)  # weights from a state to itself
OPEN = "it is not chosen yet what this operand is: "
IN_DOUBT = "depends on a condition"  # which may ask what is not chosen yet
MISFITS = (
    "does not fit", "more subscripts", "no length", "outside the list",
    "is no index", "is none of the", "a whole number is needed",
    "an index is not stated",
)  # fmt: skip


@dataclass(frozen=True)
class OpenParameter:
    """An operand that is to be chosen.

    key: under which the choice is handed on, since an object and its method may have
    operands of one name. least: how many axes it has at least, as the body uses it.
    is_setting: whether it makes an object, and so may be a size. prefers_arrays:
    whether a plain number is the last thing to try. table: the operand whose entry it
    is, as W1 is one of `parameters["W1"]`. is_size: whether arrays are made with it as
    the length of an axis. texts: what it is compared with, as in `kind == "relu"`.
    axes: how many it has, where its shape is unpacked into so many names.
    is_index: whether its entries say which entries of another array are meant.
    may_lack: whether its default is None. is_operand: whether something is computed
    with it, so that it is rather an array than a size. prefers_columns: whether the
    file makes columns, so that a vector is rather one of them. is_factor: whether
    it does nothing but multiply or divide, so that a number is tried first. is_sizes:
    whether it is a list of the sizes of layers. is_called: whether it is a function, or
    an object with methods of one. is_chance: whether it draws random numbers. tables:
    the dicts of the file whose entry it names. may_be_image: whether the code speaks
    of a third axis of it.
    """

    name: str
    key: str
    least: int = 0
    is_setting: bool = False
    prefers_arrays: bool = False
    table: str = ""
    is_size: bool = False
    texts: tuple[str, ...] = ()
    axes: int | None = None
    is_index: bool = False
    may_lack: bool = False
    is_operand: bool = False
    prefers_columns: bool = False
    is_factor: bool = False
    is_sizes: bool = False
    is_called: bool = False
    is_chance: bool = False
    tables: tuple[str, ...] = ()
    may_be_image: bool = False

    @property
    def is_array(self) -> bool:
        """Whether it may be an array, as far as its use says."""
        is_list = self.is_sizes or self.is_called or self.is_chance or self.tables
        return not (self.is_size or self.texts or self.is_index or is_list)


def parameters(
    given: ast.arguments,
    bodies: Iterable[ast.stmt],
    skip: int = 0,
    key: str = "{}",
    is_setting: bool = False,
    beside: Iterable[ast.stmt] = (),
) -> list[OpenParameter]:
    """Those that have no default value, with what their use says about them.

    beside: statements that say whether arrays are rather columns.
    """
    defaults: list[ast.expr | None] = [*given.defaults]
    several = [*given.posonlyargs, *given.args]
    padded = [None] * (len(several) - len(defaults)) + defaults
    nodes = [n for statement in bodies for n in ast.walk(statement)]
    columns = [*nodes, *(n for statement in beside for n in ast.walk(statement))]
    has_arrays = any(map(_is_of_arrays, nodes))
    found: list[OpenParameter] = []
    for a, default in list(zip(several, padded, strict=True))[skip:]:
        if default is not None and not _is_none(default):
            continue
        entries = _entries(a.arg, nodes)
        found += [
            OpenParameter(
                entry,
                f"{key.format(a.arg)}[{entry}]",
                _least(entry, nodes),
                prefers_arrays=True,
                table=key.format(a.arg),
                prefers_columns=_is_rather_a_column(entry, nodes),
            )
            for entry in entries
        ]
        if not entries:
            whole = opened(a.arg, key.format(a.arg), nodes, has_arrays, is_setting)
            is_column = _is_rather_a_column(a.arg, columns)
            lacks = default is not None
            found.append(replace(whole, may_lack=lacks, prefers_columns=is_column))
    return found


def opened(
    name: str,
    key: str,
    nodes: Sequence[ast.AST],
    prefers_arrays: bool,
    is_setting: bool = False,
) -> OpenParameter:
    """An operand that is no table, with what its use says about it."""
    also = _kept_as(name, nodes)
    return OpenParameter(
        name,
        key,
        _least(name, nodes),
        is_setting,
        prefers_arrays,
        is_size=_is_size(name, nodes),
        texts=_texts(name, nodes),
        axes=_axes(name, nodes),
        is_index=_is_index(name, nodes),
        is_operand=any(_is(o, name) for n in nodes for o in _computed(n)),
        prefers_columns=_is_rather_a_column(name, nodes),
        is_factor=_is_factor(name, nodes),
        is_sizes=is_setting and _is_sizes(name, nodes),
        is_called=any(_is_called(name, also, n) for n in nodes),
        is_chance=any(_is_chance(name, n) for n in nodes),
        tables=tuple(t for n in nodes for t in _tables(name, n)),
        may_be_image=any(_has_third_axis(name, n) for n in nodes),
    )


def _is_factor(name: str, nodes: Sequence[ast.AST]) -> bool:
    """Whether it is used to multiply or divide, and in no other way."""
    used = [(n, o) for n in nodes for o in _operands(n) if _is(o, name)]
    products = ast.Mult | ast.Div
    return bool(used) and all(
        isinstance(n, ast.BinOp) and isinstance(n.op, products) for n, _ in used
    )


def _kept_as(name: str, nodes: Sequence[ast.AST]) -> str:
    """What an object keeps it as: act of `self.act = activation`; or its own name."""
    for node in nodes:
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=kept)],
                value=ast.Name(id=given),
            ) if given == name:
                return kept
    return name


def _is_called(name: str, kept: str, node: ast.AST) -> bool:
    """Whether it is called: `f(z)`, `self.f(z)`, `f.forward(z)`."""
    match node:
        case ast.Call(func=func) if _is(func, name) or _is(func, kept):
            return True
        case ast.Call(func=ast.Attribute(value=holder, attr=method)):
            is_ours = bool(_is(holder, name) or _is(holder, kept))
            return is_ours and is_asked(method)
    return False


def _is_chance(name: str, node: ast.AST) -> bool:
    """Whether random numbers are drawn from it: `rng.standard_normal(3)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=holder, attr=method)):
            return bool(_is(holder, name)) and method in CHANCE
    return False


def _tables(name: str, node: ast.AST) -> Iterator[str]:
    """Of which dict it names an entry: `ACTIVATIONS[kind]`."""
    match node:
        case ast.Subscript(
            value=ast.Name(id=table) | ast.Attribute(attr=table), slice=key
        ) if _is(key, name):
            yield table


LIST_OF_SIZES = re.compile(
    r"(?i)(?:\w+_)?(?:sizes?|layers?|dims?|dimensions?|shapes?|architecture|topology|"
    r"neurons|nodes|structure|units|widths?|config)"
)


def _is_sizes(name: str, nodes: Sequence[ast.AST]) -> bool:
    """Whether it is gone through, or has a length: `zip(sizes[:-1], sizes[1:])`."""
    return LIST_OF_SIZES.fullmatch(name) is not None and any(
        _is(several, name) for node in nodes for several in _gone_through(node)
    )


def _gone_through(node: ast.AST) -> Sequence[ast.expr]:
    match node:
        case ast.Call(func=ast.Name(id="len" | "enumerate" | "zip"), args=operands):
            return operands
        case ast.For(iter=several) | ast.comprehension(iter=several):
            return (several,)
        case ast.Subscript(value=several, slice=ast.Slice() | ast.BinOp()):
            return (several,)
    return ()


BIAS = re.compile(r"b_?(?:\d|[a-z]{1,2})?|bias\w*")


def _is_rather_a_column(name: str, nodes: Sequence[ast.AST]) -> bool:
    """Whether a file makes columns: `zeros((n, 1))`, and `sum(…, axis=1)` of a bias."""
    if not name[0].islower():
        return False
    is_bias = BIAS.fullmatch(name) is not None
    return any(_is_column(n) or (is_bias and _is_sum_of_rows(n)) for n in nodes)


def _is_column(node: ast.AST) -> bool:
    match node:
        case ast.Call(args=[ast.Tuple(elts=[_, ast.Constant(value=1)]), *_]):
            return True
        case ast.Call(args=[_, ast.Constant(value=1)], func=func):
            return _called(func) in MAKERS  # randn(n, 1)
    return False


def _is_sum_of_rows(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    given = {k.arg: ast.unparse(k.value) for k in node.keywords}
    return given.get("axis") == "1" and given.get("keepdims") == "True"


def _computed(node: ast.AST) -> Sequence[ast.expr]:
    """What a sum or a product is made of."""
    return (node.left, node.right) if isinstance(node, ast.BinOp) else ()


MAKERS = frozenset(
    "zeros ones empty full randn rand normal uniform standard_normal random reshape "
    "randint range eye".split()
)


def _is_size(name: str, nodes: Sequence[ast.AST]) -> bool:
    """Whether it is the length of an axis: `zeros((n, m))`, `randn(n, m) / sqrt(n)`."""
    for node in nodes:
        if isinstance(node, ast.Call) and _called(node.func) in MAKERS:
            given = [*node.args, *(k.value for k in node.keywords)]
            sizes = [s for g in given for s in _several(g)]
            if any(_is(s, name) for s in sizes):
                return True
    return False


def _called(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _several(tree: ast.expr) -> list[ast.expr]:
    return tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree]


def _texts(name: str, nodes: Sequence[ast.AST]) -> tuple[str, ...]:
    """The texts that it is compared with, which decide what is computed."""
    found: dict[str, None] = {}
    for node in nodes:
        match node:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                for one, other in ((left, right), (right, left)):
                    text = other.value if isinstance(other, ast.Constant) else None
                    if _is(one, name) and isinstance(text, str):
                        found[text] = None
    return tuple(found)


def _axes(name: str, nodes: Sequence[ast.AST]) -> int | None:
    """How many axes it has: `N, C, H, W = x.shape` says 4, if nothing else is said."""
    found: set[int] = set()
    for node in nodes:
        match node:
            case ast.Assign(
                targets=[ast.Tuple(elts=several)],
                value=ast.Attribute(value=holder, attr="shape")
                | (ast.Name() as holder),
            ) if _is(holder, name) and not any(
                isinstance(s, ast.Starred) for s in several
            ):
                found.add(len(several))
    return found.pop() if len(found) == 1 else None


def _has_third_axis(name: str, node: ast.AST) -> bool:
    """Whether it is used as an array of three axes or more, as images are.

    So say `N, C, H, W = x.shape`, `x.shape[2]`, `x[n, i, j]`, `x.ndim == 4`,
    `x.transpose(0, 2, 3, 1)` and `x.sum(axis=(0, 2, 3))`.
    """
    match node:
        case ast.Assign(
            targets=[ast.Tuple(elts=several)],
            value=ast.Attribute(value=holder, attr="shape") | (ast.Name() as holder),
        ):
            return bool(_is(holder, name)) and len(several) > 2
        case ast.Subscript(
            value=ast.Attribute(value=holder, attr="shape"),
            slice=ast.Constant(value=int(axis)),
        ):
            return bool(_is(holder, name)) and axis > 1
        case ast.Subscript(value=holder, slice=ast.Tuple(elts=several)):
            return bool(_is(holder, name)) and len(several) > 2
        case ast.Compare(left=left, comparators=[ast.Constant(value=int(axes))]):
            spoken = (f"{name}.ndim", f"len({name}.shape)", f"np.ndim({name})")
            return ast.unparse(left) in spoken and axes > 1
        case ast.Call(args=given, keywords=keywords, func=func):
            holder = func.value if isinstance(func, ast.Attribute) else func
            lists = [given, *map(_several, (*given, *(k.value for k in keywords)))]
            is_of_it = any(_is(o, name) for o in (holder, *given[:1]))
            return is_of_it and any(map(_names_third_axis, lists))
    return False


def _names_third_axis(several: Sequence[ast.expr]) -> bool:
    """Whether axes are listed, and one of them is the third or a later one."""
    axes = [s.value for s in several if isinstance(s, ast.Constant)]
    return len(axes) > 1 and 2 in axes


IDS = re.compile(r"(?i)(?:\w+_)?(?:ids|idxs?|indices|indexes|words|tokens)")


def _is_index(name: str, nodes: Sequence[ast.AST]) -> bool:
    """Whether it names entries of other arrays: `p[range(n), y]`, `xs[t][ids[t]]`.

    So does `words` of `E[words]`, which may be a key where its name says nothing.
    """
    for node in nodes:
        if isinstance(node, ast.Subscript):
            if _is(node.slice, name) and IDS.fullmatch(name):
                return True
            for part in _several(node.slice):
                held = part.value if isinstance(part, ast.Subscript) else part
                if _is(held, name):
                    return isinstance(part, ast.Subscript) or part is not node.slice
    return False


def _entries(name: str, nodes: Sequence[ast.AST]) -> list[str]:
    """The entries of an operand that is a table: `parameters["W1"]`.

    Those of the first layer come first, as they are used, and matrices before biases.
    """
    found = dict.fromkeys(
        str(node.slice.value)
        for node in nodes
        if isinstance(node, ast.Subscript)
        and _is(node.value, name)
        and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        and isinstance(node.ctx, ast.Load)
    )  # fmt: skip
    return sorted(found, key=lambda entry: (re.sub(r"\D", "", entry), entry.islower()))


def attributes(
    forward: Sequence[ast.FunctionDef],
    backward: Sequence[ast.FunctionDef],
    known: Container[str],
) -> list[OpenParameter]:
    """Arrays that two passes use and the file gives to no object that we make.

    They come from elsewhere, or are made once the shape of the input is known. The
    backward pass may change them, where it makes the step of the optimiser as well.
    """
    ahead = [n for m in forward for n in ast.walk(m)]
    nodes = [*ahead, *(n for m in backward for n in ast.walk(m))]
    used = [n for n in nodes if _is_own(n)]
    needed = {n.attr for n in ahead if _is_own(n) and isinstance(n.ctx, ast.Load)}
    stored = {n.attr for n in ahead if _is_own(n) and isinstance(n.ctx, ast.Store)}
    stored |= {n.attr for n in used if isinstance(n.ctx, ast.Store)} - needed
    sizes = {n.attr for node in nodes for n in _sizes(node) if _is_own(n)}
    arrays = {n.attr for node in nodes for n in _operands(node) if _is_own(n)}
    found: list[OpenParameter] = []
    for name in dict.fromkeys(n.attr for n in used):
        if name in stored or name in known or name not in arrays:
            continue
        key, entries = f"{OWN}{name}", _entries(name, nodes)
        found += [
            OpenParameter(
                entry, f"{key}[{entry}]", _least(entry, nodes), False, True, key
            )
            for entry in entries
        ]
        if not entries:
            found.append(opened(name, key, nodes, True, is_setting=name in sizes))
    return found


def _sizes(node: ast.AST) -> Sequence[ast.expr]:
    """What is used as a number of entries: `x.reshape(-1, self.width)`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="reshape"), args=operands):
            return operands
    return ()


def _is_own(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """`self.w`."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _operands(node: ast.AST) -> Sequence[ast.expr]:
    """What is used as an array."""
    match node:
        case ast.BinOp(left=left, right=right):
            return left, right
        case ast.Call(func=ast.Attribute(value=holder, attr=name), args=operands):
            return (holder, *operands) if name in METHODS else operands
        case ast.Attribute(value=holder, attr="T" | "shape"):
            return (holder,)
        case ast.Subscript(value=holder, slice=ast.Constant(value=str())):
            return (holder,)
    return ()


METHODS = frozenset(
    "dot matmul sum mean max min reshape transpose copy flatten ravel var std T".split()
)


def operands_from(
    several: Sequence[OpenParameter], chosen: Mapping[str, Value]
) -> dict[str, Value]:
    """What was chosen, with the entries of tables in these."""
    result: dict[str, Value] = {}
    for p in several:
        if p.table:
            result.setdefault(p.table, {})[p.name] = chosen[p.key]
        else:
            result[p.key] = chosen[p.key]
    return result


def _is_none(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value is None


def _is_of_arrays(node: ast.AST) -> bool:
    match node:
        case ast.MatMult() | ast.keyword(arg="axis"):
            return True
        case ast.Attribute(attr="T" | "dot" | "matmul" | "shape"):
            return True
    return False


def _least(name: str, nodes: Sequence[ast.AST]) -> int:
    """How many axes an operand has at least: `X @ W` is no product of numbers."""
    least = 2 if name[0].isupper() else 0
    for node in nodes:
        match node:
            case ast.Attribute(value=holder, attr="T") if _is(holder, name):
                least = 2
            case ast.Call(keywords=[ast.keyword(arg="axis"), *_]) if any(
                _is(o, name) for o in _reduced(node)
            ):
                least = 2
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                least = max(least, *(_is(side, name) for side in (left, right)))
            case ast.Call(func=ast.Attribute(attr="dot" | "matmul", value=holder)):
                sides = (holder, *node.args)
                least = max(least, *(_is(side, name) for side in sides))
    return least


def _reduced(call: ast.Call) -> Sequence[ast.expr]:
    """What a sum or a mean along an axis is taken of: `x.mean(axis=0)`."""
    match call.func:
        case ast.Attribute(value=holder, attr="mean" | "sum" | "var" | "std" | "max"):
            return (holder, *call.args[:1])
    return ()


def _is(tree: ast.expr, name: str) -> int:
    """Whether a tree is the operand, or what an object keeps of it."""
    return int(ast.unparse(tree) in (name, f"self.{name}"))


def _of_the_file(code: Journal, parameter: OpenParameter) -> Callable[[], Value] | None:
    """What the file itself calls so, if anything."""
    if parameter.table or parameter.key.startswith(OUTSIDE):
        return None
    known = code.names.get(parameter.name)
    is_small = not isinstance(known, Symbol) or np.prod(known.shape) <= KNOWN_ENTRIES
    if isinstance(known, Symbol | dict) and is_small:
        return lambda: dict(known) if isinstance(known, dict) else known
    return None


def _candidates(
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
    if parameter.is_chance:
        yield lambda: Layer("generator")
        return
    if parameter.is_sizes:
        yield lambda: tuple(Counted(n) for n in LAYER_SIZES)
        return
    is_number = parameter.is_setting or parameter.table or parameter.is_size
    for names, ends in ((STRIDE, (1, 2)), (PADDING, (1, 0))):
        if names.fullmatch(parameter.name):
            yield from (partial(Counted, n) for n in ends)
            return
    if is_number and IS_SMALL.fullmatch(parameter.name) and not parameter.is_operand:
        yield from (partial(Counted, n) for n in SMALL)
    if parameter.is_size:
        yield from (partial(Counted, n) for n in SIZES)
        return
    shapes: list[tuple[int, ...]]
    shapes = [s for s in ((), *VECTORS, *MATRICES) if len(s) >= parameter.least]
    if parameter.prefers_arrays:
        shapes = [s for s in (*VECTORS, *MATRICES, ()) if len(s) >= parameter.least]
    if parameter.is_factor and not parameter.least:
        shapes = [(), *(s for s in shapes if s)]
    if parameter.axes is not None and SHAPE.fullmatch(parameter.name):
        for lengths in IMAGES:
            if len(lengths) == parameter.axes:
                yield partial(tuple, [Counted(n) for n in lengths])
        return
    if parameter.axes is not None:
        every = ((), *VECTORS, *MATRICES, *IMAGES)
        shapes = [s for s in every if len(s) == parameter.axes]
    if SQUARE.fullmatch(parameter.name):
        shapes = [(n, n) for n in SIZES] + shapes
    if parameter.prefers_columns:
        shapes.sort(key=lambda s: s[1:] != (1,))
    may_be_size = parameter.is_setting and not parameter.name[0].isupper()
    if may_be_size and not parameter.is_operand:
        yield from (partial(Fraction, n) for n in SIZES)
    is_label = LABELS.fullmatch(parameter.name) and parameter.prefers_arrays
    if is_label or parameter.is_index:
        two = np.arange(1, ROWS + 1) % 2  # for a file of two classes
        yield partial(_stated, code, np.arange(ROWS) + 1)
        yield partial(_stated, code, two)
        if IDS.fullmatch(parameter.name):  # several for each example
            yield partial(_stated, code, np.arange(2 * ROWS).reshape(ROWS, 2) % 4)
        for columns in (INPUTS, OUTPUTS):
            one_hot = np.eye(columns, dtype=int)[1 : ROWS + 1]
            yield partial(_stated, code, one_hot)
        yield partial(_stated, code, np.eye(2, dtype=int)[two])
    if parameter.is_index:
        return
    yield from (partial(any_number, code, parameter.name, shape) for shape in shapes)
    if may_be_size and parameter.is_operand:
        yield from (partial(Fraction, n) for n in SIZES)


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


# ---- the search

Run = Callable[[Mapping[str, Value]], Value]


@dataclass(frozen=True)
class ShapeTrial:
    """What came of a choice. is_misfit: whether some statement does not fit.

    unknown: how many values are not understood. is_narrow: whether the number of
    examples, or another size that may be divided by, is 1, which hides a divisor.
    waits_for: the operand without which the first statement cannot be read.
    """

    is_misfit: bool = False
    fit: GradientFit = field(default_factory=GradientFit)
    unknown: int = 0
    is_narrow: bool = False
    waits_for: str = ""

    @property
    def is_shapely(self) -> bool:
        """Whether every statement fits, and every gradient has the shape it should.

        Where all are right, the file itself gives one of them another shape.
        """
        fit = self.fit
        all_right = fit.right > 1 and not fit.other
        return not self.is_misfit and (not fit.misshapen or all_right)

    @property
    def score(self) -> tuple[bool, bool, bool, int, int, int]:
        """What is better is larger.

        Where nothing comes out right, a choice at which something is claimed is better
        than one that hides it.
        """
        fit = self.fit
        others = -fit.other if fit.right else min(fit.other, 1)
        is_wide = not self.is_narrow
        some = fit.right > 0
        return self.is_shapely, some, is_wide, fit.right, others, -self.unknown

    @property
    def is_perfect(self) -> bool:
        """Whether there is nothing that another choice could make better."""
        fit = self.fit
        is_sure = fit.right > (self.unknown > 0)  # some gradients may be unread
        return self.is_shapely and is_sure and not fit.other and not self.is_narrow


def run_at_best(code: Journal, several: Sequence[OpenParameter], run: Run) -> None:
    """Run once with the operands under which most gradients come out right.

    Where the search ends early and under no choice the gradients have the shapes of
    what they are by, nothing is kept. run: follows the function, and returns what it
    returns.
    """
    if len(several) > TABLE_OPERANDS and any(p.table for p in several):
        return
    search = _ShapeSearch(code, several, run)
    search.descend({}, search.once({}).waits_for if several else "")
    best = max(search.found, key=lambda f: f[0].score, default=None)
    if best is not None and (best[0].is_shapely or not search.is_cut):
        search.once(best[1], undo=False)


def _is_misfit(reason: str) -> bool:
    return any(m in reason for m in MISFITS)


def _fails(new: Sequence[Assigned]) -> bool:
    """Whether some statement does not fit."""
    found = (e.value for e in new)
    return any(isinstance(v, Unknown) and _is_misfit(v.reason) for v in found)


def _awaited(reasons: Iterable[str]) -> str:
    """The operand that the first of the reasons speaks of which speak of one."""
    for reason in reasons:
        found = reason.partition(OPEN)[2]
        if found:
            return found.removesuffix(".")
    return ""


def _order(parameter: OpenParameter) -> tuple[bool, int, int]:
    """Matrices first, then what tables and objects hold, then the rest.

    What is to come out has no effect before the end.
    """
    is_label = LABELS.fullmatch(parameter.name) is not None
    if parameter.is_size or parameter.is_sizes or parameter.texts:
        return False, -1, 0
    if parameter.is_index and not is_label:
        return False, -1, 1
    if parameter.table:
        return False, 0, 0
    if not parameter.least and parameter.key.startswith(OWN):
        return False, 1, 0
    return is_label, 2 * (not parameter.least), -parameter.least


class _ShapeSearch:
    """Goes through the parameters, and back where a statement does not fit."""

    def __init__(
        self, code: Journal, several: Sequence[OpenParameter], run: Run
    ) -> None:
        self.code, self.run, self.runs = code, run, 0
        self.several = sorted(several, key=_order)
        self.found: list[tuple[ShapeTrial, dict[str, Any]]] = []
        self.shapely = self.fitting = self.spent = 0
        self.last_run = SHAPE_TRIALS
        self.is_over = False
        self.lengths: set[int] = set()  # of axes, in the last run

    @property
    def is_cut(self) -> bool:
        """Whether so much was tried that the rest is left."""
        return self.runs >= self.last_run or self.spent >= TRIED_STATEMENTS

    def descend(self, chosen: dict[str, Any], waits_for: str) -> None:
        """Try what the next parameter may be.

        It is the one that the first statement waits for, so that a choice that does not
        fit is seen at once.
        """
        rest = [p for p in self.several if p.key not in chosen]
        if not rest:
            self.complete(chosen)
            return
        awaited = (p for p in rest if p.texts or p.key == waits_for)
        parameter = next(awaited, rest[0])
        ready = _of_the_file(self.code, parameter)
        if ready is not None and self.tried(chosen, parameter, ready, len(rest) == 1):
            return
        fits: list[bool] = []
        for make in _candidates(self.code, parameter):
            fits.append(self.tried(chosen, parameter, make, len(rest) == 1))
            if fits[-1] and parameter.is_index and not IDS.fullmatch(parameter.name):
                break  # whole numbers serve, so that rows of 0 and 1 do not
        if not any(fits):
            for other in self.of_other_lengths(parameter):
                self.tried(chosen, parameter, other, len(rest) == 1)

    def tried(
        self, chosen: dict[str, Any], parameter: OpenParameter, make: Any, is_last: bool
    ) -> bool:
        """Go on with a choice for an operand; whether it fits so far."""
        if self.is_over or self.is_cut:
            return True
        more = {**chosen, parameter.key: make}
        if is_last:
            return not self.complete(more).is_misfit
        trial = self.once(more)
        if not trial.is_misfit:
            self.descend(more, trial.waits_for)
        return not trial.is_misfit

    def of_other_lengths(self, parameter: OpenParameter) -> list[Callable[[], Value]]:
        """Images, and shapes with lengths that were computed, as by joining arrays."""
        if not parameter.is_array:
            return []
        shapes: list[tuple[int, ...]] = []
        for n in sorted(self.lengths - {1, *SIZES}):
            shapes += [(m, n) for m in SIZES] + [(n, m) for m in SIZES]
            shapes += [(n,), (n, 1)] if parameter.least < 2 else []
        shapes += IMAGES if parameter.may_be_image else ()
        name = parameter.name
        return [partial(any_number, self.code, name, s) for s in shapes]

    def complete(self, chosen: dict[str, Any]) -> ShapeTrial:
        """Note what comes of a choice of all operands."""
        trial = self.once(chosen)
        self.found.append((trial, chosen))
        self.shapely += trial.is_shapely
        self.fitting += not trial.is_misfit
        is_enough = self.shapely >= SHAPE_CHOICES or self.fitting >= FITTING_CHOICES
        self.is_over = is_enough or trial.is_perfect
        if trial.is_shapely and trial.fit.right and not trial.is_narrow:
            self.last_run = min(self.last_run, self.runs + TRIALS_BESIDE)
        return trial

    def once(self, chosen: Mapping[str, Any], undo: bool = True) -> ShapeTrial:
        """Run, and what came of it."""
        code, program = self.code, self.code.program
        self.runs += 1
        length, statements = program.length(), code.statements
        code.statements = 0  # each run may be as long as a file
        code.unread.clear()
        counts = [len(held) for held in (code.assigned, code.snapshots)]
        operands = {p.key: Unknown(f"{OPEN}{p.key}.") for p in self.several}
        is_complete = len(chosen) == len(operands)
        try:
            with understood():
                operands |= {n: make() for n, make in chosen.items()}
                result = self.run(operands_from(self.several, operands))
            new = code.assigned[counts[0] :]
            trial = self.trial(new, result, is_complete, length[0])
            return replace(trial, is_narrow=trial.is_narrow or self.is_thin(operands))
        except NotUnderstood as error:
            new = code.assigned[counts[0] :]
            waits = OPEN in str(error) or (not is_complete and IN_DOUBT in str(error))
            awaited = _awaited([*code.unread, str(error)])
            return ShapeTrial(not waits or _fails(new), waits_for=awaited)
        finally:
            nodes = program.record.nodes[length[0] :]
            self.lengths = {n for node in nodes for n in node.shape if n <= LONG_AXIS}
            self.spent += code.statements
            code.statements = statements
            if undo:
                del code.assigned[counts[0] :]
                del code.snapshots[counts[1] :]
                program.shorten(length)

    def is_spread(self, length: int) -> bool:
        """Whether a vector and a column were added, which makes a matrix of both.

        That is no error in Python, and hardly ever what is meant.
        """
        nodes = self.code.program.record.nodes
        for node in nodes[length:]:
            if node.op in SUMS:
                shapes = [nodes[i].shape for i in node.operands]
                if node.shape not in shapes and len({*map(len, shapes)}) > 1:
                    return True
        return False

    def trial(
        self, new: Sequence[Assigned], result: Value, is_complete: bool, length: int
    ) -> ShapeTrial:
        """What came of a run that went to its end."""
        values = [*(e.value for e in new), result]
        reasons = [v.reason for v in values if isinstance(v, Unknown)]
        is_misfit = any(map(_is_misfit, reasons)) or self.is_spread(length)
        if not is_complete:
            awaited = _awaited([*self.code.unread, *reasons])
            return ShapeTrial(is_misfit, waits_for=awaited)
        fit = fit_of(self.code, new)
        is_narrow = any(self.is_one(entry) for entry in new)
        return ShapeTrial(is_misfit, fit, len(reasons), is_narrow)

    def is_thin(self, operands: Mapping[str, Value]) -> bool:
        """Whether an operand of a product is a row or a column, as of one example."""
        factors = [operands[p.key] for p in self.several if p.least]
        return any(isinstance(x, Symbol) and 1 in x.shape for x in factors)

    def is_one(self, entry: Assigned) -> bool:
        """Whether a name is given a size that is 1."""
        if not isinstance(entry.value, Symbol):
            return False
        leaf = self.code.program.leaves.get(entry.value.index)
        is_size = leaf is not None and leaf.is_constant and leaf.value is not None
        return is_size and leaf is not None and bool(np.all(leaf.value == 1))
