"""The functions, methods and layers of libraries that a file may call, as tables.

A row takes the reader's `Caller`, the operands and the keywords; what has no row is not
understood.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.array_functions import (
    arange,
    axes,
    clip,
    cross_entropy,
    diagonal,
    dot,
    einsum,
    eye,
    filled,
    flattened,
    full,
    inner,
    joined,
    length,
    linear,
    linspace,
    loss,
    moved,
    outer,
    padded,
    padded_from_last,
    permuted,
    power,
    ranged,
    repeated,
    reshaped,
    rows_below,
    shape,
    shape_of,
    side_by_side,
    size,
    size_of_tensor,
    split,
    split_across,
    split_below,
    split_in_lengths,
    spread_diagonal,
    square,
    squeezed,
    stacked,
    stated,
    swapped,
    tiled,
    transposed,
    unsqueezed,
    where,
    whole,
)
from gradverify.claims.code.containers import backwards, enumerated, listed, zipped
from gradverify.claims.code.convolutions import correlated
from gradverify.claims.code.function_names import FUNCTIONS
from gradverify.claims.computation.bindings import (
    AxisLength,
    Layer,
    Open,
    Unknown,
    Value,
    known,
    symbol,
)
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.ops import OPS

# fmt: off
# ruff: noqa: SIM905
MODULES = frozenset(
    "math np numpy anp jnp jax torch F nn tf scipy sp special functional autograd "
    "cmath random linalg mpmath keras signal".split()
)
ARRAYS = frozenset(
    "tensor Tensor array asarray as_tensor float32 float64 Parameter Variable Value "
    "Var constant Scalar Node float int double DoubleTensor FloatTensor int64 int32 "
    "bool_ int8 uint8 float16".split()
)
UNCHANGED = frozenset(
    "float double astype to cpu cuda detach clone copy requires_grad_ item numpy "
    "contiguous retain_grad tolist asarray value type_as squeeze_ eval train".split()
)
CHANCE = frozenset(
    "randn rand random normal uniform random_sample randn_like standard_normal "
    "rand_like randint integers binomial".split()
)
OUTSIDE = frozenset(
    "input open load loadtxt genfromtxt read_csv load_state_dict getenv time "
    "perf_counter".split()
)
TABLES = frozenset({"dict", "OrderedDict"})
GENERATORS = frozenset({"default_rng", "RandomState", "Generator", "PRNGKey", "key"})
REDUCTIONS = frozenset({"sum", "mean", "prod", "var", "std", "norm", "logsumexp"})
ALONG = frozenset({"softmax", "log_softmax", "cumsum"})
IN_A_ROW = frozenset({"cumsum"})  # all entries, where NumPy is given no axis
BY_SHAPE = {"zeros": 0, "ones": 1, "empty": 0}  # what is in it is written later
BY_LIKE = {"zeros_like": 0, "ones_like": 1, "empty_like": 0}
CORRECTION = {  # of var and std where the call does not say
    "torch": 1, "np": 0, "numpy": 0, "anp": 0, "jnp": 0, "jax": 0,
}
OTHER_NAMES = {  # of a parameter, in a library
    "min": "low", "max": "high", "a_min": "low", "a_max": "high", "dim": "axis",
    "dims": "axes", "exponent": "b",
}
# fmt: on


def by_axis(
    program: FileProgram, op: str, x: Value, rest: Any, keywords: Any
) -> Symbol:
    """A reduction, or an op along an axis."""
    if op == "norm" and rest:
        raise NotUnderstood("the order of a norm is not read")
    if len(rest) > 1 or (rest and isinstance(rest[0], bool)):
        raise NotUnderstood(f"{op} has operands that are not read")
    given = dict(keywords)
    axis = given.pop("axis", given.pop("dim", rest[0] if rest else None))
    params: dict[str, Any] = {"axis": axes(stated(program, axis))}
    keep = given.pop("keepdims", given.pop("keepdim", None))
    if op in ALONG:
        params["axis"] = params["axis"] or (-1,)
        if op in IN_A_ROW and axis is None and len(symbol(program, x).shape) > 1:
            raise NotUnderstood(f"{op} of all axes is not read")
    elif keep is not None:
        params["keepdims"] = bool(keep)
    if "ddof" in OPS[op].params:
        correction = given.pop("ddof", given.pop("correction", None))
        if correction is None:
            raise NotUnderstood(f"the correction of {op} is not stated")
        params["ddof"] = whole(stated(program, correction))
    for name in ("dtype",):
        given.pop(name, None)
    if given:
        raise NotUnderstood(f"{op} has the keyword {next(iter(given))!r}")
    return program.apply(op, symbol(program, x), **params)


# ---- losses and what else is written by other ops


def max_of(program: FileProgram, *operands: Value, **keywords: Value) -> Symbol:
    """The larger of two, or the largest element."""
    return _extreme(program, "max", "maximum", operands, keywords)


def min_of(program: FileProgram, *operands: Value, **keywords: Value) -> Symbol:
    """The smaller of two, or the smallest element."""
    return _extreme(program, "min", "minimum", operands, keywords)


def _extreme(
    program: FileProgram, one: str, two: str, operands: Any, keywords: Any
) -> Symbol:
    if len(operands) == 2 and not keywords and not has_axis(program, operands):
        return program.apply(two, *(symbol(program, x) for x in operands))
    return by_axis(program, one, operands[0], operands[1:], keywords)


def has_axis(program: FileProgram, operands: Sequence[Value]) -> bool:
    """Whether the second operand of `x.max(1)` is an axis, and no number beside x."""
    is_axis = len(operands) == 2 and isinstance(operands[1], Fraction | tuple)
    return is_axis and bool(symbol(program, operands[0]).shape)


def max_along(program: FileProgram, *operands: Value, **keywords: Value) -> Value:
    """PyTorch's `max` along an axis: the largest elements, and where they stand."""
    return max_of(program, *operands, **keywords), Unknown("places are not read")


