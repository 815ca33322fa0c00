"""Where the class of an engine is found again, in another process."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from gradverify.differentiators import registry
from gradverify.differentiators.isolation.messages import Engine
from gradverify.differentiators.protocol import Differentiator


def place_of(differentiator: Differentiator) -> Engine:
    """The module of the engine's class, its file, and its name in there."""
    cls = type(differentiator)
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    return Engine(cls.__module__, file, cls.__qualname__, differentiator.name)


def class_at(place: Engine) -> type[Differentiator]:
    """The class at a place, whose module is imported for that.

    A module is imported by its name if that leads to its file, and else from the file,
    as a conftest is that pytest has given a name. Raises `LookupError` where the class
    is not there, and whatever the module raises.
    """
    module = _module(place)
    found: object = module
    for name in place.attribute.split("."):
        found = getattr(found, name, None)
    # a class that a function made is not at its name; `register` knows it
    cls = found or registry.registered_class(place.name)
    if not (isinstance(cls, type) and issubclass(cls, Differentiator)):
        raise LookupError(
            f"{place.attribute} is not found in {place.file or place.module}; define "
            "the class at the top level of a module, or register it there"
        )
    return cls


def _module(place: Engine) -> ModuleType:
    if place.module == "__main__":
        raise LookupError(
            f"{place.attribute} is defined in the program itself; define it in a "
            "module of its own"
        )
    spec = _spec(place)
    if spec is None or spec.loader is None:
        raise LookupError(f"the module {place.module} is not found")
    if place.module not in sys.modules:
        module = module_from_spec(spec)
        sys.modules[place.module] = module
        spec.loader.exec_module(module)
    return sys.modules[place.module]


def _spec(place: Engine) -> ModuleSpec | None:
    root = _root(place)
    if root is not None and root not in sys.path:
        sys.path.append(root)  # pytest names modules from there without adding it
    try:
        by_name = find_spec(place.module)  # which imports the packages above it
    except (ImportError, ValueError, AttributeError):
        by_name = None
    if place.file is None or (by_name and _same(by_name.origin, place.file)):
        return by_name
    return spec_from_file_location(place.module, place.file)


def _root(place: Engine) -> str | None:
    """The folder from which the module's dotted name leads to its file."""
    names = place.module.split(".")
    path = Path(place.file or "").with_suffix("")
    leads_there = list(path.parts[-len(names) :]) == names
    return str(path.parents[len(names) - 1]) if leads_there else None


def _same(one: str | None, other: str) -> bool:
    return one is not None and Path(one).resolve() == Path(other).resolve()
