"""The functions of jax.scipy.special, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.differentiators.protocol import Rows, functions
from gradverify.differentiators.spelling.source_rows import Row, calls

# JAX's names in jax.scipy.special.
SPECIAL = (
    "expit betaln beta erfcx erfinv ndtr ndtri log_ndtr spence i0 i0e i1 i1e "
    "multigammaln"
)


def special_rows() -> Rows:
    """The functions; the library is imported here."""
    import jax.numpy as jnp
    from jax.scipy import special

    # fmt: off
    return {
        **functions(special, SPECIAL),
        **functions(jnp, "sinc"),
        "polygamma": lambda x, n: special.polygamma(n, x),
        "gammainc":  lambda x, a: special.gammainc(a, x),
        "gammaincc": lambda x, a: special.gammaincc(a, x),
        "igamma":    special.gammainc,
        "igammac":   special.gammaincc,
        "betainc":   lambda x, a, b: special.betainc(a, b, x),
        "zeta":      lambda x, s: special.zeta(s, x),
        **dict.fromkeys(("j0", "j1"), "JAX has bessel_jn alone, by a recurrence"),
        **dict.fromkeys(("y0", "y1", "k0", "k1"), "JAX has no such function"),
    }
    # fmt: on


SPELLED: Mapping[str, Row] = {
    **calls("special", SPECIAL),
    **calls("jnp", "sinc"),
    "polygamma": lambda x, n: f"special.polygamma({n}, {x})",
    "gammainc": lambda x, a: f"special.gammainc({a!r}, {x})",
    "gammaincc": lambda x, a: f"special.gammaincc({a!r}, {x})",
    "igamma": "special.gammainc({0}, {1})",
    "igammac": "special.gammaincc({0}, {1})",
    "betainc": lambda x, a, b: f"special.betainc({a!r}, {b!r}, {x})",
    "zeta": lambda x, s: f"special.zeta({s!r}, {x})",
}
