"""Each number of the rounding model matters: with another one, a test here is red.

`python -m tests.benchmarks.bench_mutations` changes them one at a time and looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from gradverify.arithmetic.floats import FLOATS
from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.differentiators.examples import EXAMPLES
from gradverify.graph import Graph, Node, apply_op, data_leaf, input_leaf, interpret
from gradverify.ops import OPS
from gradverify.reference.bound import Bound, bounds
from gradverify.reference.gradient_program import GradientProgram, expand
from gradverify.reference.roundings import roundings

from ..benchmarks.bench_mutations import mutations

UNIT = 2.0**-53
SMALLEST = 2.0**-1074


def forward(graph: Graph) -> GradientProgram:
    """A program that computes a value and nothing else."""
    expansion = expand(graph)
    nodes = expansion.graph.nodes
    return GradientProgram(expansion, expansion.graph, len(nodes) - 1, (), ())


def allowed(graph: Graph, point: Sequence[Any]) -> Bound:
    """The allowed error of a graph's value."""
    program = forward(graph)
    target = program.expansion.place[-1]
    (found,) = bounds(program, [np.asarray(x) for x in point], "float64", [target])
    return found


def alone(op: str, values: Sequence[Any], params: Mapping[str, Any]) -> Graph:
    """The op on inputs of the values' shapes, masks as data."""
    nodes = [
        data_leaf(x) if np.asarray(x).dtype == bool else input_leaf(np.shape(x))
        for x in values
    ]
    return Graph((*nodes, apply_op(nodes, op, range(len(nodes)), **params)))


def allowed_alone(op: str, values: Sequence[Any], **params: Any) -> Bound:
    point = [x for x in values if np.asarray(x).dtype != bool]
    return allowed(alone(op, values, params), point)


def near(expected: float) -> Any:
    """What equals a number but for its last digits, however small it is."""
    return pytest.approx(expected, rel=1e-6, abs=0.0)


# ---- sites: an engine four times as bad as the worst published code is let pass

# The worst published accuracy in units of the unit roundoff, which for one ulp is up
# to two. The operands and params are where it is looked at.
# fmt: off
PUBLISHED: Mapping[str, tuple[float, Sequence[float], Mapping[str, Any]]] = {
    # correctly rounded by IEEE 754
    "sqrt":       (1, (3.0,), {}),
    "add":        (1, (1.0, 0.3), {}),
    "sub":        (1, (1.0, 0.3), {}),
    "mul":        (1, (1.1, 0.3), {}),
    "div":        (1, (1.1, 0.3), {}),
    # a constant, and a product with it
    "scale":      (2, (1.1,), {"by": "log(2)"}),
    # NumPy's vector loops promise less than 4 ulps; glibc's hypot 1 ulp
    "exp":        (4, (0.7,), {}),
    "log":        (4, (0.7,), {}),
    "sin":        (4, (0.7,), {}),
    "cos":        (4, (0.7,), {}),
    "expm1":      (4, (0.7,), {}),
    "log1p":      (4, (0.7,), {}),
    "hypot":      (4, (0.7, 0.2), {}),
    # two roots and a product
    "middle":     (4, (0.7, 0.2), {}),
    # a difference, which is squared: three roundings
    "deviation2": (4, (0.7, 0.2), {}),
    # 4 ulps, with two units each, or two functions of half as many
    # glibc and CUDA promise 1 ulp, MSVC and others 2
    "cbrt":       (4, (0.7,), {}),
    "tanh":       (8, (0.7,), {}),
    "sigmoid":    (8, (0.7,), {}),
    "softplus":   (8, (0.7,), {}),
    "sinh":       (8, (0.7,), {}),
    "cosh":       (8, (0.7,), {}),
    "asinh":      (8, (0.7,), {}),
    "erf":        (8, (0.7,), {}),
    "erfc":       (8, (0.7,), {}),
    "pow":        (8, (0.7, 1.3), {}),
    "power":      (8, (0.7,), {"n": 1.5}),
    "atan2":      (8, (0.7, 0.2), {}),
    "sech":       (8, (0.7,), {}),
    "rise":       (8, (0.7,), {}),
    "log_gamma":  (8, (0.7,), {}),
    "polygamma":  (8, (0.7,), {"n": 1}),
    # SciPy's are off by a few ulps
    "gamma_lower": (8, (0.7,), {"a": 2.5}),
    "gamma_upper": (8, (0.7,), {"a": 2.5}),
    "gamma_orders": (8, (2.5, 0.7), {"n": 1, "upper": False}),
    "beta_lower": (8, (0.7,), {"a": 2.5, "b": 0.5}),
    "zeta":       (8, (0.7,), {"s": 1.5}),
    "erfcx":      (8, (0.7,), {}),
    "erfinv":     (8, (0.7,), {}),
    "erfcinv":    (8, (0.7,), {}),
    "log_ndtr":   (8, (0.7,), {}),
    "spence":     (8, (0.7,), {}),
    "log_quotient": (8, (0.7,), {"n": 1}),
    "bessel":     (8, (0.7,), {"family": "i", "n": 1}),
}
# fmt: on


