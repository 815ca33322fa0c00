"""What a differentiator is: a table of functions and at least one mode."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType, MethodType, ModuleType
from typing import Any, ClassVar, NamedTuple

from gradverify.differentiators.spelling import Spelling
from gradverify.formats import DTYPES
from gradverify.graph import Graph, Limits, interpret_all
from gradverify.outside.nearest import meant

Rows = Mapping[str, Callable[..., Any] | str]


class Pulled(NamedTuple):
    """What a mode returns that is not a jvp: the value, and one array for each input.

    That array is a cotangent, a Hessian-vector product, a Jacobian or a row of blocks
    of a Hessian, as the kind of the mode says. It may be None, by which an engine says
    that an input is not connected.
    An engine may also offer `intermediates`: the index of another node to its
    cotangent.
    """

    value: Any
    cotangents: Sequence[Any]
    intermediates: Mapping[int, Any] | None = None


class Pushed(NamedTuple):
    """What a jvp mode returns: the value and its tangent, an array of the same shape.

    The tangent may be None, by which an engine says that the value does not depend on
    any input that has a tangent.
    """

    value: Any
    tangent: Any


KINDS = {
    "gradient": "(function, point) -> Pulled",
    "vjp": "(function, point, cotangent) -> Pulled",
    "jvp": "(function, point, tangents) -> Pushed",
    "hvp": "(function, point, tangents) -> Pulled",
    "jacobian": "(function, point) -> Pulled",
    "hessian": "(function, point) -> Pulled",
}


def arguments_of(kind: str) -> str:
    """How a method that is a mode of this kind begins: `self, function, point`."""
    return f"self, {KINDS[kind].partition(')')[0][1:]}"


class Mode:
    """A method of a differentiator that differentiates. Its name is a part of ids."""

    def __init__(
        self,
        kind: str,
        default: bool,
        compiles: bool,
        dtypes: Sequence[str],
        method: Callable[..., Any],
    ) -> None:
        self.kind = kind
        self.default = default
        self.compiles = compiles
        self.dtypes = tuple(dtypes)
        self.method = method

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else MethodType(self.method, instance)


def mode(
    kind: str,
    *,
    default: bool = False,
    compiles: bool = False,
    dtypes: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a method as a mode of that kind.

    Each kind has its arguments and its result:

    gradient: `def reverse(self, function, point)` returns `Pulled(value, cotangents)`,
        the gradient of a function with a scalar result.
    vjp: `def reverse(self, function, point, cotangent)` returns the same, for a
        cotangent of the function's result, an array of its shape.
    jvp: `def forward(self, function, point, tangents)` returns
        `Pushed(value, tangent)`, the directional derivative along the tangents. The
        result may be an array, and so is its tangent.
    hvp: `def forward_over_reverse(self, function, point, tangents)` returns
        `Pulled(value, products)` of a function with a scalar result: the Hessian times
        the tangents, one array of an input's shape for each input.
    jacobian: `def jacobian(self, function, point)` returns `Pulled(value, blocks)`, one
        array of shape `value.shape + input.shape` for each input.
    hessian: `def hessian(self, function, point)` returns `Pulled(value, blocks)` of a
        function with a scalar result; `blocks[i][j]` has the shape
        `input_i.shape + input_j.shape`.

    function: called as `function(*inputs)` with the engine's own arrays; returns one.
    point: the inputs, a list of NumPy arrays. tangents: a list of one array of an
    input's shape for each input; None where that input does not move, for an engine
    with `Accepts(absent_tangents=True)`. What comes back may be None where an input is
    not connected.

    If a run names no modes, the `default` ones are run; if none is marked so, all are.
    dtypes: the only ones in which a run asks this mode; empty for all that the engine
    accepts.
    Raises `ValueError` for another kind.
    """
    __tracebackhide__ = True  # so that pytest shows the line of the conftest
    if kind not in KINDS:
        raise ValueError(f"mode kind {kind!r} is not known; {meant(str(kind), KINDS)}")
    return lambda method: Mode(kind, default, compiles, dtypes, method)


