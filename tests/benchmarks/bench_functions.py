"""Found and accused: 61 pairs of custom functions, by us and by gradcheck.

Run as `python -m tests.benchmarks.bench_functions [cases]`. A row for each pair says
what each checker found of the wrong function, whether it accused the right one, and
how long both took.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

import gradverify
from tests.benchmarks.function_pairs import PAIRS

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


def gradgradcheck(f: Any, args: Any) -> bool:
    """Whether PyTorch's gradgradcheck is content; an exception is no answer."""
    torch.manual_seed(0)
    return bool(torch.autograd.gradgradcheck(f, _grads(args), raise_exception=False))


def main() -> None:
    """Print the table, and the sums below it."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    checkers = {
        "gradverify": ours(cases),
        "gradcheck": gradcheck(False),
        "fast gradcheck": gradcheck(True),
        "gradgradcheck": gradgradcheck,
    }
    found = dict.fromkeys(checkers, 0)
    accused = dict.fromkeys(checkers, 0)
    seconds = dict.fromkeys(checkers, 0.0)
    for pair in PAIRS:
        row = []
        for name, content in checkers.items():
            began = time.perf_counter()
            right, wrong = (
                _said(content, f, pair.args) for f in (pair.right, pair.wrong)
            )
            seconds[name] += time.perf_counter() - began
            found[name] += wrong == "wrong"
            accused[name] += right == "wrong"
            row.append(f"{name}: {wrong}{', ACCUSES' if right == 'wrong' else ''}")
        print(f"{pair.name:<48}{' | '.join(row)}", flush=True)
    for name in checkers:
        print(
            f"{name:<16} found {found[name]} of {len(PAIRS)}, accused {accused[name]}, "
            f"{seconds[name]:.1f} s"
        )


def _said(content: Callable[..., bool], f: Any, args: Any) -> str:
    try:
        return "right" if content(f, args) else "wrong"
    except Exception as error:
        return f"raises {type(error).__name__}"


if __name__ == "__main__":
    main()
