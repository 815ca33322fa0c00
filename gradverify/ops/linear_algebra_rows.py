"""The rows of the op table for linear algebra."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import linear_algebra_expansions as y
from gradverify.ops import linear_algebra_shapes as s
from gradverify.ops.matrix_domains import NONSINGULAR
from gradverify.ops.row import FORWARD, Op

# fmt: off
LINEAR_ALGEBRA = (
    Op("trace",    1, FORWARD, s.trace,    ("offset",), expansion=y.trace),
    Op("diag",     1, FORWARD, s.diag,     ("offset",), expansion=y.diag),
    Op("diagonal", 1, FORWARD, s.diagonal, ("offset", "axes"), expansion=y.diagonal),
    Op("triu",     1, FORWARD, s.triangle, ("offset",), expansion=y.triu),
    Op("tril",     1, FORWARD, s.triangle, ("offset",), expansion=y.tril),
    Op("kron",     2, FORWARD, s.kron,     expansion=y.kron),
    Op("outer",    2, FORWARD, s.outer,    expansion=y.outer),
    Op("cross",    2, FORWARD, s.cross,    ("axis",), expansion=y.cross),
    Op("det",      1, FORWARD, s.number_of_matrix, expansion=y.det),
    Op("slogdet",  1, FORWARD, s.number_of_matrix, domain=NONSINGULAR, expansion=y.slogdet,
       formula="log(abs(det(x)))"),
    Op("inv",      1, FORWARD, s.square,   domain=NONSINGULAR, expansion=y.inv),
)
# fmt: on
