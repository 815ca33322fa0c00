"""Differentiators by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import gradverify.differentiators as package
from gradverify.differentiators import (
    Differentiator,
    known_names,
    load,
    mode,
    operators,
    register,
    registered,
    registry,
)

# Folders that hold no differentiator, but what several share.
SHARED = {"isolation", "composed", "spelling"}


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_registered", {})
    yield
    registry._instance.cache_clear()


def made(named: str) -> type[Differentiator]:
    class Made(Differentiator):
        name = named
        table = operators("add")

        @mode("gradient")
        def only(self, function: Any, point: Any) -> Any: ...

    return Made


def test_every_folder_is_of_an_engine_that_has_a_name() -> None:
    folder = Path(package.__file__).parent
    folders = {path.parent.name for path in folder.glob("*/__init__.py")} - SHARED
    modules = [path.partition(":")[0] for path in registry.BUILTINS.values()]
    assert folders == {module.split(".")[2] for module in modules}


def test_registered_names_keep_their_order() -> None:
    for name in ("zeta", "alpha"):
        register(made(name))
    assert registered() == ("zeta", "alpha")


def test_a_class_is_found_by_its_path() -> None:
    path = "gradverify.differentiators.own.tape_engine:OwnTape"
    assert load(path).name == "own-tape"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "tensorflow",
            "'tensorflow'; known: own-dual, own-tape, autograd, torch-cpu, ",
        ),
        ("nowhere.at:All", "at 'nowhere.at:All' (No module named 'nowhere')"),
        ("gradverify.graph:Missing", "write package.module:Class"),
        ("gradverify.graph:Graph", "is no subclass of Differentiator"),
    ],
)
def test_a_name_that_is_not_known_is_an_error_that_helps(
    name: str, message: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        load(name)
    assert message in str(caught.value)


def test_a_name_that_is_taken_is_an_error_that_names_both() -> None:
    with pytest.raises(ValueError, match=r"named 'torch-cpu'.*pytorch:TorchCpu and "):
        register(made("torch-cpu"))


def test_two_registered_classes_of_one_name_are_an_error() -> None:
    register(made("mine"))
    other = made("mine")
    other.__qualname__ = "Other"
    with pytest.raises(ValueError, match=r"made.<locals>.Made and .*:Other; give one"):
        register(other)


def test_registering_the_same_class_again_replaces_it() -> None:
    register(made("mine"))
    again = register(made("mine"))
    assert isinstance(load("mine"), again)


def test_a_class_that_lacks_something_is_told_what() -> None:
    class Bare(Differentiator):
        name = "bare"

    with pytest.raises(ValueError, match="lacks table and a method decorated with"):
        register(Bare)


def installed(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    found = [EntryPoint(name, value, registry.GROUP) for name, value in points]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


TAPE = "gradverify.differentiators.own.tape_engine:OwnTape"


def test_an_installed_one_is_found_by_its_entry_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(monkeypatch, ("theirs", TAPE))
    assert "theirs" in known_names()
    assert load("theirs").name == "own-tape"


@pytest.mark.parametrize("first", [("autograd", "one:A"), ("theirs", "one:A")])
def test_entry_points_that_clash_are_an_error_that_names_both(
    monkeypatch: pytest.MonkeyPatch, first: tuple[str, str]
) -> None:
    installed(monkeypatch, first, ("theirs", "two:B"))
    with pytest.raises(ValueError, match="two differentiators are named") as caught:
        known_names()
    assert first[1] in str(caught.value)


def test_listing_the_names_imports_no_library() -> None:
    code = (
        "import sys\n"
        "from gradverify.differentiators import known_names, load\n"
        "names = known_names()\n"
        "load('torch-cpu'), load('torch-cuda'), load('autograd'), load('jax')\n"
        "heavy = {'torch', 'autograd', 'jax', 'scipy', 'hypothesis', 'mpmath'}\n"
        "print(*(heavy & {*sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")
