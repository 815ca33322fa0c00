"""From a file to its cells: code, text, and stored outputs, each with its line.

Scripts, notebooks, Markdown and LaTeX; files are read as text, within limits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE_BYTES = 32_000_000
CELL_CHARACTERS = 400_000
CELLS = 5_000

SUFFIXES = (".py", ".ipynb", ".md", ".markdown", ".tex", ".txt", ".rst")


class UnreadableError(ValueError):
    """A file that cannot be read as what its name says; the text says why."""


@dataclass(frozen=True)
class Cell:
    """A piece of a file.

    kind: code, text, or tex. number: of a notebook's cell, from 1; None elsewhere.
    line: the line of the file or cell that it starts in, from 1. outputs: stored ones.
    count: the execution count. problem: why the cell is not read.
    """

    kind: str
    text: str
    line: int = 1
    number: int | None = None
    outputs: tuple[str, ...] = ()
    count: int | None = None
    problem: str = ""


def files_in(base: Path, word: str) -> Iterator[Path]:
    """The files that a word names: one file, those within a folder, or of a glob."""
    path = base / word
    if path.is_file():
        yield path
        return
    if path.is_dir():
        found = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
    elif Path(word).is_absolute() or not set("*?[") & set(word):
        return
    else:
        found = (p for p in base.glob(word) if p.is_file())
    for inside in sorted(found):
        parts = inside.relative_to(base).parts if inside.is_relative_to(base) else ()
        if not any(p.startswith(".") or p == "__pycache__" for p in parts):
            yield inside


def text_of(path: Path) -> str:
    """The text of a file; `UnreadableError` names what is wrong with it."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnreadableError(
            f"{path}: files end in {', '.join(SUFFIXES)}, not {suffix or 'nothing'}"
        )
    return _text_of(path)


def cells_of(path: Path, text: str) -> tuple[Cell, ...]:
    """The cells of a file's text; `UnreadableError` where it is no such file."""
    suffix = path.suffix.lower()
    if suffix == ".ipynb":
        return tuple(_limited(cell) for cell in _notebook(path, text))
    if suffix == ".py":
        return (_limited(Cell("code", text)),)
    if suffix == ".tex":
        return (_limited(Cell("tex", text)),)
    return tuple(_limited(cell) for cell in _markdown(text))


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_BYTES:
            raise UnreadableError(
                f"{path}: over {FILE_BYTES} bytes; allowed: up to that"
            )
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path}: is no UTF-8 text ({error.reason})") from error


def _limited(cell: Cell) -> Cell:
    if len(cell.text) <= CELL_CHARACTERS:
        return cell
    problem = f"the cell has {len(cell.text)} characters; allowed: {CELL_CHARACTERS}"
    return Cell(cell.kind, "", cell.line, cell.number, problem=problem)


# ---- Markdown

FENCE = re.compile(r"^ {0,3}(```+|~~~+)\s*\{?\.?(\w*)")


def _markdown(text: str) -> Iterator[Cell]:
    """Text, and the code within fences that say that they are Python."""
    kind, fence, start, lines = "text", "", 1, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        found = FENCE.match(line)
        opens = found is not None and not fence
        closes = found is not None and bool(fence) and found[1].startswith(fence)
        if not (opens or closes):
            lines.append(line)
            continue
        assert found is not None
        yield Cell(kind, "\n".join(lines), start)
        lines, start = [], number + 1
        fence = found[1] if opens else ""
        language = found[2].lower() if opens else ""
        python = language in ("python", "py", "python3", "pycon")
        kind = "text" if closes else "code" if python else "other"
    yield Cell(kind, "\n".join(lines), start)


# ---- notebooks


def _notebook(path: Path, text: str) -> Iterator[Cell]:
    """The cells of a notebook; older formats are brought to version 4 by nbformat."""
    try:
        book = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{path}: is no notebook ({str(error)[:80]})") from error
    if isinstance(book, dict) and book.get("nbformat") in (1, 2, 3):
        book = _upgraded(path, text)
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list):
        raise UnreadableError(f"{path}: is no notebook (it has no list of cells)")
    if len(cells) > CELLS:
        raise UnreadableError(f"{path}: {len(cells)} cells; allowed: up to {CELLS}")
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict):
            yield _cell(number, cell)


def _upgraded(path: Path, text: str) -> Any:
    try:
        import nbformat
    except ImportError:
        raise UnreadableError(
            f'{path}: notebooks before version 4 need pip install "gradverify[claims]"'
        ) from None
    try:
        return dict(nbformat.reads(text, as_version=4))  # type: ignore[no-untyped-call]
    except Exception as error:  # whatever a broken file makes it raise
        raise UnreadableError(f"{path}: is no notebook ({str(error)[:80]})") from error


def _cell(number: int, cell: Mapping[str, Any]) -> Cell:
    kinds = {"code": "code", "markdown": "text"}
    kind = kinds.get(str(cell.get("cell_type")), "other")
    outputs = cell.get("outputs") if kind == "code" else None
    found = tuple(_output(o) for o in outputs) if isinstance(outputs, list) else ()
    count = cell.get("execution_count")
    text = _joined(cell.get("source"))
    return Cell(
        kind,
        _without_magic(text) if kind == "code" else text,
        number=number,
        outputs=tuple(o for o in found if o)[:100],
        count=count if type(count) is int else None,
    )


def _joined(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "".join(value)
    return ""


def _output(output: Any) -> str:
    """The plain text of a stored output; nothing for pictures and errors."""
    if not isinstance(output, dict):
        return ""
    text = output.get("text")
    if text is None and isinstance(output.get("data"), dict):
        text = output["data"].get("text/plain")
    return _joined(text)[:CELL_CHARACTERS]


MAGIC = re.compile(r"\s*[%!?]|(?!\s*#).*\?\s*$")


def _without_magic(text: str) -> str:
    """Lines for the notebook alone (%, !, ?) emptied, so that the rest is Python."""
    return "\n".join("" if MAGIC.match(line) else line for line in text.split("\n"))
