"""Where a file may speak of derivatives: comments, strings, text, formulas."""

from __future__ import annotations

import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gradverify.claims.claim_limits import SENTENCE_CHARACTERS
from gradverify.claims.sources.files import Cell
from gradverify.claims.sources.macros import expanded


@dataclass(frozen=True)
class Fragment:
    """A text that is searched for claims.

    line: of the cell or file, from 1. kind: comment, trailing, string, text, output.
    defines: whether its formulas may give names a meaning. lead: the words before it
    that its sentence begins with, where it is a formula of its own. section: which one
    of its cell it stands in, counted from 0; examples are sections of their own.
    """

    cell: int
    line: int
    text: str
    kind: str
    defines: bool = False
    lead: str = ""
    section: int = 0


def fragments(index: int, cell: Cell) -> Iterator[Fragment]:
    """The texts of a cell, in order."""
    if cell.kind == "code":
        yield from _in_code(index, cell)
    elif cell.kind in ("text", "tex"):
        yield from _with_leads(_in_sections(cell, _in_text(index, cell)))


# ---- code


def _in_code(index: int, cell: Cell) -> Iterator[Fragment]:
    """Comments, those on following lines together, and strings."""
    block: list[tuple[int, str]] = []
    for kind, line, text in _commented(cell.text):
        if kind == "comment" and block and line == block[-1][0] + 1:
            block.append((line, text))
            continue
        yield from _joined(index, cell, block)
        block = []
        if kind == "comment":
            block = [(line, text)]
        else:
            yield Fragment(index, line + cell.line - 1, text, kind, kind == "doc")
    yield from _joined(index, cell, block)


def _joined(index: int, cell: Cell, block: list[tuple[int, str]]) -> Iterator[Fragment]:
    if block:
        text = "\n".join(part for _, part in block)
        yield Fragment(index, block[0][0] + cell.line - 1, text, "comment")


def _commented(text: str) -> Iterator[tuple[str, int, str]]:
    """Kind, line and text of every comment and string."""
    last = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            line, column = token.start
            if token.type == tokenize.COMMENT:
                alone = not token.line[:column].strip()
                comment = re.sub(r"^#+:?", lambda m: " " * len(m[0]), token.string)
                yield "comment" if alone else "trailing", line, comment
            elif token.type == tokenize.STRING:
                kind = "doc" if last in ("", "\n") else "string"
                body = re.match(
                    r"(?i)([rbu]*)('''|\"\"\"|'|\")(.*)\2$", token.string, re.DOTALL
                )
                if body is not None:
                    yield kind, line, body[3]
            if token.type not in (tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
                last = (
                    token.string
                    if token.type not in (tokenize.NL, tokenize.NEWLINE)
                    else "\n"
                )
    except (tokenize.TokenError, SyntaxError, IndentationError, ValueError):
        return


# ---- text


HEADING = re.compile(
    r"^ {0,3}#{1,6} |\\(?:chapter|(?:sub){0,2}section|paragraph)\*?\s*[\[{]"
    r"|\\(?:begin|end)\{(?:example|exercise|exemple|beispiel|theorem|proof|problem"
    r"|solution|definition|remark|proposition|lemma|corollary)\w*\*?\}"
)


def _in_sections(cell: Cell, found: Iterator[Fragment]) -> Iterator[Fragment]:
    """Each fragment with the number of its section."""
    lines = cell.text.split("\n")
    starts = [i for i, line in enumerate(lines, cell.line) if HEADING.search(line)]
    for fragment in found:
        yield replace(fragment, section=bisect_right(starts, fragment.line))


def _with_leads(found: Iterator[Fragment]) -> Iterator[Fragment]:
    """Each fragment with the end of the one before it, if that ends no sentence."""
    last = ""
    for fragment in found:
        yield replace(fragment, lead=last)
        tail = re.split(r"[.!?](?:\s|$)", fragment.text)[-1].strip()
        goes_on = bool(tail) and (fragment.kind == "formula" or tail[-1] in ":,")
        whole = fragment.kind == "formula"
        last = (f"{last} {tail}" if whole and last else tail) if goes_on else ""
        last = last[-SENTENCE_CHARACTERS:]


DISPLAY = re.compile(
    r"\$\$(.+?)\$\$|\\\[(.+?)\\\]"
    r"|(\\begin\{(equation|align|gather|multline|eqnarray|alignat|flalign|displaymath)\*?\}.+?\\end\{\4\*?\})",
    re.DOTALL,
)
PICTURE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)|<img[^>\n]*>|<!--.*?-->", re.DOTALL)
LAYOUT = re.compile(r"<\|(\w+)\|>[^\n]*?<\|/\1\|>")  # of a page that was scanned
LINK = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
BREAK = re.compile(r"<br\s*/?>|</?[a-zA-Z][^>\n]*>")
BOLD = re.compile(r"(?<![\w)\]}*])(\*{2}|__)(?=\S)([^\n]+?)(?<=\S)\1(?![\w(])")
ITALIC = re.compile(r"(?<![\w)\]}*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w(*])")
START = re.compile(r"^(\s*)(#{1,6}\s|>\s?|[-*+]\s|\d+[.)]\s|\|)", re.MULTILINE)
RULE = re.compile(r"^[ \t|+:]*[-=_~*]{3,}[-=_~*|+: \t]*$", re.MULTILINE)  # under a head
COMMENT = re.compile(r"(?<!\\)%[^\n]*")
PARAGRAPH = re.compile(r"\n[ \t]*\n")


