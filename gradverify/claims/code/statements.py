"""Straight-line Python, statement by statement, onto a program; nothing is executed.

Expressions within statements are read by `Evaluator`. Statements have a walk of their
own: they change what names stand for, and one that is not understood is forgotten with
what it assigns, while the next one is still read.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import NESTED_CALLS, STATEMENTS, UNROLLED
from gradverify.claims.code import invoke
from gradverify.claims.code.branches import (
    BREAK,
    CONDITIONAL,
    CONTINUE,
    PERHAPS,
    as_branches,
    assignments,
    holds_arrays,
    may_break,
    merged,
)
from gradverify.claims.code.conditions import truth_of
from gradverify.claims.code.containers import entries
from gradverify.claims.code.evaluate import Evaluator
from gradverify.claims.code.events import Assigned, Displayed, Snapshot
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.syntax import BASE, inherited, is_by_entry, source
from gradverify.claims.computation.bindings import (
    NOT_CHOSEN,
    Function,
    Instance,
    StandIn,
    Unknown,
    Value,
    named,
    symbol,
)
from gradverify.claims.computation.file_program import (
    Failed,
    NotUnderstood,
    understood,
)
from gradverify.expressions import syntax_tree

RETURNS_NOTHING = "returns nothing"


def read_cell(code: Journal, cell: int, text: str) -> None:
    """Read a cell; `NotUnderstood` where it is no Python."""
    body = parsed(text).body
    code.bodies.append((cell, body))
    _Statements(code, cell, text).block(body, code.names)


def follow(
    code: Journal,
    function: Function,
    operands: tuple[Value, ...],
    keywords: Mapping[str, Value] = MappingProxyType({}),
) -> Value:
    """A function of the file, applied."""
    return _Statements(code, function.cell, "").call(function, operands, keywords)


def follow_body(
    code: Journal, body: Sequence[ast.stmt], names: dict[str, Value]
) -> Value:
    """Statements of a function, in names that are given; what they return."""
    return _Statements(code, 0, "", depth=1).block(body, names)


def parsed(text: str) -> ast.Module:
    """The syntax tree of a cell, within limits."""
    try:
        tree = syntax_tree(text, "exec")
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise NotUnderstood(f"{where}this is no Python ({str(error)[:80]})") from None
    assert isinstance(tree, ast.Module)
    return tree


class _Statements:
    """Reads statements in a scope; functions of the file open scopes of their own."""

    def __init__(self, code: Journal, cell: int, text: str, depth: int = 0) -> None:
        self.code, self.cell, self.text, self.depth = code, cell, text, depth
        self.lines = text.splitlines()
        self.is_repeated = self.is_written_out = False
        self.yielded: list[Value] = []
        code.scopes += 1
        self.scope = code.scopes

    def block(self, body: Iterable[ast.stmt], names: dict[str, Value]) -> Value:
        """Read statements in order; what a `return` among them returns."""
        for statement in body:
            self.code.statements += 1
            if self.code.statements > STATEMENTS:
                raise NotUnderstood(f"more than {STATEMENTS} statements")
            if isinstance(statement, ast.Return):
                tree = statement.value
                return None if tree is None else self.value(tree, names)
            if isinstance(statement, ast.Continue | ast.Break):
                return CONTINUE if isinstance(statement, ast.Continue) else BREAK
            result = self.guarded(statement, names)
            end = statement.end_lineno or statement.lineno
            self.code.snapshots.append(
                Snapshot(
                    self.cell, end, dict(names), tuple(self.code.backwards), self.depth
                )
            )
            if result is not None:
                return result
        return None

    def guarded(self, node: ast.stmt, names: dict[str, Value]) -> Value:
        """Read one statement; where we fail at it, what it assigns is not known."""
        try:
            with understood():
                return self.statement(node, names)
        except Failed as error:
            self.forget(node, names, str(error))
        return None

    def value(self, tree: ast.expr, names: dict[str, Value]) -> Value:
        """The value of an expression, or why it has none."""
        try:
            with understood():
                return Evaluator(self.code, names, self.call, invoke.call).read(tree)
        except NotUnderstood as error:
            self.code.unread.append(str(error))
            return Unknown(str(error))

    def statement(self, node: ast.stmt, names: dict[str, Value]) -> Value:
        """Read one statement; only a `return` inside it gives a value."""
        match node:
            case ast.Assign():
                if isinstance(node.targets[0], ast.Subscript):
                    self.begin_sum(node.targets[0], names)
                tree = self.in_full(node.targets[0], node.value, names)
                value = self.value(tree, names)
                for target in node.targets:
                    self.bind(target, value, names, node)
            case ast.AnnAssign(value=ast.expr() as right):
                self.bind(node.target, self.value(right, names), names, node)
            case ast.AugAssign():
                if isinstance(node.op, ast.Add):
                    self.begin_sum(node.target, names)
                old = self.before_change(node.target, names)
                more = self.in_full(node.target, node.value, names)
                tree = ast.BinOp(_load(old), node.op, more)
                ast.copy_location(tree, node)
                self.bind(node.target, self.value(tree, names), names, node)
            case ast.FunctionDef():
                found = Function(
                    node.name, node.args, tuple(node.body), None, self.cell, node.lineno
                )
                names[node.name] = found
                if not self.depth:
                    self.code.functions.append(found)
            case ast.ClassDef():
                known = (names.get(b.id) for b in node.bases if isinstance(b, ast.Name))
                bases = [b for b in known if isinstance(b, ast.ClassDef)]
                for part in node.body if bases else ():
                    if isinstance(part, ast.FunctionDef):
                        self.code.bases[id(part.body[0])] = bases[0]
                names[node.name] = kind = inherited(node, bases)
                self.code.attributes[kind] = self.class_body(node, names)
                if not self.depth:
                    self.code.classes.append(kind)
                    self.code.class_cells.append(self.cell)
            case ast.Import():
                self.code.libraries |= {a.name.split(".")[0] for a in node.names}
            case ast.ImportFrom(module=str(module)):
                self.code.libraries.add(module.split(".")[0])
            case ast.Expr():
                self.expression(node, names)
            case ast.With() | ast.Try():
                return self.block(node.body, names)
            case ast.If() if _is_main(node.test):
                return self.block(node.body, names)
            case ast.For() | ast.While():
                return self.loop(node, names)
            case ast.If():
                return self.condition(node, names)
        return None

    def class_body(
        self, kind: ast.ClassDef, names: Mapping[str, Value]
    ) -> dict[str, Value]:
        """What the body of a class gives the class, where the class stands.

        A statement other than `k = …` leaves what it assigns without a known value.
        """
        result: dict[str, Value] = {}
        methods = {
            m.name: Unknown("a method is no number")
            for m in kind.body
            if isinstance(m, ast.FunctionDef)
        }
        for part in kind.body:
            match part:
                case ast.FunctionDef(name=name):  # it takes an attribute's place
                    result.pop(name, None)
                case ast.Assign(targets=[ast.Name(id=name)], value=tree):
                    value = self.value(tree, {**names, **methods, **result})
                    result[name] = self.named(name, value)
                case _:
                    self.forget(part, result, "the attribute {name} is not read")
        return result

    def named(self, name: str, value: Value) -> Value:
        """What a name stands for from now on, or why that is not known."""
        try:
            return named(self.code.program, name, value)
        except NotUnderstood as error:
            return Unknown(str(error))

    def before_change(self, target: ast.expr, names: dict[str, Value]) -> ast.expr:
        """What is changed: of `dx[x < 0] *= a` all of dx, whose mask decides later."""
        if isinstance(target, ast.Subscript) and self.is_mask(target.slice, names):
            return target.value
        return target

    def is_mask(self, tree: ast.expr, names: dict[str, Value]) -> bool:
        """Whether an index is a comparison, or a name of one."""
        with suppress(NotUnderstood), understood():
            evaluator = Evaluator(self.code, names, self.call, invoke.call)
            return evaluator.mask(tree) is not None
        return False

    def in_full(
        self, target: ast.expr, tree: ast.expr, names: dict[str, Value]
    ) -> ast.expr:
        """`exp(-x)` for the right side of `z[m] = exp(-x[m])`: m picks entries of it.

        That holds of what is done entry by entry, and of no sum of them.
        """
        if not isinstance(target, ast.Subscript) or not is_by_entry(tree):
            return tree
        if not self.is_mask(target.slice, names):
            return tree
        unpicked = _Unpicked(ast.unparse(target.slice))
        full: ast.expr = unpicked.visit(copy.deepcopy(tree))
        return full

    def begin_sum(self, target: ast.expr, names: dict[str, Value]) -> None:
        """Zeros that something is added to are no numbers that may be others.

        Nor are zeros and ones some of which are written over.
        """
        while isinstance(target, ast.Subscript) and not _is_text(target.slice):
            target = target.value
        program = self.code.program
        with suppress(NotUnderstood), understood():
            value = Evaluator(self.code, names, self.call, invoke.call).read(target)
            leaf = (
                program.leaves.get(value.index) if isinstance(value, Symbol) else None
            )
            if leaf is None or leaf.is_constant or leaf.value is None:
                return
            if not any(np.all(leaf.value == filled) for filled in (0, 1)):
                return
            zeros = program.number(leaf.value, is_constant=True)
            if isinstance(target, ast.Name):
                names[target.id] = zeros
            elif isinstance(target, ast.Subscript):
                holder = self.value(target.value, names)
                key = getattr(target.slice, "value", None)
                if isinstance(holder, dict) and key in holder:
                    holder[key] = zeros
            elif isinstance(target, ast.Attribute):
                holder = self.value(target.value, names)
                if isinstance(holder, Instance) and target.attr in holder.attributes:
                    holder.attributes[target.attr] = zeros

    def condition(self, node: ast.If, names: dict[str, Value]) -> Value:
        """The branch that the file decides for; else nothing is known of either."""

        def read(tree: ast.expr) -> Value:
            with understood():
                return Evaluator(self.code, names, self.call, invoke.call).read(tree)

        holds = truth_of(node.test, read)
        if holds is None and self.both(node, names):
            return None
        if holds is None:
            is_end = self.is_written_out and may_break(node)
            is_end = is_end and self.is_open(node.test, names)
            asked = (
                names.get(n.id) for n in ast.walk(node.test) if isinstance(n, ast.Name)
            )
            waits = (v.reason for v in asked if isinstance(v, Unknown))
            first = next((r for r in waits if r.startswith(NOT_CHOSEN)), None)
            self.forget(node, names, first or CONDITIONAL)
            return PERHAPS if is_end else None
        return self.block(node.body if holds else node.orelse, names)

    def both(self, node: ast.If, names: dict[str, Value]) -> bool:
        """Follow both branches, where a number decides; whether that is possible."""
        changed = [assignments(branch) for branch in (node.body, node.orelse)]
        if not self.depth or None in changed or not isinstance(node.test, ast.Compare):
            return False
        last = {n: s for found in changed[::-1] if found for n, s in found.items()}
        mask = self.value(node.test, names)
        is_number = isinstance(mask, Symbol) and not mask.shape
        if not is_number or not holds_arrays(names, [*last]):
            return False
        for statement in (*node.body, *node.orelse):
            if isinstance(statement, ast.AugAssign):
                self.begin_sum(statement.target, names)
        sides, before = (dict(names), dict(names)), len(self.code.assigned)
        for side, branch in zip(sides, (node.body, node.orelse), strict=True):
            self.block(branch, side)
        del self.code.assigned[before:]  # each branch holds of some numbers alone
        found = [*merged(self.code.program, mask, *sides, [*last])]
        names |= found
        for name, value in found:
            self.note(name, value, names, last[name])
        return True

    def loop(self, node: ast.For | ast.While, names: dict[str, Value]) -> Value:
        """A loop of few passes; of others the first one.

        After the first of many passes what the loop assigns has no known value.
        """
        before, self.is_repeated = self.is_repeated, True
        outer, self.is_written_out = self.is_written_out, False
        several = self.value(node.iter, names) if isinstance(node, ast.For) else None
        if isinstance(several, Symbol | dict) and self.depth:
            with suppress(NotUnderstood):
                several = entries(self.code.program, several, "a loop")
        try:
            if self.depth and is_short(several) and isinstance(node, ast.For):
                return self.passes(node, several, names)
            self.first_pass(node, several, names)
        finally:
            self.is_repeated, self.is_written_out = before, outer
        return None

    def passes(self, node: ast.For, several: Any, names: dict[str, Value]) -> Value:
        """Every pass of a loop, one after the other.

        Where numbers decide whether it ends, nothing is known of what it assigns.
        """
        self.is_written_out = True
        before = len(self.code.assigned)
        for value in several:
            self.bind(node.target, value, names, node)
            result = self.one_pass(node.body, names)
            if result is BREAK:
                return None
            if result is PERHAPS:
                self.forget(node, names, CONDITIONAL)
                del self.code.assigned[before:]
                return None
            if result is not None and result is not CONTINUE:
                return result
        return None

    def one_pass(self, body: Sequence[ast.stmt], names: dict[str, Value]) -> Value:
        """One pass; where numbers decide on a `continue`, with the rest as a branch."""
        for k, statement in enumerate(body):
            whole = as_branches(statement, body[k + 1 :])
            if whole is not None and self.is_open(whole.test, names):
                return self.block([whole], names)
            result = self.block([statement], names)
            if result is not None:
                return result
        return None

    def is_open(self, test: ast.expr, names: dict[str, Value]) -> bool:
        """Whether numbers that are read decide on a condition, and nothing else."""

        def read(tree: ast.expr) -> Value:
            with understood():
                return Evaluator(self.code, names, self.call, invoke.call).read(tree)

        with suppress(NotUnderstood):
            return truth_of(test, read) is None and isinstance(read(test), Symbol)
        return False

    def first_pass(
        self, node: ast.For | ast.While, several: Value, names: dict[str, Value]
    ) -> None:
        """One pass, in names of its own."""
        inner = dict(names)
        if isinstance(node, ast.For):
            self.bind(node.target, _first(several), inner, node)
        try:
            self.block(node.body, inner)
        finally:
            is_open = isinstance(several, Unknown)
            why = several.reason if is_open else "{name} is changed in a loop"
            self.forget(node, names, why)

    def expression(self, node: ast.Expr, names: dict[str, Value]) -> None:
        """A statement that is an expression: it may print, or run backward."""
        tree = node.value
        is_print = (
            isinstance(tree, ast.Call)
            and isinstance(tree.func, ast.Name)
            and tree.func.id == "print"
        )
        if isinstance(tree, ast.Constant):
            return
        if isinstance(tree, ast.Yield):
            self.yielded.append(
                None if tree.value is None else self.value(tree.value, names)
            )
            return
        parts: list[ast.expr] = [tree]
        if is_print and isinstance(tree, ast.Call):
            parts = tree.args
        if self.changes(tree, names, node):
            return
        values = tuple(self.value(part, names) for part in parts)
        text = ast.unparse(tree) if len(parts) != 1 else ast.unparse(parts[0])
        end = node.end_lineno or node.lineno
        if self.depth == 0 and not self.is_repeated:
            self.code.shown.append(
                Displayed(self.cell, node.lineno, end, values, text, is_print)
            )

    def bind(
        self, target: ast.expr, value: Value, names: dict[str, Value], node: ast.stmt
    ) -> None:
        """Give a name, an attribute, or several of them a value."""
        if isinstance(target, ast.Tuple | ast.List):
            parts = value if isinstance(value, tuple) else None
            if isinstance(value, Symbol) and value.shape[:1] == (len(target.elts),):
                parts = entries(self.code.program, value, "several names")
            if parts is None or len(parts) != len(target.elts):
                why = value if isinstance(value, Unknown) else _not_so_many(parts)
                parts = (why,) * len(target.elts)
            for part, each in zip(target.elts, parts, strict=True):
                self.bind(part, each, names, node)
        elif isinstance(target, ast.Name):
            try:
                if isinstance(value, tuple) and _are_numbers(node):
                    value = tuple(named(self.code.program, "", v) for v in value)
                names[target.id] = named(self.code.program, target.id, value)
            except NotUnderstood as error:
                names[target.id] = Unknown(str(error))
            self.note(target.id, names[target.id], names, node)
        elif isinstance(target, ast.Attribute):
            self.bind_attribute(target, value, names, node)
        elif isinstance(target, ast.Subscript):
            self.bind_entries(target, value, names, node)

    def note(
        self, name: str, value: Value, names: Mapping[str, Value], node: ast.stmt
    ) -> None:
        """Write an assignment down: it may be a step of a backward pass."""
        tree = getattr(node, "value", None)
        if not isinstance(tree, ast.expr):
            return
        end = node.end_lineno or node.lineno
        at = node.lineno - 1  # of another cell, where the function stands there
        line = self.lines[at].strip() if at < len(self.lines) else ""
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        is_update = isinstance(node, ast.AugAssign | ast.Expr) or (
            isinstance(target, ast.Subscript) and not _is_text(target.slice)
        )
        place = self.cell, node.lineno, end
        found = value, line or source(node), {**_held(names), **self.stand_ins(names)}
        self.code.assigned.append(
            Assigned(*place, name, *found, tree, self.depth, self.scope, is_update)
        )

    def stand_ins(self, names: Mapping[str, Value]) -> dict[str, Value]:
        """What stands for names of the file that have no value, in this place."""
        given, outer = self.code.given, self.code.names
        return {n: v for n, v in given.items() if names.get(n) is outer.get(n)}

    def bind_attribute(
        self,
        target: ast.Attribute,
        value: Value,
        names: dict[str, Value],
        node: ast.stmt,
    ) -> None:
        """`self.w = …`, `w.data = …`, `x.grad = …`, `C.k = …` of a class."""
        holder = self.value(target.value, names)
        if isinstance(holder, ast.ClassDef):
            # Within a function: a trial of it must not be seen after it.
            why = "the attribute {name} of a class is changed in a function"
            found = self.named(target.attr, Unknown(why) if self.depth else value)
            self.code.attributes.setdefault(holder, {})[target.attr] = found
        elif target.attr == "grad":
            self.code.backwards.clear()
            if isinstance(holder, Symbol) and value is not None:
                self.code.stated[holder.index] = value
                self.note(f"{source(target.value)}_grad", value, names, node)
        elif target.attr == "data" and isinstance(target.value, ast.Name):
            names[target.value.id] = named(self.code.program, target.value.id, value)
        elif isinstance(holder, Instance):
            found = self.named(target.attr, value)
            holder.attributes[target.attr] = found
            self.note(target.attr, found, names, node)
        elif isinstance(holder, Unknown):  # such as `type(self).k = …`
            why = "{name} is changed where it is not clear whose it is"
            self.forget_attribute(target.attr, why)

    def bind_entries(
        self,
        target: ast.Subscript,
        value: Value,
        names: dict[str, Value],
        node: ast.stmt,
    ) -> None:
        """`grads["W"] = …`, `dz[z <= 0] = 0`, `p[range(n), y] -= 1`."""
        holder = self.value(target.value, names)
        if isinstance(holder, dict):
            try:
                with understood():
                    e = Evaluator(self.code, names, self.call, invoke.call)
                    key = e.key(target.slice)
            except NotUnderstood:
                return
            holder[key] = found = named(self.code.program, str(key), value)
            if isinstance(key, str):
                self.note(_key_name(source(target.value), key), found, names, node)
            return
        if isinstance(holder, tuple):
            self.bind_in_list(target, holder, value, names, node)
            return
        try:
            with understood():
                evaluator = Evaluator(self.code, names, self.call, invoke.call)
                changed: Value = evaluator.changed(holder, target.slice, value)
        except NotUnderstood as error:
            changed = Unknown(str(error))
        self.rebind(target.value, changed, names, node)

    def bind_in_list(
        self,
        target: ast.Subscript,
        several: tuple[Value, ...],
        value: Value,
        names: dict[str, Value],
        node: ast.stmt,
    ) -> None:
        """`grad_w[-1] = …`: one entry of a list, which may be a gradient itself."""
        try:
            with understood():
                at = Evaluator(self.code, names, self.call, invoke.call).index(
                    target.slice
                )
                found = named(self.code.program, source(target), value)
            if not isinstance(at, int | np.integer) or not -len(several) <= at < len(
                several
            ):
                raise NotUnderstood("which entry of a list is replaced is not read")
        except NotUnderstood as error:
            self.rebind(target.value, Unknown(str(error)), names, node)
            return
        at = int(at) % len(several)
        changed = (*several[:at], found, *several[at + 1 :])
        held = target.value
        if isinstance(held, ast.Name):
            names[held.id] = changed
            self.note(f"{held.id}[{at}]", found, names, node)
        elif isinstance(held, ast.Attribute) and isinstance(
            owner := self.value(held.value, names), Instance
        ):
            owner.attributes[held.attr] = changed
            self.note(f"{held.attr}[{at}]", found, names, node)
        else:
            self.rebind(held, changed, names, node)

    def rebind(
        self, target: ast.expr, value: Value, names: dict[str, Value], node: ast.stmt
    ) -> None:
        """A name or an attribute whose entries were changed."""
        if isinstance(target, ast.Name):
            names[target.id] = value
            self.note(target.id, value, names, node)
        elif isinstance(target, ast.Subscript):  # xs[t][k] = 1
            self.bind_entries(target, value, names, node)
        elif isinstance(target, ast.Attribute):
            self.bind_attribute(target, value, names, node)
        else:
            self.forget_name(target, names, "{name} is changed in place")

    def changes(self, tree: ast.expr, names: dict[str, Value], node: ast.stmt) -> bool:
        """`np.add.at(dx, index, values)`: whether a call changes an array so."""
        match tree:
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[one, key, *_]):
                self.forget_key(one, key, names)
                return False
            case ast.Call(
                func=ast.Attribute(
                    attr=method, value=ast.Name() | ast.Attribute() as holder
                ),
                args=operands,
                keywords=[],
            ) if method in LIST_METHODS:
                several = self.value(holder, names)
                if not isinstance(several, tuple):
                    return False
                given = [self.value(one, names) for one in operands]
                changed = LIST_METHODS[method](several, *given)
                self.rebind(holder, changed, names, node)
                return True
            case ast.Call(
                func=ast.Attribute(attr="at", value=ast.Attribute(attr="add")),
                args=[target, index, values],
            ):
                try:
                    with understood():
                        e = Evaluator(self.code, names, self.call, invoke.call)
                        added: Value = e.added_at(e.read(target), index, e.read(values))
                except NotUnderstood as error:
                    added = Unknown(str(error))
                self.rebind(target, added, names, node)
                return True
        return False

    def forget(self, node: ast.stmt, names: dict[str, Value], reason: str) -> None:
        """Names that are assigned within a statement have no known value after it."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                names[part.id] = Unknown(reason.replace("{name}", part.id))
            elif isinstance(part, ast.Subscript | ast.Attribute) and isinstance(
                part.ctx, ast.Store
            ):
                self.forget_name(part, names, reason)
            elif isinstance(part, ast.Call) and _ends_in(part.func, "step"):
                self.forget_all(names, "{name} is changed by an optimiser's step")

    def forget_name(self, tree: ast.expr, names: dict[str, Value], reason: str) -> None:
        """The name at the root of `x[0]` or `x.data`; for `C.k`, every k."""
        while isinstance(tree, ast.Subscript | ast.Attribute):
            if isinstance(tree, ast.Attribute):
                self.forget_attribute(tree.attr, reason)
            tree = tree.value
        if isinstance(tree, ast.Name) and tree.id in names:
            names[tree.id] = Unknown(reason.replace("{name}", tree.id))

    def forget_attribute(self, name: str, reason: str) -> None:
        """No class has a known attribute of this name from now on."""
        for of_class in self.code.attributes.values():
            if name in of_class:
                of_class[name] = Unknown(reason.replace("{name}", name))

    def forget_key(
        self, holder: ast.expr, key: ast.expr, names: dict[str, Value]
    ) -> None:
        """`setattr(C, "k", 2)`: k has no known value; if k is no text, nothing has.

        An object and a class are not told apart here: where an object is changed, what
        its class has of that name is forgotten too.
        """
        why = "{name} is changed by its name"
        found = self.value(holder, names)
        held = found.attributes if isinstance(found, Instance) else {}
        own = {n for of_class in self.code.attributes.values() for n in of_class}
        text = key.value if isinstance(key, ast.Constant) else None
        for name in (text,) if isinstance(text, str) else (*own, *held):
            self.forget_attribute(name, why)
            if isinstance(found, Instance):
                held[name] = Unknown(why.replace("{name}", name))

    def forget_all(self, names: dict[str, Value], reason: str) -> None:
        """An optimiser changes what it was given, which is not followed."""
        for name, value in names.items():
            if isinstance(value, Symbol | Instance):
                names[name] = Unknown(reason.replace("{name}", name))

    # ---- functions of the file

    def call(self, function: Function, operands: Any, keywords: Any) -> Value:
        """Follow a function of the file with these operands."""
        self.code.statements += 20
        unknown = [v for v in (*operands, *keywords.values()) if isinstance(v, Unknown)]
        if unknown and self.text and not self.depth:  # data from elsewhere: ours serve
            raise NotUnderstood(unknown[0].reason)
        self.code.followed.add(id(function.body[0]) if function.body else 0)
        if self.depth >= NESTED_CALLS:
            raise NotUnderstood(f"{function.name} calls too many functions in turn")
        inner = dict(self.code.names)
        bound = () if function.bound is None else (function.bound,)
        inner.update(_arguments(self, function, (*bound, *operands), keywords))
        above = self.code.bases.get(id(function.body[0])) if function.body else None
        if above is not None:
            inner[BASE] = above
        below = _Statements(self.code, self.cell, self.text, self.depth + 1)
        result = below.block(function.body, inner)
        if below.yielded:  # all at once, where Python gives one after the other
            return tuple(below.yielded)
        holder = function.bound
        if isinstance(holder, StandIn) and function.name in holder.supposed:
            self.code.program.supposed.add(symbol(self.code.program, result).index)
        nothing = Unknown(f"{function.name} {RETURNS_NOTHING}")
        return nothing if result is None else result


