"""What is judged: one file for each differentiator, and how one is run."""

from gradverify.differentiators.handshake import handshake
from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Misuse,
    Pulled,
    Pushed,
    Rows,
    functions,
    mode,
    operators,
)
from gradverify.differentiators.registry import (
    known_names,
    load,
    present,
    register,
    registered,
)
from gradverify.differentiators.run import Derivatives, modes, run, unsupported

__all__ = [
    "Accepts",
    "Derivatives",
    "Differentiator",
    "Lowered",
    "Misuse",
    "Pulled",
    "Pushed",
    "Rows",
    "functions",
    "handshake",
    "known_names",
    "load",
    "mode",
    "modes",
    "operators",
    "present",
    "register",
    "registered",
    "run",
    "unsupported",
]
