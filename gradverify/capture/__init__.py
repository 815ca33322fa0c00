"""A function of a user, captured as a graph and judged as engines are."""

from gradverify.capture.call_libraries import call_of
from gradverify.capture.captured import Captured, NotCaptured, SourceLine
from gradverify.capture.function_call import Argument, FunctionCall, Pull, Refused
from gradverify.capture.function_check import (
    FunctionFinding,
    FunctionOptions,
    FunctionResult,
    check_function,
    modes_of,
)

__all__ = [
    "Argument",
    "Captured",
    "FunctionCall",
    "FunctionFinding",
    "FunctionOptions",
    "FunctionResult",
    "NotCaptured",
    "Pull",
    "Refused",
    "SourceLine",
    "call_of",
    "check_function",
    "modes_of",
]
