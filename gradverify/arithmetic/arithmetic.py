"""An arithmetic: a table of primitives, completed by the expansions of the op table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from gradverify.ops import OPS


class Arithmetic:
    """What a graph can be run on.

    `table` has a function for every op; `interpret` takes it. The same functions are
    attributes, such as `m.exp`, for rules and expansions. `lift` makes a value of the
    arithmetic from a float array of any rank. With `lifts_literals`, the literals of a
    graph are lifted too. Otherwise Python would round `1.0 / 3.0` to a float.

    Raises `LookupError` if a primitive of the op table has no row.
    """

    def __init__(
        self,
        name: str,
        primitives: Mapping[str, Callable[..., Any]],
        lift: Callable[[Any], Any],
        *,
        lifts_literals: bool = False,
    ) -> None:
        missing = [op for op in OPS.primitives() if op not in primitives]
        if missing:
            raise LookupError(
                f"the arithmetic {name!r} has no row for the primitives {missing}: add "
                "them to the table that it is made of (gradverify/arithmetic/)"
            )
        self.name = name
        self.lift = lift
        expansions = {
            row.name: partial(row.expansion, self) for row in OPS if row.expansion
        }
        self.table: dict[str, Callable[..., Any]] = {
            **expansions,
            **primitives,
            "data": lift,
        }
        if lifts_literals:
            self.table["literal"] = lambda value: lift(np.asarray(float(value)))
        vars(self).update(self.table)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AttributeError(f"the arithmetic {self.name!r} has no row for {name!r}")
