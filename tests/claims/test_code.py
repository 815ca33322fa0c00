"""What code gives: graphs and points, backward passes by hand, printed numbers."""

# ruff: noqa: E501

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradverify.claims.judgement.claim_record import Claim
from gradverify.claims.reading.reader import read_claims


def verdicts(folder: Path, code: str) -> list[str]:
    path = folder / "a.py"
    path.write_text(code, encoding="utf-8")
    return [_said(c) for c in read_claims(path)]


def _said(claim: Claim) -> str:
    return claim.reason if claim.verdict == "not understood" else claim.verdict


LOSS = "x = torch.tensor([0.5, 0.5])\nt = torch.tensor([0., 1.])\n"
AXES = "x = np.array([[[1., 2.], [3., 4.]]])\nw = np.array([[[1., 2.], [3., 4.]]])\n"

# Statements, a claim about them, and what is said of it.
# fmt: off
CODE = (
    # constructors and values
    ("x = torch.tensor([1., 2.], requires_grad=True)\ny = (x**2).sum()", "dy/dx = [2, 4]", "right"),
    ("x = np.array([[1, 2], [3, 4]])\ny = np.sum(x @ x)", "dy/dx = [[7, 11], [9, 13]]", "right"),
    ("x = 4.0\ny = math.sqrt(x) + abs(-x)", "dy/dx = 1.25", "right"),
    ("x = Value(2.0)\ny = x.tanh()", "dy/dx = 1 - y**2", "right"),
    # libraries' functions
    ("z = torch.tensor([0.5, -0.5])\ny = F.softmax(z, dim=0)\nL = -torch.log(y[0])", "dL/dz = y - [1, 0]", "right"),
    ("z = torch.tensor([0., 0.])\nL = F.cross_entropy(z, torch.tensor(1))", "dL/dz = [0.5, -0.5]", "right"),
    ("p = torch.tensor(0.25)\nL = F.binary_cross_entropy(p, torch.tensor(1.))", "dL/dp = -4", "right"),
    ("x = 3.0\ny = np.maximum(0, x) * np.where(x > 1, x, 0)", "dy/dx = 6", "right"),
    # names
    ("x = 2.0\ny = x**2\nx = 5.0", "dy/dx = 4", "right"),
    ("x = 2.0\nx = x * 3\ny = x**2", "dy/dx = 12", "right"),
    ("x, y = 2.0, 3.0\nz = x * y", "dz/dy = 2", "right"),
    # functions and classes
    ("def f(u, k=3):\n    v = u * k\n    return v + u\nx = 2.0\ny = f(x)", "dy/dx = 4", "right"),
    ("f = lambda u: u**3\nx = 2.0\ny = f(x)", "dy/dx = 12", "right"),
    ("class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.w = nn.Parameter(torch.tensor(3.))\n    def forward(self, x):\n        return self.w * x\nm = M()\nx = torch.tensor(2.)\ny = m(x)", "dy/dx = 3", "right"),
    # constants, and the operators that only they have
    ("x = 2.0\ny = x * (7 // 2) * (7 % 4) / 2**-1", "dy/dx = 18", "right"),
    ("x = 2.0\ny = x * 2**0.5 * 2**0.5", "dy/dx = 2", "right"),
    ("x = 7.0\ny = x // 2", "dy/dx = 3", "x // 2 is not read"),
    ("x = 7.0\ny = x * (1 / 0)", "dy/dx = 3", "a division by zero"),
    ("x = 7.0\ny = x * 9**9**9", "dy/dx = 3", "a constant is too large"),
    ("x = 7.0\ny = x * 1e999", "dy/dx = 3", "the number 1e309 is outside the range of a float; allowed: 0 and magnitudes from 5e-324 to 1.7976931348623157e308"),
    ("x = 7.0\ny = x * (0 < x < 9)", "dy/dx = 3", "0 < x < 9 is not read"),
    ("x = 7.0\ny = x * (x == 7)", "dy/dx = 3", "== of a number that may be another one"),
    # what is not stated
    ("x = torch.randn(2)\ny = x.sum() * 2", "dy/dx = x", "unsure"),
    ("x = torch.randn(2)\ny = (x * x).sum()", "dy/dx = [1, 2]", "x is random"),
    ("x = 1.0\nfor _ in range(9):\n    x = x - 0.1\ny = x * x", "dy/dx = 2", "x is changed in a loop"),
    ("x = 1.0\nif x > 0:\n    y = x * 2", "dy/dx = 2", "y depends on a condition"),
    ("x = float(input())\ny = x * 2", "dy/dx = 2", "x comes from input(), not from the file"),
    # keywords and operands of losses, which change the number
    (f"{LOSS}L = F.mse_loss(x, t, weight=t)", "dL/dx = [1, -1]", "the keyword 'weight' is not read"),
    (f"{LOSS}L = F.l1_loss(x, t, beta=t)", "dL/dx = [1, -1]", "the keyword 'beta' is not read"),
    (f"{LOSS}L = F.binary_cross_entropy(x, t, weight=t)", "dL/dx = [1, -1]", "the keyword 'weight' is not read"),
    (f"{LOSS}L = F.binary_cross_entropy_with_logits(x, t, pos_weight=t)", "dL/dx = [1, -1]", "the keyword 'pos_weight' is not read"),
    (f"{LOSS}L = F.cross_entropy(x, torch.tensor(1), label_smoothing=0.1)", "dL/dx = [1, -1]", "the keyword 'label_smoothing' is not read"),
    (f"{LOSS}L = F.cross_entropy(x, torch.tensor(1), ignore_index=1)", "dL/dx = [0, 0]", "the keyword 'ignore_index' is not read"),
    (f"{LOSS}L = nn.CrossEntropyLoss(label_smoothing=0.1)(x, torch.tensor(1))", "dL/dx = [1, -1]", "the keyword 'label_smoothing' is not read"),
    (f"{LOSS}L = nn.MSELoss(reduction='sum')(x, t)", "dL/dx = [1, -1]", "right"),
    (f"{LOSS}L = F.mse_loss(x, t, reduction='sum')", "dL/dx = [1, -1]", "right"),
    (f"{LOSS}L = F.mse_loss(x, t, reduction='mean')", "dL/dx = [1, -1]", "wrong"),
    (f"{LOSS}L = F.cross_entropy(x, torch.tensor(2))", "dL/dx = [1, -1]", "class 2 is none of the 2"),
    # axes
    (f"{AXES}y = np.sum(np.transpose(x, (0, 2, 1)) * w)", "dy/dx = [[[1, 3], [2, 4]]]", "right"),
    (f"{AXES}y = (x.transpose(1, 2) * w).sum()", "dy/dx = [[[1, 3], [2, 4]]]", "right"),
    (f"{AXES}y = (x.permute(0, 2, 1) * w).sum()", "dy/dx = [[[1, 3], [2, 4]]]", "right"),
    (f"{AXES}y = (x.permute(0, 1, 2) * w).sum()", "dy/dx = [[[1, 3], [2, 4]]]", "unsure"),
    (f"{AXES}y = np.sum(np.transpose(x, axes=(0, 1, 2)) * w)", "dy/dx = [[[1, 2], [3, 4]]]", "right"),
    (f"{AXES}y = x.transpose(0, 3).sum()", "dy/dx = [[[1, 1], [1, 1]]]", "axis 3 is none of the 3"),
    ("x = np.array([[[1.], [2.]]])\ny = np.sum(x.squeeze(0) @ np.array([3.]))", "dy/dx = [[[3], [3]]]", "right"),
    ("x = np.array([[1.], [2.]])\ny = np.sum(np.squeeze(x, axis=0))", "dy/dx = [[1], [1]]", "squeeze of an axis of (2, 1) that is longer than 1"),
    ("x = torch.tensor([1., 2.])\ny = x.unsqueeze(dim=0).sum()", "dy/dx = [1, 1]", "right"),
    (f"{AXES}y = np.inner(x[0], w[0]).sum()", "dy/dx = [[[1, 3], [2, 4]]]", "inner is read of vectors alone"),
    ("x = torch.tensor([0.])\ny = nn.Linear(1, 1, False)(x).sum() ** 2", "dy/dx = [0]", "right"),
    ("x = torch.tensor([0.])\ny = nn.Linear(1, 1)(x).sum() ** 2", "dy/dx = [0]", "the weight of a new Linear layer is random"),
    # bounds by any name
    ("x = 2.0\ny = np.clip(x, a_min=0, a_max=1) + x", "dy/dx = 1", "right"),
    ("x = torch.tensor(2.)\ny = torch.clamp(x, max=3) * x", "dy/dx = 4", "right"),
    # the correction of a variance, and the order of a norm
    ("x = np.array([1., 3.])\ny = np.var(x)", "dy/dx = [-1, 1]", "right"),
    ("x = torch.tensor([1., 3.])\ny = torch.var(x)", "dy/dx = [-2, 2]", "right"),
    ("x = torch.tensor([1., 3.])\ny = torch.var(x)", "dy/dx = [-1, 1]", "wrong"),
    ("x = np.array([1., 3.])\ny = x.var(ddof=1)", "dy/dx = [-2, 2]", "right"),
    ("x = np.array([1., 3.])\ny = x.var()", "dy/dx = [-1, 1]", "the correction of var is not stated"),
    ("x = torch.tensor([[3., 4.]])\ny = torch.norm(x, 1).sum()", "dy/dx = [[1, 1]]", "the order of a norm is not read"),
    ("x = torch.tensor([3., 4.])\ny = torch.norm(x)", "dy/dx = [0.6, 0.8]", "right"),
)
# fmt: on