def min_along(program: FileProgram, *operands: Value, **keywords: Value) -> Value:
    """PyTorch's `min` along an axis: the smallest elements, and where they stand."""
    return min_of(program, *operands, **keywords), Unknown("places are not read")


# fmt: off
FUNCTION_TABLE: Mapping[str, Callable[..., Any]] = {
    "mse_loss": loss("mse"), "l1_loss": loss("l1"),
    "binary_cross_entropy": loss("bce"),
    "binary_cross_entropy_with_logits": loss("bce_with_logits"),
    "cross_entropy": cross_entropy,
    "linear": linear, "dot": dot, "matmul": dot, "mm": dot, "mv": dot, "inner": inner,
    "pow": power, "power": power, "clip": clip, "clamp": clip, "outer": outer,
    "transpose": transposed, "t": transposed, "permute": permuted,
    "permute_dims": permuted, "swapaxes": swapped, "reshape": reshaped,
    "view": reshaped, "flatten": flattened, "ravel": flattened,
    "squeeze": squeezed, "unsqueeze": unsqueezed, "expand_dims": unsqueezed,
    "where": where, "max": max_of, "amax": max_of, "min": min_of,
    "amin": min_of, "eye": eye, "len": length, "range": ranged, "xrange": ranged,
    "arange": arange,
    "linspace": linspace, "einsum": einsum, "enumerate": enumerated, "zip": zipped,
    "reversed": backwards, "list": listed, "tuple": listed, "full": filled,
    "diag": diagonal, "diagflat": spread_diagonal, "shape": shape, "size": size,
    "stack": stacked, "vstack": rows_below, "hstack": side_by_side,
    "concatenate": joined, "pad": padded, "repeat": repeated, "square": square,
    "split": split, "array_split": split, "hsplit": split_across,
    "vsplit": split_below, "moveaxis": moved,
    "correlate2d": correlated(2, is_flipped=False),
    "convolve2d": correlated(2, is_flipped=True),
    "correlate": correlated(None, is_flipped=False),
    "convolve": correlated(None, is_flipped=True),
    "fftconvolve": correlated(None, is_flipped=True),
}
# What PyTorch calls as NumPy calls something else; of `size` NumPy has no method.
PYTORCH: Mapping[str, Callable[..., Any]] = {
    "pad": padded_from_last, "repeat": tiled, "size": size_of_tensor,
    "max": max_along, "min": min_along, "split": split_in_lengths,
}
TENSORS = frozenset({"torch", "F", "nn", "functional"})  # modules of PyTorch
OF_ARRAYS = frozenset({"torch", "numpy", "jax", "autograd"})
LAYERS: Mapping[str, str] = {
    "ReLU": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus",
    "Relu": "relu", "TanH": "tanh",
    "GELU": "gelu", "SiLU": "silu", "ELU": "elu", "Softmax": "softmax",
    "MSELoss": "mse_loss", "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits", "L1Loss": "l1_loss",
    "CrossEntropyLoss": "cross_entropy", "Identity": "identity",
}
# fmt: on


SLOPE_NAMES = re.compile(
    r"(?:d_?)?(?P<of>sigmoid|tanh|relu)"
    r"_?(?:grad|gradient|prime|deriv|derivative|derivee|ableitung|deri)"
)


def slope_named(program: FileProgram, name: str, x: Value) -> Symbol | None:
    """What `sigmoid_grad(x)` gives, by its name; None for another name."""
    match = SLOPE_NAMES.fullmatch(name)
    if match is None:
        return None
    operand = program.copy(symbol(program, x))
    return program.derivative(program.apply(match["of"], operand), operand)


def is_function(name: str) -> bool:
    """Whether a library's function is read that has this name."""
    return name in FUNCTION_TABLE or name in FUNCTIONS or name in REDUCTIONS


