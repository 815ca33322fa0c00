"""Numbers that a library printed: in stored outputs, and in comments beside code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.events import Displayed
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.numbers import printed_interval
from gradverify.claims.computation.point import Balls, ball
from gradverify.claims.sources.files import Cell
from gradverify.claims.sources.fragments import Fragment

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
MAKER = r"(?:tensor|array|Array|Tensor|DeviceArray|jnp\.array|np\.float(?:32|64))\(\s*"
SETTING = r"\s*,\s*(?:dtype|device|grad_fn|requires_grad|weak_type)=[^()\n]*"
VALUE = rf"(?:{MAKER})?(\[[-+\d\s.,eE\[\]]*\]|{NUMBER})(?:{SETTING})*\)?"
WORDS = (
    r"(?:expected|should be|prints|gives|is|ist|ergibt|liefert|soll|vaut|donne|affiche"
    r"|value)?"
)
COMMENT = re.compile(
    rf"\s*(?:->|=>|→|⇒|==|=|≈|:)?\s*{WORDS}\s*:?\s*{VALUE}\s*[.!✓]?\s*"
)
FIRST = re.compile(VALUE)
UNALIGNED = "the stored lines are not one for each print"
OUT_OF_ORDER = "the cells were not run in their order"
NO_NUMBER = "no number was found in the stored line"
GRAD = re.compile(rf"grad\s*=\s*({NUMBER})")


@dataclass(frozen=True, eq=False)
class Printed:
    """A derivative of the code beside what was printed of it."""

    shown: Displayed
    node: Symbol
    text: str
    value: Balls
    source: str
    problem: str = ""


def printed(
    program: FileProgram,
    cells: Sequence[Cell],
    shown: Sequence[Displayed],
    found: Sequence[Fragment],
) -> Iterator[Printed]:
    """Every derivative of which the file says what was printed."""
    comments = {(f.cell, f.line): f for f in found if f.kind == "trailing"}
    in_order = _in_order(cells)
    by_cell: dict[int, list[Displayed]] = {}
    for one in shown:
        by_cell.setdefault(one.cell, []).append(one)
        comment = comments.get((one.cell, one.last_line))
        if comment is not None and gradients(program, one.parts):
            yield from _in_comment(program, one, comment)
    for index, several in by_cell.items():
        if cells[index].outputs and any(gradients(program, s.parts) for s in several):
            yield from _in_outputs(program, cells[index], several, in_order[index])


def gradients(program: FileProgram, parts: Any) -> list[Symbol]:
    """The derivatives among what is printed, in order."""
    found = []
    for part in parts:
        if isinstance(part, tuple):
            found += gradients(program, part)
        elif isinstance(part, Symbol) and part.index in program.gradients:
            found.append(part)
    return found


def _in_order(cells: Sequence[Cell]) -> list[bool]:
    """Which cells were run after all those before them, as their counts say."""
    highest, result = 0, []
    for cell in cells:
        fits = cell.count is not None and cell.count > highest
        result.append(fits)
        highest = max(highest, cell.count or 0)
    return result


def _in_comment(
    program: FileProgram, one: Displayed, comment: Fragment
) -> Iterator[Printed]:
    nodes = gradients(program, one.parts)
    match = COMMENT.fullmatch(comment.text)
    if match is not None and len(nodes) == 1:
        yield _made(one, nodes[0], match[1], comment.text.strip())


def _in_outputs(
    program: FileProgram, cell: Cell, several: Sequence[Displayed], fits: bool
) -> Iterator[Printed]:
    """Statements that print, and the lines that were printed, one to one."""
    streams = "\n".join(o.rstrip("\n") for o in cell.outputs)
    prints = [s for s in several if s.is_print]
    last = several[-1]
    if not last.is_print and gradients(program, last.parts):
        yield from _line(program, last, cell.outputs[-1], fits)
    if not prints:
        return
    lines = streams.split("\n")
    if not last.is_print and len(lines) == len(prints) + 1:
        lines = lines[:-1]
    if len(lines) != len(prints):
        for one in prints:
            for node in gradients(program, one.parts):
                yield Printed(one, node, "", None, one.text, UNALIGNED)
        return
    for one, line in zip(prints, lines, strict=True):
        yield from _line(program, one, line, fits)


def _line(
    program: FileProgram, one: Displayed, line: str, fits: bool
) -> Iterator[Printed]:
    nodes = gradients(program, one.parts)
    if not nodes:
        return
    source = line.strip()
    texts = _texts(one, line)
    for node, text in zip(nodes, texts, strict=False):
        if not fits:
            yield Printed(one, node, text, None, source, OUT_OF_ORDER)
        else:
            yield _made(one, node, text, source)
    for node in nodes[len(texts) :]:
        yield Printed(one, node, "", None, source, NO_NUMBER)


def _texts(one: Displayed, line: str) -> list[str]:
    """The numbers of a printed line, without those of the texts around them."""
    for text in _literals(one.parts):
        line = line.replace(text, " ; ", 1) if text.strip() else line
    grads = GRAD.findall(line)
    return grads or [m[1] for m in FIRST.finditer(line)]


def _literals(parts: Any) -> list[str]:
    found = []
    for part in parts:
        if isinstance(part, tuple):
            found += _literals(part)
        elif isinstance(part, str):
            found.append(part)
    return found


def _made(one: Displayed, node: Symbol, text: str, source: str) -> Printed:
    try:
        return Printed(one, node, text, balls(text), source)
    except (NotUnderstood, ValueError) as error:
        return Printed(one, node, text, None, source, str(error))


def balls(text: str) -> Balls:
    """A printed number or array: everything that prints so, digit by digit."""
    return nested_balls(_parsed(text))


def _parsed(text: str) -> Any:
    if not text.startswith("["):
        return text
    tokens = re.findall(rf"\[|\]|{NUMBER}", text)
    stack: list[list[Any]] = [[]]
    for token in tokens:
        if token == "[":
            stack.append([])
        elif token == "]":
            if len(stack) < 2:
                raise NotUnderstood(f"{text} has brackets that do not fit")
            inner = stack.pop()
            stack[-1].append(inner)
        else:
            stack[-1].append(token)
    if len(stack) != 1 or len(stack[0]) != 1:
        raise NotUnderstood(f"{text} has brackets that do not fit")
    return stack[0][0]


def nested_balls(value: Any) -> Balls:
    """Nested lists of number texts as balls."""
    if isinstance(value, str):
        return ball(*printed_interval(value))
    rows = [nested_balls(v) for v in value]
    if len({np.shape(r) for r in rows}) > 1:
        raise NotUnderstood("a printed array has rows of different lengths")
    result = np.empty((len(rows), *(np.shape(rows[0]) if rows else ())), dtype=object)
    for k, row in enumerate(rows):
        result[k] = row
    return result
