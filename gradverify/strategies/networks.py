"""Strategies of networks: random layers, weights, losses and data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradverify.formats import check_dtype
from gradverify.graph import Case, Limits
from gradverify.ops import OPS
from gradverify.strategies.choices import Ending, Input, OpChoice
from gradverify.strategies.draft import Scope
from gradverify.strategies.ending import finished
from gradverify.strategies.net import LayerChoice, Net, NetStyle
from gradverify.strategies.points import CHOICE, VALUES, Values
from gradverify.strategies.single_op import alone

# What an activation may be, simplest first; some kinked, some that saturate.
ACTIVATIONS = (
    "relu", "tanh", "sigmoid", "gelu", "silu", "leaky_relu", "elu", "softplus", "relu6",
    "celu", "selu", "mish", "hardswish", "hardtanh", "softsign", "log_sigmoid", "abs",
    "sin",
)  # fmt: skip
# The axis along which the weights of a norm lie, where the operand has it.
NORMS = {
    "layer_norm": -1,
    "rms_norm": -1,
    "batch_norm": 1,
    "group_norm": 1,
    "batch_norm_eval": 1,
}
WINDOWS = ("max_pool", "avg_pool")


# ---- layers


def dense(net: Net, layer: LayerChoice) -> None:
    """A layer of weights, perhaps with a norm, an activation and a skip."""
    before = net.here
    net.linear(1 + layer.width % 3, shared=layer.extra % 7 == 6, dead=layer.extra == 5)
    if layer.extra % 3 == 1:
        norm(net, layer)
    activation(net, layer.activation)
    if layer.extra % 11 == 10:
        net.dropout(layer.width)
    if layer.extra % 4 == 2 and net.shape == net.shape_of(before):
        net.apply("add", net.here, before)


def activation(net: Net, choice: int) -> None:
    """One of the activations, or none for a few of the choices."""
    if choice % 20 < len(ACTIVATIONS):
        net.chosen(ACTIVATIONS[choice % 20], choice // 20, net.here)


def norm(net: Net, layer: LayerChoice) -> None:
    """One of the norms that fit, with weights of its own."""
    op, axis = tuple(NORMS.items())[layer.kind % len(NORMS)]
    width = net.shape[axis if axis < len(net.shape) else -1]
    weights = [net.leaf((width,)) for _ in range(OPS[op].arity - 1)]
    net.chosen(op, layer.extra, net.here, *weights)


def windowed(net: Net, layer: LayerChoice) -> None:
    """A convolution, perhaps a norm, an activation, perhaps a pooling."""
    before, space = net.here, net.shape[2:]
    if not space:
        return dense(net, layer)
    groups = net.shape[1] if layer.kind % 3 == 2 else 1
    outputs = groups * (1 + layer.width % 2)
    kernel = tuple(min(n, 1 + (layer.width // 3 + k) % 2) for k, n in enumerate(space))
    weights = net.leaf((outputs, net.shape[1] // groups, *kernel))
    fits = {"groups": groups}
    op = f"conv{len(space)}d"
    net.chosen(op, layer.extra, net.here, weights, net.leaf((outputs,)), **fits)
    if layer.extra % 3 == 1:
        norm(net, layer)
    activation(net, layer.activation)
    if layer.kind % 4 == 1 and len(net.shape) > 2:
        op = f"{WINDOWS[layer.kind // 4 % 2]}{len(space)}d"
        net.chosen(op, layer.width, net.here)
    if layer.extra % 4 == 2 and net.shape == net.shape_of(before):
        net.apply("add", net.here, before)
    return None


def normed(net: Net, layer: LayerChoice) -> None:
    """A norm, then an activation or a layer of weights."""
    norm(net, layer)
    if layer.extra % 2:
        activation(net, layer.activation)
    elif len(net.shape) == 2:
        net.linear(1 + layer.width % 3)


def attending(net: Net, layer: LayerChoice) -> None:
    """Queries, keys and values of one sequence, attention, a skip and a norm."""
    before, width = net.here, net.shape[-1]
    parts = []
    for k in range(3):
        net.here = before
        net.linear(width, shared=layer.extra % 5 == 4 and k > 0)
        parts.append(net.here)
    net.here = before
    net.chosen("scaled_dot_product_attention", layer.extra, *parts)
    if net.shape == net.shape_of(before) and layer.extra % 4:
        net.apply("add", net.here, before)
    if layer.width % 3:
        norm(net, layer._replace(kind=layer.width))
    activation(net, layer.activation)


def step(net: Net, layer: LayerChoice) -> None:
    """One more step in time.

    It combines the state with what is seen; all steps share weights.
    """
    state = net.state = net.here if net.state is None else net.state
    place = {"axis": (0,), "start": net.time, "stop": net.time + 1}
    net.time += 1
    if not net.apply("slice", net.seen, **place):
        return
    width = net.shape_of(net.seen)[-1]
    net.linear(width, shared=net.time > 1)
    seen, net.here = net.here, state
    if net.time == 1:
        net.recurrent = net.weights(width, width)
    net.apply("linear", state, *net.recurrent)
    net.apply("add", net.here, seen)
    net.chosen(("tanh", "sigmoid", "relu")[layer.activation % 3], 0, net.here)
    net.state = net.here


# ---- what a network begins with


def table(net: Net, sizes: LayerChoice) -> None:
    """Samples by features."""
    net.begin((1 + sizes.kind % 3, 1 + sizes.width % 3))


def space(net: Net, sizes: LayerChoice) -> None:
    """Samples, channels, and one or two axes of space."""
    around = (3,) if sizes.activation % 2 else (3, 2 + sizes.activation // 2 % 2)
    net.begin((1 + sizes.kind % 2, 1 + sizes.width % 2, *around))


def features(net: Net, sizes: LayerChoice) -> None:
    """Samples by channels, half of them in space."""
    if sizes.activation % 2:
        return space(net, sizes)
    return net.begin((2 + sizes.kind % 2, 2 + sizes.width % 3))


def sequence(net: Net, sizes: LayerChoice) -> None:
    """Tokens by features: given vectors, or rows of a table, some of them twice."""
    length, width = 2 + sizes.kind % 2, 1 + sizes.width % 3
    if sizes.activation % 2:
        net.begin((length, width) if sizes.extra % 2 else (1, length, width))
        return
    net.here = net.put(net.leaf((2 + sizes.extra % 2, width)))
    index = tuple(k * k % (2 + sizes.extra % 2) for k in range(length))
    net.apply("embedding", net.here, index=index)


def series(net: Net, sizes: LayerChoice) -> None:
    """Steps in time by features, and a state to begin with."""
    width = 1 + sizes.width % 3
    net.begin((4, width))
    net.seen = net.here
    net.here = net.put(net.leaf((1, width)))


FAMILIES: Mapping[str, tuple[Callable[..., None], Callable[..., None], int]] = {
    "mlp": (table, dense, 4),
    "conv": (space, windowed, 2),
    "norm": (features, normed, 3),
    "attention": (sequence, attending, 2),
    "recurrent": (series, step, 4),
    "losses": (table, dense, 1),
}
"""What a family begins with, what it is made of, and how many layers it has at most."""


# ---- losses

# What a loss expects of the output before it, as an op with its params, and what its
# target is: "classes" are params, others are data.
# fmt: off
LOSSES: Mapping[str, tuple[tuple[str, Mapping[str, Any]] | None, str]] = {
    "mse":             (None,                            "numbers"),
    "cross_entropy":   (None,                            "classes"),
    "bce_with_logits": (None,                            "numbers"),
    "nll":             (("log_softmax", {"axis": (-1,)}), "classes"),
    "huber":           (None,                            "numbers"),
    "l1":              (None,                            "numbers"),
    "kl_div":          (("log_softmax", {"axis": (-1,)}), "probabilities"),
    "bce":             (("sigmoid", {}),                 "probabilities"),
}
# fmt: on


def loss(net: Net, choice: LayerChoice) -> None:
    """A loss of the network's output, as samples by classes, and of a target."""
    op = tuple(LOSSES)[choice.kind % len(LOSSES)]
    before, target = LOSSES[op]
    rows = 1 if len(net.shape) < 2 else net.shape[0]
    net.apply("reshape", net.here, shape=(rows, int(np.prod(net.shape)) // rows))
    if choice.width % 3 or net.shape[1] < 2:
        net.linear(2 + choice.width % 2, scale=1000.0 if choice.extra % 9 == 8 else 1.0)
    if before is not None:
        net.apply(before[0], net.here, **before[1])
    if target == "classes":
        net.chosen(op, choice.extra, net.here)
    else:
        data = net.target(choice.activation, probable=target == "probabilities")
        net.chosen(op, choice.extra, net.here, data)


def networks(
    *,
    family: str | None = None,
    depth: int | None = None,
    dtype: str = "float64",
) -> st.SearchStrategy[Case]:
    """Random networks with their weights, data and loss.

    family: one of `FAMILIES`; all of them unless given.
    depth: the largest number of layers; unless given, the family decides.

    The data may be differentiated or not. Batches of one sample, dead units, saturated
    logits, shared weights and skips occur. A layer that does not fit is left out. A
    network shrinks to one layer with one weight. Raises `ValueError` for an unknown
    family or dtype, or a depth under 1.
    """
    if family is not None and family not in FAMILIES:
        raise ValueError(f"family {family!r} is unknown; allowed: {[*FAMILIES]}")
    check_dtype(dtype)
    if depth is not None and depth < 1:
        raise ValueError(f"depth={depth}; a network has at least 1 layer")
    if family is None:
        return st.one_of(
            [networks(family=f, depth=depth, dtype=dtype) for f in FAMILIES]
        )
    begin, layer, most = FAMILIES[family]
    four = st.tuples(CHOICE, CHOICE, CHOICE, CHOICE)
    drawn = st.tuples(
        four,
        st.lists(four, min_size=1, max_size=depth or most),
        four,
        st.tuples(CHOICE, VALUES),
        CHOICE,
    )

    def case(found: Any) -> Case:
        sizes, layers, end, (style, values), weights = found
        net = Net(NetStyle(style, Values(*values)), Scope((), LAYERS, dtype))
        with np.errstate(all="ignore"):
            begin(net, LayerChoice(*sizes))
            for choices in layers:
                layer(net, LayerChoice(*choices))
            loss(net, LayerChoice(*end))
            return _ended(net, weights)

    return drawn.map(case)


LAYERS = Limits(empty=False, literals=False)
"""What networks are made of."""


def _ended(net: Net, weights: int) -> Case:
    """The finished case.

    If nothing could be put on the data, a case of one layer alone.
    """
    if net.draft.sinks():
        case = finished(net.draft, Ending(0, weights))
        if case.point:
            return case
    plain = Input(0, Values(0, [0]))
    scope = Scope(("linear",), LAYERS, net.dtype)
    return alone(OpChoice("linear", 0, 0, 0), [plain] * 3, Ending(), scope)
