"""Every built-in differentiator, on every op: one file of promises for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.autodiff import Tape
from gradverify.differentiators import Accepts, greeting, load, modes, run, unsupported
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.differentiators.registry import BUILTINS
from gradverify.graph import Case, Graph, apply_op, data_leaf, input_leaf, interpret
from gradverify.graph import literal_leaf as literal
from gradverify.known import shipped_rows
from gradverify.ops import OPS
from gradverify.strategies.layer_choices import LAYER_SHAPES
from gradverify.strategies.own_shapes import OWN_SHAPES
from gradverify.strategies.params import legal_params
from gradverify.verdict import Verdict

ONE = [((),), ((3,),), ((2, 3),)]
TWO = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (3,))]
REDUCTIONS = [
    (((),), {}),
    (((3,),), {"axis": None}),
    (((2, 3),), {"axis": (0,)}),
    (((2, 3),), {"axis": (-1,), "keepdims": True}),
    (((2, 3),), {"axis": None, "keepdims": True}),
    (((2, 3),), {"axis": (0, 1)}),
    (((2, 3),), {"axis": ()}),
]

THRESHOLDS = [(0.75, 2.0), (-0.5, 0.0)]

# op -> operand shapes and params; ops that are not here are elementwise
SETTINGS: Mapping[str, list[tuple[Any, Mapping[str, Any]]]] = {
    "power": [((s,), {"n": n}) for s in ((), (3,)) for n in (0, 1, 2, 3, -2, 0.5)],
    "where": [((s, (3,), t), {}) for s, t in [((3,), (3,)), ((2, 3), ()), ((), ())]],
    "sum": REDUCTIONS,
    "mean": REDUCTIONS,
    "logsumexp": REDUCTIONS,
    "reshape": [(((2, 3),), {"shape": (6,)}), (((1,),), {"shape": ()})],
    "transpose": [(((2, 3),), {}), (((2, 1, 3),), {"axes": (2, 0, 1)}), (((),), {})],
    "broadcast_to": [
        (((1, 3),), {"shape": (2, 3)}),
        (((3,),), {"shape": (2, 3)}),
        (((),), {"shape": ()}),
    ],
    "matmul": [((a, b), {}) for a in ((3,), (2, 3)) for b in ((3,), (3, 2))],
    "gelu": [(((3,),), {"approximate": form}) for form in ("none", "tanh")],
    "polygamma": [(((2, 3),), {"n": n}) for n in (2, 3)],
    "multigammaln": [(((2, 3),), {"d": d}) for d in (1, 3)],
    **{
        op: [(((2, 3),), {"a": a}) for a in (0.5, 2.5)]
        for op in ("gammainc", "gammaincc")
    },
    "betainc": [(((2, 3),), {"a": a, "b": b}) for a, b in ((2.5, 0.5), (1.0, 3.0))],
    "zeta": [(((2, 3),), {"s": s}) for s in (1.5, 3.0)],
    "masked_fill": [(((2, 3), s), {"value": 0.5}) for s in ((2, 3), (3,))],
    "softshrink": [(((2, 3),), {"lambd": 0.5})],
    "hardshrink": [(((2, 3),), {"lambd": 0.75})],
    "threshold": [(((2, 3),), {"threshold": t, "value": v}) for t, v in THRESHOLDS],
    "rrelu": [(((2, 3),), {"least": 0.125, "most": 0.5})],
    "glu": [(((2, 4),), {"axis": (a,)}) for a in (0, -1)],
    "softmin": [(((2, 3),), {"axis": (a,)}) for a in (0, -1)],
    "ldexp": [(((2, 3),), {"exponent": n}) for n in (0, 3)],
    "heaviside": [(((2, 3),), {"value": 0.5})],
    "lerp": [(((2, 3), (3,), s), {}) for s in ((2, 3), ())],
    "addcmul": [(((2, 3), (3,), (2, 3)), {"value": v}) for v in (1.0, -0.5)],
    "addcdiv": [(((2, 3), (3,), (2, 3)), {"value": v}) for v in (1.0, -0.5)],
    "float_power": [(((3,),), {"n": n}) for n in (0, 1, 3, -2, 0.5)],
    "clip": [(((2, 3),), {"low": -0.5, "high": 1.0})],
    "prod": REDUCTIONS,
    "max": REDUCTIONS,
    "min": REDUCTIONS[1:4],
    "var": [(s, p | {"ddof": 0}) for s, p in REDUCTIONS],
    "std": [(s, p | {"ddof": 1}) for s, p in REDUCTIONS[1:6]],
    "norm": REDUCTIONS[:6],
    "softmax": [(((2, 3),), {"axis": (0,)}), (((3,),), {"axis": (-1,)})],
    "log_softmax": [(((2, 3),), {"axis": (0,)}), (((3,),), {"axis": (-1,)})],
    "cumsum": [(((2, 3),), {"axis": (0,)}), (((2, 3),), {"axis": (-1,)})],
    "slice": [(((2, 3),), {"axis": (a,), "start": 1, "stop": 2}) for a in (0, -1)],
    "concatenate": [(((2, 1), (2, 3)), {"axis": (-1,)})],
    "stack": [(((2, 3), (2, 3)), {"axis": (a,)}) for a in (0, 1, -1)],
    "einsum": [
        (((2, 3), (2, 3)), {"subscripts": "ij,ij->j"}),
        (((2, 3), (4, 2)), {"subscripts": "ij,ki->kj"}),
        (((2,), (3,)), {"subscripts": "i,j->j"}),
    ],
}


def layer_settings(op: str) -> list[tuple[Any, Mapping[str, Any]]]:
    """Two shapes of a layer, each with its first, its last and a middle choice.

    One shape of other ops, with its first and its last choice.
    """
    is_layer = op in LAYER_SHAPES
    found = []
    for shapes in OWN_SHAPES[op][1 : 3 if is_layer else 2]:
        menu = legal_params(op, *shapes)
        middle = [len(menu) // 2] if is_layer else []
        picked = {k: menu[k] for k in (0, *middle, len(menu) - 1)}
        found += [(shapes, dict(params)) for params in picked.values()]
    return found


SMOOTHED = {"target": (0, 1, 0), "weight": None, "reduction": "mean", "smoothing": 0.1}
REDUCED = [(((2, 3), (2, 3)), {"reduction": r}) for r in ("mean", "sum", "none")]
SETTINGS = {
    **SETTINGS,
    **{op: layer_settings(op) for op in OWN_SHAPES},
    "cross_entropy": [*layer_settings("cross_entropy"), (((3, 2),), SMOOTHED)],
    **dict.fromkeys(("mse", "l1", "bce_with_logits"), REDUCED),
    "huber": [(s, p | {"delta": d}) for s, p in REDUCED for d in (0.5, 1.0)],
    "kl_div": [(s, p | {"log_target": d}) for s, p in REDUCED for d in (False, True)],
    "celu": [(((2, 3),), {"alpha": a}) for a in (1.0, 0.5)],
    "dropout": [(((2, 3), s), {"p": p}) for s in ((2, 3), ()) for p in (0.5, 0.1)],
}

# In another norm autograd's are wrong (known::autograd-rfft-norm).
SETTINGS |= {
    op: [(s, p | {"norm": "ortho"}) for s, p in layer_settings(op)]
    for op in ("rfft", "irfft", "rfft2", "irfft2")
}

# Elementwise ops that are looked at in every shape; in the others all goes the same way
EVERY_SHAPE = ("neg", "exp", "relu", "abs", "add", "div", "maximum", "atan2")

# What the libraries are known to get wrong, found here.
KNOWN = {
    ("autograd", "broadcast_to", ((3,),)): "no gradient for axes added in front",
    ("autograd", "where", ((2, 3), (3,), ())): "no sum over broadcast axes",
    ("autograd", "where", ((), (3,), ())): "no sum over broadcast axes",
}

# Derivatives of eight or nine right digits (known::torch-digamma-derivative,
# torch-hardsigmoid-sixth), and NaN (known::jax-spence-beside-one).
WRONG = {
    *(("torch-cpu", op, "float64") for op in ("digamma", "hardsigmoid")),
    *(("jax", "spence", dtype) for dtype in ("float32", "float64")),
}

# Seven right digits of float64 values (known::jax-attention-float32).
COARSE = {("jax", "scaled_dot_product_attention", "float64"): np.finfo(np.float32).eps}

# How many digits are lost where a matrix is nearly of rank one, as `values` makes it,
# and where a softmax is saturated.
CONDITION = {"pinv": 32.0, "lstsq": 32.0, "qr": 32.0, "svd": 32.0} | {
    "multi_head_attention": 32.0
}

# What an engine of ours has no batches of, as its table says.
IN_PART = {
    ("jax", "matrix_exp"),
    ("jax", "scatter_reduce"),
    ("autograd", "pinv_singular"),
    *(("autograd", op) for op in ("rfft", "irfft", "hfft", "ihfft")),
    *(("autograd", op) for op in ("rfft2", "irfft2", "hfft2")),
}

# autograd follows nothing through sign, and warns of it.
UNFOLLOWED = {("autograd", op) for op in ("sign", "floor", "ceil", "trunc", "round")}


def values(shape: tuple[int, ...], start: float) -> Any:
    """Plain numbers of both signs, no two alike."""
    size = int(np.prod(shape, dtype=int))
    x = start + 0.37 * np.arange(size)
    return (x * (-1.0) ** np.arange(size)).reshape(shape)


def case_of(op: str, shapes: Any, params: Mapping[str, Any], dtype: str) -> Case:
    """The op alone, contracted with weights to a scalar."""
    row = OPS[op]
    operands = [
        values(shape, 1.0) > 0 if i in row.masks else values(shape, 0.61 + 0.23 * i)
        for i, shape in enumerate(shapes)
    ]
    nodes, point = [], []
    for i, x in enumerate(row.domain.moved(*operands, **params)):
        if i in row.masks:
            nodes.append(data_leaf(x))
        else:
            nodes.append(input_leaf(np.shape(x)))
            point.append(np.asarray(x))
    nodes.append(apply_op(nodes, op, range(row.arity), **params))
    shape = nodes[-1].shape
    nodes.append(data_leaf(values(shape, 0.9)))
    nodes.append(apply_op(nodes, "mul", [len(nodes) - 2, len(nodes) - 1]))
    nodes.append(apply_op(nodes, "sum", [len(nodes) - 1], axis=None))
    return Case(Graph(tuple(nodes)), tuple(point), dtype)


def settings_of(op: str) -> list[tuple[Any, Mapping[str, Any]]]:
    shapes = ONE if OPS[op].arity == 1 else TWO
    if op not in EVERY_SHAPE:
        shapes = shapes[2:3]
    return SETTINGS.get(op) or [(s, {}) for s in shapes]


@cache
def exact(case: Case) -> tuple[Any, list[Any]]:
    """Value and gradient in 50 digits."""
    with mp.workdps(50):
        tape = Tape(MULTIPRECISION)
        inputs = [tape.variable(x.astype(np.float64)) for x in case.point]
        output = interpret(rounded(case), tape.table, inputs)
        gradient = tape.gradient(output, inputs)
        return float(output.primal), [np.array(g, np.float64) for g in gradient]


def rounded(case: Case) -> Graph:
    """The graph whose data are what the dtype holds of them."""
    nodes = [
        data_leaf(n.value.astype(case.dtype))
        if n.op == "data" and n.value.dtype != bool
        else n
        for n in case.graph.nodes
    ]
    return Graph(tuple(nodes))


@pytest.fixture(params=list(BUILTINS))
def engine(request: pytest.FixtureRequest) -> Any:
    made = load(request.param)
    reason = made.available()
    if reason:
        pytest.skip(reason)
    return made


@pytest.fixture(scope="module")
def engines() -> list[Any]:
    """All built-in differentiators whose libraries are installed."""
    made = [load(name) for name in BUILTINS]
    return [who for who in made if who.available() is None]


@pytest.mark.parametrize("op", OPS.public())
def test_gradient_is_the_exact_one_to_a_few_ulps(
    engines: list[Any], op: str, subtests: pytest.Subtests
) -> None:
    """In one test for all engines, since they share the exact numbers of a case."""
    assert len(engines) >= 2, "our own two need no library"
    settings = settings_of(op)
    assert settings
    for dtype in ("float64", "float32"):
        for shapes, params in settings:
            case = case_of(op, shapes, params, dtype)
            with subtests.test(shapes=shapes, params=params, dtype=dtype):
                for engine in engines:
                    check_gradient(engine, op, shapes, case)


def check_gradient(engine: Any, op: str, shapes: Any, case: Case) -> None:
    who, dtype = engine.name, case.dtype
    if isinstance(engine.table[op], str):
        assert unsupported(engine, case) == f"{op}: {engine.table[op]}", who
        return
    found = run(engine, modes(engine)[0], case)
    if (who, op, shapes) in KNOWN:
        assert found.error is not None, f"{who}: a known deviation is gone: drop it"
        return
    if (who, op) in IN_PART and "NotImplementedError" in getattr(
        found.error, "kinds", ()
    ):
        return
    assert found.error is None, (who, found.error)
    if (who, op) in UNFOLLOWED:
        assert "independent of input" in found.warnings[0], who
    else:
        assert found.warnings == (), who
    assert found.mutated == (), who
    value, gradient = exact(case)
    eps = COARSE.get((who, op, dtype), np.finfo(dtype).eps) * CONDITION.get(op, 1.0)
    allowed = 64 * eps * max(1.0, abs(value))
    assert abs(found.value - value) <= allowed, who
    assert len(found.cotangents) == len(case.point), who
    for ct, true, x in zip(found.cotangents, gradient, case.point, strict=True):
        ct = np.zeros_like(x) if ct is None else ct
        assert ct.shape == x.shape, who
        assert ct.dtype == x.dtype, who
        allowed = 64 * eps * max(1.0, np.max(np.abs(true), initial=0))
        is_right = bool(np.all(np.abs(ct - true) <= allowed))
        assert is_right is ((who, op, dtype) not in WRONG), (who, ct, true)


def test_every_table_accounts_for_every_public_op(engine: Any) -> None:
    missing = [op for op in OPS.public() if op not in engine.table]
    assert not missing, f"{engine.name} has no row for {', '.join(missing)}"


def test_the_handshake_finds_nothing_but_what_is_listed(engine: Any) -> None:
    """What raises in the modes that a known deviation names.

    Only the modes that a run asks by default: `test_mode_ops.py` runs every op in all.
    """
    listed = {
        (f"{row.differentiator}:{mode}", row.op)
        for row in shipped_rows()
        if Verdict.CRASHED in row.verdict
        for mode in row.modes
    }
    found = greeting(engine, only=modes(engine))
    new = []
    for sentence in (*found.problems, *dict.fromkeys(found.ops.values())):
        who, _, rest = sentence.partition(" fails on ")
        ops = rest.partition(":")[0].split(", ")
        if not {(who, op) for op in ops} <= listed:
            new.append(sentence)
    assert new == []


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "pow"])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_literals_are_taken_on_either_side(
    engine: Any, op: str, side: int, dtype: str
) -> None:
    nodes = [input_leaf((3,)), literal(1.75)]
    nodes.append(apply_op(nodes, op, [0, 1] if side else [1, 0]))
    nodes.append(apply_op(nodes, "sum", [2], axis=None))
    case = Case(Graph(tuple(nodes)), (np.array([0.5, 1.25, 2.0]),), dtype)
    found = run(engine, modes(engine)[0], case)
    _, (true,) = exact(case)
    assert found.cotangents[0].dtype == dtype
    np.testing.assert_allclose(found.cotangents[0], true, rtol=64 * np.finfo(dtype).eps)


def test_two_literals_leave_a_float32_alone(engine: Any) -> None:
    nodes = [input_leaf(), literal(1.5), literal(2)]
    nodes.append(apply_op(nodes, "add", [1, 2]))
    nodes.append(apply_op(nodes, "mul", [0, 3]))
    case = Case(Graph(tuple(nodes)), (np.array(2.0),), "float32")
    found = run(engine, modes(engine)[0], case)
    assert found.cotangents[0] == 3.5
    assert found.value.dtype == np.float32


def test_an_input_that_is_not_used_has_none_or_zeros(engine: Any) -> None:
    nodes = [input_leaf(), input_leaf((2,))]
    nodes.append(apply_op(nodes, "sin", [0]))
    case = Case(Graph(tuple(nodes)), (np.array(0.5), np.array([1.0, 2.0])))
    unused = run(engine, modes(engine)[0], case).cotangents[1]
    assert unused is None or not np.any(unused)


def test_an_output_that_is_a_constant_is_no_error(engine: Any) -> None:
    nodes = [input_leaf(), data_leaf(2.0), data_leaf(3.0)]
    nodes.append(apply_op(nodes, "mul", [1, 2]))
    found = run(engine, modes(engine)[0], Case(Graph(tuple(nodes)), (np.array(0.5),)))
    assert found.error is None
    assert found.value == 6.0
    assert found.cotangents[0] is None or found.cotangents[0] == 0.0


def test_an_output_that_is_the_input_has_slope_one(engine: Any) -> None:
    case = Case(Graph((input_leaf(),)), (np.array(0.5),))
    found = run(engine, modes(engine)[0], case)
    assert (found.value, found.cotangents[0]) == (0.5, 1.0)


def test_a_fan_out_is_accumulated(engine: Any) -> None:
    nodes = [input_leaf()]
    for _ in range(3):
        nodes.append(apply_op(nodes, "mul", [len(nodes) - 1, len(nodes) - 1]))
    found = run(engine, modes(engine)[0], Case(Graph(tuple(nodes)), (np.array(2.0),)))
    assert found.cotangents[0] == 8 * 2.0**7


def test_arrays_without_elements_have_empty_gradients(engine: Any) -> None:
    nodes = [input_leaf((0, 2))]
    nodes.append(apply_op(nodes, "exp", [0]))
    nodes.append(apply_op(nodes, "sum", [1], axis=None))
    found = run(
        engine, modes(engine)[0], Case(Graph(tuple(nodes)), (np.zeros((0, 2)),))
    )
    assert found.error is None
    assert found.cotangents[0].shape == (0, 2)


def test_many_inputs_are_no_matter(engine: Any) -> None:
    nodes = [input_leaf((30, 10)), input_leaf((300,)), input_leaf()]
    nodes.append(apply_op(nodes, "reshape", [0], shape=(300,)))
    nodes.append(apply_op(nodes, "mul", [3, 1]))
    nodes.append(apply_op(nodes, "mul", [4, 2]))
    nodes.append(apply_op(nodes, "sum", [5], axis=None))
    a, b = np.arange(300.0), np.arange(300.0) + 0.5
    point = (a.reshape(30, 10), b, np.array(2.0))
    found = run(engine, modes(engine)[0], Case(Graph(tuple(nodes)), point))
    np.testing.assert_array_equal(found.cotangents[0], 2 * b.reshape(30, 10))
    np.testing.assert_array_equal(found.cotangents[1], 2 * a)
    assert found.cotangents[2] == found.value / 2


@pytest.mark.parametrize("name", ["own-tape", "torch-cpu"])
def test_intermediate_cotangents_are_those_of_the_nodes(name: str) -> None:
    engine = load(name)
    if engine.available():
        pytest.skip("not installed")
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "sin", [0]))
    nodes.append(apply_op(nodes, "mul", [1, 1]))
    found = run(engine, "reverse", Case(Graph(tuple(nodes)), (np.array(0.5),)))
    assert found.intermediates is not None
    assert found.intermediates[1] == pytest.approx(2 * np.sin(0.5), rel=1e-15)
    assert found.intermediates[2] == 1.0


def test_at_a_kink_our_slopes_are_the_stated_ones() -> None:
    for name in ("own-tape", "own-dual"):
        engine = load(name)
        nodes = [input_leaf(), input_leaf()]
        for op, operands, expected in (
            ("abs", [0], [0.0, 0.0]),
            ("relu", [0], [0.5, 0.0]),
            ("maximum", [0, 1], [0.5, 0.5]),
        ):
            graph = Graph((*nodes, apply_op(nodes, op, operands)))
            found = run(engine, modes(engine)[0], Case(graph, (0.0, 0.0)))
            given = [0.0 if c is None else float(c) for c in found.cotangents]
            assert given == expected, (name, op)


def test_a_case_of_another_dtype_is_refused_with_the_reason() -> None:
    class Narrow(OwnTape):
        accepts = Accepts(dtypes=("float32",))

    case = Case(Graph((input_leaf(),)), (np.array(0.5),))
    assert unsupported(Narrow(), case) == "dtype float64: only float32"


def test_torch_settings_are_as_before(engine: Any) -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads(), torch.get_default_dtype()
    case = case_of("tanh", ((3,),), {}, "float32")
    with torch.no_grad():
        found = run(engine, modes(engine)[0], case)
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        again = run(engine, modes(engine)[0], case)
        assert torch.is_inference_mode_enabled()
    assert found.error is None
    assert again.error is None
    np.testing.assert_array_equal(found.cotangents[0], again.cotangents[0])
    assert (torch.get_num_threads(), torch.get_default_dtype()) == before


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_graph_of_data_alone_has_a_value_in_its_dtype(
    engine: Any, dtype: str
) -> None:
    op = "scaled_dot_product_attention"
    nodes = [data_leaf(np.array([[[1.0], [2.0]]]))]
    nodes.append(apply_op(nodes, op, (0, 0, 0), mask="causal"))
    nodes.append(apply_op(nodes, "sum", (1,)))
    case = Case(Graph(tuple(nodes)), (), dtype)
    if reason := unsupported(engine, case):
        pytest.skip(reason)
    found = run(engine, modes(engine)[0], case)
    assert found.error is None
    assert np.asarray(found.value).dtype == dtype
