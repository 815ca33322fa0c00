"""Known deviations of released libraries: listed with a reason and a witness."""

from gradverify.known.condition import (
    COTANGENT,
    VALUE,
    Condition,
    OperandFormula,
    operand_names,
    operands_of,
)
from gradverify.known.match import (
    OF_NUMBERS,
    applies,
    is_expired,
    is_within,
    largest,
    matches,
    matches_whole,
    size_of,
)
from gradverify.known.rows import (
    FILE_NAME,
    WHOLE,
    Deviation,
    DeviationError,
    Size,
    all_rows,
    read_rows,
    read_size,
    shipped_rows,
)
from gradverify.known.writer import append_rows

__all__ = [
    "COTANGENT",
    "FILE_NAME",
    "OF_NUMBERS",
    "VALUE",
    "WHOLE",
    "Condition",
    "Deviation",
    "DeviationError",
    "OperandFormula",
    "Size",
    "all_rows",
    "append_rows",
    "applies",
    "is_expired",
    "is_within",
    "largest",
    "matches",
    "matches_whole",
    "operand_names",
    "operands_of",
    "read_rows",
    "read_size",
    "shipped_rows",
    "size_of",
]
