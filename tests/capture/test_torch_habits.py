"""What a backward must keep to besides its numbers: a right one and wrong ones."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd.function import once_differentiable

import gradverify
from gradverify.capture import FunctionOptions, call_of, check_function
from tests.capture.torch_pairs import function, tensor

CASES = 4


@dataclass(frozen=True)
class Habit:
    """A backward that does something that it must not, and what that is called."""

    name: str
    wrong: Callable[..., Any]
    verdict: str
    note: str = ""
    forward: Callable[..., Any] = torch.exp
    args: tuple[Any, ...] = (tensor(2, 3),)


def _writes_to_its_cotangent(g: Any, x: Any) -> Any:
    g.mul_(x.exp())
    return g


def _writes_to_its_input(g: Any, x: Any) -> Any:
    bar = g * x.exp()
    x.data.add_(1.0)
    return bar


def _reads_memory_in_order(g: Any, x: Any) -> Any:
    """As a kernel does that takes its cotangent for contiguous."""
    flat = torch.as_strided(g, (g.numel(),), (1,)) if g.stride()[-1] else g.flatten()
    return flat.reshape(x.shape) * x.exp()


def _reads_spread_memory(g: Any, x: Any) -> Any:
    """As a kernel does that cannot read a cotangent of stride 0."""
    return g * x.exp() if all(g.stride()) else torch.zeros_like(x)


_calls = [0]


def _counts(g: Any, x: Any) -> Any:
    _calls[0] += 1
    return g * x.exp() * (1.0 + _calls[0])


def _by_chance(g: Any, x: Any) -> Any:
    noise = np.random.default_rng().uniform(0.5, 1.5)
    return g * x.exp() * noise


HABITS = (
    Habit("writes to its cotangent", _writes_to_its_cotangent, "INPUT_MUTATED"),
    Habit("writes to its input", _writes_to_its_input, "INPUT_MUTATED"),
    Habit("no gradient", lambda g, x: None, "MISSING"),
    Habit("one for all", lambda g, x: (g * x.exp()).sum(), "CRASHED"),
    Habit("of another dtype", lambda g, x: (g * x.exp()).float().double(), "WRONG"),
    Habit(
        "takes its cotangent for contiguous",
        _reads_memory_in_order,
        "WRONG",
        "a cotangent that is not contiguous",
    ),
    Habit(
        "cannot read a stride of 0",
        _reads_spread_memory,
        "WRONG",
        "a cotangent of stride 0",
    ),
    Habit("chance", _by_chance, "NONDETERMINISTIC"),
    Habit("raises", lambda g, x: g.no_such_thing, "CRASHED"),
    Habit("forgets its cotangent", lambda g, x: x.exp(), "WRONG"),
)


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.name)
def test_a_bad_habit_is_named(habit: Habit) -> None:
    wrong = function(habit.forward, habit.wrong)
    found = gradverify.check(wrong, *habit.args, cases=CASES)
    assert not found.ok
    verdicts = {d.verdict for d in found.findings}
    assert habit.verdict in verdicts, str(found)
    assert habit.note in str(found)


def test_the_same_function_without_them_is_right() -> None:
    right = function(torch.exp, lambda g, x: g * x.exp())
    assert gradverify.check(right, tensor(2, 3), cases=CASES).ok


def test_a_backward_that_is_not_linear_is_called_so() -> None:
    wrong = function(torch.exp, lambda g, x: g * g * x.exp())
    found = gradverify.check(wrong, tensor(3), cases=CASES)
    assert "not linear in its cotangent" in " ".join(str(found).split())


def test_an_argument_that_is_frozen_changes_nothing_for_the_others() -> None:
    class Frozen(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, g):  # type: ignore[no-untyped-def]
            x, w = ctx.saved_tensors
            both = all(ctx.needs_input_grad)
            return g * w, g * x if both else g * w

    found = gradverify.check(Frozen.apply, tensor(3), tensor(3) + 1, cases=CASES)
    assert not found.ok
    assert "only w requires a gradient" in str(found)


class Saved(torch.autograd.Function):
    """A first derivative that is right, of a number that was saved: no second one."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        e = x.exp()
        ctx.save_for_backward(x, e)
        return e * x

    @staticmethod
    def backward(ctx, g):  # type: ignore[no-untyped-def]
        x, e = ctx.saved_tensors
        return g * e * (1 + x)


class Once(Saved):
    """The same, which says that it has no second derivative."""

    backward = staticmethod(once_differentiable(Saved.backward))


def test_a_second_derivative_is_judged_where_it_is_claimed() -> None:
    x = tensor(3)
    assert gradverify.check(Saved.apply, x, cases=CASES).ok
    found = gradverify.check(Saved.apply, x, cases=CASES, modes="all")
    assert {d.mode for d in found.findings} == {"reverse-over-reverse"}
    assert gradverify.check(Once.apply, x, cases=CASES, modes="all").ok
    right = function(lambda x: x.exp() * x, lambda g, x: g * x.exp() * (1 + x))
    found = gradverify.check(right, x, cases=CASES, modes="all")
    assert found.ok, str(found)
    assert found.result.items["reverse-over-reverse"].cases == CASES


