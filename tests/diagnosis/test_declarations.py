"""One deviation in many ops that an engine may declare is named, and suggested."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as S
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.declarations import (
    COMPILES,
    DECLARED,
    DeviatingEngine,
    compiling,
    flushes,
)
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.localize import guilty_op
from gradverify.differentiators import (
    Accepts,
    Derivatives,
    Differentiator,
    Lowered,
    Pulled,
    load,
    mode,
    run,
    unsupported,
)
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.graph import Array, Case
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge
from tests.planted.slips import Slip, by_op, scaled

# What an engine does to the operands of an op, as arrays and Python numbers; it may raise.
Look = Callable[[Sequence[Any]], None]


class Peculiar(Differentiator):
    """Our tape, with a peculiarity in every op and in what it returns."""

    name = "peculiar"
    accepts = Accepts(dtypes=("float64", "float32"))

    def __init__(
        self, look: Look | None = None, change: Callable[[Any], Any] | None = None
    ) -> None:
        self.look = look
        self.change = change
        self.seen_plain = False

    @property
    def table(self) -> Any:
        """The tape's rows, each looked at before."""
        return {op: self._row(row) for op, row in OwnTape.table.items()}

    def _row(self, row: Any) -> Any:
        def apply(*xs: Any, **params: Any) -> Any:
            primals = [getattr(x, "primal", x) for x in xs]
            self.seen_plain |= any(isinstance(x, float | int) for x in xs)
            if self.look is not None:
                self.look(primals)
            y = row(*xs, **params)
            if self.look is not None:
                self.look([getattr(y, "primal", y)])
            return y

        return apply

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """As the tape does it, but for the peculiarity."""
        self.seen_plain = False
        change = self.change or (lambda x: x)
        moved = [change(x) for x in point]
        pulled = OwnTape.reverse.method(self, function, moved, np.ones(()))
        found = [None if ct is None else change(ct) for ct in pulled.cotangents]
        return Pulled(change(pulled.value), found)


class Promoting(Peculiar):
    """A Python number makes doubles of everything."""

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """As the tape does it, in doubles where there was a Python number."""
        pulled = Peculiar.reverse.method(self, function, point)
        if not self.seen_plain:
            return Pulled(*pulled)
        wide = [None if x is None else np.float64(x) for x in pulled.cotangents]
        return Pulled(np.float64(pulled.value), wide)


def refuse_plain(xs: Sequence[Any]) -> None:
    if any(isinstance(x, float | int) and not isinstance(x, np.generic) for x in xs):
        raise ValueError("a Python number")


def refuse_empty(xs: Sequence[Any]) -> None:
    if any(np.size(x) == 0 for x in xs):
        raise ValueError("nothing to reshape")


def refuse_different(xs: Sequence[Any]) -> None:
    if len({np.shape(x) for x in xs}) > 1:
        raise ValueError("operands of different shapes")


def flushed(x: Any) -> Any:
    array = np.asarray(x)
    return np.where(np.abs(array) < np.finfo(array.dtype).tiny, 0 * array, array)


# fmt: off
ENGINES = (
    (Promoting(),                     lambda a: a + 2.0,             (1.0,),                  "float32", "python numbers", "literals=False"),
    (Promoting(),                     lambda a: S.leaky_relu(a) * 1, (1.0,),                  "float32", "python numbers", "literals=False"),
    (Peculiar(refuse_plain),          lambda a: a * 2.0,             (1.0,),                  "float64", "python numbers", "literals=False"),
    (Peculiar(change=flushed),        lambda a, b: a * b,            (1e-310, 1.0),           "float64", "subnormals",     "subnormals=False"),
    (Peculiar(refuse_empty),          lambda a: S.sum(-a, axis=None), (np.zeros((0,)),),      "float64", "empty arrays",   "empty=False"),
    (Peculiar(refuse_different),      lambda a, b: S.sum(a + b, axis=None), ([1.0, 2.0], 1.0), "float64", "broadcasting",  "broadcasting=False"),
)
# fmt: on


def explained(
    who: Differentiator, f: Any, point: Any, dtype: str
) -> tuple[Case, Explanation]:
    arrays = tuple(np.array(x, dtype) for x in point)
    case = Case(trace(f, *(x.shape for x in arrays)), arrays, dtype)
    found = judge(case, who, "reverse")
    assert found.verdict.fails(), found
    guilty = guilty_op(case, lambda c: judge(c, who, "reverse"), found)
    return case, diagnose(Failure(case, found, guilty.op, who, "reverse"))


@pytest.mark.parametrize(("who", "f", "point", "dtype", "cause", "declare"), ENGINES)
def test_what_an_engine_may_declare_is_named_and_helps(
    who: Differentiator, f: Any, point: Any, dtype: str, cause: str, declare: str
) -> None:
    case, why = explained(who, f, point, dtype)
    assert why.cause == cause, why.sentence
    assert cause in DECLARED
    assert f"gradverify.Accepts({declare})" in why.sentence
    name, _, value = declare.partition("=")
    said: Any = {name: value == "True"}
    who.accepts = replace(who.accepts, **said)  # type: ignore[misc]
    assert unsupported(who, case) is not None


def test_a_cotangent_of_another_shape_shows_no_flushed_number() -> None:
    tiny = np.array(1e-310), np.array(1.0)
    case = Case(trace(lambda a, b: a * b, (), ()), tiny)

    def flushing(*cotangents: Any) -> bool:
        pulled = Derivatives(1e-310, (1.0, *cotangents))
        wrong = Judgement(Verdict.WRONG)

        def look(other: Case) -> Derivatives:  # it is right at ordinary numbers
            is_tiny = other.point[0] < 1e-300
            return pulled if is_tiny else run(OwnTape(), "reverse", other)

        return flushes(DeviatingEngine(case, wrong, OwnTape(), look))

    assert not flushing(np.zeros(2))
    assert not flushing(None)
    assert flushing(0.0)


# A mistake beside what could be declared: a literal, an empty axis, a subnormal number.
# fmt: off
MISTAKES = (
    ("exp", lambda a: S.exp(a) * 2.0, (1.0,)),
    ("exp", lambda a, b: S.exp(a) + S.sum(b, axis=None), (1.0, np.zeros((0,)))),
    ("exp", lambda a, b: S.exp(a) + b, (1.0, 1e-310)),
)
# fmt: on


@pytest.mark.parametrize(("op", "f", "point"), MISTAKES)
def test_a_mistake_is_not_excused_by_a_declaration(op: str, f: Any, point: Any) -> None:
    who = by_op(Slip("", (op,), scaled(2.0)), op, inner=False)
    _, why = explained(who, f, point, "float64")
    assert why.cause == "constant factor", why.sentence


def test_single_precision_is_not_excused_as_flushing() -> None:
    """It flushes what is subnormal in it, and is wrong at ordinary numbers too."""
    narrow = Peculiar(change=lambda x: np.float64(np.float32(x)))
    _, why = explained(narrow, lambda a, b: S.exp(a) + b, (1.1, 1e-310), "float64")
    assert why.cause != "subnormals", why.sentence


def test_an_engine_that_needs_long_for_every_graph_may_say_that_it_compiles() -> None:
    text = compiling(Peculiar(), [0.8] * 5)
    assert text is not None
    assert text.endswith(COMPILES)
    assert "takes 0.8 s" in text
    assert compiling(Peculiar(), [0.01] * 5) is None
    assert compiling(Peculiar(), [0.8]) is None
    assert compiling(load("jax"), [0.8] * 5) is None
