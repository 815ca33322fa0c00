"""The helpers that a registration is written with."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.differentiators import Lowered, Misuse, functions, mode, operators
from gradverify.differentiators.protocol import tried
from gradverify.graph import Graph, apply_op, data_leaf, input_leaf


def test_operators_and_functions_make_rows() -> None:
    rows = operators("add power") | functions(np, "exp", abs="fabs")
    assert rows["power"](3.0, n=2) == 9.0  # type: ignore[operator]
    assert rows["abs"] is np.fabs
    assert list(rows) == ["add", "power", "exp", "abs"]


def test_an_op_without_an_operator_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ValueError, match=r"no Python operator for \['exp'\]; known: "):
        operators("add exp")
    with pytest.raises(ValueError, match=r"for \['mull'\]; did you mean mul\? known: "):
        operators("add mull")


def test_a_function_that_the_module_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="numpy has no function 'sech' for op 'sech'"):
        functions(np, "sech")


def test_an_unknown_kind_of_mode_is_refused_with_the_kinds() -> None:
    with pytest.raises(ValueError, match="'backward' is not known; known: gradient, "):
        mode("backward")
    with pytest.raises(ValueError, match=r"'jpv' is not known; did you mean .*jvp"):
        mode("jpv")


def test_data_take_the_dtype_and_rank_0_is_a_number() -> None:
    nodes = [input_leaf((2,)), data_leaf([0.1, 0.2]), data_leaf(0.1)]
    nodes.append(apply_op(nodes, "mul", [0, 1]))
    nodes.append(apply_op(nodes, "mul", [3, 2]))
    function = Lowered(Graph(tuple(nodes)), operators("mul"), "float32")
    values = function.values(np.ones(2, np.float32))
    assert values[1].dtype == np.float32
    assert values[2] == float(np.float32(0.1))
    assert type(values[2]) is float
    assert function(np.ones(2, np.float32)).dtype == np.float32


def test_masks_stay_masks() -> None:
    nodes = [data_leaf([True, False]), input_leaf((2,))]
    nodes.append(apply_op(nodes, "where", [0, 1, 1]))
    function = Lowered(Graph(tuple(nodes)), {"where": np.where}, "float32")
    mask = function.values(np.ones(2, np.float32))[0]
    assert mask.dtype == bool
    assert mask.flags.writeable


def test_a_function_called_with_one_list_says_how_to_call_it() -> None:
    function = Lowered(Graph((input_leaf(),)), {}, "float64")
    with pytest.raises(Misuse, match=r"call it as function\(\*inputs\)"):
        function([np.array(1.0)])


def test_a_package_that_is_missing_or_broken_is_a_sentence() -> None:
    def missing() -> None:
        raise ImportError("No module named 'nothing'")

    def broken() -> None:
        raise OSError("no device")

    assert tried("x", lambda: None) is None
    assert tried("nothing", missing) == (
        "nothing cannot be imported (No module named 'nothing'): pip install nothing"
    )
    assert tried("x", broken) == "x does not run here: OSError: no device"
