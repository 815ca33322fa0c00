"""How JAX is asked for a derivative: a mode is one method.

The name of the method stands in ids. A script that shows a deviation calls the library
as the mode's row in `TAILS` (`tails.py`) says; without a row it calls the method.

Every mode is compiled, except for those that say otherwise. XLA changes the order of
operations and drops what is not used, so that both can be wrong by themselves. The
default mode is compiled as JAX's users have it. The others are compiled by XLA's older
emitters, which compile in half of the time and differ from the newer ones by roundings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from gradverify.differentiators.compiled import Compiled
from gradverify.differentiators.jax_numpy.settings import settings
from gradverify.differentiators.protocol import (
    Differentiator,
    Lowered,
    Pulled,
    Pushed,
    mode,
)
from gradverify.graph import Array

Function = Callable[..., Any]
Tangents = Sequence[Array | None]

DEFAULT = "reverse"


class JaxModes(Differentiator):
    """The modes, each compiled once for all points of a graph; abstract."""

    compiles = True

    def __init__(self) -> None:
        self._compiled = Compiled()

    # ---- a vector-Jacobian product

    @mode("vjp", default=True)
    def reverse(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`jax.vjp`, compiled."""
        return self._vjp(DEFAULT, _vjp, function, point, cotangent)

    @mode("vjp")
    def reverse_uncompiled(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`jax.vjp`, op by op."""
        with settings(function.dtype):
            return Pulled(*_vjp(_output(function))(cotangent, *point))

    @mode("vjp")
    def checkpoint(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`jax.vjp` of the function under `jax.checkpoint`, compiled."""
        return self._vjp("checkpoint", _checkpointed, function, point, cotangent)

    @mode("vjp")
    def vmapped(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`jax.vjp` under `jax.vmap`, as for gradients by example, compiled.

        The point is the middle one of three examples. The others have other numbers, so
        that a batching rule which mixes examples changes the result.
        """
        return self._vjp("vmapped", _vmapped, function, point, cotangent)

    # ---- a Jacobian-vector product

    @mode("jvp")
    def forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pushed:
        """`jax.jvp`, compiled. Inputs without a tangent are closed over."""
        found = self._along("forward", _jvp, function, point, tangents)
        return Pushed(*found)

    @mode("jvp")
    def forward_uncompiled(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pushed:
        """`jax.jvp`, op by op. Inputs without a tangent are closed over."""
        moved, directions = _directions(tangents)
        with settings(function.dtype):
            return Pushed(*_jvp(_output(function), moved)(directions, *point))

    # ---- a Hessian-vector product: a mode over a mode

    @mode("hvp")
    def reverse_over_reverse(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`jax.vjp` of `jax.grad`."""
        way = "reverse-over-reverse"
        return self._hvp(way, _reverse_over_reverse, function, point, tangents)

    @mode("hvp")
    def forward_over_reverse(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`jax.jvp` of `jax.grad`. Inputs without a tangent are closed over."""
        way = "forward-over-reverse"
        return self._hvp(way, _forward_over_reverse, function, point, tangents)

    @mode("hvp")
    def reverse_over_forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`jax.grad` of `jax.jvp`. Inputs without a tangent are closed over."""
        way = "reverse-over-forward"
        return self._hvp(way, _reverse_over_forward, function, point, tangents)

    @mode("hvp")
    def forward_over_forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`jax.jacfwd` of `jax.jvp`. Inputs without a tangent are closed over."""
        way = "forward-over-forward"
        return self._hvp(way, _forward_over_forward, function, point, tangents)

    # ---- whole Jacobians and Hessians

    @mode("jacobian")
    def jacrev(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`jax.jacrev`, whose rows are one batch."""
        return self._whole("jacrev", function, point)

    @mode("jacobian")
    def jacfwd(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`jax.jacfwd`, whose columns are one batch."""
        return self._whole("jacfwd", function, point)

    @mode("hessian")
    def hessian(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`jax.hessian`: forward over reverse in one batch."""
        return self._whole("hessian", function, point)

    # ---- what modes share

    def _vjp(
        self,
        way: str,
        make: Function,
        function: Lowered,
        point: Sequence[Array],
        cotangent: Array,
    ) -> Pulled:
        import jax

        def compiled() -> Function:
            run: Function = jax.jit(
                make(_output(function)), compiler_options=_options(way)
            )
            return run

        with settings(function.dtype):
            run = self._compiled.of(function, way, compiled)
            value, cotangents = run(cotangent, *point)
        return Pulled(value, list(cotangents))

    def _along(
        self,
        way: str,
        make: Function,
        function: Lowered,
        point: Sequence[Array],
        tangents: Tangents,
    ) -> Any:
        """What a function made for the inputs that have tangents gives for them."""
        import jax

        moved, directions = _directions(tangents)

        def compiled() -> Function:
            run: Function = jax.jit(
                make(_output(function), moved), compiler_options=_options(way)
            )
            return run

        with settings(function.dtype):
            return self._compiled.of(function, (way, moved), compiled)(
                directions, *point
            )

    def _hvp(
        self,
        way: str,
        make: Function,
        function: Lowered,
        point: Sequence[Array],
        tangents: Tangents,
    ) -> Pulled:
        def with_value(output: Function, moved: Sequence[int]) -> Function:
            if not moved:
                return lambda tangents, *x: (output(*x), [None] * len(x))
            product = make(output, moved, tuple(range(len(point))))
            return lambda tangents, *x: (output(*x), product(tangents, *x))

        value, products = self._along(way, with_value, function, point, tangents)
        return Pulled(value, list(products))

    def _whole(self, way: str, function: Lowered, point: Sequence[Array]) -> Pulled:
        """A Jacobian or a Hessian, whose blocks are in lists."""
        import jax

        def compiled() -> Function:
            output, wrt = _output(function), tuple(range(len(point)))
            if not wrt:
                return lambda: (output(), [])
            found = getattr(jax, way)(output, argnums=wrt)
            run: Function = jax.jit(
                lambda *x: (output(*x), found(*x)), compiler_options=_options(way)
            )
            return run

        with settings(function.dtype):
            value, blocks = self._compiled.of(function, way, compiled)(*point)
        rows = [list(x) if isinstance(x, tuple) else x for x in blocks]
        return Pulled(value, rows)


@cache
def _options(way: str) -> dict[str, bool | int]:
    """What XLA is told when it compiles a mode; nothing if it does not know that.

    Programs are small: they are compiled in one piece. That changes no number.
    """
    import jax

    options: dict[str, bool | int] = {"xla_cpu_parallel_codegen_split_count": 1}
    if way != DEFAULT:
        options["xla_cpu_use_fusion_emitters"] = False
    try:
        jax.jit(lambda x: x, compiler_options=options)(0.0)
    except jax.errors.JaxRuntimeError:
        return {}
    return options


def _output(function: Lowered) -> Function:
    """The function's value; a graph of literals alone gives a Python number."""
    import jax

    def output(*inputs: Any) -> Any:
        value = function(*inputs)
        is_array = isinstance(value, jax.Array)
        return value if is_array else jax.numpy.asarray(value, function.dtype)

    return output


def _directions(tangents: Tangents) -> tuple[tuple[int, ...], tuple[Array, ...]]:
    """The inputs that have a tangent, and these."""
    moved = tuple(i for i, t in enumerate(tangents) if t is not None)
    return moved, tuple(t for t in tangents if t is not None)


# ---- ways to ask: each takes the function and gives one of seeds and inputs


def _vjp(output: Function) -> Function:
    import jax

    def pulled(cotangent: Any, *inputs: Any) -> Any:
        value, pull = jax.vjp(output, *inputs)
        return value, pull(cotangent) if inputs else ()

    return pulled


def _checkpointed(output: Function) -> Function:
    import jax

    return _vjp(jax.checkpoint(output))


def _vmapped(output: Function) -> Function:
    import jax

    def pulled(*given: Any) -> Any:
        batch = [jax.numpy.stack((_other(x), x, _other(x))) for x in given]
        values, found = jax.vmap(_vjp(output))(*batch)
        return values[1], [ct[1] for ct in found]

    return pulled


def _other(x: Any) -> Any:
    """Other numbers from where x has its own."""
    import jax

    return jax.numpy.flip(x) / 2


def _jvp(output: Function, moved: Sequence[int]) -> Function:
    import jax

    def pushed(tangents: Any, *inputs: Any) -> Any:
        if not moved:
            return output(*inputs), None
        along, start = _closed(output, moved, inputs)
        return jax.jvp(along, start, tangents)

    return pushed


def _closed(
    output: Function, moved: Sequence[int], inputs: Sequence[Any]
) -> tuple[Function, tuple[Any, ...]]:
    """The function of some inputs alone, and these."""

    def along(*some: Any) -> Any:
        given = dict(zip(moved, some, strict=True))
        return output(*(given.get(i, x) for i, x in enumerate(inputs)))

    return along, tuple(inputs[i] for i in moved)


def _reverse_over_reverse(
    output: Function, moved: Sequence[int], wrt: Sequence[int]
) -> Function:
    import jax

    def product(tangents: Any, *inputs: Any) -> Any:
        _, pull = jax.vjp(jax.grad(output, argnums=moved), *inputs)
        return pull(tangents)

    return product


def _forward_over_reverse(
    output: Function, moved: Sequence[int], wrt: Sequence[int]
) -> Function:
    import jax

    def product(tangents: Any, *inputs: Any) -> Any:
        along, start = _closed(jax.grad(output, argnums=wrt), moved, inputs)
        return jax.jvp(along, start, tangents)[1]

    return product


def _over_forward(
    way: str, output: Function, moved: Sequence[int], wrt: Sequence[int]
) -> Function:
    """The derivative of a tangent by every input; way: "grad" or "jacfwd"."""
    import jax

    def product(tangents: Any, *inputs: Any) -> Any:
        push = _jvp(output, moved)
        outer = getattr(jax, way)(lambda *x: push(tangents, *x)[1], argnums=wrt)
        return outer(*inputs)

    return product


_reverse_over_forward = partial(_over_forward, "grad")
_forward_over_forward = partial(_over_forward, "jacfwd")
