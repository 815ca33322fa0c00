"""What operands a function takes that its file never calls: found by trying.

The file does not say what shape an operand has. Shapes are tried, one parameter after
the other. A shape at which some statement does not fit is given up at once. Of the
shapes that fit, the one under which most gradients come out right counts, since a wrong
shape does not make a wrong gradient right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import (
    FITTING_CHOICES,
    SHAPE_CHOICES,
    SHAPE_TRIALS,
    TABLE_OPERANDS,
    TRIALS_BESIDE,
    TRIED_STATEMENTS,
)
from gradverify.claims.code.backward_passes import GradientFit, fit_of
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.open_parameters import (
    IDS,
    LABELS,
    OWN,
    OpenParameter,
    operands_from,
)
from gradverify.claims.code.operand_choices import (
    IMAGES,
    SIZES,
    any_number,
    candidates,
    of_the_file,
)
from gradverify.claims.computation.bindings import NOT_CHOSEN, Unknown, Value
from gradverify.claims.computation.file_program import NotUnderstood, understood

SUMS = frozenset({"add", "sub"})
LONG_AXIS = 40  # of a longer one no operand is made
IN_DOUBT = "depends on a condition"  # which may ask what is not chosen yet
MISFITS = (
    "does not fit", "more subscripts", "no length", "outside the list",
    "is no index", "is none of the", "a whole number is needed",
    "an index is not stated",
)  # fmt: skip

Run = Callable[[Mapping[str, Value]], Value]


@dataclass(frozen=True)
class ShapeTrial:
    """What came of a choice. is_misfit: whether some statement does not fit.

    unknown: how many values are not understood. is_narrow: whether the number of
    examples, or another size that may be divided by, is 1, which hides a divisor.
    waits_for: the operand without which the first statement cannot be read.
    """

    is_misfit: bool = False
    fit: GradientFit = field(default_factory=GradientFit)
    unknown: int = 0
    is_narrow: bool = False
    waits_for: str = ""

    @property
    def is_shapely(self) -> bool:
        """Whether every statement fits, and every gradient has the shape it should.

        Where all are right, the file itself gives one of them another shape.
        """
        fit = self.fit
        all_right = fit.right > 1 and not fit.other
        return not self.is_misfit and (not fit.misshapen or all_right)

    @property
    def score(self) -> tuple[bool, bool, bool, int, int, int]:
        """What is better is larger.

        Where nothing comes out right, a choice at which something is claimed is better
        than one that hides it.
        """
        fit = self.fit
        others = -fit.other if fit.right else min(fit.other, 1)
        is_wide = not self.is_narrow
        some = fit.right > 0
        return self.is_shapely, some, is_wide, fit.right, others, -self.unknown

    @property
    def is_perfect(self) -> bool:
        """Whether there is nothing that another choice could make better."""
        fit = self.fit
        is_sure = fit.right > (self.unknown > 0)  # some gradients may be unread
        return self.is_shapely and is_sure and not fit.other and not self.is_narrow


def run_at_best(code: Journal, several: Sequence[OpenParameter], run: Run) -> None:
    """Run once with the operands under which most gradients come out right.

    Where the search ends early and under no choice the gradients have the shapes of
    what they are by, nothing is kept. run: follows the function, and returns what it
    returns.
    """
    if len(several) > TABLE_OPERANDS and any(p.table for p in several):
        return
    search = _ShapeSearch(code, several, run)
    search.descend({}, search.once({}).waits_for if several else "")
    best = max(search.found, key=lambda f: f[0].score, default=None)
    if best is not None and (best[0].is_shapely or not search.is_cut):
        search.once(best[1], undo=False)


def _is_misfit(reason: str) -> bool:
    return any(m in reason for m in MISFITS)


def _fails(new: Sequence[Assigned]) -> bool:
    """Whether some statement does not fit."""
    found = (e.value for e in new)
    return any(isinstance(v, Unknown) and _is_misfit(v.reason) for v in found)


def _awaited(reasons: Iterable[str]) -> str:
    """The operand that the first of the reasons speaks of which speak of one."""
    for reason in reasons:
        found = reason.partition(NOT_CHOSEN)[2]
        if found:
            return found.removesuffix(".")
    return ""


def _order(parameter: OpenParameter) -> tuple[bool, int, int]:
    """Matrices first, then what tables and objects hold, then the rest.

    What is to come out has no effect before the end.
    """
    is_label = LABELS.fullmatch(parameter.name) is not None
    if parameter.is_size or parameter.is_sizes or parameter.texts:
        return False, -1, 0
    if parameter.is_index and not is_label:
        return False, -1, 1
    if parameter.table:
        return False, 0, 0
    if not parameter.least and parameter.key.startswith(OWN):
        return False, 1, 0
    return is_label, 2 * (not parameter.least), -parameter.least


class _ShapeSearch:
    """Goes through the parameters, and back where a statement does not fit."""

    def __init__(
        self, code: Journal, several: Sequence[OpenParameter], run: Run
    ) -> None:
        self.code, self.run, self.runs = code, run, 0
        self.several = sorted(several, key=_order)
        self.found: list[tuple[ShapeTrial, dict[str, Any]]] = []
        self.shapely = self.fitting = self.spent = 0
        self.last_run = SHAPE_TRIALS
        self.is_over = False
        self.lengths: set[int] = set()  # of axes, in the last run

    @property
    def is_cut(self) -> bool:
        """Whether so much was tried that the rest is left."""
        return self.runs >= self.last_run or self.spent >= TRIED_STATEMENTS

    def descend(self, chosen: dict[str, Any], waits_for: str) -> None:
        """Try what the next parameter may be.

        It is the one that the first statement waits for, so that a choice that does not
        fit is seen at once.
        """
        rest = [p for p in self.several if p.key not in chosen]
        if not rest:
            self.complete(chosen)
            return
        awaited = (p for p in rest if p.texts or p.key == waits_for)
        parameter = next(awaited, rest[0])
        ready = of_the_file(self.code, parameter)
        if ready is not None and self.tried(chosen, parameter, ready, len(rest) == 1):
            return
        fits: list[bool] = []
        for make in candidates(self.code, parameter):
            fits.append(self.tried(chosen, parameter, make, len(rest) == 1))
            if fits[-1] and parameter.is_index and not IDS.fullmatch(parameter.name):
                break  # whole numbers serve, so that rows of 0 and 1 do not
            if fits[-1] and parameter.table and chosen and not waits_for:
                break  # an entry that no statement asks for, as of another mode
        if not any(fits):
            for other in self.of_other_lengths(parameter):
                self.tried(chosen, parameter, other, len(rest) == 1)

    def tried(
        self, chosen: dict[str, Any], parameter: OpenParameter, make: Any, is_last: bool
    ) -> bool:
        """Go on with a choice for an operand; whether it fits so far."""
        if self.is_over or self.is_cut:
            return True
        more = {**chosen, parameter.key: make}
        if is_last:
            return not self.complete(more).is_misfit
        trial = self.once(more)
        if not trial.is_misfit:
            self.descend(more, trial.waits_for)
        return not trial.is_misfit

    def of_other_lengths(self, parameter: OpenParameter) -> list[Callable[[], Value]]:
        """Images, and shapes with lengths that were computed, as by joining arrays."""
        if not parameter.is_array:
            return []
        shapes: list[tuple[int, ...]] = []
        for n in sorted(self.lengths - {1, *SIZES}):
            shapes += [(m, n) for m in SIZES] + [(n, m) for m in SIZES]
            shapes += [(n,), (n, 1)] if parameter.least < 2 else []
        shapes += IMAGES if parameter.may_be_image else ()
        name = parameter.name
        return [partial(any_number, self.code, name, s) for s in shapes]

    def complete(self, chosen: dict[str, Any]) -> ShapeTrial:
        """Note what comes of a choice of all operands."""
        trial = self.once(chosen)
        self.found.append((trial, chosen))
        self.shapely += trial.is_shapely
        self.fitting += not trial.is_misfit
        is_enough = self.shapely >= SHAPE_CHOICES or self.fitting >= FITTING_CHOICES
        self.is_over = is_enough or trial.is_perfect
        if trial.is_shapely and trial.fit.right and not trial.is_narrow:
            self.last_run = min(self.last_run, self.runs + TRIALS_BESIDE)
        return trial

    def once(self, chosen: Mapping[str, Any], undo: bool = True) -> ShapeTrial:
        """Run, and what came of it."""
        code, program = self.code, self.code.program
        self.runs += 1
        length, statements = program.length(), code.statements
        code.statements = 0  # each run may be as long as a file
        code.unread.clear()
        counts = [len(held) for held in (code.assigned, code.snapshots)]
        operands = {p.key: Unknown(f"{NOT_CHOSEN}{p.key}.") for p in self.several}
        is_complete = len(chosen) == len(operands)
        try:
            with understood():
                operands |= {n: make() for n, make in chosen.items()}
                result = self.run(operands_from(self.several, operands))
            new = code.assigned[counts[0] :]
            trial = self.trial(new, result, is_complete, length[0])
            return replace(trial, is_narrow=trial.is_narrow or self.is_thin(operands))
        except NotUnderstood as error:
            new = code.assigned[counts[0] :]
            waits = NOT_CHOSEN in str(error) or (
                not is_complete and IN_DOUBT in str(error)
            )
            awaited = _awaited([*code.unread, str(error)])
            return ShapeTrial(not waits or _fails(new), waits_for=awaited)
        finally:
            nodes = program.record.nodes[length[0] :]
            self.lengths = {n for node in nodes for n in node.shape if n <= LONG_AXIS}
            self.spent += code.statements
            code.statements = statements
            if undo:
                del code.assigned[counts[0] :]
                del code.snapshots[counts[1] :]
                program.shorten(length)

    def is_spread(self, length: int) -> bool:
        """Whether a vector and a column were added, which makes a matrix of both.

        That is no error in Python, and hardly ever what is meant.
        """
        nodes = self.code.program.record.nodes
        for node in nodes[length:]:
            if node.op in SUMS:
                shapes = [nodes[i].shape for i in node.operands]
                if node.shape not in shapes and len({*map(len, shapes)}) > 1:
                    return True
        return False

    def is_empty(self, length: int) -> bool:
        """Whether an array has no entries, as half of one column: `W[:, :1 // 2]`."""
        return any(0 in node.shape for node in self.code.program.record.nodes[length:])

    def trial(
        self, new: Sequence[Assigned], result: Value, is_complete: bool, length: int
    ) -> ShapeTrial:
        """What came of a run that went to its end."""
        values = [*(e.value for e in new), result]
        reasons = [v.reason for v in values if isinstance(v, Unknown)]
        is_misfit = any(map(_is_misfit, reasons)) or self.is_spread(length)
        is_misfit |= self.is_empty(length)
        if not is_complete:
            awaited = _awaited([*self.code.unread, *reasons])
            return ShapeTrial(is_misfit, waits_for=awaited)
        fit = fit_of(self.code, new)
        is_narrow = any(self.is_one(entry) for entry in new)
        return ShapeTrial(is_misfit, fit, len(reasons), is_narrow)

    def is_thin(self, operands: Mapping[str, Value]) -> bool:
        """Whether an operand of a product is a row or a column, as of one example.

        So is a window of one entry, which is the same turned round or transposed.
        """
        factors = [operands[p.key] for p in self.several if p.least]
        arrays = [x.shape for x in operands.values() if isinstance(x, Symbol)]
        is_single = any(len(shape) > 1 and {*shape} == {1} for shape in arrays)
        return is_single or any(isinstance(x, Symbol) and 1 in x.shape for x in factors)

    def is_one(self, entry: Assigned) -> bool:
        """Whether a name is given a size that is 1."""
        if not isinstance(entry.value, Symbol):
            return False
        leaf = self.code.program.leaves.get(entry.value.index)
        is_size = leaf is not None and leaf.is_constant and leaf.value is not None
        return is_size and leaf is not None and bool(np.all(leaf.value == 1))
