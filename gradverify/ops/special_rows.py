"""The rows of the op table for special functions."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import shapes as s
from gradverify.ops import special_expansions as e
from gradverify.ops import special_shapes as t
from gradverify.ops.domains import (
    ABOVE_HALVES,
    BETWEEN_0_AND_1,
    INCOMPLETE,
    INSIDE_1,
    NOT_LARGE,
    OF_GAMMA,
    POSITIVE,
    POSITIVE_BOTH,
)
from gradverify.ops.row import MIXED, Op

# The slope of log_ndtr is usually taken as exp(-x*x/2 - y), two squares that cancel left
# of 0, with x*x near -2*y there. The slope of that is -(x + d)*d, with x near -d.
LOG_NDTR = lambda d, y: 9.0 * (d * y)  # noqa: E731
LOG_NDTR2 = lambda m, d, y: 18.0 * (d * d * y)  # noqa: E731

# fmt: off
SPECIAL = (
    Op("sinc",         1, MIXED,   s.elementwise, expansion=e.sinc),
    Op("expit",        1, MIXED,   s.elementwise, expansion=e.expit),
    Op("polygamma",    1, MIXED,   t.of_order, ("n",), domain=OF_GAMMA),
    Op("multigammaln", 1, MIXED,   t.of_dimensions, ("d",), domain=ABOVE_HALVES, expansion=e.multigammaln),
    Op("betaln",       2, MIXED,   s.elementwise, domain=POSITIVE_BOTH, expansion=e.betaln),
    Op("beta",         2, MIXED,   s.elementwise, domain=POSITIVE_BOTH, expansion=e.beta),
    Op("gammainc",     1, MIXED,   t.incomplete, ("a",), domain=INCOMPLETE, expansion=e.gammainc),
    Op("gammaincc",    1, MIXED,   t.incomplete, ("a",), domain=INCOMPLETE, expansion=e.gammaincc),
    Op("igamma",       2, MIXED,   s.elementwise, domain=NOT_LARGE, expansion=e.igamma),
    Op("igammac",      2, MIXED,   s.elementwise, domain=NOT_LARGE, expansion=e.igammac),
    Op("betainc",      1, MIXED,   t.incomplete, ("a", "b"), domain=BETWEEN_0_AND_1, expansion=e.betainc),
    Op("zeta",         1, MIXED,   t.hurwitz, ("s",), domain=INCOMPLETE),
    Op("erfcx",        1, MIXED,   s.elementwise),
    Op("erfinv",       1, MIXED,   s.elementwise, domain=INSIDE_1),
    Op("ndtr",         1, MIXED,   s.elementwise, expansion=e.ndtr),
    Op("ndtri",        1, MIXED,   s.elementwise, domain=BETWEEN_0_AND_1, expansion=e.ndtri),
    Op("log_ndtr",     1, MIXED,   s.elementwise, derivative_error=LOG_NDTR, curvature_error=LOG_NDTR2),
    Op("spence",       1, MIXED,   s.elementwise, domain=POSITIVE),
    Op("i0",           1, MIXED,   s.elementwise, expansion=e.rootless("i", 0)),
    Op("i0e",          1, MIXED,   s.elementwise, expansion=e.i0e),
    Op("i1",           1, MIXED,   s.elementwise, expansion=e.rootless("i", 1)),
    Op("i1e",          1, MIXED,   s.elementwise, expansion=e.i1e),
    Op("j0",           1, MIXED,   s.elementwise, expansion=e.bessel("j", 0)),
    Op("j1",           1, MIXED,   s.elementwise, expansion=e.bessel("j", 1)),
    Op("y0",           1, MIXED,   s.elementwise, domain=POSITIVE, expansion=e.bessel("y", 0)),
    Op("y1",           1, MIXED,   s.elementwise, domain=POSITIVE, expansion=e.bessel("y", 1)),
    Op("k0",           1, MIXED,   s.elementwise, domain=POSITIVE, expansion=e.rootless("k", 0)),
    Op("k1",           1, MIXED,   s.elementwise, domain=POSITIVE, expansion=e.rootless("k", 1)),
)
# fmt: on