@pytest.mark.parametrize("op", PUBLISHED)
def test_four_times_the_worst_published_error_is_allowed_and_not_more(op: str) -> None:
    units, x, params = PUBLISHED[op]
    exact = interpret(alone(op, x, params), MULTIPRECISION.table, map(mpmath.mpf, x))
    worst = units * UNIT * abs(float(exact))
    error = float(allowed_alone(op, x, **params).tight)
    assert 3.5 * worst <= error <= 4.5 * worst


X = np.array([1.0, -2.0, 3.0, -4.0, 5.0])


def test_a_sum_of_five_may_round_every_term_four_times() -> None:
    error = float(allowed_alone("sum", [X], axis=None).tight)
    assert error == near(4 * UNIT * 4 * 15)


def test_a_long_sum_is_taken_to_be_blocked() -> None:
    error = float(allowed_alone("sum", [np.ones(400)], axis=None).tight)
    assert error == near(4 * UNIT * 2 * np.sqrt(400) * 400)


def test_a_product_of_matrices_rounds_products_and_their_sum() -> None:
    error = float(allowed_alone("matmul", [X, X]).tight)
    assert error == near(4 * UNIT * (1 + 4) * 55)


@pytest.mark.parametrize(("op", "order"), [("cumsum", 1), ("cumsum_back", -1)])
def test_a_scan_rounds_every_term_at_every_step(op: str, order: int) -> None:
    error = np.asarray(allowed_alone(op, [X], axis=(0,)).tight, float)
    sizes = np.cumsum(np.abs(X)[::order])[::order]
    np.testing.assert_allclose(error, 4 * UNIT * 4 * sizes)


def test_what_comes_to_one_place_is_added_in_any_order() -> None:
    index = (0, 1, 0, 0, 1)
    bound = allowed_alone("put", [X], axis=(0,), index=index, length=2)
    error = np.asarray(bound.tight, float)
    np.testing.assert_allclose(error, 4 * UNIT * 2 * np.array([8.0, 7.0]))


def test_a_fan_out_is_added_in_any_order() -> None:
    error = float(allowed_alone("accumulate", [1.0, -2.0, 4.0]).tight)
    assert error == near(4 * UNIT * 2 * 7)


def test_logaddexp_adds_a_logarithm_to_the_larger_operand() -> None:
    error = float(allowed_alone("logaddexp", [-0.9, -0.5]).tight)
    y = abs(float(np.logaddexp(-0.9, -0.5)))
    assert y < 0.1  # so that the operand is what counts
    assert error == near(4 * UNIT * 4 * (y + 0.5))


def test_a_stable_algorithm_is_exact_for_what_is_off_by_a_size() -> None:
    error = float(allowed_alone("moved", [0.7, -3.0]).tight)
    assert error == near(4 * UNIT * 3)


