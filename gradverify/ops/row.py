"""What a tester must know about an op: the columns of the op table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gradverify.ops.calculus import CALCULUS, Calculus
from gradverify.ops.domains import EVERYWHERE, Domain
from gradverify.ops.shapes import Shape
from gradverify.outside.nearest import meant

Stability = Literal["forward", "mixed"]

# How far an honest implementation may err. Forward stable: its result is off by a few
# roundings. Mixed stable: its result is that, but for operands which are off by an ulp.
FORWARD: Stability = "forward"
MIXED: Stability = "mixed"


@dataclass(frozen=True)
class Kink:
    """Where an op has two slopes. At a kink `margin` changes its sign.

    Both functions are written over an arithmetic `m`. The op equals `branches[0]` where
    the margin is positive, and `branches[1]` where it is negative. For relu the margin
    is x, and the branches are x and 0.
    """

    margin: Callable[..., Any]
    branches: Callable[..., tuple[Any, Any]]


@dataclass(frozen=True)
class Op:
    """One row of the op table.

    stability: FORWARD where every honest implementation is forward stable, element by
        element; MIXED where the loose bound is to move the operands by an ulp.
    shape: operand shapes and params to the result's shape; `ValueError` where the
        shapes or the params are not legal.
    domain: the *open* set where the op is smooth or has a kink.
    expansion: the op over primitives, in its stable form, over an arithmetic `m`;
        None makes the op a primitive, which every arithmetic and `calculus.py` must
        know.
    derivative_error: for a derivative d usually computed from the rounded output y
        (1 - y*y for tanh): d and y to the absolute error of that formula, in units
        of the unit roundoff.
    curvature_error: the same for the derivative of d, since libraries differentiate
        that formula once more: the arithmetic, d and y to the error.
    operator: the Python operator that spells the op; only such ops meet literals.
    masks: positions of operands that are Boolean data, never differentiated.
    formula: what a library must compute, where its constants or its cases are not told
        by the name; x, y or x, t are the operands, and the rest are params.
    internal: used by expansions and gradient programs alone, never drawn or judged.
    calculus: the site, the reach and the rules of a primitive; the table fills it in.
    """

    name: str
    arity: int
    stability: Stability
    shape: Callable[..., Shape]
    params: tuple[str, ...] = ()
    domain: Domain = EVERYWHERE
    kink: Kink | None = None
    expansion: Callable[..., Any] | None = None
    derivative_error: Callable[[Any, Any], Any] | None = None
    curvature_error: Callable[[Any, Any, Any], Any] | None = None
    operator: str | None = None
    masks: tuple[int, ...] = ()
    formula: str = ""
    internal: bool = False
    calculus: Calculus | None = None

    @property
    def is_primitive(self) -> bool:
        """Whether every arithmetic, and the calculus, must have a row for this op."""
        return self.expansion is None


@dataclass(frozen=True)
class Table:
    """The op table: rows by name, in the order in which they are listed."""

    rows: Mapping[str, Op] = field(default_factory=dict)

    @classmethod
    def of(
        cls, rows: Iterable[Op], calculus: Mapping[str, Calculus] = CALCULUS
    ) -> Table:
        """The table of these rows, each primitive with its row of the calculus.

        Raises `LookupError` that names the row and the file where one is missing.
        """
        found: dict[str, Op] = {}
        for row in rows:
            if row.name in found:
                raise LookupError(f"the op table has two rows {row.name!r}; drop one")
            if row.is_primitive and row.name not in calculus:
                raise LookupError(
                    f"the primitive {row.name!r} has no row in CALCULUS: add its site, "
                    "reach and rules to gradverify/ops/calculus.py, or give its row in "
                    "the op table an expansion"
                )
            found[row.name] = replace(row, calculus=calculus.get(row.name))
        idle = [n for n in calculus if n not in found or not found[n].is_primitive]
        if idle:
            raise LookupError(
                f"CALCULUS in gradverify/ops/calculus.py has rows {idle}, which are no "
                "primitives of the op table"
            )
        return cls(found)

    def __getitem__(self, name: str) -> Op:
        if name not in self.rows:
            near = meant(name, self.public(), "`gradverify ops` lists them")
            raise ValueError(f"unknown op {name!r}; {near}")
        return self.rows[name]

    def __iter__(self) -> Any:
        return iter(self.rows.values())

    def calculus(self, name: str) -> Calculus:
        """The site, the reach and the rules of a primitive."""
        found = self[name].calculus
        if found is None:
            raise LookupError(f"{name} is no primitive, so that it has no calculus")
        return found

    def public(self) -> tuple[str, ...]:
        """The names that the table of every differentiator must account for."""
        return tuple(row.name for row in self if not row.internal)

    def primitives(self) -> tuple[str, ...]:
        """The names that every arithmetic must account for, internal ones included."""
        return tuple(row.name for row in self if row.is_primitive)
