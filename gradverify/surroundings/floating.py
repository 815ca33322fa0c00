"""The processor's floating-point mode: how it rounds, and what it flushes to zero."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

_SIZE = 128  # bytes; no platform's environment is longer
_LEAST = 5e-324  # the smallest subnormal number
_BELOW = 2.0**-60  # of 1: rounding to nearest drops it


def is_usual(one: float = 1.0, least: float = _LEAST, below: float = _BELOW) -> bool:
    """Whether numbers round to the nearest one and subnormal numbers are kept.

    It is asked of the arithmetic itself, in a third of a microsecond; the numbers are
    arguments so that nobody works the sums out beforehand.
    """
    return (
        least * one != 0.0
        and one + below == one
        and one - below == one
        and -one - below == -one
    )


def mode() -> bytes | None:
    """None for the usual mode, else what `set_mode` takes to come back to this one."""
    if is_usual() or _LIBM is None:
        return None
    place = (ctypes.c_ubyte * _SIZE)()
    _LIBM.fegetenv(place)
    return bytes(place)


def set_mode(wanted: bytes | None) -> None:
    """The usual mode for None, else one that `mode` gave."""
    if _LIBM is None:
        return
    if wanted is None:
        _LIBM.fesetenv(_usual())
    else:
        _LIBM.fesetenv((ctypes.c_ubyte * _SIZE).from_buffer_copy(wanted))


def _usual() -> Any:
    """FE_DFL_ENV: a symbol on macOS, the address -1 elsewhere."""
    if sys.platform == "darwin":
        return ctypes.byref((ctypes.c_ubyte * _SIZE).in_dll(_LIBM, "_FE_DFL_ENV"))
    return ctypes.c_void_p(-1)


def _libm() -> Any:
    """The C library that sets the mode; None where there is none to be found."""
    if sys.platform == "win32":  # its environments are made in another way
        return None
    try:
        library: Any = ctypes.CDLL(None)
        library.fegetenv.argtypes = library.fesetenv.argtypes = [ctypes.c_void_p]
    except (OSError, AttributeError):
        return None
    return library


_LIBM = _libm()
