"""Backward passes written by hand: which names are gradients, and of what.

`dL_dw` names both. `dw`, `w_bar`, `grad_w`, `w.grad` and `grads["w"]` say only what is
differentiated by. Which output is differentiated, the numbers say: it is the one whose
derivatives most gradients of the pass are. If no output fits, one gradient is taken as
given, and the others must follow from it by the chain rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import PASS_OUTPUTS, UNNAMED_STEPS
from gradverify.claims.code.derived_functions import is_unary
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.library import BY_LIKE, BY_SHAPE
from gradverify.claims.code.statements import follow
from gradverify.claims.computation.bindings import Function, Unknown, symbol
from gradverify.claims.computation.file_program import (
    FileProgram,
    NotUnderstood,
    understood,
)
from gradverify.claims.computation.point import Balls, Point, drawn, flat

EXPLICIT = (
    re.compile(r"d(?P<of>\w+?)_d(?P<by>\w+)"),
    re.compile(r"d(?P<of>\w+?)_?by_?d(?P<by>\w+)"),
    re.compile(r"d(?P<of>\w+?)d(?P<by>\w+)"),
    re.compile(r"grad_(?P<of>\w+?)_(?P<by>\w+)"),
)
GRADIENT = (
    re.compile(r"(?P<by>\w+?)_(?:bar|grad|gradient|adj|adjoint|cot)"),
    re.compile(r"(?:grad|gradient|bar|adj|nabla)_(?P<by>\w+)"),
    re.compile(r"(?P<by>\w+?)(?:bar|grad)"),
)
BARE = re.compile(r"(?i)(?:grads?|gradients?|jac|nabla)")
PARAMETER = re.compile(r"(?i)(?:theta|w\d?|weights?|beta|params?|parameters?|coefs?)_?")
DIFFERENCE = re.compile(r"(?P<by>\w+?)_?diff")  # or a gradient, where it adds up
SHORT = (re.compile(r"[dD]_?(?P<by>\w+)"), re.compile(r"delta_?(?P<by>\w+)"))
UNNAMED = (
    SHORT[0],
    re.compile(r"delta_?(?P<by>\w*)"),
    re.compile(r"(?P<by>\w+?)_?delta"),
)
NAMED = (
    BARE,
    re.compile(r"d\w+?_d\w+"),
    *GRADIENT,
    re.compile(r"d_?[A-Za-z]\w{0,2}|d[A-Z]\w*"),
)
CALLED = {  # what a short name may stand for: `dw` by self.weights
    "w": ("weights", "weight", "W", "theta", "coef_"),
    "b": ("bias", "biases", "intercept", "B"),
    "x": ("X", "inputs", "input"),
}
LOSS = re.compile(
    r"(?i)(?:total_?)?(?:loss|cost|error|err|mse|nll|objective|l|j|e)\w{0,3}"
)
PENALTY = re.compile(
    r"(?i)\w*(?:weight_?)?decay|reg(?:_\w+|ulari\w*)?|lamb?da\w*|lmbda|"
    r"l[12]_?(?:reg\w*|lambd?a|penalty|weight\w*|norm|decay|coef\w*)"
)
STEPS = frozenset({"h", "eps", "epsilon", "delta", "step", "dx", "tiny"})

UPSTREAM = "upstream"  # the output of a layer, contracted with what comes from above
NO_OUTPUT = "no value in the file was found whose derivatives these are"
GIVEN = "of what it is the derivative is not written; the others follow from it"
ONE = Fraction(1)
NOUGHT = 1e-12  # at a point whose coordinates are about 1
DRAWS = 12  # points that are tried
ALIKE = 4  # steps within which both passes may compute the same anew


@dataclass(frozen=True, eq=False)
class BackwardStep:
    """An assignment that claims to be the derivative of `of` by `by`.

    holds: nodes that are held constant, if a gradient of the pass is taken as given.
    over: what the pass divides the derivative by: the number of examples, or 1 over it
    where it gives the derivatives of each example's own loss. is_weak: whether so few
    gradients of the pass agree on the output that a slip alone shows one of them wrong.
    """

    assigned: Assigned
    of: str
    by: str
    y: Symbol
    x: Symbol
    problem: str = ""
    holds: frozenset[int] = frozenset()
    over: Fraction = ONE
    is_weak: bool = False


@dataclass(frozen=True, eq=False)
class Gradient:
    """An assignment whose name says that it is a gradient by x."""

    assigned: Assigned
    by: str
    x: Symbol
    strong: bool


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


def has_penalty(*added: ast.expr) -> bool:
    """Whether a term has the weight of a penalty as a factor: `dW += reg * W`."""
    return any(_is_penalty(factor) for term in added for factor in _factors(term))


def may_have_penalty(step: BackwardStep) -> bool:
    """The same of all terms of a gradient, by any name of the weight: a term of the
    gradient by W has W itself as a factor.
    """
    entry = step.assigned
    own = step.by.partition("[")[0]  # of a list, or of a table
    terms = [*entry.added, *_terms(entry.tree)]
    return has_penalty(*terms) or any(
        own in _names_of(factor)
        for term in terms
        for factor in _factors(term)
        if not isinstance(factor, ast.Call)
    )


def _terms(tree: ast.expr) -> Iterator[ast.expr]:
    """The terms of all sums in a formula."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            yield from (node.left, node.right)


