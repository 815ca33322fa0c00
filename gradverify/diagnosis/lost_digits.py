"""Lost digits: at which node, how many, and which formula keeps them."""

# The rows of the tables are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp

from gradverify.arithmetic.floats import FLOATS
from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.diagnosis.op_alone import node_values
from gradverify.diagnosis.right_sweep import Right
from gradverify.formats import format_of
from gradverify.graph import CONSTANTS, Case, Graph, Node, interpret_all
from gradverify.reference.gradient_program import expand

DIGITS = 60  # digits of the exact values
MANY = 100.0  # roundings that a node must add to the errors of its operands


@dataclass(frozen=True)
class Formula:
    """A usual formula for the derivative of an op, and one that keeps its digits.

    partial: the usual one on NumPy floats, from the result y and the operand x.
    """

    usual: str
    keeps: str
    partial: Callable[[Any, Any], Any]


# fmt: off
FORMULAS: Mapping[str, Formula] = {
    "tanh":        Formula("1 - y*y",           "sech(x)**2",                 lambda y, x: 1 - y * y),
    "sigmoid":     Formula("y*(1 - y)",         "sigmoid(x)*sigmoid(-x)",     lambda y, x: y * (1 - y)),
    "expm1":       Formula("y + 1",             "exp(x)",                     lambda y, x: y + 1),
    "softplus":    Formula("exp(x)/(1 + exp(x))", "sigmoid(x)",               lambda y, x: np.exp(x) / (1 + np.exp(x))),
    "log_sigmoid": Formula("1 - sigmoid(x)",    "sigmoid(-x)",                lambda y, x: 1 - FLOATS.sigmoid(x)),
    "asin":        Formula("1/sqrt(1 - x*x)",   "1/sqrt((1 - x)*(1 + x))",    lambda y, x: 1 / np.sqrt(1 - x * x)),
    "acos":        Formula("-1/sqrt(1 - x*x)",  "-1/sqrt((1 - x)*(1 + x))",   lambda y, x: -1 / np.sqrt(1 - x * x)),
    "atanh":       Formula("1/(1 - x*x)",       "1/((1 - x)*(1 + x))",        lambda y, x: 1 / (1 - x * x)),
    "acosh":       Formula("1/sqrt(x*x - 1)",   "1/sqrt((x - 1)*(x + 1))",    lambda y, x: 1 / np.sqrt(x * x - 1)),
    "tan":         Formula("1/cos(x)**2",       "1 + y*y",                    lambda y, x: 1 / np.cos(x) ** 2),
}

# What keeps the digits at ops whose derivative is not a partial for each element.
ARRAYS: Mapping[str, str] = {
    "logsumexp":   "softmax(x) in the place of exp(x - y)",
    "log_softmax": "softmax(x) in the place of exp(y)",
    "var":         "mean((x - mean(x))**2) in the place of mean(x*x) - mean(x)**2",
    "norm":        "a sum of squares that is scaled by the largest element, as hypot is",
    "gelu":        "erfc(-x/sqrt(2)) in the place of 1 + erf(x/sqrt(2))",
}

# From the op of a node and the ops of its operands (1 is the number) to a formula that is
# the same on paper and keeps the digits.
REWRITINGS: Sequence[tuple[str, tuple[str, ...], str]] = (
    ("log",  ("add(1, exp)",),    "softplus(x) for log(1 + exp(x))"),
    ("log",  ("add(exp, exp)",),  "logaddexp(a, b) for log(exp(a) + exp(b))"),
    ("log",  ("sum(exp)",),       "logsumexp(x) for log(sum(exp(x)))"),
    ("log",  ("softmax",),        "log_softmax(x) for log(softmax(x))"),
    ("log",  ("sigmoid",),        "log_sigmoid(x) for log(sigmoid(x))"),
    ("log",  ("add(1,",),         "log1p(x) for log(1 + x)"),
    ("sub",  ("exp", "1"),        "expm1(x) for exp(x) - 1"),
    ("sub",  ("1", "erf"),        "erfc(x) for 1 - erf(x)"),
    ("sub",  ("1", "cos"),        "2*sin(x/2)**2 for 1 - cos(x)"),
    ("sub",  ("1", "tanh"),       "2*sigmoid(-2*x) for 1 - tanh(x)"),
    ("sub",  ("1", "sigmoid"),    "sigmoid(-x) for 1 - sigmoid(x)"),
    ("sub",  ("square", "square"), "(a - b)*(a + b) for a*a - b*b"),
    ("sqrt", ("add(square, square)",), "hypot(a, b) for sqrt(a*a + b*b)"),
    ("div",  ("exp", "sum(exp)"), "softmax(x) for exp(x)/sum(exp(x))"),
)
# fmt: on


@dataclass(frozen=True)
class Loss:
    """How many digits are lost at a node, and what keeps them (empty if unknown)."""

    node: int
    digits: float
    keeps: str = ""
    usual: str = ""