def test_an_eigenvalue_is_off_by_roundings_of_the_largest_one() -> None:
    error = np.asarray(allowed_alone("eigenvalues", [np.diag([1.0, 3.0])]).tight, float)
    np.testing.assert_allclose(error, 4 * UNIT * 2 * 3 * np.ones(2))


SHAPED: Mapping[str, tuple[Sequence[Any], Mapping[str, Any]]] = {
    **{op: ((0.7,), {}) for op in ("neg", "abs", "sign", "step", "jump", "floor")},
    "maximum": ((0.7, 0.2), {}),
    "where": ((np.array(True), 0.7, 0.2), {}),
    "reshape": ((X,), {"shape": (5, 1)}),
    "transpose": ((X[None],), {"axes": (1, 0)}),
    "broadcast_to": ((X,), {"shape": (2, 5)}),
    "slice": ((X,), {"axis": (0,), "start": 1, "stop": 3}),
    "pad": ((X,), {"axis": (0,), "before": 1, "after": 2}),
    "take": ((X,), {"axis": (0,), "index": (4, 0)}),
    "peak": ((X,), {"axis": None}),
    "slack": ((0.7, 1.0), {}),
    "slack_back": ((0.7, 1.0), {}),
    "bent": ((0.7, 0.2, 1.0), {}),
    "factor": ((0.7,), {}),
    "bent_back": ((0.7,), {}),
    "moved_back": ((X[None],), {}),
}


def test_a_fixed_coefficient_is_rounded_twice_and_one_that_is_0_is_not() -> None:
    of = ("fourier", "rfft", 2, 2, "ortho")  # the sum and the difference, over a root
    error = np.asarray(allowed_alone("coefficients", [np.ones((1, 2))], of=of).tight)
    root = 4 * 2 * UNIT * np.sqrt(0.5)
    expected = [[root, 0.0, root, 0.0], [root, 0.0, root, 0.0]]
    assert error.astype(float) == pytest.approx(np.array(expected), rel=1e-6, abs=0.0)


@pytest.mark.parametrize("op", SHAPED)
def test_an_op_that_only_moves_numbers_rounds_none(op: str) -> None:
    values, params = SHAPED[op]
    assert np.all(allowed_alone(op, values, **params).tight == 0.0)


SUMMED: Mapping[str, Mapping[str, Any]] = {
    "sum": {"axis": None},
    "cumsum": {"axis": (0,)},
    "cumsum_back": {"axis": (0,)},
    "put": {"axis": (0,), "index": (0,) * 5, "length": 1},
}
OTHERS = {"matmul", "logaddexp", "accumulate", "moved", "eigenvalues", "coefficients"}


def test_every_primitive_is_looked_at() -> None:
    looked_at = {*PUBLISHED, *SHAPED, *SUMMED, *OTHERS}
    missing = set(OPS.primitives()) - looked_at
    assert not missing, f"no test here says how {sorted(missing)} may be rounded"


# ---- subnormal and huge results


@pytest.mark.parametrize("op", ["add", "sub", "accumulate"])
def test_sums_of_subnormal_numbers_are_exact(op: str) -> None:
    tiny = [SMALLEST, 2 * SMALLEST]
    assert float(allowed_alone(op, tiny).tight) < SMALLEST


@pytest.mark.parametrize("op", SUMMED)
def test_reductions_of_subnormal_numbers_are_exact(op: str) -> None:
    error = allowed_alone(op, [np.full(5, SMALLEST)], **SUMMED[op]).tight
    assert np.all(np.asarray(error, float) < SMALLEST)


def test_slack_of_a_subnormal_number_moves_it_by_none() -> None:
    graph = alone("slack", [SMALLEST, 0.0], {})
    found = roundings(forward(graph), [[np.array(SMALLEST), np.array(0.0)]], "float64")
    assert np.all(found.values[-1] == SMALLEST)


