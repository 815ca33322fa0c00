"""Functions and layers that a file defines and never calls: their shapes are found."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gradverify.claims.code.pass_pairs import pairs
from gradverify.claims.computation.bindings import Function
from gradverify.claims.reading.reader import read_claims
from tests.claims.notes import verdicts_of

DENSE = """
import numpy as np
def dense_forward(inputs, weight, bias):
    result = inputs.dot(weight) + bias
    return result, (inputs, weight, bias)
def dense_backward(dresult, cache):
    inputs, weight, bias = cache
    dinputs = dresult.dot(weight.T)
    dweight = {weight}
    dbias = {bias}
    return dinputs, dweight, dbias
"""
NORM = """
import numpy as np
def norm_forward(x, scale, shift):
    width = np.sqrt(x.var(axis=0) + 1e-6)
    unit = (x - x.mean(axis=0)) / width
    return scale * unit + shift, (unit, scale, width)
def norm_backward(dout, cache):
    unit, scale, width = cache
    dscale = np.sum({scale}, axis=0)
    dshift = np.sum(dout, axis=0)
    dunit = dout * scale
    dx = (dunit - dunit.mean(axis=0) - unit * np.mean(dunit * unit, axis=0)) / width
    return dx, dscale, dshift
"""
LOGISTIC = """
import numpy as np
def step(w, b, X, Y):
    count = X.shape[1]
    A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / count
    dw = np.dot(X, {error}.T) / count
    db = np.sum(A - Y) / count
    return cost, dw, db
"""
CLASSIFIER = """
import numpy as np
class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.params = {{
            "W1": np.random.randn(n_in, n_hidden), "b1": np.zeros(n_hidden),
            "W2": np.random.randn(n_hidden, n_out), "b2": np.zeros(n_out)}}
    def loss(self, X, y):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N = X.shape[0]
        h = np.maximum(0, X.dot(W1) + b1)
        e = np.exp(h.dot(W2) + b2)
        probs = e / np.sum(e, axis=1, keepdims=True)
        loss = -np.sum(np.log(probs[np.arange(N), y])) / N
        grads = {{}}
        dscores = probs.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads["W2"] = {w2}
        grads["b2"] = np.sum(dscores, axis=0)
        dh = dscores.dot(W2.T)
        dh[h <= 0] = 0
        grads["W1"] = X.T.dot(dh)
        grads["b1"] = np.sum(dh, axis=0)
        return loss, grads
"""
LAYER = """
import numpy as np
class Dense:
    def __init__(self, wide, narrow):
        self.W = np.random.randn(wide, narrow)
        self.b = np.zeros(narrow)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = {bias}
        return dout @ self.W.T
"""
LOSS = """
import numpy as np
class Loss:
    def forward(self, x, t):
        self.t = t
        self.y = np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)
        return -np.sum(t * np.log(self.y)) / x.shape[0]
    def backward(self, dout=1):
        dx = {dx}
        return dx
"""


def wrong_lines(folder: Path, code: str) -> tuple[int, list[str]]:
    """How many claims are right, and the text of those that are wrong."""
    path = folder / "layers.py"
    path.write_text(code, encoding="utf-8")
    found = read_claims(path)
    wrong = [c.text for c in found if c.verdict == "wrong"]
    return sum(c.verdict == "right" for c in found), wrong


@pytest.mark.parametrize(
    ("code", "rights"),
    [
        (DENSE.format(weight="inputs.T.dot(dresult)", bias="dresult.sum(axis=0)"), 3),
        (NORM.format(scale="dout * unit"), 4),
        (LOGISTIC.format(error="(A - Y)"), 2),
        (CLASSIFIER.format(w2="h.T.dot(dscores)"), 6),
        (LAYER.format(bias="dout.sum(axis=0)"), 3),
        (LOSS.format(dx="(self.y - self.t) / self.t.shape[0]"), 1),
    ],
)
def test_what_is_right_comes_out_right_at_shapes_that_are_found(
    tmp_path: Path, code: str, rights: int
) -> None:
    assert wrong_lines(tmp_path, code) == (rights, [])


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (
            DENSE.format(weight="inputs.T.dot(dresult)", bias="dresult.mean(axis=0)"),
            "dbias = dresult.mean(axis=0)",
        ),
        pytest.param(
            NORM.format(scale="dout"),
            "dscale = np.sum(dout, axis=0)",
            marks=pytest.mark.slow,
        ),
        (LOGISTIC.format(error="(Y - A)"), "dw = np.dot(X, (Y - A).T) / count"),
        pytest.param(
            CLASSIFIER.format(w2="h.T.dot(dscores) / N"),
            "grads['W2'] = h.T.dot(dscores) / N",
            marks=pytest.mark.slow,
        ),
        (LAYER.format(bias="dout.mean(axis=0)"), "self.db = dout.mean(axis=0)"),
    ],
)
def test_a_planted_slip_is_the_only_one_that_is_found(
    tmp_path: Path, code: str, line: str
) -> None:
    assert wrong_lines(tmp_path, code)[1] == [line]


def test_a_mask_at_the_kink_itself_is_that_of_python(tmp_path: Path) -> None:
    code = """
