"""JAX: reverse mode over jax.numpy, compiled, on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from importlib import import_module
from importlib.metadata import version
from typing import Any

from gradverify.differentiators.layers.jax_numpy import layer_rows
from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Rows,
    functions,
    mode,
    operators,
    sliced,
    tried,
)
from gradverify.differentiators.spelling import Spelling
from gradverify.differentiators.spelling.numpy_like import JAX
from gradverify.graph import Array

KEPT = 64  # compiled gradients; a sweep needs one at a time, a search some more


class Jax(Differentiator):
    """jax.numpy, jax.nn and jax.scipy.special under `jit(value_and_grad(...))`."""

    name = "jax"
    # XLA runs with denormals-are-zero on the CPU, as JAX's manual says.
    accepts = Accepts(dtypes=("float64", "float32"), subnormals=False)
    compiles = True

    def __init__(self) -> None:
        self._compiled: dict[Hashable, Callable[..., Any]] = {}

    @cached_property
    def table(self) -> Rows:
        """The library's functions; it is imported here."""
        import jax
        import jax.numpy as jnp
        from jax.nn import gelu
        from jax.scipy import special

        # fmt: off
        return {
            **operators("neg add sub mul div pow power matmul"),
            **functions(jnp, "exp log sin cos tanh sqrt abs maximum where"),
            **functions(jnp, "sign square reciprocal exp2 expm1 log2 log10 log1p tan"),
            **functions(jnp, "sinh cosh minimum hypot logaddexp", atan2="arctan2"),
            **functions(jnp, asin="arcsin", acos="arccos", atan="arctan"),
            **functions(jnp, asinh="arcsinh", acosh="arccosh", atanh="arctanh"),
            **functions(jnp, "sum mean prod max min var std"),
            **functions(jax.lax, "rsqrt"),
            **functions(jax.nn, "relu softplus leaky_relu elu silu log_sigmoid"),
            **functions(special, "logsumexp erf erfc digamma", lgamma="gammaln"),
            **functions(special, sigmoid="expit"),
            **layer_rows(),
            "gelu":         lambda x, approximate: gelu(x, approximate == "tanh"),
            "clip":         lambda x, low, high: jnp.clip(x, low, high),
            "softmax":      lambda x, axis: jax.nn.softmax(x, axis[0]),
            "log_softmax":  lambda x, axis: jax.nn.log_softmax(x, axis[0]),
            "norm":         lambda x, **params: jnp.linalg.norm(x, **params),
            "cumsum":       lambda x, axis: jnp.cumsum(x, axis[0]),
            "slice":        sliced,
            "concatenate":  lambda a, b, axis: jnp.concatenate((a, b), axis[0]),
            "stack":        lambda a, b, axis: jnp.stack((a, b), axis[0]),
            "einsum":       lambda a, b, subscripts: jnp.einsum(subscripts, a, b),
            "reshape":      lambda x, shape: jnp.reshape(x, shape),
            "transpose":    lambda x, axes=None: jnp.transpose(x, axes),
            "broadcast_to": lambda x, shape: jnp.broadcast_to(x, shape),
            "data":         jnp.asarray,
        }
        # fmt: on

    def available(self) -> str | None:
        """None, or why JAX cannot run here."""

        def attempt() -> Any:
            import jax

            with _settings("float64"):
                return jax.grad(jax.numpy.sin)(0.0)

        return tried("jax", attempt)

    def versions(self) -> Mapping[str, str]:
        """The versions of JAX and of its compiler."""
        return {"jax": version("jax"), "jaxlib": version("jaxlib")}

    def spelling(self, mode: str) -> Spelling:
        """jax.numpy as jnp, and `jit(value_and_grad(...))`."""
        return JAX

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The value and all cotangents in one compiled call."""
        with _settings(function.dtype):
            value, cotangents = self._gradient(function)(*point)
        return Pulled(value, list(cotangents))

    def _gradient(self, function: Lowered) -> Callable[..., Any]:
        """The compiled gradient; the one before where graph, dtype and rows are its."""
        rows = tuple(function.table[op] for op in function.graph.ops)
        key = (function.graph, function.dtype, rows)
        if key not in self._compiled:
            while len(self._compiled) >= KEPT:
                del self._compiled[next(iter(self._compiled))]
            self._compiled[key] = _compiled(function)
        return self._compiled[key]


def _compiled(function: Lowered) -> Callable[..., Any]:
    import jax

    def output(*inputs: Any) -> Any:
        value = function(*inputs)
        # a graph of literals alone gives a Python number
        is_array = isinstance(value, jax.Array)
        return value if is_array else jax.numpy.asarray(value, function.dtype)

    wrt = tuple(range(len(function.graph.inputs)))
    both = jax.value_and_grad(output, argnums=wrt) if wrt else lambda: (output(), ())
    found: Callable[..., Any] = jax.jit(both)  # no gradient by nothing in JAX
    return found


@contextmanager
def _settings(dtype: str) -> Iterator[None]:
    """The CPU, 64 bits for float64 alone, and JAX's defaults; then as before."""
    import jax

    if hasattr(jax, "enable_x64"):
        x64 = jax.enable_x64
    else:  # before JAX 0.8
        x64 = import_module("jax.experimental").enable_x64
    with ExitStack() as stack:
        for setting in (
            x64(dtype == "float64"),
            jax.default_device(jax.devices("cpu")[0]),
            jax.default_matmul_precision("highest"),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            jax.debug_nans(False),
            jax.debug_infs(False),
            jax.disable_jit(False),
        ):
            stack.enter_context(setting)
        yield
