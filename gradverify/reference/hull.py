"""The gradients that are derivatives at kinks: a convex hull, and what is inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradverify.formats import DOUBLE
from gradverify.graph import Array

SAME = DOUBLE.spacing  # the part of a number by which two roundings of it may differ


@dataclass(frozen=True, eq=False)
class Hull:
    """Admissible gradients, flattened over all inputs.

    vertices: the gradients at realizable combinations of branches, one row each.
    lowest, highest: a box around the gradients at all slopes, realizable or not.
    is_complete: whether all combinations were looked at.
    """

    vertices: Array
    lowest: Array
    highest: Array
    is_complete: bool

    @property
    def is_point(self) -> bool:
        """Whether the function has one gradient here, whatever the slopes say."""
        return is_point(self.vertices.min(axis=0), self.vertices.max(axis=0))


def is_point(lowest: Array, highest: Array) -> bool:
    """Whether a box is one point, up to the rounding of exact numbers to floats."""
    size = np.maximum(np.abs(lowest), np.abs(highest))
    return bool(np.all(highest - lowest <= SAME * size) and np.all(np.isfinite(size)))


def inside_hull(hull: Hull, gradient: Array, allowed: Array) -> bool:
    """Whether a flat gradient is within `allowed` of a derivative at the kinks.

    A linear program asks whether a convex combination of vertices is so near.
    """
    lowest, highest = hull.vertices.min(axis=0), hull.vertices.max(axis=0)
    below, above = gradient < lowest - allowed, gradient > highest + allowed
    if np.any(below) or np.any(above):
        return False
    return _is_combination(hull.vertices, gradient, allowed)


def inside_box(hull: Hull, gradient: Array, allowed: Array) -> bool:
    """Whether some choice of slopes may give this flat gradient."""
    below = gradient < hull.lowest - allowed
    return not (np.any(below) or np.any(gradient > hull.highest + allowed))


def _is_combination(vertices: Array, gradient: Array, allowed: Array) -> bool:
    from scipy.optimize import linprog

    scale = np.maximum(np.abs(vertices).max(axis=0), allowed)
    scale[scale == 0.0] = 1.0
    # The solver works to 1e-9 with numbers of size 1. It cannot tell a point that is
    # nearer to the hull than that from one inside.
    slack = allowed / scale + 1e-8
    rows, target = (vertices / scale).T, gradient / scale
    solution = linprog(
        np.zeros(len(vertices)),
        A_ub=np.vstack([rows, -rows]),
        b_ub=np.concatenate([target + slack, slack - target]),
        A_eq=np.ones((1, len(vertices))),
        b_eq=[1.0],
        bounds=(0.0, None),
    )
    return bool(solution.status == 0)