@dataclass(frozen=True, kw_only=True)
class Accepts(Limits):
    """What a differentiator can run; nothing outside is ever handed to it.

    It has the fields of `Limits`, which say what graphs may be made of, and these:

    subnormals: whether it keeps numbers so small that some engines take them for zero.
    absent_tangents: whether its modes take None for the tangent of an input that does
        not move. If not, they get zeros for it.
    """

    dtypes: tuple[str, ...] = ("float64",)
    max_inputs: int | None = None
    subnormals: bool = True
    absent_tangents: bool = False

    def __post_init__(self) -> None:
        """Raise `ValueError` for what is not of its kind, with what to write."""
        super().__post_init__()
        dtypes: object = self.dtypes
        if isinstance(dtypes, str):
            raise ValueError(f"dtypes={dtypes!r} is a text; write ({dtypes!r},)")
        if not isinstance(dtypes, tuple | list) or not dtypes:
            raise ValueError(f'dtypes={dtypes!r}; write a tuple such as ("float64",)')
        for dtype in dtypes:
            if dtype not in DTYPES:
                raise ValueError(f"dtypes has {dtype!r}; {meant(str(dtype), DTYPES)}")
        most: object = self.max_inputs
        if most is not None and (type(most) is not int or most < 1):
            raise ValueError(f"max_inputs={most!r}; write None, or a number from 1 up")
        for name in ("subnormals", "absent_tangents"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ValueError(f"{name}={value!r}; write True or False")


class Differentiator(ABC):
    """An engine under test. This class is abstract; every concrete one is final.

    table: from an op to a function of the engine's own arrays, or to a string that says
        why the engine has no such function. It may have a row "data", which makes an
        engine's array of a NumPy array.
    compiles: whether the engine compiles every new graph. Then fewer graphs are drawn,
        and each is looked at in many points.
    device: where the arrays live. On a device two runs may round differently.
    isolated: whether the engine runs in a process of its own. That process is started
        again if it ends, and it is ended if it gives no answer in time. None: a run
        keeps it in the process in which it was tried, where there is one. False: in the
        process of the run, which it can then end, or hold up for ever, from C.
    accuracy: ops that the library itself says are less accurate than usual, and by how
        many units of roundoff values and derivatives may be off, such as
        `{"exp": 32}`; the op "*" stands for all, as for an engine of finite
        differences. The source of each number belongs beside it.
    taken_out: ops that the handshake found to fail, and why; they are not judged.
    """

    name: ClassVar[str]
    accepts: ClassVar[Accepts] = Accepts()
    compiles: ClassVar[bool] = False
    device: ClassVar[str] = "cpu"
    isolated: ClassVar[bool | None] = None
    accuracy: ClassVar[Mapping[str, float]] = {}
    taken_out: Mapping[str, str] = MappingProxyType({})

    @property
    @abstractmethod
    def table(self) -> Rows:
        """The rows: a class attribute, or a property that imports the library late."""

    def available(self) -> str | None:
        """Why the engine cannot run here; None if one op runs."""
        return None

    def versions(self) -> Mapping[str, str]:
        """The versions of the packages that decide the results."""
        return {}

    def spelling(self, mode: str) -> Spelling:
        """How the engine's own API is written, for a script that shows a deviation.

        Without a method of the engine's own, the script imports its class and calls its
        table.
        """
        from gradverify.differentiators.spelling.by_class import by_class

        cls = type(self)
        path = f"{cls.__module__}:{cls.__qualname__.rpartition('.')[2]}"
        return by_class(path, mode, cls.modes()[mode].kind)

    @classmethod
    def modes(cls) -> dict[str, Mode]:
        """All modes by name, in the order in which they are written."""
        return dict(_modes_of(cls))


@lru_cache(maxsize=256)
def _modes_of(kind: type) -> Mapping[str, Mode]:
    """The modes of a class and of its base classes."""
    found: dict[str, Mode] = {}
    for base in reversed(kind.__mro__):
        modes = {k: v for k, v in vars(base).items() if isinstance(v, Mode)}
        found |= {k.replace("_", "-"): v for k, v in modes.items()}
    return found


def tried(package: str, attempt: Callable[[], object]) -> str | None:
    """Why the package cannot be used; None if the attempt succeeds."""
    try:
        attempt()
    except ImportError as error:
        return f"{package} cannot be imported ({error}): pip install {package}"
    except Exception as error:
        return f"{package} does not run here: {type(error).__name__}: {error}"
    return None


# ---- the function that a mode differentiates


class Lowered:
    """A graph as a function of an engine's own arrays: `function(*inputs)`.

    Arrays of data get the case's dtype, and then go through the table's row "data".
    Without that row, data of rank 0 become Python numbers.
    """

    def __init__(self, graph: Graph, table: Rows, dtype: str) -> None:
        self.graph = graph
        self.dtype = dtype
        lift: Any = table.get("data", _plain)
        functions: Mapping[str, Any] = {**table}
        self.table = {**functions, "data": lambda x: lift(_cast(x, dtype))}

    def __call__(self, *inputs: Any) -> Any:
        """The output."""
        return self.values(*inputs)[-1]

    def values(self, *inputs: Any) -> list[Any]:
        """The values of all nodes. The last one is the output."""
        needed = len(self.graph.inputs)
        if any(isinstance(x, list | tuple) for x in inputs) or len(inputs) != needed:
            given = ", ".join(type(x).__name__ for x in inputs)
            raise Misuse(
                f"the function takes {needed} arrays and was given ({given}); call it "
                "as function(*inputs)"
            )
        return interpret_all(self.graph, self.table, inputs)


class Misuse(TypeError):
    """A mode does not keep to the protocol. The message says how it should."""


def _cast(value: Any, dtype: str) -> Any:
    return value.copy() if value.dtype == bool else value.astype(dtype)


def _plain(value: Any) -> Any:
    return value.item() if value.ndim == 0 else value


# ---- rows of tables

OPERATORS: Mapping[str, Callable[..., Any]] = {
    "neg": operator.neg,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "power": lambda x, n: x**n,
    "matmul": operator.matmul,
    "abs": abs,
}


def sliced(x: Any, axis: Sequence[int], start: int, stop: int) -> Any:
    """The row of `slice`, for arrays that are indexed as NumPy's are."""
    place = axis[0] % len(x.shape)
    return x[(slice(None),) * place + (slice(start, stop),)]


def operators(ops: str) -> dict[str, Callable[..., Any] | str]:
    """Rows for ops that the engine's arrays spell with Python's operators.

    ops: names of ops with spaces between them, such as "add mul neg".

    Raises `ValueError` for a name that no operator of Python has, with the nearest one.
    """
    __tracebackhide__ = True  # so that pytest shows the line of the conftest
    unknown = sorted({*ops.split()} - {*OPERATORS})
    if unknown:
        hints = "; ".join(meant(op, [*OPERATORS]) for op in unknown)
        raise ValueError(f"operators: no Python operator for {unknown}; {hints}")
    return {op: OPERATORS[op] for op in ops.split()}


def functions(
    module: ModuleType | Any, ops: str = "", **renamed: str
) -> dict[str, Callable[..., Any] | str]:
    """Rows for ops that are functions of a module; `op="name"` if the name differs.

    The functions must take the arguments that NumPy's take, and return arrays of the
    shapes that NumPy's return. Other rows are written out.

    Raises `ValueError` for a function that the module does not have.
    """
    __tracebackhide__ = True  # so that pytest shows the line of the conftest
    names = {op: op for op in ops.split()} | renamed
    rows: dict[str, Callable[..., Any] | str] = {}
    for op, name in names.items():
        function = getattr(module, name, None)
        if function is None:
            where = getattr(module, "__name__", repr(module))
            raise ValueError(
                f"{where} has no function {name!r} for op {op!r}; give another name, "
                f'{op}="name", or say in the table why it is absent'
            )
        rows[op] = function
    return rows
