"""The rows of the op table for Fourier and cosine transforms.

Where `length` is given, what goes in is cut, or zeros come after it. The cosine
transform is that of the second kind, and its inverse.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import transform_expansions as e
from gradverify.ops import transform_shapes as s
from gradverify.ops.row import FORWARD, Op

# fmt: off
ONE, TWO, COSINE = ("length", "axis", "norm"), ("lengths", "axes", "norm"), ("axis", "norm")

TRANSFORMS = (
    Op("fft",    1, FORWARD, s.one_axis("fft"),           ONE,    expansion=e.fft),
    Op("ifft",   1, FORWARD, s.one_axis("ifft"),          ONE,    expansion=e.ifft),
    Op("rfft",   1, FORWARD, s.one_axis("rfft"),          ONE,    expansion=e.rfft),
    Op("irfft",  1, FORWARD, s.one_axis("irfft"),         ONE,    expansion=e.irfft),
    Op("hfft",   1, FORWARD, s.one_axis("hfft"),          ONE,    expansion=e.hfft),
    Op("ihfft",  1, FORWARD, s.one_axis("ihfft"),         ONE,    expansion=e.ihfft),
    Op("fft2",   1, FORWARD, s.two_axes("fft", "fft"),    TWO,    expansion=e.fft2),
    Op("ifft2",  1, FORWARD, s.two_axes("ifft", "ifft"),  TWO,    expansion=e.ifft2),
    Op("rfft2",  1, FORWARD, s.two_axes("fft", "rfft"),   TWO,    expansion=e.rfft2),
    Op("irfft2", 1, FORWARD, s.two_axes("ifft", "irfft"), TWO,    expansion=e.irfft2),
    Op("hfft2",  1, FORWARD, s.two_axes("fft", "hfft"),   TWO,    expansion=e.hfft2),
    Op("dct",    1, FORWARD, s.cosine,                    COSINE, expansion=e.dct),
    Op("idct",   1, FORWARD, s.cosine,                    COSINE, expansion=e.idct),
)
# fmt: on
