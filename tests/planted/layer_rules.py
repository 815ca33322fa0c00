"""Wrong rules for network layers: what each makes of the cotangents of its operands."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.autodiff import Tape
from gradverify.ops.layer_expansions import windows
from gradverify.ops.layer_shapes import mask_of, window_counts

Cotangents = list[Any]


@dataclass(frozen=True)
class Layer:
    """One application of a layer, on the way back: all that a rule may look at."""

    op: str
    ct: Any
    y: Any
    operands: Sequence[Any]
    params: Mapping[str, Any]

    def right(self) -> Cotangents:
        """The cotangents of the operands by our own tape."""
        return self.of(*self.operands)

    def of(self, *operands: Any, op: str = "", **changed: Any) -> Cotangents:
        """Those of the layer at other operands or params, or of another layer."""
        params = changed if op else {**self.params, **changed}
        tape = Tape()
        xs = [x if _is_mask(x) else tape.variable(x) for x in operands]
        y = tape.table[op or self.op](*xs, **params)
        followed = [x for x in xs if not _is_mask(x)]
        found = iter(tape.pullback(y, np.asarray(self.ct), followed))
        return [None if _is_mask(x) else next(found) for x in xs]

    def through(self, function: Callable[..., Any]) -> Cotangents:
        """Those of a function that is written over our tape's variables."""
        tape = Tape()
        xs = [tape.variable(x) for x in self.operands]
        return tape.pullback(function(*xs), np.asarray(self.ct), xs)


