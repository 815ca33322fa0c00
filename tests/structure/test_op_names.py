"""What depends on the op is a column of a table; code that asks for names is listed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import gradverify
from gradverify.ops import OPS

PACKAGE = Path(gradverify.__file__).parent
NAMES = {row.name for row in OPS}

# The places that may compare an op with names, and those names. Where a new op would
# need another comparison, a table reads better: a column of the op table, or a mapping
# from ops in the room that asks.
ALLOWED = {
    # Writing operators by precedence, in Python, LaTeX and plain text.
    "claims/mending/spelled.py::_applied": "cos exp log matmul neg power sin tanh "
    "transpose",
    "claims/mending/spelled.py::_binary": "add div sub",
    "claims/mending/spelled.py::_shortened": "mul",
    "claims/mending/spelled.py::_spelled": "add sub",
    "claims/mending/spelled.py::_text": "accumulate add mul reshape slack slack_back",
    # Notes write `norm`, `sum` and powers in ways in which no other op is written.
    "claims/checking/formula_graph.py::apply": "add div mul sub",
    "claims/checking/formula_graph.py::binary": "pow",
    # A list of Python is joined by + and repeated by *, which no array is.
    "claims/code/evaluate.py::of_lists": "add",
    "claims/code/library.py::by_axis": "norm",
    "claims/computation/file_program.py::is_elementwise": "power scale",
    "claims/meaning/kinds.py::_of_mathematics": "mean sum",
    "claims/mending/why.py::pair": "reshape",
    # What e, a clipped probability and a mean look like in a program.
    "claims/code/array_functions.py::is_euler": "exp",
    "claims/judgement/chain.py::_constant": "broadcast_to reshape",
    "claims/judgement/chain.py::_is_guarded": "maximum minimum",
    "claims/mending/why.py::_held_values": "sum",
    # The exponent is a param, which people mistake as they mistake a number.
    "claims/mending/program_edits.py::_numbers": "power",
    # The last layer of a chain of dense layers is its last product.
    "cli/network.py::_hidden": "matmul",
    # What a fold of maxima, a square, or a sum looks like in a graph.
    "diagnosis/conventions.py::_maxima": "maximum",
    "diagnosis/lost_digits.py::_opens": "add sum",
    "diagnosis/lost_digits.py::_shown": "mul power",
    # What a mean and a constant look like in an expansion.
    "diagnosis/expansion_slips.py::_called": "div sum",
    "diagnosis/expansion_slips.py::_constant": "div mul scale",
    "diagnosis/expansion_slips.py::_cut": "scale",
    # The weights of a cotangent are a product and a sum themselves.
    "diagnosis/explain_case.py::_cotangents": "mul sum",
    # The one op that makes its operand larger.
    "diagnosis/operand_slips.py::unsummed": "broadcast_to",
    "diagnosis/operand_slips.py::widenings": "broadcast_to",
    "differentiators/run.py::_broadcasts": "broadcast_to",
    # A param in the place of an operand: `a**2.0`.
    "graph/show.py::_call": "power",
    # What contracts an array to a scalar is a product and a sum.
    "questions/contraction.py::_is_sum": "sum",
    "questions/contraction.py::contracted": "mul",
    # Slacks are how the model itself is written; the sweep begins with a factor of 1.
    "reference/roundings.py::_is_exact_product": "mul",
    "reference/roundings.py::roundings": "slack",
}


def compared(path: Path) -> Iterator[tuple[str, str]]:
    """The comparisons of an op with a name, each as its function and that name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            for name in _names(node):
                yield function.name, name


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare) and any(
        _is_op(side) for side in (node.left, *node.comparators)
    ):
        yield from _literals(node)
    if isinstance(node, ast.Match) and _is_op(node.subject):
        for case in node.cases:
            yield from _literals(case.pattern)


def _is_op(node: ast.AST) -> bool:
    """Whether an expression is `op`, `x.op`, or the name of a row."""
    match node:
        case ast.Name(id="op") | ast.Attribute(attr="op"):
            return True
        case ast.Attribute(value=ast.Name(id="row" | "op"), attr="name"):
            return True
    return False


def _literals(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and part.value in NAMES:
            yield str(part.value)


def test_only_listed_places_compare_an_op_with_names() -> None:
    paths = sorted(PACKAGE.rglob("*.py"))
    assert len(paths) > 200
    found: dict[str, set[str]] = {}
    for path in paths:
        for function, name in compared(path):
            place = f"{path.relative_to(PACKAGE).as_posix()}::{function}"
            found.setdefault(place, set()).add(name)
    listed = {place: set(names.split()) for place, names in ALLOWED.items()}
    assert found == listed, (
        "make it a column of the op table or a mapping of its room; where that reads "
        "worse, list the place in ALLOWED with the reason"
    )


def test_that_test_can_fail(tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text(
        "def f(node, op, row, mode):\n"
        "    if node.op == 'exp' or op in ('add', 'sub') or row.name == 'erf':\n"
        "        return mode == 'mean'\n"
        "    match node.op:\n"
        "        case 'tan' | 'cos':\n"
        "            return node.op == 'input'\n"
    )
    names = sorted(name for _, name in compared(path))
    assert names == ["add", "cos", "erf", "exp", "sub", "tan"]
