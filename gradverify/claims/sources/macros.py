"""LaTeX macros of a document put in the place of their names.

Definitions without parameters, or with parameters that are put in as they are: what
TeX could do beyond that is not followed. Line ends stay where they are.
"""

from __future__ import annotations

import re

from gradverify.claims.claim_limits import MACRO_CHARACTERS, MACRO_ROUNDS, MACROS

START = re.compile(
    r"\\(?:re|provide)?newcommand\*?\s*\{?\s*\\([A-Za-z]+)\s*\}?\s*(?:\[(\d)\])?\s*\{"
    r"|\\def\s*\\([A-Za-z]+)\s*\{"
    r"|\\DeclareMathOperator\*?\s*\{?\s*\\([A-Za-z]+)\s*\}?\s*\{"
)


def expanded(text: str) -> str:
    """The text with its own macros written out."""
    macros, text = _defined(text)
    if macros:
        text = _all(text, macros)
    return _with_derivatives(text) if DERIVATIVE.search(text) else text


def _all(text: str, macros: dict[str, tuple[int, str]]) -> str:
    name = re.compile(r"\\(" + "|".join(map(re.escape, macros)) + r")(?![A-Za-z])")
    for _ in range(MACRO_ROUNDS):
        if not name.search(text):
            break
        text = _once(text, macros, name)
    return text


def _defined(text: str) -> tuple[dict[str, tuple[int, str]], str]:
    """The macros, each with the number of its parameters; the text without them."""
    macros: dict[str, tuple[int, str]] = {}
    pieces, place = [], 0
    for match in START.finditer(text):
        end = closing(text, match.end() - 1)
        if match.start() < place or end is None or len(macros) == MACROS:
            continue
        body = text[match.end() : end]
        if len(body) <= MACRO_CHARACTERS:
            name = match[1] or match[3] or match[4]
            macros[name] = (int(match[2] or 0), " ".join(body.split()))
        pieces.append(text[place : match.start()])
        pieces.append("\n" * text.count("\n", match.start(), end + 1))
        place = end + 1
    return macros, "".join([*pieces, text[place:]])


def _once(text: str, macros: dict[str, tuple[int, str]], name: re.Pattern[str]) -> str:
    pieces, place = [], 0
    while match := name.search(text, place):
        count, body = macros[match[1]]
        end, operands = match.end(), list[str]()
        for _ in range(count):
            start = re.compile(r"\s*\{").match(text, end)
            close = None if start is None else closing(text, start.end() - 1)
            if start is None or close is None:
                break
            operands.append(text[start.end() : close])
            end = close + 1
        pieces.append(text[place : match.start()])
        for k, operand in enumerate(operands, 1):
            body = body.replace(f"#{k}", operand)
        pieces.append(f"{body} " if text[end : end + 1].isalpha() else body)
        place = end
    return "".join([*pieces, text[place:]])


# Derivatives as packages and courses spell them (physics, diffcoeff, commath, Ximera),
# and the sign that each of them writes.
SPELLINGS = {
    "dv": "d", "odv": "d", "diff": "d", "od": "d", "derivative": "d", "dd": "d",
    "ddx": "d", "ddt": "d", "pdv": "\\partial ", "diffp": "\\partial ",
    "pd": "\\partial ", "pp": "\\partial ", "partialderivative": "\\partial ",
}  # fmt: skip
DERIVATIVE = re.compile(
    r"\\(" + "|".join(sorted(SPELLINGS, key=len, reverse=True)) + r")(?![A-Za-z])\*?"
)
OPTION = re.compile(r"\s*\[([^\]\n]*)\]")
OPERAND = re.compile(r"\s*\{")


def _with_derivatives(text: str) -> str:
    """`\\dv{f}{x}`, `\\pdv[2]{f}{x}`, `\\pp[F]{x}` and `\\ddx` as fractions."""
    pieces, place = [], 0
    for match in DERIVATIVE.finditer(text):
        if match.start() < place:
            continue
        option, operands, end = _operands(text, match.end())
        found = _fraction(match[1], option, operands)
        if found is not None:
            pieces += [text[place : match.start()], found]
            place = end
    return "".join([*pieces, text[place:]])


def _operands(text: str, end: int) -> tuple[str, list[str], int]:
    """What stands in brackets and in up to three pairs of braces behind a macro."""
    option = OPTION.match(text, end)
    end = option.end() if option is not None else end
    operands: list[str] = []
    while len(operands) < 3:
        start = OPERAND.match(text, end)
        close = None if start is None else closing(text, start.end() - 1)
        if start is None or close is None:
            break
        operands.append(text[start.end() : close])
        end = close + 1
    return option[1] if option is not None else "", operands, end


def _fraction(name: str, option: str, operands: list[str]) -> str | None:
    """A fraction; None where the macro has another meaning, as physics' `\\dd{x}`."""
    sign = SPELLINGS[name]
    if name in ("ddx", "ddt"):
        rest = "".join(f"{{{o}}}" for o in operands)
        return f"\\frac{{d}}{{d{name[-1]}}}{rest}"
    if name in ("dd", "pp"):  # Ximera: what is differentiated stands in brackets
        if len(operands) != 1 or (name == "dd" and not option):
            return None
        return f"\\frac{{{sign}{option}}}{{{sign}{operands[0]}}}"
    power = f"^{option}" if option.isdigit() else ""
    match operands:
        case [by]:
            return f"\\frac{{{sign}{power}}}{{{sign}{by}{power}}}"
        case [of, by]:
            return f"\\frac{{{sign}{power} {of}}}{{{sign}{by}{power}}}"
        case [of, first, second]:
            return f"\\frac{{{sign}^2 {of}}}{{{sign}{first} {sign}{second}}}"
    return None


def closing(text: str, start: int) -> int | None:
    """The place of the brace that closes the one at `start`; None without one."""
    depth = 0
    for i in range(start, len(text)):
        if text[i] in "{}" and text[i - 1 : i] != "\\":
            depth += 1 if text[i] == "{" else -1
            if depth == 0:
                return i
    return None
