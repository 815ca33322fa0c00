"""Our own engines, in scripts; the library under test is gradverify itself."""

from __future__ import annotations

from gradverify.differentiators.own.tails import BY_DUALS, BY_TAPE
from gradverify.differentiators.spelling.by_class import ByTable
from gradverify.differentiators.spelling.source_rows import Spelling


def tape() -> Spelling:
    """Our tape."""
    return Spelling(
        head=lambda dtype: [
            "import numpy as np",
            "# the engine is gradverify's own",
            "from gradverify.autodiff import Dual, Tape, Variable, bare",
            "",
            "tape = Tape()",
            "op = tape.table",
        ],
        array=lambda text: f"tape.variable({text})",
        data=lambda text: f'op["data"]({text})',
        rows=ByTable(),
        tails=BY_TAPE,
    )


def dual() -> Spelling:
    """Our dual numbers, one run for each entry of each input where all are asked."""
    return Spelling(
        head=lambda dtype: [
            "import numpy as np",
            "# the engine is gradverify's own",
            "from gradverify.autodiff import Dual, bare",
            "",
            "op = Dual.table",
        ],
        array=lambda text: text,
        data=lambda text: f'op["data"]({text})',
        rows=ByTable(),
        tails=BY_DUALS,
    )
