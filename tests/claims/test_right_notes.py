"""Right notes that a hasty reading would accuse, each beside a wrong twin."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import pytest

from tests.claims.notes import counts_of, verdicts_of

TORCH = """import torch
import torch.nn.functional as F
x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], requires_grad=True)
w = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], requires_grad=True)
"""
NUMPY = """import numpy as np
x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
w = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
"""
LONG = "v = {}([1.0, 2.0, 3.0, 4.0])\na = {}([1.0, 2.0])\n"
IN_TORCH = "import torch\n" + LONG.format("torch.tensor", "torch.tensor")
IN_NUMPY = "import numpy as np\n" + LONG.format("np.array", "np.array")
POINT = "x = 3.0\nw = 4.0\n"
SQUARE = "y = {} * x**2 + w * x\ndy_dw = x\ndy_dx = {} * x + w\n"
LAYERS = """import numpy as np
def fit(S, T, U, V):
    l1 = np.tanh(S @ U)
    l2 = l1 @ V
    dl2 = l2 - T
    dV = l1.T @ dl2
    dl1 = dl2 @ V.T
    dU = S.T @ (dl1 * SLOT)
    return dU, dV
"""
LOOP = """def g(x, w):
    for k in range(3):
        y = k * x**2 * w
        dy_dx = SLOT
        dy_dw = k * x**2
    return y
z = g(3.0, 4.0)
"""
PENALTY = """import numpy as np
import sklearn.datasets
X, y = sklearn.datasets.make_moons(200, noise=0.2)
def boundary(of):
    h = 0.5
n = len(X)
inputs = 2
outputs = 2
reg = 0.01
def loss(model):
    W1, b1, W2, b2 = model['W1'], model['b1'], model['W2'], model['b2']
    a1 = np.tanh(X.dot(W1) + b1)
    scores = np.exp(a1.dot(W2) + b2)
    probs = scores / np.sum(scores, axis=1, keepdims=True)
    total = np.sum(-np.log(probs[range(n), y]))
    total += reg / 2 * (np.sum(np.square(W1)) + np.sum(np.square(W2)))
    return total / n
def fit(hidden, passes=100):
    W1 = np.random.randn(inputs, hidden) / np.sqrt(inputs)
    b1 = np.zeros((1, hidden))
    W2 = np.random.randn(hidden, outputs) / np.sqrt(hidden)
    b2 = np.zeros((1, outputs))
    for i in range(passes):
        z1 = X.dot(W1) + b1
        a1 = np.tanh(z1)
        z2 = a1.dot(W2) + b2
        scores = np.exp(z2)
        probs = scores / np.sum(scores, axis=1, keepdims=True)
        delta3 = probs
        delta3[range(n), y] -= 1
        dW2 = a1.T.dot(delta3)
        db2 = np.sum(delta3, axis=0, keepdims=True)
        delta2 = delta3.dot(W2.T) * (1 - np.power(a1, SLOT))
        dW1 = np.dot(X.T, delta2)
        db1 = np.sum(delta2, axis=0)
        dW2 += reg * W2
        dW1 += reg * W1
        W1 += -0.1 * dW1
        W2 += -0.1 * dW2
"""
SCALED = """import numpy as np
class Net:
    lr = 0.5
    def forward(self, x):
        self.x = x
        return self.lr * x @ self.V
    def backward(self, dy):
        dV = SLOT self.x.T @ dy
        dx = self.lr * dy @ self.V.T
        return dV, dx
