"""A function or module of PyTorch at some arguments: run, captured, differentiated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_flatten_with_path, tree_unflatten

from gradverify.capture.argument_names import (
    chosen_places,
    function_name,
    name_at,
    no_argument,
    other_format,
    signature_of,
)
from gradverify.capture.captured import Captured, NotCaptured
from gradverify.capture.function_call import Argument, FunctionCall, Pull
from gradverify.capture.torch_functions.constant_reads import (
    FEWEST,
    TurnsOfLoops,
    Watch,
    watched,
)
from gradverify.capture.torch_functions.stopped_tensors import StoppedTensors
from gradverify.capture.torch_functions.torch_probe import TorchProbe, Touched
from gradverify.capture.torch_functions.torch_tracer import (
    FLOATS,
    TorchTracer,
    gradient_of,
    outputs_of,
)
from gradverify.graph import Array

forward_ad: Any = torch.autograd.forward_ad
SEED = 20_000  # of random numbers that a function draws, the same in every run

REFUSALS = ("use_reentrant", "donated_buffer", "once_differentiable")
"""Words of errors by which PyTorch says that it cannot be asked in such a way."""

MOST_FROZEN = 8  # arguments that are looked at with all others frozen

TRANSPOSED = "arguments that are not contiguous"
EXPANDED = "arguments of stride 0, as `expand` makes them"
SPREAD = "a cotangent of stride 0, as `sum().backward()` makes it"
STRIDED = "a cotangent that is not contiguous"
UNUSED = "the other outputs unused"
AGAIN = "a second backward through the same graph"


@dataclass(frozen=True, eq=False)
class Slot:
    """An array that is differentiated: a leaf of the arguments, or a parameter.

    place: its number among the leaves of the arguments; None for a parameter.
    tensor: as it was given; of a parameter, the tensor that the function reads.
    """

    name: str
    tensor: Any
    place: int | None

    @property
    def is_complex(self) -> bool:
        """Whether it is handed to the function as complex numbers."""
        return bool(self.tensor.is_complex())


@dataclass(frozen=True, eq=False)
class Handed:
    """One run: the leaves that were differentiated, and the outputs.

    before: copies of the leaves as they were.
    """

    leaves: tuple[Any, ...]
    outputs: tuple[Any, ...]
    before: tuple[Any, ...]


@final
class TorchCall(FunctionCall):
    """A function of PyTorch and the arguments that it is looked at with.

    wrt: names or places of the arguments that are judged; None for all of them.
    Raises `Refused` for what cannot be looked at.
    """

    library = "torch"
    stands_still = True
    even = ("expanded", "spread")
    unused = "alone"

    def __init__(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        wrt: Any = None,
    ) -> None:
        self.function, self.wrt = function, wrt
        self.original = original_of(function)
        self.name = name_of(function)
        leaves, self.spec = tree_flatten((tuple(args), dict(kwargs)))
        self.leaves = [_detached(x) for x in leaves]
        names = _names(self.original, args, kwargs)
        chosen = chosen_places(names, _floats(leaves), wrt)
        self.slots = [Slot(names[k], leaves[k], k) for k in chosen]
        self.draws_nothing = False
        self.touched = self._probed()
        self.draws_nothing = not self.touched.random
        self.slots += self._parameters()
        if not self.slots:
            raise no_argument(self.name, "a tensor")
        self.dtype = self._dtype()
        self.arguments = tuple(
            Argument(s.name, _array(s.tensor).astype(self.dtype), s.place is None)
            for s in self.slots
        )
        self._state = self._saved_state()
        self._rest: tuple[bytes, StoppedTensors, list[Array]] | None = None
        self._stops: bool | None = None

    # ---- what it is made of

    def _probed(self) -> Touched:
        """A run that notes what the function touches; it is undone."""
        places = {slot.place for slot in self.slots}
        leaves = [
            x.clone().requires_grad_() if k in places else x
            for k, x in enumerate(self.leaves)
        ]
        probe = TorchProbe([x for x in leaves if isinstance(x, torch.Tensor)])
        try:
            with torch.enable_grad(), self._seeded(), probe:
                args, kwargs = tree_unflatten(leaves, self.spec)
                found = [*_outputs(self.original(*args, **kwargs))]
                probe.touched.outputs = len(found)
        finally:
            _restore(probe.touched.written.values())
        return probe.touched

    def _parameters(self) -> Iterator[Slot]:
        names = dict(_parameter_names(self.original))
        for k, tensor in enumerate(self.touched.kept()):
            if tensor.is_floating_point() or tensor.is_complex():
                yield Slot(names.get(id(tensor), f"parameter {k + 1}"), tensor, None)

    def _dtype(self) -> str:
        for slot in self.slots:
            real = slot.tensor.real.dtype if slot.is_complex else slot.tensor.dtype
            if real not in FLOATS:
                raise other_format(slot.name, slot.tensor.dtype)
        kinds = [_array(s.tensor).dtype for s in self.slots]
        return str(min(kinds, key=lambda d: d.itemsize))

    def _saved_state(self) -> list[tuple[Any, Any]]:
        parameters = [s.tensor for s in self.slots if s.place is None]
        written = [(x, before) for x, before in self.touched.written.values()]
        return [*written, *((p, p.detach().clone()) for p in parameters)]

    # ---- running it

    @property
    def modes(self) -> Mapping[str, str]:
        """Reverse mode by `autograd.grad`, by `.backward()`; forward; second order."""
        return {
            "reverse": "vjp",
            "backward": "vjp",
            "forward": "jvp",
            "reverse-over-reverse": "hvp",
        }

    @property
    def variants(self) -> Mapping[str, str]:
        """Layouts of arguments and cotangents, and arguments frozen one by one."""
        found = {"spread": SPREAD, "strided": STRIDED, "again": AGAIN}
        if self.draws_nothing:  # random numbers like an argument follow its layout
            found |= {"transposed": TRANSPOSED, "expanded": EXPANDED}
        if self.touched.outputs > 1:
            found["alone"] = UNUSED
        if len(self.slots) > 1:
            step = -(-len(self.slots) // MOST_FROZEN)
            for k in range(0, len(self.slots), step):
                name = self.slots[k].name
                found[f"only {k}"] = f"only {name} requires a gradient"
        return found

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Random numbers from the same seed; then as they were."""
        if self.draws_nothing:
            yield
            return
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            yield

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """What the function writes outside, and its parameters, are put back.

        Meanwhile they have no gradients: a backward adds to the tensor that it finds.
        """
        alive = [ref() for ref in self.touched.parameters.values()]
        grads = [(x, x.grad) for x in alive if x is not None and x.is_leaf]
        for tensor, _ in grads:
            tensor.grad = None
        try:
            with torch.enable_grad(), torch.inference_mode(False), self._seeded():
                yield
        finally:
            _restore(self._state)
            for tensor, grad in grads:
                tensor.grad = grad

    def _handed(
        self,
        function: Callable[..., Any],
        point: Sequence[Array],
        variant: str = "",
        mode: Watch | None = None,
    ) -> Handed:
        """Run the function at a point; parameters are written in place."""
        leaves: list[Any] = []
        only = int(variant.split()[1]) if variant.startswith("only") else None
        for k, (slot, x) in enumerate(zip(self.slots, point, strict=True)):
            wanted = only is None or only == k
            leaf = self._leaf(slot, x, variant, wanted)
            leaves.append(leaf)
        copies = tuple(leaf.detach().clone() for leaf in leaves)
        if mode is not None:
            for leaf in leaves:
                mode.input(leaf)
        with nullcontext() if mode is None else watched(mode):
            args, kwargs = self._filled(leaves)
            try:
                result = function(*args, **kwargs)
            except (RuntimeError, AssertionError, ValueError) as error:
                if not variant:
                    raise
                raise NotImplementedError(
                    f"the function does not take it: {error}"
                ) from None
            return Handed(tuple(leaves), tuple(_outputs(result)), copies)

    def _filled(self, leaves: Sequence[Any]) -> tuple[Any, Any]:
        """The arguments of a call, with these leaves in their places."""
        values = list(self.leaves)
        for slot, leaf in zip(self.slots, leaves, strict=True):
            if slot.place is not None:
                given = torch.view_as_complex(leaf) if slot.is_complex else leaf
                values[slot.place] = given
        args, kwargs = tree_unflatten(values, self.spec)
        return args, kwargs

    def _leaf(self, slot: Slot, x: Array, variant: str, wanted: bool) -> Any:
        """A tensor of the slot's kind that holds the numbers of a point."""
        if slot.place is None:
            with torch.no_grad():
                values = torch.as_tensor(np.array(x)).to(slot.tensor.device)
                if slot.is_complex:
                    values = torch.view_as_complex(values)
                slot.tensor.data.copy_(values)
            return slot.tensor
        given = slot.tensor
        dtype = given.real.dtype if slot.is_complex else given.dtype
        if np.dtype(x.dtype).name != self.dtype:
            dtype = getattr(torch, np.dtype(x.dtype).name)
        leaf = torch.tensor(np.array(x), dtype=dtype, device=given.device)
        if slot.is_complex and variant == "transposed":
            variant = ""  # a pair of reals stands together
        if variant == "transposed" and leaf.dim() > 1:
            leaf = leaf.transpose(0, -1).contiguous().transpose(0, -1)
        elif variant == "transposed" and leaf.dim() == 1:
            wide = torch.empty((*leaf.shape, 2), dtype=dtype, device=given.device)
            wide[..., 0] = leaf
            leaf = wide[..., 0]
        elif variant == "expanded" and leaf.dim() > 0 and leaf.shape[0] > 1:
            leaf = leaf[:1].clone().expand(leaf.shape)
        return leaf.requires_grad_(wanted)

    def outputs(self, point: Sequence[Array]) -> tuple[Array, ...]:
        """The values of the floating outputs."""
        with self._undone():
            handed = self._handed(self.function, point)
            return tuple(_array(y) for y in handed.outputs)

    def outputs_beside(
        self, point: Sequence[Array], center: Sequence[Array]
    ) -> tuple[Array, ...]:
        """The outputs, with what autograd takes for constant as it is at `center`."""
        before, still = self._at_rest(center)
        if not self._stops_some(center, before):
            return self.outputs(point)
        with self._undone():
            mode = StoppedTensors(before)
            outputs = self._handed(self.original, point, mode=mode).outputs
            return tuple(
                _array(y) if y.requires_grad else fixed
                for y, fixed in zip(outputs, still, strict=True)
            )

    def _at_rest(self, center: Sequence[Array]) -> tuple[StoppedTensors, list[Array]]:
        """What stands still beside a point, and the outputs there; one is kept."""
        key = b"".join(x.tobytes() for x in center)
        if self._rest is None or self._rest[0] != key:
            before = StoppedTensors()
            with self._undone():
                outputs = self._handed(self.original, center, mode=before).outputs
                self._rest = key, before, [_array(y) for y in outputs]
            self._stops = None
        return self._rest[1:]

    def _stops_some(self, center: Sequence[Array], before: StoppedTensors) -> bool:
        """Whether anything that stands still would move with the arguments."""
        if self._stops is None:
            source = np.random.default_rng(0)
            moved = [
                (x + np.where(x == 0, 1.0, x) * source.uniform(0.005, 0.01, x.shape))
                .astype(x.dtype)
                for x in center
            ]  # fmt: skip
            after = StoppedTensors()
            with self._undone():
                outputs = self._handed(self.original, moved, mode=after).outputs
            is_still = all(y.requires_grad for y in outputs)
            self._stops = not (is_still and before.same_as(after))
        return self._stops

    def capture(self, point: Sequence[Array]) -> Captured:
        """The program of ATen ops that the function runs, in the words of our ops."""
        return self._captured(point, TorchTracer(self.dtype))

    def capture_longer(self, point: Sequence[Array], times: int = 2) -> Captured:
        """The program with more turns of the loops that its numbers end."""
        tracer, longer = TorchTracer(self.dtype), TorchTracer(self.dtype)
        self._captured(point, tracer)
        longer.turns = TurnsOfLoops(tracer.turns.counts(), times)
        found = self._captured(point, longer)
        if not longer.turns.went_on():
            raise NotCaptured("no loop of a Function ends by what it reads")
        return found

    def _captured(self, point: Sequence[Array], tracer: TorchTracer) -> Captured:
        try:
            with self._undone():
                handed = self._handed(self.original, point, mode=tracer)
                if not handed.outputs:
                    raise NotCaptured(f"{self.name} returns no tensor of floats")
                symbols = outputs_of(tracer, handed.outputs)
        finally:
            self.one_triangle = tracer.seen.one_triangle
            self.lopsided = tracer.seen.lopsided
        tracer.seen.searches = bool(tracer.turns.counts(FEWEST))
        return tracer.seen.captured(tracer.program, symbols)

    def capture_backward(
        self, point: Sequence[Array], cotangents: Sequence[Array]
    ) -> Captured:
        """The program of the function and of its reverse mode."""
        tracer = TorchTracer(self.dtype)
        with self._undone():
            handed = self._handed(self.original, point, mode=tracer)
            outputs, given = _weighted(handed.outputs, cotangents, "")
            with tracer:
                found = torch.autograd.grad(
                    outputs, handed.leaves, given, allow_unused=True
                )
            symbols = [
                gradient_of(tracer, x, g)
                for x, g in zip(handed.leaves, found, strict=True)
            ]
        return tracer.seen.captured(tracer.program, symbols)

    def widened(self) -> FunctionCall | None:
        """The call in double precision, if all that the function meets becomes that."""
        if self.dtype == "float64":
            return None
        function = self.function
        if any(s.place is None for s in self.slots):
            if not isinstance(function, torch.nn.Module):
                return None
            try:
                function = deepcopy(function).double()
            except Exception:  # as of weight_norm, whose weights are no leaves
                return None
        call = self._with([_double(x) for x in self.leaves], function)
        if call is None or call.dtype != "float64":
            return None
        try:
            outputs = call.outputs([a.value for a in call.arguments])
        except Exception:  # a function of float32 alone
            return None
        return call if all(y.dtype == np.float64 for y in outputs) else None

    def shortened(self, length: int) -> FunctionCall | None:
        """The call with so many entries along the first axis of its tensors."""
        whole = next((len(a.value) for a in self.arguments if a.value.ndim), 0)
        if whole <= 1:
            return None
        return self._with([
            x[:length].clone()
            if isinstance(x, torch.Tensor) and x.dim() and x.shape[0] == whole
            else x
            for x in self.leaves
        ])  # fmt: skip

    def _with(
        self, leaves: Sequence[Any], function: Callable[..., Any] | None = None
    ) -> TorchCall | None:
        """The call with other arguments; None if the function does not take them."""
        args, kwargs = tree_unflatten(list(leaves), self.spec)
        function = self.function if function is None else function  # or of no length
        try:
            return TorchCall(function, args, kwargs, self.wrt)
        except Exception:  # whatever the function raises says that it does not
            return None

    # ---- derivatives

    def pull(
        self,
        mode: str,
        point: Sequence[Array],
        cotangents: Sequence[Array],
        variant: str = "",
    ) -> Pull:
        """Reverse mode; `backward` accumulates into `.grad`, twice."""
        with self._undone():
            handed = self._handed(self.function, point, variant)
            outputs, given = _weighted(handed.outputs, cotangents, variant)
            wanted = [x for x in handed.leaves if x.requires_grad]
            kept = [g.clone() for g in given]
            if not outputs:
                found: Sequence[Any] = [None] * len(wanted)
                trouble = None
            elif mode == "backward":
                found, trouble = self._accumulated(
                    handed, outputs, given, wanted, cotangents
                )
            else:
                again = variant == "again"
                try:
                    found = torch.autograd.grad(
                        outputs, wanted, given, allow_unused=True, retain_graph=again
                    )
                except RuntimeError as error:
                    if any(word in str(error) for word in REFUSALS):
                        raise NotImplementedError(str(error)) from None
                    raise
                trouble = None
                if again:
                    found = torch.autograd.grad(
                        outputs, wanted, given, allow_unused=True
                    )
            if any(_differ(a, b) for a, b in zip(kept, given, strict=True)):
                trouble = "INPUT_MUTATED", "the backward writes to its cotangent"
            rest = iter(found)
            grads = [next(rest) if x.requires_grad else None for x in handed.leaves]
            return Pull(
                tuple(_array(y) for y in handed.outputs),
                tuple(
                    None if g is None else _as_handed(g, leaf, x)
                    for g, leaf, x in zip(grads, handed.leaves, point, strict=True)
                ),
                asked=tuple(x.requires_grad for x in handed.leaves),
                mutated=tuple(
                    k
                    for k, (x, y) in enumerate(
                        zip(handed.leaves, handed.before, strict=True)
                    )
                    if _differ(x.detach(), y)
                ),
                trouble=trouble,
            )

    def _accumulated(
        self,
        handed: Handed,
        outputs: list[Any],
        given: list[Any],
        wanted: list[Any],
        cotangents: Sequence[Array],
    ) -> tuple[list[Any], tuple[str, str] | None]:
        """What `.backward()` leaves in `.grad`; a second one must add as much."""
        for x in wanted:
            x.grad = None
        torch.autograd.backward(outputs, given)
        first = [None if x.grad is None else _dense(x.grad).clone() for x in wanted]
        with self._seeded():
            args = self._again(handed)
        more, cts = _weighted(args, cotangents, "")
        torch.autograd.backward(more, cts)
        for x, g in zip(wanted, first, strict=True):
            if g is not None and not torch.equal(
                torch.nan_to_num(_dense(x.grad)), torch.nan_to_num(g + g)
            ):
                return first, ("STALE", "a second backward does not add as much again")
        return first, None

    def _again(self, handed: Handed) -> tuple[Any, ...]:
        """The outputs of one more run on the same leaves."""
        _restore(self.touched.written.values())
        args, kwargs = self._filled(handed.leaves)
        return tuple(_outputs(self.function(*args, **kwargs)))

    def push(
        self, mode: str, point: Sequence[Array], tangents: Sequence[Array]
    ) -> tuple[tuple[Array, ...], tuple[Array | None, ...]]:
        """Forward mode by dual numbers."""
        if any(s.place is None for s in self.slots):
            raise NotImplementedError("forward mode of parameters is not asked for")
        with self._undone(), forward_ad.dual_level():
            duals = []
            for slot, x, v in zip(self.slots, point, tangents, strict=True):
                leaf = self._leaf(slot, x, "", True)
                duals.append(forward_ad.make_dual(leaf, torch.as_tensor(v).to(leaf)))
            args, kwargs = self._filled(duals)
            outputs = _outputs(self.function(*args, **kwargs))
            pairs = [forward_ad.unpack_dual(y) for y in outputs]
            return (
                tuple(_array(p.primal) for p in pairs),
                tuple(None if p.tangent is None else _array(p.tangent) for p in pairs),
            )

    def pull_twice(
        self,
        mode: str,
        point: Sequence[Array],
        cotangents: Sequence[Array],
        tangents: Sequence[Array | None],
    ) -> tuple[Array | None, ...]:
        """The derivative of the first derivative, contracted with tangents."""
        with self._undone():
            handed = self._handed(self.function, point)
            outputs, given = _weighted(handed.outputs, cotangents, "")
            for w in given:  # so that what is marked once_differentiable says so
                w.requires_grad_()
            try:
                pairs = _first_order(outputs, handed.leaves, given, tangents)
            except (RuntimeError, TypeError):  # as of NumPy, which wants no history
                plain = [w.detach() for w in given]
                pairs = _first_order(outputs, handed.leaves, plain, tangents)
            if not pairs:
                raise NotImplementedError("the first derivative has no history")
            sides = [g for g, _ in pairs], [v for _, v in pairs]
            try:
                found = torch.autograd.grad(
                    sides[0], handed.leaves, sides[1], allow_unused=True,
                    retain_graph=True,
                )  # fmt: skip
                torch.autograd.backward(*sides)  # here once_differentiable raises
            except RuntimeError as error:
                if any(word in str(error) for word in REFUSALS):
                    raise NotImplementedError(str(error)) from None
                raise
            return tuple(None if g is None else _array(g) for g in found)


