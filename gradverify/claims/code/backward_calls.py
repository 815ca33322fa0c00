"""A backward pass, followed with any gradient of what the forward pass gave."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.backward_passes import UPSTREAM
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.gradient_fits import is_derivative
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.losses_beside import follow_with
from gradverify.claims.code.open_parameters import LABELS, OpenParameter, parameters
from gradverify.claims.code.operand_choices import any_number
from gradverify.claims.code.pass_pairs import ABOVE, differentiated
from gradverify.claims.computation.bindings import Function, Value, known
from gradverify.claims.computation.file_program import NotUnderstood

SAVED = re.compile(r"(?i)cache[sd]?|ctx|saved|memory|tape")
OUTPUT = re.compile(
    r"(?i)o|outputs?|out|y_?hat|y_?pred\w*|pred\w*|probs?|a(?:l|\d)?|scores"
)
STEP_SIZE = re.compile(
    r"(?i)(?:learning|l)_?rate|lr|alpha|eta|step_?size|reg\w*|lambd?a?"
)


def labels_of(
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


def follow_backward(
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
    result = follow_with(code, backward, operands)
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


def returned_beside(function: Function, result: Value) -> dict[str, Value]:
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
        fitting = (n for n in inputs if fits(code, names, n, result))
        by = next(fitting, "")
    if not by:
        return
    name = f"d{by}"
    code.assigned.append(Assigned(*place, name, result, text, names, tree, 1, scope))


def fits(code: Journal, names: Mapping[str, Value], by: str, result: Symbol) -> bool:
    """Whether what is returned is the gradient by an operand."""
    x = names[by]
    return isinstance(x, Symbol) and is_derivative(
        code.program, names[UPSTREAM], x, result
    )