TINY: Mapping[str, tuple[Sequence[Any], Mapping[str, Any]]] = {
    **{op: ((3 * SMALLEST,), {}) for op in ("sin", "tanh", "expm1", "log1p", "sinh")},
    **{op: ((3 * SMALLEST,), {}) for op in ("asinh", "erf")},
    **{op: ((-744.0,), {}) for op in ("exp", "sigmoid", "softplus")},
    "erfc": ((27.2,), {}),
    "sech": ((744.0,), {}),
    "mul": ((1e-160, 1e-163), {}),
    "div": ((1e-300, 1e22), {}),
    "pow": ((1e-160, 2.02), {}),
    "power": ((1e-108,), {"n": 3}),
    "hypot": ((SMALLEST, SMALLEST), {}),
    "middle": ((SMALLEST, 2 * SMALLEST), {}),
    "atan2": ((SMALLEST, 1.0), {}),
    "scale": ((3 * SMALLEST,), {"by": "log(2)"}),
    "deviation2": ((1e-161, 0.0), {}),
    "matmul": ((np.array([1e-160]), np.array([1e-163])), {}),
}


@pytest.mark.parametrize("op", TINY)
def test_other_subnormal_results_may_be_off_by_four_of_the_smallest(op: str) -> None:
    values, params = TINY[op]
    error = float(allowed_alone(op, values, **params).tight)
    assert 4 * SMALLEST <= error <= 8 * SMALLEST


@pytest.mark.parametrize("op", SUMMED)
def test_a_sum_whose_terms_overflow_in_some_order_is_not_judged(op: str) -> None:
    huge = np.array([1e308, -1e308, 1e308, -1e308, 1e308])
    error = np.asarray(allowed_alone(op, [huge], **SUMMED[op]).tight, float)
    assert np.isinf(error).any()


def test_a_product_of_matrices_whose_terms_overflow_is_not_judged() -> None:
    terms = np.array([1e308, -1e308, 1e308, -1e308, 1e308])
    assert np.isinf(float(allowed_alone("matmul", [terms, np.ones(5)]).tight))


def test_a_fan_out_whose_terms_overflow_is_not_judged() -> None:
    assert np.isinf(float(allowed_alone("accumulate", [1e308, 1e308, -1e308]).tight))


# ---- reach: where operands may move along a curve, first order is not to be trusted

# The operand that is moved, about where, the other operands, and the params. Where an
# op has two curved operands, both are moved.
# fmt: off
CURVES: Sequence[tuple[str, int, float, Sequence[float], Mapping[str, Any]]] = (
    ("exp",       0, 0.5, (),     {}),
    ("log",       0, 2.0, (),     {}),
    ("sin",       0, 0.5, (),     {}),
    ("cos",       0, 0.5, (),     {}),
    ("tanh",      0, 0.5, (),     {}),
    ("sqrt",      0, 2.0, (),     {}),
    ("sigmoid",   0, 0.5, (),     {}),
    ("softplus",  0, 0.5, (),     {}),
    ("expm1",     0, 0.5, (),     {}),
    ("log1p",     0, 1.0, (),     {}),
    ("sinh",      0, 0.5, (),     {}),
    ("cosh",      0, 0.5, (),     {}),
    ("asinh",     0, 0.5, (),     {}),
    ("erf",       0, 0.5, (),     {}),
    ("erfc",      0, 0.5, (),     {}),
    ("div",       1, 2.0, (1.0,), {}),
    ("pow",       0, 2.0, (3.5,), {}),
    ("pow",       1, 0.5, (3.5,), {}),
    ("power",     0, 2.0, (),     {"n": 3.5}),
    ("atan2",     0, 1.0, (1.0,), {}),
    ("atan2",     1, 1.0, (1.0,), {}),
    ("hypot",     0, 1.0, (1.0,), {}),
    ("hypot",     1, 1.0, (1.0,), {}),
    ("middle",    0, 2.0, (1.0,), {}),
    ("middle",    1, 2.0, (1.0,), {}),
    ("logaddexp", 0, 0.5, (1.0,), {}),
    ("logaddexp", 1, 0.5, (1.0,), {}),
    ("cbrt",      0, 2.0, (),     {}),
    # the number that x is rounded to lies on the other side of a jump
    ("floor",     0, 0.8125, (),     {}),
    ("jump",      0, 0.0, (),   {}),
    ("sech",      0, 0.5, (),     {}),
    ("rise",      0, 0.5, (),     {}),
    ("log_gamma", 0, 2.0, (),     {}),
    ("polygamma", 0, 2.0, (),     {"n": 1}),
    ("gamma_lower", 0, 1.0, (),     {"a": 2.5}),
    ("gamma_upper", 0, 1.0, (),     {"a": 2.5}),
    ("gamma_orders", 0, 1.0, (2.5,), {"n": 0, "upper": False}),
    ("gamma_orders", 1, 1.0, (2.5,), {"n": 0, "upper": True}),
    ("beta_lower", 0, 0.375, (),     {"a": 2.5, "b": 1.5}),
    ("zeta",      0, 2.0, (),     {"s": 1.5}),
    ("erfcx",     0, 0.5, (),     {}),
    ("erfinv",    0, 0.0, (),     {}),
    ("erfcinv",   0, 1.0, (),     {}),
    ("log_ndtr",  0, 0.5, (),     {}),
    ("spence",    0, 2.0, (),     {}),
    ("log_quotient", 0, 2.0, (),  {"n": 1}),
    ("bessel",    0, 1.0, (),     {"family": "j", "n": 0}),
)
# fmt: on
STRIDE = 0.5  # how far the operand is moved, which is less than the reach of all
STRIDES = {"beta_lower": 1 / 16}  # whose whole domain is 1 wide