def _first_order(
    outputs: Sequence[Any],
    leaves: Sequence[Any],
    given: Sequence[Any],
    tangents: Sequence[Array | None],
) -> list[tuple[Any, Any]]:
    """The first derivatives that have a history, each with its tangent."""
    first = torch.autograd.grad(
        outputs, leaves, given, allow_unused=True, create_graph=True
    )
    return [
        (g, torch.as_tensor(np.array(v)).to(g))
        for g, v in zip(first, tangents, strict=True)
        if g is not None and v is not None and g.requires_grad
    ]


# ---- tensors and arrays


def _array(tensor: Any) -> Array:
    """The numbers of a tensor; complex ones as pairs of reals."""
    plain = _dense(tensor.detach())
    if plain.is_complex():
        plain = torch.view_as_real(plain.resolve_conj())
    return np.array(plain.resolve_neg().cpu().numpy())


def _dense(tensor: Any) -> Any:
    """A tensor with all its entries: a gradient of an embedding may be sparse."""
    return tensor if tensor.layout is torch.strided else tensor.to_dense()


def _as_handed(gradient: Any, leaf: Any, x: Array) -> Array:
    """A derivative in the dtype of the point, if it has the dtype of its argument."""
    found = _array(gradient)
    return found.astype(x.dtype) if gradient.dtype == leaf.dtype else found


