"""autograd and JAX, whose functions are NumPy's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradverify.differentiators.spelling.spelling import (
    OPERATORS,
    Row,
    Spelling,
    calls,
    sliced,
)

COMMON = (
    "exp log sin cos tanh sqrt abs maximum where sign square reciprocal exp2 expm1 "
    "log2 log10 log1p tan sinh cosh minimum hypot logaddexp sum mean prod max min var "
    "std"
)
RENAMED = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
}


def _numpy(m: str) -> dict[str, Row]:
    """The rows that both have, for the name that NumPy's module goes by."""
    return {
        **OPERATORS,
        **calls(m, COMMON, **RENAMED),
        "clip": lambda x, low, high: f"{m}.clip({x}, {low!r}, {high!r})",
        "cumsum": lambda x, axis: f"{m}.cumsum({x}, {axis[0]})",
        "slice": sliced,
        "concatenate": lambda a, b, axis: f"{m}.concatenate(({a}, {b}), {axis[0]})",
        "stack": lambda a, b, axis: f"{m}.stack(({a}, {b}), {axis[0]})",
        "einsum": lambda a, b, subscripts: f"{m}.einsum({subscripts!r}, {a}, {b})",
        "reshape": lambda x, shape: f"{m}.reshape({x}, {tuple(shape)!r})",
        "transpose": lambda x, axes=None: f"{m}.transpose({x}, {axes!r})",
        "broadcast_to": lambda x, shape: f"{m}.broadcast_to({x}, {tuple(shape)!r})",
    }


# ---- autograd


def _kept_norm(x: str, axis: Any = None, keepdims: bool = False) -> str:
    one = axis[0] if axis is not None and len(axis) == 1 else axis
    found = f"np.linalg.norm({x}, axis={one!r})"
    if not keepdims:
        return found
    axes = f"range({x}.ndim)" if axis is None else repr(tuple(axis))
    gone = f"{{axis % {x}.ndim for axis in {axes}}}"
    kept = f"[1 if at in {gone} else n_at for at, n_at in enumerate({x}.shape)]"
    return f"np.reshape({found}, tuple({kept}))"


def _autograd_head(dtype: str) -> Sequence[str]:
    return [
        "import autograd.numpy as np",
        "import autograd.scipy.special as special",
        "from autograd import make_vjp",
    ]


def _autograd_tail(names: Sequence[str]) -> Sequence[str]:
    given, wrt = ", ".join(names), tuple(range(len(names)))
    return [
        f"vjp, value = make_vjp(function, argnum={wrt!r})({given})",
        "got = vjp(np.ones_like(value))",
    ]


AUTOGRAD = Spelling(
    head=_autograd_head,
    array=lambda text: text,
    data=lambda text: f"({text})[()]",
    rows={
        **_numpy("np"),
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
    },
    tail=_autograd_tail,
)

# ---- JAX


def _jax_head(dtype: str) -> Sequence[str]:
    return [
        "import jax",
        "import jax.numpy as jnp",
        "import numpy as np",
        "from jax.scipy import special",
        "",
        f'jax.config.update("jax_enable_x64", {dtype == "float64"})',
        'jax.config.update("jax_platforms", "cpu")',
        'jax.config.update("jax_default_matmul_precision", "highest")',
    ]


def _jax_tail(names: Sequence[str]) -> Sequence[str]:
    wrt = tuple(range(len(names)))
    return [
        "def output(*inputs):",
        "    return jnp.asarray(function(*inputs))",
        "",
        "",
        f"gradient = jax.jit(jax.value_and_grad(output, argnums={wrt!r}))",
        f"value, got = gradient({', '.join(names)})",
    ]


_AXIS: Mapping[str, Row] = {
    "softmax": lambda x, axis: f"jax.nn.softmax({x}, {axis[0]})",
    "log_softmax": lambda x, axis: f"jax.nn.log_softmax({x}, {axis[0]})",
}

JAX = Spelling(
    head=_jax_head,
    array=lambda text: text,
    data=lambda text: f"jnp.asarray({text})",
    rows={
        **_numpy("jnp"),
        **calls("jax.nn", "relu softplus leaky_relu elu silu log_sigmoid"),
        **calls("jax.nn", "celu selu mish relu6", softsign="soft_sign"),
        **calls("jax.nn", hardtanh="hard_tanh", hardswish="hard_swish"),
        **calls("special", "logsumexp erf erfc digamma", sigmoid="expit"),
        **calls("special", lgamma="gammaln"),
        **_AXIS,
        "rsqrt": "jax.lax.rsqrt({0})",
        "gelu": lambda x, approximate: f"jax.nn.gelu({x}, {approximate == 'tanh'})",
        "norm": lambda x, **params: _jax_norm(x, params),
    },
    tail=_jax_tail,
)


def _jax_norm(x: str, params: Mapping[str, Any]) -> str:
    named = "".join(f", {k}={v!r}" for k, v in params.items())
    return f"jnp.linalg.norm({x}{named})"
