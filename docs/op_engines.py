"""Which engine runs which op: by one function of its library, composed, or not at all.

What is told of a library is read from what its scripts call, so that a row cannot say
one thing here and do another there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from gradverify.differentiators import load
from gradverify.differentiators.examples import EXAMPLES
from gradverify.differentiators.protocol import Differentiator
from gradverify.differentiators.spelling.definitions import definitions
from gradverify.ops import OPS, Op

LIBRARIES = ("torch-cpu", "jax", "autograd")
OPERANDS = ("a", "b", "c", "d", "e", "f", "g")
MODULES = ("torch", "F", "np", "jnp", "jax", "special")
NATIVE, COMPOSED = "yes", "composed"

# What only makes, moves or casts arrays does not compute, nor do the lists of Python.
WORDS = (
    "append arange array as_tensor asarray astype bincount bool broadcast_shapes "
    "broadcast_to cat clone complex concatenate contiguous detach dim expand "
    "expand_dims eye flatten flip float32 float64 from_numpy full full_like get getval "
    "imag index index_select int int64 item items moveaxis movedim ndim newaxis numel "
    "ones ones_like pad permute ravel real resolve_conj reshape shape size split "
    "squeeze stack swapaxes take tensor to tolist transpose tril_indices triu_indices "
    "unbind unsqueeze view_as_complex view_as_real zeros zeros_like"
)
PLAIN = frozenset(WORDS.split())
OF_PARAMS = frozenset({"tensor", "array"})  # which make arrays of params
READERS = frozenset({"mask_of", "rows_of"})  # of ours, which read params


def told(engine: Differentiator, row: Op) -> str:
    """Whether an engine has the op itself, composed, or the reason why it has not."""
    found = engine.table[row.name]
    return found if isinstance(found, str) else _of_script(engine, row)


def _of_script(engine: Differentiator, row: Op) -> str:
    spelling = engine.spelling(next(iter(engine.modes())))
    params = EXAMPLES.get(row.name, ((), {}))[1]
    text = spelling.call(row.name, OPERANDS[: row.arity], params)
    if text is None:
        return NATIVE
    needs, _ = spelling.own((row.name,))
    tree = ast.parse("\n".join([*definitions(needs), text]))
    tree.body = [n for n in tree.body if getattr(n, "name", "") not in READERS]
    within = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    called = {
        name
        for node in ast.walk(tree)
        if id(node) not in within
        if (name := _computes(node) or _passed_on(node))
    }
    sums = sum(
        isinstance(node, ast.BinOp) and _of_arrays(node) for node in ast.walk(tree)
    )
    signs = sum(
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and _is_array(node.operand)
        for node in ast.walk(tree)
    )
    loops = sum(isinstance(node, ast.For) for node in ast.walk(tree))
    compared = sum(
        isinstance(node, ast.Compare) and _is_array(node.left)
        for node in ast.walk(tree)
    )
    steps = len(called) + sums + signs + loops + compared
    moves = {_called(node) for node in ast.walk(tree)} & PLAIN - OF_PARAMS
    return COMPOSED if steps > 1 or (not steps and len(moves) > 1) else NATIVE


def _computes(node: ast.AST) -> str:
    """The name of a function of a library that a call computes with; else nothing."""
    name = _called(node)
    return "" if name in PLAIN else name


def _called(node: ast.AST) -> str:
    """The name of a function of a library that is called; else nothing."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    root: ast.AST = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    is_constant = isinstance(root, ast.Name) and root.id in ("numpy", "math")
    return "" if is_constant else node.func.attr


def _passed_on(node: ast.AST) -> str:
    """The name of a function of a library that another function is given."""
    is_named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    if not is_named or node.value.id not in MODULES or node.attr in PLAIN:
        return ""
    return node.attr


def _is_array(node: ast.AST) -> bool:
    """Whether a part of an expression is an operand, or a library made it.

    Operands and what stands for them in definitions are known by their usual names.
    """
    if isinstance(node, ast.Name):
        return node.id in (*OPERANDS, "x", "y", "t", "last", "found", "src", "weights")
    if isinstance(node, ast.BinOp):
        return _of_arrays(node)
    return bool(_computes(node))


def _of_arrays(node: ast.BinOp) -> bool:
    return _is_array(node.left) or _is_array(node.right)


def installed() -> tuple[str, ...]:
    """The libraries that can be asked where the pages are made."""
    return tuple(name for name in LIBRARIES if load(name).available() is None)


def engine_rows() -> Iterator[Sequence[str]]:
    """A row for every op: its name, and what is told of each installed library."""
    engines = [load(name) for name in installed()]
    for row in OPS:
        if not row.internal:
            yield (f"`{row.name}`", *(told(engine, row) for engine in engines))


def counts(rows: Sequence[Sequence[str]]) -> Mapping[str, tuple[int, int, int]]:
    """For each library, how many ops it has itself, composed, and not at all."""
    found = {}
    for k, name in enumerate(installed(), 1):
        cells = [row[k] for row in rows]
        native, composed = cells.count(NATIVE), cells.count(COMPOSED)
        found[name] = (native, composed, len(cells) - native - composed)
    return found
