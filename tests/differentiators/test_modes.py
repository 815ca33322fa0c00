"""Every mode of every built-in engine, against derivatives worked out by hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gradverify.differentiators import Differentiator, load
from gradverify.differentiators.protocol import Lowered
from gradverify.graph import Graph, Node, apply_op, data_leaf, input_leaf
from gradverify.suites.textbook import TEXTBOOK

ENGINES = ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")
SOURCE = np.random.default_rng(17)
MASK = np.array([[True, False, True], [False, True, True]])
MATRIX, OTHER = SOURCE.uniform(0.5, 1.5, (2, 2, 3))
COLUMN, VECTOR = SOURCE.uniform(0.5, 1.5, (2, 3))
SIGNAL, KERNEL = SOURCE.uniform(-1.0, 1.0, 5), SOURCE.uniform(-1.0, 1.0, 2)


@dataclass(frozen=True)
class Row:
    """An op at a point, with its Jacobian and the Hessian of sum(w * y), by hand.

    jacobian: one block of shape `y.shape + x.shape` for each input. hessian: from w to
    rows of blocks.
    """

    op: str
    point: Sequence[Any]
    params: Mapping[str, Any]
    jacobian: Sequence[Any]
    hessian: Callable[[Any], Sequence[Sequence[Any]]]
    masks: Sequence[Any] = ()

    def graph(self, weights: Any = None) -> Graph:
        """The op with an array for its result; with weights, contracted to a scalar."""
        nodes: list[Node] = [data_leaf(m) for m in self.masks]
        nodes += [input_leaf(np.shape(x)) for x in self.point]
        nodes.append(apply_op(nodes, self.op, range(len(nodes)), **self.params))
        if weights is not None:
            nodes.append(data_leaf(weights))
            nodes.append(apply_op(nodes, "mul", [len(nodes) - 2, len(nodes) - 1]))
            if nodes[-1].shape:
                nodes.append(apply_op(nodes, "sum", [len(nodes) - 1], axis=None))
        return Graph(tuple(nodes))


def diagonal(x: Any) -> Any:
    """An array as the diagonal of a block of shape `x.shape + x.shape`."""
    return np.diag(np.ravel(x)).reshape(np.shape(x) * 2)


def soft(x: Any) -> Any:
    e = np.exp(x)
    return e / e.sum()


S = soft(VECTOR)
SOFT = np.diag(S) - np.outer(S, S)
# how far each softmax is from each entry, and how that changes
AWAY = np.eye(3) - S[None, :]
BENT = S[:, None, None] * (AWAY[:, :, None] * AWAY[:, None, :] - SOFT[None, :, :])
SHIFTED = np.stack([np.stack([SIGNAL[k : k + 4] for k in range(2)], -1)])
EYE2, EYE3 = np.eye(2), np.eye(3)
ONES = np.ones((2, 3))


def conv_by_signal(kernel: Any) -> Any:
    found = np.zeros((4, 5))
    for i in range(4):
        found[i, i : i + 2] = kernel
    return found.reshape(1, 1, 4, 1, 1, 5)


def conv_mixed(w: Any) -> Any:
    """d2 sum(w * y) by the signal and the kernel."""
    found = np.zeros((5, 2))
    for i in range(4):
        for k in range(2):
            found[i + k, k] += w[0, 0, i]
    return found.reshape(1, 1, 5, 1, 1, 2)


def none(*shapes: Any) -> list[list[Any]]:
    return [[np.zeros(a + b) for b in shapes] for a in shapes]


def mixed(block: Any, first: Any, second: Any, rank: int) -> list[list[Any]]:
    """The Hessian of what is linear in each of two inputs; `rank` is the first's."""
    axes = (*range(rank, block.ndim), *range(rank))
    return [[np.zeros(first * 2), block], [block.transpose(axes), np.zeros(second * 2)]]


