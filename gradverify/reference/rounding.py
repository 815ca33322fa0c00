"""The few constants of the rounding model, beside the formats.

Nobody chooses a tolerance. These numbers, the formats (`formats.py`) and the sites and
reaches of the primitives (`ops/calculus.py`) are all that the bound is made of.
"""

from __future__ import annotations

SAFETY = 4.0
"""The factor c on every site: published accuracies are for the best code path."""

STRAIGHT = 1.0 / 16.0
"""The part of an op's reach that its operands may move while first order holds."""
