"""Calls in a file: functions of libraries and of the file, methods, layers, classes."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code import library as calls
from gradverify.claims.code.array_functions import whole
from gradverify.claims.code.containers import entries, entry_or, of_table
from gradverify.claims.code.evaluate import Evaluator
from gradverify.claims.code.stand_ins import OF_LAYERS, SLOPES, of_layer
from gradverify.claims.code.syntax import BASE, defines, root, source
from gradverify.claims.computation.bindings import (
    Function,
    GradientOf,
    Instance,
    Layer,
    Open,
    Unknown,
    Value,
    known,
    numbers,
    symbol,
)
from gradverify.claims.computation.file_program import NotUnderstood

SILENT = frozenset(
    {"dtype", "device", "requires_grad", "generator", "label", "_children", "_op"}
)


JAX = frozenset({"jax", "jnp"})  # whose softmax is along the last axis


def _last_name(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def call(e: Evaluator, node: ast.Call) -> Value:
    """A function of a library or of the file, a method, a layer, a class."""
    if any(k.arg is None for k in node.keywords):
        raise NotUnderstood(f"{source(node)}: unpacked operands are not read")
    name = _last_name(node.func)
    if name in calls.OUTSIDE and name not in e.names:
        raise NotUnderstood(f"{{name}} comes from {name}(), not from the file")
    if name == "backward" and not _is_own(e, node.func):
        return backward(e, node)
    if name in ("zero_grad", "zero_"):
        e.code.backwards.clear()
        return None
    if isinstance(node.func, ast.Name | ast.Attribute):
        target = target_of(e, node.func)
        if target is None:
            return library(e, node, name)
    else:
        target = e.read(node.func)
    return applied(e, target, node)


def _is_own(e: Evaluator, func: ast.expr) -> bool:
    """Whether a function or a method of the file is called, and none of a library."""
    if isinstance(func, ast.Name):
        return func.id in e.names
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        holder = e.names.get(func.value.id)
        kind = holder.kind if isinstance(holder, Instance) else holder
        return isinstance(kind, ast.ClassDef) and defines(kind, func.attr)
    if isinstance(func, ast.Attribute) and root(func) == "self":
        held = e.read(func.value)
        kind = held.kind if isinstance(held, Instance) else held
        return isinstance(kind, ast.ClassDef) and defines(kind, func.attr)
    return False


def target_of(e: Evaluator, func: ast.expr) -> Value:
    """What of the file is called; None for a library's function or method."""
    if isinstance(func, ast.Name):
        found = e.names.get(func.id)
        if isinstance(found, ast.ClassDef) and func.id in calls.ARRAYS:
            return None  # a class of the file that wraps a number
        return found
    assert isinstance(func, ast.Attribute)
    if root(func) in calls.MODULES and root(func) not in e.names:
        return None
    if isinstance(func.value, ast.Call) and source(func.value.func) == "super":
        return _of_base(e, func.attr)
    holder = e.read(func.value)
    if isinstance(holder, Instance):
        return e.member(holder, func.attr)
    if isinstance(holder, Layer) and func.attr == "forward":
        return holder
    if isinstance(holder, Layer) and holder.op in OF_LAYERS and func.attr in SLOPES:
        return e.member(of_layer(holder.op), func.attr)
    if isinstance(holder, ast.ClassDef) and defines(holder, func.attr):
        return e.member(Instance(holder), func.attr)
    return None


def _of_base(e: Evaluator, name: str) -> Value:
    """A method of the base class; one that is not in the file is not understood.

    Its `__init__` alone is passed over.
    """
    base, holder = e.names.get(BASE), e.names.get("self")
    if isinstance(base, ast.ClassDef) and isinstance(holder, Instance):
        for part in base.body:
            if isinstance(part, ast.FunctionDef) and part.name == name:
                return Function(name, part.args, tuple(part.body), holder)
    if name == "__init__":
        return Layer("identity")
    return Unknown(f"{name} of the base class is not in the file")


