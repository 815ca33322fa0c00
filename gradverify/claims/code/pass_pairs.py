"""Which functions and methods of a file are the two passes of one computation.

Functions are paired by their names: `affine_forward` and `affine_backward`. Methods of
a class are called `forward` and `backward`, or something else: then the one that works
out gradients is the second pass, and the first one keeps what the second one reads.
"""

# ruff: noqa: SIM905 (a table of words is read more easily as one text)

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gradverify.claims.code.gradient_names import NAMED
from gradverify.claims.code.syntax import root
from gradverify.claims.computation.bindings import Function

PAIRED = (
    (re.compile(r"(\w*?)_?(?:forward|fwd)"), ("backward", "bwd", "backprop")),
    (re.compile(r"(?:forward|fwd)_?(\w*?)"), ("backward", "bwd", "backprop")),
    (re.compile(r"(sigmoid|tanh|relu|softmax|leaky_relu|elu)"), ("backward",)),
)
# What the two passes of a layer or a network are called as methods.
FORWARD = re.compile(
    r"(?i)_?(?:feed_?)?(?:forward|fwd)(?:_?(?:pass|prop\w*|step))?_?|_?fprop|__call__"
)
BACKWARD = re.compile(
    r"(?i)_?(?:backward|bwd)(?:_?(?:pass|prop\w*|step))?_?|_?bprop|_?back_?prop\w*"
)

# What comes from above into a backward pass.
ABOVE = re.compile(
    r"(?i)d_?\w+|\w*grad(?:ient)?s?|grad\w*|upstream\w*|\w*delta\w*|g|(?:\w+_)?err(?:or)?|"
    r"(?:\w+_)?diffs?(?:_\w+)?"
)
# What such a name holds beside the name of the output: `top_diff_h`, `dh_next`.
SIGNS = frozenset({"d", "diff", "grad", "gradient", "delta"})
BESIDE = SIGNS | frozenset("top bottom next out upstream above from of wrt".split())


def differentiated(above: str) -> str:
    """The output that a gradient from above is by: h of `top_diff_h` and `dh_next`."""
    words = above.split("_")
    name = "_".join(w for w in words if w not in BESIDE)
    return name if SIGNS & {*words} else name.removeprefix("d")


def pairs(functions: Sequence[Function]) -> Iterator[tuple[Function, Function]]:
    """`affine_forward` with `affine_backward`, `forward` with `backward`; each once."""
    by_name = {f.name: f for f in functions}
    for forward in by_name.values():
        names = dict.fromkeys(_backward_names(forward.name))
        others = (n for n in by_name for name in names if n.startswith(f"{name}_"))
        several = dict.fromkeys((*names, *others))  # batchnorm_backward_alt
        yield from ((forward, by_name[name]) for name in several if name in by_name)


def _backward_names(forward: str) -> Iterator[str]:
    """What the backward pass of a function may be called."""
    for pattern, words in PAIRED:
        match = pattern.fullmatch(forward)
        if match is None:
            continue
        stem = match[1]
        for word in words:
            for name in (f"{stem}_{word}", f"{word}_{stem}", f"{stem}{word}"):
                yield name.strip("_")
    for ahead, back in (("forward", "backward"), ("forward", "back"), ("fwd", "bwd")):
        if ahead in forward:  # layer_forward_step beside layer_backward_step
            yield forward.replace(ahead, back)


@dataclass(frozen=True, eq=False)
class Passes:
    """A class of a file that has the two passes of a layer, or of a network."""

    kind: ast.ClassDef
    methods: Mapping[str, ast.FunctionDef]
    forward: ast.FunctionDef
    backward: ast.FunctionDef


def passes_of(
    kind: ast.ClassDef, methods: Mapping[str, ast.FunctionDef]
) -> Passes | None:
    """The passes of a class; None where it has not both of them."""
    ahead, back = (_called(methods, names) for names in (FORWARD, BACKWARD))
    inner = methods.get("_fwd"), methods.get("_bwd")  # of which the others keep lists
    if None not in inner:
        ahead, back = inner
    back = back or _with_gradients(methods)
    if back is None:
        return None
    ahead = ahead or _keeping(methods, back)
    return None if ahead is None else Passes(kind, methods, ahead, back)


def _with_gradients(
    methods: Mapping[str, ast.FunctionDef],
) -> ast.FunctionDef | None:
    """The one method that is given a gradient and works out others."""
    found = [
        m
        for m in methods.values()
        if m.name != "__init__"
        and any(ABOVE.fullmatch(a.arg) for a in m.args.args)
        and speaks_of_gradients(m.body)
    ]
    return found[0] if len(found) == 1 else None


def _keeping(
    methods: Mapping[str, ast.FunctionDef], backward: ast.FunctionDef
) -> ast.FunctionDef | None:
    """The method that keeps most of what a backward pass reads."""
    read = _own(backward, ast.Load)
    others = [m for m in methods.values() if m is not backward and m.name != "__init__"]
    kept = [(len(read & _own(m, ast.Store)), m) for m in others]
    most, method = max(kept, key=lambda k: k[0], default=(0, None))
    return method if most else None


def _own(method: ast.FunctionDef, context: type[ast.expr_context]) -> set[str]:
    """What a method reads, or stores, of its object: `self.xc`, `self.state.h`."""
    return {
        ast.unparse(node)
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, context) and root(node) == "self"
    }  # fmt: skip


def _called(
    methods: Mapping[str, ast.FunctionDef], names: re.Pattern[str]
) -> ast.FunctionDef | None:
    """The first method with such a name, if it does anything."""
    found = (m for n, m in methods.items() if names.fullmatch(n) and not _is_empty(m))
    return next(found, None)


def _is_empty(method: ast.FunctionDef) -> bool:
    """Whether nothing but a text, `pass` or an error stands in it."""
    return all(
        isinstance(s, ast.Pass | ast.Raise)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in method.body
    )


def methods_of(kind: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """The methods of a class."""
    return (p for p in kind.body if isinstance(p, ast.FunctionDef))


def speaks_of_gradients(body: Sequence[ast.stmt]) -> bool:
    """Whether statements assign to names that gradients have."""
    targets = (
        t
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Assign)
        for t in node.targets
    )
    return any(
        pattern.fullmatch(name)
        for target in targets
        for name in _names(target)
        for pattern in NAMED
    )


def _names(target: ast.expr) -> Iterator[str]:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Subscript(value=holder, slice=ast.Constant(value=str(key))):
            yield key
            if "grad" in ast.unparse(holder):
                yield f"d{key}"
