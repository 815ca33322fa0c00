"""`gradverify check-file my_ops.py::MyFunction --at "x=randn(3,4)"`: one function.

The file is imported, since it is named on the command line. What stands in `--at` is
read over a whitelist and never executed.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gradverify.cli.output import say
from gradverify.cli.status import NOTHING, RIGHT, WRONG, CommandError
from gradverify.expressions import Expression, ExpressionError, parse
from gradverify.graph import Array

MAKERS = "randn(3,4), rand(3), ones(2,2), zeros(3), randint(5, 3,4), arange(4)"
LARGEST = 10_000_000  # entries of one argument
SEED = 0


@dataclass(frozen=True)
class FunctionRequest:
    """What was asked for on the command line.

    place: `file.py::name` or `package.module:name`. at: texts such as `x=randn(3,4)`.
    """

    place: str
    at: Sequence[str]
    reference: str = ""
    domain: str = ""
    dtype: str = "float64"
    cases: int = 50
    modes: str = ""


def check_file(asked: FunctionRequest) -> int:
    """Judge a function; the status is 1 if it is wrong, 3 if nothing was judged."""
    from gradverify.plugin.checked_function import check

    library, function = _function(asked.place)
    arrays = _arrays(asked.at, asked.dtype, function)
    options: dict[str, Any] = {"cases": asked.cases}
    if asked.domain:
        options["domain"] = asked.domain
    if asked.modes:
        options["modes"] = asked.modes
    if asked.reference:
        options["reference"] = _function(asked.reference)[1]
    try:
        found = check(function, *(library(x) for x in arrays), **options)
    except ValueError as error:
        raise CommandError(str(error)) from error
    say(str(found))
    if any(d.failed for d in found.findings):
        return WRONG
    return RIGHT if found.ok else NOTHING


# ---- the function


def _function(place: str) -> tuple[Any, Any]:
    """A function by its place, and what makes arrays of its library."""
    module, name = _module(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            have = ", ".join(sorted(n for n in vars(module) if not n.startswith("_")))
            raise CommandError(f"{place}: there is no {part}; the file has {have}")
        found = getattr(found, part)
    torch: Any = sys.modules.get("torch")
    if torch is None:
        raise CommandError(f"{place}: the file imports no library that is known: torch")
    if isinstance(found, type) and issubclass(found, torch.autograd.Function):
        found = getattr(found, "apply")  # noqa: B009  (it has it: a `Function`)
    elif isinstance(found, type) and issubclass(found, torch.nn.Module):
        found = _made(found, place)
    if not callable(found):
        raise CommandError(f"{place} is a {type(found).__name__}, which is not called")
    return torch.from_numpy, found


def _made(module: Any, place: str) -> Any:
    try:
        return module()
    except TypeError as error:
        raise CommandError(
            f"{place} is a module that needs arguments ({error}); write an instance "
            "into the file and name that"
        ) from error


def _module(place: str) -> tuple[ModuleType, str]:
    """The module of a place, imported, and the name in it."""
    file, colons, name = place.partition("::")
    if not colons:
        path, _, name = place.partition(":")
        if not path or not name:
            raise CommandError(
                f"{place!r} is no place of a function; write my_ops.py::MyFunction or "
                "package.module:function"
            )
        sys.path.insert(0, str(Path.cwd()))
        try:
            return import_module(path), name
        except ImportError as error:
            raise CommandError(f"{path} cannot be imported: {error}") from error
    source = Path(file)
    spec = (
        spec_from_file_location(source.stem, source) if os.path.isfile(source) else None
    )
    if spec is None or spec.loader is None:
        raise CommandError(f"{file} is no Python file")
    sys.path.insert(0, str(source.parent.resolve()))
    module = module_from_spec(spec)
    sys.modules.setdefault(source.stem, module)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        kind = type(error).__name__
        raise CommandError(f"{file} cannot be imported: {kind}: {error}") from error
    return module, name


# ---- its arguments


def _arrays(texts: Sequence[str], dtype: str, function: Any) -> list[Array]:
    """The arrays of `x=randn(3,4)`, in the order in which they were given."""
    if not texts:
        raise CommandError(
            f"say what the function is called with{_needed(function)}: --at "
            f'"x=randn(3,4)", once for each argument; there are {MAKERS}'
        )
    source = np.random.default_rng(SEED)
    arrays = []
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            if not equals:
                raise ExpressionError("write it as --at x=randn(3,4)")
            expression = parse(value)
            arrays.append(_made_of(expression, expression.tree, dtype, source))
        except ExpressionError as error:
            raise CommandError(f"--at {text!r}: {error}") from error
        del name
    return arrays


def _needed(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    forward = getattr(owner, "forward", getattr(function, "forward", function))
    try:
        names = [n for n in inspect.signature(forward).parameters if n != "ctx"]
    except (TypeError, ValueError):
        return ""
    return f" ({', '.join(names)})" if names else ""


def _made_of(whole: Expression, tree: ast.expr, dtype: str, source: Any) -> Array:
    """The array of one call of a maker, a number, or a list of numbers."""
    match tree:
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            if name not in _MAKERS:
                whole.refuse(tree, f"{name} makes no array", MAKERS)
            numbers = [_length(whole, a) for a in args]
            made: Array = _MAKERS[name](numbers, dtype, source)
            return made
        case _:
            found = np.array(_listed(whole, tree))
            return found if found.dtype.kind in "ib" else found.astype(dtype)


def _listed(whole: Expression, tree: ast.expr) -> Any:
    match tree:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_listed(whole, part) for part in parts]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_listed(whole, inner)
        case ast.Constant(value=bool(value)):
            return value
        case ast.Constant():
            return whole.number(tree)
    whole.refuse(tree, f"{whole.source(tree)} is no array", MAKERS)


def _length(whole: Expression, tree: ast.expr) -> int:
    match tree:
        case ast.Constant(value=int(value)) if 0 <= value <= LARGEST:
            return value
    whole.refuse(tree, f"{whole.source(tree)} is no length", "whole numbers")


def _shaped(shape: Sequence[int]) -> tuple[int, ...]:
    if int(np.prod(shape, dtype=float)) > LARGEST:
        raise ExpressionError(f"{tuple(shape)} has over {LARGEST:,} entries")
    return tuple(shape)


_MAKERS: Mapping[str, Any] = {
    "randn": lambda n, dtype, s: s.standard_normal(_shaped(n)).astype(dtype),
    "rand": lambda n, dtype, s: s.uniform(0.0, 1.0, _shaped(n)).astype(dtype),
    "ones": lambda n, dtype, s: np.ones(_shaped(n), dtype),
    "zeros": lambda n, dtype, s: np.zeros(_shaped(n), dtype),
    "arange": lambda n, dtype, s: np.arange(n[0] if n else 1).astype(dtype),
    "randint": lambda n, dtype, s: s.integers(0, n[0] if n else 2, _shaped(n[1:])),
}
