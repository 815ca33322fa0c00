"""Linear algebra: which shapes operands may have, and which params are legal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape
from gradverify.ops.linear_algebra_shapes import (
    LU_PARTS,
    MATRIX_ORDERS,
    QR_PARTS,
    VECTOR_ORDERS,
)

SQUARE: tuple[tuple[Shape, ...], ...] = (
    ((2, 2),), ((2, 2, 2),), ((3, 3),), ((1, 1),), ((1, 3, 3),), ((2, 1, 1),),
)  # fmt: skip

FLAT: tuple[tuple[Shape, ...], ...] = (((2, 2),), ((3, 3),), ((1, 1),))

SYSTEMS: tuple[tuple[Shape, ...], ...] = (
    ((2, 2), (2, 2)), ((3, 3), (3, 2)), ((2, 2), (2, 1)), ((3, 3), (1, 3)),
    ((1, 1), (1, 2)), ((2, 2, 2), (2, 2, 1)),
)  # fmt: skip

SPECTRA: tuple[tuple[Shape, ...], ...] = (
    ((2, 2),), ((3, 3),), ((2, 2, 2),), ((1, 1),),
)  # fmt: skip
SIZES: tuple[tuple[Shape, ...], ...] = (
    ((2, 2),), ((3, 2),), ((3, 3),), ((2, 3),), ((2, 2, 2),), ((1, 2),),
)  # fmt: skip

# Simplest first.
# fmt: off
LINEAR_ALGEBRA_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = {
    "trace":    (((2, 2),), ((2, 3),), ((3, 2),), ((3, 3),), ((1, 1),)),
    "diag":     (((2,),), ((2, 2),), ((3,),), ((2, 3),), ((1,),), ((3, 2),)),
    "diagonal": (((2, 2),), ((2, 3),), ((2, 2, 3),), ((3, 2, 2),)),
    "triu":     (((2, 2),), ((2, 3),), ((2, 2, 2),), ((3, 2),)),
    "tril":     (((2, 2),), ((2, 3),), ((2, 2, 2),), ((3, 2),)),
    "kron":     (((1, 2), (2, 1)), ((2, 2), (2, 2)), ((1, 1), (2, 3))),
    "outer":    (((1,), (2,)), ((2,), (2,)), ((2,), (3,)), ((3,), (1,))),
    "cross":    (((3,), (3,)), ((2, 3), (2, 3)), ((3, 2), (3, 2)), ((1, 3), (2, 3)),
                 ((3, 3), (3, 3))),
    "det":      (*SQUARE, ((4, 4),)),
    "slogdet":  SQUARE,
    "inv":      SQUARE,
    "solve":    (((2, 2), (2,)), *SYSTEMS, ((3, 3), (3,))),
    "solve_triangular": SYSTEMS,
    "lu_solve": SYSTEMS,
    "cholesky": SQUARE,
    "cholesky_inverse": FLAT,
    "cholesky_solve": tuple((b, a) for a, b in SYSTEMS if b[-2] == a[-1]),
    "pinv":     (((2, 2),), ((3, 2),), ((2, 3),), ((2, 3, 2),), ((1, 3),), ((2, 1),)),
    "pinv_singular": (((2, 1), (1, 2)), ((3, 1), (1, 2)), ((3, 2), (2, 3)),
                 ((2, 2, 1), (2, 1, 2)), ((2, 1), (1, 3)), ((4, 2), (2, 3))),
    "lstsq":    (((2, 2), (2, 1)), ((3, 2), (3, 1)), ((3, 2), (3, 2)),
                 ((2, 3, 2), (2, 3, 1)), ((4, 2), (4, 1)), ((3, 1), (3, 2))),
    "qr":       (((2, 2),), ((3, 2),), ((2, 3),), ((3, 3),), ((2, 3, 2),), ((1, 2),)),
    "lu":       (((2, 2),), ((3, 3),), ((3, 2),), ((2, 3),), ((1, 2),), ((1, 2, 2),)),
    "matrix_power": SQUARE,
    "eigvalsh": SPECTRA,
    "eigh":     SPECTRA,
    "eigvals":  SPECTRA,
    "svdvals":  SIZES,
    "svd":      SIZES,
    "vector_norm": (((2,),), ((3,),), ((2, 3),), ((1,),), ((2, 2),)),
    "matrix_norm": (((2, 2),), ((2, 3),), ((2, 2, 2),), ((3, 2),), ((3, 3),)),
    "normalize": (((2,),), ((2, 3),), ((3, 2),), ((1, 1),)),
    "renorm":   (((2, 2),), ((2, 3),), ((3, 1),), ((2, 2, 2),)),
    "cosine_similarity": (((2,), (2,)), ((2, 3), (2, 3)), ((3, 2), (1, 2))),
    "cov":      (((1, 2),), ((2, 3),), ((2, 2),), ((3, 2),)),
    "cdist":    (((1, 2), (1, 2)), ((2, 2), (3, 2)), ((2, 2, 2), (2, 1, 2))),
    "pdist":    (((2, 2),), ((3, 2),), ((2, 1),), ((3, 1),)),
    "matrix_exp": (((2, 2),), ((2, 2, 2),), ((1, 1),), ((3, 3),)),
}
# fmt: on


def _planes(shape: Shape) -> Iterable[Any]:
    """Pairs of axes, in both orders and from both ends."""
    rank = len(shape)
    if rank > 1:
        yield from ((-2, -1), (-1, -2), (0, 1), (1, 0))
        yield from (p for p in itertools.permutations(range(rank), 2) if max(p) > 1)


# By param, or by op and param.
LINEAR_ALGEBRA_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "offset": lambda shape: (0, 1, -1, 2),
    "diagonal.axes": _planes,
    **dict.fromkeys(("upper", "unitriangular", "adjoint"), lambda shape: (False, True)),
    "left": lambda shape: (True, False),
    "qr.part": lambda shape: QR_PARTS,
    "lu.part": lambda shape: LU_PARTS,
    "order": lambda shape: itertools.permutations(range(sum(shape[-2:-1]))),
    "k": lambda shape: range(min(shape[-2:], default=0)),
    "vector_norm.ord": lambda shape: VECTOR_ORDERS,
    "matrix_norm.ord": lambda shape: MATRIX_ORDERS,
    **dict.fromkeys(
        ("cdist.p", "pdist.p"), lambda shape: (2.0, 1.0, math.inf, 3.0, 0.5, 1.5)
    ),
    **dict.fromkeys(
        ("normalize.p", "renorm.p"), lambda shape: (2.0, 1.0, math.inf, 3.0)
    ),
    "renorm.most": lambda shape: (1.0, 0.25, 5.0),
    **dict.fromkeys(
        ("normalize.eps", "cosine_similarity.eps"), lambda shape: (1e-8, 0.5, 1e-12)
    ),
    "matrix_power.n": lambda shape: (2, 3, -1, 0, 1, -2, 5),
}
