"""The 3-16-2 network with ReLU, in every way in which every engine can be asked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import Lowered, load, present
from gradverify.graph import Graph
from gradverify.questions import SECOND, contracted, up_to
from gradverify.reference import USUAL_ROUNDING, Slope
from gradverify.reference.assemble import reference_sought
from gradverify.reference.sought import SOUGHT
from gradverify.suites.textbook import (
    TEXTBOOK,
    WIDE_BIASES,
    WIDE_POINT,
    WIDE_READOUT,
    WIDE_WEIGHTS,
)

(ROW,) = TEXTBOOK["relu-3-16-2-whole"]
CASE = ROW.case()
UP = WIDE_WEIGHTS @ WIDE_POINT + WIDE_BIASES > 0
JACOBIAN = WIDE_READOUT * UP @ WIDE_WEIGHTS  # of both outputs by the three inputs

# The sum of that Jacobian differentiated again: by the inputs and the biases nothing.
AGAIN = (
    np.zeros(3),
    np.outer(UP * WIDE_READOUT.sum(axis=0), np.ones(3)),
    np.zeros(16),
    np.outer(np.ones(2), UP * WIDE_WEIGHTS.sum(axis=1)),
    np.zeros(2),
)
ONES = (np.ones(3), None, None, None, None)

BACK_TWICE = "reverse-over-reverse"
SAY_NONE = ("own-tape", "torch-cpu")  # of what is not connected; others give zeros

ENGINES = ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")


def modes(kind: str) -> list[Any]:
    """The modes of a kind that the engines here have, as parameters of a test."""
    return [
        pytest.param(name, mode, id=f"{name}:{mode}")
        for name in ENGINES
        if not isinstance(present(name), str)
        for mode, declared in load(name).modes().items()
        if declared.kind == kind
    ]


def called(
    name: str, mode: str, *more: Any, array: bool, graph: Graph = CASE.graph
) -> Any:
    """What a mode gives, called as a run calls it: warnings are noted, not raised.

    PyTorch compiles a few of its rules by `torch.jit.script`, of which it warns itself.
    """
    who = load(name)
    graph = up_to(graph, contracted(graph).node) if array else graph
    function = Lowered(graph, who.table, "float64")
    method = who.modes()[mode].__get__(who, type(who))
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        return method(function, [np.array(x) for x in CASE.point], *more)


def is_close(got: Any, exact: Any) -> bool:
    """Whether numbers agree; None is right for zeros."""
    if got is None:
        return not np.any(exact)
    return np.shape(got) == exact.shape and np.allclose(got, exact, rtol=0, atol=1e-13)


def test_the_reference_knows_the_sum_of_the_jacobian_differentiated_again() -> None:
    sought = SOUGHT[SECOND](CASE, USUAL_ROUNDING, ONES)
    found = reference_sought(CASE, sought, USUAL_ROUNDING)
    assert found.status is Slope.SMOOTH
    for got, exact in zip(found.gradient, AGAIN, strict=True):
        assert is_close(got.astype(float), exact)


@pytest.mark.parametrize(("name", "mode"), modes("hvp"))
def test_the_sum_of_the_jacobian_is_differentiated_again(name: str, mode: str) -> None:
    takes_none = load(name).accepts.absent_tangents
    tangents = [
        np.zeros_like(x) if v is None and not takes_none else v
        for v, x in zip(ONES, CASE.point, strict=True)
    ]
    found = called(name, mode, tangents, array=False)
    assert [
        k
        for k, (got, exact) in enumerate(zip(found.cotangents, AGAIN, strict=True))
        if not is_close(got, exact)
    ] == []


def test_without_an_activation_nothing_connects_the_jacobian_and_the_inputs() -> None:
    """Reverse mode says None of the inputs and biases; the weights are connected."""
    shapes = [x.shape for x in CASE.point]
    linear = trace(lambda x, w, b, v, c: m.sum(v @ (w @ x + b) + c, axis=None), *shapes)
    names = [p.values[0] for p in modes("hvp") if p.values[1] == BACK_TWICE]
    assert {"own-tape", "autograd"} <= {*names}
    for name in names:
        tangents = [
            np.zeros_like(x) if v is None and name == "jax" else v
            for v, x in zip(ONES, CASE.point, strict=True)
        ]
        found = called(name, BACK_TWICE, tangents, array=False, graph=linear).cotangents
        unconnected = [k for k, got in enumerate(found) if got is None]
        assert unconnected == ([0, 2, 4] if name in SAY_NONE else [])
        assert not any(np.any(found[k]) for k in (0, 2, 4) if found[k] is not None)
        ones, inner = np.ones((2, 1)), WIDE_READOUT.sum(axis=0)
        assert is_close(found[1], np.outer(inner, np.ones(3)))
        assert is_close(found[3], ones * WIDE_WEIGHTS.sum(axis=1))


@pytest.mark.parametrize(("name", "mode"), modes("jacobian"))
def test_the_jacobian_has_two_rows_and_three_columns(name: str, mode: str) -> None:
    found = called(name, mode, array=True)
    assert is_close(np.asarray(found.cotangents[0]), JACOBIAN)


@pytest.mark.parametrize(("name", "mode"), modes("vjp"))
def test_grad_outputs_of_ones_are_the_sum_of_the_rows(name: str, mode: str) -> None:
    found = called(name, mode, np.ones(2), array=True)
    assert is_close(np.asarray(found.cotangents[0]), JACOBIAN.sum(axis=0))


@pytest.mark.parametrize(("name", "mode"), modes("jvp"))
def test_a_tangent_of_ones_is_the_sum_of_the_columns(name: str, mode: str) -> None:
    tangents = [np.ones(3), *(np.zeros_like(x) for x in CASE.point[1:])]
    found = called(name, mode, tangents, array=True)
    assert is_close(np.asarray(found.tangent), JACOBIAN.sum(axis=1))
