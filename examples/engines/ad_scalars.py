"""ad: scalars in forward mode, which carry all their first derivatives along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version

import gradverify
from gradverify import Lowered, Pulled, Rows


@gradverify.register
class Ad(gradverify.Differentiator):
    """`ad.adnumber` and the functions of `ad.admath`."""

    name = "ad"
    accepts = gradverify.Accepts(ranks=range(1), data=False)

    @cached_property
    def table(self) -> Rows:
        """Python's operators, and what `ad.admath` has of Python's own `math`."""
        from ad import admath

        return (
            gradverify.operators("neg add sub mul div pow power abs")
            | gradverify.functions(
                admath, "exp expm1 log log10 log1p sqrt sin cos tan asin acos atan"
            )
            | gradverify.functions(
                admath, "sinh cosh tanh asinh acosh atanh hypot atan2 erf erfc lgamma"
            )
        )

    @gradverify.mode("gradient")
    def forward(self, function: Lowered, point: Sequence[float]) -> Pulled:
        """All partial derivatives in one pass."""
        from ad import ADF, adnumber

        inputs = [adnumber(float(x)) for x in point]
        output = function(*inputs)
        if not isinstance(output, ADF):
            return Pulled(output, [None] * len(inputs))
        return Pulled(output.x, [output.d(x) for x in inputs])

    def versions(self) -> Mapping[str, str]:
        """The version of ad."""
        return {"ad": version("ad")}