@pytest.mark.parametrize(("code", "claim", "said"), CODE)
def test_code_gives_graph_and_point(
    tmp_path: Path, code: str, claim: str, said: str
) -> None:
    (found,) = verdicts(tmp_path, f"{code}\n# {claim}\n")
    assert found == said


PASS = """
x = np.array([0.5, -1.0])
w = np.array([2.0, 3.0])
b = 1.0
z = w @ x + b
a = np.tanh(z)
L = (a - 1) ** 2
"""

# Backward passes, and the verdict on each step.
BACKWARD = (
    ("da = 2 * (a - 1)\ndz = da * (1 - a**2)\ndw = dz * x", ["right"] * 3),
    ("da = 2 * (a - 1)\ndz = da * (1 - a)\ndw = dz * x", ["right", "wrong", "unsure"]),
    ("L_bar = 1.0\na_bar = L_bar * 2 * (a - 1)\nz_bar = a_bar", ["right", "wrong"]),
    ("dL_da = 2 * (a - 1)", ["right"]),
    ("dL_da = a - 1", ["wrong"]),
    ("grad_a = 2 * (a - 1)", ["right"]),
    ("da_dz = 1 - a**2", ["right"]),
    ("da_dz = 1 + a**2", ["wrong"]),
    ("dx = 0.1\nx2 = x + dx", []),  # a step, no gradient
    (
        "h = 1e-6\ndL_da = ((a + h - 1)**2 - L) / h",
        ["a difference quotient is no exact derivative"],
    ),
)


