"""Passes whose data, weights and settings the file does not give: they are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims
from tests.claims.notes import counts_of, verdicts_of

# The data come from a file that is read, and the weights are as many as its columns.
READ = """
import numpy as np
X = np.load("rows.npy")
w = np.zeros(len(X[0]))
def step(y):
    gap = X @ w - y
    loss = np.sum(gap ** 2)
    dw = SLOT
    dgap = 2 * gap
    return loss, dw, dgap
"""
# A mask has a name, a shape is unpacked, an activation is a class without an object.
MASKED = """
import numpy as np
class Relu:
    @staticmethod
    def forward(z):
        return np.maximum(0, z)
    @staticmethod
    def backward(da, z):
        mask = z <= 0
        dz = da.copy()
        dz[mask] = SLOT
        return dz
class Layer:
    def __init__(self, n_in, n_out, activation=Relu):
        self.W = np.random.randn(n_out, n_in)
        self.act = activation
    def forward(self, x):
        self.x = x.reshape(*x.shape)
        self.z = self.W @ self.x
        return self.act.forward(self.z)
    def backward(self, da, learning_rate):
        dz = self.act.backward(da, self.z)
        dW = dz @ self.x.T
        dx = self.W.T @ dz
        self.W -= learning_rate * dW
        return dx
"""
# An averaged gradient is a convention, and a penalty is no part of a layer.
DECAYED = """
import numpy as np
class Dense:
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dy):
        self.dW = self.x.T @ dy / len(dy) - self.weight_decay * self.W
        self.db = np.mean(dy, axis=0)
        return dy @ self.W.T
"""


def said(folder: Path, code: str) -> dict[str, str]:
    """The verdict on each gradient that is judged, by what stands before its `=`."""
    path = folder / "passes.py"
    path.write_text(code, encoding="utf-8")
    found = [c for c in read_claims(path) if c.verdict != "not understood"]
    names = [c.text.split("=")[0].strip(" +") for c in found]
    assert len(names) == len({*names}), names
    return {n: str(c.verdict) for n, c in zip(names, found, strict=True)}


@pytest.mark.parametrize(
    ("slope", "verdict"), [("2 * X.T @ gap", "right"), ("X.T @ gap", "wrong")]
)
def test_names_that_the_file_gives_no_value_are_operands(
    tmp_path: Path, slope: str, verdict: str
) -> None:
    assert said(tmp_path, READ.replace("SLOT", slope)) == {
        "dw": verdict,
        "dgap": "right",
    }


@pytest.mark.parametrize(("masked", "verdict"), [("0", "right"), ("1", "wrong")])
def test_masks_with_a_name_and_classes_without_an_object(
    tmp_path: Path, masked: str, verdict: str
) -> None:
    found = said(tmp_path, MASKED.replace("SLOT", masked))
    assert found["dz[mask]"] == verdict


def test_a_mean_beside_a_penalty_is_not_accused(tmp_path: Path) -> None:
    found = said(tmp_path, DECAYED)
    assert found["self.db"] == "right"
    assert found["self.dW"] == "unsure"


# At most points that are drawn the output is 1 in floats; its logarithm is none.
STEEP = """
import numpy as np
def forward(X, table):
    A, B = table["A"], table["B"]
    h = np.tanh(A @ X)
    p = 1 / (1 + np.exp(-25 * (B @ h)))
    return p, (h, B, p)
def cost(p, Y):
    return -np.sum(Y * np.log(p) + (1 - Y) * np.log(1 - p)) / Y.shape[1]
def backward(X, Y, cache):
    h, B, p = cache
    dz = 25 * (p - Y) / X.shape[1]
    dB = dz @ h.T
    dA = ((B.T @ dz) * (1 SLOT h**2)) @ X.T
    return dB, dA
"""


@pytest.mark.parametrize(("slot", "verdict"), [("-", "right"), ("+", "wrong")])
def test_a_point_at_which_the_reference_says_nothing_is_passed_by(
    tmp_path: Path, slot: str, verdict: str
) -> None:
    found = verdicts_of(tmp_path, STEEP.replace("SLOT", slot))
    assert found == ["right", "right", verdict]


# The data of a script are loaded, and its weights too many to look at.
SCRIPT = """
import numpy as np
rows, wide = 900, 400
S = np.random.randn(rows, wide)
T, extra = np.loadtxt("t.csv"), np.loadtxt("e.csv")
w_in, w_out = np.random.randn(wide, 20), np.random.randn(20, 3)
for turn in range(500):
    a = np.tanh(S @ w_in)
    z = a @ w_out
    loss = np.sum((z - T) ** 2)
    grad_z = 2 * (z - T)
    grad_w_out = a.T @ grad_z
    grad_w_in = SLOT
    w_in -= 1e-4 * grad_w_in
"""
# No loss is written, a slope comes from elsewhere, and steps have others' names.
IMPORTED = """
import numpy as np
from helpers import sigmoid_grad, sigmoid, softmax
class Net:
    def __init__(self, n_in, n_mid, n_out):
        self.table = {"A": np.random.randn(n_in, n_mid)}
        self.table["B"] = np.random.randn(n_mid, n_out)
    def gradient(self, x, t):
        A, B = self.table["A"], self.table["B"]
        u = x @ A
        v = sigmoid(u)
        w = v @ B
        y = softmax(w)
        grads = {}
        dy = (y - t) / x.shape[0]
        grads["B"] = v.T @ dy
        du = dy @ B.T
        dv = sigmoid_grad(u) * du
        grads["A"] = SLOT
        return grads
"""


@pytest.mark.parametrize(
    ("slot", "verdict"),
    [
        ("S.T @ ((grad_z @ w_out.T) * (1 - a**2))", "right"),
        ("S.T @ ((grad_z @ w_out.T) * (1 + a**2))", "wrong"),
    ],
)
def test_a_script_whose_data_come_from_elsewhere_is_judged(
    tmp_path: Path, slot: str, verdict: str
) -> None:
    found = verdicts_of(tmp_path, SCRIPT.replace("SLOT", slot))
    assert found == ["right", "right", verdict]


@pytest.mark.parametrize(("slot", "count"), [("x.T @ dv", 2), ("-(x.T @ dv)", 0)])
def test_an_imported_slope_is_no_reason_to_accuse(
    tmp_path: Path, slot: str, count: int
) -> None:
    assert counts_of(tmp_path, IMPORTED.replace("SLOT", slot)) == (count, 0)
