"""What a mode may be asked of a case, and the numbers that go with it."""

from gradverify.questions.contraction import (
    ArrayAndCotangent,
    by_cotangent_input,
    by_own_cotangent,
    contract,
    contracted,
    is_ordinary,
    up_to,
    weighted,
)
from gradverify.questions.drawn import has_cotangent_input, tangents_of, weights
from gradverify.questions.question import (
    GRADIENT,
    HESSIAN,
    JACOBIAN,
    JVP,
    ORDERS,
    QUESTIONS,
    SECOND,
    Part,
    Question,
    order_of,
    questions_of,
)

__all__ = [
    "GRADIENT",
    "HESSIAN",
    "JACOBIAN",
    "JVP",
    "ORDERS",
    "QUESTIONS",
    "SECOND",
    "ArrayAndCotangent",
    "Part",
    "Question",
    "by_cotangent_input",
    "by_own_cotangent",
    "contract",
    "contracted",
    "has_cotangent_input",
    "is_ordinary",
    "order_of",
    "questions_of",
    "tangents_of",
    "up_to",
    "weighted",
    "weights",
]