CONV = {"stride": (1,), "padding": (0,), "dilation": (1,), "groups": 1}
X, K, B = SIGNAL[None, None], KERNEL[None, None], np.array([0.5])
ROWS = (
    Row(
        "sin", [MATRIX], {}, [diagonal(np.cos(MATRIX))],
        lambda w: [[diagonal(-w * np.sin(MATRIX))]],
    ),
    Row(
        "mul", [MATRIX, VECTOR], {},
        [diagonal(VECTOR * ONES), np.einsum("ij,jk->ijk", MATRIX, EYE3)],
        lambda w: mixed(np.einsum("ij,jk->ijk", w, EYE3), (2, 3), (3,), 2),
    ),
    Row(
        "div", [MATRIX, OTHER], {},
        [diagonal(1 / OTHER), diagonal(-MATRIX / OTHER**2)],
        lambda w: [[np.zeros((2, 3, 2, 3)), diagonal(-w / OTHER**2)],
                   [diagonal(-w / OTHER**2), diagonal(2 * w * MATRIX / OTHER**3)]],
    ),
    Row(
        "matmul", [MATRIX, OTHER.T], {},
        [np.einsum("ik,jl->ijkl", EYE2, OTHER), np.einsum("ik,jl->ijkl", MATRIX, EYE2)],
        lambda w: mixed(np.einsum("ik,jl->ijlk", w, EYE3), (2, 3), (3, 2), 2),
    ),
    Row(
        "mean", [MATRIX], {"axis": (1,), "keepdims": False},
        [np.einsum("ik,l->ikl", EYE2, np.ones(3) / 3)],
        lambda w: none((2, 3)),
    ),
    Row(
        "logsumexp", [VECTOR], {"axis": (0,), "keepdims": False},
        [S], lambda w: [[w * SOFT]],
    ),
    Row(
        "softmax", [VECTOR], {"axis": (-1,)},
        [SOFT], lambda w: [[np.einsum("i,ijk->jk", w, BENT)]],
    ),
    Row(
        "where", [MATRIX, OTHER], {},
        [diagonal(1.0 * MASK), diagonal(1.0 * ~MASK)],
        lambda w: none((2, 3), (2, 3)), [MASK],
    ),
    Row(
        "embedding", [MATRIX], {"index": (1, 0, 1)},
        [np.einsum("ik,jl->ijkl", EYE2[[1, 0, 1]], EYE3)], lambda w: none((2, 3)),
    ),
    Row(
        "conv1d", [X, K, B], CONV,
        [conv_by_signal(KERNEL), SHIFTED.reshape(1, 1, 4, 1, 1, 2),
         np.ones((1, 1, 4, 1))],
        lambda w: [
            [np.zeros((1, 1, 5) * 2), conv_mixed(w), np.zeros((1, 1, 5, 1))],
            [conv_mixed(w).transpose(3, 4, 5, 0, 1, 2), np.zeros((1, 1, 2) * 2),
             np.zeros((1, 1, 2, 1))],
            [np.zeros((1, 1, 1, 5)), np.zeros((1, 1, 1, 2)), np.zeros((1, 1))],
        ],
    ),
    Row(
        "linear", [MATRIX, OTHER, COLUMN[:2]], {},
        [np.einsum("ik,jl->ijkl", EYE2, OTHER), np.einsum("jk,il->ijkl", EYE2, MATRIX),
         np.einsum("i,jk->ijk", np.ones(2), EYE2)],
        lambda w: [
            [np.zeros((2, 3) * 2), np.einsum("ik,jl->ijkl", w, EYE3),
             np.zeros((2, 3, 2))],
            [np.einsum("ki,jl->ijkl", w, EYE3), np.zeros((2, 3) * 2),
             np.zeros((2, 3, 2))],
            [np.zeros((2, 2, 3)), np.zeros((2, 2, 3)), np.zeros((2, 2))],
        ],
    ),
    Row(
        "mse", [MATRIX, OTHER], {"reduction": "mean"},
        [(MATRIX - OTHER) / 3, (OTHER - MATRIX) / 3],
        lambda w: [[w * diagonal(ONES / 3), -w * diagonal(ONES / 3)],
                   [-w * diagonal(ONES / 3), w * diagonal(ONES / 3)]],
    ),
)  # fmt: skip


def engine(name: str) -> Differentiator:
    found = load(name)
    if reason := found.available():
        pytest.skip(reason)
    return found


def called(
    who: Differentiator, mode: str, graph: Graph, point: Any, *given: Any
) -> Any:
    """What a mode's method returns for copies of the numbers."""
    method = who.modes()[mode].__get__(who, type(who))
    function = Lowered(graph, who.table, "float64")
    with warnings.catch_warnings():  # of what is deprecated in the library itself
        warnings.simplefilter("ignore")
        return method(function, [np.array(x) for x in point], *given)


def contracted(block: Any, tangent: Any, rank: int) -> Any:
    """A block of a matrix times a tangent, over its last axes."""
    return np.tensordot(block, tangent, rank)


