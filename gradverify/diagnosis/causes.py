"""Why: the ordered table of slips. Each slip is a change of the right computation.

A row says which bars an application of an op passes on if it is made with that slip. A
bar is a derivative with respect to an operand. If two rows explain the same numbers,
the earlier one says it more simply.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gradverify.diagnosis import expansion_slips as x
from gradverify.diagnosis import formula_slips as f
from gradverify.diagnosis import operand_slips as c
from gradverify.diagnosis import substitutions as e
from gradverify.diagnosis.operand_slips import Key
from gradverify.diagnosis.right_sweep import Application, Bars


@dataclass(frozen=True)
class Cause:
    """One way to go wrong at an application of an op.

    name: as records have it.
    says: the end of a sentence, with the fields partials, truth, key, node, operands,
        op and n.
    change: takes an application and a key, and returns the bars that the slip passes
        on; None if the slip does not apply.
    keys: takes an application, and returns the variants of the slip.
    whole: whether the slip changes all operands together, and not one of them.
    weight: how many changes it counts as.
    by_hand: whether people make it on paper.
    likely: keys, with the ops at which they are likely.
    """

    name: str
    says: str
    change: Callable[[Application, Key], Bars | None]
    keys: Callable[[Application], Iterable[Key]] = lambda a: (None,)
    whole: bool = False
    weight: int = 1
    by_hand: bool = True
    likely: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)

    def bars(self, a: Application, key: Key) -> Bars | None:
        """What the operands get if this slip is made; None if the shapes do not fit."""
        try:
            bars = self.change(a, key)
        except ValueError:
            return None
        fits = bars is None or all(map(a.has_shape, range(len(bars)), bars))
        return bars if fits else None


# Where a constant comes from: the ops whose derivative has it.
TRIGONOMETRIC = ("sin", "cos", "tan", "asin", "acos", "atan", "atan2")
NATURAL = {
    **dict.fromkeys(("ln 10", "1/ln 10"), ("log10",)),
    **dict.fromkeys(("ln 2", "1/ln 2"), ("log2", "exp2")),
    **dict.fromkeys(("π/180", "180/π"), TRIGONOMETRIC),
}

# fmt: off
CAUSES: tuple[Cause, ...] = (
    Cause("other param",       "{key} is taken",                                                     x.with_param, x.other_params, whole=True),
    Cause("index overwritten", "of what goes back to an entry that is used several times, {key}",     f.indexed, f.repeats),
    Cause("passed on",         "the cotangent is passed on as it came, as if the op did nothing: {partials} taken as 1", c.passed_on),
    Cause("factor dropped",    "a factor of the chain rule is dropped: {partials} taken as 1{truth}", c.dropped),
    Cause("path dropped",      "a path is dropped: {partials} taken as 0{truth}",                 c.without),
    Cause("zero",              "zero is given: {partials} taken as 0{truth}",                     c.zero, whole=True),
    Cause("sign",              "the sign of {partials} is wrong{truth}",                          c.negated),
    Cause("factor dropped",    "the inner derivative is dropped: {inner} taken as 1",                     c.together, whole=True),
    Cause("swapped",           "the partial derivatives of its two operands are swapped",            c.swapped, whole=True),
    Cause("transposed",        "{key} is not transposed as it must be",                              c.transposed, c.transposes),
    Cause("turned around",     "{partials} is turned around along {key}",                            c.turned_around, c.axes_around),
    Cause("another axis",      "the cotangent is spread along another axis than was reduced",        c.along_another, c.reduced),
    Cause("not summed",        "a broadcast axis is not summed over: {key} is taken",                c.unsummed, c.widenings),
    Cause("scaled by n",       "the reduction is scaled by {key} too much (n = {n})",                c.by_count, c.counts),
    Cause("constant factor",   "a factor {key} too much in {partials}{truth}",                    c.times, c.factors, likely=NATURAL),
    Cause("another op",        "the derivative of {key} is taken for that of {op}",                  e.of_another, e.others, weight=2),
    Cause("value",             "the value {node} is returned for the derivative {partials}{truth}", e.value),
    Cause("operand",           "the operand {key} is returned for the derivative {partials}{truth}", e.operand, e.operands, weight=2),
    Cause("off-diagonal",      "each entry is differentiated by its own operand alone",              e.diagonal),
    Cause("stale point",       "{partials} is evaluated at operands {key}{truth}",                e.stale, e.moments, weight=2),
    Cause("lower precision",   "{key}",                                                              e.rounded, e.roundings, by_hand=False),
    Cause("wrong formula",     "{key} is taken for {partials}{truth}",                              f.by_formula, f.formulas),
    Cause("epsilon",           "{key}",                                                              f.with_epsilon, f.epsilons, whole=True),
    Cause("result for exp",    "{key}",                                                              f.by_result, f.logarithms),
    Cause("short constant",    "the constant {key}",                                                 x.with_short_constant, x.short_constants, whole=True),
    Cause("held constant",     "{key} within {op} is taken for a constant",                           x.held, x.parts, whole=True),
    Cause("cotangent ignored", "the cotangent is ignored: {partials} is not multiplied by it",       e.ignored),
    Cause("cotangent squared", "the cotangent is squared: {partials} is multiplied by it twice",     e.squared),
)
# fmt: on