"""

# Code, and the gradients of it that are right and wrong: how many of each.
# fmt: off
SEVERAL = (
    # PyTorch pads from the last axis, NumPy every axis.
    (TORCH + "y = F.pad(x * w, (1, 1)).mean()\ndy_dx = w / 10\ndy_dw = x / 10\n", 2, 0),
    (TORCH + "y = F.pad(x * w, (1, 1, 0, 2)).mean()\ndy_dx = w / 20\ndy_dw = x / 10\n", 1, 1),
    (TORCH + "y = torch.nn.functional.pad(x * w, (1, 1), value=2.0).mean()\ndy_dx = w / 10\n", 0, 0),
    (NUMPY + "y = np.pad(x * w, (1, 1)).mean()\ndy_dx = w / 20\ndy_dw = x / 10\n", 1, 1),
    # PyTorch's method repeat lays copies side by side, NumPy's repeats every entry.
    (IN_TORCH + "loss = (a.repeat(2) * v).sum()\ndv = a.repeat(2)\nda = v[:2] + v[2:]\n", 2, 0),
    (IN_TORCH + "loss = (a.repeat(2, 2) * v).sum()\ndv = 2 * a.repeat(2)\nda = v[:2] + v[2:]\n", 1, 1),
    (IN_NUMPY + "loss = (a.repeat(2) * v).sum()\ndv = a.repeat(2)\nda = v[::2] + v[1::2]\n", 1, 0),
    ("import torch\n" + IN_NUMPY + "loss = (a.repeat(2) * v).sum()\nda = np.array([v[0] + v[1], v[2] + v[3]])\n", 0, 0),
    (TORCH + "n, m = x.size()\ny = (x ** 2).sum() / n\ndy_dx = 2 * x / n\n", 1, 0),
    (TORCH + "y = (x ** 2).sum() / x.size(1)\ndy_dx = 2 * x / x.size(0)\n", 0, 1),
    # PyTorch's maximum along an axis comes with places; a second number is an axis.
    (TORCH + "m, i = (x ** 2).max(1)\ny = (m * w[:, 0]).sum()\ndy_dm = w[:, 0]\n", 1, 0),
    (TORCH + "m = torch.max(x ** 2, dim=1)[0]\ny = (m * w[:, 0]).sum()\ndy_dm = w[:, 0]\n", 1, 0),
    (NUMPY + "m = np.max(x ** 2, 1)\ny = (m * w[:, 0]).sum()\ndy_dm = w[:, 0]\n", 1, 0),
    # The diagonal of a matrix; what libraries do along no axis.
    ("import numpy as np\nx = np.array([[1.0, 2.0], [4.0, 5.0]])\nw = np.array([[1.0, 2.0], [4.0, 3.0]])\ny = np.sum(np.diag(x * w))\ndy_dw = x * np.eye(2)\ndy_dx = w\n", 1, 1),
    ("from scipy.special import softmax\n" + NUMPY + "p = softmax(x)\ny = np.sum(p * w)\ndy_dw = p\ndy_dx = p * (w - np.sum(p * w))\n", 0, 0),
    (NUMPY + "y = np.sum(np.cumsum(x * w))\ndy_dx = w * np.array([[6.0, 5.0, 4.0], [3.0, 2.0, 1.0]])\ndy_dw = x * np.array([[6.0, 5.0, 4.0], [3.0, 2.0, 1.0]])\n", 0, 0),
    # A class keeps what its body gives it, until something else is assigned to it.
    ("class C:\n    k = 2.0\nC.k = 5.0\n" + POINT + SQUARE.format("C.k", "10"), 2, 0),
    ("class C:\n    k = 2.0\nC.k = 5.0\n" + POINT + SQUARE.format("C.k", "4"), 1, 1),
    ("class C:\n    k = 2.0\nC.k += 3.0\n" + POINT + SQUARE.format("C.k", "10"), 2, 0),
    ("c = 2.0\nclass C:\n    k = c\nc = 7.0\n" + POINT + SQUARE.format("C.k", "4"), 2, 0),
    ("c = 2.0\nclass C:\n    k = c\n" + POINT + "def f(x, w, c):\n    return C.k * x**2 + w * x + c\ny = f(x, w, 5.0)\ndy_dw = x\ndy_dx = 4 * x + w\n", 2, 0),
    ("class C:\n    k = 2.0\na = C()\nC.k = 5.0\n" + POINT + SQUARE.format("a.k", "10"), 2, 0),
    ("class C:\n    k = 2.0\na = C()\na.k = 5.0\n" + POINT + SQUARE.format("C.k", "4"), 2, 0),
    ("class C:\n    k = 2.0\n    def put(self):\n        C.k = 5.0\na = C()\na.put()\n" + POINT + SQUARE.format("a.k", "10"), 0, 0),
    ("class C:\n    k = 2.0\n    def put(self):\n        type(self).k = 5.0\na = C()\na.put()\n" + POINT + SQUARE.format("a.k", "10"), 0, 0),
    ("class C:\n    k = 2.0\na = C()\nfor k in range(20):\n    C.k = 5.0\n" + POINT + SQUARE.format("a.k", "10"), 0, 0),
    ("class C:\n    k = 2.0\nsetattr(C, 'k', 5.0)\n" + POINT + SQUARE.format("C.k", "10"), 0, 0),
    ("class C:\n    k = 2.0\nname = 'k'\nsetattr(C, name, 5.0)\n" + POINT + SQUARE.format("C.k", "10"), 0, 0),
    ("class C:\n    k = 2.0\na = C()\na.k = 3.0\nsetattr(a, 'k', 5.0)\n" + POINT + SQUARE.format("a.k", "10"), 0, 0),
    ("class C:\n    k = 2.0\nsetattr(C, 'm', 5.0)\n" + POINT + SQUARE.format("C.k", "10"), 1, 1),
    ("from base import B\nclass C(B):\n    k = 2.0\na = C(5.0)\n" + POINT + SQUARE.format("a.k", "10"), 0, 0),
    # A flag that may mean a difference, or a kind of number.
    ("def error(x, diff=False):\n    if diff:\n        return x - 3.0\n    return (x - 3.0)**2\n", 0, 0),
    ("def hashed(x, prime=False):\n    if prime:\n        return 31.0 * x\n    return 32.0 * x\n", 0, 0),
    ("import numpy as np\ndef tanh(x, diff=False):\n    if diff:\n        return 1 + np.tanh(x)**2\n    return np.tanh(x)\n", 0, 1),
    ("def square(x, grad=False):\n    if grad:\n        return x**2, 2 * x\n    return x**2\n", 0, 0),
    # Layers are called l1 and l2; the weight of a penalty is a factor of a term.
    (LAYERS.replace("SLOT", "(1 + l1**2)"), 2, 1),
    (LAYERS.replace("SLOT", "(1 - l1**2)"), 4, 0),
    (LAYERS.replace("SLOT", "(1 - l1**2)) + l2_reg * (U").replace("V):", "V, l2_reg):"), 2, 0),
    # What rests on an imported slope is in doubt, and nothing else.
    ("from acts import sigmoid_grad\ns = sigmoid_grad(2.0)\n" + POINT + "y = x**2 * w\ndy_dw = x**2\ndy_dx = x * w\n", 1, 1),
    ("from acts import sigmoid_grad\n" + POINT + "y = x**2 * w * sigmoid_grad(2.0)\ndy_dw = x**2 * sigmoid_grad(2.0)\ndy_dx = x * w * sigmoid_grad(2.0)\n", 1, 0),
    # A pass in which both sides are 0 does not show that a line is right.
    (LOOP.replace("SLOT", "k * x * w"), 1, 1),
    (LOOP.replace("SLOT", "2 * k * x * w"), 2, 0),
    # A factor that the class body gives, and one that nothing gives.
    (SCALED.replace("SLOT", "self.lr *"), 2, 0),
    (SCALED.replace("SLOT", "self.lr * 2 *"), 1, 1),
    (SCALED.replace("    lr = 0.5\n", "").replace("SLOT", "self.lr *"), 2, 0),
    (PENALTY.replace("SLOT", "2"), 4, 0),
    (PENALTY.replace("SLOT", "3"), 2, 1),
    (PENALTY.replace("SLOT", "2").replace("reg", "k"), 2, 0),
)
# fmt: on


@pytest.mark.parametrize(("code", "right", "wrong"), SEVERAL)
def test_code_is_judged_as_python_runs_it(
    tmp_path: Path, code: str, right: int, wrong: int
) -> None:
    assert counts_of(tmp_path, code) == (right, wrong)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Let $q(x) = 4x$ and $p(x) = \\sin(x)$. $F(x) = p \\circ q(x)$ has $F'(x) = 4\\cos(4x)$.", ["right"]),
        ("Let $q(x) = 4x$ and $p(x) = \\sin(x)$. $F(x) = p \\odot q(x)$ has $F'(x) = 4\\cos(4x)$.", ["unsure"]),
        ("The point is $x_1 = 3$. $f(x) = x^3$ has $f'(x) = 3x^2$. We find $f'(x_1) = f'(2) = 12$ there.", ["right", "wrong"]),
        # A function that a chain names is the derivative that stands behind it.
        ("Let $s(t) = t^3 - 6t^2$.\n\nSo $v(t) = s'(t) = 3t^2 - 12t$ and $a(t) = v'(t) = 6t - 12$.", ["right", "right"]),
        ("Let $s(t) = t^3 - 6t^2$.\n\nSo $v(t) = s'(t) = 3t^2 - 12t$ and $a(t) = v'(t) = 6t - 6$.", ["right", "wrong"]),
        # A rule under the head of a table is no part of the formula below it.
        ("```\nFunction and slope\n-----\nf(x) = x^2 ; f'(x) = 2x\nf(x) = e^x ; f'(x) = e^x\n```\n", ["right", "right"]),
        ("```\nFunction and slope\n-----\nf(x) = x^2 ; f'(x) = 3x\nf(x) = e^x ; f'(x) = e^x\n```\n", ["wrong", "right"]),
        # A value that is said long before is none that a formula holds at alone.
        ("It has no slope at $x = 0$.\n\nWe have $\\frac{d}{dx}[7x^3] = 21x^2$.", ["right"]),
        ("It has no slope at $x = 2$.\n\nWe have $\\frac{d}{dx}[x^3] = 6x$.", ["unsure"]),
        ("It has no slope at $x = 2$.\n\nWe have $\\frac{d}{dx}[x^3] = 3x^2$.", ["right"]),
        ("The point is $x_1 = 3$. $f(x) = x^3$ has $f'(x) = 3x^2$. We find $f'(x_1) = f'(3) = 27$ there.", ["right", "right"]),
    ],
)  # fmt: skip
def test_a_text_is_held_to_the_point_and_the_sign_that_it_writes(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    assert verdicts_of(tmp_path, text, "notes.md") == said