def applied(e: Evaluator, target: Value, node: ast.Call) -> Value:
    """Something of the file, applied to operands."""
    if isinstance(target, ast.ClassDef):
        return instance(e, target, node)
    operands, keywords = operands_of(e, node)
    if isinstance(target, Instance):
        has_call = defines(target.kind, "__call__")
        target = e.member(target, "__call__" if has_call else "forward")
    if isinstance(target, Function):
        return e.follow(target, operands, keywords)
    if isinstance(target, Layer):
        if target.op == "identity":
            return operands[0] if operands else None
        operands = (*operands, *target.weights.values())
        keywords = {**target.keywords, **keywords}
        return calls.call(e.program, target.op, operands, keywords)
    if isinstance(target, GradientOf):
        return derived(e, target, operands)
    known(target)
    raise NotUnderstood(f"{source(node)} is not read")


def derived(e: Evaluator, target: GradientOf, operands: Any) -> Symbol:
    """`grad(f)(x)`."""
    leaves = [own(e, v) for v in operands]
    y = symbol(e.program, e.follow(target.function, leaves, {}))
    result = e.program.derivative(y, leaves[target.argument])
    e.program.gradients.add(result.index)
    return result


def own(e: Evaluator, value: Value) -> Symbol:
    """An operand as a node that can be differentiated by."""
    array = numbers(known(value))
    if array is not None:
        return e.program.number(array)
    return symbol(e.program, value)


def operands_of(
    e: Evaluator, node: ast.Call
) -> tuple[tuple[Value, ...], dict[str, Value]]:
    """Positional ones and keywords, read."""
    keywords = {str(k.arg): keyword_value(e, k) for k in node.keywords}
    operands: list[Value] = []
    for tree in node.args:
        if isinstance(tree, ast.Starred):
            operands += entries(e.program, known(e.read(tree.value)), "*")
        else:
            operands.append(e.read(tree))
    return tuple(operands), keywords


def keyword_value(e: Evaluator, keyword: ast.keyword) -> Value:
    """Its value; None for those that change no number."""
    if keyword.arg in SILENT:
        return None
    return e.read(keyword.value)


def library(e: Evaluator, node: ast.Call, name: str) -> Value:
    """A function or a method of a library."""
    if name in ("grad", "value_and_grad") and node.args:
        return grad(e, node)
    of_library = root(node.func) in calls.MODULES and root(node.func) not in e.names
    is_unchanged = name in calls.UNCHANGED and not of_library
    if is_unchanged and isinstance(node.func, ast.Attribute):
        if isinstance(e.read(node.func.value), dict):
            return dict(e.read(node.func.value))
        return known(e.read(node.func.value))  # whatever dtype it is to have
    operands, keywords = operands_of(e, node)
    if name == "copy" and of_library and len(operands) == 1:
        return operands[0]  # even where it is not known
    keywords = {k: v for k, v in keywords.items() if v is not None}
    is_method = isinstance(node.func, ast.Attribute) and not (
        root(node.func) in calls.MODULES and root(node.func) not in e.names
    )
    if is_method:
        assert isinstance(node.func, ast.Attribute)
        holder = e.read(node.func.value)
        if isinstance(holder, dict) and name in ("get", "setdefault") and operands:
            return entry_or(holder, name, *operands)
        if isinstance(holder, dict) and (found := of_table(name, holder)) is not None:
            return found
        operands = (holder, *operands)
    if name in ("var", "std") and not {"ddof", "correction"} & set(keywords):
        assumed = _correction(e, root(node.func), is_method)
        keywords |= {} if assumed is None else {"ddof": Fraction(assumed)}
    if name in calls.GENERATORS:
        return Layer("generator")
    if is_method and isinstance(operands[0], Layer):
        operands = operands[1:]
    if calls.LAYERS.get(name) in OF_LAYERS and "torch" not in e.code.libraries:
        return of_layer(calls.LAYERS[name])
    if name in calls.LAYERS or name == "Linear":
        return calls.layer(e.program, name, operands, keywords)
    if name in calls.ARRAYS and operands:
        return array(e, operands[0])
    if len(operands) == 1 and not keywords:
        slope = calls.slope_named(e.program, name, known(operands[0]))
        if slope is not None:
            e.program.supposed.add(slope.index)
            return slope
    is_other = name in calls.PYTORCH
    if name in ("max", "min"):  # of all elements it is the same
        is_other = bool(keywords) or calls.has_axis(e.program, operands)
    is_pytorch = is_other and _is_pytorch(e, node, name, is_method)
    by_default = name in calls.ALONG and len(operands) == 1 and not keywords
    if by_default and "scipy" in e.code.libraries and root(node.func) not in JAX:
        raise NotUnderstood(f"{source(node)}: along which axis it is, is not stated")
    return calls.call(e.program, name, operands, keywords, is_pytorch)