def _factors(tree: ast.expr) -> Iterator[ast.expr]:
    match tree:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            yield from _factors(left)
            yield from _factors(right)
        case ast.UnaryOp(operand=inner):
            yield from _factors(inner)
        case _:
            yield tree


def _is_penalty(factor: ast.expr) -> bool:
    """Whether it is the weight of a penalty, or a function called with it."""
    is_plain = isinstance(factor, ast.Name | ast.Attribute | ast.Call)
    return is_plain and any(map(PENALTY.fullmatch, _names_of(factor)))


def _names_of(tree: ast.expr) -> set[str]:
    """The names, attributes and keys of tables that a formula speaks of."""
    parts = (
        getattr(n, "id", getattr(n, "attr", getattr(n, "value", "")))
        for n in ast.walk(tree)
    )
    return {name for name in parts if isinstance(name, str)}


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
            tree = entry.tree if _is_constant(first) else first.tree
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
        found = _both(entry) or _of_function(code, entry)
        stated = _is_number(entry) and not _is_one(code, entry)
        if found is not None and (stated or not _is_constant(entry)):
            yield found


def _of_function(code: Journal, entry: Assigned) -> BackwardStep | None:
    """`df_dx` where f is a function of the file, and x a value."""
    for pattern in EXPLICIT:
        match = pattern.fullmatch(entry.name)
        if match is None:
            continue
        f, by = entry.names.get(match["of"]), _known(match["by"], entry.names)
        if not isinstance(f, Function) or by is None or not is_unary(f):
            continue
        x = entry.names[by]
        try:
            with understood():
                y = symbol(code.program, follow(code, f, (x,)))
        except NotUnderstood:
            return None
        return BackwardStep(entry, f"{f.name}({by})", by, y, x, _difference(entry))
    return None


def _is_number(entry: Assigned) -> bool:
    """Whether a number other than 0 is stated: `b.grad = -2.0`, `dL_dw = 6.0`."""
    plain = ast.Constant | ast.UnaryOp | ast.BinOp | ast.operator | ast.unaryop
    if not all(isinstance(n, plain) for n in ast.walk(entry.tree)):
        return False
    if ast.unparse(entry.tree) in ("0", "0.0", "None", "True", "False"):
        return False
    return ".grad" in entry.text or _both(entry) is not None


def _both(entry: Assigned) -> BackwardStep | None:
    """`dL_dw` where both names are known, and L is computed from w or from nothing."""
    for pattern in EXPLICIT:
        match = pattern.fullmatch(entry.name)
        if match is None:
            continue
        of, by = _known(match["of"], entry.names), _known(match["by"], entry.names)
        if of is not None and by is not None:
            y, x = entry.names[of], entry.names[by]
            return BackwardStep(entry, of, by, y, x, _difference(entry))
    return None