def _detached(x: Any) -> Any:
    if not isinstance(x, torch.Tensor):
        return x
    return x.detach().clone()


def _double(x: Any) -> Any:
    is_single = isinstance(x, torch.Tensor) and x.dtype == torch.float32
    return x.double() if is_single else x


def _differ(a: Any, b: Any) -> bool:
    same = a.shape == b.shape and a.dtype == b.dtype
    return not (same and bool(torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))))


def _restore(pairs: Any) -> None:
    with torch.no_grad():
        for tensor, before in pairs:
            tensor.data.copy_(before)


def _outputs(result: Any) -> Iterator[Any]:
    """The floating tensors of a result, complex ones as pairs of reals."""
    for y in tree_flatten(result)[0]:
        if isinstance(y, torch.Tensor) and y.is_complex():
            yield torch.view_as_real(y.resolve_conj())
        elif isinstance(y, torch.Tensor) and y.is_floating_point():
            yield y


def _weighted(
    outputs: Sequence[Any], cotangents: Sequence[Array], variant: str
) -> tuple[list[Any], list[Any]]:
    """The outputs that have a derivative, and a cotangent for each."""
    pairs = [
        (y, _cotangent(y, w, variant))
        for y, w in zip(outputs, cotangents, strict=True)
        if y.requires_grad and (variant != "alone" or np.any(w))
    ]
    return [y for y, _ in pairs], [w for _, w in pairs]


