"""Functions and layers that a file defines and never calls, at points of ours.

A function whose body names gradients is followed with operands that are any numbers. Of
a pair such as `affine_forward` and `affine_backward`, and of a class with `forward` and
`backward`, the first is applied to any input, and the second to any gradient of its
output. What shape an operand has the file does not say: `trials` finds it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.backward_passes import UPSTREAM, steps
from gradverify.claims.code.derived_functions import operands_of
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.gradient_fits import is_derivative
from gradverify.claims.code.gradient_names import NAMED
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.library import is_function
from gradverify.claims.code.object_operands import objects_of
from gradverify.claims.code.open_parameters import (
    LABELS,
    OUTSIDE,
    OWN,
    OpenParameter,
    attributes,
    opened,
    parameters,
)
from gradverify.claims.code.operand_choices import INPUTS, any_number, lengths_of
from gradverify.claims.code.pass_pairs import (
    ABOVE,
    Passes,
    differentiated,
    methods_of,
    pairs,
    passes_of,
    speaks_of_gradients,
)
from gradverify.claims.code.statements import RETURNS_NOTHING, follow
from gradverify.claims.code.syntax import is_static
from gradverify.claims.code.trials import Run, run_at_best
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
SAVED = re.compile(r"(?i)cache[sd]?|ctx|saved|memory|tape")
OUTPUT = re.compile(
    r"(?i)o|outputs?|out|y_?hat|y_?pred\w*|pred\w*|probs?|a(?:l|\d)?|scores"
)
STEP_SIZE = re.compile(
    r"(?i)(?:learning|l)_?rate|lr|alpha|eta|step_?size|reg\w*|lambd?a?"
)


def call_unused(code: Journal) -> None:
    """Follow what is never called and speaks of gradients."""
    judged = _judged_lines(code)
    paired: set[str] = set()  # one forward pass may have two backward passes
    for forward, backward in pairs(code.functions):
        is_used = forward.name not in paired and _is_followed(code, forward)
        if not is_used and not _is_followed(code, backward):
            _call_pair(code, forward, backward)
            paired.add(forward.name)
    for function in code.functions:
        is_done = _is_followed(code, function) and not _is_open(function.body, judged)
        if not is_done and speaks_of_gradients(function.body):
            several = parameters(function.parameters, function.body)
            losses = [f for f in code.functions if _is_loss(f)]
            run = partial(_beside_losses, code, function, losses)
            _run_at_best(code, several, run, [function])
    for kind in code.classes:
        methods = {m.name: m for m in methods_of(kind)}
        used = [m for m in methods.values() if m.name != "__init__"]
        layer = passes_of(kind, methods)
        is_used = any(_is_method_followed(code, m) for m in used)
        passes: list[ast.FunctionDef] = []
        if layer is not None and (not is_used or _is_open(layer.backward.body, judged)):
            before = len(code.assigned)
            _call_layer(code, layer)
            if len(code.assigned) > before:
                passes = [layer.forward, layer.backward]
        for method in methods.values():
            is_own = method not in passes and method.name != "__init__"
            is_new = is_own and not _is_read(code, method)
            if is_used:
                is_new = is_own and _is_open(method.body, judged)
            if is_new and speaks_of_gradients(method.body):
                _call_method(code, kind, methods, method)
    for cell, body in code.bodies:
        _call_script(code, cell, body, judged)


def _run_at_best(
    code: Journal,
    several: Sequence[OpenParameter],
    run: Run,
    functions: Sequence[Function],
) -> None:
    """`run_at_best`, where names of the file without a value are operands as well.

    Weights may be made from data that the file reads, or be too many to look at.
    """
    free = _free(code, functions)

    def run_given(operands: Mapping[str, Value]) -> Value:
        names = {p.table or p.key for p in free}
        own = {n: v for n, v in operands.items() if n not in names}
        given = {n: operands[n] for n in names}
        return _given_from_elsewhere(code, lambda _: run(own), given)

    run_at_best(code, [*several, *free], run_given if free else run)


NO_PARAMETERS = ast.arguments([], [], None, [], [], None, [])


def _call_script(
    code: Journal, cell: int, body: Sequence[ast.stmt], judged: set[int]
) -> None:
    """The statements of a file, where data come from elsewhere, as of a function.

    What the file loads, or makes too large to look at, is an operand.
    """
    kept, missing = _without_data(code, cell, body, with_arrays=False)
    if missing:  # other arrays may have to have other sizes then
        kept, missing = _without_data(code, cell, body, with_arrays=True)
    if not missing or not speaks_of_gradients(kept) or not _is_open(kept, judged):
        return
    nodes = [n for s in kept for n in ast.walk(s)]
    used = {n.id for n in nodes if isinstance(n, ast.Name)}
    several = [
        opened(n, OUTSIDE + n, nodes, prefers_arrays=True)
        for n in dict.fromkeys(missing) if n in used
    ]  # fmt: skip
    script = Function("the script", NO_PARAMETERS, tuple(kept), None, cell)
    if several:
        run = partial(_given_from_elsewhere, code, partial(_follow, code, script))
        run_at_best(code, several, run)


def _given_from_elsewhere(
    code: Journal, run: Run, operands: Mapping[str, Value]
) -> Value:
    """Run with values for names that the file gives none."""
    before = code.given
    code.given = {n.removeprefix(OUTSIDE): v for n, v in operands.items()}
    try:
        return run({})
    finally:
        code.given = before


def _without_data(
    code: Journal, cell: int, body: Sequence[ast.stmt], with_arrays: bool
) -> tuple[list[ast.stmt], list[str]]:
    """The statements but for those that load something, and the names of what they do.

    What is computed from loaded data is kept, unless by functions that are not read.
    with_arrays: whether arrays that the file makes are left out as well.
    """
    after = {s.line: s.names for s in code.snapshots if s.cell == cell and not s.depth}
    kept: list[ast.stmt] = []
    missing: list[str] = []
    for statement in body:
        if isinstance(
            statement,
            ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Expr,
        ):
            continue
        found = after.get(statement.end_lineno or 0, {})
        stored = [n for t in _targets(statement) for n in _stored_names(t)]
        unknown = [n for n in stored if isinstance(found.get(n), Unknown)]
        arrays = [n for n in stored if _is_array(code, found.get(n))]
        is_left_out = bool(unknown or (with_arrays and arrays))
        if is_left_out and len(unknown) + len(arrays) == len(stored):
            value = statement.value if isinstance(statement, ast.Assign) else None
            rests = value is not None and _rests_on(value, missing)
            if not rests or _calls_what_is_not_read(code, value):
                missing += stored
                continue
        kept.append(statement)
    return kept, missing


def _targets(statement: ast.stmt) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else []


def _stored_names(target: ast.expr) -> list[str]:
    nodes = (n for n in ast.walk(target) if isinstance(n, ast.Name))
    return [n.id for n in nodes if isinstance(n.ctx, ast.Store)]


def _rests_on(tree: ast.expr, names: Sequence[str]) -> bool:
    used = (n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
    return any(name in names for name in used)


def _calls_what_is_not_read(code: Journal, tree: ast.expr | None) -> bool:
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Call(func=ast.Name(id=name)):
                known_ones = is_function(name) or name in code.names
                if not known_ones:
                    return True
            case ast.Call(func=ast.Attribute(attr=name)) if not is_function(name):
                return True
    return False


def _free(code: Journal, functions: Sequence[Function]) -> list[OpenParameter]:
    """Names that functions use, and that the file gives no value that is read.

    Those of the functions that they call count too.
    """
    several = [*functions]
    used: dict[str, None] = {}
    nodes: list[ast.AST] = []
    for function in several:  # it grows
        inside = [n for s in function.body for n in ast.walk(s)]
        names = [n for n in inside if isinstance(n, ast.Name)]
        given = function.parameters
        own = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        own |= {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
        for name in (n.id for n in names if n.id not in own):
            found = code.names.get(name)
            if isinstance(found, Unknown) or _is_array(code, found):
                used[name] = None
            elif isinstance(found, Function) and found not in several:
                several.append(found)
        nodes += inside
    if not any(isinstance(code.names.get(n), Unknown) for n in used):
        return []
    return [opened(n, OUTSIDE + n, nodes, prefers_arrays=True) for n in used]


def _is_array(code: Journal, value: Value) -> bool:
    """Whether it is an array that the file begins with, which another size may have."""
    is_leaf = isinstance(value, Symbol) and value.index in code.program.leaves
    return is_leaf and bool(value.shape)


def _is_followed(code: Journal, function: Function) -> bool:
    return bool(function.body) and id(function.body[0]) in code.followed


def _is_method_followed(code: Journal, method: ast.FunctionDef) -> bool:
    return id(method.body[0]) in code.followed


def _is_read(code: Journal, method: ast.FunctionDef) -> bool:
    """Whether a gradient in it is known from a call of it that was followed."""
    lines = range(method.lineno, (method.end_lineno or method.lineno) + 1)
    return any(
        e.line in lines and isinstance(e.value, Symbol)
        and any(p.fullmatch(e.name.partition("[")[0]) for p in NAMED)
        for e in code.assigned
    )  # fmt: skip


def _judged_lines(code: Journal) -> set[int]:
    """The lines of gradients that are judged where the file calls what they stand in.

    Many files try a layer out on random numbers, and say of no output what it is for.
    """
    found = steps(code, tuple(code.assigned))
    return {step.assigned.line for step in found if not step.problem}


def _is_open(body: Sequence[ast.stmt], judged: set[int]) -> bool:
    """Whether no gradient in it is judged yet."""
    last = body[-1].end_lineno or body[-1].lineno
    return not judged & {*range(body[0].lineno, last + 1)}


def _follow(code: Journal, function: Function, operands: Mapping[str, Value]) -> Value:
    """A function applied; parameters that have no operand have a default."""
    return follow(code, function, (), operands)


# ---- losses beside gradients

LOSS = re.compile(
    r"(?i)(?:\w+_)?(?:cost|loss|objective|error|mse|nll|cross_?entropy|j)"
    r"(?:_?(?:function|func|fn|value))?|(?:compute|get|calc\w*)_?(?:cost|loss|error)"
)
NO_LOSS = re.compile(r"(?i)grad|deriv|prime|backward|numerical|delta")
THE_LOSS = "the loss"


def _is_loss(function: Function) -> bool:
    """Whether a name says that a function is what gradients are of."""
    name = function.name
    return LOSS.fullmatch(name) is not None and NO_LOSS.search(name) is None


def _beside_losses(
    code: Journal,
    function: Function,
    losses: Sequence[Function],
    operands: Mapping[str, Value],
) -> Value:
    """A function that speaks of gradients, and the losses that take its operands.

    Where `cost(X, y)` stands beside `cost_gradient(X, y)`, the first is what the second
    differentiates, if any of its gradients fits.
    """
    before = len(code.assigned)
    names: dict[str, Value] = {}
    for loss in losses:
        wanted = operands_of(loss)
        if loss is function or not {*wanted} <= {*operands}:
            continue
        try:
            with understood():
                found = _follow(code, loss, {n: operands[n] for n in wanted})
        except NotUnderstood:
            continue
        names |= {e.name: e.value for e in code.assigned[before:]}
        del code.assigned[before:]
        if isinstance(found, Symbol) and np.prod(found.shape) == 1:
            names[THE_LOSS] = code.program.apply("reshape", found, shape=())
            break
    result = _follow(code, function, operands)
    for k, entry in enumerate(code.assigned[before:], before):
        code.assigned[k] = replace(entry, names={**names, **entry.names})
    return result


# ---- pairs of functions


def _call_pair(code: Journal, forward: Function, backward: Function) -> None:
    several = parameters(forward.parameters, [*forward.body, *backward.body])
    labels = _labels(backward, several)
    own = [*dict.fromkeys(p.table or p.key for p in several)]
    both = [forward, backward]
    losses = [f for f in code.functions if _is_loss(f)]

    def run(operands: Mapping[str, Value]) -> Value:
        before = len(code.assigned)
        result = known(_follow(code, forward, {n: operands[n] for n in own}))
        held = dict(operands)
        for entry in code.assigned[before:]:
            held |= {entry.name: entry.value}
        held |= {p.name: operands[p.key] for p in labels}
        output, *saved = result if isinstance(result, tuple) else (result,)
        loss = _loss_of(code, losses, output, held)
        held = held if loss is None else {**held, THE_LOSS: loss}
        inputs = {**_of_tables(operands), **operands}
        inputs = inputs if loss is None else {**inputs, THE_LOSS: loss}
        others = _returned_beside(forward, result)
        return _backward(code, backward, output, saved, held, inputs, others)

    _run_at_best(code, [*several, *labels], run, both)


def _of_tables(operands: Mapping[str, Value]) -> dict[str, Value]:
    """The entries of operands that are tables: W1 of `parameters["W1"]`."""
    tables = [v for v in operands.values() if isinstance(v, dict)]
    return {k: v for t in tables for k, v in t.items() if isinstance(k, str)}


def _loss_of(
    code: Journal, losses: Sequence[Function], output: Value, held: Mapping[str, Value]
) -> Symbol | None:
    """A loss of the file, of what comes out and of what is to come out."""
    labels = [v for n, v in held.items() if LABELS.fullmatch(n)]
    before = len(code.assigned)
    for loss in losses:
        wanted = operands_of(loss)
        if len(wanted) != 2 or not labels or not isinstance(output, Symbol):
            continue
        operands = {n: labels[0] if LABELS.fullmatch(n) else output for n in wanted}
        if len({*map(id, operands.values())}) < 2:
            continue
        try:
            with understood():
                found = _follow(code, loss, operands)
        except NotUnderstood:
            continue
        finally:
            del code.assigned[before:]
        if isinstance(found, Symbol) and np.prod(found.shape) == 1:
            return code.program.apply("reshape", found, shape=())
    return None


def _labels(
    backward: Function, several: Sequence[OpenParameter]
) -> list[OpenParameter]:
    """What is to come out, if a backward pass takes it and the forward pass does not.

    Then it begins at a loss, of which it may not say what it is.
    """
    own = 0 if backward.bound is None else 1
    taken = {p.name for p in several}
    return [
        p
        for p in parameters(backward.parameters, backward.body, skip=own)
        if LABELS.fullmatch(p.name) and p.name not in taken and not p.table
    ]


def _backward(
    code: Journal,
    backward: Function,
    output: Value,
    saved: Sequence[Value],
    held: Mapping[str, Value],
    inputs: Mapping[str, Value],
    others: Mapping[str, Value],
) -> Value:
    """The pass of a layer: of the output, contracted with what comes from above.

    others: what the forward pass returns beside it, by name: a cell beside a state.
    """
    output = known(output)
    if not isinstance(output, Symbol):
        raise NotUnderstood("what the layer returns is no array")
    own = 0 if backward.bound is None else 1  # self, which is given already
    several = parameters(backward.parameters, backward.body, skip=own)
    wanted = [*dict.fromkeys(p.table or p.name for p in several)]
    operands: dict[str, Value] = {}
    scalar: Symbol | None = None
    has_labels = False
    above_all = _above_each(code, wanted, held, {OF_FIRST: output, **others})
    for name, value in above_all.items():
        operands[name] = above = any_number(code, name, value.shape)
        scalar = _contracted(code, value, above, scalar)
    saved = [s for s in saved if not any(s is v for v in above_all.values())]
    rest = [n for n in wanted if n not in operands]
    for name in sorted(rest, key=lambda n: n not in held or not LABELS.fullmatch(n)):
        if SAVED.fullmatch(name) and saved:
            operands[name] = saved[0] if len(saved) == 1 else tuple(saved)
        elif LABELS.fullmatch(name) and name in held:
            operands[name], has_labels = held[name], True
        elif has_labels and output.shape == () and _scores(held) is not None:
            operands[name], scalar = _scores(held), output
        elif scalar is None and (ABOVE.fullmatch(name) or len(wanted) == 1):
            operands[name] = above = any_number(code, name, output.shape)
            scalar = _contracted(code, output, above)
        elif name in held:
            operands[name] = held[name]
        elif STEP_SIZE.fullmatch(name):
            operands[name] = any_number(code, name, ())
        elif OUTPUT.fullmatch(name):
            operands[name] = output
        else:
            raise NotUnderstood(f"what {name} is in {backward.name} is not read")
    if scalar is None and output.shape == ():
        scalar = output
    if scalar is None and not has_labels:
        raise NotUnderstood(f"{backward.name} takes no gradient of the output")
    before = len(code.assigned)
    result = _follow(code, backward, operands)
    of = {} if scalar is None else {UPSTREAM: scalar}
    names = {**of, **inputs}
    for k, entry in enumerate(code.assigned[before:], before):
        code.assigned[k] = replace(entry, names={**names, **entry.names, **of})
    if scalar is not None:
        _note_returned(code, backward, result, names, before, scalar is output)
    return result


OF_FIRST = "the first output"


def _above_each(
    code: Journal,
    wanted: Sequence[str],
    held: Mapping[str, Value],
    outputs: Mapping[str, Value],
) -> dict[str, Symbol]:
    """Of several outputs, what is given as the gradient by each: dh of h, dc of c.

    Where there is not one for each output, their names say what the pass keeps.
    Nothing, where there is one gradient from above alone.
    """
    above = [n for n in wanted if ABOVE.fullmatch(n) and n not in held]
    arrays = [v for v in outputs.values() if isinstance(v, Symbol)]
    if len(above) < 2:
        return {}
    if len(above) == len(arrays):
        return dict(zip(above, arrays, strict=True))
    named = {n: differentiated(n) for n in above}
    if not {*named.values()} <= {*held}:
        return {}
    found = {n: known(held[of]) for n, of in named.items()}
    return found if all(isinstance(v, Symbol) for v in found.values()) else {}


def _contracted(
    code: Journal, output: Symbol, above: Symbol, other: Symbol | None = None
) -> Symbol:
    """The sum of an output times what comes from above; added to another one."""
    product = code.program.apply("mul", output, above)
    total = code.program.apply("sum", product, axis=None)
    return total if other is None else code.program.apply("add", other, total)


def _returned_beside(function: Function, result: Value) -> dict[str, Value]:
    """What a pass returns beside its first value, by name; a cache is none of it."""
    match next((s for s in reversed(function.body) if isinstance(s, ast.Return)), None):
        case ast.Return(value=ast.Tuple(elts=several)) if isinstance(result, tuple):
            names = [ast.unparse(e) for e in several]
            if len(names) == len(result):
                found = dict(zip(names[1:], result[1:], strict=True))
                return {n: v for n, v in found.items() if not SAVED.fullmatch(n)}
    return {}


def _scores(held: Mapping[str, Value]) -> Symbol | None:
    """What a loss keeps of its predictions, if its own backward pass is given that."""
    found = (v for n, v in held.items() if OUTPUT.fullmatch(n))
    return next((v for v in found if isinstance(v, Symbol) and v.shape), None)


def _note_returned(
    code: Journal,
    backward: Function,
    result: Value,
    names: Mapping[str, Value],
    before: int,
    is_loss: bool,
) -> None:
    """A formula that is returned is the gradient by the first input.

    A loss has two inputs, and its gradient is by the one that it fits; where it fits
    none, nothing is claimed.
    """
    inputs = [name for name in names if name != UPSTREAM]
    returned = next(
        (s for s in reversed(backward.body) if isinstance(s, ast.Return)), None
    )
    tree = None if returned is None else returned.value
    if tree is None or not inputs or not isinstance(result, Symbol):
        return
    if isinstance(tree, ast.Name):
        return  # what has a name was read where it was given one
    scope = code.assigned[before].scope if len(code.assigned) > before else code.scopes
    line, end = tree.lineno, tree.end_lineno or tree.lineno
    text = f"return {ast.unparse(tree)}"
    place = backward.cell, line, end
    by = inputs[0]
    if is_loss:
        fitting = (n for n in inputs if _fits(code, names, n, result))
        by = next(fitting, "")
    if not by:
        return
    name = f"d{by}"
    code.assigned.append(Assigned(*place, name, result, text, names, tree, 1, scope))


def _fits(code: Journal, names: Mapping[str, Value], by: str, result: Symbol) -> bool:
    x = names[by]
    return isinstance(x, Symbol) and is_derivative(
        code.program, names[UPSTREAM], x, result
    )


# ---- classes


def _call_layer(code: Journal, passes: Passes) -> None:
    """Forward with any input, backward with any gradient of the output."""
    kind, methods = passes.kind, passes.methods
    forward, backward = passes.forward, passes.backward
    body = [s for m in methods.values() for s in m.body]
    several = _settings(code, methods, body)
    own = int(not is_static(forward))
    inputs = parameters(forward.args, body, skip=own, key=OF_METHOD)
    labels = _labels(_bound(backward, Instance(kind)), inputs)
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
        result = _follow(code, _bound(forward, layer), given)
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
        others = _returned_beside(_bound(forward, layer), result)
        above = _bound(backward, layer)
        return _backward(code, above, output, saved, held, names, others)

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


def _call_method(
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
        losses = [f for m in methods.values() if _is_loss(f := _bound(m, layer))]
        return _beside_losses(code, _bound(method, layer), losses, given)

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
        _follow(code, _bound(init, layer), {n: given[n] for n in wanted if n in given})
    return layer


def _bound(method: ast.FunctionDef, layer: Instance) -> Function:
    holder = None if is_static(method) else layer
    return Function(method.name, method.args, tuple(method.body), holder)
