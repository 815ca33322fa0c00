"""From a file to its claims with their verdicts: all that `gradverify claims` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gradverify.claims.code.statements import read_cell
from gradverify.claims.code.uncalled import call_unused
from gradverify.claims.computation.file_program import NotUnderstood, understood
from gradverify.claims.judgement.claim_record import Claim
from gradverify.claims.judgement.judge import judged
from gradverify.claims.judgement.read_claim import ReadClaim
from gradverify.claims.meaning.states import states_of
from gradverify.claims.reading.code_claims import in_code, in_functions, in_print
from gradverify.claims.reading.open_file import OpenFile
from gradverify.claims.reading.text_claims import in_text
from gradverify.claims.sources.files import UnreadableError, cells_of, text_of
from gradverify.claims.sources.fragments import fragments
from gradverify.surroundings import surrounded


@surrounded
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
    file.code.program.count_anew()
    with suppress(NotUnderstood):
        call_unused(file.code)
    file.code.program.count_anew()
    found = [f for i, c in enumerate(file.cells) for f in fragments(i, c)]
    states = states_of(file.code, found)
    result = [c for r in states.readings for c in in_text(file, r, states)]
    result += [*in_code(file), *in_functions(file), *in_print(file, found)]
    in_order = sorted([*problems, *result], key=lambda f: (f.cell, f.line))
    return judged(file.name, [cell.number for cell in file.cells], in_order)


def _problems(file: OpenFile) -> Iterator[ReadClaim]:
    """Read the code; a cell that is none is not understood, which is said."""
    for index, cell in enumerate(file.cells):
        if cell.problem:
            yield ReadClaim(index, cell.line, cell.problem, reason=cell.problem)
        elif cell.kind == "code":
            try:
                with understood():
                    read_cell(file.code, index, "\n" * (cell.line - 1) + cell.text)
            except NotUnderstood as error:
                yield ReadClaim(index, cell.line, "code", reason=str(error))
