"""Branches that numbers decide, and passes of loops that are left."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims

# Each class but the right one adds what its score is above that one's, less a margin.
HINGE = """
import numpy as np
def hinge(W, b, X, y, reg):
    dW = np.zeros(W.shape)
    db = np.zeros(b.shape)
    loss = 0.0
    n = X.shape[0]
    for i in range(n):
        scores = X[i].dot(W) + b
        for j in range(W.shape[1]):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + 1
            if margin > 0:
                loss += margin
                dW[:, j] += ABOVE
                dW[:, y[i]] -= X[i]
                db[j] += 1
                db[y[i]] -= 1
    loss = loss / n + reg * np.sum(W * W)
    dW = dW / n + PENALTY * W
    db = db / n
    return loss, dW, db
"""
# A part of a loss where a number is small, and another part where it is not.
PARTS = """
import numpy as np
def huber(a, b, k):
    r = a - b
    if r < k:
        loss = r ** 2 / 2
        da = SMALL
        dk = 0 * k
    else:
        loss = k * (r - k / 2)
        da = k
        dk = r - k
    return loss, da, dk
"""
# The first entry is no part of the sum, and what comes after the third is not either.
LEFT = """
import numpy as np
def some(x, k):
    loss = 0.0
    dx = np.zeros(x.shape)
    dk = 0.0
    for i in range(5):
        if i == 0:
            continue
        if i == 3:
            break
        loss += k * x[i] ** 3
        dx[i] = SLOT
        dk += x[i] ** 3
    return loss, dx, dk
"""


def verdicts(folder: Path, code: str) -> list[str]:
    """What is said of the gradients of a function."""
    path = folder / "a.py"
    path.write_text(code, encoding="utf-8")
    return [c.verdict for c in read_claims(path) if c.verdict != "not understood"]


@pytest.mark.parametrize(
    ("above", "penalty", "verdict"),
    [
        ("X[i]", "2 * reg", "right"),
        ("-X[i]", "2 * reg", "wrong"),
        ("X[i]", "reg", "wrong"),
    ],
)
def test_a_margin_adds_up_where_it_is_above_zero(
    tmp_path: Path, above: str, penalty: str, verdict: str
) -> None:
    code = HINGE.replace("ABOVE", above).replace("PENALTY", penalty)
    assert verdicts(tmp_path, code) == [verdict, "right"]


@pytest.mark.parametrize(
    ("small", "verdict"), [("r", "right"), ("-r", "wrong"), ("2 * r", "wrong")]
)
def test_both_branches_of_a_function_in_pieces_count(
    tmp_path: Path, small: str, verdict: str
) -> None:
    found = verdicts(tmp_path, PARTS.replace("SMALL", small))
    assert found == [verdict, "right"]


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [("3 * k * x[i] ** 2", "right"), ("2 * k * x[i] ** 2", "wrong")],
)
def test_a_loop_goes_on_and_ends_where_it_says(
    tmp_path: Path, slope: str, verdict: str
) -> None:
    assert verdicts(tmp_path, LEFT.replace("SLOT", slope)) == [verdict, "right"]


def test_a_branch_that_changes_an_object_is_not_followed(tmp_path: Path) -> None:
    code = PARTS.replace("SMALL", "-r").replace("loss = r", "state['loss'] = r")
    assert "wrong" not in verdicts(tmp_path, code)


# An example adds nothing where its margin is wide enough.
SKIPPING = """
import numpy as np
def svm(w, X, y):
    loss = np.sum(np.maximum(0, 1 - y * (X @ w)))
    dw = np.zeros(w.shape)
    for i in range(X.shape[0]):
        if y[i] * np.dot(X[i], w) >= 1:
            continue
        dw -= SLOT
    return loss, dw
"""
# Entries count up to the first large one.
STOPPING = """
import numpy as np
def some(a, c):
    loss = 0.0
    da = np.zeros(a.shape)
    for k in range(4):
        loss += c * a[k] ** 2
        da[k] = 2 * c * a[k]
        if a[k] > c:
            break
    return loss, da
"""


@pytest.mark.parametrize(
    ("slope", "verdict"), [("y[i] * X[i]", "right"), ("X[i]", "wrong")]
)
def test_what_follows_a_continue_holds_where_it_is_not_taken(
    tmp_path: Path, slope: str, verdict: str
) -> None:
    assert verdicts(tmp_path, SKIPPING.replace("SLOT", slope)) == [verdict]
    other = SKIPPING.replace(">=", "<").replace("continue", "dw -= SLOT", 1)
    turned = other.replace("        dw -= SLOT\n    return", "    return")
    assert verdicts(tmp_path, turned.replace("SLOT", slope)) == [verdict]


def test_nothing_is_said_where_numbers_decide_that_a_loop_ends(tmp_path: Path) -> None:
    assert verdicts(tmp_path, STOPPING) == []
