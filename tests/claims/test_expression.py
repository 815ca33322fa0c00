"""Formulas: what is understood, and that hostile text is refused at once."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.arithmetic.floats import FLOATS
from gradverify.claims import graph_of
from gradverify.expressions import ExpressionError
from gradverify.graph import formula, interpret

# fmt: off
FORMULAS = [
    ("a + b * a ** 2",               2 + 3 * 4),
    ("-a - +b / 2",                  -3.5),
    ("np.exp(a) * math.log(b)",      np.exp(2) * np.log(3)),
    ("torch.nn.functional.relu(-a) + F.sigmoid(b) + jax.nn.softplus(a)",
                                     1 / (1 + np.exp(-3)) + np.log1p(np.exp(2))),
    ("maximum(a, b) + max(a, 2.5)",  5.5),
    ("pow(a, 3) + power(b, -1)",     8 + 1 / 3),
    ("sum(v) + mean(v) + logsumexp(v, axis=0)",
                                     4.5 + np.log(np.exp(1) + np.exp(2))),
    ("sum(sum(M, dim=1, keepdim=True) * M, axis=None)", 58),
    ("v @ M @ v + matmul(v, v)",     27 + 5),
    ("sum(transpose(M) @ v) + sum(reshape(M, shape=(4,)))", 17 + 10),
    ("sum(broadcast_to(a, shape=(2, 3)))", 12),
    ("math.pi * a + np.e",           2 * np.pi + np.e),
    ("(1/3) * a + 2**0.5 + 2**-1",   2 / 3 + 2**0.5 + 0.5),
    ("2 ** a + a ** (4/2) + (-3)**2", 17),
    ("a ** b ** 0",                  2),
    ("a",                            2),
    ("7",                            7),
    ("  (a\n + b) ",                 5),
    ("1e300 * 1e-300 * a",           2),
    ("v[0] * M[1, 0] + sum(M[0, 0:2])", 1 * 3 + 3),
    ("pi * a + e",                   2 * np.pi + np.e),
    ("sum(M.T @ v) + trace(M)",      17 + 5),
    ("det(M) + sum(inv(M))",         -2 + 0),
    ("sum(outer(v, v))",             9),
    ("sum(v[i]**2 for i in range(2))", 5),
    ("mse(v, v + 2) + l1(v, v - 3, reduction='sum')", 4 + 6),
    ("cross_entropy(v - v, 1)",      np.log(2)),
    ("sum(layer_norm(M - M))",       0),
]
# fmt: on


@pytest.mark.parametrize(("expression", "value"), FORMULAS)
def test_formulas_mean_what_python_means_by_them(expression: str, value: float) -> None:
    point = {"a": 2.0, "b": 3.0, "v": [1.0, 2.0], "M": [[1.0, 2.0], [3.0, 4.0]]}
    arrays = {name: np.asarray(x) for name, x in point.items()}
    graph = graph_of(expression, {name: x.shape for name, x in arrays.items()})
    assert len(graph.inputs) == 4
    found = interpret(graph, FLOATS.table, arrays.values())
    np.testing.assert_allclose(found, value, rtol=1e-14)


def test_a_constant_exponent_and_literals_are_kept_plain() -> None:
    assert formula(graph_of("3 * x**2 - x/2", {"x": ()})) == "3 * a**2 - a / 2"


# fmt: off
HOSTILE = [
    ("sum(sum(sum(1 for i in range(99)) for j in range(99)) for k in range(99))",
                                            "up to 2000 in all"),
    ("__import__('os').system('true')",     "__import__('os').system is no function"),
    ("().__class__.__mro__",                "column 1: ().__class__.__mro__ is not"),
    ("x.__class__",                         "x.__class__ is not understood"),
    ("np.linalg.norm(x)",                   "np.linalg.norm is no function that"),
    ("os.exp(x)",                           "os.exp is no function that is known"),
    ("exec('1')",                           "exec is no function that is known"),
    ("9**9**9**9",                          "9**9**9 is outside the range of a float"),
    ("x**9**9**9",                          "9**9**9 is outside the range of a float"),
    ("1e400 * x",                           "the number 1e400 is outside the range"),
    ("1e-400 * x",                          "the number 1e-400 is outside the range"),
    ("1e300 * 1e300 * x",                   "1e300 * 1e300 is outside the range"),
    ("9" * 400 + "*x",                      "is outside the range of a float"),
    ("9" * 5000 + "*x",                     "is no Python expression"),
    ("0x" + "f" * 5000 + "*x",              "is outside the range of a float"),
    ("(" * 150 + "x" + ")" * 150,           None),
    ("(" * 5000 + "x" + ")" * 5000,         "nested too deeply; allowed: up to 200"),
    ("[" * 50000,                           "nested too deeply"),
    ("-" * 50000 + "x",                     "nested too deeply"),
    ("+".join(["x"] * 40000),               "nested too deeply"),
    ("exp(" * 300 + "x" + ")" * 300,        "too deeply|no Python expression"),
    ("tanh(" * 99 + "x" + ")" * 99,         None),
    ("-" * 198 + "x",                       None),
    ("x" * (10 * 2**20),                    "has 10485760 characters; allowed: up to"),
    ("[" + "x," * 3000 + "]",               "more than 2000 names"),
    ("sum(broadcast_to(x, shape=(100000, 100000)))", "arrays too large; allowed: 1000"),
    ("sum(broadcast_to(x, shape=(" + "9" * 40 + ",)))", "does not fit"),
    ("sum(x, axis=9**9**9**9)",             "9**9**9**9 is no constant"),
    ("sum(x, axis=1.5)",                    "1.5 is no axis"),
    ("sum(x, axis=(0, x))",                 "column 17: x is no constant"),
    ("var(x, axis=0, ddof=-'1')",           "-'1' is no constant"),
    ("huber(x, x, delta=1e999)",            "1e999 is outside the range of a float"),
    ("huber(x, x, delta=b'1')",             "b'1' is no constant"),
    ("sum(x, where=x)",                     "has the keyword 'where'; allowed: axis"),
    ("exp(x, y=1)",                         "allowed: none for this function"),
    ("exp(**x)",                            "has 0 operands"),
    ("exp(*x)",                             "unpacks its operands"),
    ("max(x, x, x)",                        "has 3 operands; allowed: max of 2"),
    ("where(x, x, x)",                      "where is no function that is known"),
    ("x[0]",                                "x[0] has more subscripts than axes"),
    ("lambda: 1",                           "(Lambda) is not understood"),
    ("[x for y in x]",                      "(ListComp) is not understood"),
    ("(x := 3)",                            "(NamedExpr) is not understood"),
    ("f'{x}'",                              "(JoinedStr) is not understood"),
    ("x if x else x",                       "(IfExp) is not understood"),
    ("x < 1",                               "(Compare) is not understood"),
    ("x // 2",                              "(BinOp) is not understood"),
    ("x^2",                                 "x^2 takes ^ for a power; allowed: **"),
    ("qqq(x)",                              "such as exp, log, sin, sqrt, sum, tanh;"),
    ("sinn(x)",                             "such as asin, sign, sin, sinc, sinh;"),
    ("'a' * 9",                             "'a' is no number"),
    ("True * x",                            "True is no number"),
    ("1j * x",                              "1j is no number"),
    ("x + y",                               "column 5: y is a name without a value"),
    ("é + x",                               "column 1: é is a name without a value"),
    ("(x\n+ y)",                            "line 2, column 3: y is a name"),
    ("1/0 + x",                             "column 1: 1/0 divides by zero"),
    ("0**-1 * x",                           "0**-1 divides by zero"),
    ("0**(9**9) * x + (-1)**(9**9)",        None),
    ("(-1)**0.5 * x",                       "is no real number"),
    ("x @ x",                               "x @ x does not fit: matmul"),
    ("x = 3",                               "is no Python expression"),
    ("x; x",                                "column 2: x; x is no Python expression"),
    ("sum(x",                               "is no Python expression ('(' was never"),
    ("x\0\x1b[2J",                          "is no Python expression"),
    ("",                                    "the expression is empty"),
]
# fmt: on


@pytest.mark.parametrize(("text", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_gets_a_clear_error(text: str, message: str | None) -> None:
    if message is None:
        assert graph_of(text, {"x": ()}).nodes
    else:
        with pytest.raises(ExpressionError) as caught:
            graph_of(text, {"x": ()})
        said = str(caught.value)
        assert any(part in said for part in message.split("|"))
        assert "allowed: " in said
        assert len(said) < 600
        assert said.replace("\n", "").isprintable()


def test_an_expression_that_is_no_text_is_refused() -> None:
    with pytest.raises(ExpressionError, match="is text, not int"):
        graph_of(3, {})  # type: ignore[arg-type]
