"""Gradients whose names say something else, and passes with odd names."""

from __future__ import annotations

from pathlib import Path

import pytest

from .notes import verdicts_by_line

# `out` ends as the probabilities, and `dout` is the gradient by the scores: those by
# the weights are computed from it and are right.
SCORES = """
import numpy as np
def fit(X, y, W, b, reg):
    n = X.shape[0]
    out = np.exp(np.dot(X, W) + b)
    out /= np.sum(out, axis=1, keepdims=True)
    loss = -np.sum(np.log(out[np.arange(n), y])) / n + 0.5 * reg * np.sum(W**2)
    dout = np.copy(out)
    dout[np.arange(n), y] -= 1
    dW = WEIGHT
    dW += reg * W
    db = BIAS
    return loss, dW, db
"""
# Of one forward pass there are two backward passes; an eps in a root is no step size.
TWICE = """
import numpy as np
def norm_forward(x, gamma, beta, eps):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    xn = (x - mu) / np.sqrt(var + eps)
    out = gamma * xn + beta
    return out, (x, mu, var, xn, gamma, eps)
def norm_backward(dout, cache):
    x, mu, var, xn, gamma, eps = cache
    dxn = dout * gamma
    dx = (dxn - dxn.mean(axis=0) - xn * (dxn * xn).mean(axis=0)) / np.sqrt(var + eps)
    return dx
def norm_backward_alt(dout, cache):
    x, mu, var, xn, gamma, eps = cache
    dgamma = GAMMA
    dxn = dout * gamma
    root = np.sqrt(var + eps)
    dvar = np.sum(dxn * (x - mu), axis=0) * -0.5 / ((var + eps) * np.sqrt(var + eps))
    return dgamma, dvar
"""
# The lengths of an image are given as one list, and their product is a width.
LENGTHS = """
import numpy as np
class Scale:
    def __init__(self, X_dim):
        self.deep, self.high, self.wide = X_dim
        self.gamma = np.ones((1, int(np.prod(X_dim))))
        self.beta = np.zeros((1, int(np.prod(X_dim))))
    def forward(self, X):
        self.X_shape = X.shape
        self.flat = X.ravel().reshape(X.shape[0], -1)
        out = self.gamma * self.flat + self.beta
        return out.reshape(self.X_shape)
    def backward(self, dout):
        dout = dout.ravel().reshape(dout.shape[0], -1)
        dbeta = np.sum(dout, axis=0)
        dgamma = SLOT
        return dgamma, dbeta
"""


def scores(weight: str, bias: str) -> str:
    """The pass with these gradients."""
    return SCORES.replace("WEIGHT", weight).replace("BIAS", bias)


def test_a_gradient_that_right_ones_are_computed_from_is_not_accused(
    tmp_path: Path,
) -> None:
    code = scores("np.dot(X.T, dout) / n", "np.sum(dout, axis=0) / n")
    found = verdicts_by_line(tmp_path, code)
    assert found["dW"] == found["db"] == "right"
    assert "wrong" not in found.values()


@pytest.mark.parametrize(
    ("weight", "bias", "line"),
    [
        ("-np.dot(X.T, dout) / n", "np.sum(dout, axis=0) / n", "dW"),
        ("np.dot(X.T, dout) / n", "2 * np.sum(dout, axis=0) / n", "db"),
    ],
)
def test_a_slip_after_such_a_gradient_is_found(
    tmp_path: Path, weight: str, bias: str, line: str
) -> None:
    found = verdicts_by_line(tmp_path, scores(weight, bias))
    assert [name for name, verdict in found.items() if verdict == "wrong"] == [line]


@pytest.mark.parametrize(
    ("gamma", "verdict"),
    [("np.sum(dout * xn, axis=0)", "right"), ("np.sum(dout, axis=0)", "wrong")],
)
def test_a_second_backward_pass_is_judged_as_the_first_one_is(
    tmp_path: Path, gamma: str, verdict: str
) -> None:
    found = verdicts_by_line(tmp_path, TWICE.replace("GAMMA", gamma))
    assert found == {"dxn": "right", "dx": "right", "dgamma": verdict, "dvar": "right"}


@pytest.mark.parametrize(
    ("gamma", "verdict"),
    [
        ("np.sum(dout * self.flat, axis=0)", "right"),
        ("np.sum(dout * self.flat, axis=0) / 2", "unsure"),
    ],
)
def test_an_operand_may_list_the_lengths_of_an_image(
    tmp_path: Path, gamma: str, verdict: str
) -> None:
    found = verdicts_by_line(tmp_path, LENGTHS.replace("SLOT", gamma))
    assert found["dgamma"] == verdict
    assert found["dbeta"] == "right"


# Both passes cut the weights of three gates out of one array.
CUT = """
import numpy as np
class Gate:
    def __init__(self, W):
        self.W = W
    def forward(self, x, h_prev):
        n = h_prev.shape[1]
        Wa, Wb, Wc = self.W[:, :n], self.W[:, n:2 * n], self.W[:, 2 * n:]
        a = np.tanh(np.dot(x, Wa))
        g = 1 / (1 + np.exp(-np.dot(x, Wb)))
        self.cache = (x, h_prev, a, g)
        return a * g + g * np.dot(x, Wc) + h_prev
    def backward(self, dout):
        x, h_prev, a, g = self.cache
        n = h_prev.shape[1]
        Wa, Wb, Wc = self.W[:, :n], self.W[:, n:2 * n], self.W[:, 2 * n:]
        dt = dout * g * (1 - a ** 2)
        dWa = np.dot(x.T, dt)
        dWc = SLOT
        dt = dout * (a + np.dot(x, Wc)) * g * (1 - g)
        dWb = np.dot(x.T, dt)
        dW = np.hstack((dWa, dWb, dWc))
        self.dW = dW
"""


@pytest.mark.parametrize(
    ("gate", "verdict"),
    [("np.dot(x.T, dout * g)", "right"), ("np.dot(x.T, -dout * g)", "wrong")],
)
def test_what_both_passes_compute_alike_is_one_step(
    tmp_path: Path, gate: str, verdict: str
) -> None:
    found = verdicts_by_line(tmp_path, CUT.replace("SLOT", gate))
    assert (found["dWa"], found["dWb"], found["dWc"]) == ("right", "right", verdict)
    assert "dW" in found
    assert "self.dW" not in found  # it only keeps what was computed before


def test_arrays_without_entries_are_none_that_is_meant(tmp_path: Path) -> None:
    code = CUT.replace("SLOT", "np.dot(x.T, dout * g)").replace("2 * n", "n + n // 2")
    assert "wrong" not in verdicts_by_line(tmp_path, code).values()
