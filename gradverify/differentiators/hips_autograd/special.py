"""The functions of autograd.scipy.special, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gradverify.differentiators.composed.composed_layers import alike
from gradverify.differentiators.protocol import Rows, functions
from gradverify.differentiators.spelling.source_rows import Row, calls

# autograd's names in autograd.scipy.special.
SPECIAL = "expit erfinv i0 i1 j0 j1 y0 y1"
NOT_BY_A = "autograd has no derivative by a; gammainc and gammaincc have that by x"
ABSENT = ("zeta", "erfcx", "log_ndtr", "spence", "k0", "k1")


def special_rows() -> Rows:
    """The functions, composed where there is none; the library is imported here."""
    import autograd.numpy as anp
    import autograd.scipy.special as special

    # fmt: off
    return {
        **functions(special, SPECIAL),
        **functions(anp, "sinc"),
        **dict.fromkeys(("igamma", "igammac"), NOT_BY_A),
        **dict.fromkeys(ABSENT, "autograd.scipy.special has no such function"),
        # SciPy makes doubles of floats in these
        "polygamma":    lambda x, n: special.polygamma(n, x).astype(x.dtype),
        "multigammaln": lambda x, d: special.multigammaln(x, d).astype(x.dtype),
        "gammainc":     lambda x, a: special.gammainc(a, x).astype(x.dtype),
        "gammaincc":    lambda x, a: special.gammaincc(a, x).astype(x.dtype),
        "betaln":       lambda a, b: special.betaln(*alike(a, b)),
        "beta":         lambda a, b: special.beta(*alike(a, b)),
        "betainc":      lambda x, a, b: special.betainc(a, b, x),
        "ndtr":         lambda x: 0.5 * special.erfc(-x / math.sqrt(2.0)),
        "ndtri":        lambda x: -math.sqrt(2.0) * special.erfcinv(2.0 * x),
        "i0e":          lambda x: special.ive(0, x),
        "i1e":          lambda x: special.ive(1, x),
    }
    # fmt: on


SPELLED: Mapping[str, Row] = {
    **calls("special", SPECIAL),
    **calls("np", "sinc"),
    **calls("special", "betaln beta"),
    "polygamma": lambda x, n: f"special.polygamma({n}, {x}).astype({x}.dtype)",
    "multigammaln": lambda x, d: f"special.multigammaln({x}, {d}).astype({x}.dtype)",
    "gammainc": lambda x, a: f"special.gammainc({a!r}, {x}).astype({x}.dtype)",
    "gammaincc": lambda x, a: f"special.gammaincc({a!r}, {x}).astype({x}.dtype)",
    "betainc": lambda x, a, b: f"special.betainc({a!r}, {b!r}, {x})",
    "ndtr": "0.5 * special.erfc(-{0} / math.sqrt(2.0))",
    "ndtri": "-math.sqrt(2.0) * special.erfcinv(2.0 * {0})",
    "i0e": "special.ive(0, {0})",
    "i1e": "special.ive(1, {0})",
}
