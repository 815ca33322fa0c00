"""What the arguments of a call are named, and which of them are judged."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from gradverify.capture.function_call import Refused


def signature_of(function: Any) -> tuple[list[str], str]:
    """The names of positional parameters, as far as they are told, and of `*args`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [], "args"
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    rest = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL]
    return [p.name for p in parameters if p.kind in kinds], (rest or ["args"])[0]


def name_at(place: int, known: Sequence[str], more: str) -> str:
    """The name of the positional argument at a place."""
    return known[place] if place < len(known) else f"{more}[{place - len(known)}]"


def function_name(function: Any) -> str:
    """What the user calls a function."""
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return str(name).replace("<locals>.", "").replace("<lambda>", "lambda")


def chosen_places(names: Sequence[str], able: Sequence[int], wrt: Any) -> list[int]:
    """The places of the leaves that are differentiated.

    names: of all leaves. able: the places of those that can be. wrt: names or places,
    or None for all. Raises `Refused` for one that cannot be.
    """
    if wrt is None:
        return [*able]
    wanted = wrt if isinstance(wrt, list | tuple) else [wrt]
    found: list[int] = []
    for name in wanted:
        hits = [k for k in able if _is_meant(name, k, names[k])]
        if not hits:
            raise Refused(
                f"wrt={name!r} is no argument that can be differentiated; allowed are "
                f"{', '.join(names[k] for k in able)}, or their numbers"
            )
        found += hits
    return sorted(dict.fromkeys(found))


def no_argument(name: str, array: str) -> Refused:
    """The error about a function without anything to judge.

    name: of the function. array: what the library calls one, with its article.
    """
    return Refused(
        f"{name} has no argument that can be differentiated; hand over {array} of "
        "float32 or float64"
    )


def other_format(name: str, dtype: object) -> Refused:
    """The error about an argument in a format that is not judged."""
    return Refused(
        f"{name} is of {dtype}: half formats come later; hand over float32 or float64"
    )


def _is_meant(wanted: Any, place: int, name: str) -> bool:
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return place == wanted
    return name == wanted or name.startswith((f"{wanted}[", f"{wanted}."))
