"""What is global in the process, and whose it is: the host's, an engine's, ours."""

from gradverify.surroundings.entering import (
    SETTINGS,
    Surroundings,
    built_in,
    engine_call,
    forget,
    remember,
    surrounded,
)

__all__ = [
    "SETTINGS",
    "Surroundings",
    "built_in",
    "engine_call",
    "forget",
    "remember",
    "surrounded",
]
