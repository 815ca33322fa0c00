"""`gradverify ops`: what every op takes, where it has a kink, and what it computes."""

from __future__ import annotations

from gradverify.cli.output import say
from gradverify.cli.status import RIGHT
from gradverify.differentiators.examples import example_case
from gradverify.formats import DTYPES
from gradverify.ops import OPS
from gradverify.ops.row import Op
from gradverify.reference.gradient_program import gradient_program


def ops() -> int:
    """List the ops."""
    for row in OPS:
        if not row.internal:
            marks = [f"params {', '.join(row.params)}"] if row.params else []
            marks += ["kink"] if has_kink(row) else []
            marks += [] if row.is_primitive else ["expands into primitives"]
            spelled = f" ({row.operator})" if row.operator else ""
            count = f"{row.arity} operand" + ("s" if row.arity != 1 else "")
            say(f"{row.name + spelled:<14}  {', '.join([count, *marks])}")
            if row.formula:
                say(f"{'':<14}  {row.formula}")
    return RIGHT


def has_kink(row: Op) -> bool:
    """Whether the op, or the formula that it expands into, has two slopes somewhere.

    Such points are judged by both slopes, which may happen to agree, as those of
    softsign do at 0.
    """
    graph = example_case(row, DTYPES[0]).graph
    return bool(gradient_program(graph, DTYPES[0]).margins)
