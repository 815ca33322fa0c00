"""Workflow commands of GitHub Actions.

Their texts may come from strangers. No text can end its command.
"""

from __future__ import annotations

import unicodedata

TEXT = {ord(c): f"%{ord(c):02X}" for c in "%\r\n"}
PROPERTY = TEXT | {ord(c): f"%{ord(c):02X}" for c in ":,"}


def command(text: str, **properties: object) -> str:
    """An error on one line, with properties such as file, line and title.

    Line ends are escaped. Other invisible characters are left out.
    """
    given = ",".join(
        f"{name}={_seen(str(value)).translate(PROPERTY)}"
        for name, value in properties.items()
    )
    return f"::error {given}::{_seen(text).translate(TEXT)}"


def _seen(text: str) -> str:
    return "".join(c for c in text if c in "\r\n" or unicodedata.category(c)[0] != "C")
