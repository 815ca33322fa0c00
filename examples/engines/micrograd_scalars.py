"""micrograd: scalars on a tape, of five operators and a relu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

import gradverify
from gradverify import Lowered, Pulled


@gradverify.register
class Micrograd(gradverify.Differentiator):
    """`micrograd.engine.Value`, whose numbers are Python floats."""

    name = "micrograd"
    accepts = gradverify.Accepts(ranks=range(1), data=False)
    table = gradverify.operators("neg add sub mul div power") | {
        "relu": lambda x: x.relu(),
    }

    @gradverify.mode("gradient")
    def reverse(self, function: Lowered, point: Sequence[float]) -> Pulled:
        """A new tape for every gradient, so that none is added to an old one."""
        from micrograd.engine import Value

        inputs = [Value(float(x)) for x in point]
        output = function(*inputs)
        output.backward()
        return Pulled(output.data, [x.grad for x in inputs])

    def versions(self) -> Mapping[str, str]:
        """The version of micrograd."""
        return {"micrograd": version("micrograd")}
