"""Layers as libraries write them: properties, passes over lists, weights made later."""

from __future__ import annotations

from pathlib import Path

import pytest

from .notes import verdicts_by_line

# The weights are made once an input is seen, by what comes from another file, and so is
# the activation. Two inner passes compute what the outer ones keep lists of.
DENSE = """
import numpy as np
from .start import ActivationFor, WeightsFor
class Dense:
    def __init__(self, n_out, act_fn=None):
        self.n_in = None
        self.n_out = n_out
        self.act_fn = ActivationFor(act_fn)()
        self.parameters = {"W": None, "b": None}
        self.is_ready = False
    def make(self):
        W = WeightsFor(str(self.act_fn))((self.n_in, self.n_out))
        self.parameters = {"W": W, "b": np.zeros((1, self.n_out))}
        self.is_ready = True
    def forward(self, X):
        if not self.is_ready:
            self.n_in = X.shape[1]
            self.make()
        Y, Z = self._fwd(X)
        return Y
    def _fwd(self, X):
        Z = X @ self.parameters["W"] + self.parameters["b"]
        return self.act_fn(Z), Z
    def backward(self, dLdy):
        return [self._bwd(dy, x) for dy, x in zip(dLdy, self.X)]
    def _bwd(self, dLdy, X):
        W = self.parameters["W"]
        Z = X @ W + self.parameters["b"]
        dZ = dLdy * self.act_fn.grad(Z)
        dW = WEIGHT
        dX = dZ @ W.T
        return dX, dW
"""
# A setting is read from a table that also holds what is not read; the gradient may come
# alone or in a list.
SCALE = """
import numpy as np
from .start import OptimizerFor
class Scale:
    def __init__(self, epsilon=1e-5, optimizer=None):
        self.X = []
        self.gradients = {}
        self.optimizer = OptimizerFor(optimizer)()
        self.epsilon = epsilon
        self.parameters = {"scaler": None, "shift": None}
        self.is_ready = False
    def make(self):
        self.parameters = {"scaler": np.random.rand(self.n_in),
                           "shift": np.zeros(self.n_in)}
        self.gradients = {"scaler": np.zeros(self.n_in), "shift": np.zeros(self.n_in)}
        self.is_ready = True
    @property
    def settings(self):
        return {"epsilon": self.epsilon, "optimizer": self.optimizer.settings}
    def forward(self, X):
        if not self.is_ready:
            self.n_in = X.shape[1]
            self.make()
        N = X / np.sqrt(1 + self.settings["epsilon"])
        self.X.append(X)
        return self.parameters["scaler"] * N + self.parameters["shift"]
    def backward(self, dLdy):
        if not isinstance(dLdy, list):
            dLdy = [dLdy]
        dX = []
        for dy, x in zip(dLdy, self.X):
            dx, dscaler, dshift = self._back(dy, x)
            dX.append(dx)
            self.gradients["scaler"] += dscaler
            self.gradients["shift"] += dshift
        return dX[0]
    def _back(self, dy, X):
        root = np.sqrt(1 + self.settings["epsilon"])
        dscaler = WEIGHT
        dshift = dy.sum(axis=0)
        return dy * self.parameters["scaler"] / root, dscaler, dshift
"""


@pytest.mark.parametrize(
    ("weight", "verdict"), [("X.T @ dZ", "right"), ("-X.T @ dZ", "unsure")]
)
def test_inner_passes_are_followed_where_weights_are_made_later(
    tmp_path: Path, weight: str, verdict: str
) -> None:
    """The slope is supposed, so that nothing that rests on it is called wrong."""
    found = verdicts_by_line(tmp_path, DENSE.replace("WEIGHT", weight))
    assert found == {"dZ": "right", "dW": verdict, "dX": "right"}


@pytest.mark.parametrize(
    ("weight", "verdict"),
    [
        ("np.sum(dy * X / root, axis=0)", "right"),
        ("-np.sum(dy * X / root, axis=0)", "wrong"),
    ],
)
def test_a_layer_with_properties_and_lists_is_followed(
    tmp_path: Path, weight: str, verdict: str
) -> None:
    found = verdicts_by_line(tmp_path, SCALE.replace("WEIGHT", weight))
    assert (found["dscaler"], found["dshift"]) == (verdict, "right")
