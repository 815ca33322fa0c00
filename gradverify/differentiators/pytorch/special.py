"""PyTorch's special functions, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradverify.differentiators.protocol import Rows, functions
from gradverify.differentiators.spelling.source_rows import Row, calls

# PyTorch's names in torch.special.
SPECIAL = "sinc expit erfcx erfinv ndtr ndtri log_ndtr i0 i0e i1 i1e"

NOT_BY_A = "PyTorch has no derivative by a; gammainc and gammaincc have that by x"
CONSTANT = "PyTorch takes it for a constant, without an error"


def special_rows() -> Rows:
    """The functions; the library is imported here."""
    import torch

    special = torch.special
    # fmt: off
    return {
        **functions(special, SPECIAL),
        "polygamma":    lambda x, n: special.polygamma(n, x),
        "multigammaln": lambda x, d: special.multigammaln(x, d),
        "betaln":       lambda a, b: torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b),  # noqa: E501
        "beta":         lambda a, b: torch.exp(torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)),  # noqa: E501
        "gammainc":     lambda x, a: special.gammainc(_like(x, a), x),
        "gammaincc":    lambda x, a: special.gammaincc(_like(x, a), x),
        **dict.fromkeys(("igamma", "igammac"), NOT_BY_A),
        "betainc":      "PyTorch has no incomplete beta function",
        "zeta":         lambda x, s: special.zeta(_like(x, s), x),
        "spence":       "PyTorch has no dilogarithm",
        **dict.fromkeys(("j0", "j1", "y0", "y1", "k0", "k1"), CONSTANT),
    }
    # fmt: on


def _like(x: Any, value: float) -> Any:
    """A number in the dtype and on the device of x."""
    import torch

    return torch.tensor(value, dtype=x.dtype, device=x.device)


def _written(x: str, value: float) -> str:
    return f"torch.tensor({value!r}, dtype={x}.dtype, device={x}.device)"


BETALN = "torch.lgamma({0}) + torch.lgamma({1}) - torch.lgamma({0} + {1})"

SPELLED: Mapping[str, Row] = {
    **calls("torch.special", SPECIAL),
    "polygamma": lambda x, n: f"torch.special.polygamma({n}, {x})",
    "multigammaln": lambda x, d: f"torch.special.multigammaln({x}, {d})",
    "betaln": BETALN,
    "beta": f"torch.exp({BETALN})",
    "gammainc": lambda x, a: f"torch.special.gammainc({_written(x, a)}, {x})",
    "gammaincc": lambda x, a: f"torch.special.gammaincc({_written(x, a)}, {x})",
    "zeta": lambda x, s: f"torch.special.zeta({_written(x, s)}, {x})",
}
