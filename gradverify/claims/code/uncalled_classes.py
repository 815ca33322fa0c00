"""Classes that nobody calls: objects are made, and their two passes are followed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.backward_calls import (
    OUTPUT,
    follow_backward,
    labels_of,
    returned_beside,
)
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.losses_beside import beside_losses, follow_with, is_loss
from gradverify.claims.code.object_operands import objects_of
from gradverify.claims.code.open_parameters import (
    OWN,
    OpenParameter,
    attributes,
    parameters,
)
from gradverify.claims.code.operand_choices import INPUTS, lengths_of
from gradverify.claims.code.pass_pairs import Passes, methods_of
from gradverify.claims.code.statements import RETURNS_NOTHING
from gradverify.claims.code.syntax import is_static
from gradverify.claims.code.trials import run_at_best
from gradverify.claims.computation.bindings import (
    Counted,
    Function,
    Instance,
    Unknown,
    Value,
    known,
)
from gradverify.claims.computation.file_program import NotUnderstood, understood

OF_METHOD = "{} of the method"


def call_layer(code: Journal, passes: Passes) -> None:
    """Forward with any input, backward with any gradient of the output."""
    kind, methods = passes.kind, passes.methods
    forward, backward = passes.forward, passes.backward
    body = [s for m in methods.values() for s in m.body]
    several = _settings(code, methods, body)
    own = int(not is_static(forward))
    inputs = parameters(forward.args, body, skip=own, key=OF_METHOD)
    labels = labels_of(_bound(backward, Instance(kind)), inputs)
    known_ones = {*methods, *_attributes_made(code, kind, methods, several)}
    ahead, back = (_in_turn(methods, (m,)) for m in (forward, backward))
    unmade, again = attributes(ahead, back, known_ones), _stored([*ahead, *back])

    def run(operands: Mapping[str, Value]) -> Value:
        start = len(code.assigned)
        layer = _made(code, kind, methods, operands)
        begun = code.assigned[start:]  # what a pass makes anew need not fit before
        code.assigned[start:] = [e for e in begun if e.name not in again]
        for key in {p.table or p.key for p in unmade}:
            layer.attributes[key.removeprefix(OWN)] = operands[key]
        given = _of_method(inputs, operands)
        before = len(code.assigned)
        result = follow_with(code, _bound(forward, layer), given)
        if isinstance(result, Unknown) and result.reason.endswith(RETURNS_NOTHING):
            result = _kept(code, code.assigned[before:], layer)
        result = known(result)
        held = {
            **layer.attributes,
            **{p.name: operands[p.key] for p in labels},
            **given,
        }
        for entry in code.assigned[before:]:
            held |= {entry.name: entry.value}
        output, *saved = result if isinstance(result, tuple) else (result,)
        names = {**given, **layer.attributes}
        others = returned_beside(_bound(forward, layer), result)
        above = _bound(backward, layer)
        return follow_backward(code, above, output, saved, held, names, others)

    run_at_best(code, [*several, *inputs, *unmade, *labels], run)


def _in_turn(
    methods: Mapping[str, ast.FunctionDef], first: Sequence[ast.FunctionDef]
) -> list[ast.FunctionDef]:
    """Methods, those that they call, and so on."""
    found = [*first]
    for method in found:  # it grows
        for node in ast.walk(method):
            match node:
                case ast.Attribute(value=ast.Name(id="self"), attr=name):
                    if name in methods and methods[name] not in found:
                        found.append(methods[name])
    return found


def _stored(methods: Sequence[ast.FunctionDef]) -> set[str]:
    """The attributes that methods give values to."""
    nodes = (n for m in methods for n in ast.walk(m) if isinstance(n, ast.Attribute))
    return {n.attr for n in nodes if isinstance(n.ctx, ast.Store)}


def _attributes_made(
    code: Journal,
    kind: ast.ClassDef,
    methods: Mapping[str, ast.FunctionDef],
    several: Sequence[OpenParameter],
) -> set[str]:
    """The attributes that an object of the class begins with, as far as we can tell."""
    length, count = code.program.length(), len(code.assigned)
    snapshots = len(code.snapshots)
    operands: dict[str, Value] = {p.key: Fraction(INPUTS) for p in several}
    listed = {p.key: lengths_of(p)[:1] for p in several}
    operands |= {k: tuple(map(Counted, s[0])) for k, s in listed.items() if s}
    try:
        with understood():
            made = _made(code, kind, methods, operands).attributes
            made = {**code.attributes.get(kind, {}), **made}
            return {n for n, v in made.items() if not _is_open_value(v)}
    except NotUnderstood:
        return set()
    finally:
        del code.assigned[count:]
        del code.snapshots[snapshots:]
        code.program.shorten(length)


def _is_open_value(value: Value) -> bool:
    """Whether an attribute has no value yet, or one that is not read."""
    if isinstance(value, dict) and value:
        return all(v is None for v in value.values())
    return value is None or isinstance(value, Unknown)


def _kept(code: Journal, assigned: Sequence[Assigned], layer: Instance) -> Value:
    """What a forward pass that returns nothing keeps: the last array it computes."""
    kept = [holder.attributes for holder in _objects_in(layer)]
    found = [
        (entry.name, entry.value)
        for entry in assigned
        if any(held.get(entry.name) is entry.value for held in kept)
        and not (isinstance(entry.value, Symbol)
                 and entry.value.index in code.program.leaves)
    ]  # fmt: skip
    named = [value for name, value in found if OUTPUT.fullmatch(name)]
    several = named or [value for _, value in found]
    return several[-1] if several else Unknown("the forward pass keeps no array")


def _objects_in(layer: Instance) -> Iterator[Instance]:
    """An object, and those that it keeps; each once."""
    found = [layer]
    for holder in found:  # it grows
        yield holder
        inner = (v for v in holder.attributes.values() if isinstance(v, Instance))
        found += [v for v in inner if not any(v is f for f in found)]


def call_method(
    code: Journal,
    kind: ast.ClassDef,
    methods: Mapping[str, ast.FunctionDef],
    method: ast.FunctionDef,
) -> None:
    """A method that speaks of gradients, of an object that is made for it."""
    several = _settings(code, methods, method.body)
    own = int(not is_static(method))
    init = methods.get("__init__")
    begun = [] if init is None else init.body
    inputs = parameters(method.args, method.body, skip=own, key=OF_METHOD, beside=begun)

    def run(operands: Mapping[str, Value]) -> Value:
        layer = _made(code, kind, methods, operands)
        given = _of_method(inputs, operands)
        losses = [f for m in methods.values() if is_loss(f := _bound(m, layer))]
        return beside_losses(code, _bound(method, layer), losses, given)

    run_at_best(code, [*several, *inputs], run)


def _of_method(
    inputs: Sequence[OpenParameter], operands: Mapping[str, Value]
) -> dict[str, Value]:
    """The operands of a method by its own names."""
    behind = OF_METHOD.format("")
    keys = dict.fromkeys(p.table or p.key for p in inputs)
    return {key.removesuffix(behind): operands[key] for key in keys}


def _settings(
    code: Journal, methods: Mapping[str, ast.FunctionDef], body: Sequence[ast.stmt]
) -> list[OpenParameter]:
    """The operands that an object is made with; of those that are objects, theirs."""
    init = methods.get("__init__")
    if init is None:
        return []
    several = parameters(init.args, [*init.body, *body], skip=1, is_setting=True)
    objects = objects_of(code.classes, init, [*init.body, *body])
    found = [p for p in several if p.key not in objects and p.table not in objects]
    for kind in objects.values():
        inner = {m.name: m for m in methods_of(kind)}
        found += _settings(code, inner, [s for m in inner.values() for s in m.body])
    return [*{p.key: p for p in found}.values()]  # of one name, one size


def _made(
    code: Journal,
    kind: ast.ClassDef,
    methods: Mapping[str, ast.FunctionDef],
    operands: Mapping[str, Value],
) -> Instance:
    """An object of the class, and the objects that it is made with."""
    layer = Instance(kind)
    init = methods.get("__init__")
    if init is not None:
        body = [s for m in methods.values() for s in m.body]
        objects = {
            name: _made(code, other, {m.name: m for m in methods_of(other)}, operands)
            for name, other in objects_of(code.classes, init, body).items()
        }
        given = {**operands, **objects}
        wanted = [a.arg for a in init.args.args[1:]]
        follow_with(
            code, _bound(init, layer), {n: given[n] for n in wanted if n in given}
        )
    return layer


def _bound(method: ast.FunctionDef, layer: Instance) -> Function:
    holder = None if is_static(method) else layer
    return Function(method.name, method.args, tuple(method.body), holder)
