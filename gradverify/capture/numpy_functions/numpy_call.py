"""A function of NumPy arrays, with a backward by hand or differentiated by autograd."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, final

import numpy as np

from gradverify.capture.argument_names import (
    chosen_places,
    function_name,
    name_at,
    no_argument,
    signature_of,
)
from gradverify.capture.captured import Captured, NotCaptured
from gradverify.capture.function_call import Argument, FunctionCall, Pull, Refused
from gradverify.capture.numpy_functions.followed_array import (
    FollowedArray,
    FollowTrace,
)
from gradverify.capture.numpy_functions.followed_functions import MORE_UFUNCS, ROWS
from gradverify.graph import Array

FLOATS = ("float32", "float64")
TRANSPOSED = "arguments that are not contiguous"
SPREAD = "a cotangent of stride 0, as `broadcast_to` makes it"


class ArrayCall(FunctionCall):
    """A function of NumPy arrays: what a call by hand and one by autograd share."""

    even = ("spread",)

    def __init__(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        wrt: Any = None,
    ) -> None:
        is_primitive = getattr(function, "_is_autograd_primitive", False)
        written = getattr(function, "fun", function) if is_primitive else function
        self.function, self.name = function, function_name(written)
        self.args, self.kwargs = tuple(args), dict(kwargs)
        known, more = signature_of(written)
        tops: list[tuple[str, Any, Any]] = [
            *((name_at(k, known, more), (0, k), x) for k, x in enumerate(args)),
            *((key, (1, key), x) for key, x in kwargs.items()),
        ]
        found = [
            (name + rest, path, leaf)
            for name, top, x in tops
            for rest, path, leaf in _leaves(x, top)
        ]
        names = [name for name, _, _ in found]
        able = [k for k, (_, _, x) in enumerate(found) if _is_float(x)]
        self.slots = [found[k] for k in chosen_places(names, able, wrt)]
        if not self.slots:
            raise no_argument(self.name, "an array")
        for name, _, x in self.slots:
            if x.dtype.name not in FLOATS:
                raise Refused(f"{name} is of {x.dtype}; hand over float32 or float64")
        self.dtype = min(
            (x.dtype for *_, x in self.slots), key=lambda d: d.itemsize
        ).name
        self.arguments = tuple(
            Argument(name, x.astype(self.dtype)) for name, _, x in self.slots
        )

    @property
    def variants(self) -> Mapping[str, str]:
        """Layouts of arguments and of the cotangent."""
        return {"transposed": TRANSPOSED, "spread": SPREAD}

    def handed(self, point: Sequence[Any], variant: str = "") -> list[Any]:
        """Fresh arrays of a point, in the format of each argument."""
        made = []
        for (_, _, given), x in zip(self.slots, point, strict=True):
            dtype = x.dtype if x.dtype.name != self.dtype else given.dtype
            made.append(_laid(np.array(x, dtype), variant))
        return made

    def called(self, arrays: Sequence[Any]) -> list[Any]:
        """The floating outputs of the function at some arrays."""
        args, kwargs = self.args, self.kwargs
        for (_, path, _), x in zip(self.slots, arrays, strict=True):
            args, kwargs = _with((args, kwargs), path, x)
        return [y for y in _flat(self.function(*args, **kwargs)) if self._is_output(y)]

    def _is_output(self, x: Any) -> bool:
        """Whether an output is differentiable: a Python float is a value as well."""
        if isinstance(x, FollowedArray | float):
            return True
        return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f"

    def outputs(self, point: Sequence[Array]) -> tuple[Array, ...]:
        """The values of the floating outputs."""
        return tuple(np.array(y) for y in self.called(self.handed(point)))

    def capture(self, point: Sequence[Array]) -> Captured:
        """The program that NumPy's functions run, in the words of our ops."""
        trace = FollowTrace(self.dtype, self.is_constant, ROWS, MORE_UFUNCS)
        inputs = [trace.input(x) for x in self.handed(point)]
        try:
            found = self.called(inputs)
        except Exception as error:
            if trace.refusal is not None:  # NumPy makes an error of its own of it
                raise trace.refusal from None
            if isinstance(error, TypeError | AttributeError):
                raise NotCaptured(f"it takes real arrays only: {error}") from None
            raise
        if not found:
            raise NotCaptured(f"{self.name} returns no array of floats")
        symbols = [trace.lift(y) for y in found]
        return trace.seen.captured(trace.program, symbols)

    def is_constant(self) -> bool:
        """Whether a number that the running code reads is a constant to the library."""
        return False

    def widened(self) -> FunctionCall | None:
        """The call in double precision, if its outputs become that."""
        if self.dtype == "float64":
            return None
        call = self._with(lambda x: x.astype(np.float64))
        if call is None or call.dtype != "float64":
            return None
        try:
            outputs = call.outputs([a.value for a in call.arguments])
        except Exception:  # a function of float32 alone
            return None
        return call if all(y.dtype == np.float64 for y in outputs) else None

    def shortened(self, length: int) -> FunctionCall | None:
        """The call with so many entries along the first axis of its arrays."""
        whole = next((len(x) for *_, x in self.slots if x.ndim), 0)
        if whole <= 1:
            return None
        return self._with(lambda x: x[:length] if x.shape[:1] == (whole,) else x)

    def _with(self, changed: Callable[[Any], Any]) -> ArrayCall | None:
        """The call with other arrays; None if the function does not take them."""
        found = copy(self)
        for _, path, x in self.slots:
            found.args, found.kwargs = _with(
                (found.args, found.kwargs), path, changed(x)
            )
        found.slots = [(n, p, changed(x)) for n, p, x in self.slots]
        found.dtype = min(
            (x.dtype for *_, x in found.slots), key=lambda d: d.itemsize
        ).name
        found.arguments = tuple(
            Argument(name, x.astype(found.dtype)) for name, _, x in found.slots
        )
        try:
            found.outputs([a.value for a in found.arguments])
        except Exception:  # whatever the function raises says that it does not
            return None
        return found

    @abstractmethod
    def gradients(
        self, arrays: Sequence[Any], weights: Sequence[Any]
    ) -> tuple[list[Any], list[Array | None]]:
        """The outputs, and the derivatives, for one cotangent each output."""

    def pull(
        self,
        mode: str,
        point: Sequence[Array],
        cotangents: Sequence[Array],
        variant: str = "",
    ) -> Pull:
        """Reverse mode, on arrays of their own; what is written to is noted."""
        arrays = self.handed(point, variant)
        before = [x.copy() for x in arrays]
        weights = [
            _spread(w) if variant == "spread" else np.array(w) for w in cotangents
        ]
        kept = [w.copy() for w in weights]
        outputs, found = self.gradients(arrays, weights)
        pairs = list(zip(arrays, before, strict=True))
        wrote = any(_differ(a, b) for a, b in zip(weights, kept, strict=True))
        return Pull(
            tuple(np.array(y) for y in outputs),
            tuple(
                None if g is None else self._own(np.asarray(g), x)
                for g, (_, _, x) in zip(found, self.slots, strict=True)
            ),
            mutated=tuple(k for k, (a, b) in enumerate(pairs) if _differ(a, b)),
            trouble=("INPUT_MUTATED", "the backward writes to its cotangent")
            if wrote
            else None,
        )

    def _own(self, found: Array, given: Array) -> Array:
        """A derivative in the format of all, if it has that of its argument."""
        return found.astype(self.dtype) if found.dtype == given.dtype else found

    def describe(self) -> Mapping[str, Any]:
        """The version of NumPy."""
        return {"numpy": np.__version__}


