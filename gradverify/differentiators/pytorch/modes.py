"""How PyTorch is asked for a derivative: a mode is one method.

The name of the method stands in ids. A script that shows a deviation calls the library
as the mode's row in `TAILS` (`tails.py`) says; without a row it calls the method.

Each mode is another piece of the library's code. `torch.autograd` and `torch.func` have
the same formulas of single ops, but not the same ways to nest and to batch them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from gradverify.differentiators.compiled import Compiled
from gradverify.differentiators.protocol import (
    Differentiator,
    Lowered,
    Pulled,
    Pushed,
    mode,
)
from gradverify.differentiators.pytorch.settings import settings
from gradverify.differentiators.pytorch.table import tensor
from gradverify.graph import Array

Tangents = Sequence[Array | None]


class TorchModes(Differentiator):
    """The modes, on tensors of `device`; abstract."""

    def __init__(self) -> None:
        self._compiled = Compiled()

    # ---- a vector-Jacobian product

    @mode("vjp", default=True)
    def reverse(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`torch.autograd.grad`, with the cotangents of all nodes."""
        import torch

        with settings():
            inputs = self._leaves(point)
            values = function.values(*inputs)
            output = torch.as_tensor(values[-1], device=self.device)
            value = _array(output)
            if not output.requires_grad:
                return Pulled(value, [None] * len(point))
            followed = {
                i: v
                for i, v in enumerate(values)
                if isinstance(v, torch.Tensor) and v.requires_grad
            }
            wrt = [*inputs, *followed.values()]
            seed = tensor(self.device, cotangent)
            found = torch.autograd.grad(output, wrt, seed, allow_unused=True)
            arrays = [_array(ct) for ct in found]
        others = dict(zip(followed, arrays[len(inputs) :], strict=True))
        connected = {i: ct for i, ct in others.items() if ct is not None}
        return Pulled(value, arrays[: len(inputs)], connected)

    @mode("vjp")
    def backward(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`backward` twice, each time with half of the cotangent.

        The second time it adds to the `grad` that is there. Halves are exact, and so is
        their sum.
        """
        with settings():
            inputs = self._leaves(point)
            output = self._output(function, inputs)
            if output.requires_grad:
                half = tensor(self.device, cotangent) / 2
                output.backward(half, retain_graph=True)
                output.backward(half)
            return Pulled(_array(output), [_array(x.grad) for x in inputs])

    @mode("vjp")
    def func(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`torch.func.vjp`."""
        import torch

        with settings():
            if not point:
                return Pulled(_array(self._output(function, ())), [])
            vjp: Any = torch.func.vjp
            value, pull = vjp(self._function(function), *self._tensors(point))
            found = pull(tensor(self.device, cotangent))
            return Pulled(_array(value), [_array(ct) for ct in found])

    @mode("vjp")
    def vmapped(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`torch.func.vjp` under `torch.func.vmap`, as for gradients by example.

        The point is the middle one of three examples. The others have other numbers, so
        that a batching rule which mixes examples changes the result.
        """
        import torch

        def one(cotangent: Any, *inputs: Any) -> Any:
            vjp: Any = torch.func.vjp
            value, pull = vjp(self._function(function), *inputs)
            return value, pull(cotangent)

        with settings():
            if not point:
                return Pulled(_array(self._output(function, ())), [])
            given = [tensor(self.device, x) for x in (cotangent, *point)]
            batch = [torch.stack((_other(x), x, _other(x))) for x in given]
            values, found = torch.func.vmap(one)(*batch)
            return Pulled(_array(values[1]), [_array(ct[1]) for ct in found])

    @mode("vjp", compiles=True)
    def aot(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """`torch.autograd.grad` of a graph that AOTAutograd has traced.

        Its backward pass is made of the decompositions that compilers are given.
        Nothing is compiled to machine code.
        """
        import torch

        with settings():
            inputs = self._leaves(point)
            run = self._compiled.of(function, "aot", lambda: self._traced(function))
            output = run(*inputs) if point else self._output(function, ())
            if not output.requires_grad:
                return Pulled(_array(output), [None] * len(point))
            seed = tensor(self.device, cotangent)
            found = torch.autograd.grad(output, inputs, seed, allow_unused=True)
            return Pulled(_array(output), [_array(ct) for ct in found])

    # ---- a Jacobian-vector product

    @mode("jvp")
    def forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pushed:
        """Dual tensors of `torch.autograd.forward_ad`, one for each tangent."""
        import torch

        forward_ad: Any = torch.autograd.forward_ad
        with settings(), forward_ad.dual_level():
            duals = self._duals(self._tensors(point), tangents)
            found = forward_ad.unpack_dual(self._output(function, duals))
            return Pushed(_array(found.primal), _array(found.tangent))

    # ---- a Hessian-vector product: a mode over a mode

    @mode("hvp")
    def reverse_over_reverse(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`torch.autograd.grad` of a gradient that was made with `create_graph`."""
        import torch

        with settings():
            inputs = self._leaves(point)
            output = self._output(function, inputs)
            first: Sequence[Any] = [None] * len(point)
            if output.requires_grad:
                first = torch.autograd.grad(
                    output, inputs, create_graph=True, allow_unused=True
                )
            given = [None if t is None else tensor(self.device, t) for t in tangents]
            return Pulled(_array(output), _again(first, inputs, given))

    @mode("hvp")
    def forward_over_reverse(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """The tangent of the gradient: `torch.autograd.grad` on dual tensors."""
        import torch

        forward_ad: Any = torch.autograd.forward_ad
        with settings(), forward_ad.dual_level():
            inputs = self._leaves(point)
            output = self._output(function, self._duals(inputs, tangents))
            found: Sequence[Any] = [None] * len(point)
            if output.requires_grad:
                found = torch.autograd.grad(output, inputs, allow_unused=True)
            moved = [g if g is None else forward_ad.unpack_dual(g)[1] for g in found]
            value = forward_ad.unpack_dual(output).primal
            return Pulled(_array(value), [_array(t) for t in moved])

    @mode("hvp")
    def reverse_over_forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """The gradient of the tangent: `torch.autograd.grad` after the duals."""
        import torch

        forward_ad: Any = torch.autograd.forward_ad
        with settings():
            inputs = self._leaves(point)
            with forward_ad.dual_level():
                output = self._output(function, self._duals(inputs, tangents))
                value, slope = forward_ad.unpack_dual(output)
            one = None if slope is None else torch.ones_like(slope)
            return Pulled(_array(value), _again([slope], inputs, [one]))

    @mode("hvp")
    def forward_over_forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """`torch.func.jacfwd` of `torch.func.jvp`. Inputs without a tangent are closed
        over.
        """
        import torch

        moved = [i for i, t in enumerate(tangents) if t is not None]

        def slope(*inputs: Any) -> Any:
            def along(*some: Any) -> Any:
                given = dict(zip(moved, some, strict=True))
                every = [given.get(i, x) for i, x in enumerate(inputs)]
                return self._output(function, every)

            start = tuple(inputs[i] for i in moved)
            return torch.func.jvp(along, start, directions)[::-1]

        with settings():
            wrt = tuple(i for i, x in enumerate(point) if x.size)
            if not moved or not wrt:
                value = _array(self._output(function, self._tensors(point)))
                return Pulled(value, [None] * len(point))
            directions = tuple(self._tensors(tangents[i] for i in moved))
            both = torch.func.jacfwd(slope, argnums=wrt, has_aux=True)
            products, output = both(*self._tensors(point))
            return Pulled(_array(output), _placed(products, wrt, len(point)))

    # ---- whole Jacobians and Hessians

    @mode("jacobian")
    def jacobian(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`torch.autograd.functional.jacobian`, row by row."""
        return self._functional_jacobian(function, point)

    @mode("jacobian")
    def jacobian_vectorized(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The same, with the rows in one batch."""
        return self._functional_jacobian(function, point, vectorize=True)

    @mode("jacobian")
    def jacobian_forward(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The same by forward mode, with the columns in one batch."""
        strategy = {"vectorize": True, "strategy": "forward-mode"}
        return self._functional_jacobian(function, point, **strategy)

    @mode("jacobian")
    def jacrev(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`torch.func.jacrev`."""
        return self._func_jacobian("jacrev", function, point)

    @mode("jacobian")
    def jacfwd(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`torch.func.jacfwd`."""
        return self._func_jacobian("jacfwd", function, point)

    @mode("hessian")
    def hessian(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`torch.autograd.functional.hessian`, row by row."""
        return self._functional_hessian(function, point)

    @mode("hessian")
    def hessian_vectorized(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The same, forward over reverse, with the columns in one batch."""
        strategy = {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}
        return self._functional_hessian(function, point, **strategy)

    @mode("hessian")
    def hessian_func(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """`torch.func.hessian`."""
        import torch

        with settings():
            value, output, wrt, inputs = self._filled(function, point)
            if not inputs:
                return Pulled(value, [[None for _ in point] for _ in point])
            hessian = torch.func.hessian(output, tuple(range(len(inputs))))
            return Pulled(value, _nested(hessian(*inputs), wrt, len(point)))

    # ---- what modes share

    def _leaves(self, point: Sequence[Array]) -> list[Any]:
        return [tensor(self.device, x, requires_grad=True) for x in point]

    def _tensors(self, arrays: Any) -> list[Any]:
        return [tensor(self.device, x) for x in arrays]

    def _output(self, function: Lowered, inputs: Sequence[Any]) -> Any:
        """The function's value; a graph of literals alone gives a Python number."""
        import torch

        return torch.as_tensor(function(*inputs), device=self.device)

    def _function(self, function: Lowered) -> Callable[..., Any]:
        return lambda *inputs: self._output(function, inputs)

    def _duals(self, inputs: Sequence[Any], tangents: Tangents) -> list[Any]:
        import torch

        forward_ad: Any = torch.autograd.forward_ad
        return [
            x if t is None else forward_ad.make_dual(x, tensor(self.device, t))
            for x, t in zip(inputs, tangents, strict=True)
        ]

    def _traced(self, function: Lowered) -> Any:
        from functorch.compile import (  # type: ignore[import-untyped]
            aot_function,
            nop,
        )

        return aot_function(
            self._function(function),
            fw_compiler=nop,
            decompositions=_decompositions(),
        )

    def _filled(
        self, function: Lowered, point: Sequence[Array]
    ) -> tuple[Any, Callable[..., Any], tuple[int, ...], tuple[Any, ...]]:
        """The value, and the function of the inputs that have entries.

        PyTorch has no Jacobians by or of arrays without entries; then none are left.
        """
        inputs = self._tensors(point)
        value = _array(self._output(function, inputs))
        wrt = tuple(i for i, x in enumerate(point) if x.size and value.size)

        def output(*some: Any) -> Any:
            given = dict(zip(wrt, some, strict=True))
            return self._output(
                function, [given.get(i, x) for i, x in enumerate(inputs)]
            )

        return value, output, wrt, tuple(inputs[i] for i in wrt)

    def _functional_jacobian(
        self, function: Lowered, point: Sequence[Array], **how: Any
    ) -> Pulled:
        import torch

        jacobian: Any = torch.autograd.functional.jacobian
        with settings():
            value, output, wrt, inputs = self._filled(function, point)
            found = jacobian(output, inputs, **how) if inputs else ()
            return Pulled(value, _placed(found, wrt, len(point)))

    def _func_jacobian(
        self, name: str, function: Lowered, point: Sequence[Array]
    ) -> Pulled:
        import torch

        with settings():
            value, output, wrt, inputs = self._filled(function, point)
            if not inputs:
                return Pulled(value, [None] * len(point))
            jacobian = getattr(torch.func, name)(output, tuple(range(len(inputs))))
            return Pulled(value, _placed(jacobian(*inputs), wrt, len(point)))

    def _functional_hessian(
        self, function: Lowered, point: Sequence[Array], **how: Any
    ) -> Pulled:
        import torch

        hessian: Any = torch.autograd.functional.hessian
        with settings():
            value, output, wrt, inputs = self._filled(function, point)
            found = hessian(output, inputs, **how) if inputs else ()
            return Pulled(value, _nested(found, wrt, len(point)))


@cache
def _decompositions() -> dict[Any, Callable[..., Any]]:
    """Those of a compiler. Their table looks through all ops when it is first read."""
    from torch._decomp import core_aten_decompositions

    table: Any = core_aten_decompositions()
    return dict(table.items())


def _array(x: Any) -> Any:
    """A tensor as an array of NumPy, also one of PyTorch's symbolic zeros.

    Those have no memory, and `numpy` would read what stands at address 0.
    """
    if x is None:
        return None
    return (x.new_zeros(x.shape) if x._is_zerotensor() else x).numpy(force=True)


def _placed(blocks: Any, wrt: Sequence[int], count: int) -> list[Any]:
    """Blocks at the places of their inputs, of which there are so many."""
    found = dict(zip(wrt, blocks, strict=True))
    return [_array(found.get(i)) for i in range(count)]


def _nested(blocks: Any, wrt: Sequence[int], count: int) -> list[list[Any]]:
    """Rows of blocks at their places."""
    rows = {i: _placed(row, wrt, count) for i, row in zip(wrt, blocks, strict=True)}
    return [rows.get(i, [None] * count) for i in range(count)]


def _other(x: Any) -> Any:
    """Other numbers from where x has its own."""
    return x.flip(tuple(range(x.ndim))) / 2


def _again(
    first: Sequence[Any], inputs: Sequence[Any], cotangents: Sequence[Any]
) -> list[Any]:
    """The cotangents of the inputs for those of some first derivatives, if any."""
    import torch

    pairs = [
        (x, ct)
        for x, ct in zip(first, cotangents, strict=True)
        if x is not None and ct is not None and x.requires_grad
    ]
    if not pairs:
        return [None] * len(inputs)
    outputs, seeds = zip(*pairs, strict=True)
    found = torch.autograd.grad(outputs, inputs, seeds, allow_unused=True)
    return [_array(ct) for ct in found]