def _arguments(
    reader: _Statements, function: Function, operands: Any, keywords: Any
) -> dict[str, Value]:
    given = function.parameters
    if given.kwarg:
        raise NotUnderstood(f"{function.name} takes any number of operands")
    parameters = [a.arg for a in (*given.posonlyargs, *given.args)]
    result: dict[str, Value] = {}
    defaults = [*zip(parameters[::-1], given.defaults[::-1], strict=False)]
    defaults += [
        (a.arg, tree)
        for a, tree in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if tree is not None
    ]
    for name, tree in defaults:
        result[name] = reader.value(tree, reader.code.names)
    result.update(zip(parameters, operands, strict=False))
    result.update(keywords)
    rest = operands[len(parameters) :]
    wanted = {*parameters, *(a.arg for a in given.kwonlyargs)}
    if set(result) != wanted or (rest and given.vararg is None):
        raise NotUnderstood(
            f"{function.name} is called with other operands than it takes"
        )
    if given.vararg is not None:
        result[given.vararg.arg] = tuple(rest)
    return {k: named(reader.code.program, k, v) for k, v in result.items()}


def _inserted(several: tuple[Value, ...], at: Value, one: Value) -> Value:
    """`several.insert(0, one)`."""
    if not isinstance(at, Fraction):
        return Unknown("where a list is changed is not stated")
    return (*several[: int(at)], one, *several[int(at) :])