def test_a_custom_op_is_read() -> None:
    @torch.library.custom_op("gradverify_tests::cube", mutates_args=())
    def cube(x: torch.Tensor) -> torch.Tensor:
        return x * x * x

    def setup(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(inputs[0])

    factor = [3.0]

    def backward(ctx: Any, g: Any) -> Any:
        return factor[0] * ctx.saved_tensors[0] ** 2 * g

    cube.register_autograd(backward, setup_context=setup)
    found = gradverify.check(cube, tensor(3), cases=CASES)
    assert found.ok, str(found)
    assert found.truth == "the captured program"
    factor[0] = 2.0
    assert not gradverify.check(cube, tensor(3), cases=CASES).ok


def test_a_compiled_function_is_read_by_its_original() -> None:
    compiled = torch.compile(lambda x: torch.tanh(x) * x, backend="aot_eager")
    found = gradverify.check(compiled, tensor(3), cases=2, modes="reverse")
    assert found.ok, str(found)


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_checkpoint_is_judged(reentrant: bool) -> None:
    from torch.utils.checkpoint import checkpoint

    right = function(torch.exp, lambda g, x: g * x.exp())
    wrong = function(torch.exp, lambda g, x: g * x)
    for inner, ok in ((right, True), (wrong, False)):

        def outer(x: Any, inner: Any = inner) -> Any:
            return checkpoint(lambda z: inner(z) * z, x, use_reentrant=reentrant)

        found = gradverify.check(outer, tensor(3), cases=3)
        assert found.ok == ok, str(found)


def test_a_hook_belongs_to_what_is_judged() -> None:
    def hooked(x: torch.Tensor) -> torch.Tensor:
        y = x.exp()
        if y.requires_grad:
            y.register_hook(lambda g: 2.0 * g)
        return y * x

    assert not gradverify.check(hooked, tensor(3), cases=CASES).ok


def test_arguments_may_be_one_tensor() -> None:
    x = tensor(3)
    found = gradverify.check(lambda a, b: a * b.exp(), x, x, cases=CASES)
    assert found.ok, str(found)


def test_a_million_parameters_take_seconds() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(300, 300), torch.nn.Tanh()).double()
    found = gradverify.check(net, tensor(2, 300), cases=1, modes="reverse")
    assert found.ok, str(found)
    assert found.result.names[1] == "0.weight"


def test_a_time_limit_ends_with_what_was_judged() -> None:
    found = gradverify.check(torch.exp, tensor(3), cases=10_000, seconds=2)
    assert found.ok
    assert any("of 10000 cases were looked at" in remark for remark in found.remarks)


def test_a_time_limit_covers_the_trial() -> None:
    def slow(x: Any) -> Any:
        time.sleep(0.02)
        return x.sin()

    found = gradverify.check(slow, tensor(3), seconds=0.2, modes="reverse")
    assert found.ok
    assert any(" of 8 points: the time was over" in text for text in found.remarks)


def test_a_function_that_does_not_end_is_cut_off() -> None:
    runs = itertools.count()

    def endless(x: Any) -> Any:
        while next(runs) > 40:
            pass
        return x.sin()

    options = FunctionOptions(seconds=0.2, limit=0.1)
    found = check_function(call_of(endless, (tensor(3),), {}), options)
    assert any("was cut off" in text for text in found.remarks)


def test_a_slope_passed_on_through_a_decision_is_not_called_wrong() -> None:
    spike = function(
        lambda x: (x > 0).to(x.dtype), lambda g, x: g / (1.0 + x.abs()) ** 2
    )
    found = gradverify.check(lambda x: spike(x) * 2.0, tensor(3), cases=CASES)
    assert not any(d.failed for d in found.findings), str(found)
    assert any("straight-through" in remark for remark in found.remarks)


def test_a_wrong_mask_is_no_estimator() -> None:
    wrong = function(torch.relu, lambda g, x: g * (x < 0))
    assert not gradverify.check(wrong, tensor(3), cases=CASES).ok


def _searched(x: Any) -> Any:
    """The root of t**3 + t = x, by halves."""
    low, high = -2.0 - x.abs(), 2.0 + x.abs()
    for _ in range(60):
        middle = (low + high) / 2
        above = middle**3 + middle > x
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return (low + high) / 2


def test_a_search_by_halves_is_differenced() -> None:
    def backward(g: Any, x: Any) -> Any:
        return g / (3.0 * _searched(x) ** 2 + 1.0)

    found = gradverify.check(function(_searched, backward), tensor(3), cases=CASES)
    assert found.ok, str(found)
    assert found.truth == "differences of the function"
    wrong = function(_searched, lambda g, x: 1.001 * backward(g, x))
    assert not gradverify.check(wrong, tensor(3), cases=CASES).ok


