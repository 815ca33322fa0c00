"""What somebody gave for the derivatives at a point, beside what is right there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.diagnosis.right_sweep import Right, right
from gradverify.differentiators import Derivatives
from gradverify.formats import format_of
from gradverify.graph import Array, Case, interpret_all
from gradverify.reference.bound import bounds
from gradverify.reference.gradient_program import GradientProgram, gradient_program

ROUNDINGS = 64  # units of roundoff by which the numbers of a changed sweep may be off
LEFT = 0.125  # of the error that a slip explains, so much may remain


@dataclass(frozen=True, eq=False)
class Observation:
    """Derivatives that somebody gave, the errors allowed, and the right computation.

    got, allowed: by node, arrays of the node's shape.
    value: the output as given.
    """

    right: Right
    got: Mapping[int, Array]
    allowed: Mapping[int, Array]
    value: float | None = None
    _effects: dict[int, Any] = field(default_factory=dict, repr=False)

    @property
    def case(self) -> Case:
        """The case that was run, or that the claim is about."""
        return self.right.case

    @cached_property
    def nodes(self) -> tuple[int, ...]:
        """The nodes whose derivatives were given."""
        return tuple(sorted(self.got))

    @cached_property
    def given(self) -> Array:
        """All numbers that were given, one after another."""
        return _flat([self.got[i] for i in self.nodes])

    @cached_property
    def exact(self) -> Array:
        """The right numbers, in the order of `given`."""
        return self.flat(self.right.adjoints)

    @cached_property
    def room(self) -> Array:
        """The errors that rounding explains, in the order of `given`."""
        return _flat([self.allowed[i] for i in self.nodes])

    def rooms_of(self, others: Mapping[int, int]) -> Array:
        """What rounding explains of other nodes' numbers, in the order of `given`.

        others: from a node to the node whose numbers stand there. If nothing was given
            about that one, the room is the node's own.
        """
        allowed = self.allowed
        return _flat([allowed.get(others.get(i, i), allowed[i]) for i in self.nodes])

    def flat(self, adjoints: Sequence[Any]) -> Array:
        """The numbers that are compared, taken from the adjoints of all nodes."""
        nodes = self.right.graph.nodes
        return _flat([_or_zeros(adjoints[i], nodes[i].shape) for i in self.nodes])

    def agrees(self, numbers: Array, room: Array | None = None) -> bool:
        """Whether these numbers are the given ones, up to what rounding explains.

        room: what rounding explains, if the numbers are those of other nodes.
        """
        with np.errstate(all="ignore"):
            allowed = self.room if room is None else np.maximum(self.room, room)
            near = np.abs(numbers - self.given) <= allowed + self._own(numbers)
        same = near | (numbers == self.given)
        return bool(np.all(same | (np.isnan(numbers) & np.isnan(self.given))))

    def is_explained_by(self, numbers: Array, room: Array | None = None) -> bool:
        """Whether a slip that gives these numbers explains the given ones.

        They must agree. Near the bound the right numbers agree with the given ones as
        well. So the slip must also account for most of every error that is beyond its
        bound.
        """
        if not self.agrees(numbers, room):
            return False
        with np.errstate(all="ignore"):
            error = np.abs(self.given - self.exact)
            remains = np.abs(self.given - numbers) <= LEFT * error
        small = error <= self.room
        return bool(np.all(small | remains | ~np.isfinite(error)))

    def _own(self, numbers: Array) -> Array:
        unit = ROUNDINGS * format_of(self.case.dtype).unit_roundoff
        found: Array = unit * (np.abs(numbers) + np.abs(self.exact))
        return found

    @cached_property
    def deviates(self) -> bool:
        """Whether any given number is further off than rounding explains."""
        with np.errstate(all="ignore"):
            return not bool(np.all(np.abs(self.given - self.exact) <= self.room))

    @cached_property
    def wrong(self) -> tuple[int, ...]:
        """The nodes with at least one wrong number."""
        found = []
        for i in self.nodes:
            exact = _or_zeros(self.right.adjoints[i], self.right.graph.nodes[i].shape)
            if not np.all(np.abs(self.got[i] - exact) <= self.allowed[i]):
                found.append(i)
        return tuple(found)

    def effect(self, index: int, change: Any) -> Array:
        """How a change of one node's adjoint changes all numbers that are compared."""
        if index not in self._effects:
            shape = self.right.graph.nodes[index].shape
            size = int(np.prod(shape, dtype=int))
            onward = self.right.onward(index)
            nodes = self.right.graph.nodes
            columns = [
                np.reshape(_or_zeros(onward[i], (size, *nodes[i].shape)), (size, -1))
                for i in self.nodes
            ]
            self._effects[index] = np.concatenate(columns, axis=1)
        found: Array = np.reshape(change, -1) @ self._effects[index]
        return found


