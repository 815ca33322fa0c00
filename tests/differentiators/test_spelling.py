"""Scripts in an engine's own API give the numbers that the engine gave."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradverify.diagnosis.reproducer import reproducer
from gradverify.differentiators import (
    Differentiator,
    load,
    mode,
    questions,
    run,
    unsupported,
)
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.differentiators.spelling import ScriptContents, Spelling, script
from gradverify.differentiators.spelling.by_class import by_class
from gradverify.graph import Case, Graph, Node, case_name, input_leaf
from gradverify.ops import OPS
from gradverify.questions import Question
from gradverify.reference import Reference, reference
from gradverify.verdict import Judgement, Verdict

from .test_contract import SETTINGS, TWO, case_of

ENGINES = ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")
# others cost JAX much time
COMPILED = ("add", "softplus", "norm", "einsum", "gelu", "conv2d", "max_pool2d",
            "group_norm", "scaled_dot_product_attention", "cross_entropy")  # fmt: skip
SAID = Judgement(Verdict.WRONG)
NUMBER = re.compile(r"^d/d\w+(?:\[\d+\])?: got (\S+), exact (\S+), error (\S+)$", re.M)


def engine(name: str) -> Differentiator:
    found = load(name)
    if reason := found.available():
        pytest.skip(reason)
    return found


def settings(op: str) -> list[tuple[Any, Mapping[str, Any]]]:
    """Shapes and params of an op; none for a layer, which has shapes of its own."""
    if op in SETTINGS:
        return SETTINGS[op]
    if OPS[op].params or OPS[op].arity > 2:
        return []
    return [(s, {}) for s in (TWO[1:4] if OPS[op].arity == 2 else [((3,),)])]


def numbers(found: str) -> list[float]:
    return [float(m[1]) for m in NUMBER.finditer(found)]


def given(who: Differentiator, mode: str, case: Case) -> list[float]:
    pulled = run(who, mode, case)
    assert pulled.error is None
    arrays = [
        np.zeros(x.shape) if ct is None else np.asarray(ct)
        for x, ct in zip(case.point, pulled.cotangents, strict=True)
    ]
    return [float(v) for x in arrays for v in x.reshape(-1)]


# A process of their own: scripts set what a library's whole process goes by.
DRIVER = """
import json, sys
for number, text in enumerate(json.load(sys.stdin)):
    exec(compile(text, f"script {number}", "exec"), {"__name__": "script"})
    print("----")
"""


EXACT: dict[tuple[str, str], Reference] = {}


@pytest.fixture
def references_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact numbers of a case are computed once for all engines."""

    def known(case: Case, question: Question) -> Reference:
        asked = (case_name(case), question.name)
        if asked not in EXACT:
            EXACT[asked] = reference(case, question=question)
        return EXACT[asked]

    monkeypatch.setattr("gradverify.diagnosis.reproducer.reference", known)


@pytest.mark.slow
@pytest.mark.usefixtures("references_are_shared")
@pytest.mark.parametrize("name", ENGINES)
def test_every_op_is_spelled_as_its_row_calls_it(name: str) -> None:
    who = engine(name)
    mode = next(iter(who.modes()))
    ops = COMPILED if who.compiles else OPS.public()
    cases = [
        case
        for op in ops
        for shapes, params in settings(op)
        if unsupported(who, case := case_of(op, shapes, params, "float64")) is None
        and run(who, mode, case).error is None
    ]
    assert len(cases) >= len(ops) // 3
    scripts = [reproducer(case, who, mode, SAID) for case in cases]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DRIVER],
        input=json.dumps(scripts), capture_output=True, text=True, check=True,
    )  # fmt: skip
    outputs = done.stdout.split("----\n")[:-1]
    if not name.startswith("own"):
        assert not [text for text in scripts if "gradverify" in text]
    for case, text, output in zip(cases, scripts, outputs, strict=True):
        assert numbers(output) == given(who, mode, case), text


@pytest.mark.usefixtures("references_are_shared")
@pytest.mark.parametrize("name", ENGINES)
def test_every_row_of_a_table_is_spelled(name: str) -> None:
    """Also those that JAX is not asked to compile here: their scripts are Python."""
    who = engine(name)
    mode = next(iter(who.modes()))
    cases = [
        case
        for op in OPS.public()
        for shapes, params in settings(op)[:1]
        if unsupported(who, case := case_of(op, shapes, params, "float64")) is None
    ]
    scripts = [reproducer(case, who, mode, SAID) for case in cases]
    assert len(scripts) > 40
    assert not [text for text in scripts if "case_from_json" in text]
    assert all(compile(text, name, "exec") for text in scripts)


