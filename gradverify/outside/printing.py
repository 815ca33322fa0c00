"""Text on its way out: it gives a terminal no commands, and every encoding can show it.

Text of strangers (exceptions, names of files, records) is made visible: its control
characters are spelled out. Signs of ours that an encoding lacks, such as ∂ on a pipe of
Windows, have stand-ins in ASCII.
"""

from __future__ import annotations

import codecs
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

# ruff: noqa: RUF001
# fmt: off
STAND_INS = {
    "∂": "d", "∇": "grad ", "·": "*", "×": "x", "÷": "/", "−": "-", "±": "+-",
    "≠": "!=", "≈": "~", "≤": "<=", "≥": ">=", "∞": "inf", "√": "sqrt", "Σ": "sum",
    "→": "->", "←": "<-", "…": "...", "–": "-", "—": "-", "‘": "'", "’": "'",
    "“": '"', "”": '"', "✗": "x", "✓": "v", "△": "^", "∧": "^", "²": "^2", "³": "^3",
}
# fmt: on

HANDLER = "gradverify.stand-in"


def visible(text: str) -> str:
    """Text in one line, with control characters spelled out."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def visible_lines(text: str) -> str:
    """The same line by line: ends of lines and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """An error handler of codecs: stand-ins for what cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text, raised = "", False
    for c in error.object[error.start : error.end]:
        is_raised = unicodedata.decomposition(c).startswith("<super>")
        if c in STAND_INS:
            text += STAND_INS[c]
        elif is_raised:
            digit = unicodedata.normalize("NFKD", c).replace("−", "-")
            text += digit if raised else f"^{digit}"
        else:
            text += _escaped(c)
        raised = is_raised
    return text, error.end


codecs.register_error(HANDLER, _stand_in)


def fitted(text: str, encoding: str | None) -> str:
    """Text with stand-ins for the signs that an encoding lacks."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, HANDLER).decode(encoding)


def for_terminal(text: str) -> str:
    """Lines that the terminal of this process can show, whoever wrote them."""
    out = sys.__stdout__
    return fitted(visible_lines(text), out.encoding if out else None)


@contextmanager
def every_sign() -> Iterator[None]:
    """Within, standard output and errors take every sign, whatever their encoding."""
    streams = [s for s in (sys.stdout, sys.stderr) if isinstance(s, TextIOWrapper)]
    before = [stream.errors or "strict" for stream in streams]
    for stream in streams:
        stream.reconfigure(errors=HANDLER)
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            if not stream.closed:
                stream.reconfigure(errors=errors)
