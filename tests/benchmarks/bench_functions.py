"""Found and accused: pairs of custom functions, by us and by the libraries' checkers.

Run as `python -m tests.benchmarks.bench_functions [cases] [torch|jax]`. A row for each
pair says what each checker found of the wrong function, whether it accused the right
one, and how long both took: gradcheck and gradgradcheck for 61 pairs of PyTorch, in
their default and their fast mode, and `jax.test_util.check_grads` for those of JAX.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

import gradverify

CASES = 10


def _grads(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        x.clone().requires_grad_()
        if isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex())
        else x
        for x in args
    )


def ours(cases: int) -> Callable[..., bool]:
    """Whether `gradverify.check` is content."""
    return lambda f, args: gradverify.check(f, *args, cases=cases).ok


def gradcheck(fast: bool) -> Callable[..., bool]:
    """Whether PyTorch's gradcheck is content."""

    def content(f: Any, args: Any) -> bool:
        torch.manual_seed(0)
        return bool(
            torch.autograd.gradcheck(
                f, _grads(args), fast_mode=fast, raise_exception=False
            )
        )

    return content


def gradgradcheck(fast: bool) -> Callable[..., bool]:
    """Whether PyTorch's gradgradcheck is content; an exception is no answer."""

    def content(f: Any, args: Any) -> bool:
        torch.manual_seed(0)
        return bool(
            torch.autograd.gradgradcheck(
                f, _grads(args), fast_mode=fast, raise_exception=False
            )
        )

    return content


def check_grads(order: int) -> Callable[..., bool]:
    """Whether JAX's checker is content, in the modes that the function has."""
    import jax
    from jax.test_util import check_grads as checked

    def content(f: Any, args: Any) -> bool:
        double = any(x.dtype == "float64" for x in jax.tree.leaves(args))
        with jax.enable_x64(double):
            try:
                checked(f, args, order, ("fwd", "rev"))
            except AssertionError:
                return False
            except TypeError:  # a custom_vjp has no forward mode
                return _by_pulls(f, args)
        return True

    def _by_pulls(f: Any, args: Any) -> bool:
        try:
            checked(f, args, order, ("rev",))
        except AssertionError:
            return False
        return True

    return content


def of_torch(cases: int) -> tuple[Any, dict[str, Callable[..., bool]]]:
    """The pairs of PyTorch, and who looks at them."""
    from tests.benchmarks.function_pairs import PAIRS

    return PAIRS, {
        "gradverify": ours(cases),
        "gradcheck": gradcheck(False),
        "fast gradcheck": gradcheck(True),
        "gradgradcheck": gradgradcheck(False),
        "fast gradgradcheck": gradgradcheck(True),
    }


def of_jax(cases: int) -> tuple[Any, dict[str, Callable[..., bool]]]:
    """The pairs of JAX, and who looks at them."""
    from tests.capture.jax_pairs import PAIRS

    return PAIRS, {
        "gradverify": ours(cases),
        "check_grads": check_grads(1),
        "check_grads, order 2": check_grads(2),
    }


def main() -> None:
    """Print the tables, and the sums below each."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    tables = {"torch": of_torch, "jax": of_jax}
    for name in sys.argv[2:] or tables:
        compared(*tables[name](cases))


def compared(pairs: Any, checkers: dict[str, Callable[..., bool]]) -> None:
    """Print what each checker says of each pair, and the sums."""
    found = dict.fromkeys(checkers, 0)
    accused = dict.fromkeys(checkers, 0)
    seconds = dict.fromkeys(checkers, 0.0)
    for pair in pairs:
        row = []
        for name, content in checkers.items():
            began = time.process_time()
            right, wrong = (
                _said(content, f, pair.args) for f in (pair.right, pair.wrong)
            )
            seconds[name] += time.process_time() - began
            found[name] += wrong == "wrong"
            accused[name] += right == "wrong"
            row.append(f"{name}: {wrong}{', ACCUSES' if right == 'wrong' else ''}")
        print(f"{pair.name:<48}{' | '.join(row)}", flush=True)
    for name in checkers:
        print(
            f"{name:<20} found {found[name]} of {len(pairs)}, accused {accused[name]}, "
            f"{seconds[name]:.1f} s of the processor"
        )


def _said(content: Callable[..., bool], f: Any, args: Any) -> str:
    try:
        return "right" if content(f, args) else "wrong"
    except Exception as error:
        return f"raises {type(error).__name__}"


if __name__ == "__main__":
    main()
