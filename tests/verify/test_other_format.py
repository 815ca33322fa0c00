"""Lost digits are imprecise and a wrong formula is wrong, by the same point elsewhere."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import special

from gradverify.arithmetic.floats import FLOATS
from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Pushed,
    load,
    mode,
    questions,
    register,
)
from gradverify.differentiators.hips_autograd import HipsAutograd
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.graph import Case
from gradverify.questions import JVP
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge
from gradverify.verify.other_format import UNTOLD

from ..planted.engines import ENGINES, PlantedAutograd


def cancelling(x: Any) -> Any:
    """exp, of which an added number takes fewer units in float32."""
    added = in_own_dtype(x, {8: 2.0**20, 4: 2.0**9}[np.asarray(x).dtype.itemsize])
    return (np.exp(x) + added) - added


def biased(x: Any) -> Any:
    """exp, too small by about as much as a number that is added takes of it."""
    added = in_own_dtype(x, 2.0**9)
    return ((np.exp(x) + added) - added) * units(x, -200.0)


def in_own_dtype(x: Any, value: float) -> Any:
    return np.asarray(x).dtype.type(value)


def shifted(x: Any) -> Any:
    """exp by that of a shifted operand, whose rounding is as large as the shift."""
    return np.exp(x + 70) * np.exp(in_own_dtype(x, -70.0))


def units(x: Any, count: float) -> Any:
    """A factor that is off by so many units of roundoff."""
    return in_own_dtype(x, 1.0 + count * np.finfo(np.asarray(x).dtype).epsneg)


# A slope of exp beside the right one, and the verdict in both formats.
# fmt: off
SLOPES: Mapping[str, tuple[Callable[[Any], Any], Verdict]] = {
    "a shifted operand":    (shifted, Verdict.IMPRECISE),
    "a number added":       (cancelling, Verdict.IMPRECISE),
    "a number, and a bias": (biased, Verdict.IMPRECISE),
    "300 units too much":   (lambda x: np.exp(x) * units(x, 300), Verdict.WRONG),
    "a constant too short": (lambda x: np.exp2(x * in_own_dtype(x, 1.44270)), Verdict.WRONG),
    "1e-5 too much":        (lambda x: np.exp(x) * in_own_dtype(x, 1 + 1e-5), Verdict.WRONG),
    "a dropped path":       (lambda x: 0.0 * x, Verdict.WRONG),
}
# fmt: on


def planted(op: str, slope: Callable[[Any], Any]) -> Differentiator:
    engine = ENGINES["own-tape"]
    return engine.with_rule("planted", op, lambda ct, y, x: [ct * slope(x)])


def judged(slope: Callable[[Any], Any], dtype: str) -> Judgement:
    case = Case(trace(s.exp, ()), (np.array(1.3, dtype),), dtype)
    return judge(case, planted("exp", slope), "reverse")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", SLOPES)
def test_the_other_format_tells_lost_digits_from_a_wrong_formula(
    name: str, dtype: str
) -> None:
    slope, verdict = SLOPES[name]
    assert judged(slope, dtype).verdict is verdict


def test_a_few_points_that_happen_to_deviate_alike_are_no_wrong_constant() -> None:
    """JAX's spence is off by 4e-15 to 1e-14 of its slope about 0.5."""
    jax = load("jax")
    if jax.available() is not None:
        pytest.skip("not installed")
    found = judge(Case(trace(s.spence, ()), (np.array(0.5),)), jax, "reverse")
    assert found.verdict is Verdict.IMPRECISE


