"""Which differentiators a run judges, and why it does not judge the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from gradverify.differentiators import (
    Differentiator,
    known_names,
    load,
    present,
    register,
    registered,
)

OWN = frozenset({"own-dual", "own-tape"})


@dataclass(frozen=True)
class Selection:
    """The differentiators that are judged, and the absent ones with the reason.

    classes: those that were named as `package.module:Class`, by their names.
    """

    judged: tuple[Differentiator, ...]
    absent: Mapping[str, str]
    classes: Mapping[str, str] = field(default_factory=dict)

    @property
    def only_own(self) -> bool:
        """Whether only our own engines are judged, and no library."""
        return {d.name for d in self.judged} <= OWN


def select(config: pytest.Config, named: tuple[str, ...]) -> Selection:
    """The named ones; else those of this repository; else all that are installed.

    A named one that is unknown or absent raises `pytest.UsageError`.
    """
    try:
        register_hooked(config)
        known = known_names()
    except ValueError as error:
        raise pytest.UsageError(f"gradverify: {error}") from error
    if named:
        return _all_of(named)
    absent = {}
    if registered():
        why = "this repository registers its own"
        absent = {name: why for name in known if name not in registered()}
    return _present(registered() or known, absent)


def register_hooked(config: pytest.Config) -> None:
    """Register what conftests and plugins name by the hook."""
    for classes in config.hook.pytest_gradverify_differentiators(config=config):
        for cls in classes:
            register(cls)


def _all_of(named: Iterable[str]) -> Selection:
    judged: dict[str, Differentiator] = {}
    classes: dict[str, str] = {}
    for name in named:
        try:
            load(name)
        except ValueError as error:
            raise pytest.UsageError(f"--gradverify-differentiators: {error}") from error
        found = present(name)
        if isinstance(found, str):
            raise pytest.UsageError(
                f"--gradverify-differentiators: {name} was named and cannot run: "
                f"{found}"
            )
        judged[found.name] = found
        if ":" in name:
            classes[found.name] = name
    return Selection(tuple(judged.values()), {}, classes)


def _present(names: Iterable[str], absent: Mapping[str, str]) -> Selection:
    judged, missing = [], dict(absent)
    for name in names:
        found = present(name)
        if isinstance(found, str):
            missing[name] = found
        else:
            judged.append(found)
    if not judged:
        why = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        raise pytest.UsageError(f"gradverify: no differentiator can run ({why})")
    return Selection(tuple(judged), missing)
