"""Passes over lists of layers, over windows, and with activations from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.code import statements
from tests.claims.notes import counts_of

# A network of any number of layers, whose loss is not written.
NETWORK = """
import numpy as np
class Network:
    def __init__(self, sizes):
        self.count = len(sizes)
        self.biases = [np.random.randn(n, 1) for n in sizes[1:]]
        self.weights = [np.random.randn(n, m) for m, n in zip(sizes[:-1], sizes[1:])]
    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        h, kept = x, [x]
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, h) + b
            h = np.tanh(z)
            kept.append(h)
        delta = (kept[-1] - y) * (1 - kept[-1] ** 2)
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, kept[-2].T)
        for k in range(2, self.count):
            delta = np.dot(self.weights[-k + 1].T, delta) * (1 - kept[-k] ** 2)
            nabla_b[-k] = delta
            nabla_w[-k] = SLOT
        return nabla_b, nabla_w
"""
# A convolution, window by window.
WINDOWS = """
import numpy as np
class Filter:
    def __init__(self, kernel_size):
        self.size = kernel_size
        self.W = np.random.randn(kernel_size, kernel_size)
    def forward(self, x):
        self.x = x
        height, width = x.shape
        out = np.zeros((height - self.size + 1, width - self.size + 1))
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                window = x[i:i + self.size, j:j + self.size]
                out[i, j] = np.sum(window * self.W)
        return out
    def backward(self, dout):
        dW = np.zeros_like(self.W)
        dx = np.zeros_like(self.x)
        for i in range(dout.shape[0]):
            for j in range(dout.shape[1]):
                dW += SLOT * self.x[i:i + self.size, j:j + self.size]
                dx[i:i + self.size, j:j + self.size] += dout[i, j] * self.W
        return dx, dW
"""
# A layer that is given its activation.
GIVEN = """
import numpy as np
class Layer:
    def __init__(self, n_in, n_out, activation):
        self.activation = activation
        self.weights = np.random.randn(n_in, n_out)
    def forward(self, x):
        self.x = x
        self.z = x @ self.weights
        return self.activation.forward(self.z)
    def backward(self, output_gradient):
        dz = output_gradient * self.activation.derivative(self.z)
        dw = SLOT
        return dz @ self.weights.T
"""
# A norm that is written for images and for rows, beside names that it is given.
NORM = """
import numpy as np
class Norm:
    def __init__(self, gain, shift, rate=0.9, mean=None, spread=None):
        self.gain, self.shift, self.rate = gain, shift, rate
        self.mean = mean
        self.spread = spread
    def forward(self, x, is_training=True):
        self.shape = x.shape
        if x.ndim != 2:
            N, C, H, W = x.shape
            x = x.reshape(N, -1)
        return self.normed(x, is_training).reshape(*self.shape)
    def normed(self, x, is_training):
        if self.mean is None:
            N, D = x.shape
            self.mean = np.zeros(D)
            self.spread = np.zeros(D)
        if is_training:
            centre = x.mean(axis=0)
            xc = x - centre
            width = np.sqrt(np.mean(xc**2, axis=0) + 1e-6)
            xn = xc / width
            self.count, self.xc, self.xn, self.width = x.shape[0], xc, xn, width
            self.mean = self.rate * self.mean + (1 - self.rate) * centre
            self.spread = self.rate * self.spread + (1 - self.rate) * width
        else:
            xn = (x - self.mean) / np.sqrt(self.spread + 1e-6)
        return self.gain * xn + self.shift
    def backward(self, dout):
        if dout.ndim != 2:
            N, C, H, W = dout.shape
            dout = dout.reshape(N, -1)
        return self.rows(dout).reshape(*self.shape)
    def rows(self, dout):
        dshift = dout.sum(axis=0)
        dgain = SLOT
        dxn = self.gain * dout
        dxc = dxn / self.width
        dwidth = -np.sum(dxn * self.xc, axis=0) / self.width**2
        dxc += self.xc * dwidth / (self.count * self.width)
        dx = dxc - np.mean(dxc, axis=0)
        return dx
"""
# Passes of which each is nearly as long as may be, behind loops of its own.
LONG = "".join(
    f"""
def train_{k}(x, w):
    count = 0
    for epoch in range(8):
        for batch in range(8):
            count = count + 1
    y = w * x**2
    dy_dw = x**2
    dy_dx = SLOT
    return dy_dw, dy_dx, count
"""
    for k in range(3)
)
# fmt: off
PASSES = (  # code, how many are right, how many are wrong
    (NETWORK.replace("SLOT", "np.dot(delta, kept[-k - 1].T)"), 4, 0),
    (NETWORK.replace("SLOT", "2 * np.dot(delta, kept[-k - 1].T)"), 3, 1),
    (WINDOWS.replace("SLOT", "dout[i, j]"), 2, 0),
    (WINDOWS.replace("SLOT", "-dout[i, j]"), 1, 1),
    (GIVEN.replace("SLOT", "self.x.T @ dz"), 3, 0),
    (NORM.replace("SLOT", "np.sum(self.xn * dout, axis=0)"), 7, 0),
    (NORM.replace("SLOT", "np.sum(self.xc * dout, axis=0)"), 6, 1),
    # Which slope the activation gives is supposed, so that nothing is called wrong.
    (GIVEN.replace("SLOT", "2 * self.x.T @ dz"), 2, 0),
)
# fmt: on


@pytest.mark.parametrize(("code", "right", "wrong"), PASSES)
def test_passes_in_loops_are_judged(
    tmp_path: Path, code: str, right: int, wrong: int
) -> None:
    assert counts_of(tmp_path, code) == (right, wrong)


@pytest.mark.parametrize(
    ("slope", "right", "wrong"), [("2 * w * x", 6, 0), ("w * x", 3, 3)]
)
def test_each_pass_of_a_file_may_be_as_long_as_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slope: str,
    right: int,
    wrong: int,
) -> None:
    monkeypatch.setattr(statements, "STATEMENTS", 120)
    assert counts_of(tmp_path, LONG.replace("SLOT", slope)) == (right, wrong)
