"""A known deviation explains what is as large as it says, and nothing larger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from packaging.specifiers import SpecifierSet
from scipy import special

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.localize import Guilty, guilty_op
from gradverify.differentiators import Differentiator, load
from gradverify.differentiators.hips_autograd import HipsAutograd
from gradverify.differentiators.pytorch import TorchCpu
from gradverify.graph import Case
from gradverify.known import Deviation, Size, shipped_rows
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import Block, judge, verify_item
from gradverify.verify.known_rows import Listed, is_given

from ..planted.engines import ENGINES
from ..planted.faults import Application

ROWS = {row.id: replace(row, versions=SpecifierSet()) for row in shipped_rows()}


def explained(who: Differentiator, case: Case, row: Deviation) -> str | None:
    """The row's id, where it explains what an engine makes of the case."""
    judgement = judge(case, who, "reverse")
    assert judgement.verdict.fails(), judgement
    guilty = guilty_op(case, lambda c: judge(c, who, "reverse"), judgement)
    rows = (replace(row, differentiator=who.name),)
    return Listed(rows, who, "reverse", case.dtype).row(case, judgement, guilty)


def planted(op: str, slope: Callable[[Any], Any]) -> Differentiator:
    """PyTorch with another derivative of one op."""
    return ENGINES["torch-cpu"].with_rule(
        f"torch with another {op}", op, lambda ct, y, x: [ct * slope(x)]
    )


SOFTPLUS = ROWS["torch-softplus-threshold"]
DIGAMMA = ROWS["torch-digamma-derivative"]
AT_30 = Case(trace(s.softplus, ()), (np.array(30.0),))
AT_3 = Case(trace(s.digamma, ()), (np.array(3.0),))


@pytest.mark.parametrize(
    ("slope", "is_known"), [(1.0, True), (1.0 + 1e-9, False), (0.0, False)]
)
def test_softplus_is_known_for_the_slope_that_its_row_foretells(
    slope: float, is_known: bool
) -> None:
    """At 22 the value deviates as well, which hides no derivative."""
    at_22 = Case(AT_30.graph, (np.array(22.0),))
    who = planted("softplus", lambda x: slope)
    rows = (replace(SOFTPLUS, differentiator=who.name),)
    item = verify_item(
        Block("saved", "softplus", "float64", written=(at_22,)),
        who,
        "reverse",
        known=rows,
    )
    (finding,) = item.findings
    verdict = Verdict.WRONG_VALUE if is_known else Verdict.WRONG
    assert finding.judgement.verdict is verdict
    assert (finding.known == SOFTPLUS.id) is is_known


@pytest.mark.parametrize(("others", "is_known"), [(0.0, True), (1e-6, False)])
def test_a_row_says_nothing_of_entries_that_its_condition_leaves_out(
    others: float, is_known: bool
) -> None:
    """Beside 22, which is known, stands 1, where the value is right or off by a bit."""
    import torch

    def softplus(x: Any) -> Any:
        return torch.nn.functional.softplus(x) + others * (x < 20)

    who = TorchCpu()  # another one than all share
    who.table = {**who.table, "softplus": softplus}  # type: ignore[misc]
    both = Case(trace(lambda x: s.sum(s.softplus(x), axis=None), (2,)),
                (np.array([1.0, 22.0]),))  # fmt: skip
    assert (explained(who, both, SOFTPLUS) == SOFTPLUS.id) is is_known


class Foretold(Differentiator):
    """autograd, whose a - b has some value and some slope by b."""

    name = "foretold"
    table: ClassVar[Any] = {}
    reverse = HipsAutograd.reverse

    def __init__(self, value: Any, slope: Any) -> None:
        from autograd.extend import defvjp, primitive
        from autograd.numpy.numpy_vjps import unbroadcast_f

        minus = primitive(lambda a, b: a - b + value)
        defvjp(
            minus,
            lambda y, a, b: unbroadcast_f(a, lambda ct: ct),
            lambda y, a, b: unbroadcast_f(b, lambda ct: ct * slope(a, b)),
        )
        self.table = {**HipsAutograd().table, "sub": minus}  # type: ignore[misc]


