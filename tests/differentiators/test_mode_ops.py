"""Which ops every mode runs, and of which each library says that it has no rule."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import Derivatives, Differentiator, load, questions, run
from gradverify.differentiators.handshake import _cases, _other_default, _sum
from gradverify.graph import Case

LIMIT = 3600.0  # seconds; a busy machine takes minutes for all ops of JAX in one graph
NO_FORWARD = "Trying to use forward AD with {} that does not support it"
NO_BATCH = "Batching rule not implemented for aten::flatten.using_ints"
NO_JVP = "JVP of {} wrt argnums"
IMMUTABLE = "ZeroTensors are immutable"
OVERWRITTEN = "modified by an inplace operation"

JVPS = {
    **dict.fromkeys(("sigmoid", "silu"), NO_JVP.format("expit")),
    **dict.fromkeys(("gelu", "erf"), NO_JVP.format("erf")),
    "logit": NO_JVP.format("logit"),
    "expit": NO_JVP.format("expit"),
    "ndtr": NO_JVP.format("erfc"),
    "ndtri": NO_JVP.format("erfcinv"),
    **dict.fromkeys(("i0e", "i1e"), NO_JVP.format("ive")),
    **{
        op: NO_JVP.format(op)
        for op in [
            "polygamma",
            "multigammaln",
            "betaln",
            "beta",
            "gammainc",
            "gammaincc",
            "betainc",
            "erfinv",
            "i0",
            "i1",
            "j0",
            "j1",
            "y0",
            "y1",
        ]
    },
    "glu": NO_JVP.format("expit"),
    "erfc": NO_JVP.format("erfc"),
    "lgamma": NO_JVP.format("gammaln"),
    "digamma": NO_JVP.format("psi"),
    "hypot": NO_JVP.format("hypot"),
    **{
        op: NO_JVP.format(name)
        for op, name in {
            **{f: f for f in ("det", "slogdet", "inv", "solve", "solve_triangular")},
            **{f: f for f in ("cholesky", "pinv", "eigh", "svd")},
            **dict.fromkeys(("lu_solve", "cholesky_inverse"), "inv"),
            "cholesky_solve": "solve", "lstsq": "pinv", "pinv_singular": "pinv",
            "eigvalsh": "eigh", "eigvals": "eig", "svdvals": "svd",
            **{f: f for f in ("fft", "ifft", "rfft", "irfft", "fft2", "ifft2")},
            **{f: f for f in ("rfft2", "irfft2")},
            "hfft": "irfft", "ihfft": "rfft", "hfft2": "irfft2",
        }.items()
    },
}  # fmt: skip
DISTANCES = {op: NO_FORWARD.format(f"_{op}_forward") for op in ("cdist", "pdist")}
TWICE = {
    op: f"the derivative for '_{op}_backward' is not implemented" for op in DISTANCES
}
NO_VIEW = "has_fw_view() INTERNAL ASSERT FAILED"
OF_EXP = (
    "logsumexp", "softmax", "log_softmax", "cross_entropy", "softmin", "logcumsumexp",
    "soft_cross_entropy",
)  # fmt: skip
ATTENTIONS = ("scaled_dot_product_attention", "dropout_attention")
HUBER = {"huber": NO_FORWARD.format("huber_loss_backward")}
NO_DERIVATIVE = "derivative for aten::{} is not implemented"
NO_TANGENT = {
    **dict.fromkeys(("gammainc", "gammaincc", "zeta"), "Trying to use forward AD with"),
    "segment_reduce": "Trying to use forward AD with",
    **DISTANCES,
}
NO_LOSS_TANGENT = {
    "multi_margin": NO_FORWARD.format("multi_margin_loss"),
    "multilabel_margin": NO_FORWARD.format("multilabel_margin_loss_forward"),
    "ctc": NO_FORWARD.format("_ctc_loss"),
    "grid_sample": NO_FORWARD.format("grid_sampler_2d"),
    "multi_head_attention": "_scaled_dot_product_flash_attention_for_cpu",
    **dict.fromkeys(
        ("embedding_bag", "weighted_embedding_bag"), NO_FORWARD.format("_embedding_bag")
    ),
}
NO_TANGENT |= NO_LOSS_TANGENT
ONCE = {
    "multi_margin": NO_DERIVATIVE.format("multi_margin_loss_backward"),
    "multilabel_margin": NO_DERIVATIVE.format("multilabel_margin_loss_backward"),
    "ctc": NO_DERIVATIVE.format("_ctc_loss_backward"),
    "multi_head_attention": "_scaled_dot_product_flash_attention_for_cpu_backward",
    "weighted_embedding_bag": "is not implemented",
}
SOFT = {"soft_margin": NO_FORWARD.format("soft_margin_loss_backward")}
GATES = dict.fromkeys(("gru_cell", "lstm_cell"), "aten::unsafe_split.Tensor")
HARD = {"hardsigmoid": NO_DERIVATIVE.format("hardsigmoid_backward")}
HARD_FORWARD = {"hardsigmoid": "aten::hardsigmoid_backward"}
SEGMENTS = {"segment_reduce": NO_DERIVATIVE.format("_segment_reduce_backward")}
NO_STORAGE = "Cannot access data pointer of Tensor that doesn't have storage"
NO_MEMORY = "its data is not allocated yet"
VALUES = "calling .item() on a Tensor or"
ITEM = "vmap: It looks like you're calling .item()"
NOISE = {"rrelu": "vmap: we do not yet support aten::rrelu_with_noise"}
POOLS = {
    **{
        f"{kind}max_pool{n}d": NO_BATCH for kind in ("", "adaptive_") for n in (1, 2, 3)
    },
    "fractional_max_pool2d": NO_BATCH,
}

# In JAX's modes; those of second order differentiate some derivatives, too.
SCATTERED = dict.fromkeys(
    ("scatter_reduce", "segment_reduce"),
    "scatter_mul gradients are only implemented if",
)
TWICE_IN_JAX = {
    "eigvals": "Derivatives of non-symmetric eigenvectors are only valid",
    **dict.fromkeys(
        ("igamma", "igammac"), "Differentiation rule for 'igamma_grad_a' not"
    ),
}
OF_JAX = {
    ("jax", mode): SCATTERED
    | (TWICE_IN_JAX if "over" in mode or mode == "hessian" else {})
    for mode in load("jax").modes()
}

# By engine and mode, the ops that raise on their examples, with a part of what is said.
# What is no NotImplementedError is a known deviation of `known/shipped.toml`.
ABSENT: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("autograd", "forward"): JVPS,
    ("autograd", "forward-over-reverse"): JVPS,
    ("autograd", "reverse-over-forward"): JVPS,
    ("torch-cpu", "forward"): NO_TANGENT,
    ("torch-cpu", "forward-over-reverse"): {
        **NO_TANGENT,
        **SOFT,
        **HUBER,
        **HARD_FORWARD,
        "logit": NO_FORWARD.format("aten::logit_backward"),
        "silu": NO_FORWARD.format("aten::silu_backward"),
        "mish": NO_FORWARD.format("aten::mish_backward"),
        "group_norm": NO_FORWARD.format("aten::native_group_norm_backward"),
        "mse": IMMUTABLE,
    },
    ("torch-cpu", "reverse-over-forward"): {
        **NO_TANGENT,
        **dict.fromkeys((*OF_EXP, *ATTENTIONS), OVERWRITTEN),
        **HARD,
        "glu": NO_DERIVATIVE.format("glu_jvp"),
    },
    ("torch-cpu", "forward-over-forward"): {
        **NO_TANGENT, **HUBER, **SOFT, **HARD_FORWARD, **NOISE,
        "glu": NO_FORWARD.format("aten::glu_jvp"),
    },
    ("torch-cpu", "reverse-over-reverse"): {**HARD, **TWICE, **SEGMENTS, **ONCE},
    ("torch-cpu", "hessian"): {**HARD, **TWICE, **SEGMENTS, **ONCE},
    ("torch-cpu", "aot"): {
        "masked_select": "aten.masked_select.default", "cov": "aten.equal.default",
        "segment_reduce": "aten.bincount.default", "lstsq": "aten.linalg_lstsq.default",
        "gaussian_nll": "aten._local_scalar_dense.default", "ctc": "aten._ctc_loss",
        "affine_grid": NO_MEMORY,
    },
    ("torch-cpu", "vmapped"): {**NOISE, "scatter_reduce": ITEM, "gaussian_nll": VALUES},
    ("torch-cpu", "jacfwd"): {**NOISE, **NO_TANGENT},
    ("torch-cpu", "hessian-func"): {
        **NOISE, **HARD_FORWARD, **NO_TANGENT, **SOFT, "affine_grid": NO_STORAGE,
    },
    ("torch-cpu", "jacobian-forward"): {
        **POOLS, **NO_TANGENT, **GATES,
        **dict.fromkeys(("hfft", "ihfft", "hfft2"), NO_VIEW),
    },
    ("torch-cpu", "hessian-vectorized"): {
        **HUBER, **POOLS, **HARD_FORWARD, **NO_TANGENT, **SOFT, **GATES,
        **dict.fromkeys(("eigvals", "hfft", "ihfft", "hfft2"), NO_VIEW),
        "group_norm": "Trying to set a forward gradient that has a",
    },
    **OF_JAX,
}  # fmt: skip
KNOWN = {
    ITEM,
    VALUES,
    NO_STORAGE,
    NO_MEMORY,
    OVERWRITTEN,
    IMMUTABLE,
    NO_VIEW,
    "Trying to set a forward gradient that has a",
}

SLOW = {("torch-cpu", "aot")}
MODES = [
    pytest.param(name, mode, marks=pytest.mark.slow if is_slow else ())
    for name in ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")
    for mode in load(name).modes()
    for is_slow in [name == "jax" or (name, mode) in SLOW]
]


@pytest.mark.parametrize(("name", "mode"), MODES)
def test_a_mode_runs_every_op_but_those_that_are_listed(name: str, mode: str) -> None:
    who = load(name)
    if reason := who.available():
        pytest.skip(reason)
    cases = _cases(who)
    listed = ABSENT.get((name, mode), {})
    if name == "jax" or (name, mode) in SLOW:
        # to compile one graph of all other ops takes a quarter of the time
        rest = [case for op, case in cases.items() if op not in listed]
        at_once = asked(who, mode, _sum(rest))
        if at_once.error is None:
            assert not at_once.timed_out
            cases = {op: case for op, case in cases.items() if op in listed}
    found = {op: asked(who, mode, case) for op, case in cases.items()}
    assert not any(given.timed_out for given in found.values())
    raised = {op: given.error for op, given in found.items() if given.error is not None}
    assert {*raised} == {*listed}, raised
    for op, error in raised.items():
        assert listed[op] in str(error)
        assert error.is_missing == (listed[op] not in KNOWN)
    others = {op: _other_default(op, cases[op], found[op]) for op in cases}
    assert {op for op, what in others.items() if what and op not in raised} == set()


def asked(who: Differentiator, mode: str, case: Case) -> Derivatives:
    """What a mode answers to its questions: the first error, or the last answer."""
    for question in questions(who, mode):
        found = run(who, mode, case, limit=LIMIT, question=question)
        if found.error is not None or found.timed_out:
            break
    return found


@pytest.mark.parametrize("mode", sorted(load("autograd").modes()))
def test_autograd_promotes_in_the_modes_that_are_asked_in_float64_alone(
    mode: str,
) -> None:
    """A release that keeps float32 in them is seen here."""
    autograd = load("autograd")
    case = Case(trace(s.log2, ()), (np.array(1.5, np.float32),), "float32")
    found = run(autograd, mode, case).cotangents[0]
    only = autograd.modes()[mode].dtypes
    assert np.asarray(found).dtype == (*only, "float32")[0]


@pytest.mark.parametrize("name", ["autograd", "torch-cpu"])
def test_no_rows_at_all_have_the_dtype_of_the_input(name: str) -> None:
    case = Case(
        trace(lambda x: s.sum(x, axis=None), (0,)),
        (np.zeros(0, np.float32),),
        "float32",
    )
    (found,) = run(load(name), "hessian", case).cotangents
    assert found is not None
    assert found.shape == (0, 0)
    assert found.dtype == np.float32
