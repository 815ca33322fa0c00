"""Which modes a run asks, by its profile and by name."""

from __future__ import annotations

from collections import Counter

import pytest

from gradverify.differentiators import load
from gradverify.plugin.chosen_modes import PARTS, ChosenModes, checked_modes
from gradverify.suites.blocks import Asked, blocks
from gradverify.suites.large_network import Network, network_block

TORCH = load("torch-cpu")
USUAL = ("reverse", "forward", "reverse-over-reverse")


def chosen(*named: str, profile: str = "ci", seed: int = 0) -> ChosenModes:
    return ChosenModes(named, profile, seed, "float64")


def test_profiles_ask_more_and_more() -> None:
    assert chosen(profile="smoke").everywhere(TORCH, "float64") == ("reverse",)
    assert chosen().everywhere(TORCH, "float64") == USUAL
    assert chosen().everywhere(TORCH, "float32") == ("reverse",)
    every = tuple(TORCH.modes())
    assert chosen(profile="deep").everywhere(TORCH, "float32") == every
    assert chosen("all", profile="smoke").everywhere(TORCH, "float64") == every


def test_named_modes_are_asked_and_no_others() -> None:
    found = chosen("forward", "hessian")
    (block,) = blocks(Asked(suites=("ops",), ops=("exp",), dtypes=("float64",)))
    assert found.of(TORCH, block) == ("forward", "hessian")


def test_an_order_leaves_out_what_is_higher() -> None:
    first = ChosenModes((), "ci", 0, "float64", order=1)
    assert first.everywhere(TORCH, "float64") == ("reverse", "forward")
    every = ChosenModes(("all",), "ci", 0, "float64", order=1)
    assert {"vmapped", "jacfwd"} < {*every.everywhere(TORCH, "float64")}
    for found in (first, every):
        for block in blocks(Asked(suites=("ops",), ops=("exp", "sin"))):
            assert not {"hessian", "forward-over-reverse"} & {*found.of(TORCH, block)}
    with pytest.raises(pytest.UsageError, match="'hessian' asks for derivatives of or"):
        checked_modes(("hessian",), [TORCH], order=1)


def test_other_modes_take_turns_and_every_seed_has_other_blocks() -> None:
    looked: Counter[tuple[str, str]] = Counter()
    found = blocks(Asked(suites=("ops",), dtypes=("float64",)))
    for seed in range(PARTS):
        for block in found:
            modes = chosen(seed=seed).of(TORCH, block)
            assert set(USUAL) <= set(modes)
            looked.update((block.family, m) for m in modes if m not in USUAL)
    others = len(TORCH.modes()) - len(USUAL)
    assert len(looked) == others * len(found)
    assert set(looked.values()) == {1}


def test_a_run_says_what_is_left_to_the_next_seeds() -> None:
    (note,) = chosen().left([TORCH, load("autograd")])
    assert "next --gradverify-seed" in note.text
    assert "torch-cpu: backward, func" in note.text
    assert not list(chosen("all").left([TORCH]))
    assert not list(chosen(profile="smoke").left([TORCH]))


def test_a_large_network_is_asked_for_its_gradient_alone() -> None:
    block = network_block(Network((4, 3, 2)))
    assert chosen(profile="deep").of(TORCH, block) == ("reverse",)
    assert chosen("forward", "hessian").of(TORCH, block) == ("forward",)


def test_a_mode_that_no_engine_has_is_an_error_that_helps() -> None:
    checked_modes(("all", "forward"), [TORCH])
    with pytest.raises(pytest.UsageError, match="'foward' is unknown; did you mean"):
        checked_modes(("foward",), [TORCH])
