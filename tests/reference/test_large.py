"""The reference at many entries: running errors, 25 digits, our own fault found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from mpmath import mp

from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.graph import interpret_all
from gradverify.reference import Doubled, Reference, Slope, reference, sought
from gradverify.reference.bound import _first_order, _running
from gradverify.reference.exact import Exact, exact_gradient
from gradverify.reference.gradient_program import gradient_program
from gradverify.reference.roundings import roundings
from gradverify.suites.large_network import Network

LARGE = Network((72, 60, 10))


@pytest.fixture(scope="module")
def found() -> Reference:
    return reference(LARGE.case)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "softplus"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "single"])
@pytest.mark.parametrize("sizes", [(6, 5, 3), (5, 4, 4, 3)])
def test_running_errors_are_never_less_than_the_sum_over_sites(
    dtype: str, activation: str, loss: str, sizes: tuple[int, ...]
) -> None:
    case = Network(sizes, activation, loss, dtype).case
    program = gradient_program(case.graph, dtype)
    wanted = [program.cotangents[i] for i in program.expansion.graph.inputs]
    targets = [0 if i is None else i for i in wanted]
    found = roundings(program, [case.point], dtype)
    pairs = zip(
        _first_order(found, targets)[0], _running(found, targets)[0], strict=True
    )
    ratios = []
    for sites, run in pairs:
        for kind in ("tight", "loose"):
            less, more = getattr(sites, kind), getattr(run, kind)
            assert np.all(less <= more * (1 + 1e-12))
            ratios += list((more[less > 0] / less[less > 0]).reshape(-1))
    assert np.median(ratios) < 8.0


def test_large_gradients_are_doubled_and_the_digits_are_right(found: Reference) -> None:
    kinds = [isinstance(x, Doubled) for x in found.gradient]
    assert found.status is Slope.SMOOTH
    assert kinds == [True, False, False, False]
    error = found.gradient[0].error(np.zeros((72, 60)))
    assert np.allclose(error.astype(float), np.abs(found.gradient[0].high))


def test_entries_are_products_of_what_they_connect(found: Reference) -> None:
    """∂L/∂v_ij = h_i (softmax_j - t_j), in mpmath without any derivative rule."""
    graph, point = LARGE.case.graph, LARGE.case.point
    with mp.workprec(300):
        inputs = [MULTIPRECISION.lift(x) for x in point]
        values = interpret_all(graph, MULTIPRECISION.table, inputs)
        last = max(i for i, n in enumerate(graph.nodes) if n.op == "matmul")
        h, o = values[graph.nodes[last].operands[0]], values[last] + inputs[3]
        total = mp.fsum(mp.exp(v) for v in o)
        for i, j in [(0, 0), (5, 2), (59, 9), (17, LARGE.place)]:
            closed = h[i] * (mp.exp(o[j]) / total - (j == LARGE.place))
            exact = found.gradient[2][i, j]
            assert abs(exact - closed) < mp.mpf(10) ** -18 * abs(closed)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_error_of_our_own_in_the_22nd_digit_is_ours(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(graph: Any, point: Any) -> Exact | None:
        exact = exact_gradient(graph, point)
        assert exact is not None
        derivative = list(exact.derivative)
        with ctx.workprec(exact.precision):
            derivative[place] = derivative[place] * (1 + arb(2) ** -72)
        return replace(exact, derivative=derivative)

    monkeypatch.setattr(sought, "exact_gradient", spoiled)
    found = reference(LARGE.case)
    assert found.status is Slope.UNRESOLVED
    assert "error of gradverify" in found.note
