"""Expressions of a file's code: from a syntax tree to a value on the file program."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar, NoReturn

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import EXACT_BITS, RANGE_NUMBERS, UNROLLED
from gradverify.claims.code import array_functions as arrays
from gradverify.claims.code import library
from gradverify.claims.code.conditions import truth_of
from gradverify.claims.code.containers import entries, row
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.syntax import (
    is_new_axis,
    is_property,
    is_static,
    root,
    source,
)
from gradverify.claims.computation.bindings import (
    AxisLength,
    Counted,
    Function,
    Instance,
    Layer,
    Unknown,
    Value,
    known,
    named,
    symbol,
)
from gradverify.claims.computation.constants import (
    CONSTANTS,
    EXACT,
    OPERATORS,
    bits,
    folded,
)
from gradverify.claims.computation.file_program import (
    FileProgram,
    Leaf,
    NotUnderstood,
)
from gradverify.expressions import ExpressionError, Reader, SyntaxRows, number

# Operators whose meaning depends on the shapes, or on what is stated.
OF_ARRAYS: Mapping[str, Callable[[FileProgram, Value, Value], Symbol]] = {
    "pow": arrays.power,
    "matmul": arrays.dot,
}


LISTS = frozenset({"add", "mul"})  # what joins and repeats them


class NoValue:
    """What a name stands for that the file gives no value."""


NO_VALUE = NoValue()


def _bound(target: ast.expr, value: Value) -> dict[str, Value]:
    """The names of a loop within an expression, and what they stand for."""
    if isinstance(target, ast.Name):
        return {target.id: value}
    several = target.elts if isinstance(target, ast.Tuple) else []
    if isinstance(value, tuple) and len(several) == len(value):
        pairs = zip(several, value, strict=True)
        return {k: v for one, part in pairs for k, v in _bound(one, part).items()}
    raise NotUnderstood(f"{source(target)} is not read in a list")


def _operator(op: str) -> Callable[..., Value]:
    return lambda reader, node, a, b: reader.binary(node, op, a, b)


def _above(or_equal: bool) -> Callable[..., Value]:
    return lambda reader, node, a, b: reader.above(a, b, or_equal)


def _below(or_equal: bool) -> Callable[..., Value]:
    return lambda reader, node, a, b: reader.above(b, a, or_equal)


class Evaluator(Reader):
    """Reads expressions in a scope; `NotUnderstood` says what is not read.

    follow: reads a function of the file. call: reads a call of whatever kind.
    """

    def __init__(
        self,
        code: Journal,
        names: dict[str, Value],
        follow: Callable[[Function, Any, Any], Value],
        call: Callable[[Evaluator, ast.Call], Value],
    ) -> None:
        self.code, self.program, self.names = code, code.program, names
        self.follow, self.call = follow, call

    def unread(self, node: ast.expr) -> NoReturn:
        """Raise the error about a node that is not read."""
        raise NotUnderstood(f"{source(node)} is not read")

    # ---- constants, names, and what holds several values

    def constant(self, node: ast.Constant) -> Value:
        """A number is the shortest decimal that Python reads as the same float."""
        if isinstance(node.value, bool | str) or node.value is None:
            return node.value
        try:
            return Fraction(repr(number(node, source(node))))
        except ExpressionError as error:
            raise NotUnderstood(str(error)) from None

    def name(self, node: ast.Name) -> Value:
        """What a name stands for."""
        found = self.names.get(node.id, NO_VALUE)
        if node.id in self.code.given and found is self.code.names.get(
            node.id, NO_VALUE
        ):
            return self.code.given[node.id]
        if not isinstance(found, NoValue):
            return found
        raise NotUnderstood(f"{node.id} has no value in this file")

    def several(self, node: ast.Tuple | ast.List) -> Value:
        """`a, b` and `[a, b]`."""
        return tuple(self.read(e) for e in node.elts)

    def function(self, node: ast.Lambda) -> Value:
        """`lambda x: …`, which is followed where it is called."""
        body = ast.Return(node.body, lineno=node.lineno, end_lineno=node.lineno)
        return Function("lambda", node.args, (body,))

    def either(self, node: ast.IfExp) -> Value:
        """`a if condition else b`, where the file decides which it is."""
        holds = truth_of(node.test, self.read)
        if holds is None:
            raise NotUnderstood(f"{source(node)} depends on a condition")
        return self.read(node.body if holds else node.orelse)

    def text(self, node: ast.JoinedStr) -> Value:
        """The pieces of an f-string."""
        return tuple(self.part(v) for v in node.values)

    def table(self, node: ast.Dict) -> dict[Any, Value]:
        """A dict whose keys are texts or whole numbers; its entries are names."""
        result: dict[Any, Value] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                self.unread(node)
            name = self.key(key)
            result[name] = named(self.program, str(name), self.read_if_possible(value))
        return result

    def read_if_possible(self, tree: ast.expr) -> Value:
        """The value of an expression, or why it has none: others are kept beside it."""
        try:
            return self.read(tree)
        except NotUnderstood as error:
            return Unknown(str(error))

    def key(self, tree: ast.expr) -> str | int:
        """What an entry of a dict is found by: a text, or a whole number."""
        found = self.read(tree)
        if isinstance(found, str):
            return found
        return arrays.whole(arrays.stated(self.program, found))

    def each(self, node: ast.ListComp | ast.GeneratorExp) -> Value:
        """`[f(x) for x in several]`, over few of them."""
        return tuple(e.read(node.elt) for e in self.in_turn(node.generators))

    def each_of_table(self, node: ast.DictComp) -> Value:
        """`{k: f(v) for k, v in several}`, over few of them."""
        turns = self.in_turn(node.generators)
        return {e.key(node.key): e.read(node.value) for e in turns}

    def in_turn(self, loops: Sequence[ast.comprehension]) -> Iterator[Evaluator]:
        """A reader for each entry that loops within an expression go through."""
        first, *rest = loops
        several = entries(self.program, known(self.read(first.iter)), "a loop")
        if rest:
            raise NotUnderstood("a loop within a loop in a list is not read")
        if len(several) > UNROLLED:
            raise NotUnderstood(f"a loop of more than {UNROLLED} passes in a list")
        for value in several:
            names = {**self.names, **_bound(first.target, value)}
            inner = Evaluator(self.code, names, self.follow, self.call)
            tests = [truth_of(test, inner.read) for test in first.ifs]
            if None in tests:
                raise NotUnderstood("what is taken into a list depends on a condition")
            if all(tests):
                yield inner

    def part(self, node: ast.expr) -> Value:
        """A piece of an f-string: text, or a value, or why it is not known."""
        if isinstance(node, ast.FormattedValue):
            try:
                return self.read(node.value)
            except NotUnderstood as error:
                return Unknown(str(error))
        return node.value if isinstance(node, ast.Constant) else Unknown("text")

    # ---- operators

    def same(self, node: ast.expr, a: Value) -> Value:
        """`+a`."""
        return known(a)

    def negative(self, node: ast.expr, a: Value) -> Value:
        """`-a`."""
        value = known(a)
        if isinstance(value, Fraction | np.ndarray):
            return -value
        return self.program.apply("neg", symbol(self.program, value))

    def binary(self, node: ast.expr, op: str, a: Value, b: Value) -> Value:
        """An operator applied; constants stay constants."""
        a, b = known(a), known(b)
        if isinstance(a, bool) or isinstance(b, bool):
            a, b = (Fraction(int(x)) if isinstance(x, bool) else x for x in (a, b))
        if isinstance(a, Fraction) and isinstance(b, Fraction) and op in EXACT:
            return self.folded(op, a, b)
        if op in LISTS and (isinstance(a, tuple) or isinstance(b, tuple)):
            found = self.of_lists(op, a, b)
            if found is not None:
                return found
        if isinstance(a, tuple | str) and isinstance(b, tuple | str):
            raise NotUnderstood("lists and texts that are joined are not read")
        if op in ("floordiv", "mod"):
            ends = arrays.stated(self.program, a), arrays.stated(self.program, b)
            if all(isinstance(n, Fraction) for n in ends) and (
                not self.moves(a, b) or self.are_sizes((a, b), ends)
            ):
                return Counted(self.folded(op, *ends))
        if op in OF_ARRAYS:
            return OF_ARRAYS[op](self.program, a, b)
        if op not in OPERATORS.values():  # remainders, which constants alone have
            self.unread(node)
        left, right = symbol(self.program, a), symbol(self.program, b)
        return self.program.apply(op, left, right)

    def of_lists(self, op: str, a: Value, b: Value) -> Value:
        """`[3] + sizes` and `[None] * 4`; None where an array is meant."""
        if op == "add" and isinstance(a, tuple) and isinstance(b, tuple):
            return a + b
        several, count = (a, b) if isinstance(a, tuple) else (b, a)
        leaf = self.program.leaves.get(getattr(count, "index", -1))
        is_count = leaf.is_constant if leaf else isinstance(count, Fraction)
        if op == "add" or not is_count:
            return None
        times = arrays.whole(arrays.stated(self.program, count))
        if times * len(several) > RANGE_NUMBERS:
            raise NotUnderstood(f"a list of more than {RANGE_NUMBERS} entries")
        return several * times

    def moves(self, *several: Value) -> bool:
        """Whether some value comes from a number that may be another one."""
        return any(not leaf.is_constant for leaf in self.beneath(*several))

    def are_sizes(self, several: Sequence[Value], stated: Sequence[Value]) -> bool:
        """Whether they are whole, and the length of an axis is among them: `H // 2`."""
        is_length = any(leaf.is_constant for leaf in self.beneath(*several))
        is_length |= any(isinstance(x, AxisLength) for x in several)
        return is_length and all(n.denominator == 1 for n in stated)

    def beneath(self, *several: Value) -> Iterator[Leaf]:
        """The leaves that values are computed from."""
        for x in several:
            if isinstance(x, Symbol):
                leaves = self.program.cut(x.index).leaves
                yield from (self.program.leaves[i] for i in leaves)

    def folded(self, op: str, a: Fraction, b: Fraction) -> Value:
        """Arithmetic on two constants, of bounded size."""
        try:
            exact = folded(op, a, b)
        except ZeroDivisionError:
            raise NotUnderstood("a division by zero") from None
        if exact is None and b.denominator != 1:
            return arrays.power(self.program, a, b)
        if exact is None or bits(exact) > EXACT_BITS:
            raise NotUnderstood("a constant is too large")
        return exact

    def above(self, a: Value, b: Value, or_equal: bool) -> Value:
        """`a > b` or `a >= b` as 1 and 0; where both are equal, as Python has it.

        They often are: after `h = maximum(0, z)`, the condition `h <= 0` compares 0
        with 0 wherever z is negative.
        """
        apply = self.program.apply
        left, right = symbol(self.program, a), symbol(self.program, b)
        half = apply("step", apply("sub", left, right))  # 1/2 where they are equal
        twice = apply("mul", self.program.constant(Fraction(2)), half)
        one = self.program.constant(Fraction(1))
        zero = self.program.constant(Fraction(0))
        mask = (
            apply("minimum", twice, one)
            if or_equal
            else apply("maximum", apply("sub", twice, one), zero)
        )
        self.program.masks.add(mask.index)
        return mask

    def equal(self, a: Value, b: Value, is_equal: bool) -> Value:
        """`y == 1` as 1 and 0, of labels or sizes: numbers that are not moved."""
        left, right = (self.still(x) for x in (a, b))
        try:
            found = np.equal(left, right) == is_equal
        except ValueError:
            raise NotUnderstood("== does not fit") from None
        exact = np.vectorize(Fraction, otypes=[object])(np.asarray(found, dtype=int))
        return self.program.number(exact, is_constant=True)

    def still(self, value: Value) -> Any:
        """Numbers that are not moved: constants, and arrays of whole numbers."""
        found = arrays.stated_array(self.program, value)
        leaf = None
        if isinstance(value, Symbol):
            leaf = self.program.leaves[value.index]
        is_whole = np.ndim(found) and all(n.denominator == 1 for n in found.flat)
        if leaf is not None and not leaf.is_constant and not is_whole:
            raise NotUnderstood("== of a number that may be another one")
        return found

    # ---- attributes and subscripts

    def attribute(self, node: ast.Attribute) -> Value:
        """`x.T`, `x.grad`, `x.shape`, `math.pi`, `self.w`."""
        if root(node) in library.MODULES and root(node) not in self.names:
            if node.attr == "e":  # e^x is exp(x), and not a power of a rounded e
                one = self.program.constant(Fraction(1))
                return self.program.apply("exp", one)
            if node.attr in CONSTANTS:
                return CONSTANTS[node.attr]
            if library.is_function(node.attr):
                return Layer(node.attr)
            self.unread(node)
        holder = self.read(node.value)
        if isinstance(holder, ast.ClassDef):
            holder = Instance(holder)
        if isinstance(holder, Instance):
            return self.member(holder, node.attr)
        if isinstance(holder, Layer) and node.attr in holder.weights:
            return holder.weights[node.attr]
        if node.attr in ("data", "real", "val", "value"):
            return known(holder)
        known(holder)
        stated = self.code.stated
        is_node = node.attr == "grad" and isinstance(holder, Symbol)
        if is_node and holder.index in stated:
            return stated[holder.index]
        if node.attr == "grad":
            x, name = symbol(self.program, holder), source(node.value)
            return self.code.gradient(x, name, tuple(self.code.backwards))
        if node.attr == "flat":
            return arrays.flattened(self.program, symbol(self.program, holder))
        if node.attr == "T":
            return arrays.transposed(self.program, holder)
        if node.attr == "shape":
            shape = symbol(self.program, holder).shape
            return tuple(AxisLength(n) for n in shape)
        if node.attr == "ndim":
            return Counted(len(symbol(self.program, holder).shape))
        if node.attr == "size":
            return AxisLength(int(np.prod(symbol(self.program, holder).shape)))
        self.unread(node)

    def member(self, holder: Instance, name: str) -> Value:
        """An attribute of an object or of its class, or a method of it."""
        if name in holder.attributes:
            return holder.attributes[name]
        of_class = self.code.attributes.get(holder.kind, {}) if holder.kind else {}
        if name in of_class:
            return of_class[name]
        for part in holder.kind.body if holder.kind else ():
            if isinstance(part, ast.FunctionDef) and part.name == name:
                bound = None if is_static(part) else holder
                found = Function(name, part.args, tuple(part.body), bound)
                return self.follow(found, (), {}) if is_property(part) else found
        raise NotUnderstood(f"the attribute {name} is not read")

    def subscript(self, node: ast.Subscript) -> Value:
        """`x[0]`, `x[1:3]`, `x[0, 1]` with whole numbers, and entries of tables."""
        holder = known(self.read(node.value))
        if isinstance(holder, Symbol):
            label = self.label(holder, node.slice)
            if label is not None:
                return label
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(holder, dict):
            key = self.key(node.slice)
            if key not in holder:
                raise NotUnderstood(f"{source(node)} is no entry that is read")
            return holder[key]
        if isinstance(holder, tuple) and isinstance(node.slice, ast.Slice):
            return holder[self.index(node.slice)]
        if isinstance(holder, tuple) and len(parts) == 1:
            at = arrays.whole(arrays.stated(self.program, self.read(parts[0])))
            if not -len(holder) <= at < len(holder):
                raise NotUnderstood(f"{source(node)} is outside the list")
            return holder[at]
        plain = ast.Slice | ast.List | ast.Constant | ast.UnaryOp
        is_axis = any(
            (isinstance(p, ast.Constant) and p.value in (None, ...)) or is_new_axis(p)
            for p in parts
        )
        if is_axis or not all(isinstance(part, plain) for part in parts):
            return self.taken(symbol(self.program, holder), node.slice)
        x, axis = symbol(self.program, holder), 0
        for part in parts:
            x, axis = self.sliced(x, part, axis)
        return x

    def label(self, x: Symbol, tree: ast.expr) -> Value:
        """One of whole numbers that nobody moves; None where it is none."""
        leaf = self.program.leaves.get(x.index)
        if leaf is None or not leaf.is_constant or len(x.shape) != 1:
            return None
        if isinstance(tree, ast.Slice | ast.Tuple):
            return None
        at = arrays.stated(self.program, self.read(tree))
        if not isinstance(at, Fraction) or not -x.shape[0] <= at < x.shape[0]:
            return None
        found = row(self.program, x, arrays.whole(at))
        return found if isinstance(found, Fraction) else None

    def taken(self, x: Symbol, tree: ast.expr) -> Symbol:
        """Entries that are named by stated arrays of whole numbers."""
        places = self.places(x.shape, tree)
        flat = self.program.apply("reshape", x, shape=(int(np.prod(x.shape)),))
        index = tuple(int(i) for i in np.ravel(places))
        chosen = self.program.apply("take", flat, axis=(-1,), index=index)
        return self.program.apply("reshape", chosen, shape=np.shape(places))

    def places(self, shape: tuple[int, ...], tree: ast.expr) -> Any:
        """The places, in one long row, of what an index names."""
        parts = tree.elts if isinstance(tree, ast.Tuple) else [tree]
        index = tuple(self.index(part) for part in parts)
        size = int(np.prod(shape))
        try:
            return np.arange(size).reshape(shape)[index]
        except (IndexError, ValueError) as error:
            raise NotUnderstood(f"{source(tree)} is no index ({error})") from None

    def index(self, part: ast.expr) -> Any:
        """A slice, a whole number, or an array of whole numbers that is stated."""
        if isinstance(part, ast.Slice):
            ends = (part.lower, part.upper, part.step)
            return slice(*(None if e is None else self.whole(e) for e in ends))
        if isinstance(part, ast.Constant) and part.value in (None, ...):
            return part.value
        if is_new_axis(part):
            return None
        value = arrays.stated_array(self.program, self.read(part))
        return np.vectorize(arrays.whole, otypes=[int])(value)[()]

    def whole(self, tree: ast.expr) -> int:
        """A whole number that the file states."""
        return arrays.whole(arrays.stated(self.program, self.read(tree)))

    def changed(self, holder: Value, tree: ast.expr, value: Value) -> Symbol:
        """An array with some entries replaced: those of a mask, or of an index."""
        x = symbol(self.program, known(holder))
        new = symbol(self.program, known(value))
        mask = self.mask(tree)
        if mask is not None:
            if new.shape not in ((), x.shape) or mask.shape != x.shape:
                raise NotUnderstood("the entries that are replaced are not read")
            return arrays.where(self.program, mask, new, x)
        shaped = self.places(x.shape, tree)
        places = np.ravel(shaped)
        hot = np.full(int(np.prod(x.shape)), Fraction(0), dtype=object)
        hot[places] = Fraction(1)
        mask = self.program.number(hot.reshape(x.shape), is_constant=True)
        if new.shape == ():
            return arrays.where(self.program, mask, new, x)
        wide = self.program.apply("broadcast_to", new, shape=np.shape(shaped))
        flat = self.program.apply("reshape", wide, shape=places.shape)
        last = {place: k for k, place in enumerate(places.tolist())}
        if len(last) < len(places):  # of what is put to one place the last stays
            kept = tuple(last.values())
            flat = self.program.apply("take", flat, axis=(-1,), index=kept)
            places = places[list(kept)]
        spread = self.spread(flat, places, x)
        return arrays.where(self.program, mask, spread, x)

    def mask(self, tree: ast.expr) -> Symbol | None:
        """The mask that an index is: a comparison, or a name of one."""
        if not isinstance(tree, ast.Compare | ast.Name | ast.Attribute):
            return None
        found = self.read(tree)
        is_mask = isinstance(found, Symbol) and found.index in self.program.masks
        return found if is_mask or isinstance(tree, ast.Compare) else None

    def spread(self, flat: Symbol, places: Any, x: Symbol) -> Symbol:
        """Numbers added up at their places in an array of the shape of x."""
        index = tuple(int(i) for i in places)
        size = int(np.prod(x.shape))
        found = self.program.apply("put", flat, axis=(-1,), index=index, length=size)
        return self.program.apply("reshape", found, shape=x.shape)

    def added_at(self, holder: Value, tree: ast.expr, values: Value) -> Symbol:
        """`np.add.at`: what comes to one place adds up."""
        x = symbol(self.program, known(holder))
        places = self.places(x.shape, tree)
        new = symbol(self.program, known(values))
        wide = self.program.apply("broadcast_to", new, shape=np.shape(places))
        flat = self.program.apply("reshape", wide, shape=(int(np.size(places)),))
        return self.program.apply("add", x, self.spread(flat, np.ravel(places), x))

    def sliced(self, x: Symbol, part: ast.expr, axis: int) -> tuple[Symbol, int]:
        """One entry, or a range of them, along one axis."""
        if axis >= len(x.shape):
            raise NotUnderstood(f"{source(part)}: more subscripts than axes")
        length, back = x.shape[axis], axis - len(x.shape)
        if isinstance(part, ast.Slice):
            low = 0 if part.lower is None else self.place(part.lower, length)
            high = length if part.upper is None else self.place(part.upper, length)
            if part.step is not None:
                raise NotUnderstood("a slice with a step is not read")
            whole = (low, high) == (0, length)
            return (
                x
                if whole
                else self.program.apply("slice", x, axis=(back,), start=low, stop=high)
            ), axis + 1
        if isinstance(part, ast.List):
            return self.chosen(x, part, axis), axis + 1
        at = self.place(part, length)
        return arrays.entry(self.program.apply, x, axis, at), axis

    def chosen(self, x: Symbol, part: ast.List, axis: int) -> Symbol:
        """The entries that a list names, along one axis."""
        back, parts = axis - len(x.shape), []
        for entry in part.elts:
            at = self.place(entry, x.shape[axis])
            parts.append(
                self.program.apply("slice", x, axis=(back,), start=at, stop=at + 1)
            )
        result = parts[0]
        for more in parts[1:]:
            result = self.program.apply("concatenate", result, more, axis=(back,))
        return result

    def place(self, part: ast.expr, length: int) -> int:
        """A whole number that names an entry, counted from the start."""
        at = arrays.whole(arrays.stated(self.program, self.read(part)))
        return at + length if at < 0 else at

    rows: ClassVar[SyntaxRows] = {
        ast.Constant: constant,
        ast.Name: name,
        ast.Tuple: several,
        ast.List: several,
        ast.Dict: table,
        ast.ListComp: each,
        ast.GeneratorExp: each,
        ast.DictComp: each_of_table,
        ast.Lambda: function,
        ast.IfExp: either,
        ast.JoinedStr: text,
        ast.Attribute: attribute,
        ast.Subscript: subscript,
        ast.Call: lambda reader, node: reader.call(reader, node),
        ast.UAdd: same,
        ast.USub: negative,
        **{kind: _operator(op) for kind, op in OPERATORS.items()},
        ast.FloorDiv: _operator("floordiv"),
        ast.Mod: _operator("mod"),
        ast.Gt: _above(or_equal=False),
        ast.GtE: _above(or_equal=True),
        ast.Lt: _below(or_equal=False),
        ast.LtE: _below(or_equal=True),
        ast.Eq: lambda reader, node, a, b: reader.equal(a, b, True),
        ast.NotEq: lambda reader, node, a, b: reader.equal(a, b, False),
    }