def test_an_engine_that_offers_intermediates_has_a_script_that_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """PyTorch's mode asks `function.values`; here through its class, as for engines of
    users.
    """
    torch = engine("torch-cpu")
    path = f"{type(torch).__module__}:{type(torch).__qualname__}"
    case = case_of("div", ((2, 3), (3,)), {}, "float64")
    spelling = by_class(path, "reverse", "vjp")
    contents = ScriptContents(
        case, "torch", ["0"], [["0"] * 6, ["0"] * 3], ["d/da", "d/db"]
    )
    text = script(contents, spelling, "reverse", "vjp")
    assert text is not None
    exec(compile(text, "torch", "exec"), {"__name__": "torch_script"})
    assert numbers(capsys.readouterr().out) == given(torch, "reverse", case)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_a_script_runs_alone(name: str, tmp_path: Path) -> None:
    who = engine(name)
    mode = next(iter(who.modes()))
    case = case_of("div", ((2, 3), (3,)), {}, "float64")
    text = reproducer(case, who, mode, SAID)
    assert ("gradverify" in text) == name.startswith("own")
    path = tmp_path / "shows_it.py"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=True
    )
    assert numbers(done.stdout) == given(who, mode, case)
    errors = [float(m[3]) for m in NUMBER.finditer(done.stdout)]
    assert errors
    assert max(map(abs, errors)) < 1e-12


REGISTERED = """
import math
import gradverify


class Dual:
    def __init__(self, x, dx): self.x, self.dx = x, dx
    def __mul__(self, y): return Dual(self.x * y.x, self.x * y.dx)


class Toy(gradverify.Differentiator):
    name = "toy"
    table = gradverify.operators("mul")

    @gradverify.mode("jvp")
    def forward(self, function, point, tangents):
        y = function(*(Dual(float(x), float(dx)) for x, dx in zip(point, tangents)))
        return gradverify.Pushed(y.x, y.dx)
"""


def test_a_registered_engine_is_imported_by_its_class(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "toys.py").write_text(REGISTERED, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    square = Graph((input_leaf(), Node("mul", (0, 0))))
    case = Case(square, (np.array(3.0),))
    text = reproducer(case, load("toys:Toy"), "forward", SAID)
    assert "from toys import Toy" in text
    exec(compile(text, "toy", "exec"), {"__name__": "toy"})
    assert "d/da: got 3.0, exact 6, error -3" in capsys.readouterr().out


def test_an_op_without_a_spelling_is_run_through_the_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    who = load("own-tape")
    monkeypatch.setattr(Spelling, "call", lambda *given: None)
    square = Graph((input_leaf(), Node("mul", (0, 0))))
    text = reproducer(Case(square, (np.array(3.0),)), who, "reverse", SAID)
    exec(compile(text, "own", "exec"), {"__name__": "own"})
    assert "d/da: got 6.0, exact 6, error 0" in capsys.readouterr().out


@pytest.mark.parametrize("name", ENGINES)
def test_every_mode_is_spelled_and_nothing_else(name: str) -> None:
    who = load(name)
    assert who.modes()
    for name_of_mode in who.modes():
        assert set(who.spelling(name_of_mode).tails) == set(who.modes())


def test_a_mode_without_a_spelling_is_run_through_the_engine() -> None:
    square = Graph((input_leaf(), Node("mul", (0, 0))))
    case = Case(square, (np.array(3.0),))
    text = reproducer(case, TapeOfTwoModes(), "backwards", SAID)
    assert f"from {__name__} import TapeOfTwoModes" in text
    assert "found = run(TapeOfTwoModes(), 'backwards', case" in text
    assert "tape.pullback" in reproducer(case, TapeOfTwoModes(), "reverse", SAID)


class TapeOfTwoModes(OwnTape):
    """Our tape, with a mode that its spelling has no row for."""

    backwards = mode("vjp")(lambda self, *given: self.reverse(*given))


ANY_NUMBER = re.compile(r"^(?!value)\S.*?: got (\S+), exact \S+, error \S+$", re.M)


@pytest.mark.parametrize("name", ["own-dual", "own-tape", "autograd", "torch-cpu"])
def test_the_script_of_a_mode_gives_what_the_mode_gives(name: str) -> None:
    """With the cotangent, or the tangents, that the mode is asked with."""
    who = engine(name)
    case = case_of("div", ((2, 3), (3,)), {}, "float64")
    asked = [
        (way, question)
        for way in who.modes()
        for question in questions(who, way)
        if not question.is_matrix
    ]
    scripts = [
        reproducer(case, who, way, replace(SAID, question=question.name))
        for way, question in asked
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DRIVER],
        input=json.dumps(scripts), capture_output=True, text=True, check=True,
    )  # fmt: skip
    outputs = done.stdout.split("----\n")[:-1]
    assert len(outputs) == len(asked) > 2
    for (way, question), output in zip(asked, outputs, strict=True):
        found = run(who, way, case, question=question).cotangents
        right = [float(v) for x in found for v in np.reshape(x, -1)]
        assert [float(m[1]) for m in ANY_NUMBER.finditer(output)] == right, way
