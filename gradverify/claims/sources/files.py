"""From a file to its cells: code, text, and stored outputs, each with its line.

Scripts, notebooks, Markdown and LaTeX; files are read as text, within limits.
"""

from __future__ import annotations

import io
import json
import os
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradverify.claims.claim_limits import CELL_CHARACTERS, CELLS, FILE_BYTES
from gradverify.expressions import syntax_tree
from gradverify.outside.reading import read_bytes

SUFFIXES = (".py", ".ipynb", ".md", ".markdown", ".qmd", ".tex", ".txt", ".rst")


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
    if os.path.exists(path) and not os.path.isdir(path):
        yield path  # what is no file is refused where it is read
        return
    if os.path.isdir(path):
        found = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
    elif Path(word).is_absolute() or not set("*?[") & set(word):
        return
    else:
        found = (p for p in base.glob(word) if os.path.isfile(p))
    for inside in sorted(found):
        parts = inside.relative_to(base).parts if inside.is_relative_to(base) else ()
        if not any(p.startswith(".") or p == "__pycache__" for p in parts):
            yield inside


def text_of(path: Path) -> str:
    """The text of a file; `UnreadableError` names what is wrong with it."""
    suffix = path.suffix.lower()
    if not os.path.exists(path):
        raise UnreadableError(f"{path}: there is no such file or folder")
    if suffix not in SUFFIXES:
        raise UnreadableError(
            f"{path}: files end in {', '.join(SUFFIXES)}, not {suffix or 'nothing'}"
        )
    return _text_of(path)


def cells_of(path: Path, text: str) -> tuple[Cell, ...]:
    """The cells of a file's text; `UnreadableError` where it is no such file."""
    suffix, text = path.suffix.lower(), text.replace("\r\n", "\n")
    if suffix == ".ipynb":
        return tuple(_limited(cell) for cell in _notebook(path, text))
    if suffix == ".py":
        return (_limited(Cell("code", plain_python(text))),)
    if suffix == ".tex":
        return (_limited(Cell("tex", text)),)
    return tuple(_limited(cell) for cell in _markdown(text))


def _text_of(path: Path) -> str:
    try:
        content = read_bytes(path, FILE_BYTES)
        return content.decode(_encoding(path, content))
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        name = error.encoding.upper().replace("_", "-")
        raise UnreadableError(f"{path}: is no {name} text ({error.reason})") from error


def _encoding(path: Path, content: bytes) -> str:
    """UTF-8, or what a Python file declares in its first two lines (PEP 263)."""
    if path.suffix.lower() != ".py":
        return "utf-8-sig"
    try:
        return tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    except SyntaxError as error:
        raise UnreadableError(f"{path}: is no UTF-8 text ({error.msg})") from error


def _limited(cell: Cell) -> Cell:
    if len(cell.text) <= CELL_CHARACTERS:
        return cell
    problem = f"the cell has {len(cell.text)} characters; allowed: {CELL_CHARACTERS}"
    return Cell(cell.kind, "", cell.line, cell.number, problem=problem)


# ---- Markdown

FENCE = re.compile(r"^ {0,3}(```+|~~~+)\s*\{?\.?([\w-]*)")
PYTHON = frozenset({"python", "py", "python3", "pycon", "ipython", "code-cell"})
PROSE = frozenset({"", "text", "txt", "math", "latex", "tex"})


def _markdown(text: str) -> Iterator[Cell]:
    """Text, and the code within fences.

    A fence that names no language is code where it is Python, and text where not.
    """
    language, fence, start, lines = "", "", 1, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        found = FENCE.match(line)
        opens = found is not None and not fence
        closes = found is not None and bool(fence) and found[1].startswith(fence)
        if not (opens or closes):
            lines.append(line)
            continue
        assert found is not None
        yield _block(lines, start, language if fence else None)
        lines, start = [], number + 1
        fence = found[1] if opens else ""
        language = found[2].lower() if opens else ""
    yield _block(lines, start, language if fence else None)


def _block(lines: list[str], start: int, language: str | None) -> Cell:
    """A piece of Markdown; language: that of its fence, None outside of fences."""
    text = "\n".join(lines)
    if language is None:
        return Cell("text", text, start)
    if language in PYTHON:
        return Cell("code", plain_python(text), start)
    if language not in PROSE:
        return Cell("other", text, start)
    plain = plain_python(text)
    if not language and _is_python(plain):
        return Cell("code", plain, start)
    return Cell("text", text, start)


def _is_python(text: str) -> bool:
    try:
        syntax_tree(text, "exec")
    except SyntaxError:
        return False
    return True


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
        plain_python(text) if kind == "code" else text,
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


# ---- lines that are no Python

MAGIC = re.compile(r"\s*[%!?]|(?!\s*#).*\?\s*$")
PROMPT = re.compile(r"(\s*)(?:>>>|\.\.\.) ?")
OLD_PRINT = re.compile(r"(\s*)print\s+(?![(=.,+*/-])([^#]+?)\s*(#.*)?$")
OLD_PRINTS = re.compile(r"(?m)^([ \t]*)print[ \t]+(?![(=.,+*/-])[^\n]*[(\[{,][ \t]*$")


def plain_python(text: str) -> str:
    """Code without the marks of notebooks and doctests, and with Python 3's print.

    Lines for the notebook alone (%, !, ?) are emptied. Where prompts (`>>>`) are, the
    other lines are what was printed.
    """
    lines = _without_long_prints(text).split("\n")
    has_prompts = any(line.lstrip().startswith(">>>") for line in lines)
    if has_prompts and not _is_python("\n".join(lines)):  # and no doctest of a script
        lines = [
            PROMPT.sub(r"\1", line, count=1) if PROMPT.match(line) else ""
            for line in lines
        ]
    return "\n".join(
        "" if MAGIC.match(line) else OLD_PRINT.sub(r"\1print(\2)", line)
        for line in lines
    )


def _without_long_prints(text: str) -> str:
    """Python 2's print over several lines says nothing that is computed."""
    pieces, place = [], 0
    for match in OLD_PRINTS.finditer(text):
        if match.start() < place:
            continue
        end = match.end()
        while _depth(text[match.start() : end]) > 0 and end < len(text):
            following = text.find("\n", end + 1)
            end = len(text) if following < 0 else following
        lines = text.count("\n", match.start(), end)
        pieces += [text[place : match.start()], f"{match[1]}pass", "\n" * lines]
        place = end
    return "".join([*pieces, text[place:]])


def _depth(text: str) -> int:
    """How many brackets are open at the end of a text; those in strings aside."""
    plain = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "", text)
    return sum(plain.count(c) for c in "([{") - sum(plain.count(c) for c in ")]}")
