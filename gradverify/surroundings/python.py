"""What is global in Python itself and in its standard library."""

from __future__ import annotations

import builtins
import gc
import locale
import math
import os
import signal
import sys
import threading
from contextlib import suppress
from operator import attrgetter
from typing import Any

from gradverify.surroundings import floating
from gradverify.surroundings.setting import (
    Setting,
    Value,
    fixed,
    functions_of,
    never,
)

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

DEPTH = 1000  # frames; Python's own default
# of the time of import: our own files are found by it
_PATH = tuple(place for place in sys.path if isinstance(place, str))
_MATH = dict(vars(math))
_BUILT_IN = {k: f for k, f in vars(builtins).items() if callable(f)}
_LIMITED = (
    (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)
    if resource
    else ()
)
_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGCHLD")
    if hasattr(signal, name)
)
_DECIMAL = attrgetter("prec", "rounding", "Emin", "Emax", "capitals", "clamp")


def _set_depth(python: Any, depth: int) -> None:
    with suppress(RecursionError):  # we are deeper already
        sys.setrecursionlimit(depth)


def _set_mode(python: Any, mode: bytes | None) -> None:
    floating.set_mode(mode)


def _set_math(python: Any, functions: dict[str, Any]) -> None:
    for added in vars(math).keys() - functions.keys():
        delattr(math, added)
    vars(math).update(functions)


def _set_built_in(python: Any, functions: dict[str, Any]) -> None:
    vars(builtins).update(functions)


def _mask(python: Any) -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _limits(python: Any) -> tuple[tuple[int, int], ...]:
    return tuple(map(resource.getrlimit, _LIMITED)) if resource else ()


def _set_limits(python: Any, limits: tuple[tuple[int, int], ...]) -> None:
    for what, (soft, hard) in zip(_LIMITED, limits, strict=True):
        with suppress(ValueError, OSError):  # who may not raise what is lowered
            resource.setrlimit(what, (soft, hard))
            continue
        now = resource.getrlimit(what)[1]
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (now, now))


def _tracing(python: Any) -> tuple[Any, Any]:
    return sys.gettrace(), sys.getprofile()


def _set_tracing(python: Any, functions: tuple[Any, Any]) -> None:
    sys.settrace(functions[0])
    sys.setprofile(functions[1])


def _folder(python: Any) -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


def _set_folder(python: Any, folder: str | None) -> None:
    if folder is not None:
        with suppress(OSError):
            os.chdir(folder)


def _set_path(python: Any, path: tuple[Any, ...]) -> None:
    sys.path[:] = path


def _completed(path: tuple[Any, ...]) -> tuple[str, ...]:
    read = [place for place in path if isinstance(place, str)]  # as imports do
    return (*read, *(place for place in _PATH if place not in read))


def _set_collecting(python: Any, enabled: bool) -> None:
    gc.enable() if enabled else gc.disable()


def _numbers(python: Any) -> str:
    return locale.setlocale(locale.LC_NUMERIC)


def _set_numbers(python: Any, name: str) -> None:
    locale.setlocale(locale.LC_NUMERIC, name)


def _handlers(python: Any) -> tuple[Any, ...]:
    return tuple(map(signal.getsignal, _SIGNALS))


def _set_handlers(python: Any, handlers: tuple[Any, ...]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in zip(_SIGNALS, handlers, strict=True):
            if handler is not None:  # one that C code has set
                signal.signal(number, handler)


def _blocked(python: Any) -> set[Any]:
    return signal.pthread_sigmask(signal.SIG_BLOCK, ()) if os.name == "posix" else set()


def _set_blocked(python: Any, signals: set[Any]) -> None:
    if os.name == "posix":
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)


def _hooks(python: Any) -> tuple[Any, ...]:
    return sys.excepthook, sys.unraisablehook, threading.excepthook


def _set_hooks(python: Any, hooks: tuple[Any, ...]) -> None:
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


def _set_environment(python: Any, variables: dict[str, str]) -> None:
    os.environ.update(variables)  # what a library adds as it is loaded may stay


def _decimal(decimal: Any) -> Value:
    context = decimal.getcontext()
    return (*_DECIMAL(context), *context.traps.values())


def _set_decimal(decimal: Any, value: Value) -> None:
    context = decimal.Context(*value[:6])
    context.traps.update(zip(context.traps, value[6:], strict=True))
    decimal.setcontext(context)


_DECIMAL_USUAL = (28, "ROUND_HALF_EVEN", -999999, 999999, 1, 0,
                  True, False, True, True, *(False,) * 5)  # fmt: skip

# fmt: off
PYTHON = (
    # first, and last when it is put back, since all the others need room
    Setting("the recursion limit", "",
            lambda python: sys.getrecursionlimit(), _set_depth,
            ours=lambda host: max(host, DEPTH), for_engines=False),
    Setting("the floating-point mode", "", lambda python: floating.mode(), _set_mode,
            ours=fixed(None), for_engines=False),
    Setting("the functions of math", "", lambda python: dict(vars(math)), _set_math,
            ours=lambda host: host | _MATH, for_engines=False),
    Setting("the built-in functions", "", lambda python: dict(vars(builtins)),
            _set_built_in, ours=lambda host: host | _BUILT_IN, in_calls=False),
    Setting("the functions of json", "json", *functions_of("dumps", "loads")),
    Setting("the clocks of time", "time",
            *functions_of("time", "monotonic", "perf_counter", "process_time")),
    Setting("tracing", "", _tracing, _set_tracing),
    Setting("the mask of new files", "", _mask, lambda python, mask: os.umask(mask)),
    Setting("the limits of the process", "", _limits, _set_limits),
    Setting("the folder", "", _folder, _set_folder),
    Setting("sys.path", "", lambda python: tuple(sys.path), _set_path, ours=_completed),
    Setting("the garbage collector", "", lambda python: gc.isenabled(), _set_collecting,
            ours=fixed(True)),
    Setting("the locale of numbers", "", _numbers, _set_numbers, ours=fixed("C")),
    Setting("the handlers of signals", "", _handlers, _set_handlers, in_calls=False),
    Setting("the signals that are blocked", "", _blocked, _set_blocked, in_calls=False),
    Setting("the hooks for exceptions", "", _hooks, _set_hooks, in_calls=False),
    Setting("the environment", "", lambda python: dict(os.environ), _set_environment,
            in_calls=False),
    Setting("decimal's context", "decimal", _decimal, _set_decimal,
            ours=fixed(_DECIMAL_USUAL)),
    Setting("the state of random", "random",
            lambda random: random.getstate(),
            lambda random, state: random.setstate(state), in_calls=False, same=never),
)
# fmt: on
