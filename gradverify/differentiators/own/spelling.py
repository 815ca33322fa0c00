"""Our own engines, in scripts; the library under test is gradverify itself."""

from __future__ import annotations

from gradverify.differentiators.spelling.by_class import ByTable
from gradverify.differentiators.spelling.source_rows import Spelling


def tape() -> Spelling:
    """Our tape."""
    return Spelling(
        head=lambda dtype: [
            "import numpy as np",
            "from gradverify.autodiff import Tape  # the engine is gradverify's own",
            "",
            "tape = Tape()",
            "op = tape.table",
        ],
        array=lambda text: f"tape.variable({text})",
        data=lambda text: f'op["data"]({text})',
        rows=ByTable(),
        tails={
            "reverse": lambda names: [
                f"value = function({', '.join(names)})",
                f"got = tape.gradient(value, [{', '.join(names)}])",
                "value = value.primal",
            ]
        },
    )


def dual() -> Spelling:
    """Our dual numbers, one run for each entry of each input."""
    return Spelling(
        head=lambda dtype: [
            "import numpy as np",
            "from gradverify.autodiff import Dual  # the engine is gradverify's own",
            "",
            "op = Dual.table",
        ],
        array=lambda text: text,
        data=lambda text: f'op["data"]({text})',
        rows=ByTable(),
        tails={
            "forward": lambda names: [
                f"point = [{', '.join(names)}]",
                "got = []",
                "for k, x in enumerate(point):",
                "    slopes = []",
                "    for i in range(x.size):",
                "        units = [np.zeros((1, *y.shape), y.dtype) for y in point]",
                "        units[k].reshape(-1)[i] = 1.0",
                "        y = function(*map(Dual, point, units))",
                "        follows = isinstance(y, Dual)",
                "        slopes.append(float(y.tangent[0]) if follows else 0.0)",
                "    got.append(slopes)",
                "    value = y.primal if follows else y",
            ]
        },
    )