def _known(name: str, names: Mapping[str, Any]) -> str | None:
    for spelling in (name, name.strip("_")):
        if isinstance(names.get(spelling), Symbol):
            return spelling
    plain = name.replace("_", "")  # d_L_d_ypred, where it is y_pred
    for same in (str, str.lower):  # grad_w_out, where it is W_out
        alike = [n for n in names if same(n.replace("_", "")) == same(plain)]
        found = [n for n in alike if isinstance(names[n], Symbol)]
        if len(found) == 1 and len(plain) > 1:
            return found[0]
    return None


# ---- a pass


def _pass(code: Journal, group: Sequence[Assigned]) -> Iterator[BackwardStep]:
    """Gradients that name no output: they are of the output that fits most of them."""
    program = code.program
    found = [g for entry in group for g in _gradients(entry)]
    seeds = [g for g in found if _is_one(code, g.assigned)]
    numbers = [g for g in found if _is_number(g.assigned) and g not in seeds]
    gradients = [g for g in found if not _is_constant(g.assigned)] + numbers
    gradients += _bare(program, gradients, group)
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
        problem = _difference(g.assigned)
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
    fitting = _fitting(program, y, gradients)
    others = [g for g in gradients if g not in fitting]
    for n in sorted({n for g in others for n in g.x.shape} - {0, 1}):
        own = [g for g in others if n in g.x.shape]
        followed = [
            g for g in _fitting(program, y, own, over=Fraction(1, n))
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
    fitting = _fitting(program, y, gradients)
    others = [g for g in gradients if g not in fitting]
    sizes = {n for g in others for n in (*g.x.shape, *_shape_of(g))} - {0, 1}
    for n in sorted(sizes):
        averaged = _fitting(program, y, others, over=Fraction(n))
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
    if not isinstance(g.assigned.value, Symbol) or _fitting(program, y, [g]):
        return g.x
    nodes = program.record.nodes
    for i in sorted(program.cut(g.x.index).place, reverse=True)[1:UNNAMED_STEPS]:
        if nodes[i].shape == g.x.shape and nodes[i].op not in ("data", "literal"):
            x = Symbol(program.record, i)
            if _fitting(program, y, [replace(g, x=x)]):
                return x
    return g.x


def _gradients(entry: Assigned) -> Iterator[Gradient]:
    """The gradient of an assignment; of a list of numbers, one for each of them."""
    found = _gradient(entry)
    if found is not None:
        yield found
        return
    yield from _of_entry(entry)
    match = SHORT[0].fullmatch(entry.name)
    xs = entry.names.get(match["by"]) if match is not None else None
    values = entry.value
    if not isinstance(xs, tuple) or not isinstance(values, tuple) or not xs:
        return
    entries = [*xs, *values]
    if len(xs) == len(values) and all(isinstance(v, Symbol) for v in entries):
        assert match is not None
        for k, (x, value) in enumerate(zip(xs, values, strict=True)):
            tree = (
                entry.tree.elts[k] if isinstance(entry.tree, ast.List) else entry.tree
            )
            one = replace(entry, value=value, tree=tree, name=f"{entry.name}[{k}]")
            yield Gradient(one, f"{match['by']}[{k}]", x, strong=True)


ENTRY = re.compile(r"(?P<list>\w+)\[(?P<at>\d+)\]")


def _of_entry(entry: Assigned) -> Iterator[Gradient]:
    """`grad_w[1] = …`: by the same entry of the list that is called w, or weights."""
    match = ENTRY.fullmatch(entry.name)
    if match is None:
        return
    at = int(match["at"])
    for name in _called_so(match["list"]):
        several = entry.names.get(name)
        if isinstance(several, tuple) and at < len(several):
            x = several[at]
            if isinstance(x, Symbol):
                yield Gradient(entry, f"{name}[{at}]", x, strong=True)
                return


def _called_so(gradient: str) -> Iterator[str]:
    """What a list of gradients is by, as its name says: w, weights, ws."""
    for pattern in (*GRADIENT, SHORT[0]):
        match = pattern.fullmatch(gradient)
        if match is not None and match["by"] != gradient:
            by = match["by"]
            for name in (by, by.removesuffix("s")):
                yield from (name, f"{name}s", *CALLED.get(name.lower(), ()))


def _bare(
    program: FileProgram, found: Sequence[Gradient], group: Sequence[Assigned]
) -> list[Gradient]:
    """`grad` beside a cost: by the parameter that has its shape."""
    result: list[Gradient] = []
    for entry in group:
        value = entry.value
        if not BARE.fullmatch(entry.name) or not isinstance(value, Symbol):
            continue
        if _is_constant(entry) or any(g.assigned is entry for g in found):
            continue
        own = {
            name: x
            for name, x in entry.names.items()
            if isinstance(x, Symbol) and x.shape == value.shape
            and x.index in program.leaves and program.depends(value.index, x.index)
        }  # fmt: skip
        losses = [v for n, v in entry.names.items() if LOSS.fullmatch(n)]
        reached = {
            name: x
            for name, x in own.items()
            if any(
                isinstance(y, Symbol) and program.depends(y.index, x.index)
                for y in losses
            )
        }
        named = [n for n in reached if PARAMETER.fullmatch(n)]
        by = named[0] if named else next(iter(reached), None)
        if by is not None and (named or len(reached) == 1):
            result.append(Gradient(entry, by, reached[by], strong=True))
    return result


def _gradient(entry: Assigned) -> Gradient | None:
    """What an assignment is the gradient by, where its name says so."""
    if _both(entry) is not None:
        return None
    adds_up = entry.is_update or bool(entry.added)
    others = (DIFFERENCE,) if adds_up else ()
    for patterns, strong in ((GRADIENT, True), (SHORT, False), (others, False)):
        for pattern in patterns:
            match = pattern.fullmatch(entry.name)
            if match is None or match["by"] == entry.name:
                continue
            called = (match["by"], *CALLED.get(match["by"].lower(), ()))
            several = (_known(name, entry.names) for name in called)
            known = next((k for k in several if k is not None), None)
            if known is not None:
                return Gradient(entry, known, entry.names[known], strong)
    return None


def _of_unnamed(
    program: FileProgram, y: Symbol, group: Sequence[Assigned]
) -> Iterator[Gradient]:
    """`dz` where z has no name, as in `a = tanh(X @ W)`: of a step on the way to y."""
    for entry in group:
        match = next((m for p in UNNAMED if (m := p.fullmatch(entry.name))), None)
        value = entry.value
        if match is None or not isinstance(value, Symbol) or _is_constant(entry):
            continue
        if match["by"] in entry.names or _gradient(entry) or _both(entry):
            continue
        place = program.cut(y.index).place
        shaped = [i for i in place if program.record.nodes[i].shape == value.shape]
        for i in sorted(shaped, reverse=True)[:UNNAMED_STEPS]:
            x = Symbol(program.record, i)
            if i in program.leaves or i == y.index:
                continue
            found = Gradient(entry, match["by"], x, strong=False)
            if _fitting(program, y, [found]):
                yield found
                break


def _output(
    program: FileProgram, gradients: Sequence[Gradient], seeds: Sequence[Gradient]
) -> tuple[str, Symbol] | None:
    """The value that the gradients are derivatives of; None where none fits."""
    if seeds:
        return seeds[0].by, seeds[0].x
    tried = list(_outputs(program, gradients))
    if not tried:
        return None
    fits = {y.index: len(_fitting(program, y, gradients)) for _, y in tried}
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


def _fitting(
    program: FileProgram,
    y: Symbol,
    gradients: Sequence[Gradient],
    holds: frozenset[int] = frozenset(),
    over: Fraction = ONE,
) -> list[Gradient]:
    """The gradients that are derivatives of y, as numbers at some point show."""
    pairs: list[tuple[Gradient, Symbol]] = []
    for g in gradients:
        if g.x.index != y.index and program.depends(y.index, g.x.index):
            try:
                pairs.append((g, program.derivative(y, g.x, holds)))
            except NotUnderstood:
                continue
    nodes = [n for g, exact in pairs for n in (exact.index, g.assigned.value.index)]
    point = _point(program, nodes)
    if point is None:
        return []
    return [
        g for g, exact in pairs
        if _same(
            point.value(exact.index), point.value(g.assigned.value.index), over
        )
    ]  # fmt: skip


def is_derivative(program: FileProgram, y: Symbol, x: Symbol, claimed: Symbol) -> bool:
    """Whether a value is the derivative of y by x, as numbers at some point show."""
    if not program.depends(y.index, x.index):
        return False
    try:
        exact = program.derivative(y, x)
    except NotUnderstood:
        return False
    point = _point(program, [exact.index, claimed.index])
    return point is not None and _same(
        point.value(exact.index), point.value(claimed.index)
    )


def _point(program: FileProgram, nodes: Sequence[int]) -> Point | None:
    """A point at which nodes have values: all that is no constant is drawn."""
    leaves = {i for n in nodes for i in program.cut(n).leaves}
    moved = [i for i in leaves if not program.leaves[i].is_constant]
    for seed in range(DRAWS):
        point = drawn(program, moved, seed)
        found = [b for n in nodes for b in flat(point.value(n))]
        if found and all(b.is_finite() for b in found):
            return point
    return None


def _same(left: Balls, right: Balls, over: Fraction = ONE) -> bool:
    """Whether numbers are those on the left, divided by a number of examples."""
    a = [float(x * over.denominator / over.numerator) for x in flat(left)]
    b = [float(y) for y in flat(right)]
    least = max(map(abs, a), default=0.0) * 1e-6 + 1e-12
    return len(a) == len(b) and all(
        abs(x - y) <= 1e-9 * max(abs(x), abs(y), least)
        for x, y in zip(a, b, strict=True)
    )


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
        count = len(_fitting(program, y, rest, frozenset({value.index})))
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
            for over in _divisors(program, y, own[0], holds, sizes):
                fitting = _fitting(program, y, gradients, holds, over)
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


def _divisors(
    program: FileProgram,
    y: Symbol,
    gradient: Gradient,
    holds: frozenset[int],
    sizes: Sequence[Fraction],
) -> list[Fraction]:
    """The sizes by which a gradient is the derivative of y divided."""
    x, value = gradient.x, gradient.assigned.value
    if x.index == y.index or not program.depends(y.index, x.index):
        return []
    try:
        exact = program.derivative(y, x, holds)
    except NotUnderstood:
        return []
    point = _point(program, [exact.index, value.index])
    if point is None:
        return []
    sides = point.value(exact.index), point.value(value.index)
    return [over for over in sizes if _same(*sides, over)]


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
        is_right = bool(_fitting(code.program, step.y, [found], step.holds, step.over))
        if is_right and _is_zero(code.program, value):
            misshapen += 1
            continue
        right, other = right + is_right, other + (not is_right)
        misshapen += value.shape != step.x.shape
    return GradientFit(right, other, misshapen)


def _is_zero(program: FileProgram, value: Symbol) -> bool:
    """Whether all entries of a value are 0 at a drawn point."""
    point = _point(program, [value.index])
    return point is not None and all(
        abs(float(b)) < NOUGHT for b in flat(point.value(value.index))
    )


# ---- what is no gradient


def _is_constant(entry: Assigned) -> bool:
    return not any(isinstance(n, ast.Name) for n in ast.walk(entry.tree)) or (
        isinstance(entry.tree, ast.Call) and _is_gradient_call(entry.tree)
    )


def _is_gradient_call(tree: ast.Call) -> bool:
    text = ast.unparse(tree.func)
    return text.endswith(("grad", "clone", *BY_SHAPE, *BY_LIKE))


def _is_one(code: Journal, entry: Assigned) -> bool:
    """Whether a pass begins here: `dL = 1.0`."""
    value = entry.value
    if not isinstance(value, Symbol) or value.index not in code.program.leaves:
        return False
    stated = code.program.leaves[value.index].value
    return stated is not None and bool(np.all(stated == 1)) and value.shape == ()


def _difference(entry: Assigned) -> str:
    """Whether the value is a difference quotient, which is no exact derivative."""
    for node in ast.walk(entry.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            names = {f.id for f in _factors(node.right) if isinstance(f, ast.Name)}
            if names & STEPS:  # and not `1 / sqrt(var + eps)`
                return "a difference quotient is no exact derivative"
    if isinstance(entry.value, Unknown):
        return entry.value.reason
    return ""
