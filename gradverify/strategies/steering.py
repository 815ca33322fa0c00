"""Steering: some choices are changed towards what has not been met yet.

The change is a pure function of what has been met. A share of the choices stays as
drawn, so that nothing becomes impossible. If what is wanted does not fit, the case is
built without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradverify.strategies.choices import Input, OpChoice
from gradverify.strategies.coverage import Met
from gradverify.strategies.points import CHOICES_OF, Values

TRIED = 8  # ops tried for one step; an op may not take the value of the operand


def unmet_after(op: str, step: OpChoice, menu: Sequence[str], met: Met) -> list[str]:
    """A few ops that have not followed `op` yet.

    For one step of four there are none, so that this step stays as drawn.
    """
    if step.second % 4 == 3:
        return []
    unmet = [name for name in menu if f"{op}>{name}" not in met.op_pairs]
    start = 7 * step.params % max(1, len(unmet))
    return [*unmet[start:], *unmet[:start]][:TRIED]


def steered_inputs(
    inputs: Sequence[Input], op: str, weights: int, met: Met | None
) -> Sequence[Input]:
    """The inputs with one value of a kind that the op has not been put to yet.

    Every second case stays as drawn.
    """
    if met is None or not met.regimes or weights % 2:
        return inputs
    unmet = [name for name in CHOICES_OF if f"{op}:{name}" not in met.regimes]
    if not unmet:
        return inputs
    place = weights // 2 % len(inputs)
    chosen = inputs[place]
    first, *rest = chosen.values.entries
    choices = CHOICES_OF[unmet[first % len(unmet)]]
    entries = [choices[(first + weights) % len(choices)], *rest]
    values = Values(chosen.values.spread, entries)
    return [*inputs[:place], chosen._replace(values=values), *inputs[place + 1 :]]