MINUS = Case(
    trace(lambda a, b: s.sum((a - b) * np.array([3.0, -0.5]), axis=None), (2,), ()),
    (np.array([1.25, 2.5]), np.array(0.75)),
)
MINUS_ROW = Deviation(
    id="a slope of its own",
    differentiator="foretold",
    op="sub",
    verdict=(Verdict.WRONG, Verdict.WRONG_VALUE),
    reason="planted",
    witness=MINUS,
    gives=(("value", "a - b + 2"), ("b", "a * b")),
)


# fmt: off
FORETOLD = [
    (0.0, lambda a, b: a * b,         True),
    (0.0, lambda a, b: a * b + 1e-9,  False),
    (0.0, lambda a, b: 0.0 * a,       False),
    (2.0, lambda a, b: -1.0 + 0 * a,  True),
    (2.5, lambda a, b: -1.0 + 0 * a,  False),
]
# fmt: on


@pytest.mark.parametrize(("value", "slope", "is_known"), FORETOLD)
def test_a_formula_is_of_the_operand_that_deviates_with_its_cotangent(
    value: float, slope: Any, is_known: bool
) -> None:
    found = explained(Foretold(value, slope), MINUS, MINUS_ROW)
    assert (found == MINUS_ROW.id) is is_known


def test_an_operand_without_a_formula_is_not_foretold() -> None:
    row = replace(MINUS_ROW, gives=(("a", "a * b"),))
    assert explained(Foretold(0.0, lambda a, b: a * b), MINUS, row) is None


def test_a_wrong_sign_of_digamma_is_no_lost_digit() -> None:
    row = DIGAMMA
    wrong = planted("digamma", lambda x: -special.polygamma(1, x))
    assert explained(wrong, AT_3, row) is None
    near = planted("digamma", lambda x: special.polygamma(1, x) * (1.0 + 4e-10))
    assert explained(near, AT_3, row) == row.id


@pytest.mark.parametrize("name", ["softplus", "digamma"])
def test_what_the_library_does_stays_known(name: str) -> None:
    row = {"softplus": SOFTPLUS, "digamma": DIGAMMA}[name]
    case = AT_3 if name == "digamma" else Case(AT_30.graph, (np.array(20.5),))
    assert explained(load("torch-cpu"), case, row) == row.id


# ---- a library that computes in another format


def attention(q: Any, k: Any, v: Any) -> Any:
    return s.sum(s.scaled_dot_product_attention(q, k, v, mask="none"), axis=None)


X = np.sin(np.arange(8.0)).reshape(1, 2, 2, 2)
ATTENTION = Case(trace(attention, *(X.shape,) * 3), (X, X[..., ::-1], 2.0 * X))
IN_FLOAT32 = ROWS["jax-attention-float32"]


def attending(spoilt: Callable[[Any], Any]) -> Differentiator:
    def rule(ct: Any, y: Any, *x: Any, **params: Any) -> Any:
        given = [np.asarray(v, np.float64) for v in x]
        whole = Application("scaled_dot_product_attention", ct, y, given, params)
        return [spoilt(g) for g in whole.right()]

    engine = ENGINES["own-tape"]
    return engine.with_rule("attending", "scaled_dot_product_attention", rule)


@pytest.mark.parametrize(
    ("spoilt", "is_known"),
    [
        (lambda g: g.astype(np.float32).astype(np.float64), True),
        (lambda g: g * (1.0 + 1e-3), False),
        (lambda g: g * np.nan, False),
        (lambda g: g * 0.0, False),
    ],
    ids=["rounded to float32", "a thousandth too much", "NaN", "zero"],
)
def test_attention_in_float32_explains_float32s_roundings_alone(
    spoilt: Callable[[Any], Any], is_known: bool
) -> None:
    row = IN_FLOAT32
    found = explained(attending(spoilt), ATTENTION, row)
    assert (found == row.id) is is_known