def call(
    program: FileProgram,
    name: str,
    operands: tuple[Value, ...],
    keywords: Any,
    is_pytorch: bool = False,
) -> Value:
    """A library's function, or a method with its object first, applied.

    is_pytorch: whether it is PyTorch's, where NumPy has another one of its name.
    """
    for value in (*operands, *keywords.values()):
        known(value)
    if not operands and name in TABLES:
        return dict(keywords)
    if not operands and name not in CHANCE | {*BY_SHAPE}:
        raise NotUnderstood(f"{name} is called without an operand")
    if name in CHANCE:
        return Open(
            _chance_shape(program, name, operands, keywords), "{name} is random"
        )
    if name in BY_SHAPE:
        operands = _shape_operands(name, operands, keywords)
        return full(program, BY_SHAPE[name], operands)
    if name in BY_LIKE:
        shape = symbol(program, operands[0]).shape
        return np.full(shape, Fraction(BY_LIKE[name]), dtype=object)
    if name == "identity":
        return operands[0]
    if name in FUNCTION_TABLE:
        table = PYTORCH if is_pytorch and name in PYTORCH else FUNCTION_TABLE
        return _bound(name, table[name], program, operands, keywords)
    if name == "prod" and isinstance(operands[0], tuple) and len(operands) == 1:
        lengths = [stated(program, n) for n in operands[0]]
        if lengths and all(isinstance(n, Fraction) for n in lengths):
            return AxisLength(math.prod(map(whole, lengths)))
    if name in REDUCTIONS or name in ALONG:
        return by_axis(program, name, operands[0], operands[1:], keywords)
    if name in FUNCTIONS:
        row = OPS[FUNCTIONS[name]]
        nodes = [symbol(program, x) for x in operands]
        if keywords or (row.arity and len(nodes) != row.arity):
            raise NotUnderstood(f"{name} is called in a way that is not read")
        return program.apply(row.name, *nodes)
    raise NotUnderstood(f"{name} is no function that is read")


def _bound(
    name: str,
    function: Callable[..., Any],
    program: FileProgram,
    operands: Any,
    keywords: Any,
) -> Value:
    """A row of a table, applied to what its parameters can take."""
    signature = inspect.signature(function)
    taken = signature.parameters
    if all(p.kind is not p.VAR_KEYWORD for p in taken.values()):
        keywords = {
            k if k in taken else OTHER_NAMES.get(k, k): v for k, v in keywords.items()
        }
        for keyword in keywords:
            if keyword not in taken:
                raise NotUnderstood(f"the keyword {keyword!r} is not read")
    try:
        bound = signature.bind(program, *operands, **keywords)
    except TypeError as error:
        raise NotUnderstood(f"{name} is called otherwise than read: {error}") from None
    return function(*bound.args, **bound.kwargs)


def _shape_operands(name: str, operands: Any, keywords: Any) -> Any:
    for keyword in keywords:
        if operands or keyword not in ("shape", "size"):
            raise NotUnderstood(f"the keyword {keyword!r} is not read")
        operands = (keywords[keyword],)
    if not operands:
        raise NotUnderstood(f"{name} is called without a shape")
    return operands


def _chance_shape(
    program: FileProgram, name: str, operands: tuple[Value, ...], keywords: Any
) -> tuple[int, ...]:
    if name.endswith("_like"):
        return symbol(program, operands[0]).shape
    size = keywords.get("size")
    if size is None and name in (
        "normal",
        "uniform",
        "randint",
        "integers",
        "binomial",
    ):
        size = operands[2] if len(operands) > 2 else ()
    if size is not None:
        operands = size if isinstance(size, tuple) else (size,)
    return shape_of(program, operands)


def layer(
    program: FileProgram, name: str, operands: tuple[Value, ...], keywords: Any
) -> Layer:
    """A layer of `nn`; the weights that it starts with are left to chance."""
    if name == "Linear":
        inputs, outputs = (whole(stated(program, v)) for v in operands[:2])
        weights: dict[str, Value] = {
            "weight": _random(program, (outputs, inputs), "weight")
        }
        has_bias = operands[2] if len(operands) > 2 else keywords.get("bias", True)
        if has_bias is not False:
            weights["bias"] = _random(program, (outputs,), "bias")
        return Layer("linear", weights)
    kept = {k: v for k, v in keywords.items() if k != "inplace"}
    if operands and name == "Softmax":
        kept["dim"], operands = operands[0], operands[1:]
    if operands and name != "Identity":
        raise NotUnderstood(f"{name} has operands that are not read")
    return Layer(LAYERS[name], keywords=kept)


def _random(program: FileProgram, shape: tuple[int, ...], what: str) -> Symbol:
    return symbol(program, Open(shape, f"the {what} of a new Linear layer is random"))
