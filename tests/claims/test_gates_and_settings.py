"""Passes with gates, with settings in a table, and with entries that a mask picks."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims
from tests.claims.notes import counts_of, verdicts_of

# A product that is cut into four gates; two outputs, each with a gradient from above.
GATES = """
import numpy as np
def squash(v):
    return 1 / (1 + np.exp(-v))
def cell_forward(x, h_old, c_old, Wx, Wh, b):
    H = h_old.shape[1]
    gates = x @ Wx + h_old @ Wh + b
    i, f = squash(gates[:, :H]), squash(gates[:, H:2 * H])
    o, g = squash(gates[:, 2 * H:3 * H]), np.tanh(gates[:, 3 * H:])
    c = f * c_old + i * g
    h = o * np.tanh(c)
    return h, c, (x, h_old, c_old, Wx, Wh, i, f, o, g, c)
def cell_backward(dh, dc, cache):
    x, h_old, c_old, Wx, Wh, i, f, o, g, c = cache
    dc = dc + dh * o * (1 - np.tanh(c)**2)
    di = dc * g
    df = dc * c_old
    do = dh * np.tanh(c)
    dg = SLOT
    dgates = np.hstack((di * i * (1 - i), df * f * (1 - f),
                        do * o * (1 - o), dg * (1 - g**2)))
    dWx = x.T @ dgates
    dWh = h_old.T @ dgates
    db = dgates.sum(axis=0)
    dx = dgates @ Wx.T
    dh_old = dgates @ Wh.T
    dc_old = dc * f
    return dx, dh_old, dc_old, dWx, dWh, db
"""
CUT = GATES.replace(
    """    i, f = squash(gates[:, :H]), squash(gates[:, H:2 * H])
    o, g = squash(gates[:, 2 * H:3 * H]), np.tanh(gates[:, 3 * H:])
""",
    """    i, f, o, g = np.hsplit(gates, 4)
    i, f, o, g = squash(i), squash(f), squash(o), np.tanh(g)
""",
)
# Settings in a table: one of them says which branch is taken, others have defaults.
SETTINGS = """
import numpy as np
def norm_forward(x, scale, shift, settings):
    mode = settings["mode"]
    eps = settings.get("eps", 1e-5)
    if mode == "train":
        mean, spread = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)
        xn = (x - mean) / spread
        cache = xn, spread, scale
    elif mode == "test":
        xn, cache = (x - settings["mean"]) / settings["spread"], None
    return scale * xn + shift, cache
def norm_backward(dout, cache):
    xn, spread, scale = cache
    dshift = dout.sum(axis=0)
    dscale = SLOT
    dxn = dout * scale
    dx = (dxn - dxn.mean(axis=0) - xn * (dxn * xn).mean(axis=0)) / spread
    return dx, dscale, dshift
"""
# A softmax over rows, whose labels are as many as the examples.
ROWS = """
import numpy as np
def softmax_loss(W, X, y):
    count = X.shape[0]
    scores = X.dot(W)
    scores -= scores.max(axis=1)[:, np.newaxis]
    p = np.exp(scores) / np.sum(np.exp(scores), axis=1)[:, np.newaxis]
    loss = np.mean(-np.log(p[np.arange(count), y]))
    dscores = p
    dscores[np.arange(count), y] -= 1
    dscores /= count
    dW = SLOT
    return loss, dW
"""
# Entries that a mask picks, on both sides; the kind of a layer asked with `is`.
PICKED = """
import numpy as np
def stable(v):
    above, below = v >= 0, v < 0
    z = np.zeros_like(v)
    z[above] = np.exp(-v[above])
    z[below] = np.exp(v[below])
    top = np.ones_like(v)
    top[below] = z[below]
    return top / (1 + z)
class Squash:
    def __init__(self, kind):
        self.kind = kind
    def forward(self, x):
        if self.kind is "sigmoid":
            self.out = stable(x)
        return self.out
    def backward(self, dout):
        dx = np.empty_like(dout)
        dx[:] = SLOT
        return dx
