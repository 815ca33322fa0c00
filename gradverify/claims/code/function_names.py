"""What libraries call the functions of the op table."""

from __future__ import annotations

from gradverify.ops import OPS

# fmt: off
ALIASES = {
    "ln": "log", "fabs": "abs", "absolute": "abs", "expit": "sigmoid",
    "max": "maximum", "dot": "matmul", "power": "pow", "negative": "neg",
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
}
# fmt: on

FUNCTIONS = {name: name for name in OPS.public() if name != "where"} | ALIASES