def _cotangent(y: Any, w: Array, variant: str) -> Any:
    found = torch.tensor(np.array(w), dtype=y.dtype, device=y.device)
    if variant == "spread" and w.size:
        return found.reshape(-1)[:1].reshape(()).expand(y.shape)
    if variant == "strided" and found.dim() > 1:
        return found.transpose(0, -1).contiguous().transpose(0, -1)
    if variant == "strided" and found.dim() == 1:
        wide = torch.empty((*found.shape, 2), dtype=y.dtype, device=y.device)
        wide[..., 0] = found
        return wide[..., 0]
    return found


# ---- names


def original_of(function: Any) -> Any:
    """What a compiled function was compiled from; the function itself elsewhere."""
    for name in ("_torchdynamo_orig_callable", "_orig_mod"):
        inner = getattr(function, name, None)
        if inner is not None:
            return inner
    return function


def name_of(function: Any) -> str:
    """What the user calls the function."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type):
        return f"{owner.__name__}.{function.__name__}"
    if isinstance(function, torch.nn.Module):
        return type(original_of(function)).__name__
    if owner is not None and isinstance(owner, torch.nn.Module):
        return f"{type(owner).__name__}.{function.__name__}"
    return function_name(function)


def _names(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
    """A name for every leaf of the arguments: `x`, `batch['x']`, `states[0]`."""
    known, more = _signature(function)
    found = []
    path: Any
    for path, _ in tree_flatten_with_path((tuple(args), dict(kwargs)))[0]:
        side, first, *rest = path
        if side.idx == 0:
            place = first.idx
            name = name_at(place, known, more)
        else:
            name = str(first.key)
        found.append(name + "".join(str(p) for p in rest))
    return found


def _signature(function: Any) -> tuple[list[str], str]:
    """The names of positional parameters, as far as they are told, and of `*args`."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, torch.autograd.Function):
        names, more = _signature(owner.forward)
        plain: Any = torch.autograd.Function
        has_context = owner.setup_context is plain.setup_context  # whatever its name
        return (names[1:] if has_context else names), more
    if isinstance(function, torch.nn.Module):
        function = function.forward
    return signature_of(function)