class Written(list[Node]):
    """Nodes that are put down one by one; each call gives the index of its node."""

    def leaf(self, node: Node) -> int:
        self.append(node)
        return len(self) - 1

    def op(self, name: str, *operands: int, **params: Any) -> int:
        return self.leaf(apply_op(self, name, operands, **params))


def moved_operand(nodes: Written, stride: float) -> int:
    """h = (x + B) - B: it is x, but for a rounding of B."""
    x = nodes.leaf(input_leaf())
    big = nodes.leaf(data_leaf(stride / (4 * UNIT)))
    return nodes.op("sub", nodes.op("add", x, big), big)


def hidden_curve(
    op: str, place: int, others: Sequence[float], params: Mapping[str, Any], x: float
) -> Graph:
    """f(h) less the parabola whose slope is that of f at h and where h is moved to.

    So the slope is 0 at both points at which first order is tried, and not between.
    A large number is added, whose rounding is all that first order sees.
    """
    nodes = Written()
    stride = STRIDES.get(op, STRIDE)
    h = moved_operand(nodes, stride)
    found = roundings(forward(Graph(tuple(nodes))), [[np.array(x)]], "float64")
    first, second = (mpmath.mpf(float(v)) for v in found.values[-1])
    assert first == x
    assert abs(second - first) == pytest.approx(stride)

    def curve(t: Any) -> Any:
        operands = [mpmath.mpf(v) for v in others]
        operands.insert(place, t)
        return MULTIPRECISION.table[op](*operands, **params)

    with mpmath.workprec(200):
        slope, again = (mpmath.diff(curve, t) for t in (first, second))
        b = (again - slope) / (second - first) / 2
        a = slope - 2 * b * first
    operands = [nodes.leaf(data_leaf(v)) for v in others]
    operands.insert(place, h)
    y = nodes.op(op, *operands, **params)
    line = nodes.op("mul", nodes.leaf(data_leaf(float(a))), h)
    square = nodes.op("mul", h, h)
    square = nodes.op("mul", nodes.leaf(data_leaf(float(b))), square)
    rest = nodes.op("sub", nodes.op("sub", y, line), square)
    nodes.op("add", rest, nodes.leaf(data_leaf(1024.0)))
    return Graph(tuple(nodes))


