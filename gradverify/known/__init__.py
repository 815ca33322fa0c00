"""Known deviations of released libraries: listed with a reason and a witness."""

from gradverify.known.condition import COTANGENT, Condition, operand_names
from gradverify.known.match import (
    applies,
    is_expired,
    is_within,
    matches,
    matches_whole,
)
from gradverify.known.rows import (
    FILE_NAME,
    WHOLE,
    Deviation,
    DeviationError,
    Size,
    known_rows,
    read_rows,
    shipped_rows,
)
from gradverify.known.writer import append_rows

__all__ = [
    "COTANGENT",
    "FILE_NAME",
    "WHOLE",
    "Condition",
    "Deviation",
    "DeviationError",
    "Size",
    "append_rows",
    "applies",
    "is_expired",
    "is_within",
    "known_rows",
    "matches",
    "matches_whole",
    "operand_names",
    "read_rows",
    "shipped_rows",
]
