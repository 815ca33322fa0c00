"""Layers as people write them: classes with two passes, which no one here calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims

# The pass keeps its output and returns nothing; its weights come from elsewhere.
KEEPING = """
import numpy as np
from .start import weights_for
class Linear:
    def __init__(self, shape, wide):
        self.held = weights_for(shape[0], wide)
        self.out = np.zeros((wide, shape[1]))
    def forward(self, seen):
        self.seen = seen
        self.out = np.dot(self.held["W"], self.seen) + self.held["b"]
    def backward(self, upstream):
        self.dW = np.dot(upstream, self.seen.T)
        self.db = np.sum(upstream, axis=1, keepdims=True)
        self.dseen = {seen}
"""
# The passes have other names; the weights are made once an input is seen.
LATER = """
import numpy as np
class Linear:
    def __init__(self):
        self.W = None
        self.b = None
    def setup(self, shape):
        self.W = draw(shape)
        self.b = draw(shape[-1])
    def _forward_pass(self, x):
        self.x = x
        return x @ self.W + self.b
    def _backward_pass(self, dy):
        self.dW = {weight}
        self.db = np.sum(dy, axis=0)
        return dy @ self.W.T
"""
# A size is asked of no one, and the backward pass makes the step as well.
STEPPING = """
import numpy as np
class Linear:
    def __init__(self, rate=0.1):
        self.W, self.b, self.rate = None, None, rate
    def feed_forward(self, x):
        x = x.reshape(1, -1) if x.ndim == 1 else x
        self.x = x.reshape(-1, self.width)
        return np.dot(self.x, self.W) + self.b
    def back_propagation(self, dy):
        dW = {weight}
        db = np.sum(dy, axis=0)
        dx = np.dot(dy, self.W.T)
        self.W = self.W - self.rate * dW
        self.b -= self.rate * db
        return dx
"""
# What the layers share stands in their base.
INHERITED = """
import numpy as np
class Layer:
    def __init__(self):
        self.params = {{}}
        self.grads = {{}}
    def forward(self, x):
        raise NotImplementedError
    def backward(self, dy):
        raise NotImplementedError
class Linear(Layer):
    def __init__(self, rows: int, columns: int):
        super().__init__()
        self.params["w"] = np.random.randn(rows, columns)
        self.params["b"] = np.random.randn(columns)
    def forward(self, x):
        self.x = x
        return x @ self.params["w"] + self.params["b"]
    def backward(self, dy):
        self.grads["b"] = np.sum(dy, axis=0)
        self.grads["w"] = {weight}
        return dy @ self.params["w"].T
"""
# A loss is given its own scores, and masks them by labels; a part may not be read.
SCORES = """
import numpy as np
class Loss:
    def forward(self, x, labels):
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        self.output = e / np.sum(e, axis=1, keepdims=True)
        return -np.mean(np.log(self.output[range(len(x)), labels]))
    def backward(self, dvalues, labels):
        count = len(dvalues)
        self.dx = dvalues.copy()
        self.dx[range(count), {labels}] -= 1
        self.dx = self.dx / {count}
"""


def verdicts(folder: Path, code: str) -> list[tuple[str, str]]:
    """What is said of each gradient, by its line."""
    path = folder / "layers.py"
    path.write_text(code, encoding="utf-8")
    found = [c for c in read_claims(path) if c.verdict != "not understood"]
    return [(c.text.split("=")[0].strip(), c.verdict) for c in found]


@pytest.mark.parametrize(
    ("code", "slot", "right", "slip", "line"),
    [
        (KEEPING, "seen", 'np.dot(self.held["W"].T, upstream)',
         'np.dot(self.held["W"].T, 2 * upstream)', "self.dseen"),
        (LATER, "weight", "self.x.T @ dy", "-self.x.T @ dy", "self.dW"),
        (STEPPING, "weight", "np.dot(self.x.T, dy)", "np.dot(self.x.T, dy) * 3", "dW"),
        (INHERITED, "weight", "self.x.T @ dy", "self.x.T @ dy / 2",
         "self.grads['w']"),
    ],
    ids=["keeps its output", "weights that are made later", "a step", "a base class"],
)  # fmt: skip
def test_layers_are_read_and_a_slip_in_them_is_the_only_one_found(
    tmp_path: Path, code: str, slot: str, right: str, slip: str, line: str
) -> None:
    said = verdicts(tmp_path, code.format(**{slot: right}))
    assert len(said) == 3
    assert {verdict for _, verdict in said} == {"right"}
    said = verdicts(tmp_path, code.format(**{slot: slip}))
    assert [name for name, verdict in said if verdict == "wrong"] == [line]
    assert sum(verdict == "right" for _, verdict in said) == 2


def test_what_a_base_of_another_file_does_is_not_guessed(tmp_path: Path) -> None:
    said = verdicts(
        tmp_path,
        """
import numpy as np
from other import Base
class Linear(Base):
    def __init__(self, w, b):
        super().__init__()
        self.w, self.b = w, b
    def forward(self, x):
        self.x = super().forward(x)
        return self.x @ self.w + self.b
    def backward(self, dy):
        self.dw = self.x.T @ dy
        self.db = dy.sum(axis=0)
        self.dx = (dy @ self.w.T) * 2
""",
    )
    assert "wrong" not in [verdict for _, verdict in said]


# A helper of a helper computes the output.
DEEP = """
import numpy as np
class Linear:
    def __init__(self):
        self.w = None
        self.b = None
    def setup(self, shape):
        self.w = draw(shape)
        self.b = draw(shape[-1])
    def _inner(self, x):
        return x @ self.w + self.b
    def _outer(self, x):
        return self._inner(x)
    def forward(self, x):
        self.x = x
        return self._outer(x)
    def backward(self, dy):
        self.dw = self.x.T @ dy
        self.db = np.sum(dy, axis=0)
        return {dx}
"""


@pytest.mark.parametrize(("dx", "wrong"), [("dy @ self.w.T", 0), ("-dy @ self.w.T", 1)])
def test_helpers_of_helpers_are_followed(tmp_path: Path, dx: str, wrong: int) -> None:
    said = [verdict for _, verdict in verdicts(tmp_path, DEEP.format(dx=dx))]
    assert len(said) == 3
    assert said.count("wrong") == wrong


@pytest.mark.parametrize(
    ("labels", "count", "expected"),
    [
        ("labels", "count", ["right"]),
        ("labels", "1", ["wrong"]),
        ("unread(labels)", "count", []),
    ],
)
def test_a_loss_that_is_given_its_scores(
    tmp_path: Path, labels: str, count: str, expected: list[str]
) -> None:
    said = verdicts(tmp_path, SCORES.format(labels=labels, count=count))
    assert [verdict for _, verdict in said] == expected
