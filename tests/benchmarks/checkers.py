"""The checkers of three libraries, put to any differentiator on a graph at a point."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.differentiators import Differentiator, Lowered
from gradverify.graph import Array, Graph

from ..planted.engines import PlantedAutograd, PlantedTorch


def gradcheck(
    who: Differentiator, graph: Graph, point: Sequence[Array], *, fast: bool = False
) -> bool:
    """Whether `torch.autograd.gradcheck` has nothing to object.

    PyTorch's own functions are checked as they are; another engine's gradient is
    handed to PyTorch as an opaque function.
    """
    import torch

    inputs = [torch.tensor(x, requires_grad=True) for x in point]
    function: Any = Lowered(graph, who.table, "float64")
    if not isinstance(who, PlantedTorch):
        function = _opaque_to_torch(gradient_of(who, graph))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return bool(torch.autograd.gradcheck(function, inputs, fast_mode=fast))
        except Exception:  # its own error, or one that the engine raised
            return False


def check_grads(who: Differentiator, graph: Graph, point: Sequence[Array]) -> bool:
    """Whether autograd's `check_grads` has nothing to object, in reverse, order 1."""
    from autograd.test_util import check_grads as check

    function: Any = Lowered(graph, who.table, "float64")
    if not isinstance(who, PlantedAutograd):
        function = _opaque_to_autograd(gradient_of(who, graph), len(point))
    arguments = tuple(range(len(point)))  # the first alone, unless said
    try:
        with np.errstate(all="ignore"):
            check(function, arguments, modes=["rev"], order=1)(*point)
    except Exception:
        return False
    return True


def jax_check_grads(who: Differentiator, graph: Graph, point: Sequence[Array]) -> bool:
    """Whether JAX's `check_grads` has nothing to object, in reverse, order 1.

    In 64 bits: with JAX's default of 32 its tolerances are a hundredth.
    """
    import jax
    from jax.test_util import check_grads as check

    function = _opaque_to_jax(gradient_of(who, graph))
    with jax.enable_x64(True), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check(function, tuple(map(jax.numpy.asarray, point)), 1, modes=["rev"])
        except Exception:
            return False
    return True


# ---- opaque functions

Gradient = Callable[[Sequence[Array]], tuple[Any, list[Array]]]


def gradient_of(who: Differentiator, graph: Graph) -> Gradient:
    """The value and the gradient of the graph by that differentiator."""
    function = Lowered(graph, who.table, "float64")
    reverse: Any = who.reverse  # type: ignore[attr-defined]
    pulls = who.modes()["reverse"].kind == "vjp"  # it then wants a cotangent
    cotangents = (np.ones(()),) if pulls else ()

    def gradient(point: Sequence[Array]) -> tuple[Any, list[Array]]:
        pulled = reverse(function, [np.array(x) for x in point], *cotangents)
        found = zip(point, pulled.cotangents, strict=True)
        full = [np.zeros(np.shape(x)) if ct is None else ct for x, ct in found]
        # copies in C order: PyTorch takes no array that runs backwards
        return np.asarray(pulled.value), [np.array(g, order="C") for g in full]

    return gradient


def _opaque_to_torch(gradient: Gradient) -> Callable[..., Any]:
    import torch

    class Opaque(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            value, ctx.found = gradient([x.detach().numpy() for x in inputs])
            return torch.tensor(value)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            found = tuple(torch.tensor(g) * ct for g in ctx.found)
            return found if len(found) > 1 else found[0]

    return Opaque.apply


def _opaque_to_autograd(gradient: Gradient, count: int) -> Callable[..., Any]:
    from autograd.extend import defvjp, primitive

    apply = primitive(lambda *point: gradient(point)[0])

    def maker(k: int) -> Callable[..., Any]:
        def pulled(y: Any, *point: Any) -> Callable[[Any], Any]:
            found = gradient(point)[1][k]
            return lambda ct: ct * found

        return pulled

    defvjp(apply, *(maker(k) for k in range(count)))
    function: Callable[..., Any] = apply
    return function


def _opaque_to_jax(gradient: Gradient) -> Callable[..., Any]:
    import jax

    def arrays(point: Sequence[Any]) -> list[Array]:
        return [np.asarray(x) for x in point]

    @jax.custom_vjp
    def apply(*point: Any) -> Any:
        return jax.numpy.asarray(gradient(arrays(point))[0])

    def forth(*point: Any) -> Any:
        value, found = gradient(arrays(point))
        return jax.numpy.asarray(value), tuple(map(jax.numpy.asarray, found))

    def back(found: Any, ct: Any) -> Any:
        return tuple(ct * g for g in found)

    apply.defvjp(forth, back)
    function: Callable[..., Any] = apply
    return function