def along(blocks: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The sum of blocks times tangents, of which some are None."""
    return sum(
        contracted(b, t, np.ndim(t))
        for b, t in zip(blocks, tangents, strict=True)
        if t is not None
    )


Answer = tuple[Any, Any]  # what came back, what is right


def answers(who: Differentiator, mode: str, row: Row) -> Iterator[Answer]:
    """What the mode says of the row, asked with numbers that hide nothing."""
    source = np.random.default_rng(len(mode))
    shape = row.graph().output.shape
    w = source.uniform(-2.0, 2.0, shape)
    tangents: list[Any] = [source.uniform(-2.0, 2.0, np.shape(x)) for x in row.point]
    asked = (tangents, [*tangents[:-1], None], [None] * len(tangents))
    array, scalar = row.graph(), row.graph(w)
    kind, hessian = who.modes()[mode].kind, row.hessian(w)
    pulled = [np.tensordot(w, b, np.ndim(w)) for b in row.jacobian]
    if kind == "vjp":
        yield from zip(
            called(who, mode, array, row.point, w).cotangents, pulled, strict=True
        )
    elif kind == "gradient":
        yield from zip(
            called(who, mode, scalar, row.point).cotangents, pulled, strict=True
        )
    elif kind == "jvp":
        for v in asked:
            pushed = called(who, mode, array, row.point, v)
            yield pushed.tangent, along(row.jacobian, v) + np.zeros(shape)
    elif kind == "hvp":
        for v in asked:
            found = called(who, mode, scalar, row.point, v).cotangents
            for got, blocks, x in zip(found, hessian, row.point, strict=True):
                yield got, along(blocks, v) + np.zeros(np.shape(x))
    elif kind == "jacobian":
        found = called(who, mode, array, row.point).cotangents
        yield from zip(found, row.jacobian, strict=True)
    else:
        found = called(who, mode, scalar, row.point).cotangents
        for blocks, right in zip(found, hessian, strict=True):
            yield from zip(blocks, right, strict=True)


def is_right(got: Any, wanted: Any) -> bool:
    """Whether it is equal to 12 digits; None is right for zeros alone."""
    if got is None:
        return not np.any(wanted)
    is_close = np.shape(got) == np.shape(wanted) and np.allclose(
        got, wanted, rtol=1e-12, atol=1e-13
    )
    return bool(is_close)


LACKED = {  # what PyTorch has an error for, which ABSENT of the test below says
    ("torch-cpu", "reverse-over-forward", "logsumexp"),
    ("torch-cpu", "reverse-over-forward", "softmax"),
    ("torch-cpu", "forward-over-reverse", "mse"),
}


def pairs(name: str, rows: Sequence[Row]) -> list[Any]:
    return [
        pytest.param(name, mode, row, id=f"{name}:{mode}-{row.op}")
        for mode in load(name).modes()
        for row in rows
        if (name, mode, row.op) not in LACKED
    ]


@pytest.mark.parametrize(
    ("name", "mode", "row"), [p for n in ENGINES[:4] for p in pairs(n, ROWS)]
)
def test_a_mode_gives_what_is_worked_out_by_hand(
    name: str, mode: str, row: Row
) -> None:
    found = list(answers(engine(name), mode, row))
    assert found
    assert not [pair for pair in found if not is_right(*pair)]


@pytest.mark.parametrize(("name", "mode", "row"), pairs("jax", ROWS[2:3]))
def test_a_mode_of_jax_gives_what_is_worked_out_by_hand(
    name: str, mode: str, row: Row
) -> None:
    found = list(answers(engine(name), mode, row))
    assert found
    assert not [pair for pair in found if not is_right(*pair)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode", "row"), pairs("jax", [*ROWS[:2], *ROWS[3:]]))
def test_a_mode_of_jax_gives_it_for_other_ops(name: str, mode: str, row: Row) -> None:
    found = list(answers(engine(name), mode, row))
    assert found
    assert not [pair for pair in found if not is_right(*pair)]


# ---- what is left behind, what is added up, what is not connected


def square() -> Graph:
    """a * a: one input, used twice, and another one that is not used."""
    nodes = [input_leaf((2,)), input_leaf((2,))]
    return Graph((*nodes, apply_op(nodes, "mul", [0, 0])))


A, UNUSED, CT = np.array([1.5, -2.0]), np.array([3.0, 4.0]), np.array([0.5, 3.0])

NONE_FOR_UNUSED = {
    ("torch-cpu", "reverse"), ("torch-cpu", "backward"), ("torch-cpu", "aot"),
    ("own-tape", "reverse"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENGINES)
def test_an_input_that_is_used_twice_and_one_that_is_not(name: str) -> None:
    """None for what is not connected where that is the library's word, else zeros."""
    who, found = engine(name), {}
    for mode, declared in who.modes().items():
        if declared.kind == "vjp":
            first, second = called(who, mode, square(), [A, UNUSED], CT).cotangents
            np.testing.assert_array_equal(first, 2 * A * CT)
            assert second is None or not np.any(second)
            found[name, mode] = second is None
    assert {pair for pair, is_none in found.items() if is_none} == {
        pair for pair in NONE_FOR_UNUSED if pair[0] == name
    }


@pytest.mark.parametrize("name", ["own-tape", "autograd", "torch-cpu"])
def test_a_gradient_asked_for_again_is_the_same(name: str) -> None:
    """Also after second derivatives, which keep graphs."""
    who = engine(name)
    row, w = ROWS[2], np.linspace(0.5, 2.0, 6).reshape(2, 3)
    before = called(who, "reverse", row.graph(), row.point, w).cotangents
    for mode, declared in who.modes().items():
        if declared.kind == "hvp":
            called(who, mode, row.graph(w), row.point, list(row.point))
    after = called(who, "reverse", row.graph(), row.point, w).cotangents
    assert len(before) == len(after) == 2
    np.testing.assert_array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_pytorch_goes_back_once_unless_the_graph_is_kept() -> None:
    torch = pytest.importorskip("torch")
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_an_accumulation_that_overwrites_is_seen_by_backward_alone() -> None:
    """A leaf that keeps the newest gradient in place of their sum."""
    torch = pytest.importorskip("torch")
    from gradverify.differentiators.pytorch import TorchCpu

    def overwrite(x: Any) -> None:
        seen = getattr(x, "seen", torch.zeros_like(x))
        x.seen, x.grad = x.grad.clone(), x.grad - seen

    class Overwriting(TorchCpu):  # type: ignore[misc]
        def _leaves(self, point: Sequence[Any]) -> list[Any]:
            found = super()._leaves(point)
            for x in found:
                x.register_post_accumulate_grad_hook(overwrite)
            return found

    wrong, right = Overwriting(), 2 * A * CT
    found = called(wrong, "backward", square(), [A, UNUSED], CT).cotangents[0]
    np.testing.assert_array_equal(found, right / 2)
    found = called(wrong, "reverse", square(), [A, UNUSED], CT).cotangents[0]
    np.testing.assert_array_equal(found, right)


def test_a_batching_rule_that_mixes_examples_is_seen_by_vmapped_alone() -> None:
    torch = pytest.importorskip("torch")
    from gradverify.differentiators.pytorch import TorchCpu

    class Mixing(torch.autograd.Function):  # type: ignore[misc,name-defined]
        """2 * x, whose batching rule shifts the examples by one."""

        @staticmethod
        def forward(x: Any) -> Any:
            return 2 * x

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            pass

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            return 2 * ct

        @staticmethod
        def vmap(info: Any, dims: Any, x: Any) -> Any:
            return Mixing.apply(x.roll(1, 0)), 0

    who = TorchCpu()
    who.table = {**who.table, "neg": Mixing.apply}  # type: ignore[misc]
    graph = Graph((input_leaf((2,)), Node("neg", (0,), {}, (2,))))
    squared = [*graph.nodes]
    squared.append(apply_op(squared, "mul", [1, 1]))
    for mode, is_right in (("func", True), ("reverse", True), ("vmapped", False)):
        found = called(who, mode, Graph(tuple(squared)), [A], CT).cotangents[0]
        assert np.array_equal(found, 8 * A * CT) == is_right


# ---- the sum of the Jacobian of a network of the textbook, differentiated again


@pytest.mark.parametrize("name", ENGINES)
def test_the_summed_jacobian_of_a_relu_network_is_differentiated_again(
    name: str,
) -> None:
    """1' V diag(up) W 1 is the Hessian of the summed outputs times ones of x alone.

    By x and by the biases it is 0, or None where nothing connects them; by the weights
    it is what the chain rule gives by hand.
    """
    who = engine(name)
    (row,) = TEXTBOOK["relu-3-16-2-whole"]
    x, w, b, v, _ = row.point
    up = np.where(w @ x + b > 0, 1.0, 0.0)
    by_hand = (
        np.zeros(3), np.outer(v.sum(axis=0) * up, np.ones(3)), np.zeros(16),
        np.outer(np.ones(2), up * w.sum(axis=1)), np.zeros(2),
    )  # fmt: skip
    ones = [np.ones(3), *[None] * 4]
    pairs = [m for m, declared in who.modes().items() if declared.kind == "hvp"]
    assert pairs
    for mode in pairs:
        found = called(who, mode, row.graph, row.point, ones).cotangents
        for got, wanted in zip(found, by_hand, strict=True):
            filled = np.zeros(wanted.shape) if got is None else got
            np.testing.assert_allclose(filled, wanted, rtol=1e-14, atol=0)
