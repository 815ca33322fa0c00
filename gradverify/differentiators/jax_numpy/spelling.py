"""JAX's functions, as the rows of its table call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradverify.differentiators.composed import (
    numpy_cells,
    numpy_losses,
    numpy_resampling,
)
from gradverify.differentiators.composed.composed_layers import Composed
from gradverify.differentiators.composed.composed_spelling import composed_spelling
from gradverify.differentiators.composed.over_numpy import numpy_like_spelling
from gradverify.differentiators.jax_numpy import (
    indexing,
    layers,
    linear_algebra,
    ordering,
    special,
    transforms,
)
from gradverify.differentiators.jax_numpy.elementwise import ELEMENTWISE
from gradverify.differentiators.jax_numpy.tails import TAILS
from gradverify.differentiators.spelling.definitions import Defined
from gradverify.differentiators.spelling.numpy_like import numpy_rows
from gradverify.differentiators.spelling.source_rows import (
    Row,
    Spelling,
    calls,
    defined,
)


def head(dtype: str) -> Sequence[str]:
    """Imports; the settings under which it ran."""
    return [
        "import jax",
        "import jax.numpy as jnp",
        "import numpy",
        "import numpy as np",
        "from jax.scipy import special",
        "",
        f'jax.config.update("jax_enable_x64", {dtype == "float64"})',
        'jax.config.update("jax_platforms", "cpu")',
        'jax.config.update("jax_default_matmul_precision", "highest")',
    ]


def _norm(x: str, **params: Any) -> str:
    named = "".join(f", {k}={v!r}" for k, v in params.items())
    return f"jnp.linalg.norm({x}{named})"


ROWS: dict[str, Row | None] = {
    **numpy_rows("jnp"),
    **composed_spelling("jnp"),
    **ELEMENTWISE,
    **special.SPELLED,
    **numpy_like_spelling("jnp", indexing.FUNCTIONS),
    **numpy_like_spelling("jnp", ordering.FUNCTIONS),
    **numpy_like_spelling("jnp", transforms.FUNCTIONS),
    **numpy_like_spelling("jnp", linear_algebra.FUNCTIONS),
    **numpy_like_spelling("jnp", numpy_losses.FUNCTIONS),
    **numpy_like_spelling("jnp", numpy_cells.FUNCTIONS),
    **numpy_like_spelling("jnp", numpy_resampling.FUNCTIONS),
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
    "linear": "jnp.matmul({0}, {1}.T) + {2}",
    "conv1d": defined("_conv", layers._conv),
    "conv2d": defined("_conv", layers._conv),
    "conv3d": defined("_conv", layers._conv),
    **{
        f"conv_transpose{n}d": defined("_conv_transpose", layers._conv_transpose)
        for n in (1, 2, 3)
    },
    "max_pool3d": defined("_max_pool(layers)", layers._max_pool, Composed.max_pool),
    "avg_pool3d": defined("_avg_pool", layers._avg_pool),
    "max_pool1d": defined("_max_pool(layers)", layers._max_pool, Composed.max_pool),
    "max_pool2d": defined("_max_pool(layers)", layers._max_pool, Composed.max_pool),
    "avg_pool1d": defined("_avg_pool", layers._avg_pool),
    "avg_pool2d": defined("_avg_pool", layers._avg_pool),
    "layer_norm": defined("_layer_norm", layers._layer_norm),
    "batch_norm": defined("_batch_norm(layers)", layers._batch_norm, Composed.affine),
    "group_norm": defined("_group_norm(layers)", layers._group_norm, Composed.affine),
    "embedding": lambda table, index: (
        f"jnp.take({table}, jnp.array({index!r}), axis=0)"
    ),
    "scaled_dot_product_attention": defined(
        "_attention(layers)", layers._attention, Composed.attention
    ),
}

JAX = Spelling(
    head=head,
    array=lambda text: text,
    data=lambda text: f"jnp.asarray({text})",
    rows=ROWS,
    tails=TAILS,
    setup=Defined(
        lambda: "layers = Composed(jnp, jax.nn.softplus, jax.nn.log_softmax)", ()
    ),
)
