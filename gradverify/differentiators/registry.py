"""Differentiators by name: built-in, registered, and installed ones."""

from __future__ import annotations

import inspect
import re
import reprlib
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import FunctionType
from typing import TypeVar

from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Mode,
    arguments_of,
)
from gradverify.ops import OPS
from gradverify.outside.nearest import meant

EVERY_OP = "*"  # in a declared accuracy
GROUP = "gradverify.differentiators"
# What stands in the names of items and on command lines, where commas, colons and
# brackets have a meaning.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,59}")

# Written out, so that a name is found without importing a library; a test compares
# this with the folder.
BUILTINS = {
    "own-dual": "gradverify.differentiators.own.dual_engine:OwnDual",
    "own-tape": "gradverify.differentiators.own.tape_engine:OwnTape",
    "autograd": "gradverify.differentiators.hips_autograd:HipsAutograd",
    "torch-cpu": "gradverify.differentiators.pytorch:TorchCpu",
    "torch-cuda": "gradverify.differentiators.pytorch:TorchCuda",
    "jax": "gradverify.differentiators.jax_numpy:Jax",
}

_registered: dict[str, type[Differentiator]] = {}

D = TypeVar("D", bound=type[Differentiator])


def register(cls: D) -> D:
    """Register a differentiator under its name; a decorator.

    Raises `ValueError` if the name is taken; the message names both classes.
    """
    __tracebackhide__ = True  # so that pytest shows the line of the conftest
    _check(cls)
    other = BUILTINS.get(cls.name)
    if cls.name in _registered:
        other = _path(_registered[cls.name])
    elif cls.name in (installed := _installed()):
        other = installed[cls.name].value
    if other is not None and other != _path(cls):
        raise ValueError(
            f"two differentiators are named {cls.name!r}: {other} and {_path(cls)}; "
            "give one another name"
        )
    _registered[cls.name] = cls
    _instance.cache_clear()
    return cls


def registered_class(name: str) -> type[Differentiator] | None:
    """The class that was registered by that name."""
    return _registered.get(name)


def registered() -> tuple[str, ...]:
    """The names that were registered, in that order."""
    return tuple(_registered)


def known_names() -> tuple[str, ...]:
    """All names that `load` takes: built-in, registered, installed."""
    return tuple(dict.fromkeys((*BUILTINS, *_registered, *_installed())))


def load(name: str) -> Differentiator:
    """The differentiator with a name, or of `package.module:Class`.

    There is one instance a name.

    Raises `ValueError` if there is none; the message lists the names that are known.
    """
    return _instance(name)


@cache
def _instance(name: str) -> Differentiator:
    if name in _registered:
        return _made(_registered[name])
    if name in BUILTINS:
        return _made(_class_at(BUILTINS[name]))
    if ":" in name:
        return _made(_class_at(name))
    installed = _installed()
    if name in installed:
        return _made(_class_at(installed[name].value))
    raise ValueError(
        f"no differentiator {name!r}; {meant(name, known_names())} (a class is "
        "named as package.module:Class)"
    )


def _installed() -> dict[str, EntryPoint]:
    """Entry points by name.

    `ValueError` if two share a name, or if one takes a built-in name.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = BUILTINS.get(point.name)
        if point.name in found:
            other = found[point.name].value
        if other is not None and other != point.value:
            raise ValueError(
                f"two differentiators are named {point.name!r}: {other} and "
                f"{point.value}; uninstall one of them"
            )
        found[point.name] = point
    return found


def _made(cls: type[Differentiator]) -> Differentiator:
    try:
        return cls()
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{_path(cls)}() raised {type(error).__name__}: {error}; it is made "
            "without arguments"
        ) from error


def _class_at(path: str) -> type[Differentiator]:
    module, _, attribute = path.partition(":")
    try:
        cls = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"no differentiator at {path!r} ({error}); write package.module:Class"
        ) from error
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"no differentiator at {path!r}: importing it raised "
            f"{type(error).__name__}: {error}"
        ) from error
    _check(cls)
    found: type[Differentiator] = cls
    return found


def _check(cls: object) -> None:
    __tracebackhide__ = True
    if not (isinstance(cls, type) and issubclass(cls, Differentiator)):
        raise ValueError(f"{cls!r} is no subclass of Differentiator")
    missing = [key for key in ("name", "table") if not _is_given(cls, key)]
    if missing or not cls.modes():
        missing += [] if cls.modes() else ["a method decorated with @mode"]
        raise ValueError(f"{_path(cls)} lacks {' and '.join(missing)}")
    if isinstance(inspect.getattr_static(cls, "table"), FunctionType):
        raise ValueError(
            f"{_path(cls)}: table is a method; write @property above def table(self)"
        )
    accepts: object = cls.accepts
    if not isinstance(accepts, Accepts):
        raise ValueError(
            f"{_path(cls)}: accepts is {reprlib.repr(accepts)}; write accepts = "
            "gradverify.Accepts(...)"
        )
    for mode, declared in cls.modes().items():
        _check_call(_path(cls), mode, declared)
    for op, units in cls.accuracy.items():
        is_number = isinstance(units, int | float) and not isinstance(units, bool)
        if op not in (EVERY_OP, *OPS.public()) or not is_number or not units > 0:
            raise ValueError(
                f"{_path(cls)}: accuracy has {op!r}: {units!r}; allowed are a public "
                f"op or {EVERY_OP!r}, and how many units of roundoff it may be off by"
            )
    name: object = cls.name
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise ValueError(
            f"{_path(cls)} has the name {reprlib.repr(name)}; a name has up to 60 "
            'letters (a to z), digits and the signs - _ . +, such as "my-engine"'
        )


def _check_call(path: str, mode: str, declared: Mode) -> None:
    """Raise `ValueError` where a mode cannot be called as its kind is."""
    __tracebackhide__ = True
    wanted = arguments_of(declared.kind)
    try:
        signature = inspect.signature(declared.method)
    except (TypeError, ValueError):  # nothing that Python can look into
        return
    try:
        signature.bind(*wanted.split(", "))
    except TypeError:
        raise ValueError(
            f"{path}: the mode {mode!r} takes {signature}, and a mode of kind "
            f"{declared.kind!r} is called with others; write def {mode}({wanted})"
        ) from None


def _is_given(cls: type[Differentiator], key: str) -> bool:
    own = [c for c in cls.__mro__ if c is not Differentiator]
    return any(key in vars(c) for c in own)


def _path(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"