@pytest.mark.parametrize(("op", "place", "about", "others", "params"), CURVES)
def test_a_correctly_rounded_engine_is_let_pass_along_a_curve(
    monkeypatch: pytest.MonkeyPatch,
    op: str,
    place: int,
    about: float,
    others: Sequence[float],
    params: Mapping[str, Any],
) -> None:
    # which float64 rounds at B by nearly half of its step, which is half of the stride
    x = about + STRIDES.get(op, STRIDE) * 7 / 32
    graph = hidden_curve(op, place, others, params, x)
    given = interpret(graph, FLOATS.table, [np.float64(x)])
    with mpmath.workprec(200):
        exact = interpret(graph, MULTIPRECISION.table, [mpmath.mpf(x)])
        error = abs(float(mpmath.mpf(float(given)) - exact))
    assert error <= float(allowed(graph, [x]).tight) < np.inf
    row = OPS[op]
    assert row.calculus is not None
    flat = replace(row, calculus=replace(row.calculus, reach=None))
    monkeypatch.setitem(OPS.rows, op, flat)  # type: ignore[arg-type]
    assert error > float(allowed(graph, [x]).tight), "the reach is not needed"


def test_every_reach_is_tried() -> None:
    curved = {op for op in OPS.primitives() if OPS.calculus(op).reach is not None}
    assert curved == {op for op, *_ in CURVES}


# ---- stability: what sees its operands moved by an ulp, and what does not

# Why honest implementations of an op are not forward stable, element by element.
REASONS: Mapping[str, str] = {
    "a root other than at 0, or a reduced argument": (
        "log log2 log10 sin cos tan acos acosh pow power lgamma digamma atan2 "
        "logaddexp polygamma j0 j1 y0 y1 k0 k1"
    ),
    "made of functions whose operands are rounded": (
        "tanh sigmoid softplus exp2 expm1 log1p asin atan sinh cosh asinh atanh erf "
        "erfc log_sigmoid elu silu gelu celu selu mish hardswish softsign logsumexp "
        "scaled_dot_product_attention dropout_attention renorm huber bce "
        "bce_with_logits kl_div xlogy xlog1py lerp "
        "entr logit tanhshrink hardsigmoid glu float_power sinc expit multigammaln "
        "betaln beta gammainc gammaincc igamma igammac betainc zeta erfcx erfinv "
        "ndtr ndtri log_ndtr "
        "spence i0 i0e i1 i1e logcumsumexp "
        "vector_norm normalize cosine_similarity cdist pdist "
        "smooth_l1 soft_margin margin_ranking pairwise_distance cosine_embedding "
        "triplet_margin multi_margin multilabel_margin multilabel_soft_margin "
        "poisson_nll gaussian_nll soft_cross_entropy ctc lp_pool1d lp_pool2d "
        "grid_sample rnn_cell gru_cell lstm_cell multi_head_attention instance_norm "
        "local_response_norm"
    ),
    "a mean is taken away": (
        "cov var std batch_norm batch_norm_eval layer_norm rms_norm group_norm"
    ),
}
UNSTABLE = {op for ops in REASONS.values() for op in ops.split()}


@pytest.mark.parametrize("op", OPS.public())
def test_only_what_has_a_reason_sees_its_operands_moved(op: str) -> None:
    shapes, params = EXAMPLES.get(op, (((),) * OPS[op].arity, {}))
    values = [0.3 + np.arange(np.prod(s, dtype=int)).reshape(s) for s in shapes]
    for i in OPS[op].masks:
        values[i] = np.ones(shapes[i], bool)
    values = [np.asarray(x) for x in OPS[op].domain.moved(*values, **params)]
    program = expand(alone(op, values, params)).graph
    moved = {j for node in program.nodes if node.op == "slack" for j in node.operands}
    assert (set(program.inputs) <= moved) == (op in UNSTABLE)


def test_the_runner_of_mutations_changes_what_it_says() -> None:
    changes = dict(mutations())
    before = float(allowed_alone("exp", [0.7]).tight)
    with changes["exp: site halved"]():
        assert float(allowed_alone("exp", [0.7]).tight) == near(before / 2)
    with changes["SAFETY = 1"]():
        assert float(allowed_alone("exp", [0.7]).tight) == near(before / 4)
    assert float(allowed_alone("exp", [0.7]).tight) == before