@final
class NumpyCall(ArrayCall):
    """A function of NumPy with a backward that was written by hand.

    vjp: of the cotangent and the arguments, to a derivative for each differentiated
        argument. The cotangent of several outputs is a tuple.
    gradient: of the arguments alone, for a function whose value is one number.
    """

    library = "numpy"

    def __init__(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        wrt: Any = None,
        *,
        vjp: Callable[..., Any] | None = None,
        gradient: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(function, args, kwargs, wrt)
        if (vjp is None) == (gradient is None):
            raise Refused("hand over one of vjp= and gradient=")
        self.vjp, self.gradient = vjp, gradient

    @property
    def modes(self) -> Mapping[str, str]:
        """The backward that was handed over."""
        return {"reverse": "vjp"}

    def gradients(
        self, arrays: Sequence[Any], weights: Sequence[Any]
    ) -> tuple[list[Any], list[Array | None]]:
        """What the backward returns, one for each argument."""
        outputs = self.called([x.copy() for x in arrays])
        args, kwargs = self.args, self.kwargs
        for (_, path, _), x in zip(self.slots, arrays, strict=True):
            args, kwargs = _with((args, kwargs), path, x)
        if self.gradient is not None:
            if len(outputs) != 1 or np.size(outputs[0]) != 1:
                raise Refused(
                    f"gradient= is for a function whose value is one number; "
                    f"{self.name} gives shapes {[np.shape(y) for y in outputs]}: hand "
                    "over vjp= of the cotangent and the arguments"
                )
            found = self.gradient(*args, **kwargs)
            factor = np.reshape(weights[0], ())
            parts = [None if g is None else g * factor for g in self._one_each(found)]
            return outputs, parts
        assert self.vjp is not None
        given = weights[0] if len(weights) == 1 else tuple(weights)
        return outputs, self._one_each(self.vjp(given, *args, **kwargs))

    def _one_each(self, found: Any) -> list[Any]:
        """The derivatives of the arguments that are judged."""
        several = isinstance(found, tuple | list)
        given = list(found) if several else [found]
        if len(given) == len(self.slots):
            return [None if g is None else np.asarray(g) for g in given]
        whole = len(self.args) + len(self.kwargs)
        if len(given) == whole:  # one for each argument, also for whole numbers
            places = [p[1] if p[0] == 0 else len(self.args) for _, p, _ in self.slots]
            return [given[k] for k in places]
        raise Refused(
            f"the backward of {self.name} gives {len(given)} derivatives; there are "
            f"{len(self.slots)} arguments: {', '.join(n for n, _, _ in self.slots)}"
        )


# ---- arrays and where they stand


def _is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _leaves(x: Any, path: Any) -> Iterator[tuple[str, Any, Any]]:
    """What stands within an argument: how Python names it, its path, its value."""
    if isinstance(x, Mapping):
        for key, value in x.items():
            for rest, inner, leaf in _leaves(value, (*path, key)):
                yield f"[{key!r}]{rest}", inner, leaf
    elif isinstance(x, list | tuple):
        for k, value in enumerate(x):
            for rest, inner, leaf in _leaves(value, (*path, k)):
                yield f"[{k}]{rest}", inner, leaf
    else:
        yield "", path, x


def _with(whole: Any, path: Any, value: Any) -> Any:
    """A nested value with another leaf at a path."""
    if not path:
        return value
    first, *rest = path
    if isinstance(whole, Mapping):
        return {**whole, first: _with(whole[first], rest, value)}
    parts = list(whole)
    parts[first] = _with(parts[first], rest, value)
    if hasattr(whole, "_fields"):
        return type(whole)(*parts)
    return type(whole)(parts)


def _flat(result: Any) -> Iterator[Any]:
    if isinstance(result, Mapping):
        for value in result.values():
            yield from _flat(value)
    elif isinstance(result, list | tuple):
        for value in result:
            yield from _flat(value)
    else:
        yield result


def _laid(x: Array, variant: str) -> Array:
    """An array in another layout."""
    if variant != "transposed" or not x.ndim:
        return x
    if x.ndim > 1:
        return np.ascontiguousarray(x.T).T
    wide = np.zeros((x.size, 2), x.dtype)
    wide[:, 0] = x
    return wide[:, 0]


def _spread(w: Array) -> Array:
    if not w.size:
        return w
    return np.broadcast_to(np.ravel(w)[0], w.shape)


def _differ(a: Any, b: Any) -> bool:
    return not np.array_equal(a, b, equal_nan=True)
