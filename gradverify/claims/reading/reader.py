"""From a file to its claims with their verdicts: all that `gradverify claims` does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gradverify.claims.code.statements import read_cell
from gradverify.claims.computation.file_program import NotUnderstood, understood
from gradverify.claims.judgement.verdicts import Claim
from gradverify.claims.meaning.states import states_of
from gradverify.claims.reading.code_claims import in_code, in_functions, in_print
from gradverify.claims.reading.open_file import OpenFile
from gradverify.claims.reading.text_claims import in_fragment
from gradverify.claims.sources.files import UnreadableError, cells_of, text_of
from gradverify.claims.sources.fragments import fragments


def read_claims(path: Path, text: str | None = None) -> list[Claim]:
    """The claims of a file; `UnreadableError` where it cannot be read.

    text: what it holds, where that is another than what is on the disk.
    """
    text = text_of(path) if text is None else text
    file = OpenFile(path.as_posix(), cells_of(path, text))
    try:
        with understood():
            return _claims(file)
    except NotUnderstood as error:
        raise UnreadableError(f"{path}: {error}") from error


def _claims(file: OpenFile) -> list[Claim]:
    """Every claim of a file, in order."""
    problems = list(_problems(file))
    found = [f for i, c in enumerate(file.cells) for f in fragments(i, c)]
    states = states_of(file.code, found)
    result = [c for f in found for c in in_fragment(file, f, states)]
    result += [*in_code(file), *in_functions(file), *in_print(file, found)]
    return sorted([*problems, *result], key=lambda c: (c.cell or 0, c.line))


def _problems(file: OpenFile) -> Iterator[Claim]:
    """Read the code; a cell that is none is not understood, which is said."""
    for index, cell in enumerate(file.cells):
        if cell.problem:
            yield file.not_understood(index, cell.line, cell.problem, cell.problem)
        elif cell.kind == "code":
            try:
                with understood():
                    read_cell(file.code, index, "\n" * (cell.line - 1) + cell.text)
            except NotUnderstood as error:
                yield file.not_understood(index, cell.line, "code", str(error))