import numpy as np
x = np.array([1.0, -2.0, 0.5])
h = np.maximum(0, x)
loss = np.sum(h**2)
dh = 2*h
dx = dh.copy()
dx[{mask}] = 0
"""
    right, wrong = wrong_lines(tmp_path, code.format(mask="h <= 0"))
    assert (right, wrong) == (2, [])
    assert wrong_lines(tmp_path, code.format(mask="h >= 0"))[1]


NUMBER_CLASS = """
class Number:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
    def __truediv__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        out = Number(self.data / other.data, (self, other))
        def _backward():
            self.grad += out.grad / other.data
            other.grad += {by_other} * out.grad
        out._backward = _backward
        return out
    def __mul__(self, other):
        out = Number(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out
"""


def test_a_value_class_adds_to_the_gradients_of_its_operands(tmp_path: Path) -> None:
    right = NUMBER_CLASS.format(by_other="-self.data / other.data**2")
    assert wrong_lines(tmp_path, right) == (4, [])
    slip = NUMBER_CLASS.format(by_other="self.data / other.data**2")
    assert wrong_lines(tmp_path, slip) == (
        3,
        ["other.grad += self.data / other.data ** 2 * out.grad"],
    )


def test_a_function_of_entries_has_an_array_of_derivatives(tmp_path: Path) -> None:
    code = """
import numpy as np
def bowl(p):
    return (p[0] - 1)**2 + p[0] * p[1]
def bowl_grad(p):
    return np.array([2 * (p[0] - 1) + p[1], {last}])
"""
    assert wrong_lines(tmp_path, code.format(last="p[0]")) == (1, [])
    right, _ = wrong_lines(tmp_path, code.format(last="p[1]"))
    assert right == 0


PAIRS = (
    ("forward", "backward"),
    ("affine_forward", "affine_backward"),
    ("forward_affine", "backward_affine"),
    ("conv_fwd", "conv_bwd"),
)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_is_found_once(pair: tuple[str, str]) -> None:
    functions = [Function(name, ast.arguments(), ()) for name in (*pair, "other")]
    found = [(forward.name, backward.name) for forward, backward in pairs(functions)]
    assert found == [pair]


NET = """
import numpy as np
def net(inputs, weights, labels, decay=0.0):
    n = inputs.shape[0]
    hidden = np.maximum(0, inputs @ weights["A"] + weights["a"])
    scores = hidden @ weights["B"]
    shares = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    cost = np.sum(-np.log(shares[range(n), labels])) / n
    cost += decay * np.sum(weights["B"] ** 2) / 2
    dscores = shares
    dscores[range(n), labels] -= 1
    dscores /= n
    grads = {{}}
    grads["B"] = {hidden}.T @ dscores + decay * weights["B"]
    dhidden = dscores @ weights["B"].T
    dhidden[hidden <= 0] = 0
    grads["A"] = inputs.T @ dhidden
    grads["a"] = np.sum(dhidden, axis=0)
    return cost, grads
"""


def test_operands_may_be_tables(tmp_path: Path) -> None:
    found = verdicts_of(tmp_path, NET.format(hidden="hidden"))
    assert found == ["right"] * 5


def test_a_fault_among_the_gradients_of_a_table_is_found(tmp_path: Path) -> None:
    found = verdicts_of(tmp_path, NET.format(hidden="(2 * hidden)"))
    assert found == ["right", "wrong", "right", "right", "right"]


FITTER = """
import numpy as np
class Fitter:
    def __init__(self):
        self.slope = np.random.randn(4, 1)
    def predict(self, points):
        return points @ self.slope
    def cost(self, points, heights):
        J = np.sum((self.predict(points) - heights) ** 2) / 2
        return J
    def step(self, points, heights):
        gap = self.predict(points) - heights
        dJdslope = points.T @ {gap}
        return dJdslope
"""


@pytest.mark.parametrize(("gap", "said"), [("gap", "right"), ("(-gap)", "wrong")])
def test_a_cost_beside_a_step_is_what_is_differentiated(
    tmp_path: Path, gap: str, said: str
) -> None:
    assert verdicts_of(tmp_path, FITTER.format(gap=gap)) == [said]


SWITCH = """
import numpy as np
def layer(x, w, kind="square", extra=None):
    z = x * w
    if extra is not None:
        z = z + extra
    if kind == "square":
        loss = z ** 2
        dw = {square}
        dx = 2 * z * w
    else:
        loss = z
        dw = x
    return loss, dw
"""


@pytest.mark.parametrize(
    ("square", "said"), [("2 * z * x", "right"), ("2 * z * w", "wrong")]
)
def test_a_condition_that_the_file_decides_is_followed(
    tmp_path: Path, square: str, said: str
) -> None:
    assert verdicts_of(tmp_path, SWITCH.format(square=square)) == [said, "right"]


LAYERS = """
import numpy as np
def loss_of(x, w):
    values = []
    for power in range(3):
        values.append(x * w)
    total = 0
    for k, value in enumerate(values):
        total = total + value
    loss = total ** 2
    dw = {factor} * total * x
    dx = 6 * total * w
    return loss, dw
"""


@pytest.mark.parametrize(("factor", "said"), [("6", "right"), ("2", "wrong")])
def test_a_short_loop_is_followed_to_its_end(
    tmp_path: Path, factor: str, said: str
) -> None:
    assert verdicts_of(tmp_path, LAYERS.format(factor=factor)) == [said, "right"]


def test_a_gradient_that_is_computed_on_is_judged_at_the_end(tmp_path: Path) -> None:
    text = (
        "import numpy as np\n"
        "x = np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 1.0]])\n"
        "w = np.array([[0.3], [0.4]])\n"
        "loss = np.sum((x @ w) ** 2) / 2\n"
        "dw = x @ w\n"
        "dw = x.T @ dw\n"
    )
    assert verdicts_of(tmp_path, text) == ["right"]


def test_what_is_no_part_of_a_pass_is_not_held_against_it(tmp_path: Path) -> None:
    """Of da as given dW follows, and dV does not: nothing is said of it."""
    text = (
        "import numpy as np\n"
        "x = np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 1.0]])\n"
        "W = np.array([[0.3, 0.1], [0.4, -0.7]])\n"
        "V = np.array([[0.6], [0.2]])\n"
        "a = np.tanh(x @ W)\n"
        "gap = a @ V - 1\n"
        "dV = a.T @ (3 * gap)\n"
        "da = gap @ V.T\n"
        "dW = x.T @ (da * (1 - a ** 2))\n"
    )
    assert "wrong" not in verdicts_of(tmp_path, text)


TRIED = """
import numpy as np
class Scale:
    def __init__(self, factors):
        self.factors = factors
    def forward(self, rows):
        self.rows = rows
        return rows @ self.factors
    def backward(self, dout):
        self.dfactors = {first}.T @ dout
        drows = dout @ self.factors.T
        return drows
scale = Scale(np.random.randn(3, 5))
out = scale.forward(np.random.randn(2, 3))
back = scale.backward(np.random.randn(2, 5))
"""


@pytest.mark.parametrize(
    ("first", "said"), [("self.rows", "right"), ("(-self.rows)", "wrong")]
)
def test_a_layer_that_is_tried_on_random_numbers_is_judged(
    tmp_path: Path, first: str, said: str
) -> None:
    assert verdicts_of(tmp_path, TRIED.format(first=first)) == [said, "right"]
