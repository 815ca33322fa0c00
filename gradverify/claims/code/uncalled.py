"""Functions and layers that a file defines and never calls, at points of ours.

A function whose body names gradients is followed with operands that are any numbers. Of
a pair such as `affine_forward` and `affine_backward`, and of a class with `forward` and
`backward`, the first is applied to any input, and the second to any gradient of its
output. What shape an operand has the file does not say: `trials` finds it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import partial

from gradverify.claims.code.backward_calls import (
    follow_backward,
    labels_of,
    returned_beside,
)
from gradverify.claims.code.followed import (
    is_followed,
    is_method_followed,
    is_open,
    is_read,
    judged_lines,
)
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.losses_beside import (
    THE_LOSS,
    beside_losses,
    follow_with,
    is_loss,
    loss_of,
)
from gradverify.claims.code.open_parameters import parameters
from gradverify.claims.code.pass_pairs import (
    methods_of,
    pairs,
    passes_of,
    speaks_of_gradients,
)
from gradverify.claims.code.uncalled_classes import call_layer, call_method
from gradverify.claims.code.uncalled_scripts import call_script, run_with_free_names
from gradverify.claims.computation.bindings import Function, Value, known


def call_unused(code: Journal) -> None:
    """Follow what is never called and speaks of gradients."""
    judged = judged_lines(code)
    paired: set[str] = set()  # one forward pass may have two backward passes
    for forward, backward in pairs(code.functions):
        is_used = forward.name not in paired and is_followed(code, forward)
        if not is_used and not is_followed(code, backward):
            _call_pair(code, forward, backward)
            paired.add(forward.name)
    for function in code.functions:
        is_done = is_followed(code, function) and not is_open(function.body, judged)
        if not is_done and speaks_of_gradients(function.body):
            several = parameters(function.parameters, function.body)
            losses = [f for f in code.functions if is_loss(f)]
            run = partial(beside_losses, code, function, losses)
            run_with_free_names(code, several, run, [function])
    for kind in code.classes:
        methods = {m.name: m for m in methods_of(kind)}
        used = [m for m in methods.values() if m.name != "__init__"]
        layer = passes_of(kind, methods)
        is_used = any(is_method_followed(code, m) for m in used)
        passes: list[ast.FunctionDef] = []
        if layer is not None and (not is_used or is_open(layer.backward.body, judged)):
            before = len(code.assigned)
            call_layer(code, layer)
            if len(code.assigned) > before:
                passes = [layer.forward, layer.backward]
        for method in methods.values():
            is_own = method not in passes and method.name != "__init__"
            is_new = is_own and not is_read(code, method)
            if is_used:
                is_new = is_own and is_open(method.body, judged)
            if is_new and speaks_of_gradients(method.body):
                call_method(code, kind, methods, method)
    for cell, body in code.bodies:
        call_script(code, cell, body, judged)


def _call_pair(code: Journal, forward: Function, backward: Function) -> None:
    several = parameters(forward.parameters, [*forward.body, *backward.body])
    labels = labels_of(backward, several)
    own = [*dict.fromkeys(p.table or p.key for p in several)]
    both = [forward, backward]
    losses = [f for f in code.functions if is_loss(f)]

    def run(operands: Mapping[str, Value]) -> Value:
        before = len(code.assigned)
        result = known(follow_with(code, forward, {n: operands[n] for n in own}))
        held = dict(operands)
        for entry in code.assigned[before:]:
            held |= {entry.name: entry.value}
        held |= {p.name: operands[p.key] for p in labels}
        output, *saved = result if isinstance(result, tuple) else (result,)
        loss = loss_of(code, losses, output, held)
        held = held if loss is None else {**held, THE_LOSS: loss}
        inputs = {**_of_tables(operands), **operands}
        inputs = inputs if loss is None else {**inputs, THE_LOSS: loss}
        others = returned_beside(forward, result)
        return follow_backward(code, backward, output, saved, held, inputs, others)

    run_with_free_names(code, [*several, *labels], run, both)


def _of_tables(operands: Mapping[str, Value]) -> dict[str, Value]:
    """The entries of operands that are tables: W1 of `parameters["W1"]`."""
    tables = [v for v in operands.values() if isinstance(v, dict)]
    return {k: v for t in tables for k, v in t.items() if isinstance(k, str)}
