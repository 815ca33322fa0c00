"""Backward passes written by hand: which names are gradients, and of what.

`dL_dw` names both. `dw`, `w_bar`, `grad_w`, `w.grad` and `grads["w"]` say only what is
differentiated by. Which output is differentiated, the numbers say: it is the one whose
derivatives most gradients of the pass are. If no output fits, one gradient is taken as
given, and the others must follow from it by the chain rule.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import PASS_OUTPUTS, UNNAMED_STEPS
from gradverify.claims.code.derived_functions import is_unary
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.gradient_fits import (
    divisors_of,
    first_fitting,
    fitting_ones,
    is_zero,
)
from gradverify.claims.code.gradient_names import (
    EXPLICIT,
    LOSS,
    ONE,
    UNNAMED,
    BackwardStep,
    Gradient,
    bare_gradients,
    difference_in,
    gradient_of,
    gradients_in,
    is_constant,
    known_name,
    of_both_names,
    states_a_number,
)
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.penalties import factors_of, has_penalty, names_of, terms_of
from gradverify.claims.code.statements import follow
from gradverify.claims.computation.bindings import Function, Unknown, symbol
from gradverify.claims.computation.file_program import (
    FileProgram,
    NotUnderstood,
    understood,
)

UPSTREAM = "upstream"  # the output of a layer, contracted with what comes from above
NO_OUTPUT = "no value in the file was found whose derivatives these are"
GIVEN = "of what it is the derivative is not written; the others follow from it"
ALIKE = 4  # steps within which both passes may compute the same anew


def steps(code: Journal, assigned: Sequence[Assigned]) -> Iterator[BackwardStep]:
    """The steps of all backward passes of a file."""
    for _, group in _groups([_as_node(code, entry) for entry in assigned]):
        last = list(_last_versions(group))
        yield from _explicit(code, last)
        found = list(_pass(code, last))
        is_open = (s.holds or s.problem in (GIVEN, NO_OUTPUT) for s in found)
        if not found or any(is_open):
            found = _without_penalties(code, group) or found
        yield from found


def _without_penalties(code: Journal, group: Sequence[Assigned]) -> list[BackwardStep]:
    """The steps of a pass before the slopes of penalties are added: `dW += reg * W`.

    A pass that writes no loss says nothing of a penalty either.
    """
    rest = [e for e in group if not (e.is_update and has_penalty(e.tree))]
    found = (
        list(_pass(code, list(_last_versions(rest)))) if len(rest) < len(group) else []
    )
    return found if any(not step.problem for step in found) else []


def may_have_penalty(step: BackwardStep) -> bool:
    """The same of all terms of a gradient, by any name of the weight: a term of the
    gradient by W has W itself as a factor.
    """
    entry = step.assigned
    own = step.by.partition("[")[0]  # of a list, or of a table
    terms = [*entry.added, *terms_of(entry.tree)]
    return has_penalty(*terms) or any(
        own in names_of(factor)
        for term in terms
        for factor in factors_of(term)
        if not isinstance(factor, ast.Call)
    )


def _as_node(code: Journal, entry: Assigned) -> Assigned:
    """Where a number is assigned to `x.grad`, its node is the value."""
    if not isinstance(entry.value, Fraction):
        return entry
    return replace(entry, value=code.program.constant(entry.value))


def _groups(
    assigned: Sequence[Assigned],
) -> Iterable[tuple[Any, list[Assigned]]]:
    """Assignments by cell and scope. A pass may use names of earlier cells."""
    found: dict[Any, list[Assigned]] = {}
    for entry in assigned:
        found.setdefault((entry.cell, entry.scope), []).append(entry)
    return found.items()


def _last_versions(group: Sequence[Assigned]) -> Iterator[Assigned]:
    """Each assignment with what is added to it afterwards, or masked in it.

    Of `dx = a`, `dx += b` the sum is the gradient, and the first line claims nothing.
    So does `dW = p - y` before `dW = X.T @ dW`.
    """
    place: dict[str, int] = {}
    found: list[Assigned] = []
    for entry in group:
        if entry.is_update and entry.name in place:
            first = found[place[entry.name]]
            tree = entry.tree if is_constant(first) else first.tree
            added = (*first.added, entry.tree)
            merged = replace(entry, is_update=False, tree=tree, added=added)
            found[place[entry.name]] = merged
        elif entry.name in place and _uses(entry):
            first = found[place[entry.name]]
            if not _is_copy(first, entry):  # self.dW = dW says nothing new
                found[place[entry.name]] = entry
        else:
            place[entry.name] = len(found)
            found.append(entry)
    return iter(sorted(found, key=lambda e: e.line))


def _is_copy(first: Assigned, entry: Assigned) -> bool:
    """Whether a name, or an attribute of it, is given the value that it has."""
    is_name = isinstance(entry.tree, ast.Name | ast.Attribute)
    return is_name and first.value is entry.value


def _uses(entry: Assigned) -> bool:
    """Whether a name is given a new value that is computed from its old one.

    What is not understood takes nothing's place: `dx = dx.reshape(*shape)`.
    """
    if isinstance(entry.value, Unknown):
        return False
    nodes = [*ast.walk(entry.tree)]
    names = {n.id for n in nodes if isinstance(n, ast.Name)}
    kept = {n.attr for n in nodes if isinstance(n, ast.Attribute)}  # self.dx
    return entry.name in names | kept


# ---- names that say both


def _explicit(code: Journal, group: Sequence[Assigned]) -> Iterator[BackwardStep]:
    for entry in group:
        found = of_both_names(entry) or _of_function(code, entry)
        stated = states_a_number(entry) and not _is_one(code, entry)
        if found is not None and (stated or not is_constant(entry)):
            yield found


def _of_function(code: Journal, entry: Assigned) -> BackwardStep | None:
    """`df_dx` where f is a function of the file, and x a value."""
    for pattern in EXPLICIT:
        match = pattern.fullmatch(entry.name)
        if match is None:
            continue
        f, by = entry.names.get(match["of"]), known_name(match["by"], entry.names)
        if not isinstance(f, Function) or by is None or not is_unary(f):
            continue
        x = entry.names[by]
        try:
            with understood():
                y = symbol(code.program, follow(code, f, (x,)))
        except NotUnderstood:
            return None
        return BackwardStep(entry, f"{f.name}({by})", by, y, x, difference_in(entry))
    return None


# ---- a pass


def _pass(code: Journal, group: Sequence[Assigned]) -> Iterator[BackwardStep]:
    """Gradients that name no output: they are of the output that fits most of them."""
    program = code.program
    found = [g for entry in group for g in gradients_in(entry)]
    seeds = [g for g in found if _is_one(code, g.assigned)]
    numbers = [g for g in found if states_a_number(g.assigned) and g not in seeds]
    gradients = [g for g in found if not is_constant(g.assigned)] + numbers
    gradients += bare_gradients(program, gradients, group)
    if not gradients:
        return
    readable = [g for g in gradients if isinstance(g.assigned.value, Symbol)]
    others = [g for g in gradients if g not in readable and g.strong]
    output = _output(program, readable, seeds) if readable else None
    if output is not None:
        readable += _of_unnamed(program, output[1], group)
    if output is None:
        yield from _given(program, readable)
        return
    name, y = output
    readable = [replace(g, x=_on_the_way(program, y, g.x)) for g in readable]
    over = _of_each_example(program, y, readable)
    if name == UPSTREAM and not over:
        over = _examples(program, y, readable)
    for g in [*readable, *others]:
        if g.x.index == y.index or not program.depends(y.index, g.x.index):
            if g.strong and g.x.index != y.index:
                problem = f"{name} does not depend on {g.by}"
                yield BackwardStep(g.assigned, name, g.by, y, g.x, problem)
            continue
        problem = difference_in(g.assigned)
        n = over.get(g.assigned.name, ONE)
        x = g.x if problem or g.strong or n != 1 else _place(program, y, g)
        of = f"{name}{_averaged(n)}"
        yield BackwardStep(g.assigned, of, g.by, y, x, problem, over=n)


def _on_the_way(program: FileProgram, y: Symbol, x: Symbol) -> Symbol:
    """The step on the way to y that is computed as x is, if x itself is not on it.

    Both passes may cut the same weights out of one array: `Wz = W[:, :n]`.
    """
    if x.index in program.leaves or program.depends(y.index, x.index):
        return x
    same = (i for i in program.cut(y.index).place if _is_alike(program, i, x.index))
    return Symbol(program.record, next(same, x.index))


def _is_alike(program: FileProgram, one: int, other: int, steps: int = ALIKE) -> bool:
    """Whether two nodes are computed from the same ones in the same way."""
    if one == other:
        return True
    a, b = program.record.nodes[one], program.record.nodes[other]
    if not steps or not a.operands or (a.op, a.shape) != (b.op, b.shape):
        return False
    pairs = [*zip(a.operands, b.operands, strict=False)]
    return (
        len(a.operands) == len(b.operands)
        and a.params == b.params
        and all(_is_alike(program, i, j, steps - 1) for i, j in pairs)
    )


def _averaged(over: Fraction) -> str:
    """What a divisor of derivatives says of the output."""
    if over > 1:
        return f", averaged over {over} examples,"
    return "" if over == 1 else f", added up over {1 / over} examples,"


def _of_each_example(
    program: FileProgram, y: Symbol, gradients: Sequence[Gradient]
) -> dict[str, Fraction]:
    """Gradients that are those of each example's own loss, where y is their mean.

    Many write `dZ = A - Y`, and divide by the number of examples in `dW = X @ dZ.T / m`
    alone. That is a convention if such a gradient by a parameter is right.
    """
    fitting = fitting_ones(program, y, gradients)
    others = [g for g in gradients if g not in fitting]
    for n in sorted({n for g in others for n in g.x.shape} - {0, 1}):
        own = [g for g in others if n in g.x.shape]
        followed = [
            g for g in fitting_ones(program, y, own, over=Fraction(1, n))
            if any(
                n not in f.x.shape
                and program.depends(f.assigned.value.index, g.assigned.value.index)
                for f in fitting
            )
        ]  # fmt: skip
        if followed:
            on_the_way = [g for g in own if g.x.index not in program.leaves]
            return {g.assigned.name: Fraction(1, n) for g in (*followed, *on_the_way)}
    return {}


def _examples(
    program: FileProgram, y: Symbol, gradients: Sequence[Gradient]
) -> dict[str, Fraction]:
    """Gradients that are divided by the number of examples, and that number.

    Many layers take the gradient of each example's own loss, and give those of their
    parameters averaged: `dW = dZ @ A.T / m`. That is a convention where several
    gradients follow it, or the one by what has no axis of examples. It is one as well
    where no gradient by a parameter is a sum, whatever else is wrong with them.
    """
    fitting = fitting_ones(program, y, gradients)
    others = [g for g in gradients if g not in fitting]
    sizes = {n for g in others for n in (*g.x.shape, *_shape_of(g))} - {0, 1}
    for n in sorted(sizes):
        averaged = fitting_ones(program, y, others, over=Fraction(n))
        is_input = all(n in g.x.shape for g in fitting) and len(fitting) < 2
        if averaged and is_input and n not in averaged[0].x.shape:
            own = [g for g in others if n not in g.x.shape]
            return {g.assigned.name: Fraction(n) for g in own}
        if len(averaged) < len(others):
            continue
        alone = n in others[0].x.shape or any(n not in g.x.shape for g in fitting)
        if len(others) > 1 or not alone:
            return {g.assigned.name: Fraction(n) for g in others}
    return {}


def _shape_of(gradient: Gradient) -> tuple[int, ...]:
    """The sizes of all that a gradient is computed from."""
    names = gradient.assigned.names.values()
    return tuple(n for v in names if isinstance(v, Symbol) for n in v.shape)


def _place(program: FileProgram, y: Symbol, g: Gradient) -> Symbol:
    """What a short name is the gradient by: x, or a step on the way to x.

    Where `h = maximum(0, X @ W)`, many write `dh[h <= 0] = 0`, and go on with the
    gradient by what the maximum is taken of.
    """
    if not isinstance(g.assigned.value, Symbol) or fitting_ones(program, y, [g]):
        return g.x
    nodes = program.record.nodes
    for i in sorted(program.cut(g.x.index).place, reverse=True)[1:UNNAMED_STEPS]:
        if nodes[i].shape == g.x.shape and nodes[i].op not in ("data", "literal"):
            x = Symbol(program.record, i)
            if fitting_ones(program, y, [replace(g, x=x)]):
                return x
    return g.x


def _of_unnamed(
    program: FileProgram, y: Symbol, group: Sequence[Assigned]
) -> Iterator[Gradient]:
    """`dz` where z has no name, as in `a = tanh(X @ W)`: of a step on the way to y."""
    for entry in group:
        match = next((m for p in UNNAMED if (m := p.fullmatch(entry.name))), None)
        value = entry.value
        if match is None or not isinstance(value, Symbol) or is_constant(entry):
            continue
        if match["by"] in entry.names or gradient_of(entry) or of_both_names(entry):
            continue
        place = program.cut(y.index).place
        shaped = [i for i in place if program.record.nodes[i].shape == value.shape]
        tried = [
            Gradient(entry, match["by"], Symbol(program.record, i), strong=False)
            for i in sorted(shaped, reverse=True)[:UNNAMED_STEPS]
            if i not in program.leaves and i != y.index
        ]
        found = first_fitting(program, y, tried)
        if found is not None:
            yield found


def _output(
    program: FileProgram, gradients: Sequence[Gradient], seeds: Sequence[Gradient]
) -> tuple[str, Symbol] | None:
    """The value that the gradients are derivatives of; None where none fits."""
    if seeds:
        return seeds[0].by, seeds[0].x
    tried = list(_outputs(program, gradients))
    if not tried:
        return None
    fits = {y.index: len(fitting_ones(program, y, gradients)) for _, y in tried}
    best = max(tried, key=lambda t: (fits[t[1].index], _is_loss(t[0]), t[1].index))
    if fits[best[1].index]:
        return best
    losses = [t for t in tried if _is_loss(t[0])]
    sure = len(gradients) > 1 or any(name == UPSTREAM for name, _ in losses)
    claims = [g for g in gradients if g.strong or sure]
    return losses[-1] if losses and claims else None


def _is_loss(name: str) -> bool:
    return name == UPSTREAM or LOSS.fullmatch(name) is not None


def _outputs(
    program: FileProgram, gradients: Sequence[Gradient]
) -> Iterator[tuple[str, Symbol]]:
    """Single numbers that are computed from what the gradients are by.

    Those before the first gradient, and before the last one: in a loop over examples,
    whose losses are added up, gradients stand before the sum is complete.
    """
    own = {g.assigned.name for g in gradients}
    ends = gradients[0].assigned.names, gradients[-1].assigned.names
    several = {v.index: (n, v) for names in ends for n, v in names.items()
               if isinstance(v, Symbol)}  # fmt: skip
    found = []
    for name, value in several.values():
        if value.shape != () or name in own or value.index in program.leaves:
            continue
        reached = program.cut(value.index).place
        count = sum(g.x.index in reached for g in gradients)
        if count:
            found.append((count, value.index, name, value))
    found.sort(key=lambda f: f[:2])
    yield from ((name, value) for _, _, name, value in found[-PASS_OUTPUTS:])


def _given(
    program: FileProgram, gradients: Sequence[Gradient]
) -> Iterator[BackwardStep]:
    """The gradients, one of them taken as given, if others follow from it."""
    if len(gradients) > 1 and (found := _from_residual(program, gradients)):
        yield from found
        return
    best: tuple[int, Gradient, Symbol] | None = None
    for g in gradients if len(gradients) > 1 else ():
        value = g.assigned.value
        if value.shape != g.x.shape or value.index == g.x.index:
            continue
        product = program.apply("mul", g.x, value)
        y = program.apply("sum", product, axis=None)
        rest = [other for other in gradients if other is not g]
        count = len(fitting_ones(program, y, rest, frozenset({value.index})))
        if count and (best is None or count > best[0]):
            best = count, g, y
    if best is None:
        for g in gradients:
            if g.strong:
                x = g.x
                yield BackwardStep(g.assigned, "?", g.by, x, x, NO_OUTPUT)
        return
    _, given, y = best
    value = given.assigned.value
    yield BackwardStep(given.assigned, "?", given.by, given.x, given.x, GIVEN)
    for g in gradients:
        if g is not given and program.depends(given.x.index, g.x.index):
            of = f"({given.by}·{given.assigned.name})"
            holds = frozenset({value.index})
            yield BackwardStep(g.assigned, of, g.by, y, g.x, "", holds)


def _from_residual(
    program: FileProgram, gradients: Sequence[Gradient]
) -> list[BackwardStep]:
    """Gradients of a pass, if those by weights follow from one value without a name.

    `dw = X.T @ (p - y) / n` and `db = sum(p - y) / n` say of no loss what it is. Both
    are derivatives of the sum of z·r: z is a value on the way, and r = (p - y) / n is
    held. Of steps between them, some are called after what they are not by. Where most
    gradients by weights agree, the others are suspects.
    """
    nodes = program.record.nodes
    by = {g.x.index for g in gradients}
    own = [
        g for g in gradients if not by & {*program.cut(g.x.index).place} - {g.x.index}
    ]
    own = own if len(own) > 1 else [*gradients]
    leaves = {g.x.index for g in own}
    named = gradients[0].assigned.names
    values = [
        (name, v)
        for name, v in named.items()
        if isinstance(v, Symbol) and v.shape and v.index not in program.leaves
        and all(program.depends(v.index, i) for i in leaves)
    ]  # fmt: skip
    lengths = sorted({n for g in gradients for n in _shape_of(g)} - {0, 1})
    sizes = [Fraction(n) for n in (1, *lengths)]
    parts = {i for g in gradients for i in program.cut(g.assigned.value.index).place}
    suspected: list[BackwardStep] = []
    for name, z in values[:PASS_OUTPUTS]:
        shaped = [i for i in sorted(parts, reverse=True) if nodes[i].shape == z.shape]
        for i in shaped[:UNNAMED_STEPS]:
            if i == z.index or i in program.leaves:
                continue
            residual = Symbol(program.record, i)
            product = program.apply("mul", z, residual)
            y = program.apply("sum", product, axis=None)
            holds = frozenset({i})
            for over in divisors_of(program, y, own[0], holds, sizes):
                fitting = fitting_ones(program, y, gradients, holds, over)
                others = [g for g in own if g not in fitting]
                if len(own) - len(others) < max(2, len(others)):
                    continue
                is_weak = len(others) > 1 or len(own) < 4
                of = f"({name}·its gradient)"
                found = [
                    BackwardStep(g.assigned, of, g.by, y, g.x, "", holds, over, is_weak)
                    for g in (*fitting, *others)
                ]
                if not others:
                    return found
                suspected = suspected or found
    return suspected


@dataclass(frozen=True)
class GradientFit:
    """How many gradients are the derivatives that they claim, and how many not.

    misshapen: how many do not have the shape of what they are by.
    """

    right: int = 0
    other: int = 0
    misshapen: int = 0


def fit_of(code: Journal, assigned: Sequence[Assigned]) -> GradientFit:
    """Of the steps of the passes among assignments, as numbers at some point show.

    Where a gradient is 0 for all entries, as of a softmax over one class, the shapes
    are hardly those that are meant.
    """
    right = other = misshapen = 0
    for step in steps(code, assigned):
        value = step.assigned.value
        if step.problem or not isinstance(value, Symbol):
            other += step.problem != GIVEN
            continue
        found = Gradient(step.assigned, step.by, step.x, strong=True)
        is_right = bool(
            fitting_ones(code.program, step.y, [found], step.holds, step.over)
        )
        if is_right and is_zero(code.program, value):
            misshapen += 1
            continue
        right, other = right + is_right, other + (not is_right)
        misshapen += value.shape != step.x.shape
    return GradientFit(right, other, misshapen)


# ---- what is no gradient


def _is_one(code: Journal, entry: Assigned) -> bool:
    """Whether a pass begins here: `dL = 1.0`."""
    value = entry.value
    if not isinstance(value, Symbol) or value.index not in code.program.leaves:
        return False
    stated = code.program.leaves[value.index].value
    return stated is not None and bool(np.all(stated == 1)) and value.shape == ()
