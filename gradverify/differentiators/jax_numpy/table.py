"""The functions of jax.numpy, jax.nn and jax.scipy.special, a row an op."""

from __future__ import annotations

from gradverify.differentiators.composed import (
    numpy_cells,
    numpy_losses,
    numpy_resampling,
)
from gradverify.differentiators.composed.over_numpy import numpy_like
from gradverify.differentiators.jax_numpy import (
    indexing,
    linear_algebra,
    ordering,
    transforms,
)
from gradverify.differentiators.jax_numpy.elementwise import elementwise_rows
from gradverify.differentiators.jax_numpy.layers import layer_rows
from gradverify.differentiators.jax_numpy.special import special_rows
from gradverify.differentiators.protocol import Rows, functions, operators, sliced


def rows() -> Rows:
    """The library's functions; it is imported here."""
    import jax
    import jax.numpy as jnp
    from jax.nn import gelu
    from jax.scipy import special

    # fmt: off
    return {
        **operators("neg add sub mul div pow power matmul"),
        **functions(jnp, "exp log sin cos tanh sqrt abs maximum where"),
        **functions(jnp, "sign square reciprocal exp2 expm1 log2 log10 log1p tan"),
        **functions(jnp, "sinh cosh minimum hypot logaddexp", atan2="arctan2"),
        **functions(jnp, asin="arcsin", acos="arccos", atan="arctan"),
        **functions(jnp, asinh="arcsinh", acosh="arccosh", atanh="arctanh"),
        **functions(jnp, "sum mean prod max min var std"),
        **functions(jax.lax, "rsqrt"),
        **functions(jax.nn, "relu softplus leaky_relu elu silu log_sigmoid"),
        **functions(special, "logsumexp erf erfc digamma", lgamma="gammaln"),
        **functions(special, sigmoid="expit"),
        **elementwise_rows(),
        **special_rows(),
        **numpy_like(jnp, indexing.FUNCTIONS),
        **numpy_like(jnp, ordering.FUNCTIONS),
        **numpy_like(jnp, transforms.FUNCTIONS),
        **layer_rows(),
        **numpy_like(jnp, linear_algebra.FUNCTIONS),
        **numpy_like(jnp, numpy_losses.FUNCTIONS),
        **numpy_like(jnp, numpy_cells.FUNCTIONS),
        **numpy_like(jnp, numpy_resampling.FUNCTIONS),
        "gelu":         lambda x, approximate: gelu(x, approximate == "tanh"),
        "clip":         lambda x, low, high: jnp.clip(x, low, high),
        "softmax":      lambda x, axis: jax.nn.softmax(x, axis[0]),
        "log_softmax":  lambda x, axis: jax.nn.log_softmax(x, axis[0]),
        "norm":         lambda x, **params: jnp.linalg.norm(x, **params),
        "cumsum":       lambda x, axis: jnp.cumsum(x, axis[0]),
        "slice":        sliced,
        "concatenate":  lambda a, b, axis: jnp.concatenate((a, b), axis[0]),
        "stack":        lambda a, b, axis: jnp.stack((a, b), axis[0]),
        "einsum":       lambda a, b, subscripts: jnp.einsum(subscripts, a, b),
        "reshape":      lambda x, shape: jnp.reshape(x, shape),
        "transpose":    lambda x, axes=None: jnp.transpose(x, axes),
        "broadcast_to": lambda x, shape: jnp.broadcast_to(x, shape),
        "data":         jnp.asarray,
    }
    # fmt: on
