"""An example of every op that needs more than numbers: shapes of operands, params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradverify.graph import Array, Case, Graph, Node, apply_op, data_leaf, input_leaf
from gradverify.ops import Op

ALL: dict[str, Any] = {"axis": None, "keepdims": False}
CONV: Mapping[int, dict[str, Any]] = {
    n: {"stride": (1,) * n, "padding": (0,) * n, "dilation": (1,) * n, "groups": 1}
    for n in (1, 2, 3)
}
POOL: Mapping[int, dict[str, Any]] = {
    n: {"kernel": (2,) * n, "stride": (1,) * n, "padding": (0,) * n} for n in (1, 2, 3)
}
EPS: dict[str, Any] = {"eps": 1e-5}
MEAN: dict[str, Any] = {"reduction": "mean"}
CLASS: dict[str, Any] = MEAN | {"target": (0,), "weight": None}
SIZES = {1: (2,), 2: (1, 2), 3: (1, 1, 2)}
FOLD: dict[str, Any] = {
    "kernel": (1, 2),
    "stride": (1, 1),
    "padding": (0, 0),
    "dilation": (1, 1),
}
CELL = {n: ((1, 1), (1, 1), (n, 1), (n, 1), (n,), (n,)) for n in (1, 3, 4)}
BAG: dict[str, Any] = {"index": (1, 0, 1), "offsets": (0, 2)}
MARGIN: dict[str, Any] = MEAN | {"margin": 1.0}
DISTANCE: dict[str, Any] = {"p": 2.0, "eps": 1e-6}
EXAMPLES: Mapping[str, tuple[tuple[tuple[int, ...], ...], Mapping[str, Any]]] = {
    "power": (((),), {"n": 3}),
    "gelu": (((),), {"approximate": "none"}),
    **dict.fromkeys(("softshrink", "hardshrink"), (((),), {"lambd": 0.5})),
    "threshold": (((),), {"threshold": 0.5, "value": 2.0}),
    "rrelu": (((),), {"least": 0.125, "most": 0.5}),
    "prelu": (((2, 3), (3,)), {}),
    "glu": (((4,),), {"axis": (-1,)}),
    "softmin": (((2,),), {"axis": (-1,)}),
    "ldexp": (((),), {"exponent": 3}),
    "heaviside": (((),), {"value": 0.5}),
    "lerp": (((),) * 3, {}),
    **dict.fromkeys(("addcmul", "addcdiv"), (((),) * 3, {"value": 0.5})),
    "float_power": (((),), {"n": 3}),
    "gather": (((2,),), {"axis": (-1,), "index": (1, 0, 1)}),
    **dict.fromkeys(
        ("scatter", "scatter_add"), (((2,), (2,)), {"axis": (-1,), "index": (1, 0)})
    ),
    "scatter_reduce": (
        ((2,), (3,)),
        {"axis": (-1,), "index": (1, 0, 1), "reduce": "prod", "include_self": True},
    ),
    "index_select": (((2,),), {"axis": (-1,), "index": (1, 1)}),
    "index_add": (((2,), (2,)), {"axis": (-1,), "index": (1, 1), "alpha": 0.5}),
    "index_put": (((2,), (2,)), {"index": (1, 1), "accumulate": True}),
    "masked_fill": (((2,), (2,)), {"value": 0.5}),
    "masked_select": (((2,),), {"chosen": (0, 1)}),
    "take_along_axis": (((3,),), {"axis": (-1,), "index": (2, 0, 0)}),
    "segment_reduce": (((3,),), {"segments": (0, 0, 1), "reduce": "prod"}),
    **dict.fromkeys(
        ("cumprod", "logcumsumexp", "flip"),
        (((2,),), {"axis": (-1,)}),
    ),
    "diff": (((2,),), {"n": 1, "axis": (-1,)}),
    "roll": (((2,),), {"shift": 1, "axis": (-1,)}),
    "rot90": (((2, 2),), {"k": 1}),
    "repeat": (((2,),), {"repeats": 2, "axis": (-1,)}),
    "tile": (((2,),), {"reps": (2,)}),
    "pad_axis": (
        ((2,),),
        {"before": 1, "after": 0, "mode": "reflect", "value": 0.0},
    ),
    "sort": (((3,),), {"axis": (-1,), "descending": True}),
    "topk": (((3,),), {"k": 2, "axis": (-1,), "largest": True}),
    "kthvalue": (((3,),), {"k": 2, "axis": (-1,), "keepdims": False}),
    "median": (((3,),), {"axis": (-1,), "keepdims": False}),
    **dict.fromkeys(("cummax", "cummin"), (((3,),), {"axis": (-1,)})),
    "interp": (((2,), (3,)), {"knots": (0.0, 1.0, 4.0)}),
    **{
        op: (((3, 2),), {"length": None, "axis": (-1,), "norm": "backward"})
        for op in ("fft", "ifft", "irfft", "hfft")
    },
    **{
        op: (((3,),), {"length": 4, "axis": (0,), "norm": "ortho"})
        for op in ("rfft", "ihfft")
    },
    **{
        op: (((2, 2, 2),), {"lengths": None, "axes": (-2, -1), "norm": "forward"})
        for op in ("fft2", "ifft2", "irfft2", "hfft2")
    },
    "rfft2": (((3, 2),), {"lengths": None, "axes": (-2, -1), "norm": "backward"}),
    **{op: (((3,),), {"axis": (-1,), "norm": "ortho"}) for op in ("dct", "idct")},
    "polygamma": (((),), {"n": 1}),
    "multigammaln": (((),), {"d": 2}),
    **dict.fromkeys(("gammainc", "gammaincc"), (((),), {"a": 2.5})),
    "betainc": (((),), {"a": 2.5, "b": 0.5}),
    "zeta": (((),), {"s": 1.5}),
    "clip": (((),), {"low": 0.0, "high": 1.0}),
    **dict.fromkeys(("sum", "mean", "logsumexp", "prod"), (((2,),), ALL)),
    **dict.fromkeys(("max", "min", "norm"), (((2,),), ALL)),
    **dict.fromkeys(("var", "std"), (((2,),), ALL | {"ddof": 0})),
    **dict.fromkeys(("softmax", "log_softmax", "cumsum"), (((2,),), {"axis": (-1,)})),
    "slice": (((2,),), {"axis": (-1,), "start": 0, "stop": 1}),
    "concatenate": (((2,), (1,)), {"axis": (-1,)}),
    "stack": (((2,), (2,)), {"axis": (0,)}),
    "einsum": (((2,), (2,)), {"subscripts": "i,i->"}),
    "reshape": (((2,),), {"shape": (2, 1)}),
    "transpose": (((2, 3),), {"axes": (1, 0)}),
    "broadcast_to": (((1,),), {"shape": (2,)}),
    "matmul": (((2,), (2,)), {}),
    "linear": (((2,), (1, 2), (1,)), {}),
    "conv1d": (((1, 1, 2), (1, 1, 2), (1,)), CONV[1]),
    "conv2d": (((1, 1, 2, 2), (1, 1, 2, 2), (1,)), CONV[2]),
    "max_pool1d": (((1, 1, 2),), POOL[1] | {"dilation": (1,)}),
    "max_pool2d": (((1, 1, 2, 2),), POOL[2] | {"dilation": (1, 1)}),
    "avg_pool1d": (((1, 1, 2),), POOL[1] | {"count_include_pad": True}),
    "avg_pool2d": (((1, 1, 2, 2),), POOL[2] | {"count_include_pad": True}),
    "batch_norm": (((2, 1), (1,), (1,)), EPS),
    "batch_norm_eval": (((1, 1), (1,), (1,)), EPS | {"mean": (0.0,), "var": (1.0,)}),
    "layer_norm": (((2,), (2,), (2,)), EPS),
    "rms_norm": (((2,), (2,)), EPS),
    "group_norm": (((1, 2), (2,), (2,)), EPS | {"groups": 1}),
    "embedding": (((2, 1),), {"index": (0,)}),
    "scaled_dot_product_attention": (((1, 1), (2, 1), (2, 1)), {"mask": "none"}),
    "dropout_attention": (
        ((1, 1), (2, 1), (2, 1)),
        {"mask": "none", "kept": "10", "p": 0.5},
    ),
    "dropout": (((2,), (2,)), {"p": 0.5}),
    "celu": (((),), {"alpha": 1.0}),
    **dict.fromkeys(("mse", "l1", "bce", "bce_with_logits"), (((2,), (2,)), MEAN)),
    "huber": (((2,), (2,)), MEAN | {"delta": 1.0}),
    "kl_div": (((2,), (2,)), MEAN | {"log_target": False}),
    "nll": (((1, 2),), CLASS),
    "cross_entropy": (((1, 2),), CLASS | {"smoothing": 0.0}),
    "conv3d": (((1, 1, 1, 1, 2), (1, 1, 1, 1, 2), (1,)), CONV[3]),
    **{
        f"conv_transpose{n}d": (
            ((1, 1, *(1,) * (n - 1), 2), (1, 1, *(1,) * (n - 1), 2), (1,)),
            CONV[n] | {"output_padding": (0,) * n},
        )
        for n in (1, 2, 3)
    },
    "max_pool3d": (((1, 1, 2, 2, 2),), POOL[3] | {"dilation": (1, 1, 1)}),
    "avg_pool3d": (((1, 1, 2, 2, 2),), POOL[3] | {"count_include_pad": True}),
    **{
        f"adaptive_{kind}_pool{n}d": (((1, 1, *(1,) * (n - 1), 3),), {"size": SIZES[n]})
        for kind in ("avg", "max")
        for n in (1, 2, 3)
    },
    "lp_pool1d": (((1, 1, 2),), {"p": 2.0, "kernel": (2,), "stride": (1,)}),
    "lp_pool2d": (((1, 1, 2, 2),), {"p": 2.0, "kernel": (2, 2), "stride": (1, 1)}),
    "fractional_max_pool2d": (
        ((1, 1, 3, 3),),
        {"kernel": (2, 2), "size": (2, 2), "samples": (0.5, 0.25)},
    ),
    "max_unpool1d": (((1, 1, 1),), {"index": (1,), "kernel": (2,), "stride": (2,)}),
    "max_unpool2d": (
        ((1, 1, 1, 1),),
        {"index": (1,), "kernel": (2, 2), "stride": (2, 2)},
    ),
    "unfold": (((1, 1, 2, 2),), FOLD),
    "fold": (((1, 2, 4),), FOLD | {"size": (2, 3)}),
    "upsample_nearest": (((1, 1, 2),), {"size": (3,), "exact": False}),
    "upsample_linear1d": (((1, 1, 2),), {"size": (3,), "align_corners": False}),
    **dict.fromkeys(
        ("upsample_bilinear2d", "upsample_bicubic2d"),
        (((1, 1, 1, 2),), {"size": (1, 3), "align_corners": False}),
    ),
    "upsample_trilinear3d": (
        ((1, 1, 1, 1, 2),),
        {"size": (1, 1, 3), "align_corners": False},
    ),
    "grid_sample": (
        ((1, 1, 2, 2), (1, 1, 1, 2)),
        {"mode": "bilinear", "outside": "border", "align_corners": False},
    ),
    "affine_grid": (((1, 2, 3),), {"size": (1, 2), "align_corners": False}),
    "pixel_shuffle": (((4, 1, 1),), {"factor": 2}),
    "pixel_unshuffle": (((1, 2, 2),), {"factor": 2}),
    "channel_shuffle": (((1, 4, 1),), {"groups": 2}),
    "rnn_cell": (CELL[1], {"nonlinearity": "tanh"}),
    "gru_cell": (CELL[3], {}),
    "lstm_cell": (((1, 1), *CELL[4]), {}),
    "bilinear": (((1, 2), (1, 2), (1, 2, 2), (1,)), {}),
    "multi_head_attention": (
        ((1, 1, 2), (1, 2, 2), (1, 2, 2), (6, 2), (6,), (2, 2), (2,)),
        {"heads": 1, "mask": "none", "need_weights": False},
    ),
    "instance_norm": (((1, 1, 3), (1,), (1,)), EPS),
    "local_response_norm": (
        ((1, 2, 1),),
        {"n": 2, "alpha": 0.5, "beta": 0.75, "base": 1.0},
    ),
    "embedding_bag": (((2, 1),), BAG | {"mode": "mean"}),
    "weighted_embedding_bag": (((2, 1), (3,)), BAG),
    "smooth_l1": (((2,), (2,)), MEAN | {"beta": 2.0}),
    "soft_margin": (((2,),), MEAN | {"signs": (1, -1)}),
    "hinge_embedding": (((2,),), MARGIN | {"signs": (1, -1)}),
    "margin_ranking": (((2,), (2,)), MARGIN | {"signs": (1, -1)}),
    "pairwise_distance": (((2,), (2,)), DISTANCE | {"keepdims": False}),
    "cosine_embedding": (((1, 2), (1, 2)), MARGIN | {"signs": (1,)}),
    "triplet_margin": (((1, 2),) * 3, MARGIN | DISTANCE | {"swap": False}),
    "multi_margin": (((1, 2),), CLASS | MARGIN | {"p": 2}),
    "multilabel_margin": (((1, 2),), MEAN | {"target": (0, -1)}),
    "multilabel_soft_margin": (((1, 2), (1, 2)), MEAN | {"weight": None}),
    "poisson_nll": (
        ((2,), (2,)),
        MEAN | {"log_input": True, "full": True, "eps": 1e-8},
    ),
    "gaussian_nll": (((2,),) * 3, MEAN | {"full": True, "eps": 1e-6}),
    "soft_cross_entropy": (
        ((1, 2), (1, 2)),
        MEAN | {"weight": None, "smoothing": 0.0},
    ),
    "ctc": (
        ((2, 1, 2),),
        MEAN | {"target": (1,), "lengths": (1,), "steps": (2,), "blank": 0},
    ),
    **dict.fromkeys(("trace", "diag", "triu", "tril"), (((2, 2),), {"offset": 0})),
    "diagonal": (((2, 2),), {"offset": 0, "axes": (-2, -1)}),
    "kron": (((1, 2), (2, 1)), {}),
    "outer": (((2,), (2,)), {}),
    "cross": (((3,), (3,)), {"axis": (-1,)}),
    **dict.fromkeys(("det", "slogdet", "inv", "pinv"), (((2, 2),), {})),
    "matrix_exp": (((2, 2),), {}),
    "matrix_power": (((2, 2),), {"n": 2}),
    "solve": (((2, 2), (2,)), {"left": True}),
    "solve_triangular": (
        ((2, 2), (2, 1)),
        {"upper": True, "left": True, "unitriangular": False},
    ),
    "lu_solve": (((2, 2), (2, 1)), {"left": True, "adjoint": False}),
    "cholesky": (((2, 2),), {"upper": False}),
    "cholesky_inverse": (((2, 2),), {"upper": False}),
    "cholesky_solve": (((2, 1), (2, 2)), {"upper": False}),
    **dict.fromkeys(("eigvalsh", "eigvals", "svdvals"), (((2, 2),), {})),
    **dict.fromkeys(("eigh", "svd"), (((2, 2),), {"k": 0})),
    "vector_norm": (((2,),), ALL | {"ord": "2"}),
    "matrix_norm": (((2, 2),), {"ord": "fro", "keepdims": False}),
    "normalize": (((2,),), {"p": 2.0, "axis": (-1,), "eps": 1e-8}),
    "cosine_similarity": (((2,), (2,)), {"axis": (-1,), "eps": 1e-8}),
    "cov": (((2, 3),), {"ddof": 1}),
    "cdist": (((1, 2), (1, 2)), {"p": 2.0}),
    "pdist": (((2, 2),), {"p": 2.0}),
    "pinv_singular": (((2, 1), (1, 2)), {}),
    "renorm": (((2, 2),), {"p": 2.0, "axis": (0,), "most": 0.5}),
    "lstsq": (((3, 2), (3, 1)), {}),
    "qr": (((2, 2),), {"part": "q"}),
    "lu": (((2, 2),), {"part": "u", "order": (0, 1)}),
}


def example_case(row: Op, dtype: str) -> Case:
    """The op alone at ordinary numbers, summed up to a scalar."""
    shapes, params = EXAMPLES.get(row.name, (((),) * row.arity, {}))
    below = bool(row.formula) and row.arity == 1
    values = row.domain.moved(
        *(
            np.ones(shape, bool) if i in row.masks else _spread(i, shape, below)
            for i, shape in enumerate(shapes)
        ),
        **params,
    )
    nodes: list[Node] = []
    for i, x in enumerate(values):
        nodes.append(data_leaf(x) if i in row.masks else input_leaf(np.shape(x)))
    nodes.append(apply_op(nodes, row.name, range(len(shapes)), **params))
    if nodes[-1].shape != ():
        nodes.append(apply_op(nodes, "sum", [len(nodes) - 1], axis=None))
    point = tuple(np.asarray(x) for i, x in enumerate(values) if i not in row.masks)
    return Case(Graph(tuple(nodes)), point, dtype)


def _spread(i: int, shape: tuple[int, ...], below: bool) -> Array:
    """Numbers near 1 + i, no two of which are alike; one below 0 for an op that has
    constants there.
    """
    if below:
        return np.full(shape, -2.75)
    count = np.prod(shape, dtype=int)
    return np.linspace(0.75 + i, 1.25 + i, count).reshape(shape)