def _is_pytorch(e: Evaluator, node: ast.Call, name: str, is_method: bool) -> bool:
    """Whether PyTorch's function is called, where NumPy has another one of its name.

    Of which library a method or a bare name is, the one that is imported says.
    """
    if is_method and name == "size":
        return True  # an array of NumPy has no such method
    if any(k.arg in ("dim", "axis") for k in node.keywords):
        return any(k.arg == "dim" for k in node.keywords)
    if not is_method and isinstance(node.func, ast.Attribute):
        return root(node.func) in calls.TENSORS
    imported = e.code.libraries & calls.OF_ARRAYS
    if not imported or ("torch" in imported and len(imported) > 1):
        raise NotUnderstood(f"{source(node)}: of which library it is, is not clear")
    return "torch" in imported


def _correction(e: Evaluator, module: str, is_method: bool) -> int | None:
    """Of var and std; of a method, what the one library of the file has."""
    if not is_method:
        return calls.CORRECTION.get(module)
    found = {calls.CORRECTION[m] for m in e.code.libraries if m in calls.CORRECTION}
    return found.pop() if len(found) == 1 else None


def array(e: Evaluator, value: Value) -> Value:
    """`np.array(…)` and its kin: the numbers, or what they are given."""
    found = numbers(known(value))
    if found is None:
        return value if isinstance(value, Open) else symbol(e.program, value)
    return found if found.shape else found.item()


def grad(e: Evaluator, node: ast.Call) -> Value:
    """`torch.autograd.grad(y, x)` and `jax.grad(f)`."""
    operands, keywords = operands_of(e, node)
    if isinstance(operands[0], Function):
        first = operands[1] if len(operands) > 1 else Fraction(0)
        argument = keywords.get("argnums", keywords.get("argnum", first))
        return GradientOf(operands[0], whole(argument))
    if len(operands) < 2:
        raise NotUnderstood(f"{source(node)} is not read")
    y, wanted = symbol(e.program, operands[0]), operands[1]
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    found = []
    for x in several:
        result = e.program.derivative(y, symbol(e.program, x))
        e.program.gradients.add(result.index)
        found.append(result)
    return tuple(found)


def backward(e: Evaluator, node: ast.Call) -> None:
    """`y.backward()`; with a cotangent of its own it is not read."""
    if not isinstance(node.func, ast.Attribute):
        raise NotUnderstood(f"{source(node)} is not read")
    y = symbol(e.program, e.read(node.func.value))
    if node.args or y.shape != ():
        raise NotUnderstood("backward() of an array is not read")
    e.code.backwards.append(y)


def instance(e: Evaluator, kind: ast.ClassDef, node: ast.Call) -> Instance:
    """An object of a class of the file: its `__init__` is followed."""
    result = Instance(kind)
    if defines(kind, "__init__"):
        operands, keywords = operands_of(e, node)
        e.follow(e.member(result, "__init__"), operands, keywords)
    elif node.args or node.keywords:  # which may take the place of the class's own
        why = Unknown(f"what {source(node)} does with its operands is not read")
        of_class = e.code.attributes.get(kind, {})
        result.attributes.update(dict.fromkeys(of_class, why))
    return result