def _is_mask(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == bool


Rule = Callable[[Layer], Cotangents]


def times(*factors: Callable[[Layer], Any] | float) -> Rule:
    """Right, but for a factor an operand, which may depend on the application."""

    def rule(a: Layer) -> Cotangents:
        made = [f(a) if callable(f) else f for f in factors]
        return [k * g for k, g in zip(made, a.right(), strict=True)]

    return rule


def changed(**params: Callable[[Layer], Any]) -> Rule:
    """The gradient of the layer with other params."""
    return lambda a: a.of(*a.operands, **{k: f(a) for k, f in params.items()})


def only(place: int, wrong: Callable[[Layer], Any]) -> Rule:
    """Right, but for one operand."""

    def rule(a: Layer) -> Cotangents:
        found = a.right()
        found[place] = wrong(a)
        return found

    return rule


# ---- norms


def _channels(a: Layer) -> tuple[int, ...]:
    return (a.operands[1].shape[0], *(1,) * (a.operands[0].ndim - 2))


def batch_norm(*, mean: bool = True, var: bool = True, ddof: int = 0) -> Rule:
    """With statistics that are held constant, or of another count."""

    def rule(a: Layer) -> Cotangents:
        axis = tuple(k for k in range(a.operands[0].ndim) if k != 1)

        def norm(x: Any, w: Any, b: Any) -> Any:
            middle = x.mean(axis, keepdims=True)
            rest = x - (middle if mean else middle.primal)
            count = x.size // x.shape[1] - ddof
            variance = (rest * rest).sum(axis, keepdims=True) / float(count)
            variance = variance if var else variance.primal
            y = rest / np.sqrt(variance + a.params["eps"])
            return y * w.reshape(_channels(a)) + b.reshape(_channels(a))

        return a.through(norm)

    return rule


def eval_by_batch(a: Layer) -> Cotangents:
    """Evaluation mode differentiated as training mode."""
    x = a.operands[0]
    if x.size // x.shape[1] < 2:
        return a.right()
    return a.of(*a.operands, op="batch_norm", eps=a.params["eps"])


def eval_with_batch_deviation(a: Layer) -> Cotangents:
    """Evaluation mode with the deviation of the batch on the way back."""
    x = a.operands[0]
    axis = tuple(k for k in range(x.ndim) if k != 1)
    return a.of(*a.operands, var=tuple(np.var(x, axis=axis).ravel().tolist()))


def _grouped(a: Layer) -> tuple[Any, Any, Any]:
    """x by groups, its normalised values, and one over the deviation."""
    x, groups = a.operands[0], a.params["groups"]
    rows = x.reshape(x.shape[0], groups, -1)
    rest = rows - rows.mean(-1, keepdims=True)
    scale = 1 / np.sqrt((rest * rest).mean(-1, keepdims=True) + a.params["eps"])
    return rows, rest * scale, scale


def group_of_channel_by_remainder(a: Layer) -> Any:
    """The weights' cotangent by the statistics of group c % G."""
    x, groups = a.operands[0], a.params["groups"]
    rows, _, scale = _grouped(a)
    mean, channels = rows.mean(-1), np.arange(x.shape[1]) % groups
    place = (slice(None), channels, *(None,) * (x.ndim - 2))
    y = (x - mean[place]) * scale[..., 0][place]
    return (a.ct * y).sum(axis=(0, *range(2, x.ndim)))


def scale_outside_sums(a: Layer) -> Any:
    """The sums of a layer norm, without the channels' weights in them."""
    x = a.operands[0]
    rows, y, scale = _grouped(a)
    ct = np.asarray(a.ct).reshape(rows.shape)
    weighted = np.asarray(a.ct * a.operands[1].reshape(_channels(a)))
    inner = ct.mean(-1, keepdims=True) + y * (ct * y).mean(-1, keepdims=True)
    return (scale * (weighted.reshape(rows.shape) - inner)).reshape(x.shape)


def rms_held(a: Layer) -> Cotangents:
    """The root mean square held constant."""
    axis = tuple(range(-a.operands[1].ndim, 0))

    def norm(x: Any, w: Any) -> Any:
        square = (x * x).mean(axis, keepdims=True)
        return x / np.sqrt(square.primal + a.params["eps"]) * w

    return a.through(norm)


def first_row(a: Layer) -> Any:
    """The bias gets the cotangent of the first row alone."""
    ct = np.asarray(a.ct)
    return ct.reshape(-1, *a.operands[-1].shape)[0]


# ---- windows


def is_grouped_and_strided(a: Layer) -> bool:
    """Whether a convolution has groups and makes steps over one."""
    return a.params["groups"] > 1 and max(a.params["stride"]) > 1


def weights_rolled(a: Layer) -> Any:
    """The weights' cotangent, its kernel moved where groups meet strides."""
    g = a.right()[1]
    return np.roll(g, 1, axis=0) if is_grouped_and_strided(a) else g


def groups_mixed(a: Layer) -> Any:
    """The input's cotangent, of the other group where groups meet strides."""
    g = a.right()[0]
    return g[:, ::-1] if is_grouped_and_strided(a) else g


def _remainder(a: Layer) -> int:
    """What the last step along the last axis leaves of the space."""
    n, k = a.operands[0].shape[-1], a.operands[1].shape[-1]
    last = {name: a.params[name][-1] for name in ("stride", "padding", "dilation")}
    wide = n + 2 * last["padding"] - last["dilation"] * (k - 1) - 1
    return int(wide % last["stride"])


def remainder_forgotten(a: Layer) -> Any:
    """The input's cotangent moved by what the last step leaves over."""
    return np.roll(a.right()[0], _remainder(a), axis=-1)


def dilation_forgotten(a: Layer) -> Any:
    """The weights' cotangent from windows without holes."""
    x, w, _ = a.operands
    p = a.params
    if p["groups"] > 1 or max(p["dilation"]) == 1:
        return a.right()[1]
    kernel, ones = w.shape[2:], (1,) * len(p["dilation"])
    wide = window_counts(x.shape[2:], kernel, p["stride"], p["padding"], ones)
    seen = windows(FLOATS, x, kernel, p["stride"], p["padding"], ones)
    seen = seen.reshape(*x.shape[:2], -1, *wide)
    counts = np.shape(a.ct)[2:]
    seen = seen[(..., *(slice(0, n) for n in counts))]
    flat = seen.reshape(*seen.shape[:3], -1)
    ct = np.asarray(a.ct).reshape(*np.shape(a.ct)[:2], -1)
    return np.einsum("ncks,nos->ock", flat, ct).reshape(w.shape)


def axes_swapped(a: Layer) -> Any:
    """The input's cotangent with rows for columns where the strides differ."""
    g, (rows, columns) = a.right()[0], a.params["stride"]
    is_square = g.shape[-1] == g.shape[-2]
    return np.swapaxes(g, -1, -2) if rows != columns and is_square else g


def padding_not_cropped(a: Layer) -> Any:
    """The first entries of the padded input's cotangent."""
    x, w, b = a.operands
    padding = a.params["padding"]
    wide = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    found = a.of(wide, w, b, padding=(0,) * len(padding))[0]
    return found[tuple(slice(0, n) for n in x.shape)]


def kernel_not_flipped(a: Layer) -> Any:
    """The input's cotangent by a kernel that is mirrored."""
    x, w, b = a.operands
    return a.of(x, np.flip(w, axis=tuple(range(2, w.ndim))).copy(), b)[0]


def _moves(a: Layer) -> list[Any]:
    return [a.params[k] for k in ("kernel", "stride", "padding", "dilation")]


def pooled_where(chosen: Callable[[Any, Any], Any], *, overwritten: bool) -> Rule:
    """Every window gives its whole cotangent to all entries that are chosen."""

    def rule(a: Layer) -> Cotangents:
        (x,) = a.operands
        lowest = np.full((1, 1), -np.inf)
        real = windows(FLOATS, np.ones(x.shape), *_moves(a)) > 0
        seen = np.where(real, windows(FLOATS, x, *_moves(a)), lowest)
        top = np.asarray(a.y).reshape(*x.shape[:2], 1, -1)
        ct = np.asarray(a.ct).reshape(top.shape)
        places = np.arange(1.0, x[0, 0].size + 1).reshape(1, 1, *x.shape[2:])
        index = windows(FLOATS, places, *_moves(a))[0, 0].astype(int)
        found = np.zeros((*x.shape[:2], x[0, 0].size + 1))
        for step in range(index.shape[1]):
            part = np.where(chosen(seen, top), ct, 0.0)[:, :, :, step]
            hit = part if not overwritten else np.where(part != 0, part, found[:, :, index[:, step]])  # fmt: skip  # noqa: E501
            if overwritten:
                found[:, :, index[:, step]] = hit
            else:
                found[:, :, index[:, step]] += hit
        return [found[:, :, 1:].reshape(x.shape)]

    return rule


def embedded_last(a: Layer) -> Cotangents:
    """Of the cotangents of a row that occurs twice, the last."""
    found = np.zeros_like(a.operands[0])
    found[np.array(a.params["index"])] = a.ct
    return [found]


def embedded_first_row(a: Layer) -> Cotangents:
    """Everything goes to the first row of the table."""
    found = np.zeros_like(a.operands[0])
    found[0] = np.sum(a.ct, axis=0)
    return [found]


# ---- attention


def without_row_sum(a: Layer) -> Cotangents:
    """The softmax differentiated as if its weights did not share a sum."""
    q, k, v = a.operands
    seen = mask_of(a.params["mask"], q.shape[-2], k.shape[-2])
    scale = 1.0 / math.sqrt(q.shape[-1])
    scores = np.where(seen, q @ np.swapaxes(k, -1, -2) * scale, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    weights = e / e.sum(-1, keepdims=True)
    inner = weights * (a.ct @ np.swapaxes(v, -1, -2)) * scale
    return [inner @ k, np.swapaxes(inner, -1, -2) @ q, a.right()[2]]


def swapped(first: int, second: int) -> Rule:
    """Two operands of one shape get each other's cotangents."""

    def rule(a: Layer) -> Cotangents:
        found = a.right()
        if found[first].shape == found[second].shape:
            found[first], found[second] = found[second], found[first]
        return found

    return rule


def transposed_weights(a: Layer) -> Any:
    """The input's cotangent by a square matrix that is not transposed."""
    x, w, b = a.operands
    return a.of(x, w.T.copy() if w.shape[0] == w.shape[1] else w, b)[0]