def _in_text(index: int, cell: Cell) -> Iterator[Fragment]:
    """Display formulas one by one, and the text between them."""
    text = COMMENT.sub("", cell.text) if cell.kind == "tex" else cell.text
    text = expanded(text) if "\\" in text else text
    place = 0
    for match in _displays(text):
        yield from _paragraphs(index, cell, text, place, match.start())
        body = match[1] or match[2] or match[3]
        line = cell.line + text.count("\n", 0, match.start(match.lastindex or 0))
        start = next(k for k in (1, 2, 3) if match[k] is not None)
        line = cell.line + text.count("\n", 0, match.start(start))
        yield Fragment(index, line, body, "formula", True)
        place = match.end()
    yield from _paragraphs(index, cell, text, place, len(text))


def _displays(text: str) -> Iterator[re.Match[str]]:
    """The display formulas.

    In `$a$$b$` two formulas of a sentence meet. What begins there would go on until the
    next display, over paragraphs and other formulas.
    """
    place = 0
    while match := DISPLAY.search(text, place):
        body = match[1] or ""
        if "$" in body and PARAGRAPH.search(body):
            place = match.start() + 2
            continue
        yield match
        place = match.end()


def _paragraphs(
    index: int, cell: Cell, text: str, start: int, end: int
) -> Iterator[Fragment]:
    first = cell.line + text.count("\n", 0, start)
    lines = _tidied(text[start:end]).split("\n")
    block: list[str] = []
    for number, line in enumerate([*lines, ""]):
        if line.strip():
            block.append(line)
        elif block:
            at = first + number - len(block)
            yield Fragment(index, at, "\n".join(block), "text", True)
            block = []


def _tidied(text: str) -> str:
    """Without pictures, links, marks of lists and headings, and emphasis."""
    text = PICTURE.sub(lambda m: " ; " + "\n" * m[0].count("\n"), text)
    text = LAYOUT.sub("", text)
    text = LINK.sub(r"\1", text)
    text = BREAK.sub(" ; ", text)
    text = RULE.sub(" ; ", text)
    text = START.sub(r"\1 ", text)
    text = BOLD.sub(r" \2 ", text)
    text = ITALIC.sub(r" \1 ", text)
    text = re.sub(
        r"(?m)^.*\|.*\|.*$",
        lambda m: m[0].replace("|", " ; ") if "_" not in m[0] else m[0],
        text,
    )
    return text
