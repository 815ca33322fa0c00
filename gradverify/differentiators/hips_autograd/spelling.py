"""autograd's functions, as the rows of its table call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradverify.differentiators.composed import (
    numpy_cells,
    numpy_losses,
    numpy_resampling,
)
from gradverify.differentiators.composed.composed_spelling import composed_spelling
from gradverify.differentiators.composed.over_numpy import numpy_like_spelling
from gradverify.differentiators.hips_autograd import (
    indexing,
    linear_algebra,
    ordering,
    special,
    transforms,
)
from gradverify.differentiators.hips_autograd.elementwise import ELEMENTWISE
from gradverify.differentiators.hips_autograd.table import (
    _log_softmax,
    _softmax,
    _softplus,
)
from gradverify.differentiators.hips_autograd.tails import TAILS
from gradverify.differentiators.spelling.definitions import Defined
from gradverify.differentiators.spelling.numpy_like import numpy_rows
from gradverify.differentiators.spelling.source_rows import (
    Row,
    Spelling,
    calls,
    defined,
)


def _kept_norm(x: str, axis: Any = None, keepdims: bool = False) -> str:
    one = axis[0] if axis is not None and len(axis) == 1 else axis
    found = f"np.linalg.norm({x}, axis={one!r})"
    if not keepdims:
        return found
    axes = f"range({x}.ndim)" if axis is None else repr(tuple(axis))
    gone = f"{{axis % {x}.ndim for axis in {axes}}}"
    kept = f"[1 if at in {gone} else n_at for at, n_at in enumerate({x}.shape)]"
    return f"np.reshape({found}, tuple({kept}))"


def _gelu(x: str, approximate: str) -> str:
    if approximate == "none":
        return f"0.5 * {x} * (1.0 + special.erf({x} / math.sqrt(2.0)))"
    bent = f"math.sqrt(2.0 / math.pi) * ({x} + 0.044715 * {x} * {x} * {x})"
    return f"0.5 * {x} * (1.0 + np.tanh({bent}))"


def head(dtype: str) -> Sequence[str]:
    """Imports."""
    del dtype
    return [
        "import autograd.numpy as np",
        "import autograd.scipy.special as special",
        "import numpy",
        "from autograd import grad, jacobian, make_jvp, make_vjp",
    ]


ROWS: dict[str, Row | None] = {
    **numpy_rows("np"),
    **composed_spelling("np"),
    **ELEMENTWISE,
    **special.SPELLED,
    **numpy_like_spelling("np", indexing.FUNCTIONS),
    **numpy_like_spelling("np", ordering.FUNCTIONS),
    **numpy_like_spelling("np", transforms.FUNCTIONS),
    **numpy_like_spelling("np", linear_algebra.FUNCTIONS),
    **numpy_like_spelling("np", numpy_losses.FUNCTIONS),
    **numpy_like_spelling("np", numpy_cells.FUNCTIONS),
    **numpy_like_spelling("np", numpy_resampling.FUNCTIONS),
    **calls("special", "erf erfc digamma logsumexp", sigmoid="expit"),
    **calls("special", lgamma="gammaln"),
    "norm": _kept_norm,
    "softplus": "np.logaddexp(0.0, {0})",
    "relu": "np.maximum({0}, 0.0)",
    "rsqrt": "1.0 / np.sqrt({0})",
    "log_sigmoid": "-np.logaddexp(0.0, -{0})",
    "leaky_relu": "np.where({0} > 0, {0}, 0.01 * {0})",
    "elu": "np.maximum({0}, 0.0) + np.expm1(np.minimum({0}, 0.0))",
    "silu": "{0} * special.expit({0})",
    "relu6": "np.minimum(np.maximum({0}, 0.0), 6.0)",
    "hardtanh": "np.minimum(np.maximum({0}, -1.0), 1.0)",
    "hardswish": "{0} * np.minimum(np.maximum({0} + 3.0, 0.0), 6.0) / 6.0",
    "softsign": "{0} / (1.0 + np.abs({0}))",
    "linear": "np.matmul({0}, {1}.T) + {2}",
    "gelu": _gelu,
    "softmax": defined("_softmax(np)", _softmax),
    "log_softmax": defined("_log_softmax(np)", _log_softmax),
}

AUTOGRAD = Spelling(
    head=head,
    array=lambda text: text,
    data=lambda text: f"({text})[()]",
    rows=ROWS,
    tails=TAILS,
    setup=Defined(
        lambda: "layers = Composed(np, _softplus(np), _log_softmax(np))",
        (_softplus, _log_softmax),
    ),
)