def _extended(several: tuple[Value, ...], more: Value) -> Value:
    """`several.extend(more)`."""
    if isinstance(more, tuple):
        return (*several, *more)
    return Unknown("what a list is extended by is not read")


# What a list is after a method that changes it; its other methods are not read.
LIST_METHODS: Mapping[str, Callable[..., Value]] = {
    "append": lambda several, one: (*several, one),
    "insert": _inserted,
    "extend": _extended,
    "reverse": lambda several: several[::-1],
}


def _not_so_many(parts: tuple[Value, ...] | None) -> Unknown:
    """Why names in a row have no values."""
    if parts is None:
        return Unknown("{name} is one of several values that are not read")
    return Unknown(f"a list of {len(parts)} values does not fit the names before it")


def is_short(several: Value) -> bool:
    """Whether a loop over it has passes that are known, and few."""
    return isinstance(several, tuple) and 0 < len(several) <= UNROLLED


def _first(several: Value) -> Value:
    """What a loop begins with."""
    if isinstance(several, tuple) and several:
        return several[0]
    if isinstance(several, np.ndarray) and several.shape and len(several):
        return several[0]
    if isinstance(several, Unknown):
        return several
    return Unknown("{name} is one of several values that are not read")


def _is_text(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and isinstance(tree.value, str)


def _key_name(holder: str, key: str) -> str:
    """`dW` for the entry W of a table of gradients; else the entry's own name."""
    return f"d{key}" if re.match(r"d(?!ata|ict)|(?i:.*grad)", holder) else key


def _held(names: Mapping[str, Value]) -> dict[str, Value]:
    """The names, and what objects and tables among them hold under names of its own."""
    result: dict[str, Value] = {}
    for name, value in names.items():
        if isinstance(value, Instance):
            result.update(_held(value.attributes))
        elif isinstance(value, dict):
            texts = {k: v for k, v in value.items() if isinstance(k, str)}
            result.update({_key_name(name, k): v for k, v in texts.items()})
    return {**result, **names}


class _Unpicked(ast.NodeTransformer):
    """Writes `x` for `x[m]`, where m is this mask."""

    def __init__(self, mask: str) -> None:
        self.mask = mask

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """The array itself, for entries of it that the mask picks."""
        return node.value if ast.unparse(node.slice) == self.mask else node


def _load(target: ast.expr) -> ast.expr:
    copy: ast.expr = ast.parse(ast.unparse(target), mode="eval").body
    return copy


def _are_numbers(node: ast.stmt) -> bool:
    """Whether a list of decimals is assigned: `w = [2.0, -3.0]`, each by itself.

    A list of whole numbers says how large layers are.
    """
    tree = getattr(node, "value", None)
    if not isinstance(tree, ast.List | ast.Tuple):
        return False
    entries = [e.operand if isinstance(e, ast.UnaryOp) else e for e in tree.elts]
    found = [e.value for e in entries if isinstance(e, ast.Constant)]
    return len(found) == len(entries) and any(type(v) is float for v in found)


def _is_main(test: ast.expr) -> bool:
    return ast.unparse(test) in ("__name__ == '__main__'", "True")


def _ends_in(tree: ast.expr, name: str) -> bool:
    return isinstance(tree, ast.Attribute) and tree.attr == name
