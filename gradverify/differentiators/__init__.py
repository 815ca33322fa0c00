"""What is judged: one file for each differentiator, and how one is run."""

from gradverify.differentiators.derivatives import Derivatives
from gradverify.differentiators.handshake import Greeting, greeting, handshake
from gradverify.differentiators.isolation import close_all, foresee
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
    register,
    registered,
)
from gradverify.differentiators.run import (
    given_time,
    modes,
    questions,
    run,
    unsupported,
)
from gradverify.differentiators.trial import (
    Trial,
    is_trusted,
    keep_apart,
    present,
    tried_out,
)

__all__ = [
    "Accepts",
    "Derivatives",
    "Differentiator",
    "Greeting",
    "Lowered",
    "Misuse",
    "Pulled",
    "Pushed",
    "Rows",
    "Trial",
    "close_all",
    "foresee",
    "functions",
    "given_time",
    "greeting",
    "handshake",
    "is_trusted",
    "keep_apart",
    "known_names",
    "load",
    "mode",
    "modes",
    "operators",
    "present",
    "questions",
    "register",
    "registered",
    "run",
    "tried_out",
    "unsupported",
]