def test_a_row_of_a_format_is_asked_what_the_case_is_asked() -> None:
    jax = load("jax")
    if jax.available() is not None:
        pytest.skip("not installed")
    mode = "forward-over-reverse"
    found = judge(ATTENTION, jax, mode)
    assert found.question == "second"
    guilty = guilty_op(ATTENTION, lambda case: judge(case, jax, mode), found)
    rows = Listed([IN_FLOAT32], jax, mode, "float64")
    assert rows.row(ATTENTION, found, guilty) == IN_FLOAT32.id


def test_a_size_is_a_part_or_bounds() -> None:
    assert str(Size(2e-9)) == "2e-09"
    assert str(Size(20.0, in_bounds=True)) == "20 bounds"


def test_an_underflow_within_a_product_is_known_by_its_cotangent() -> None:
    """torch.hypot multiplies by the cotangent first: that product is subnormal."""
    row = ROWS["torch-hypot-underflow"]
    graph = trace(lambda a, b: s.hypot(a, b) * 1e-292, (), ())
    case = Case(graph, (np.array(3.1e-30), np.array(1.7e-30)))
    assert explained(load("torch-cpu"), case, row) == row.id
    plain = replace(row, when="abs(a) < 1e-50")
    assert explained(load("torch-cpu"), case, plain) is None


# ---- a cotangent of a wrong shape, and what later sums make of it


def broadcast_beside(a: Any, b: Any) -> Any:
    c = a * 2.0
    return s.sum(s.where(np.array([True, True]), c, b) - c, axis=None)


def chosen_beside_the_largest(a: Any) -> Any:
    chosen = s.where(np.array([True, True]), s.max(a, axis=None), a)
    return s.sum(chosen, axis=None)


@pytest.mark.parametrize(
    ("function", "point"),
    [
        (broadcast_beside, (np.array([1.0]), np.array([1.0, 2.0]))),
        (chosen_beside_the_largest, (np.array([1.0, 1.0]),)),
    ],
)
def test_where_is_known_by_what_later_sums_make_of_its_cotangent(
    function: Callable[..., Any], point: tuple[Any, ...]
) -> None:
    row = ROWS["autograd-where-broadcast"]
    case = Case(trace(function, *(x.shape for x in point)), point)
    assert explained(load("autograd"), case, row) == row.id


def test_formulas_of_a_row_are_of_the_gradient_and_its_size_of_every_question() -> None:
    """At 1e200 autograd and PyTorch lose the slope of asinh in forward mode as well."""
    (row,) = (r for r in shipped_rows() if r.id == "torch-asinh-square")
    assert row.gives
    alone = row.witness
    said = Judgement(Verdict.WRONG, where="tangent", got="0.0", exact="1e-200")
    assert is_given(row, said, alone)
    other = Judgement(Verdict.WRONG, where="d/da", got="3.0", exact="1e-200")
    assert not is_given(row, other, alone)


@pytest.mark.parametrize(
    "mode", ["reverse", "forward", "jacobian", "hessian", "reverse-over-reverse"]
)
def test_beside_a_wrong_value_a_mode_is_held_against_its_own_question(
    mode: str,
) -> None:
    """PyTorch's trigamma is off, and its derivatives are right in every mode."""
    torch = load("torch-cpu")
    if reason := torch.available():
        pytest.skip(reason)
    case = Case(trace(lambda x: s.polygamma(x, n=1), ()), (np.array(1.0),))
    judgement = judge(case, torch, mode)
    assert judgement.verdict is Verdict.WRONG_VALUE
    listed = Listed(shipped_rows(), torch, mode, case.dtype)
    assert listed.beyond_value(case, Guilty("polygamma", case, judgement)) is None
