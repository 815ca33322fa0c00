"""PyTorch's further elementwise functions, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.differentiators.protocol import Rows, functions
from gradverify.differentiators.spelling.source_rows import Row, calls

# PyTorch's names, by module.
TORCH = (
    "ldexp copysign fmod remainder nan_to_num rad2deg deg2rad floor ceil trunc round "
    "lerp addcmul addcdiv"
)
SPECIAL = "xlogy xlog1py entr logit"
FUNCTIONAL = "softshrink hardshrink tanhshrink threshold hardsigmoid prelu"


def elementwise_rows() -> Rows:
    """The functions; the library is imported here."""
    import torch

    # fmt: off
    return {
        **functions(torch, TORCH),
        **functions(torch.special, SPECIAL),
        **functions(torch.nn.functional, FUNCTIONAL),
        "rrelu":       lambda x, least, most: torch.nn.functional.rrelu(x, least, most),
        "glu":         lambda x, axis: torch.nn.functional.glu(x, axis[0]),
        "softmin":     lambda x, axis: torch.nn.functional.softmin(x, axis[0]),
        "cbrt":        "PyTorch has no cube root",
        "ldexp":       lambda x, exponent: torch.ldexp(x, torch.tensor(exponent, device=x.device)),  # noqa: E501
        "heaviside":   "its derivative is not implemented in PyTorch",
        "float_power": lambda x, n: torch.float_power(x, n).to(x.dtype),
    }
    # fmt: on


def _ldexp(x: str, exponent: int) -> str:
    return f"torch.ldexp({x}, torch.tensor({exponent}, device={x}.device))"


ELEMENTWISE: Mapping[str, Row] = {
    **calls("torch", TORCH),
    **calls("torch.special", SPECIAL),
    **calls("F", FUNCTIONAL),
    "rrelu": lambda x, least, most: f"F.rrelu({x}, {least!r}, {most!r})",
    "glu": lambda x, axis: f"F.glu({x}, {axis[0]})",
    "softmin": lambda x, axis: f"F.softmin({x}, {axis[0]})",
    "ldexp": _ldexp,
    "float_power": lambda x, n: f"torch.float_power({x}, {n!r}).to({x}.dtype)",
}
