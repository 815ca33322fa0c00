"""Engines that misbehave in a call have a verdict, and harm nobody but themselves."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from gradverify import Differentiator, Pulled, mode
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.verdict import Verdict
from gradverify.verify import judge

A, B = 1.5, 2.25
RIGHT = Pulled(A * B, [B, A])


def product() -> Case:
    nodes = [input_leaf(), input_leaf()]
    nodes.append(apply_op(nodes, "mul", [0, 1]))
    return Case(Graph(tuple(nodes)), (np.array(A), np.array(B)))


def engine(answer: Callable[..., Any]) -> Differentiator:
    """An engine that answers so, whatever it is asked."""

    class Hostile(Differentiator):
        name = "hostile"
        table = {"mul": lambda a, b: a * b}  # noqa: RUF012

        @mode("gradient")
        def reverse(self, function: Any, point: Any) -> Any:
            return answer(function, point)

    return Hostile()


def raises(error: BaseException) -> Callable[..., Any]:
    def answer(function: Any, point: Any) -> Any:
        raise error

    return answer


def gives(*answer: Any) -> Callable[..., Any]:
    return lambda function, point: answer[0] if len(answer) == 1 else Pulled(*answer)


class Mute(Exception):
    """Its text cannot be read."""

    def __str__(self) -> str:
        raise SystemExit(0)

    __repr__ = __str__


class Liar(Sequence[Any]):
    """A list that says that it is longer than it is."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: Any) -> Any:
        raise IndexError("nothing here")


class NoArray:
    """Raises where NumPy wants to read it."""

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        raise ValueError("not today")


