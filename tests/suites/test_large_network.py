"""Networks by their sizes: what is drawn, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.suites.large_network import (
    Network,
    entry_of,
    network_block,
    network_of,
    sizes_of,
)
from gradverify.suites.large_network import _close_to_kinks as close_to_kinks


def test_784_784_10_has_623290_entries_and_names() -> None:
    network = Network(sizes_of("784-784-10"))
    assert network.entries == 623_290
    assert network.inputs == ("w", "b", "v", "c")
    assert [x.shape for x in network.case.point] == [
        (784, 784), (784,), (784, 10), (10,),
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_network() -> None:
    one, two = Network((6, 5, 3)).case, Network((6, 5, 3)).case
    other = Network((6, 5, 3), seed=1).case
    assert one.graph == two.graph
    pairs = zip(one.point, two.point, strict=True)
    assert all(np.array_equal(x, y) for x, y in pairs)
    assert not np.array_equal(one.point[0], other.point[0])


@pytest.mark.parametrize(
    ("network", "family"),
    [
        (Network((6, 5, 3)), "6-5-3"),
        (Network((6, 3), "leaky_relu"), "6-3-leaky_relu"),
        (Network((6, 5, 3), loss="mse"), "6-5-3-mse"),
        (Network((6, 5, 3), "relu", "single"), "6-5-3-relu-single"),
    ],
)
def test_an_item_names_its_network_in_full(network: Network, family: str) -> None:
    assert network.family == family
    assert network_of(family) == network


@pytest.mark.parametrize(
    "family", ["", "relu", "6", "6-5-x", "6-5-relu-silu", "6-5-tanh"]
)
def test_an_item_of_another_name_is_no_network(family: str) -> None:
    with pytest.raises(ValueError, match=r"write its sizes|allowed are|is called"):
        network_of(family)


@pytest.mark.parametrize("text", ["", "784", "784-", "0-5", "a-b", "5-1000000", "3--2"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write its sizes|none that can"):
        sizes_of(text)


def test_an_entry_is_named_by_input_and_index() -> None:
    network = Network((6, 5, 3))
    assert entry_of(network, "v,4,2") == (2, (4, 2))
    for wrong in ("v,5,2", "v,1", "x,1,1", "v,-1,2", "c,1,1"):
        with pytest.raises(ValueError, match=r"v \[5, 3\]"):
            entry_of(network, wrong)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_unit_of_a_relu_network_is_near_its_kink(dtype: str) -> None:
    network = Network((30, 40, 20, 5), "relu", dtype=dtype)
    units = list(close_to_kinks(network.case))
    assert [u.shape for u in units] == [(40,), (20,)]
    assert not np.any(np.concatenate(units))


def test_a_record_tells_the_network_without_its_weights() -> None:
    written = network_block(Network((6, 5, 3))).record()
    assert written["lines"] == [
        "h = tanh(x @ w + b)  shape (5,)",
        "o = h @ v + c  shape (3,)",
    ]
    assert written["point"] == []
    assert written["formula"] == "cross_entropy of 6-5-3, tanh"