"""
# Examples one by one: their losses are added up, and zeros written over.
ONE_BY_ONE = """
import numpy as np
def softmax_loss(W, X, y):
    loss = 0.0
    count, classes = X.shape[0], W.shape[1]
    dscores = np.zeros((count, classes))
    for i in range(count):
        scores = X[i].dot(W)
        p = np.exp(scores) / np.sum(np.exp(scores))
        hot = np.zeros(classes)
        hot[y[i]] = 1
        dscores[i] = p - hot
        loss += -np.log(p[y[i]])
    loss /= count
    dscores /= count
    dW = SLOT
    return loss, dW
"""
# The two passes of a layer, whose names have the direction in their middle.
MIDDLE = """
import numpy as np
def bend(z):
    return np.maximum(0, z)
def bend_back(dA, Z):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ
def layer_forward_step(A_before, W, b, kind="bend"):
    Z = W @ A_before + b
    if kind is "bend":
        act = bend
    else:
        raise ValueError(kind)
    return act(Z), Z
def layer_backward_step(dA, W, b, Z, A_before, kind="bend"):
    if kind is "bend":
        act_back = bend_back
    else:
        raise ValueError(kind)
    dZ = act_back(dA, Z)
    dW = SLOT
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_before = W.T @ dZ
    return dA_before, dW, db
"""
# fmt: off
PASSES = (  # code, how many are right, how many are wrong
    (GATES.replace("SLOT", "dc * i"), 12, 0),
    (GATES.replace("SLOT", "-dc * i"), 5, 1),  # what follows from it is unsure
    (CUT.replace("SLOT", "dc * i"), 12, 0),
    (SETTINGS.replace("SLOT", "(dout * xn).sum(axis=0)"), 4, 0),
    (SETTINGS.replace("SLOT", "dout.sum(axis=0)"), 3, 1),
    (ROWS.replace("SLOT", "X.T.dot(dscores)"), 2, 0),
    (ROWS.replace("SLOT", "2 * X.T.dot(dscores)"), 1, 1),
    (ONE_BY_ONE.replace("SLOT", "X.T.dot(dscores)"), 2, 0),
    (ONE_BY_ONE.replace("SLOT", "-X.T.dot(dscores)"), 1, 1),
    (MIDDLE.replace("SLOT", "dZ @ A_before.T"), 5, 0),
    (MIDDLE.replace("SLOT", "-dZ @ A_before.T"), 4, 1),
    (PICKED.replace("SLOT", "dout * self.out * (1 - self.out)"), 1, 0),
    (PICKED.replace("SLOT", "-dout * self.out * (1 - self.out)"), 0, 1),
)
# fmt: on


@pytest.mark.parametrize(("code", "right", "wrong"), PASSES)
def test_passes_with_gates_tables_and_masks_are_judged(
    tmp_path: Path, code: str, right: int, wrong: int
) -> None:
    assert counts_of(tmp_path, code) == (right, wrong)


# Nothing shows whether w³ + 1.5 is meant as the slope by z, nor what follows from it.
UNSURE = """
x = 3.0
w = 2.0
z = x * w
loss = z**2
dz = w**3 + 1.5
dw = dz * x
"""


def test_what_follows_from_an_unsure_line_is_not_accused(tmp_path: Path) -> None:
    assert verdicts_of(tmp_path, UNSURE) == ["unsure", "unsure"]


# One slip, and what is computed from it: the slip alone is to be mended.
FOLLOWING = """
x = 3.0
w = 2.0
z = x * w
loss = z**2
dz = -2 * z
dw = dz * x
"""


def test_what_follows_from_a_wrong_line_is_unsure_and_says_from_which(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.py"
    path.write_text(FOLLOWING, encoding="utf-8")
    slip, after = read_claims(path)
    assert (slip.verdict, after.verdict) == ("wrong", "unsure")
    assert after.reason == "it follows from dz, which is wrong"
