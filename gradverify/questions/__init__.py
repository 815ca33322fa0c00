"""What a mode may be asked of a case, and the numbers that go with it."""

from gradverify.questions.contraction import (
    ArrayAndCotangent,
    contract,
    contracted,
    squared,
    up_to,
    weighted,
)
from gradverify.questions.drawn import is_squared, tangents_of, weights
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
    "contract",
    "contracted",
    "is_squared",
    "order_of",
    "questions_of",
    "squared",
    "tangents_of",
    "up_to",
    "weighted",
    "weights",
]