def test_memory_that_a_run_makes_is_no_parameter() -> None:
    def inner(x: torch.Tensor) -> torch.Tensor:
        own = x.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(own.sin().sum(), own)
        return x * slope

    found = gradverify.check(inner, tensor(3), cases=CASES, modes="reverse")
    assert found.ok, str(found)
    assert found.result.names == ("x",)


def test_arguments_of_two_formats_are_judged_in_the_narrower_one() -> None:
    x, w = tensor(3, dtype=torch.float32), tensor(3)
    found = gradverify.check(lambda x, w: (x * w).tanh(), x, w, cases=CASES)
    assert found.ok, str(found)
    assert found.result.dtype == "float32"


class Binary(torch.autograd.Function):
    """A sign that passes its cotangent on, as binary networks do."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        return x.sign()

    @staticmethod
    def backward(ctx, g):  # type: ignore[no-untyped-def]
        return g


@pytest.mark.parametrize(("slope", "ok"), [(2, True), (1, False)])
def test_beside_an_estimator_other_arguments_are_judged(slope: int, ok: bool) -> None:
    tanh = function(torch.tanh, lambda g, x: g * (1 - x.tanh() ** slope))
    found = gradverify.check(
        lambda x, w: tanh(x @ Binary.apply(w)), tensor(2, 3), tensor(3, 2), cases=CASES
    )
    assert found.ok == ok, str(found)
    assert all(d.where.startswith("d/dx") for d in found.findings if d.failed)
    assert any("straight-through" in remark for remark in found.remarks)


def test_what_only_passes_on_is_not_called_right() -> None:
    found = gradverify.check(Binary.apply, tensor(3), cases=CASES)
    assert not found.findings
    assert not found.ok
    assert any("nothing could be judged" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("share", "ok"),
    [(0.0, True), (1.0, True), (0.3, True), (1.5, False), (-1.0, False)],
)
def test_at_a_tie_the_slopes_of_both_branches_bound_what_is_right(
    share: float, ok: bool
) -> None:
    def forward(x: Any) -> Any:
        return torch.where(x > 0, 2.0 * x, 0.5 * x)

    def backward(g: Any, x: Any) -> Any:
        slope = torch.where(x > 0, 2.0, 0.5)
        return g * torch.where(x == 0, 0.5 + 1.5 * share, slope)

    zeros = torch.tensor([0.0, 1.0, -2.0]).double()
    found = gradverify.check(
        function(forward, backward), zeros, cases=1, modes="reverse"
    )
    assert any(d.failed for d in found.findings) != ok, str(found)


def test_a_layout_that_a_function_refuses_is_no_fault() -> None:
    def flat(x: torch.Tensor) -> torch.Tensor:
        return x.view(-1).exp()

    found = gradverify.check(flat, tensor(2, 3), cases=CASES)
    assert found.ok, str(found)
    skipped = found.result.items["reverse"].skipped
    assert any("the function does not take it" in reason for reason in skipped)


@pytest.mark.parametrize(
    ("backward", "note"),
    [
        (lambda g, x: g * x.exp() * (2 if len(x) == 1 else 1), "with one entry"),
        (lambda g, x: g * x.exp() * (x.max() / x.max()), "with no entry"),
        (lambda g, x: g * x.exp(), ""),
    ],
)
def test_a_batch_of_one_and_one_of_none_are_looked_at(
    backward: Callable[..., Any], note: str
) -> None:
    found = gradverify.check(
        function(torch.exp, backward), tensor(2, 2), cases=1, modes="reverse"
    )
    assert found.ok == (not note), str(found)
    assert note in str(found)


def test_single_precision_is_differenced_in_double() -> None:
    def forward(x: Any) -> Any:
        return torch.from_numpy(np.sin(x.numpy(force=True)))

    x = tensor(2, dtype=torch.float32)
    for factor, ok in ((1.0, True), (1.0 + 2e-4, False)):
        own = function(forward, lambda g, x, factor=factor: factor * g * x.cos())
        assert gradverify.check(own, x, cases=2, modes="reverse").ok == ok


def test_matrices_are_read() -> None:
    def forward(x: Any, b: Any) -> Any:
        whole = x @ x.mT + torch.eye(2).double()
        return torch.linalg.solve(whole, b), torch.logdet(whole)

    x, b = tensor(2, 2), tensor(2, 1)
    found = gradverify.check(forward, x, b, cases=1, modes="reverse")
    assert found.ok, str(found)
    assert found.truth == "the captured program"
    inverse = function(torch.linalg.inv, lambda g, x: -x.inverse() @ g @ x.inverse())
    wrong = gradverify.check(
        lambda x: inverse(x + 3.0 * torch.eye(2).double()), x, cases=1, modes="reverse"
    )
    assert not wrong.ok
    assert wrong.truth == "the captured program"