@pytest.mark.parametrize(("code", "expected"), BACKWARD)
def test_a_backward_pass_by_hand(
    tmp_path: Path, code: str, expected: list[str]
) -> None:
    assert verdicts(tmp_path, PASS + code + "\n") == expected


# A function and its derivative by name, and the verdict.
PAIRS = (
    ("def sigmoid_prime(x):\n    return sigmoid(x) * (1 - sigmoid(x))", "right"),
    ("def sigmoid_prime(y):\n    return y * (1 - y)", "right"),  # in the output
    ("def sigmoid_prime(x):\n    return sigmoid(x) * (1 + sigmoid(x))", "wrong"),
    ("def d_sigmoid(x):\n    return sigmoid(x)", "wrong"),
)


@pytest.mark.parametrize(("code", "expected"), PAIRS)
def test_a_function_named_as_a_derivative(
    tmp_path: Path, code: str, expected: str
) -> None:
    base = "def sigmoid(x):\n    return 1 / (1 + np.exp(-x))\n\n"
    assert verdicts(tmp_path, f"{base}{code}\n") == [expected]


# ---- printed numbers

TORCH = "import torch\nx = torch.tensor(2.0, requires_grad=True)\ny = x**3 / 9\ny.backward()\n"

PRINTED = (
    ("print(x.grad)  # tensor(1.3333)", ["right"]),
    ("print(x.grad)  # tensor(1.3334)", ["wrong"]),
    ("print(x.grad)  # 1.33", ["right"]),
    ("x.grad  # -> 1.5", ["wrong"]),
    ("print(x.grad.item())  # 1.3333333730697632", ["right"]),  # float32
    ("print(x.grad.item())  # 1.3334", ["wrong"]),
)


@pytest.mark.parametrize(("code", "expected"), PRINTED)
def test_a_number_beside_a_gradient(
    tmp_path: Path, code: str, expected: list[str]
) -> None:
    assert verdicts(tmp_path, f"{TORCH}{code}\n") == expected


# execution counts of two cells, what the second one printed, and what is said
OUTPUTS = (
    ((1, 2), "tensor(1.3333)\n", "right"),
    ((1, 2), "tensor(1.5)\n", "wrong"),
    ((2, 1), "tensor(1.5)\n", "the cells were not run in their order"),
    ((1, 2), "one\ntwo\n", "the stored lines are not one for each print"),
)


@pytest.mark.parametrize(("counts", "text", "said"), OUTPUTS)
def test_stored_outputs(
    tmp_path: Path, counts: tuple[int, int], text: str, said: str
) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": text}
    cells = [
        {
            "cell_type": "code",
            "source": source,
            "execution_count": n,
            "outputs": outputs,
        }
        for source, n, outputs in (
            (TORCH, counts[0], []),
            ("print(x.grad)", counts[1], [output]),
        )
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": cells}))
    assert [_said(c) for c in read_claims(path)] == [said]