class LyingText(str):
    """A text whose own text is another thing."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def deep(function: Any, point: Any) -> Any:
    return deep(function, point)


def loops(function: Any, point: Any) -> Any:
    error = ValueError("loop")
    error.__cause__ = error.__context__ = error
    raise error


def warned(function: Any, point: Any) -> Pulled:
    warnings.warn(LyingText("a warning"), stacklevel=1)
    return RIGHT


def overwrites(function: Any, point: Any) -> Pulled:
    point[0][...] = 7.0
    return RIGHT


def empties(function: Any, point: Any) -> Pulled:
    point.clear()
    return RIGHT


def unsettles(function: Any, point: Any) -> Pulled:
    mp.dps = 5
    np.seterr(all="raise")
    random.seed(1)
    np.random.seed(1)
    return RIGHT


class Sly(np.ndarray[Any, Any]):
    """An array whose shape lies, and whose ops raise."""

    def __array_ufunc__(self, *arguments: Any, **options: Any) -> Any:
        raise RuntimeError("no ufunc")

    def __eq__(self, other: object) -> Any:
        raise RuntimeError("no equality")

    @property
    def shape(self) -> Any:
        return (9, 9)


class Many(list[Any]):
    """A list that says that it has very many entries."""

    def __len__(self) -> int:
        return 10**12


class Unlisted(dict[Any, Any]):
    """A mapping that does not tell what is in it."""

    def items(self) -> Any:
        raise RuntimeError("no items")


class Pulled2:
    """Has the fields of an answer, one of which raises."""

    value = A * B

    @property
    def cotangents(self) -> Any:
        raise RuntimeError("not today")


def resizes(function: Any, point: Any) -> Pulled:
    point[0].resize((3,), refcheck=False)
    return RIGHT


def reshapes(function: Any, point: Any) -> Pulled:
    point[0].shape = (1, 1)
    return RIGHT


CRASHED, MISSING = {Verdict.CRASHED}, {Verdict.MISSING}
SHAPE, DTYPE = {Verdict.WRONG_SHAPE}, {Verdict.WRONG_DTYPE}
NONFINITE = {Verdict.NONFINITE}
FINE = {Verdict.AGREES}

# What the engine does, and the verdicts that it may get.
ATTACKS: dict[str, tuple[Callable[..., Any], set[Verdict]]] = {
    "raises an exception": (raises(ValueError("no")), CRASHED),
    "raises one without a text": (raises(Mute()), CRASHED),
    "raises one with a hostile text": (raises(ValueError(LyingText("x"))), CRASHED),
    "raises one of many lines": (raises(ValueError("a\nb\r\x1b[2J" * 999)), CRASHED),
    "raises half a character": (raises(ValueError("\ud800")), CRASHED),
    "raises SystemExit": (raises(SystemExit(0)), CRASHED),
    "raises GeneratorExit": (raises(GeneratorExit()), CRASHED),
    "raises StopIteration": (raises(StopIteration()), CRASHED),
    "raises MemoryError": (raises(MemoryError()), CRASHED),
    "raises a group": (raises(ExceptionGroup("g", [ValueError("x")])), CRASHED),
    "raises what names itself as cause": (loops, CRASHED),
    "recurses without end": (deep, CRASHED),
    "skips as a test does": (raises(pytest.skip.Exception("green")), CRASHED),
    "is expected to fail": (raises(pytest.xfail.Exception("green")), CRASHED),
    "ends pytest": (raises(pytest.exit.Exception("green", 0)), CRASHED),
    "raises a group of exits": (
        raises(BaseExceptionGroup("g", [SystemExit(0)])), CRASHED),
    "raises a text of a megabyte": (raises(ValueError("x" * 10**6)), CRASHED),
    "returns nothing": (gives(None), CRASHED),
    "returns a number": (gives(3.0), CRASHED),
    "returns a tuple like the right one": (gives((A * B, [B, A])), CRASHED),
    "returns a class": (gives(Pulled), CRASHED),
    "gives a generator of cotangents": (gives(A * B, (x for x in (B, A))), CRASHED),
    "gives a list that lies": (gives(A * B, Liar()), CRASHED | SHAPE),
    "gives a text of cotangents": (gives(A * B, "ba"), CRASHED),
    "gives a dict of cotangents": (gives(A * B, {0: B, 1: A}), CRASHED),
    "gives a set of cotangents": (gives(A * B, {B, A}), CRASHED),
    "gives a list of very many": (gives(A * B, Many([B, A])), CRASHED),
    "answers with a stranger": (lambda function, point: Pulled2(), CRASHED),
    "gives a text for the value": (gives("3.375", [B, A]), CRASHED),
    "gives bytes": (gives(A * B, [b"2.25", A]), CRASHED),
    "gives a date": (gives(A * B, [np.datetime64("2020-01-01"), A]), CRASHED),
    "gives a record of fields": (gives(A * B, [np.zeros((), "f8,i4"), A]), CRASHED),
    "does not tell its intermediates": (gives(A * B, [B, A], Unlisted()), CRASHED),
    "gives a memoryview": (gives(A * B, [memoryview(b"12345678"), A]), SHAPE),
    "gives a value of rank 2": (gives(np.array([[A * B]]), [B, A]), SHAPE),
    "gives big-endian floats": (
        gives(A * B, [np.array(B, ">f8"), np.array(A, ">f8")]), DTYPE),
    "gives long doubles": (gives(A * B, [np.longdouble(B), np.longdouble(A)]), DTYPE),
    "resizes its input": (resizes, {Verdict.INPUT_MUTATED}),
    "reshapes its input": (reshapes, {Verdict.INPUT_MUTATED}),
    "gives an array that lies": (
        gives(A * B, [np.array(B).view(Sly), np.array(A)]), FINE),
    "gives a read-only array": (gives(A * B, [np.broadcast_to(B, ()), A]), FINE),
    "gives its inputs": (lambda function, point: Pulled(A * B, point[::-1]), FINE),
    "names nodes by texts and NaN": (
        gives(A * B, [B, A], {"a": 1.0, float("nan"): 2.0}), FINE),
    "gives too few": (gives(A * B, [B]), CRASHED),
    "gives too many": (gives(A * B, [B, A, A]), CRASHED),
    "gives texts": (gives(A * B, ["b", "a"]), CRASHED),
    "gives what is no array": (gives(A * B, [NoArray(), A]), CRASHED),
    "gives an array of objects": (
        gives(A * B, [np.array(B, object), np.array(A, object)]), CRASHED),
    "gives a masked array": (gives(A * B, [np.ma.masked_all(()), A]), CRASHED),
    "gives ragged lists": (gives(A * B, [[[1.0], [2.0, 3.0]], A]), CRASHED),
    "gives decimals": (gives(A * B, [Decimal(B), Decimal(A)]), CRASHED),
    "gives fractions": (gives(A * B, [Fraction(B), Fraction(A)]), CRASHED),
    "gives nothing for one": (gives(A * B, [None, A]), MISSING),
    "gives no value": (gives(None, [B, A]), MISSING),
    "gives an array of one": (gives(A * B, [np.array([B]), np.array(A)]), SHAPE),
    "gives an empty array": (gives(A * B, [np.zeros(0), np.array(A)]), SHAPE),
    "gives halves": (gives(A * B, [np.float16(B), np.float16(A)]), DTYPE),
    "gives complex numbers": (gives(A * B, [np.complex128(B), np.float64(A)]), DTYPE),
    "gives booleans": (gives(A * B, [np.bool_(True), np.float64(A)]), DTYPE),
    "gives NaN": (gives(A * B, [float("nan"), A]), NONFINITE),
    "gives infinity": (gives(A * B, [B, float("inf")]), NONFINITE),
    "gives integers beyond all floats": (gives(A * B, [10**400, A]), NONFINITE),
    "overwrites its input": (overwrites, {Verdict.INPUT_MUTATED}),
    "warns with a hostile text": (warned, FINE),
    "empties the list of its inputs": (empties, FINE),
    "unsettles mpmath and NumPy": (unsettles, FINE),
    "tells of nodes that are not there": (gives(A * B, [B, A], {99: 1.0}), FINE),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_engine_that(attack: str) -> None:
    answer, verdicts = ATTACKS[attack]
    before = (mp.dps, np.geterr(), os.getcwd(), sys.getrecursionlimit())
    found = judge(product(), engine(answer), "reverse", twice=True)
    assert found.verdict in verdicts
    assert found.got.isascii() or found.got.encode("utf-8", "replace")
    assert (mp.dps, np.geterr(), os.getcwd(), sys.getrecursionlimit()) == before
    right = judge(product(), engine(gives(*RIGHT[:2])), "reverse")
    assert right.verdict is Verdict.AGREES