def of_op(right: Right, node: int, error_ulps: float | None) -> Loss | None:
    """How many digits an op loses by itself, by the error of its derivative."""
    if not error_ulps or not math.isfinite(error_ulps) or error_ulps < 1.0:
        return None
    op = right.graph.nodes[node].op
    formula = FORMULAS.get(op)
    keeps = formula.keeps if formula else ARRAYS.get(op, "")
    return Loss(node, math.log10(error_ulps), keeps)


def by_formula(right: Right, node: int, partial: Any) -> Formula | None:
    """The usual formula of an op, if in floats it gives what the library gives."""
    formula = FORMULAS.get(right.graph.nodes[node].op)
    if formula is None:
        return None
    kind = np.dtype(right.case.dtype).type
    x = np.asarray(right.values[right.graph.nodes[node].operands[0]]).astype(kind)
    y = np.asarray(right.values[node]).astype(kind)
    with np.errstate(all="ignore"):
        usual = np.asarray(formula.partial(y, x), np.float64)
        beside = np.asarray(formula.partial(np.nextafter(y, kind(0)), x), np.float64)
    # the library's own y may be the next float
    room = 4 * np.spacing(np.abs(usual).astype(kind)) + 2 * np.abs(beside - usual)
    near = np.abs(np.asarray(partial, np.float64) - usual) <= room
    return formula if bool(np.all(near)) else None


def in_graph(right: Right) -> Loss | None:
    """The node that loses the most digits beyond those that its operands had lost."""
    values, exact = node_values(right.case), _exact_values(right.case)
    unit = format_of(right.case.dtype).unit_roundoff
    errors = [_error(f, e, unit) for f, e in zip(values, exact, strict=True)]
    worst: Loss | None = None
    for i, node in enumerate(right.graph.nodes):
        if not node.operands:
            continue
        before = max(1.0, *(errors[j] for j in node.operands))
        if errors[i] > MANY * before and (
            worst is None or math.log10(errors[i]) > worst.digits
        ):
            keeps = rewriting(right.graph, i)
            worst = Loss(i, math.log10(errors[i]), keeps)
    return worst


def _exact_values(case: Case) -> list[Any]:
    """The values of all nodes in mpmath, since SciPy has no erf in long doubles."""
    expansion = expand(case.graph, case.dtype)
    with mp.workdps(DIGITS):
        inputs = [MULTIPRECISION.lift(x) for x in case.point]
        values = interpret_all(expansion.graph, MULTIPRECISION.table, inputs)
    return [values[i] for i in expansion.place]


def _error(found: Any, exact: Any, unit: float) -> float:
    """The largest relative error, in units of roundoff."""
    if np.asarray(found).dtype == bool:
        return 0.0
    with np.errstate(all="ignore"):
        pairs = zip(np.ravel(found).tolist(), np.ravel(exact).tolist(), strict=True)
        relative = [abs((f - e) / e) if e else float(f != e) for f, e in pairs]
    largest = float(max(relative, default=0.0))
    return min(largest, 1.0) / unit if math.isfinite(largest) else 1.0 / unit


def rewriting(graph: Graph, i: int) -> str:
    """What keeps the digits of a node, or of one that it feeds, by the table."""
    users = [k for k, node in enumerate(graph.nodes) if i in node.operands]
    for k in (*users, i):
        node = graph.nodes[k]
        shown = [_shown(graph, j, 1) for j in node.operands]
        for op, wanted, text in REWRITINGS:
            if node.op == op and all(map(_is_wanted, shown, wanted)):
                return text
    return ""


def _is_wanted(shown: str, wanted: str) -> bool:
    """Whether the op of an operand fits a row of the table.

    If the row ends in ",", only the beginning must fit.
    """
    return shown.startswith(wanted) if wanted.endswith(",") else shown == wanted


def _shown(graph: Graph, i: int, depth: int) -> str:
    """A node such as `add(1, exp)`, as the table of rewritings writes it."""
    node = graph.nodes[i]
    if node.op in CONSTANTS:
        one = np.size(node.value) == 1 and float(np.asarray(node.value).flat[0]) == 1
        return "1" if one else "number"
    if node.op == "mul" and len(set(node.operands)) == 1:
        return "square"
    if node.op == "power" and node.params["n"] == 2:
        return "square"
    if depth == 0 or not node.operands:
        return node.op
    parts = sorted(
        (_shown(graph, j, depth - 1) for j in node.operands), key=lambda t: t != "1"
    )
    return f"{node.op}({', '.join(parts)})" if _opens(node) else node.op


def _opens(node: Node) -> bool:
    return node.op in ("add", "sum")


def sentence(loss: Loss, line: str, dtype: str, *, fails: bool = False) -> str:
    """Where, and how many digits are lost, as a sentence.

    fails: whether it was judged that rounding does not explain as much.
    """
    have = round(-math.log10(format_of(dtype).unit_roundoff))
    lost = min(max(1, round(loss.digits)), have)
    usual = f", by the formula {loss.usual} for its derivative" if loss.usual else ""
    how = (
        "are lost, which is more than rounding explains"
        if fails
        else (f"are lost to rounding{usual}")
    )
    return f"at {line}: {lost} of {have} digits {how}"