def _floats(leaves: Sequence[Any]) -> list[int]:
    """The places of the leaves that can be differentiated."""
    return [
        k
        for k, x in enumerate(leaves)
        if isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex())
    ]


def _parameter_names(function: Any) -> Iterator[tuple[int, str]]:
    """The names of parameters that a function can be seen to hold."""
    modules = [function, getattr(function, "__self__", None)]
    for cell in getattr(function, "__closure__", None) or ():
        try:
            modules.append(cell.cell_contents)
        except ValueError:  # an empty cell
            continue
    code = getattr(function, "__code__", None)
    scope = getattr(function, "__globals__", {})
    named = [(n, scope[n]) for n in getattr(code, "co_names", ()) if n in scope]
    for name, value in named:
        if isinstance(value, torch.Tensor):
            yield id(value), name
        elif isinstance(value, torch.nn.Module):
            modules.append(value)
    free = getattr(code, "co_freevars", ())
    for name, cell in zip(
        free, getattr(function, "__closure__", None) or (), strict=False
    ):
        try:
            if isinstance(cell.cell_contents, torch.Tensor):
                yield id(cell.cell_contents), name
        except ValueError:
            continue
    for module in modules:
        if isinstance(module, torch.nn.Module):
            for name, parameter in module.named_parameters():
                yield id(parameter), name
