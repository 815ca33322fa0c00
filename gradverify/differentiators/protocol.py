"""What a differentiator is: a table of functions and at least one mode."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MethodType, ModuleType
from typing import Any, ClassVar, NamedTuple

from gradverify.differentiators.spelling import Spelling
from gradverify.formats import DTYPES
from gradverify.graph import Graph, Limits, interpret_all
from gradverify.outside.nearest import meant

Rows = Mapping[str, Callable[..., Any] | str]


class Pulled(NamedTuple):
    """What a gradient or vjp mode returns: the value and a cotangent an input.

    A cotangent may be None, the engine's word for "not connected". `intermediates`
    are cotangents of other nodes by their index, where an engine offers them.
    """

    value: Any
    cotangents: Sequence[Any]
    intermediates: Mapping[int, Any] | None = None


class Pushed(NamedTuple):
    """What a jvp mode returns: the value and its tangent."""

    value: Any
    tangent: Any


KINDS = {
    "gradient": "(function, point) -> Pulled",
    "vjp": "(function, point, cotangent) -> Pulled",
    "jvp": "(function, point, tangents) -> Pushed",
}


def arguments_of(kind: str) -> str:
    """How a method that is a mode of this kind begins: `self, function, point`."""
    return f"self, {KINDS[kind].partition(')')[0][1:]}"


class Mode:
    """A method of a differentiator that differentiates; its name stands in ids."""

    def __init__(self, kind: str, default: bool, method: Callable[..., Any]) -> None:
        self.kind = kind
        self.default = default
        self.method = method

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else MethodType(self.method, instance)


def mode(kind: str, *, default: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Declare a method as a mode of that kind.

    Each kind has its arguments and its result:

    gradient: `def reverse(self, function, point)` returns `Pulled(value, cotangents)`,
        the gradient of a function with a scalar result.
    vjp: `def reverse(self, function, point, cotangent)` returns the same, for a
        cotangent of the function's result, an array of its shape.
    jvp: `def forward(self, function, point, tangents)` returns
        `Pushed(value, tangent)`, the directional derivative along tangents, one for
        each input.

    function: called as `function(*inputs)` with the engine's own arrays; returns one.
    point: the inputs, a list of NumPy arrays. cotangents: a list with one array of an
    input's shape for each input, or None where it is not connected.

    default: run when no mode is named; where no mode is marked, all are.
    Raises `ValueError` for another kind. Second derivatives are not judged.
    """
    if kind not in KINDS:
        raise ValueError(
            f"mode kind {kind!r} is not known; write one of {', '.join(KINDS)}, and "
            "leave out a mode of second derivatives, which are not judged"
        )
    return lambda method: Mode(kind, default, method)


@dataclass(frozen=True, kw_only=True)
class Accepts(Limits):
    """What a differentiator can run; nothing outside is ever handed to it.

    Beside what graphs may be made of (`ranks`, `broadcasting`, `empty`, `literals` and
    `data` of `Limits`):

    subnormals: numbers so small that some take them for zero.
    raises_overflow: raises where NumPy gives infinity.
    """

    dtypes: tuple[str, ...] = ("float64",)
    max_inputs: int | None = None
    subnormals: bool = True
    raises_overflow: bool = False

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
        for name in ("subnormals", "raises_overflow"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ValueError(f"{name}={value!r}; write True or False")


class Differentiator(ABC):
    """An engine under test. Abstract; every concrete one is final.

    table: op to function of the engine's own arrays, or a string: why it is absent.
        It may have a row "data" that makes an engine's array of a NumPy array.
    compiles: every new graph costs a compilation, so that fewer are drawn, and each is
        looked at in many points.
    device: where the arrays live; on a device two runs may round differently.
    isolated: it runs in a process of its own, which is started again if it ends, and
        which is ended if it gives no answer in time.
    """

    name: ClassVar[str]
    accepts: ClassVar[Accepts] = Accepts()
    compiles: ClassVar[bool] = False
    device: ClassVar[str] = "cpu"
    isolated: ClassVar[bool] = False

    @property
    @abstractmethod
    def table(self) -> Rows:
        """A class attribute does; a property lets the library be imported late."""

    def available(self) -> str | None:
        """None, or why the engine cannot run here; tries one op."""
        return None

    def versions(self) -> Mapping[str, str]:
        """The versions of the packages that decide the results."""
        return {}

    def spelling(self, mode: str) -> Spelling:
        """How the engine's own API is written, for a script that shows a deviation.

        Unless an engine says more, its class is imported and its table called.
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
    """The modes of a class and of those that it is made of."""
    found: dict[str, Mode] = {}
    for base in reversed(kind.__mro__):
        found |= {k: v for k, v in vars(base).items() if isinstance(v, Mode)}
    return found


def tried(package: str, attempt: Callable[[], object]) -> str | None:
    """None where the attempt succeeds, else why the package cannot be used."""
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

    Arrays of data take the case's dtype, then go through the table's row "data";
    without that row, rank 0 is a Python number.
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
        """The values of all nodes, of which the last is the output."""
        needed = len(self.graph.inputs)
        if any(isinstance(x, list | tuple) for x in inputs) or len(inputs) != needed:
            given = ", ".join(type(x).__name__ for x in inputs)
            raise Misuse(
                f"the function takes {needed} arrays and was given ({given}); call it "
                "as function(*inputs)"
            )
        return interpret_all(self.graph, self.table, inputs)


class Misuse(TypeError):
    """A mode does not keep to the protocol; the message says how it should."""


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
    """The row of `slice` for arrays that are indexed as NumPy's are."""
    place = axis[0] % len(x.shape)
    return x[(slice(None),) * place + (slice(start, stop),)]


def operators(ops: str) -> dict[str, Callable[..., Any] | str]:
    """Rows for ops that the engine's arrays spell with Python's operators."""
    unknown = sorted({*ops.split()} - {*OPERATORS})
    if unknown:
        raise ValueError(f"no Python operator for {unknown}; known: {[*OPERATORS]}")
    return {op: OPERATORS[op] for op in ops.split()}


def functions(
    module: ModuleType | Any, ops: str = "", **renamed: str
) -> dict[str, Callable[..., Any] | str]:
    """Rows for ops that are functions of a module, `op="name"` for another name.

    A name with the arguments of NumPy alone; for others write the row out.
    """
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
