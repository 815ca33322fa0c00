"""Which library a call belongs to: its arguments say, or the function does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from typing import Any

import numpy as np

from gradverify.capture.function_call import FunctionCall, Refused


@dataclass(frozen=True)
class CallLibrary:
    """A library whose functions can be looked at.

    module: that is loaded if any of its arrays are about.
    owns: whether a value is an array of it, or a function that only it has.
    home: the module and class of its calls.
    """

    name: str
    module: str
    owns: Callable[[Any, Any], bool]
    home: tuple[str, str]


LIBRARIES = (
    CallLibrary(
        "torch",
        "torch",
        lambda torch, x: isinstance(x, torch.Tensor | torch.nn.Module),
        ("gradverify.capture.torch_functions.torch_call", "TorchCall"),
    ),
    CallLibrary(
        "jax",
        "jax",
        lambda jax, x: isinstance(x, jax.Array | jax.custom_jvp | jax.custom_vjp),
        ("gradverify.capture.jax_functions.jax_call", "JaxCall"),
    ),
    CallLibrary(
        "autograd",
        "autograd",
        lambda autograd, x: isinstance(x, np.ndarray),
        ("gradverify.capture.numpy_functions.hips_call", "HipsCall"),
    ),
)
BY_HAND = ("gradverify.capture.numpy_functions.numpy_call", "NumpyCall")
MOST = 10_000  # values that are looked at within the arguments


def call_of(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    wrt: Any = None,
    by_hand: Mapping[str, Any] | None = None,
) -> FunctionCall:
    """The call in the library that its arguments belong to.

    by_hand: `vjp` or `gradient`, a backward of NumPy arrays that the user wrote.

    Raises `Refused` if no argument is an array of a library that is known.
    """
    if not callable(function):
        raise Refused(f"{type(function).__name__} is no function; hand over a callable")
    if by_hand:
        path, name = BY_HAND
        made: FunctionCall = getattr(import_module(path), name)(
            function, args, kwargs, wrt, **by_hand
        )
        return made
    values = [function, getattr(function, "__self__", None), *_leaves((args, kwargs))]
    for library in LIBRARIES:
        module = sys.modules.get(library.module)
        if module is not None and any(library.owns(module, x) for x in values):
            path, name = library.home
            call: FunctionCall = getattr(import_module(path), name)(
                function, args, kwargs, wrt
            )
            return call
    known = ", ".join(library.name for library in LIBRARIES)
    kinds = sorted({type(x).__name__ for x in _leaves((args, kwargs))})
    if "ndarray" in kinds:
        raise Refused(
            "a function of NumPy has no derivative of its own: hand over vjp= or "
            "gradient=, or import autograd"
        )
    raise Refused(
        f"the arguments are of types {kinds}; hand over arrays of one of: {known}"
    )


def _leaves(values: Iterable[Any]) -> Iterator[Any]:
    """The values within nested containers, at most so many."""
    stack, count = list(values), 0
    while stack and count < MOST:
        value = stack.pop()
        count += 1
        if isinstance(value, Mapping):
            stack.extend(value.values())
        elif isinstance(value, list | tuple | set):
            stack.extend(value)
        elif is_dataclass(value) and not isinstance(value, type):
            stack.extend(getattr(value, f.name, None) for f in fields(value))
        else:
            yield value
