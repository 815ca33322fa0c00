"""A function of JAX at some arguments: run, captured, differentiated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import jax
import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.capture.argument_names import (
    chosen_places,
    function_name,
    name_at,
    no_argument,
    other_format,
    signature_of,
)
from gradverify.capture.captured import Captured, NotCaptured
from gradverify.capture.complex_parts import conjugated
from gradverify.capture.function_call import Argument, FunctionCall, Pull
from gradverify.capture.jax_functions.jax_complex import is_complex
from gradverify.capture.jax_functions.jax_tracer import (
    Followed,
    JaxTracer,
    numbers_of,
)
from gradverify.capture.jax_functions.stopped import run_beside, stops
from gradverify.graph import Array

trees: Any = jax.tree_util
FLOATS = ("float32", "float64")
EAGER = "the derivative outside `jit`"
BATCHED = "the function and its derivative under `vmap`"
ALIKE = 64.0  # units of roundoff by which a wider run may differ


@dataclass(frozen=True, eq=False)
class JaxSlot:
    """An array that is differentiated: its place among the leaves of the call."""

    name: str
    place: int
    dtype: Any
    is_parameter: bool

    @property
    def is_complex(self) -> bool:
        """Whether it is handed to the function as complex numbers."""
        return bool(np.issubdtype(self.dtype, np.complexfloating))


@final
class JaxCall(FunctionCall):
    """A function of JAX and the arguments that it is looked at with.

    A function that is itself a pytree, such as a module, has parameters.
    wrt: names or places of the arguments that are judged; None for all of them.
    wide: whether it is run in float64 whatever the arguments are.
    Raises `Refused` for what cannot be looked at.
    """

    library = "jax"

    def __init__(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        wrt: Any = None,
        *,
        wide: bool = False,
    ) -> None:
        self.whole, self.name = (function, tuple(args), dict(kwargs)), _name(function)
        self.wrt, self.wide = wrt, wide
        self.x64 = wide or _has_64_bits(self.whole)
        with self._precision():
            pairs, self.tree = trees.tree_flatten_with_path(self.whole)
            self.leaves = [_canonical(x) for _, x in pairs]
            names = _names(function, [path for path, _ in pairs])
            own = [path[0].idx == 0 for path, _ in pairs]
            self.slots = self._slots(names, own, wrt)
            self.dtype = self._dtype()
            self.arguments = tuple(
                Argument(
                    s.name,
                    _pairs(self.leaves[s.place]).astype(self.dtype),
                    s.is_parameter,
                )
                for s in self.slots
            )
        self.jaxpr: Any = None
        self.compiled: dict[str, Callable[..., Any]] = {}

    def _slots(
        self, names: Sequence[str], own: Sequence[bool], wrt: Any
    ) -> list[JaxSlot]:
        able = [k for k, x in enumerate(self.leaves) if _is_float(x)]
        given = [k for k, is_own in enumerate(own) if not is_own]
        start = given[0] if given else 0
        if isinstance(wrt, int) and not isinstance(wrt, bool):
            wrt += start  # parameters of the function stand before its arguments
        elif isinstance(wrt, list | tuple):
            wrt = [w + start if type(w) is int else w for w in wrt]
        chosen = chosen_places(names, able, wrt)
        if wrt is not None:  # parameters are judged as well, as they are of modules
            chosen = [*chosen, *(k for k in able if own[k] and k not in chosen)]
        if not chosen:
            raise no_argument(self.name, "an array")
        made = [JaxSlot(names[k], k, self.leaves[k].dtype, own[k]) for k in chosen]
        return sorted(made, key=lambda s: (s.is_parameter, s.place))

    def _dtype(self) -> str:
        kinds = []
        for slot in self.slots:
            real = (
                np.zeros((), slot.dtype).real.dtype if slot.is_complex else slot.dtype
            )
            if np.dtype(real).name not in FLOATS:
                raise other_format(slot.name, slot.dtype)
            kinds.append(np.dtype(real))
        return min(kinds, key=lambda d: d.itemsize).name

    @contextmanager
    def _precision(self) -> Iterator[None]:
        """64 bits where the arguments have them."""
        with jax.enable_x64(self.x64):
            yield

    # ---- running it

    @property
    def modes(self) -> Mapping[str, str]:
        """Reverse mode by `jax.vjp`, forward mode by `jax.jvp`; second order."""
        return {
            "reverse": "vjp",
            "forward": "jvp",
            "forward-over-reverse": "hvp",
            "reverse-over-reverse": "hvp",
        }

    @property
    def variants(self) -> Mapping[str, str]:
        """Under transformations, and arguments differentiated one by one."""
        found = {"eager": EAGER, "batched": BATCHED}
        if len(self.slots) > 1:
            for k, slot in enumerate(self.slots):
                found[f"only {k}"] = f"only {slot.name} differentiated"
        return found

    def _arrays(self, point: Sequence[Array]) -> list[Any]:
        """The numbers of a point as the function takes them."""
        found = []
        for slot, x in zip(self.slots, point, strict=True):
            if slot.is_complex:
                x = x[..., 0] + 1j * x[..., 1]
            found.append(jax.numpy.asarray(np.array(x), slot.dtype))
        return found

    def _filled(self, arrays: Sequence[Any]) -> Any:
        """The function, called with these arrays in their places."""
        leaves = list(self.leaves)
        for slot, x in zip(self.slots, arrays, strict=True):
            leaves[slot.place] = x
        function, args, kwargs = trees.tree_unflatten(self.tree, leaves)
        return function(*args, **kwargs)

    def _outputs(self, *arrays: Any) -> tuple[Any, ...]:
        """The floating outputs of a call."""
        found = trees.tree_leaves(self._filled(arrays))
        return tuple(y for y in found if _is_float(y))

    def outputs(self, point: Sequence[Array]) -> tuple[Array, ...]:
        """The values of the floating outputs."""
        with self._precision():
            found = self._asked("outputs", self._outputs, *self._arrays(point))
            return tuple(map(_pairs, found))

    def outputs_beside(
        self, point: Sequence[Array], center: Sequence[Array]
    ) -> tuple[Array, ...]:
        """The outputs, with what `stop_gradient` stops as it is at `center`."""
        with self._precision():
            arrays = self._arrays(point)
            jaxpr = self._traceable(arrays)
            if jaxpr is None or not stops(jaxpr.jaxpr):
                return self.outputs(point)

            def held(moved: Any, fixed: Any) -> Any:
                return run_beside(jaxpr.jaxpr, jaxpr.consts, moved, fixed)

            found = self._asked("beside", held, arrays, self._arrays(center))
            return tuple(map(_pairs, found))

    def _asked(self, key: str, function: Callable[..., Any], *given: Any) -> Any:
        """What a function gives, compiled where that is possible.

        key: the same for functions that are the same.
        """
        if key not in self.compiled:
            self.compiled[key] = jax.jit(function)
        try:
            return self.compiled[key](*given)
        except jax.errors.JAXTypeError:  # it reads values
            self.compiled[key] = partial(_uncompiled, function)
            return self.compiled[key](*given)

    def _traceable(self, arrays: Sequence[Any]) -> Any:
        """The jaxpr; None if the function reads values."""
        try:
            return self._traced(arrays)
        except NotCaptured:
            return None

    def capture(self, point: Sequence[Array]) -> Captured:
        """The program of primitives that the function runs, in the words of our ops."""
        with self._precision():
            arrays = self._arrays(point)
            return self._read(self._traced(arrays), arrays)

    def capture_longer(self, point: Sequence[Array], times: int = 2) -> Captured:
        """The program with more turns of the loops that its numbers end."""
        with self._precision():
            arrays = self._arrays(point)
            found = self._read(self._traced(arrays), arrays, times=times)
        if not found.searches:
            raise NotCaptured("no loop of a custom derivative ends by its numbers")
        return found

    def capture_backward(
        self, point: Sequence[Array], cotangents: Sequence[Array]
    ) -> Captured:
        """The program of the function and of its reverse mode."""
        with self._precision():
            arrays = self._arrays(point)

            def pulled(*xs: Any) -> Any:
                outputs, back = jax.vjp(self._outputs, *xs)
                return back(_weights(outputs, cotangents))

            try:
                jaxpr = jax.make_jaxpr(pulled)(*arrays)
            except Exception as error:
                raise NotCaptured(_first_line(error)) from None
            return self._read(jaxpr, arrays, turned=True)

    def _traced(self, arrays: Sequence[Any]) -> Any:
        """The jaxpr, which is the same at every point."""
        if self.jaxpr is None:
            try:
                self.jaxpr = jax.make_jaxpr(self._outputs)(*arrays)
            except jax.errors.JAXTypeError as error:
                self.jaxpr = NotCaptured(f"{READS}: {_first_line(error)}")
        if isinstance(self.jaxpr, NotCaptured):
            raise self.jaxpr
        return self.jaxpr

    def _read(
        self,
        jaxpr: Any,
        arrays: Sequence[Any],
        *,
        turned: bool = False,
        times: int = 1,
    ) -> Captured:
        """The program of a jaxpr. turned: whether its outputs are cotangents.

        times: how many times the turns of a search are run.
        """
        tracer = JaxTracer(self.dtype, times)
        inputs = [tracer.input(x) for x in arrays]
        found = tracer.run(jaxpr.jaxpr, jaxpr.consts, inputs)
        if not found:
            raise NotCaptured(f"{self.name} returns no array of floats")
        symbols = [_symbol(tracer, y, turned=turned) for y in found]
        return tracer.seen.captured(tracer.program, symbols)

    # ---- derivatives

    def pull(
        self,
        mode: str,
        point: Sequence[Array],
        cotangents: Sequence[Array],
        variant: str = "",
    ) -> Pull:
        """Reverse mode; an argument that is not asked for is a constant."""
        only = int(variant.split()[1]) if variant.startswith("only") else None
        with self._precision():
            arrays = self._arrays(point)
            places = range(len(arrays)) if only is None else [only]

            def pulled(xs: Any, weights: Any) -> Any:
                def partly(*some: Any) -> Any:
                    whole = list(xs)
                    for k, x in zip(places, some, strict=True):
                        whole[k] = x
                    return self._outputs(*whole)

                outputs, back = jax.vjp(partly, *(xs[k] for k in places))
                return outputs, back(_weights(outputs, weights))

            given = arrays, [np.asarray(w) for w in cotangents]
            if variant == "eager":
                outputs, found = _uncompiled(pulled, *given)
            elif variant == "batched":
                outputs, found = self._batched(pulled, given)
            else:
                outputs, found = self._asked(f"pull {variant}", pulled, *given)
            rest = iter(found)
            grads = [next(rest) if k in places else None for k in range(len(arrays))]
            return Pull(
                tuple(map(_pairs, outputs)),
                tuple(map(self._gradient, self.slots, grads)),
                asked=tuple(k in places for k in range(len(arrays))),
            )

    def _gradient(self, slot: JaxSlot, found: Any) -> Array | None:
        """A derivative in the format of all, if it has that of its argument."""
        if found is None:
            return None
        numbers = _pairs(found, turned=True)
        return numbers.astype(self.dtype) if found.dtype == slot.dtype else numbers

    def _batched(self, pulled: Callable[..., Any], given: Any) -> Any:
        """Twice the same along a new axis; the second of them counts."""
        twice = trees.tree_map(lambda x: jax.numpy.stack([x, x]), given)
        if "batched" not in self.compiled:
            self.compiled["batched"] = jax.jit(jax.vmap(pulled))
        try:
            found = self.compiled["batched"](*twice)
        except jax.errors.JAXTypeError as error:
            raise NotImplementedError(_first_line(error)) from None
        return trees.tree_map(lambda y: y[1], found)

    def push(
        self, mode: str, point: Sequence[Array], tangents: Sequence[Array]
    ) -> tuple[tuple[Array, ...], tuple[Array | None, ...]]:
        """Forward mode; a `custom_vjp` has none."""
        with self._precision():
            arrays, along = self._arrays(point), self._arrays(tangents)

            def pushed(xs: Any, vs: Any) -> Any:
                return jax.jvp(self._outputs, xs, vs)

            try:
                outputs, found = self._asked("push", pushed, arrays, along)
            except TypeError as error:
                raise _unable(error) from None
            return tuple(map(_pairs, outputs)), tuple(map(_pairs, found))

    def pull_twice(
        self,
        mode: str,
        point: Sequence[Array],
        cotangents: Sequence[Array],
        tangents: Sequence[Array | None],
    ) -> tuple[Array | None, ...]:
        """The derivative of the first derivative, contracted with tangents."""
        if any(slot.is_complex for slot in self.slots):
            raise NotImplementedError(
                "second order of complex numbers is not asked for"
            )
        with self._precision():
            arrays = self._arrays(point)
            pairs = zip(point, tangents, strict=True)
            along = self._arrays(
                [np.zeros_like(x) if v is None else v for x, v in pairs]
            )

            def twice(xs: Any, weights: Any, vs: Any) -> Any:
                def first(*xs: Any) -> Any:
                    outputs, back = jax.vjp(self._outputs, *xs)
                    return back(_weights(outputs, weights))

                if mode == "reverse-over-reverse":
                    return jax.vjp(first, *xs)[1](tuple(vs))
                return jax.jvp(first, xs, vs)[1]

            weights = [np.asarray(w) for w in cotangents]
            try:
                found = self._asked(mode, twice, arrays, weights, along)
            except TypeError as error:
                raise _unable(error) from None
            return tuple(map(_pairs, found))

    def widened(self) -> FunctionCall | None:
        """The call in float64, if the function gives the same there as in float32."""
        if self.dtype == "float64" or self.wide:
            return None
        point = [a.value for a in self.arguments]
        function, args, kwargs = self.whole
        wider = trees.tree_map(_wider, (args, kwargs))
        own = trees.tree_map(_wider, function)
        try:
            call = JaxCall(own, wider[0], wider[1], self.wrt, wide=True)
            found = call.outputs([np.asarray(x, np.float64) for x in point])
        except Exception:  # a function of float32 alone
            return None
        unit = float(np.finfo(np.float32).eps)
        for wide, narrow in zip(found, self.outputs(point), strict=False):
            size = ALIKE * unit * max(1.0, float(np.max(np.abs(narrow), initial=0)))
            if wide.dtype != np.float64 or not np.allclose(wide, narrow, 1e-3, size):
                return None
        return call

    def describe(self) -> Mapping[str, Any]:
        """The version of JAX."""
        return {"jax": jax.__version__}


READS = "a value is read while the function is traced, as by `if`, `float` or NumPy"


def _uncompiled(function: Callable[..., Any], *given: Any) -> Any:
    """A function that reads values, which JAX may still differentiate."""
    try:
        return function(*given)
    except jax.errors.JAXTypeError as error:
        raise NotImplementedError(_first_line(error)) from None


def _unable(error: TypeError) -> Exception:
    """A mode that a function does not have, as JAX says so."""
    if "custom_vjp" in str(error):
        return NotImplementedError(_first_line(error))
    return error


# ---- arrays


def _is_float(x: Any) -> bool:
    """Whether a leaf is an array that can be differentiated."""
    if not isinstance(x, jax.Array | np.ndarray):
        return False
    return bool(jax.numpy.issubdtype(x.dtype, jax.numpy.inexact))


def _has_64_bits(whole: Any) -> bool:
    """Whether JAX computes in 64 bits, as it says or as its arrays show."""
    arrays = [x for x in trees.tree_leaves(whole) if isinstance(x, jax.Array)]
    return bool(jax.config.jax_enable_x64) or any(
        x.dtype.name in ("float64", "complex128", "int64") for x in arrays
    )


def _canonical(x: Any) -> Any:
    """A leaf as JAX takes it: NumPy's doubles are singles without 64 bits."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "biufc":
        return jax.numpy.asarray(x)
    return x


