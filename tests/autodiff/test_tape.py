"""The tape: what it promises beyond the numbers."""

from __future__ import annotations

import timeit
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.balls import BALLS
from gradverify.autodiff import Dual, Tape
from gradverify.graph import Graph, apply_op, data_leaf, input_leaf, interpret


def test_the_example_of_every_textbook() -> None:
    tape = Tape()
    x = tape.variable(np.array(2.0))
    y = np.sin(x) * x + 3.0
    assert tape.gradient(y, [x]) == [np.cos(2.0) * 2.0 + np.sin(2.0)]


def test_an_operand_used_twice_counts_twice() -> None:
    tape = Tape()
    x = tape.variable(3.0)
    assert tape.gradient(x * x + x, [x]) == [7.0]


def test_what_is_not_connected_has_zeros_of_its_shape_and_dtype() -> None:
    tape = Tape()
    x, z = tape.variable(1.0), tape.variable(np.ones(2, np.float32))
    (gradient,) = tape.gradient(x * 2.0, [z])
    np.testing.assert_array_equal(gradient, np.zeros(2, np.float32))
    assert gradient.dtype == np.float32


def test_what_is_not_connected_is_none_among_all_cotangents() -> None:
    tape = Tape()
    x, z = tape.variable(1.0), tape.variable(2.0)
    found = tape.cotangents({x * 3.0: 1.0})
    assert (found[x.index], found[z.index]) == (3.0, None)


def test_several_seeds_add_up() -> None:
    tape = Tape()
    x = tape.variable(2.0)
    a, b = x * 3.0, x * x
    assert tape.cotangents({a: 10.0, b: 1.0, x: 0.5})[x.index] == 34.5


def test_seeds_with_different_leading_axes_are_refused() -> None:
    tape = Tape()
    x = tape.variable(2.0)
    with pytest.raises(ValueError, match="all seeds must have the same leading axes"):
        tape.cotangents({x: 1.0, x * 2.0: np.ones(3)})


def test_a_cotangent_of_the_wrong_shape_is_refused() -> None:
    tape = Tape()
    x = tape.variable(np.ones(3))
    with pytest.raises(ValueError, match=r"shape \(2,\) does not fit .* shape \(3,\)"):
        tape.pullback(x * 2.0, np.ones(2), [x])


def test_only_a_scalar_has_a_gradient() -> None:
    tape = Tape()
    x = tape.variable(np.ones(3))
    with pytest.raises(ValueError, match=r"y has shape \(3,\); only a scalar"):
        tape.gradient(x * 2.0, [x])


def test_variables_of_two_tapes_do_not_meet() -> None:
    a, b = Tape().variable(1.0), Tape().variable(2.0)
    with pytest.raises(ValueError, match="operands of add belong to two tapes"):
        a + b
    with pytest.raises(ValueError, match="operands of where belong to two tapes"):
        np.where(True, a, b)


def test_another_tape_is_not_asked_for_a_gradient() -> None:
    tape = Tape()
    x = tape.variable(1.0)
    with pytest.raises(ValueError, match="belongs to another tape"):
        Tape().gradient(x, [x])
    with pytest.raises(TypeError, match="is no variable of this tape"):
        tape.gradient(x, [1.0])  # type: ignore[list-item]


def test_variables_of_two_arithmetics_or_engines_do_not_meet() -> None:
    x = Tape().variable(1.0)
    for other in (Tape(BALLS).variable(1.0), Dual(1.0, [1.0])):
        with pytest.raises(TypeError, match="another arithmetic or engine"):
            x * other
        with pytest.raises(TypeError, match="another arithmetic or engine"):
            other * x
        with pytest.raises(TypeError, match="another arithmetic or engine"):
            np.where(True, other, x)


def test_an_op_of_another_engines_value_alone_is_that_engines() -> None:
    y = Tape().table["exp"](Dual(0.0, [3.0]))
    assert isinstance(y, Dual)
    assert (y.primal, *y.tangent) == (1.0, 3.0)


def test_nothing_that_is_given_is_overwritten_or_shared() -> None:
    given, seed = np.ones(3), np.ones(3)
    tape = Tape()
    x = tape.variable(given)
    y = x + x
    first = tape.pullback(y, seed, [x, y])
    first[0][:] = 7.0
    first[1][:] = 7.0
    np.testing.assert_array_equal(given, np.ones(3))
    np.testing.assert_array_equal(seed, np.ones(3))
    np.testing.assert_array_equal(tape.pullback(y, seed, [x])[0], np.full(3, 2.0))


def test_a_seed_takes_the_dtype_of_its_variable() -> None:
    tape = Tape()
    x = tape.variable(np.ones(2, np.float32))
    assert tape.pullback(x * 2, np.ones(2), [x])[0].dtype == np.float32
    assert Dual(np.float32(1.0), [1.0]).tangent.dtype == np.float32


def test_a_graph_is_run_by_its_table_with_data_and_composites() -> None:
    nodes = [data_leaf([True, False, True]), input_leaf((3,)), data_leaf(0.5)]
    nodes.append(apply_op(nodes, "mul", [1, 2]))
    nodes.append(apply_op(nodes, "where", [0, 3, 1]))
    nodes.append(apply_op(nodes, "relu", [4]))
    nodes.append(apply_op(nodes, "mean", [5], axis=None))
    tape = Tape()
    x = tape.variable([2.0, -3.0, 4.0])
    y = interpret(Graph(tuple(nodes)), tape.table, [x])
    np.testing.assert_allclose(tape.gradient(y, [x])[0], [1 / 6, 0.0, 1 / 6])


def test_division_by_a_literal_zero_is_no_exception() -> None:
    tape = Tape()
    x = tape.variable(2.0)
    with np.errstate(all="ignore"):
        assert np.isinf(tape.gradient(x / 0.0, [x])[0])
        assert tape.table["div"](1.0, 0.0) == np.inf


def test_nan_and_infinity_go_through() -> None:
    tape = Tape()
    x = tape.variable(np.array([np.nan, np.inf]))
    (gradient,) = tape.gradient(np.sum(x * 2.0), [x])
    np.testing.assert_array_equal(gradient, [2.0, 2.0])


def chain(x: Any, length: int) -> Any:
    y = x
    for i in range(length):
        y = (y * x, y + 0.5, y - x / 3.0)[i % 3]
    return y


def test_small_scalar_graphs_are_quicker_than_in_hips_autograd() -> None:
    grad = pytest.importorskip("autograd").grad(chain)

    def own() -> Any:
        tape = Tape()
        x = tape.variable(0.9)
        return tape.gradient(chain(x, 20), [x])

    assert own()[0] == pytest.approx(grad(0.9, 20), rel=1e-14)
    ours = min(timeit.repeat(own, number=10, repeat=7))
    theirs = min(timeit.repeat(lambda: grad(0.9, 20), number=10, repeat=7))
    assert ours * 3 < theirs
