"""Images like handwritten digits, drawn with a few strokes.

They are inputs for networks that need no file.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from gradverify.graph import Array

SIDE = 28
PIXELS = SIDE * SIDE
GREYS = 256.0  # grey levels; every pixel is then the same number in every dtype

Stroke = Sequence[tuple[float, float]]


def _arc(
    centre: tuple[float, float], radii: tuple[float, float], begin: float, end: float
) -> Stroke:
    """Points along an ellipse from one angle to another; angles are in turns, from the
    right.
    """
    angles = np.linspace(2 * math.pi * begin, 2 * math.pi * end, 13)
    (x, y), (a, b) = centre, radii
    return [(x + a * math.cos(t), y + b * math.sin(t)) for t in angles]


# Polylines in the unit square, x to the right and y down.
# fmt: off
STROKES: tuple[tuple[Stroke, ...], ...] = (
    (_arc((0.5, 0.5), (0.22, 0.34), 0.0, 1.0),),
    (((0.38, 0.28), (0.54, 0.15), (0.54, 0.85)),),
    (_arc((0.5, 0.35), (0.21, 0.2), 0.5, 1.05),
     ((0.7, 0.42), (0.28, 0.84), (0.74, 0.84))),
    (_arc((0.48, 0.32), (0.2, 0.17), 0.6, 1.25),
     _arc((0.48, 0.66), (0.22, 0.18), 0.75, 1.4)),
    (((0.6, 0.85), (0.6, 0.15), (0.24, 0.62), (0.78, 0.62)),),
    (((0.7, 0.16), (0.34, 0.16), (0.32, 0.46)),
     _arc((0.48, 0.63), (0.22, 0.21), 0.65, 1.4)),
    (((0.62, 0.15), (0.34, 0.5)), _arc((0.5, 0.64), (0.2, 0.2), 0.0, 1.0)),
    (((0.26, 0.17), (0.74, 0.17), (0.42, 0.85)),),
    (_arc((0.5, 0.33), (0.17, 0.17), 0.0, 1.0),
     _arc((0.5, 0.67), (0.21, 0.18), 0.0, 1.0)),
    (_arc((0.5, 0.36), (0.2, 0.2), 0.0, 1.0), ((0.7, 0.36), (0.6, 0.85))),
)
# fmt: on


def digit(label: int, seed: int = 0) -> Array:
    """The image of a digit as a vector. Every seed gives another handwriting.

    There are 784 values, row by row, from 0 (paper) to 255/256 (ink). The digit is
    turned, sheared, scaled and moved a little. Raises `ValueError` if the label is not
    one of 0 to 9.
    """
    if label not in range(len(STROKES)):
        raise ValueError(f"label {label!r} is no digit; allowed are 0 to 9")
    rng = np.random.default_rng((seed, label))
    turn, shear = rng.uniform(-0.15, 0.15, 2)
    size, wide = rng.uniform(0.85, 1.05, 2)
    shift, width = rng.uniform(-0.05, 0.05, 2), rng.uniform(0.03, 0.05)
    turned = np.array(
        [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
    )
    hand = size * turned @ np.array([[wide, shear], [0.0, 1.0]])
    centres = (np.indices((SIDE, SIDE))[::-1].reshape(2, -1).T + 0.5) / SIDE
    distance = np.full(PIXELS, np.inf)
    for stroke in STROKES[label]:
        points = (np.array(stroke) - 0.5) @ hand.T + 0.5 + shift
        for a, b in itertools.pairwise(points):
            distance = np.minimum(distance, _distance(centres, a, b))
    ink = np.clip((width - distance) * SIDE + 0.5, 0.0, 1.0 - 1.0 / GREYS)
    return np.floor(ink * GREYS) / GREYS


def _distance(points: Array, a: Array, b: Array) -> Array:
    """How far each point is from the line segment between two others."""
    along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
    nearest: Array = points - a - along[:, None] * (b - a)
    return np.hypot(nearest[:, 0], nearest[:, 1])


def digits(count: int, seed: int = 0) -> tuple[Array, tuple[int, ...]]:
    """`count` images, of shape (count, 784), and their labels, 0 to 9 in turn."""
    labels = tuple(k % len(STROKES) for k in range(count))
    images = [digit(label, seed * 10_007 + k) for k, label in enumerate(labels)]
    return np.array(images).reshape(count, PIXELS), labels