def _wider(x: Any) -> Any:
    if _is_float(x):
        wide = np.complex128 if x.dtype.kind == "c" else np.float64
        return np.asarray(x).astype(wide)
    return x


def _pairs(x: Any, *, turned: bool = False) -> Array:
    """The numbers of an array; complex ones as pairs of reals.

    turned: whether it is a cotangent, where JAX gives the slope along the imaginary
        part with the other sign.
    """
    array = np.array(x)
    if array.dtype.kind != "c":
        return array
    return np.stack([array.real, -array.imag if turned else array.imag], -1)


def _weights(outputs: Sequence[Any], cotangents: Sequence[Any]) -> tuple[Any, ...]:
    """A cotangent for each output, in its dtype."""
    found = []
    for y, w in zip(outputs, cotangents, strict=True):
        if jax.numpy.issubdtype(y.dtype, jax.numpy.complexfloating):
            w = w[..., 0] - 1j * w[..., 1]
        found.append(jax.numpy.asarray(w, y.dtype))
    return tuple(found)


def _symbol(tracer: JaxTracer, y: Followed, *, turned: bool) -> Symbol:
    """The symbol of an output; one that depends on no input is data.

    turned: whether it is a cotangent, whose imaginary part has the other sign in JAX.
    """
    if y.symbol is not None:
        return conjugated(y.symbol) if turned and is_complex(y.real) else y.symbol
    return tracer.program.lift(numbers_of(y.real))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


# ---- names


def _name(function: Any) -> str:
    """What the user calls the function."""
    if isinstance(function, partial):
        return _name(function.func)
    inner = getattr(function, "__wrapped__", None) or getattr(function, "fun", None)
    if inner is not None and not hasattr(function, "__qualname__"):
        return _name(inner)
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, type):
        return f"{type(owner).__name__}.{function.__name__}"
    return function_name(function)


def _names(function: Any, paths: Sequence[Any]) -> list[str]:
    """A name for every leaf: `x`, `batch['x']`, `states[0]`, `.layers[0].weight`."""
    known, more = signature_of(function)
    found = []
    for path in paths:
        side, *rest = path
        if side.idx == 0:
            name = "".join(str(p) for p in rest).lstrip(".") or "function"
        elif side.idx == 1:
            first, *rest = rest
            name = name_at(first.idx, known, more) + "".join(str(p) for p in rest)
        else:
            first, *rest = rest
            name = str(first.key) + "".join(str(p) for p in rest)
        found.append(name)
    return found
