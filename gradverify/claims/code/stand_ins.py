"""Functions and objects that a file is given from elsewhere: what may stand for them.

A layer may be made with an activation that is called or asked for its slope:
`self.activation(z)`, `self.activation.gradient(z)`. The file does not hold it. A smooth
function stands for it, and what its slope gives is supposed: nothing that rests on that
is called wrong. Some take the slope at the input, and some at the output.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from gradverify.claims.computation.bindings import StandIn

VALUES = ("__call__", "forward", "activate", "activation", "fn", "f", "function",
          "call", "func", "compute", "apply", "evaluate", "loss")  # fmt: skip
SLOPES = ("gradient", "grad", "derivative", "deriv", "prime", "df", "derivate", "d",
          "activation_prime", "activation_gradient", "diff", "gradient_of",
          "loss_prime", "loss_gradient")  # fmt: skip
BACKWARD = "backward"
SLOPE = re.compile(r"(?i)d_?act\w*|\w*(?:prime|deriv|grad|ableitung|slope)\w*")
LOSS = re.compile(r"(?i)\w*(?:loss|cost|criterion|objective)\w*")

# fmt: off
VALUE = "def {name}(self, x):\n  self.x = x\n  return {op}(x)"
AT_INPUT = "def {name}(self, x):\n  return {op}_ableitung(x)"
AT_OUTPUT = "def {name}(self, y):\n  return 1 - y ** 2"
PASS = "def {name}(self, above):\n  return above * {op}_ableitung(self.x)"
OF_TWO = "def {name}(self, a, b):\n  return np.sum((a - b) ** 2) / 2"
SLOPE_OF_TWO = "def {name}(self, a, b):\n  return b - a"
# fmt: on


def stand_ins(name: str) -> Iterator[StandIn]:
    """What may stand for an operand of that name, which is called."""
    is_slope = SLOPE.fullmatch(name) is not None
    if LOSS.fullmatch(name):
        yield _made(SLOPE_OF_TWO if is_slope else OF_TWO, SLOPE_OF_TWO, is_slope)
        return
    for slope in (AT_INPUT, AT_OUTPUT):
        yield _made(slope if is_slope else VALUE, slope, is_slope)


OF_LAYERS = frozenset({"sigmoid", "tanh", "relu"})  # whose slopes have names


def of_layer(op: str) -> StandIn:
    """An activation of a library or of another file, with methods for its slope."""
    return _made(VALUE, AT_INPUT, is_slope=False, op=op)


def _made(value: str, slope: str, is_slope: bool, op: str = "tanh") -> StandIn:
    """is_slope: whether what it gives when it is called is a slope already."""
    supposed = (*SLOPES, BACKWARD, *(VALUES if is_slope else ()))
    return StandIn(_kind(value, slope, op), {}, frozenset(supposed))


@cache
def _kind(value: str, slope: str, op: str) -> ast.ClassDef:
    rows = [(value, VALUES), (slope, SLOPES), (PASS, (BACKWARD,))]
    body = [
        part
        for text, names in rows
        for name in names
        for part in ast.parse(text.format(name=name, op=op)).body
    ]
    empty = ast.parse("class StandIn:\n  pass").body[0]
    assert isinstance(empty, ast.ClassDef)
    empty.body = body
    return empty


def is_asked(method: str) -> bool:
    """Whether what stands for an operand has this method."""
    return method in VALUES or method in SLOPES or method == BACKWARD
