"""Five notebooks as textbooks of automatic differentiation have them, with three slips.

Cells of text and of code take turns, names are used again with another meaning, and
every derivative is worked out by hand beside the code that computes it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims

# Of each notebook: the kind of every cell and its source; the lines that are wrong.
Cells = tuple[tuple[str, str], ...]
NOTEBOOKS: dict[str, tuple[Cells, list[tuple[int, int]]]] = {
    "one letter, two meanings": (
        (
            ("markdown", "# A graph by hand\n\nWe compute $e = (a + b)(b + 1)$."),
            ("code", "a = 2.0\nb = 1.0\nc = a + b\nd = b + 1\ne = c * d"),
            (
                "markdown",
                "$\\frac{\\partial e}{\\partial c} = d = 2$ and "
                "$\\frac{\\partial e}{\\partial b} = d + c = 5$",
            ),
            ("markdown", "# An exponential\n\nNow let $b = e^a$ for any $a$."),
            ("markdown", "Then $\\frac{\\partial b}{\\partial a} = e^a$."),
        ),
        [],
    ),
    "a neuron": (
        (
            ("code", "x1, x2 = 2.0, 0.5\nw1, w2 = -3.0, 1.0\nbias = 6.5"),
            ("code", "n = x1*w1 + x2*w2 + bias\no = n**2"),
            ("markdown", "$\\frac{do}{dn} = 2n$ and $\\frac{do}{dw_1} = 2n x_1 = 4$"),
            ("markdown", "$\\frac{do}{dx_1} = 2n x_1$"),
        ),
        [(4, 1)],
    ),
    "gradients of values": (
        (
            ("code", "from micrograd.engine import Value"),
            (
                "code",
                "p = Value(3.0)\nq = Value(-1.0)\nr = p * q\ns = r + p\nL = s * s",
            ),
            ("code", "L.grad = 1.0\ns.grad = 0.0 + 2 * s.data\nr.grad = s.grad"),
            ("code", "p.grad = q.data * r.grad\nq.grad = p.data * r.grad"),
        ),
        [(4, 1)],
    ),
    "a line through points": (
        (
            ("markdown", "The error is $E = \\sum_i (m x_i + k - y_i)^2$."),
            (
                "markdown",
                "$$\\frac{\\partial E}{\\partial m} = 2\\sum_i (m x_i + k - y_i) x_i$$"
                "\n\n$$\\frac{\\partial E}{\\partial k} = 2\\sum_i (m x_i + k - y_i)$$",
            ),
            ("code", "import numpy as np\nu = np.array([1.0, 2.0, 4.0])"),
            ("code", "v = np.array([2.0, 3.0, 5.0])\nslope, cut = 0.5, 1.0"),
            ("code", "gap = slope*u + cut - v\nerror = np.sum(gap**2)"),
            ("code", "dslope = 2 * np.sum(gap * u)\ndcut = 2 * np.sum(gap)"),
        ),
        [],
    ),
    "squashing": (
        (
            ("markdown", "$\\sigma(z) = \\frac{1}{1 + e^{-z}}$"),
            ("markdown", "Its slope is $\\sigma'(z) = \\sigma(z)(1 - \\sigma(z))$."),
            ("code", "import numpy as np\ndef squash(z):\n    return np.tanh(z)"),
            ("code", "def squash_prime(z):\n    return 1 - np.tanh(z)"),
        ),
        [(4, 1)],
    ),
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_has_its_slips_and_no_other(tmp_path: Path, name: str) -> None:
    cells, expected = NOTEBOOKS[name]
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": kind, "metadata": {}, "source": source, "outputs": []}
            for kind, source in cells
        ],
    }
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(book))
    claims = read_claims(path)
    found = [(c.cell, c.line) for c in claims if c.verdict == "wrong"]
    assert found == expected
    assert sum(c.verdict == "right" for c in claims) >= 2 - len(expected)


def test_there_are_three_slips() -> None:
    assert sum(len(wrong) for _, wrong in NOTEBOOKS.values()) == 3
