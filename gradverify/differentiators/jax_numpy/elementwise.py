"""JAX's further elementwise functions, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.differentiators.composed.composed_elementwise import (
    composed_elementwise,
    spelled_elementwise,
)
from gradverify.differentiators.protocol import Rows, functions
from gradverify.differentiators.spelling.source_rows import Row, calls

# JAX's names, by module.
NUMPY = "cbrt copysign fmod remainder nan_to_num rad2deg deg2rad floor ceil trunc round"
SPECIAL = "xlogy xlog1py entr logit"


def elementwise_rows() -> Rows:
    """The functions, composed where there is none; the library is imported here."""
    import jax
    import jax.numpy as jnp
    from jax.scipy import special

    # fmt: off
    return {
        **composed_elementwise(jnp),
        **functions(jnp, NUMPY),
        **functions(special, SPECIAL),
        **functions(jax.nn, hardsigmoid="hard_sigmoid"),
        "glu":         lambda x, axis: jax.nn.glu(x, axis[0]),
        "softmin":     lambda x, axis: jax.nn.softmax(-x, axis[0]),
        "ldexp":       lambda x, exponent: jnp.ldexp(x, exponent),
        "heaviside":   lambda x, value: jnp.heaviside(x, value),
        "float_power": lambda x, n: jnp.float_power(x, n),
    }
    # fmt: on


ELEMENTWISE: Mapping[str, Row] = {
    **spelled_elementwise("jnp"),
    **calls("jnp", NUMPY),
    **calls("special", SPECIAL),
    **calls("jax.nn", hardsigmoid="hard_sigmoid"),
    "glu": lambda x, axis: f"jax.nn.glu({x}, {axis[0]})",
    "softmin": lambda x, axis: f"jax.nn.softmax(-{x}, {axis[0]})",
    "ldexp": lambda x, exponent: f"jnp.ldexp({x}, {exponent})",
    "heaviside": lambda x, value: f"jnp.heaviside({x}, {value})",
    "float_power": lambda x, n: f"jnp.float_power({x}, {n!r})",
}
