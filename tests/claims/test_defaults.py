"""Operands with defaults that hide a slip, or make arrays larger than need be."""

from __future__ import annotations

from pathlib import Path

import pytest

from .notes import verdicts_by_line

# By default there is no penalty, and whatever slope it is given comes out right.
PENALTY = """
import numpy as np
def fit(X, t, W, V, reg=0.0):
    n = X.shape[0]
    h = np.tanh(X.dot(W))
    z = h.dot(V)
    loss = 0.5 * np.sum((z - t)**2) / n + reg * (np.sum(W * W) + np.sum(V * V))
    dz = (z - t) / n
    dV = h.T.dot(dz)
    dV += SLOPE * V
    dh = dz.dot(V.T)
    dW = X.T.dot(dh * (1 - h**2))
    dW += 2 * reg * W
    return loss, dW, dV
"""
# The state is long by default; inputs are columns, one for each step.
LONG = """
import numpy as np
class Steps:
    def __init__(self, n_in, n_state=64):
        self.U = np.random.randn(n_state, n_state)
        self.W = np.random.randn(n_state, n_in)
        self.b = np.zeros((n_state, 1))
    def forward(self, inputs):
        h = np.zeros((self.U.shape[0], 1))
        self.inputs = inputs
        self.states = {0: h}
        for i, x in enumerate(inputs):
            h = np.tanh(self.W @ x + self.U @ h + self.b)
            self.states[i + 1] = h
        return h
    def backprop(self, d_h):
        n = len(self.inputs)
        d_W = np.zeros(self.W.shape)
        d_b = np.zeros(self.b.shape)
        for t in reversed(range(n)):
            inner = (1 - self.states[t + 1] ** 2) * d_h
            d_b += inner
            d_W += inner @ self.inputs[t].T
            d_h = BACK @ inner
"""
# The slip stands in an inner pass, and its step is divided by the number of examples.
INNER = """
import numpy as np
class Layer:
    def __init__(self, W):
        self.W = W
    def forward(self, x):
        self.x = x
        self.z = x @ self.W
        self.out = np.tanh(self.z)
        return self.out
    def backward(self, dout):
        m = dout.shape[0]
        dz = 2 * dout * (1 - self.out ** 2)
        dW = self.x.T @ dz / m
        dx = dz @ self.W.T
        return dx, dW
"""


@pytest.mark.parametrize(
    ("slope", "verdict"), [("2 * reg", "right"), ("4 * reg", "wrong"), ("reg", "wrong")]
)
def test_a_penalty_that_is_left_out_by_default_is_seen(
    tmp_path: Path, slope: str, verdict: str
) -> None:
    found = verdicts_by_line(tmp_path, PENALTY.replace("SLOPE", slope))
    assert (found["dV"], found["dW"]) == (verdict, "right")


@pytest.mark.parametrize(
    ("back", "verdict"), [("self.U.T", "right"), ("self.U", "wrong")]
)
def test_a_long_state_is_looked_at_in_a_short_one(
    tmp_path: Path, back: str, verdict: str
) -> None:
    """Where the transpose is forgotten, all that adds up over steps is wrong."""
    found = verdicts_by_line(tmp_path, LONG.replace("BACK", back))
    assert (found["d_b"], found["d_W"]) == (verdict, verdict)


def test_what_is_divided_after_a_slip_follows_from_it(tmp_path: Path) -> None:
    assert verdicts_by_line(tmp_path, INNER) == {
        "dz": "wrong",
        "dW": "unsure",
        "dx": "unsure",
    }
