"""The operands that a function of a file leaves open, and what their use says of them.

A function, a method or a script goes in; what comes out says of each operand how many
axes it has at least, whether it is a size, a table, a list of labels, and so on.
"""

# ruff: noqa: SIM905 (a table of words is read more easily as one text)

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from gradverify.claims.code.library import CHANCE
from gradverify.claims.code.object_operands import kept_as
from gradverify.claims.code.penalties import PENALTY
from gradverify.claims.code.stand_ins import is_asked
from gradverify.claims.computation.bindings import Value

LABELS = re.compile(r"(?i)(?:y|t|label|target|y_?true|one_?hot|d_?labels?|classes)s?")
OWN = "self."  # before what an object holds
SHORT = 10  # of a default length that is taken as it is
OUTSIDE = "outside "  # before a name of the file that is no operand of its own


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
    of a third axis of it. is_table: whether it is a dict that may be empty. fold: how
    many parts of one width an array of the code is cut into, as those of four gates.
    entries: how many it has at least, where one is asked for by its place: `s[2]`.
    is_gone_through: whether a loop takes its entries one by one.
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
    is_table: bool = False
    fold: int = 1
    entries: int = 0
    is_gone_through: bool = False

    @property
    def is_array(self) -> bool:
        """Whether it may be an array, as far as its use says."""
        is_list = self.is_sizes or self.is_called or self.is_chance or self.tables
        is_other = self.is_table or self.is_size or self.texts or self.is_index
        return not (is_list or is_other)


