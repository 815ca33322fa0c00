"""Ops whose operands have shapes of their own, by kind; such ops are drawn alone.

`graphs()` draws none of them, and networks layers alone. A new kind has a file of its
own beside this one, and is added here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.graph import Array
from gradverify.ops import Shape
from gradverify.strategies.cell_choices import CELL_CHOICES, CELL_SHAPES
from gradverify.strategies.indexing_choices import (
    INDEXING_CHOICES,
    INDEXING_SHAPES,
)
from gradverify.strategies.layer_choices import LAYER_CHOICES, LAYER_SHAPES
from gradverify.strategies.linear_algebra_choices import (
    LINEAR_ALGEBRA_CHOICES,
    LINEAR_ALGEBRA_SHAPES,
)
from gradverify.strategies.loss_choices import LOSS_CHOICES, LOSS_SHAPES
from gradverify.strategies.matrix_values import matrix_of
from gradverify.strategies.ordering_choices import (
    ORDERING_CHOICES,
    ORDERING_SHAPES,
    tied,
)
from gradverify.strategies.resampling_choices import (
    RESAMPLING_CHOICES,
    RESAMPLING_SHAPES,
)
from gradverify.strategies.special_choices import SPECIAL_CHOICES, SPECIAL_SHAPES
from gradverify.strategies.transform_choices import (
    TRANSFORM_CHOICES,
    TRANSFORM_SHAPES,
)
from gradverify.strategies.window_choices import WINDOW_CHOICES, WINDOW_SHAPES

OWN_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = {
    **LAYER_SHAPES,
    **LINEAR_ALGEBRA_SHAPES,
    **INDEXING_SHAPES,
    **ORDERING_SHAPES,
    **TRANSFORM_SHAPES,
    **LOSS_SHAPES,
    **WINDOW_SHAPES,
    **RESAMPLING_SHAPES,
    **CELL_SHAPES,
    **SPECIAL_SHAPES,
}

OWN_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    **LAYER_CHOICES,
    **LINEAR_ALGEBRA_CHOICES,
    **SPECIAL_CHOICES,
    **INDEXING_CHOICES,
    **ORDERING_CHOICES,
    **TRANSFORM_CHOICES,
    **LOSS_CHOICES,
    **WINDOW_CHOICES,
    **RESAMPLING_CHOICES,
    **CELL_CHOICES,
}
"""By param, or by `op.param` where the name alone does not say what is legal."""

REDUCED = ("scatter_reduce", "segment_reduce")

OWN_VALUES: Mapping[str, Callable[[Array, int], Array]] = {
    **dict.fromkeys(LINEAR_ALGEBRA_SHAPES, matrix_of),
    **dict.fromkeys((*ORDERING_SHAPES, *REDUCED), tied),
}
"""Operands that are made of drawn entries: by op, from these and a choice below 100."""
