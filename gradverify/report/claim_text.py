"""Claims about derivatives as records, and as text for the terminal and for other
programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradverify.outside.printing import visible
from gradverify.records import Claim
from gradverify.report.commands import command

SHOWN = 200  # characters of a chain or a number
ANNOTATIONS = 10  # GitHub shows no more for one step


def place(claim: Claim) -> str:
    """`notes.md:12`, or `lecture.ipynb:cell 3:2`."""
    cell = "" if claim.cell is None else f"cell {claim.cell}:"
    return f"{visible(claim.file)}:{cell}{claim.line}"


def chain(claim: Claim) -> str:
    """The chain on one line, with ≠ in place of the first wrong equality."""
    text = claim.chain[0] if claim.chain else claim.text
    for k, member in enumerate(claim.chain[1:]):
        text += f" {'≠' if k == claim.step else '='} {member}"
    return _short(text)


def _short(text: str) -> str:
    text = visible(text)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def lines(claim: Claim) -> Iterator[str]:
    """A claim as a few lines: where, the chain, what is wrong, what it should be."""
    reason = f": {visible(claim.reason)}" if claim.reason else ""
    yield f"{place(claim)}: {claim.verdict}{reason}"
    yield f"    {chain(claim)}"
    if claim.verdict not in ("wrong", "unsure"):
        return
    if claim.exact:
        yield f"    claimed    {_short(claim.claimed)}"
        yield f"    exact      {_short(claim.exact)}"
    if claim.cause:
        yield f"    cause      {_short(claim.cause)}"
    if claim.corrected:
        yield f"    correct    {_short(claim.corrected)}"


KINDS = (
    "chains such as ∂L/∂w = 2x = 6 or f'(x) = 2x in texts and comments; gradients in "
    "code such as dw, w_grad, dL_dw, self.dW, grads['W']; functions such as f_prime "
    "beside f; gradients printed in outputs"
)


def nothing_found(file: str, nearest: Sequence[tuple[int, str]]) -> Iterator[str]:
    """What a user is told of a file in which no claim was found."""
    yield f"{file}: no claim found; read are {KINDS}"
    for line, text in nearest:
        yield f"    line {line} speaks of a derivative: {_short(text)}"


def counted(claims: Sequence[Claim], files: int) -> str:
    """How many claims there are of each verdict."""
    numbers = ", ".join(
        f"{sum(c.verdict == v for c in claims)} {v}"
        for v in ("right", "wrong", "unsure", "not understood")
    )
    return f"{files} file{'s' * (files != 1)}: {numbers}"


def sentence(claim: Claim) -> str:
    """A wrong claim in one line."""
    cell = "" if claim.cell is None else f"cell {claim.cell}, line {claim.line}: "
    exact = f"; exact: {claim.exact}" if claim.exact else ""
    cause = f" ({claim.cause})" if claim.cause else ""
    return _short(f"{cell}{chain(claim)}{exact}{cause}")


# ---- for other programs


def error_lines(claims: Sequence[Claim]) -> Iterator[str]:
    """Wrong claims as GitHub reads them from a log.

    In a notebook, lines count within cells.
    """
    wrong = [c for c in claims if c.verdict == "wrong"]
    for claim in wrong[:ANNOTATIONS]:
        line = {} if claim.cell is not None else {"line": claim.line}
        yield command(sentence(claim), file=claim.file, **line, title="gradverify")