def parameters(
    given: ast.arguments,
    bodies: Iterable[ast.stmt],
    skip: int = 0,
    key: str = "{}",
    is_setting: bool = False,
    beside: Iterable[ast.stmt] = (),
) -> list[OpenParameter]:
    """Those that have no default value, with what their use says about them.

    A long length by default is one of them, and the weight 0 of a penalty.

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
        is_given = default is not None and not _is_none(default)
        is_open = _is_long(a.arg, default, nodes) or _hides_penalty(a.arg, default)
        if is_given and not is_open:
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
                texts=_texts_of_entry(a.arg, entry, nodes),
            )
            for entry in entries
        ]
        if not entries:
            whole = opened(a.arg, key.format(a.arg), nodes, has_arrays, is_setting)
            is_column = _is_rather_a_column(a.arg, columns)
            lacks = default is not None and not is_given
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
    also = next(kept_as(name, nodes), name)
    folds = [f for n in nodes for f in _folds(n)]
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
        is_table=any(_is_asked_as_table(name, n) for n in nodes),
        fold=max(folds, default=1),
        entries=max((n for node in nodes for n in _counted(also, node)), default=0),
        is_gone_through=any(_is_in_loop(name, n) for n in nodes),
    )


def _is_in_loop(name: str, node: ast.AST) -> bool:
    """Whether a loop goes through it: `for i, x in enumerate(several)`."""
    match node:
        case ast.For(iter=several) | ast.comprehension(iter=several):
            given = several.args if isinstance(several, ast.Call) else [several]
            return any(_is(g, name) for g in given)
    return False


def _counted(name: str, node: ast.AST) -> Iterator[int]:
    """How many entries a list has at least: three, where `shape[2]` is asked for."""
    match node:
        case ast.Subscript(value=holder, slice=ast.Constant(value=int(at))):
            if _is(holder, name):
                yield at + 1


def _is_factor(name: str, nodes: Sequence[ast.AST]) -> bool:
    """Whether it is used to multiply or divide, and in no other way."""
    used = [(n, o) for n in nodes for o in _operands(n) if _is(o, name)]
    products = ast.Mult | ast.Div
    return bool(used) and all(
        isinstance(n, ast.BinOp) and isinstance(n.op, products) for n, _ in used
    )


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
    return any(_is_column(n) or (is_bias and _is_sum_of_rows(name, n)) for n in nodes)


def _is_column(node: ast.AST) -> bool:
    match node:
        case ast.Call(args=[ast.Tuple(elts=[_, ast.Constant(value=1)]), *_]):
            return True
        case ast.Call(args=[_, ast.Constant(value=1)], func=func):
            return _called(func) in MAKERS  # randn(n, 1)
    return False


def _is_sum_of_rows(name: str, node: ast.AST) -> bool:
    """Whether its gradient is a sum along rows: `db = np.sum(dz, axis=1, …)`."""
    match node:
        case ast.Assign(targets=[target], value=value):
            called = re.sub(r"\W+$", "", ast.unparse(target)).lower()
            is_of_it = re.search(rf"(?:^|\W|_|d|grad){name.lower()}$", called)
            return bool(is_of_it) and any(map(_keeps_rows, ast.walk(value)))
    return False


def _keeps_rows(node: ast.AST) -> bool:
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
    """Whether it is the length of an axis: `zeros((n, m))`, `randn(n, m) / sqrt(n)`.

    So is a term of one: `k = n + m` before `zeros((n, k))`.
    """
    return any(_is_length(one, nodes) for one in (name, *_sums_with(name, nodes)))


def _sums_with(name: str, nodes: Sequence[ast.AST]) -> Iterator[str]:
    """What is called by a name of its own, and is a sum with this in it."""
    for node in nodes:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=total)],
                value=ast.BinOp(
                    op=ast.Add(), left=ast.Name() as a, right=ast.Name() as b
                ),
            ) if name in (a.id, b.id):
                yield total


def _is_length(name: str, nodes: Sequence[ast.AST]) -> bool:
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
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
                for one, other in ((left, right), (right, left)):
                    text = other.value if isinstance(other, ast.Constant) else None
                    if _is(one, name) and isinstance(text, str):
                        found[text] = None
    return tuple(found)


def _texts_of_entry(
    table: str, entry: str, nodes: Sequence[ast.AST]
) -> tuple[str, ...]:
    """The texts of `param["mode"]`, or of what is called so: `mode = param["mode"]`."""
    spelled = f"{table}[{entry!r}]"
    called = [spelled]
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                called += [name] if ast.unparse(value) == spelled else []
    return tuple(text for name in called for text in _texts(name, nodes))


def _is_asked_as_table(name: str, node: ast.AST) -> bool:
    """`param.get("eps", 1e-5)`, or `param["mean"] = m`."""
    match node:
        case (
            ast.Call(
                func=ast.Attribute(value=holder, attr="get" | "setdefault"),
                args=[ast.Constant(value=str()), *_],
            )
            | ast.Subscript(
                value=holder, slice=ast.Constant(value=str()), ctx=ast.Store()
            )
        ):
            return bool(_is(holder, name))
    return False


def _folds(node: ast.AST) -> Iterator[int]:
    """Into how many parts an array is cut: four by `a[:, 3*h:]` or `hsplit(a, 4)`."""
    match node:
        case ast.Slice(lower=low, upper=None) if low is not None:
            yield from (times + 1 for times in _times(low))
        case ast.Slice(upper=high) if high is not None:
            yield from _times(high)
        case ast.Call(
            func=ast.Attribute(attr="split" | "hsplit" | "array_split"),
            args=[_, ast.Constant(value=int(parts)), *_],
        ):
            yield parts


def _times(tree: ast.expr) -> Iterator[int]:
    """How many widths an end of a slice is: 3 of `3 * h`."""
    match tree:
        case (
            ast.BinOp(
                left=ast.Constant(value=int(times)), op=ast.Mult(), right=ast.Name()
            )
            | ast.BinOp(
                left=ast.Name(), op=ast.Mult(), right=ast.Constant(value=int(times))
            )
        ):
            yield times


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
        case ast.Call(
            args=given, func=ast.Attribute(attr="correlate2d" | "convolve2d")
        ):
            parts = [g.value for g in given if isinstance(g, ast.Subscript)]
            return any(_is(p, name) for p in parts)  # each of its images
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
        is_called = any(_is_called(name, name, n) for n in nodes)
        if name in stored or name in known or not (name in arrays or is_called):
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


def _is_long(name: str, default: ast.expr | None, nodes: Sequence[ast.AST]) -> bool:
    """Whether a default is a length that is longer than need be: `hidden_size=64`.

    What holds for arrays of any size is seen at small ones.
    """
    match default:
        case ast.Constant(value=int(length)) if length > SHORT:
            arrays = [n for n in nodes if not _is_counting(n)]  # `passes=100` is none
            return _is_size(name, arrays)
    return False


def _is_counting(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _called(node.func) in ("range", "randint")


def _hides_penalty(name: str, default: ast.expr | None) -> bool:
    """Whether a default leaves a penalty out, and hides its slope: `reg=0`."""
    is_zero = isinstance(default, ast.Constant) and default.value in (0, 0.0)
    return is_zero and PENALTY.fullmatch(name) is not None


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
