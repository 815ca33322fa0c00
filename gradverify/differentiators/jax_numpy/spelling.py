"""JAX's functions, as the rows of its table call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradverify.differentiators.spelling.numpy_like import numpy_rows
from gradverify.differentiators.spelling.source_rows import (
    Row,
    Spelling,
    Tail,
    calls,
    through_the_engine,
)


def head(dtype: str) -> Sequence[str]:
    """Imports; the settings under which it ran."""
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


def by_value_and_grad(names: Sequence[str]) -> Sequence[str]:
    """Reverse mode by `jit(value_and_grad(...))`."""
    wrt = tuple(range(len(names)))
    return [
        "def output(*inputs):",
        "    return jnp.asarray(function(*inputs))",
        "",
        "",
        f"gradient = jax.jit(jax.value_and_grad(output, argnums={wrt!r}))",
        f"value, got = gradient({', '.join(names)})",
    ]


def _norm(x: str, **params: Any) -> str:
    named = "".join(f", {k}={v!r}" for k, v in params.items())
    return f"jnp.linalg.norm({x}{named})"


ROWS: dict[str, Row | None] = {
    **numpy_rows("jnp"),
    **calls("jax.nn", "relu softplus leaky_relu elu silu log_sigmoid"),
    **calls("jax.nn", "celu selu mish relu6", softsign="soft_sign"),
    **calls("jax.nn", hardtanh="hard_tanh", hardswish="hard_swish"),
    **calls("special", "logsumexp erf erfc digamma", sigmoid="expit"),
    **calls("special", lgamma="gammaln"),
    "softmax": lambda x, axis: f"jax.nn.softmax({x}, {axis[0]})",
    "log_softmax": lambda x, axis: f"jax.nn.log_softmax({x}, {axis[0]})",
    "rsqrt": "jax.lax.rsqrt({0})",
    "gelu": lambda x, approximate: f"jax.nn.gelu({x}, {approximate == 'tanh'})",
    "norm": _norm,
    **through_the_engine(
        "linear conv1d conv2d max_pool1d max_pool2d avg_pool1d avg_pool2d "
        "batch_norm batch_norm_eval layer_norm rms_norm group_norm embedding "
        "scaled_dot_product_attention dropout mse l1 huber bce bce_with_logits "
        "kl_div nll cross_entropy"
    ),
}

# How a script asks for the derivative, by mode.
TAILS: Mapping[str, Tail] = {"reverse": by_value_and_grad}

JAX = Spelling(
    head=head,
    array=lambda text: text,
    data=lambda text: f"jnp.asarray({text})",
    rows=ROWS,
    tails=TAILS,
)
