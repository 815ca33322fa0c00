"""Small charts as numbers: bars and lines in pixels, which a template draws."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gradverify.records import Discrepancy
from gradverify.report.formula import SUPERSCRIPTS
from gradverify.report.shared_digits import decimal

WIDTH, HEIGHT = 300, 120  # of the plot itself
LEFT, RIGHT, TOP, BOTTOM = 46, 20, 10, 34  # around it
LEAST = -30  # a chart shows smaller powers of ten as nothing


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram, and what it counts."""

    x: float
    y: float
    width: float
    height: float
    title: str
    kind: str = ""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A curve through points. Its kind decides its colour."""

    points: str
    dots: Sequence[tuple[float, float, str]]
    kind: str
    name: str


@dataclass(frozen=True)
class Chart:
    """A small chart: bars or lines over ticks, and a sentence that says what it
    shows.
    """

    title: str
    sentence: str
    x_label: str
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
    width: int = WIDTH + LEFT + RIGHT
    height: int = HEIGHT + TOP + BOTTOM
    base: float = TOP + HEIGHT
    left: float = LEFT
    right: float = LEFT + WIDTH


# ---- histograms of errors


# Where a bin of the histogram begins, as a power of two in ulps.
BINS = (-math.inf, -1000.0, *map(float, range(-4, 13)), 32.0, math.inf)


def histogram(title: str, errors: Mapping[str, int]) -> Chart | None:
    """Comparisons by the binary exponent of their error in ulps; heights are
    logarithms.

    A bin is a power of two wide, from a sixteenth of an ulp up to 4,096. Beyond, one
    bin reaches up to 2**32, and one holds what has hardly a digit right.
    """
    exact = {e: n for text, n in errors.items() if (e := _exponent(text)) is not None}
    if not sum(exact.values()):
        return None
    counts = dict.fromkeys(BINS, 0)
    for e, n in exact.items():
        counts[max(b for b in BINS if b <= e)] += n
    bins = [b for b in BINS if counts[b] or b < math.inf]
    step = WIDTH / len(bins)
    most = math.log10(max(counts.values()) + 1)
    bars = [
        _bar(
            i * step,
            step,
            HEIGHT * math.log10(counts[b] + 1) / most,
            f"{_bin(b)}: {counts[b]:,}",
            _size(b),
        )
        for i, b in enumerate(bins)
        if counts[b]
    ]
    shown = {-math.inf: "0", -4.0: "1/16", 0.0: "1", 4.0: "16", 8.0: "256",
             32.0: "2³²", math.inf: "∞"}  # fmt: skip
    ticks = [
        Tick(LEFT + (i + (0.5 if math.isinf(b) else 0.0)) * step, shown[b])
        for i, b in enumerate(bins)
        if b in shown
    ]
    return Chart(
        title,
        _spread(exact),
        "error in ulps",
        bars,
        x_ticks=ticks,
        y_ticks=_counts(most),
    )


def _exponent(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _bar(x: float, step: float, height: float, title: str, kind: str) -> Bar:
    return Bar(LEFT + x + 1, TOP + HEIGHT - height, step - 2, height, title, kind)


def _size(b: float) -> str:
    if b == -math.inf:
        return "exact"
    return "large" if b >= 3 else ""


def _bin(b: float) -> str:
    if math.isinf(b):
        return "no error" if b < 0 else "not finite"
    if b < BINS[2]:
        return f"under {_power_of_two(BINS[2])} ulps"
    if b == BINS[-2]:
        return f"over {_power_of_two(b)} ulps"
    above = BINS[BINS.index(b) + 1]
    return f"{_power_of_two(b)} to {_power_of_two(above)} ulps"


def _power_of_two(e: float) -> str:
    """A power of two as text: 1/8, 4, 1,024; 2⁵⁰ if the number would be long."""
    if abs(e) > 13:
        return "2" + f"{e:.0f}".translate(SUPERSCRIPTS)
    return f"{2.0**e:,.0f}" if e >= 0 else f"1/{2.0**-e:,.0f}"


def _counts(most: float) -> list[Tick]:
    powers = range(0, math.floor(most) + 1)
    return [
        Tick(TOP + HEIGHT * (1 - math.log10(10**k + 1) / most), f"{10**k:,}")
        for k in powers
        if math.log10(10**k + 1) <= most
    ]


def _spread(counts: Mapping[float, int]) -> str:
    whole = sum(counts.values())
    exact = counts.get(-math.inf, 0)
    small = sum(n for e, n in counts.items() if e < 0)
    worst = max(counts)
    text = (
        f"{_power_of_two(worst)} ulps or more" if math.isfinite(worst) else _bin(worst)
    )
    return (
        f"{whole:,} comparisons: {exact / whole:.0%} without error, "
        f"{small / whole:.0%} within one ulp, the worst: {text}"
    )


# ---- what is drawn beside a discrepancy


def convergence(found: Discrepancy) -> Chart | None:
    """How the reference's difference quotient comes near the exact number, step by
    step.
    """
    exact = decimal(found.exact)
    quotients = found.evidence.quotients if found.evidence else []
    pairs = [(s, q) for s, q in quotients if decimal(q) is not None]
    if exact is None or len(pairs) < 2:
        return None
    errors = [_log10(abs((decimal(q) or 0) - exact)) for _, q in pairs]
    names = [step for step, _ in pairs]
    got = decimal(found.got)
    lines = [("fine", "difference quotient", errors)]
    if got is not None and got != exact:
        lines.append(("bad", "claimed", [_log10(abs(got - exact))] * len(pairs)))
    last = f"the last quotient is off by about 1e{errors[-1]:.0f}"
    sentence = f"Distance from the exact number for {len(pairs)} steps; {last}"
    return _plot(
        "The reference converges", sentence, "step, coarse to fine", names, lines
    )


def along(found: Discrepancy) -> Chart | None:
    """The error and its bound along a line through the point."""
    rows = found.evidence.line if found.evidence else []
    kept = [r for r in rows if all(decimal(text) is not None for text in r)]
    if len(kept) < 2:
        return None
    error = [_log10(decimal(e)) for _, e, _ in kept]
    bound = [_log10(decimal(b)) for _, _, b in kept]
    over = sum(e > b for e, b in zip(error, bound, strict=True))
    sentence = f"Error in ulps at {len(kept)} places; over the bound at {over}"
    return _plot(
        "Along a line through the point",
        sentence,
        "offset from the point",
        [o for o, _, _ in kept],
        [("bad", "error in ulps", error), ("allowed", "allowed", bound)],
    )


def _log10(number: Decimal | None) -> float:
    value = abs(number or Decimal(0))
    return max(float(value.log10()), LEAST) if value else LEAST


def _plot(
    title: str,
    sentence: str,
    x_label: str,
    names: Sequence[str],
    lines: Iterable[tuple[str, str, Sequence[float]]],
) -> Chart:
    """Lines over evenly spaced places; heights are powers of ten."""
    found = list(lines)
    heights = [h for _, _, line in found for h in line]
    low, high = math.floor(min(heights)), math.ceil(max(heights))
    high = max(high, low + 1)

    def x(i: int) -> float:
        return LEFT + WIDTH * i / (len(names) - 1)

    def y(h: float) -> float:
        return TOP + HEIGHT * (1 - (h - low) / (high - low))

    drawn = [
        Line(
            " ".join(f"{x(i):.1f},{y(h):.1f}" for i, h in enumerate(line)),
            [(x(i), y(h), f"{names[i]}: {10**h:.2g}") for i, h in enumerate(line)]
            if len(set(line)) > 1
            else [],
            kind,
            name,
        )
        for kind, name, line in found
    ]
    at = dict.fromkeys((0, (len(names) - 1) // 2, len(names) - 1))
    every = max(1, math.ceil((high - low) / 4))
    return Chart(
        title,
        sentence,
        x_label,
        lines=drawn,
        x_ticks=[Tick(x(i), short(names[i])) for i in at],
        y_ticks=[Tick(y(h), _power(h)) for h in range(low, high + 1, every)],
    )


def _power(h: int) -> str:
    return "0" if h == LEAST else f"1e{h}"


def short(text: str) -> str:
    """A number in few digits."""
    number = decimal(text)
    if number is None:
        return text[:8]
    return f"{number:.2g}" if number else "0"
