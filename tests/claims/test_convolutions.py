"""Convolutions of SciPy and NumPy in code, and layers made of them."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gradverify.claims.code.convolutions import correlated
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.point import drawn, flat

from .notes import verdicts_by_line

LAYER = """
import numpy as np
from scipy import signal
class Windows:
    def __init__(self, input_shape, kernel_size, depth):
        channels, high, wide = input_shape
        self.depth, self.channels = depth, channels
        self.input_shape = input_shape
        self.output_shape = (depth, high - kernel_size + 1, wide - kernel_size + 1)
        self.kernel_shape = (depth, channels, kernel_size, kernel_size)
        self.kernels = np.random.randn(*self.kernel_shape)
        self.biases = np.random.randn(*self.output_shape)
    def forward(self, x):
        self.x = x
        out = np.copy(self.biases)
        for i in range(self.depth):
            for j in range(self.channels):
                out[i] += signal.correlate2d(self.x[j], self.kernels[i, j], "valid")
        return out
    def backward(self, dout):
        dkernels = np.zeros(self.kernel_shape)
        dx = np.zeros(self.input_shape)
        for i in range(self.depth):
            for j in range(self.channels):
                dkernels[i, j] = signal.correlate2d(self.x[j], dout[i], "valid")
                dx[j] += SLOT
        return dx
"""


@pytest.mark.parametrize(
    ("spelled", "verdict"),
    [
        ('signal.convolve2d(dout[i], self.kernels[i, j], "full")', "right"),
        ("signal.convolve2d(dout[i], self.kernels[i, j])", "right"),
        ('signal.correlate2d(dout[i], self.kernels[i, j], "full")', "wrong"),
    ],
)
def test_the_input_gradient_of_a_correlation_is_a_full_convolution(
    tmp_path: Path, spelled: str, verdict: str
) -> None:
    found = verdicts_by_line(tmp_path, LAYER.replace("SLOT", spelled))
    assert found == {"dkernels[i, j]": "right", "dx[j]": verdict}


# A window that the caller gives, of which the file does not say how large it is.
GIVEN = """
import numpy as np
from scipy.signal import correlate2d, convolve2d
class Window:
    def __init__(self, kernel):
        self.kernel = kernel
    def forward(self, image):
        self.image = image
        return convolve2d(image, self.kernel, mode="valid")
    def backward(self, dout):
        dimage = correlate2d(dout, self.kernel, mode="full")
        dkernel = correlate2d(self.image, dout, mode="valid")
        return dimage, dkernel
"""


def test_a_window_that_is_not_turned_round_is_no_window_of_one_entry(
    tmp_path: Path,
) -> None:
    found = verdicts_by_line(tmp_path, GIVEN)
    assert found["dimage"] == "right"
    assert found["dkernel"] != "right"


def _summed(a: np.ndarray, b: np.ndarray, how: str, is_flipped: bool) -> np.ndarray:
    """The definition, entry by entry: of all shifts, those of the mode."""
    b = b[::-1, ::-1] if is_flipped else b
    (m, n), (k, h) = a.shape, b.shape
    wide = np.pad(a, ((k - 1, k - 1), (h - 1, h - 1)))
    found = np.zeros((m + k - 1, n + h - 1))
    for i, j in np.ndindex(found.shape):
        found[i, j] = np.sum(wide[i : i + k, j : j + h] * b)
    if how == "valid":
        return found[k - 1 : m, h - 1 : n]
    if how == "same":  # the middle, as SciPy has it
        top, left = ((s - is_flipped) // 2 for s in (k, h))
        return found[top : top + m, left : left + n]
    return found


@pytest.mark.parametrize(
    ("kernel", "how", "is_flipped"),
    [*itertools.product([(2, 3), (3, 3), (1, 1)], ["full", "same", "valid"], [0, 1])],
)
def test_windows_are_added_up_as_the_definition_says(
    kernel: tuple[int, int], how: str, is_flipped: int
) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(-9, 9, (5, 4)), rng.integers(-9, 9, kernel)
    program = FileProgram()
    exact = [np.vectorize(Fraction, otypes=[object])(x) for x in (a, b)]
    nodes = [program.number(x, is_constant=True) for x in exact]
    found = correlated(2, bool(is_flipped))(program, *nodes, how)
    point = drawn(program, [], 0)
    numbers = [float(v) for v in flat(point.value(found.index))]
    wanted = _summed(a, b, how, bool(is_flipped))
    assert found.shape == wanted.shape
    assert numbers == wanted.ravel().tolist()


@pytest.mark.parametrize("how", [None, "reflect"])
def test_what_libraries_differ_in_must_be_stated(how: str | None) -> None:
    program = FileProgram()
    row = program.number(np.array([Fraction(1), Fraction(2)], dtype=object))
    with pytest.raises(NotUnderstood, match="mode"):
        correlated(None, is_flipped=True)(program, row, row, how)
