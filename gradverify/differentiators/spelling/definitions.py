"""The source of functions of ours that a script calls, so that it runs without us.

Where a library has no one function for an op, the row of its table is a function that
is composed of what the library has. A script has that function as it stands here, with
everything of ours that it calls.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

OURS = __name__.partition(".")[0]


@dataclass(frozen=True)
class Defined:
    """A row that calls functions of ours.

    text: the call, from the operands and the params.
    needs: the functions; a method stands for its class, with the methods that it calls.
    layered: whether it calls `layers`, which the spelling sets up.
    """

    text: Callable[..., str]
    needs: tuple[Any, ...]
    layered: bool = False

    def __call__(self, *operands: str, **params: Any) -> str:
        """The call."""
        return self.text(*operands, **params)


def definitions(needs: Sequence[Any]) -> list[str]:
    """Import lines and definitions, in an order in which they can be run.

    Annotations are left out, so that a script needs no names for types.
    """
    imports: dict[str, None] = {}
    found: dict[Any, str] = {}
    methods: dict[type, dict[str, None]] = {}
    waiting = list(needs)
    while waiting:
        wanted = waiting.pop()
        cls = _class_of(wanted)
        if cls is not None:
            names = methods.setdefault(cls, {})
            if wanted.__name__ in names:
                continue
            names[wanted.__name__] = None
            waiting += [getattr(cls, name) for name in _own_methods(wanted, cls)]
        elif wanted in found or wanted in methods:
            continue
        elif isinstance(wanted, type):
            methods[wanted] = {}
        else:
            found[wanted] = ast.unparse(_tree(wanted))
        for name, value in _globals(wanted):
            if isinstance(value, ModuleType):
                alias = "" if value.__name__ == name else f" as {name}"
                imports[f"import {value.__name__}{alias}"] = None
            elif isinstance(value, FunctionType | type):
                waiting.append(value)
            else:
                found[name] = f"{name} = {value!r}"
    for cls, names in methods.items():
        imports["from dataclasses import dataclass"] = None
        found[cls] = ast.unparse(_class_with(cls, names))
    blocks = [text.splitlines() for text in found.values()]
    imports.pop("import math", None)  # every script has it
    return [*sorted(imports), *(line for b in blocks for line in ("", "", *b)), ""]


def _class_of(wanted: Any) -> type | None:
    """The class of a method; None for a function or a class."""
    name, _, _ = wanted.__qualname__.rpartition(".")
    found = getattr(sys.modules[wanted.__module__], name, None) if name else None
    return found if isinstance(found, type) else None


def _own_methods(method: Any, cls: type) -> list[str]:
    """The methods of its class that a method calls on itself."""
    names = {
        node.attr
        for node in ast.walk(_tree(method))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    return sorted(n for n in names if isinstance(vars(cls).get(n), FunctionType))


def _globals(wanted: Any) -> Iterable[tuple[str, Any]]:
    """Names of the module that a function uses: modules, and what is ours."""
    if isinstance(wanted, type):
        return
    known = wanted.__globals__
    names = {n.id for n in ast.walk(_tree(wanted)) if isinstance(n, ast.Name)}
    for name in sorted(names):
        if name not in known:
            continue
        value = known[name]
        own = getattr(value, "__module__", OURS).partition(".")[0] == OURS
        if own or isinstance(value, ModuleType):
            yield name, value


@lru_cache(maxsize=256)
def _tree(wanted: Any) -> Any:
    """The syntax of a function or class, without annotations."""
    source = textwrap.dedent(inspect.getsource(wanted))
    (node,) = ast.parse(source).body
    return ast.fix_missing_locations(_Plain().visit(node))


class _Plain(ast.NodeTransformer):
    """Leaves annotations out."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        """Without the type of the result."""
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_arg(self, node: ast.arg) -> Any:
        """Without the type."""
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """An assignment; a field of a class keeps a type, as dataclasses ask for it."""
        self.generic_visit(node)
        if node.value is not None:
            return ast.Assign([node.target], node.value)
        node.annotation = ast.Name("object")
        return node


def _class_with(cls: type, names: Iterable[str]) -> Any:
    """A class with its fields and with some of its methods."""
    node, kept = _tree(cls), set(names)
    body = [
        n for n in node.body if not isinstance(n, ast.FunctionDef) or n.name in kept
    ]
    return ast.ClassDef(
        node.name, node.bases, node.keywords, body, node.decorator_list,
    )  # fmt: skip
