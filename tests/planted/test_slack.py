"""What slack may not hide: a small fault at ordinary points, in ops that have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.graph import Case
from gradverify.verdict import FAILING, Verdict
from gradverify.verify import judge

from .engines import ENGINES
from .faults import Fault, planted, times, twin

X = np.array([[0.3, -1.2, 2.5], [1.7, 0.4, -0.9]])
HEADS = np.sin(np.arange(12.0)).reshape(1, 2, 2, 3)
QKV = (HEADS, HEADS[..., ::-1], 1.0 + HEADS)

# fmt: off
ROWS: Mapping[str, tuple[Mapping[str, Any], tuple[Any, ...]]] = {
    "var":         ({"axis": (0,), "ddof": 1}, (X,)),
    "std":         ({"axis": (1,), "ddof": 0}, (X,)),
    "norm":        ({"axis": (1,)}, (X,)),
    "softmax":     ({"axis": (1,)}, (X,)),
    "log_softmax": ({"axis": (1,)}, (X,)),
    "logsumexp":   ({"axis": (1,)}, (X,)),
    "layer_norm":  ({"eps": 1e-5}, (X, X[0], X[1])),
    "scaled_dot_product_attention": ({"mask": "none"}, QKV),
}
# fmt: on


def case_of(op: str) -> Case:
    params, point = ROWS[op]
    weights = np.array([1.0, -2.0, 0.5])

    def function(*x: Any) -> Any:
        y = getattr(s, op)(*x, **params)
        return s.sum(y * np.resize(weights, y.shape), axis=None)

    return Case(trace(function, *(x.shape for x in point)), point, "float64")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("op", ROWS)
def test_a_factor_of_a_billionth_is_seen(op: str, engine: str) -> None:
    factors = (1.0 + 1e-9,) * len(ROWS[op][1])
    fault = Fault("a billionth too much", op, lambda: times(*factors), FAILING)
    case = case_of(op)
    wrong = judge(case, planted(fault, engine), "reverse")
    right = judge(case, twin(fault, engine), "reverse")
    assert wrong.verdict is Verdict.WRONG
    assert right.verdict is Verdict.AGREES
