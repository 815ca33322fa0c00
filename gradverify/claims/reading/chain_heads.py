"""What the first member of a chain says besides: a name for it, numbers, an equation.

`m = f'(2) = 4` calls the slope m, `f'(x_1) = f'(7) = 147` says what x_1 is, and in
`f'(x) = 2x - 4 = 0` the end asks where the slope vanishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradverify.claims.computation.file_program import NotUnderstood
from gradverify.claims.judgement.members import has_derivative, is_number
from gradverify.claims.language.grammar import Formula
from gradverify.claims.meaning.formulas import names_in
from gradverify.claims.meaning.states import State
from gradverify.claims.reading.claim_subjects import ReadingPlace

EQUATION = "it may be an equation to be solved, and not a claim about the derivative"


def from_derivative(
    formulas: Sequence[Formula], marks: Sequence[bool], state: State
) -> tuple[Sequence[Formula], Sequence[bool]]:
    """Without a name that is only given to the derivative, as in `m = f'(2) = 4`.

    `dy = f'(x) dx` says what dy is to mean, and nothing about f. So does `v(t)` before
    `s'(t)`, whatever another example calls v.
    """
    head = formulas[0]
    if is_number(head) or has_derivative(head):
        return formulas, marks
    is_anew = _is_named_by(head, formulas[1])
    if not is_anew and any(n in state.names for n in names_in(head)):
        return formulas, marks
    if len(formulas) < 3:
        raise NotUnderstood("it says what a name is to mean")
    return formulas[1:], marks[1:]


def _is_named_by(head: Formula, derivative: Formula) -> bool:
    """Whether `v(t)` stands before a derivative of another function of t."""
    match derivative:
        case ("apply_prime", (_, of), _, ("arguments", ("name", (_, by)))):
            pass
        case _:
            return False
    match head:
        case ("apply", (_, name), ("arguments", ("name", (_, argument)))) | (
            "juxta",
            ("name", (_, name)),
            ("name", (_, argument)),
        ):
            return bool(argument == by and name not in (of, by))
    return False


def at_numbers(
    formulas: Sequence[Formula], marks: Sequence[bool], place: ReadingPlace
) -> tuple[Sequence[Formula], Sequence[bool]]:
    """Without a head that says at which numbers: `f'(x_1) = f'(7) = 147`.

    It says what x_1 is, whatever another section calls so. Where its own section gives
    x_1 a number, the head claims that it is this one.
    """
    stated = place.state.stated
    own = {n for n, where in stated.items() if where[:2] == place.section}
    match formulas:
        case [
            ("apply_prime" | "derivative_at", *of, ("arguments", *names)),
            (_, *same, ("arguments", *numbers)),
            _,
            *_,
        ] if of == same and all(map(is_number, numbers)):
            if not any(map(is_number, names)) and not own & {*names_in(("", *names))}:
                return formulas[1:], marks[1:]
    return formulas, marks


def without_equation(
    formulas: Sequence[Formula], marks: Sequence[bool]
) -> tuple[Sequence[Formula], Sequence[bool], tuple[str, ...]]:
    """Without a `= 0` that asks where the derivative vanishes.

    `f'(x) = 2x - 4 = 0` claims that f'(x) is 2x - 4. What `f'(x) = 0` says alone is
    open, unless it is said of a stated point.
    """
    if _asks_where(formulas):
        return formulas, marks, (EQUATION,)
    is_zero = formulas[-1] == ("number", ("NUMBER", "0"))
    if not is_zero or _is_at_a_point(formulas[0]):
        return formulas, marks, ()
    if len(formulas) > 2:
        return formulas[:-1], marks[:-1], ()
    return formulas, marks, (EQUATION,)


def _is_at_a_point(formula: Any) -> bool:
    """Whether a derivative is taken at numbers, or at names such as x_0.

    Where `∂f/∂x(x, y)` is 0 is what a text asks; at (1, 2) it claims it.
    """
    if not isinstance(formula, tuple) or not formula:
        return False
    if formula[0] == "derivative_at":
        return any(a[0] != "name" or len(a[1][1]) > 1 for a in formula[2][1:])
    return any(map(_is_at_a_point, formula[1:]))


def _asks_where(formulas: Sequence[Formula]) -> bool:
    """`f'(x) = 2`, with a letter in the parentheses: where is the slope 2?"""
    match formulas[0]:
        case ("apply_prime", _, _, ("arguments", ("name", _))):
            return len(formulas) == 2 and is_number(formulas[1])
    return False