def _or_zeros(array: Any, shape: tuple[int, ...]) -> Any:
    return np.zeros(shape, np.longdouble) if array is None else array


def _flat(arrays: Sequence[Any]) -> Array:
    parts = [np.reshape(np.asarray(x, np.longdouble), -1) for x in arrays]
    return np.concatenate(parts) if parts else np.zeros(0, np.longdouble)


# ---- of an engine


def margins(program: GradientProgram, case: Case) -> list[tuple[Array, int]]:
    """The margin of every kink in long doubles, and the node that holds it."""
    inputs = [EXTENDED.lift(np.asarray(x)) for x in case.point]
    with np.errstate(all="ignore"):
        values = interpret_all(program.graph, EXTENDED.table, inputs)
    return [(np.asarray(values[m]), m) for _, m in program.margins]


def is_smooth(case: Case) -> bool:
    """Whether every kink is too far away for rounding to cross it."""
    program = gradient_program(case.graph, case.dtype)
    found = margins(program, case)
    if not found:
        return True
    allowed = bounds(program, case.point, case.dtype, [m for _, m in found])
    pairs = zip(found, allowed, strict=True)
    return all(bool(np.all(np.abs(x) > b.tight)) for (x, _), b in pairs)


def observed(
    case: Case,
    derivatives: Derivatives,
    before: Right | None = None,
    *,
    inner: bool = False,
) -> Observation | None:
    """What an engine gave, with the bounds on it.

    None if nothing can be said: at a kink, if all bounds are infinite, after an
    exception, or for arrays of other shapes.

    inner: whether the adjoints of all nodes count, if the engine gave them.
    """
    if derivatives.error is not None or derivatives.timed_out:
        return None
    program = gradient_program(case.graph, case.dtype)
    if not is_smooth(case):
        return None
    nodes, place = case.graph.nodes, program.expansion.place
    got: dict[int, Array] = {}
    for i, x, ct in zip(
        case.graph.inputs, case.point, derivatives.cotangents, strict=False
    ):
        array = np.zeros(x.shape) if ct is None else np.asarray(ct)
        if array.shape != x.shape:
            return None
        got[i] = array.astype(np.longdouble)
    if len(got) != len(case.graph.inputs):
        return None
    for i, ct in (derivatives.intermediates or {}).items() if inner else ():
        shaped = ct is not None and np.shape(ct) == nodes[i].shape
        if shaped and program.cotangents[place[i]] is not None:
            got[i] = np.asarray(ct).astype(np.longdouble)
    allowed = allowances(case, program, tuple(got))
    if not any(np.any(np.isfinite(b)) for b in allowed.values()):
        return None
    value = derivatives.value
    number = float(value) if np.shape(value) == () and value is not None else None
    return Observation(right(case, before), got, allowed, number)


def allowances(
    case: Case, program: GradientProgram, wanted: Sequence[int]
) -> dict[int, Array]:
    """The loose bound on the derivative with respect to each node."""
    place, nodes = program.expansion.place, case.graph.nodes
    targets = {i: program.cotangents[place[i]] for i in wanted}
    real = [t for t in targets.values() if t is not None]
    found = iter(bounds(program, case.point, case.dtype, real))
    return {
        i: np.zeros(nodes[i].shape, np.longdouble) if t is None else next(found).loose
        for i, t in targets.items()
    }
