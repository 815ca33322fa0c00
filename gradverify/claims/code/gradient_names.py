"""Which assignments are gradients, as their names say, and by what.

`dL_dw` names both sides. `dw`, `w_bar`, `grad_w`, `w.grad` and `grads["w"]` say only
what is differentiated by.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.library import BY_LIKE, BY_SHAPE
from gradverify.claims.code.penalties import factors_of
from gradverify.claims.computation.bindings import Unknown
from gradverify.claims.computation.file_program import FileProgram

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
STEPS = frozenset({"h", "eps", "epsilon", "delta", "step", "dx", "tiny"})
ONE = Fraction(1)


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


def states_a_number(entry: Assigned) -> bool:
    """Whether a number other than 0 is stated: `b.grad = -2.0`, `dL_dw = 6.0`."""
    plain = ast.Constant | ast.UnaryOp | ast.BinOp | ast.operator | ast.unaryop
    if not all(isinstance(n, plain) for n in ast.walk(entry.tree)):
        return False
    if ast.unparse(entry.tree) in ("0", "0.0", "None", "True", "False"):
        return False
    return ".grad" in entry.text or of_both_names(entry) is not None


def of_both_names(entry: Assigned) -> BackwardStep | None:
    """`dL_dw` where both names are known, and L is computed from w or from nothing."""
    for pattern in EXPLICIT:
        match = pattern.fullmatch(entry.name)
        if match is None:
            continue
        of, by = (
            known_name(match["of"], entry.names),
            known_name(match["by"], entry.names),
        )
        if of is not None and by is not None:
            y, x = entry.names[of], entry.names[by]
            return BackwardStep(entry, of, by, y, x, difference_in(entry))
    return None


def known_name(name: str, names: Mapping[str, Any]) -> str | None:
    """The value that a part of a gradient's name stands for: `ypred` for y_pred."""
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


def gradients_in(entry: Assigned) -> Iterator[Gradient]:
    """The gradient of an assignment; of a list of numbers, one for each of them."""
    found = gradient_of(entry)
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


def bare_gradients(
    program: FileProgram, found: Sequence[Gradient], group: Sequence[Assigned]
) -> list[Gradient]:
    """`grad` beside a cost: by the parameter that has its shape."""
    result: list[Gradient] = []
    for entry in group:
        value = entry.value
        if not BARE.fullmatch(entry.name) or not isinstance(value, Symbol):
            continue
        if is_constant(entry) or any(g.assigned is entry for g in found):
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


def gradient_of(entry: Assigned) -> Gradient | None:
    """What an assignment is the gradient by, where its name says so."""
    if of_both_names(entry) is not None:
        return None
    adds_up = entry.is_update or bool(entry.added)
    others = (DIFFERENCE,) if adds_up else ()
    for patterns, strong in ((GRADIENT, True), (SHORT, False), (others, False)):
        for pattern in patterns:
            match = pattern.fullmatch(entry.name)
            if match is None or match["by"] == entry.name:
                continue
            called = (match["by"], *CALLED.get(match["by"].lower(), ()))
            several = (known_name(name, entry.names) for name in called)
            known = next((k for k in several if k is not None), None)
            if known is not None:
                return Gradient(entry, known, entry.names[known], strong)
    return None


def is_constant(entry: Assigned) -> bool:
    """Whether a number, or what only begins as one, is assigned."""
    return not any(isinstance(n, ast.Name) for n in ast.walk(entry.tree)) or (
        isinstance(entry.tree, ast.Call) and _is_gradient_call(entry.tree)
    )


def _is_gradient_call(tree: ast.Call) -> bool:
    text = ast.unparse(tree.func)
    return text.endswith(("grad", "clone", *BY_SHAPE, *BY_LIKE))


def difference_in(entry: Assigned) -> str:
    """Whether the value is a difference quotient, which is no exact derivative."""
    for node in ast.walk(entry.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            names = {f.id for f in factors_of(node.right) if isinstance(f, ast.Name)}
            if names & STEPS:  # and not `1 / sqrt(var + eps)`
                return "a difference quotient is no exact derivative"
    if isinstance(entry.value, Unknown):
        return entry.value.reason
    return ""
