"""What an engine raised, as text, since its exceptions may be as hostile as it is."""

from __future__ import annotations

import re
import traceback

TEXT = 20_000  # characters that are kept of one text

# What PyTorch says by a RuntimeError of a rule that it does not have.
ABSENT = r"derivative for aten::\w+ is not implemented|vmap: we do not yet support"

# What says so by its kind. The last two are PyTorch's, of a shape or a branch that
# hangs on values, which a compiled graph cannot have.
MISSING = frozenset(
    {
        "NotImplementedError",
        "DataDependentOutputException",
        "DynamicOutputShapeException",
    }
)

FRAMES, TRACE = 12, 6_000  # calls and characters of a traceback


class Raised(Exception):
    """What an engine raised, its text read once; it can be raised again.

    kind: the name of its class. kinds: of its class and all that this is made of.
    detail: what else there is to read, such as the last words of a process.
    trace: the traceback, line by line.
    """

    def __init__(
        self,
        kind: str,
        text: str,
        kinds: tuple[str, ...] = (),
        detail: str = "",
        trace: str = "",
    ) -> None:
        super().__init__(text)
        self.kind, self.text, self.detail, self.trace = kind, text, detail, trace
        self.kinds = kinds or (kind,)

    def __str__(self) -> str:
        return self.text

    @property
    def is_missing(self) -> bool:
        """Whether the engine says that it has no such thing."""
        said = re.search(ABSENT, self.text) is not None
        return said or not MISSING.isdisjoint(self.kinds)


def raised_by(problem: BaseException) -> Raised:
    """The record of an exception. Never raises, whatever its methods do."""
    if isinstance(problem, Raised):
        return problem
    kinds = tuple(_name(kind) for kind in type(problem).__mro__)
    return Raised(kinds[0], told(problem), kinds, trace=_traceback(problem))


def _traceback(problem: BaseException) -> str:
    """Where it was raised; the innermost calls, if there are many."""
    try:
        lines = traceback.format_exception(problem, limit=-FRAMES, chain=False)
        return "".join(lines)[-TRACE:]
    except BaseException:
        return ""


def told(thing: object) -> str:
    """The text of an exception or a warning, also where `__str__` raises."""
    try:
        text = str(thing)
        # a class derived from str may go on misbehaving
        return str.__str__(text)[:TEXT]
    except BaseException as problem:
        return f"its text cannot be read: __str__ raised {_name(type(problem))}"


def is_hosts(problem: BaseException) -> bool:
    """Whether an exception is meant for the program that we run in.

    Of pytest's own that is a failure alone, by which plugins end a test in time. An
    engine that skips, or ends pytest with the status 0, would make a run green.
    """
    if isinstance(problem, KeyboardInterrupt):
        return True
    kinds = type(problem).__mro__
    # it gives itself out as a builtin, but its bases do not
    of_pytest = any(str(kind.__module__).startswith("_pytest.") for kind in kinds)
    return of_pytest and _name(kinds[0]) == "Failed"


def _name(kind: type) -> str:
    return type.__dict__["__name__"].__get__(kind)  # type: ignore[no-any-return]