# What stands beside the exponential, at 0: each has a slope of its own there.
BESIDE_KINKS = {
    "of a slope between two": lambda a, b: s.exp(a) + s.relu(b),
    "of a slope between two in both factors": lambda a, b: s.exp(a) * (1.0 + s.abs(b)),
    "of one slope after all": lambda a, b: s.exp(a) + s.maximum(b, b),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("kink", BESIDE_KINKS)
def test_it_tells_them_beside_a_kink(kink: str, name: str, dtype: str) -> None:
    slope, verdict = SLOPES[name]
    point = (np.array(1.3, dtype), np.array(0.0, dtype))
    case = Case(trace(BESIDE_KINKS[kink], (), ()), point, dtype)
    assert judge(case, planted("exp", slope), "reverse").verdict is verdict


@pytest.mark.parametrize("scale", [1.0, 0.3, 1.7e-5])
def test_numbers_within_their_ranges_that_do_not_fit_each_other_stay_wrong(
    scale: float,
) -> None:
    """Each of two equal entries gets all of a cotangent, which rounds the range."""

    def whole(ct: Any, y: Any, x: Any, **params: Any) -> Any:
        return [ct * (x == y)]

    def function(x: Any) -> Any:
        return s.max(x, axis=None, keepdims=False) * scale * 1.1

    case = Case(trace(function, (3,)), (np.array([0.7, 2.9, 2.9]),))
    engine = ENGINES["own-tape"].with_rule("planted", "max", whole)
    assert judge(case, engine, "reverse").verdict is Verdict.WRONG


@pytest.mark.parametrize("part", [1e-9, 1e-13])
def test_a_small_part_too_much_is_no_lost_digit(part: float) -> None:
    found = judged(lambda x: np.exp(x) * (1.0 + part), "float64")
    assert found.verdict is Verdict.WRONG


def test_near_a_matrix_numbers_move_that_no_scale_changes() -> None:
    """A library's q is as much off for all multiples of a matrix, and R with it."""

    def slope(x: Any) -> Any:
        part = x / np.sqrt(np.sum(x * x))  # of a norm of 1, at any scale
        rounded = (part + in_own_dtype(x, 2.0**12)) - in_own_dtype(x, 2.0**12)
        return np.exp(x) * (rounded / part)

    case = Case(
        trace(lambda a: s.sum(s.exp(a), axis=None), (2,)), (np.array([0.3, 1.4]),)
    )
    assert judge(case, planted("exp", slope), "reverse").verdict is Verdict.IMPRECISE


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_branch_that_is_wrong_at_one_number_loses_no_digits(dtype: str) -> None:
    """Beside it the errors go up and down, for they are roundings of the right rule."""
    part = {"float64": 1e-10, "float32": 1e-5}[dtype]

    def slope(x: Any) -> Any:
        return np.exp(x) * in_own_dtype(x, 1.0 + part * (x == 1.25))

    case = Case(trace(s.exp, ()), (np.array(1.25, dtype),), dtype)
    assert judge(case, planted("exp", slope), "reverse").verdict is Verdict.WRONG


@pytest.mark.parametrize(("dtype", "part"), [("float64", 1e-9), ("float32", 1e-5)])
def test_a_formula_that_goes_up_and_down_loses_no_digits(
    dtype: str, part: float
) -> None:
    """It is as far off in the other format, but for the roundings there."""

    def slope(x: Any) -> Any:
        return np.exp(x) * (
            1 + in_own_dtype(x, part) * np.sin(in_own_dtype(x, 3e3) * x)
        )

    case = Case(trace(s.exp, ()), (np.array(1.3, dtype),), dtype)
    assert judge(case, planted("exp", slope), "reverse").verdict is Verdict.WRONG


# ---- values

AT = {"float64": 2.6, "float32": 2.35}


def subtracting(factor: float) -> Differentiator:
    """autograd with erfc as 1 - erf, whose slope is right but for a factor."""
    from autograd.extend import defvjp, primitive

    @primitive
    def erfc(x: Any) -> Any:
        return 1 - special.erf(x)

    defvjp(
        erfc,
        lambda y, x: (
            lambda ct: -ct * np.exp(-x * x) * x.dtype.type(factor * 2 / np.sqrt(np.pi))
        ),
    )
    return PlantedAutograd("autograd with 1 - erf", {"erfc": erfc})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_value_that_loses_digits_is_imprecise(dtype: str) -> None:
    case = Case(trace(s.erfc, ()), (np.array(AT[dtype], dtype),), dtype)
    found = judge(case, subtracting(1.0), "reverse")
    assert found.verdict is Verdict.IMPRECISE
    assert found.note.startswith("the value, not the derivative; digits are lost")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_such_a_value_does_not_hide_a_wrong_derivative(dtype: str) -> None:
    case = Case(trace(s.erfc, ()), (np.array(AT[dtype], dtype),), dtype)
    found = judge(case, subtracting(1.0 + 1e-4), "reverse")
    assert found.verdict is Verdict.WRONG
    assert found.where == "d/da"


# Functions that are the same all around a point: what deviates is behind a clip.
CLIPPED = {
    "relu6": lambda a, b: s.erfc(s.relu6(a) - 3.4) + 0.0 * b,
    "relu": lambda a, b: b * s.erfc(s.relu(-a) + 2.6),
    "a step": lambda a, b: s.erfc(s.sign(a) + 1.6) + 0.0 * b,
}


def of_value(erfc: Callable[[Any], Any]) -> Differentiator:
    """autograd with the given value of erfc, whose slope is left as it is."""
    from autograd.extend import defvjp, primitive

    function = primitive(erfc)
    defvjp(
        function,
        lambda y, x: lambda ct: -ct * np.exp(-x * x) * (2 / np.sqrt(np.pi)),
    )
    return PlantedAutograd("autograd with another erfc", {"erfc": function})


@pytest.mark.parametrize("clip", CLIPPED)
@pytest.mark.parametrize(
    ("erfc", "verdict"),
    [
        (lambda x: 1 - special.erf(x), Verdict.IMPRECISE),
        (lambda x: special.erfc(x) * (1 + 1e-10), Verdict.WRONG_VALUE),
        (special.erfc, Verdict.AGREES),
    ],
    ids=["lost digits", "a small part too much", "right"],
)
def test_a_clip_does_not_hide_that_digits_are_lost(
    clip: str, erfc: Callable[[Any], Any], verdict: Verdict
) -> None:
    point = (np.array(7.0), np.array(1.5))
    case = Case(trace(CLIPPED[clip], (), ()), point)
    assert judge(case, of_value(erfc), "reverse").verdict is verdict


@pytest.mark.parametrize(("dtype", "part"), [("float64", 1e-10), ("float32", 1e-5)])
def test_a_clip_that_is_wrong_itself_loses_no_digits(dtype: str, part: float) -> None:
    """What is behind it is right, and all that is off there are roundings."""
    from autograd.extend import defvjp, primitive

    @primitive
    def relu6(x: Any) -> Any:
        return np.clip(x, 0.0, in_own_dtype(x, 6.0 * (1.0 + part)))

    defvjp(relu6, lambda y, x: lambda ct: ct * ((x > 0.0) & (x < 6.0)))
    engine = PlantedAutograd("autograd with another relu6", {"relu6": relu6})
    point = (np.array(7.0, dtype), np.array(1.5, dtype))
    case = Case(trace(lambda a, b: b * s.exp(s.relu6(a)), (), ()), point, dtype)
    assert judge(case, engine, "reverse").verdict is Verdict.WRONG_VALUE


# ---- engines of one format


def of_one_format(engine: Differentiator) -> Differentiator:
    engine.accepts = Accepts(dtypes=("float64",))  # type: ignore[misc]
    return engine


def sloped(op: str, slope: Callable[..., Any]) -> Differentiator:
    """Our tape in float64 alone, with another slope for an op."""
    engine = ENGINES["own-tape"]
    rule = lambda ct, y, *x, **params: [ct * slope(y, *x, **params)]  # noqa: E731
    return of_one_format(engine.with_rule("one format", op, rule))


def by_tail(y: Any, x: Any) -> Any:
    """What a released library takes for the slope of sigmoid."""
    z = 1.0 / (np.exp(x) + 1.0)
    return z - z * z


def by_result(y: Any, x: Any, n: float) -> Any:
    return n * y / x


def squared(x: Any) -> Any:
    return s.power(x, n=2.0)


# An engine of float64 alone, a function, its point, the verdict and what its note says.
# fmt: off
ONE_FORMAT: Mapping[str, tuple[Differentiator, Any, float, Verdict, str]] = {
    "sigmoid by its other tail":   (sloped("sigmoid", by_tail), s.sigmoid, -6.0, Verdict.IMPRECISE, "z - z*z for its slope"),
    "that, in a composite":        (sloped("sigmoid", by_tail), s.silu, -17.0, Verdict.IMPRECISE, "z - z*z for its slope"),
    "a power of a tiny number":    (sloped("power", by_result), squared, 1e-155, Verdict.IMPRECISE, "n*y/x for its slope"),
    "erfc as 1 - erf":             (of_one_format(subtracting(1.0)), s.erfc, 3.0, Verdict.IMPRECISE, "1 - erf(x)"),
    "a factor in erfc's slope":    (of_one_format(subtracting(1.0 + 1e-9)), s.erfc, 3.0, Verdict.WRONG, ""),
    "1e-13 too much":              (sloped("sigmoid", lambda y, x: by_tail(-x, -x) * (1.0 + 1e-13)), s.sigmoid, -6.0, Verdict.WRONG, UNTOLD),
    "a dropped term":              (sloped("sigmoid", lambda y, x: y), s.sigmoid, -20.0, Verdict.WRONG, ""),
}
# fmt: on


@pytest.mark.parametrize("name", ONE_FORMAT)
def test_usual_formulas_tell_where_an_engine_has_one_format(name: str) -> None:
    engine, function, at, verdict, note = ONE_FORMAT[name]
    found = judge(Case(trace(function, ()), (np.array(at),)), engine, "reverse")
    assert found.verdict is verdict
    assert note in found.note


@dataclass(frozen=True)
class Moving:
    """A number and its tangent."""

    value: Any
    tangent: Any


class SlopedForward(Differentiator):
    """Our tape in float64 alone, pushed forward, with another slope for sigmoid."""

    name = "one format, forward"
    accepts = Accepts(dtypes=("float64",))

    def __init__(self, slope: Callable[..., Any]) -> None:
        self.slope = slope

    @property
    def table(self) -> Any:
        """One row, for a number with its tangent."""

        def sigmoid(x: Moving) -> Moving:
            y = 1.0 / (1.0 + np.exp(-x.value))
            return Moving(y, self.slope(y, x.value) * x.tangent)

        return {"sigmoid": sigmoid}

    @mode("jvp", default=True)
    def forward(self, function: Any, point: Any, tangents: Any) -> Pushed:
        """The row, on the input and its tangent."""
        found = function(Moving(point[0], tangents[0]))
        return Pushed(found.value, found.tangent)


# fmt: off
FORWARD = (
    (by_tail,                                Verdict.IMPRECISE, "z - z*z for its slope"),
    (lambda y, x: by_tail(y, x) * (1 + 1e-9), Verdict.WRONG,    ""),
    (lambda y, x: y,                         Verdict.WRONG,     ""),
)
# fmt: on


@pytest.mark.parametrize(("slope", "verdict", "note"), FORWARD)
def test_usual_formulas_tell_of_a_tangent_as_well(
    slope: Any, verdict: Verdict, note: str
) -> None:
    case = Case(trace(s.sigmoid, ()), (np.array(-6.0),))
    who = SlopedForward(slope)
    assert JVP in questions(who, "forward")
    found = judge(case, who, "forward")
    assert found.verdict is verdict
    assert note in found.note


# ---- declared accuracies


class Coarse(Differentiator):
    """autograd with an exp that is off by so many units of roundoff."""

    name = "coarse"
    accepts = Accepts(dtypes=("float64",))
    units = 60.0
    reverse = HipsAutograd.reverse

    @property
    def table(self) -> Any:
        from autograd.extend import defvjp, primitive

        @primitive
        def exp(x: Any) -> Any:
            return np.exp(x) * (1.0 + self.units * 2.0**-53)

        defvjp(exp, lambda y, x: lambda ct: ct * y)
        return {**HipsAutograd().table, "exp": exp}


class Declared(Coarse):
    """The same, and it says so."""

    name = "declared"
    accuracy: ClassVar[Mapping[str, float]] = {"exp": 32.0}


class FarOff(Declared):
    """One that is off by more than it says."""

    name = "far off"
    units = 400.0


class OfDifferences(Differentiator):
    """Central differences, which say that half of the digits are there."""

    name = "differences"
    accepts = Accepts(dtypes=("float64",))
    accuracy: ClassVar[Mapping[str, float]] = {"*": 2.0**27}
    table: ClassVar[Any] = dict(FLOATS.table)

    @mode("gradient")
    def central(self, function: Lowered, point: Sequence[Any]) -> Pulled:
        x, h = point[0], 2.0**-18
        slope = (function(x + h) - function(x - h)) / (2.0 * h)
        return Pulled(function(x), [slope])


EXP = Case(trace(lambda x: s.exp(x) * 3.0, ()), (np.array(1.25),))
SINE = Case(trace(lambda x: s.exp(s.sin(x)), ()), (np.array(0.7),))


def test_an_undeclared_accuracy_is_a_finding_of_which_no_format_tells() -> None:
    found = judge(EXP, Coarse(), "reverse")
    assert found.verdict is Verdict.WRONG_VALUE
    assert found.note == UNTOLD


def test_a_declared_accuracy_is_in_the_bound() -> None:
    assert judge(EXP, Declared(), "reverse").verdict is Verdict.AGREES
    assert judge(EXP, FarOff(), "reverse").verdict.fails()


def test_an_engine_of_differences_declares_all_its_ops() -> None:
    assert judge(SINE, OfDifferences(), "central").verdict is Verdict.AGREES
    exact = judge(SINE, OwnTape(), "reverse")
    assert exact.allowed is not None
    assert exact.allowed < 1e-14  # another engine's bound stays its own


@pytest.mark.parametrize("declared", [{"sine": 3.0}, {"exp": -1.0}, {"exp": True}])
def test_a_bad_declaration_is_refused(declared: Any) -> None:
    class Bad(Coarse):
        name = "badly declared"
        accuracy = declared

    with pytest.raises(ValueError, match=r"accuracy has .* allowed are a public op"):
        register(Bad)
