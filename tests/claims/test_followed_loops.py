"""Passes over lists of layers, over windows, and with activations from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims

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
# fmt: off
PASSES = (  # code, how many are right, how many are wrong
    (NETWORK.replace("SLOT", "np.dot(delta, kept[-k - 1].T)"), 4, 0),
    (NETWORK.replace("SLOT", "2 * np.dot(delta, kept[-k - 1].T)"), 3, 1),
    (WINDOWS.replace("SLOT", "dout[i, j]"), 2, 0),
    (WINDOWS.replace("SLOT", "-dout[i, j]"), 1, 1),
    (GIVEN.replace("SLOT", "self.x.T @ dz"), 3, 0),
    # Which slope the activation gives is supposed, so that nothing is called wrong.
    (GIVEN.replace("SLOT", "2 * self.x.T @ dz"), 2, 0),
)
# fmt: on


@pytest.mark.parametrize(("code", "right", "wrong"), PASSES)
def test_passes_in_loops_are_judged(
    tmp_path: Path, code: str, right: int, wrong: int
) -> None:
    path = tmp_path / "notes.py"
    path.write_text(code, encoding="utf-8")
    found = [c.verdict.value for c in read_claims(path)]
    assert (found.count("right"), found.count("wrong")) == (right, wrong)
