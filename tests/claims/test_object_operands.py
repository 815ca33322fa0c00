"""Classes whose objects are made with objects of other classes of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims

# A cell is given its weights and its values; the passes have names of their own, and
# gradients add up in the object that holds the weights.
CELL = """
import numpy as np
class Weights:
    def __init__(self, units, inputs):
        both = units + inputs
        self.inputs = inputs
        self.w_gate = draw(units, both)
        self.w_new = draw(units, both)
        self.b_gate = draw(units)
        self.w_gate_diff = np.zeros((units, both))
        self.w_new_diff = np.zeros((units, both))
        self.b_gate_diff = np.zeros(units)
def draw(*shape):
    return np.random.rand(*shape) - 0.5
class Values:
    def __init__(self, units):
        self.f = np.zeros(units)
        self.new = np.zeros(units)
        self.h = np.zeros(units)
class Cell:
    def __init__(self, weights, values):
        self.values = values
        self.weights = weights
        self.joined = None
    def see(self, x, before=None):
        if before is None:
            before = np.zeros_like(self.values.h)
        self.before = before
        self.joined = np.hstack((x, before))
        score = self.weights.w_gate @ self.joined + self.weights.b_gate
        self.values.f = 1 / (1 + np.exp(-score))
        self.values.new = np.tanh(self.weights.w_new @ self.joined)
        self.values.h = self.values.f * (self.values.new - before) + before
    def learn(self, above_diff_h):
        df = (self.values.new - self.before) * above_diff_h
        dnew = self.values.f * above_diff_h
        df_in = self.values.f * (1 - self.values.f) * df
        dnew_in = SLOPE * dnew
        self.weights.w_gate_diff += np.outer(df_in, self.joined)
        self.weights.w_new_diff += np.outer(dnew_in, self.joined)
        self.weights.b_gate_diff += df_in
        djoined = self.weights.w_gate.T @ df_in + self.weights.w_new.T @ dnew_in
        self.weights.w_gate -= 0.1 * self.weights.w_gate_diff
"""
TANH = "(1 - self.values.new ** 2)"


def verdicts(folder: Path, code: str) -> list[tuple[str, str]]:
    """What is said of each gradient, by its line."""
    path = folder / "cell.py"
    path.write_text(code, encoding="utf-8")
    found = [c for c in read_claims(path) if c.verdict != "not understood"]
    return [(c.text.split("=")[0].strip(" +"), c.verdict) for c in found]


def test_an_operand_is_an_object_of_the_class_that_has_what_is_read_of_it(
    tmp_path: Path,
) -> None:
    found = dict(verdicts(tmp_path, CELL.replace("SLOPE", TANH)))
    assert {*found.values()} == {"right"}
    assert {"df", "dnew", "self.weights.w_new_diff", "djoined"} <= {*found}


@pytest.mark.parametrize(
    ("right", "slip", "line"),
    [
        ("SLOPE * dnew", "(1 - self.values.new) * dnew", "self.weights.w_new_diff"),
        ("np.outer(df_in, self.joined)", "np.outer(df, self.joined)",
         "self.weights.w_gate_diff"),
        ("self.before) * above", "self.before) * 2 * above", "df"),
    ],
)  # fmt: skip
def test_a_slip_is_found_in_a_pass_over_objects(
    tmp_path: Path, right: str, slip: str, line: str
) -> None:
    code = CELL.replace(right, slip).replace("SLOPE", TANH)
    assert (line, "wrong") in verdicts(tmp_path, code)


def test_an_operand_that_two_classes_may_be_is_not_chosen(tmp_path: Path) -> None:
    other = CELL.replace("SLOPE", "(1 - self.values.new)")
    twin = "class Others:\n    def __init__(self, units):\n"
    twin += "".join(f"        self.{n} = np.zeros(units)\n" for n in ("f", "new", "h"))
    found = verdicts(tmp_path, other + twin)
    assert "wrong" not in {verdict for _, verdict in found}


def test_a_difference_that_does_not_add_up_is_no_gradient(tmp_path: Path) -> None:
    code = """
import numpy as np
x = np.array([1.0, 2.0])
y = np.array([2.5, 0.5])
loss = np.sum((x - y) ** 2)
x_diff = x - y
dx = 2 * x_diff
"""
    assert verdicts(tmp_path, code) == [("dx", "right")]
