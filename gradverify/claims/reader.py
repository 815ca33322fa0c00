"""From a file to its claims with their verdicts: all that `gradverify claims` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.candidates import (
    is_claim,
    left_trimmed,
    line_of,
    looks_like_a_claim,
    notation,
    points_of,
    problem_of,
)
from gradverify.claims.chain import judge, merged
from gradverify.claims.code import Code
from gradverify.claims.coded import in_code, in_functions, in_print
from gradverify.claims.explain import Explained, Wrong, explain
from gradverify.claims.finding import Fragment, fragments
from gradverify.claims.grammar import Formula, readings
from gradverify.claims.meaning import Meaning
from gradverify.claims.members import Members, Outcome
from gradverify.claims.parts import Part, parts_of
from gradverify.claims.point import Balls, ball
from gradverify.claims.rewriting import LONGEST, rewritten, scan
from gradverify.claims.sources import Cell, UnreadableError, cells_of, text_of
from gradverify.claims.spelling import spelled
from gradverify.claims.states import State, States, states_of
from gradverify.claims.trail import NotUnderstood, understood
from gradverify.claims.verdicts import ClaimVerdict, WrittenClaim
from gradverify.claims.vocabulary import Vocabulary, free_names
from gradverify.claims.written import interval


@dataclass(eq=False)
class Reader:
    """A file while it is read."""

    file: str
    cells: Sequence[Cell]
    code: Code = field(default_factory=Code)

    def claims(self) -> list[WrittenClaim]:
        """Every claim of the file, in order."""
        problems = list(self.problems())
        found = [f for i, c in enumerate(self.cells) for f in fragments(i, c)]
        states = states_of(self.code, found)
        result = [c for f in found for c in self.in_fragment(f, states)]
        result += [*in_code(self), *in_functions(self), *in_print(self, found)]
        return sorted([*problems, *result], key=lambda c: (c.cell or 0, c.line))

    def problems(self) -> Iterator[WrittenClaim]:
        """Read the code; a cell that is none is not understood, which is said."""
        for index, cell in enumerate(self.cells):
            if cell.problem:
                yield self.not_understood(index, cell.line, cell.problem, cell.problem)
            elif cell.kind == "code":
                try:
                    with understood():
                        self.code.read(index, "\n" * (cell.line - 1) + cell.text)
                except NotUnderstood as error:
                    yield self.not_understood(index, cell.line, "code", str(error))

    def not_understood(
        self, index: int, line: int, text: str, reason: str, chain: Sequence[str] = ()
    ) -> WrittenClaim:
        """The claim that something is not understood."""
        return WrittenClaim(
            self.file,
            line,
            text,
            ClaimVerdict.NOT_UNDERSTOOD,
            self.cells[index].number,
            tuple(chain),
            reason=reason,
        )

    # ---- texts

    def in_fragment(self, fragment: Fragment, states: States) -> Iterator[WrittenClaim]:
        """The claims of a comment, a string or a text."""
        if not looks_like_a_claim(fragment.text):
            return
        if len(fragment.text) > LONGEST:
            yield self.not_understood(
                fragment.cell,
                fragment.line,
                fragment.text[:60],
                f"a text of {len(fragment.text)} characters",
            )
            return
        chosen: list[tuple[Part, State, str]] = []
        for state in states.at(fragment):
            try:
                with understood():
                    text = rewritten(fragment.text)
                    words = Vocabulary(state.names, free_names(text, state.names))
                    parts = parts_of(scan(text), words)
            except NotUnderstood as error:
                yield self.not_understood(
                    fragment.cell, fragment.line, line_of(fragment, 0), str(error)
                )
                return
            found = [p for p in parts if is_claim(p)]
            if not chosen:
                first = parts, state
            if found and all(not problem_of(p) for p in found):
                first = parts, state
                break
            if not chosen:
                chosen = [(p, state, "") for p in found]
        parts, state = first
        values = points_of(parts)
        for part in parts:
            if is_claim(part):
                yield self.claim(fragment, part, state, values, states)

    def claim(
        self,
        fragment: Fragment,
        part: Part,
        state: State,
        values: Any,
        states: States,
    ) -> WrittenClaim:
        """One chain, judged."""
        line = fragment.line + part.line
        text = line_of(fragment, part.line)
        problem = problem_of(part)
        tokens = left_trimmed(part.tokens)
        if problem:
            return self.not_understood(fragment.cell, line, text, problem)
        chain: list[str] = []
        try:
            with understood():
                found = readings(tokens)
                chain = [spelled(f) for f in found[0][0]]
                judged = [
                    self.judged(
                        members, marks, state, values.get(part.line, []), states, text
                    )
                    for members, marks in found
                ]
                outcome, explained = merged(judged, lambda j: j[0].step is None)
        except NotUnderstood as error:
            reason = str(error).replace("{name}", "a value")
            return self.not_understood(fragment.cell, line, text, reason, chain)
        return self.finished(fragment.cell, line, text, chain, outcome, explained)

    def finished(
        self,
        index: int,
        line: int,
        text: str,
        chain: Sequence[str],
        outcome: Outcome,
        explained: Explained,
    ) -> WrittenClaim:
        """A claim that was understood."""
        wrong = outcome.step is not None
        return WrittenClaim(
            self.file,
            line,
            text,
            ClaimVerdict.WRONG if wrong else ClaimVerdict.RIGHT,
            self.cells[index].number,
            tuple(chain),
            outcome.step,
            claimed=chain[-1] if chain else "",
            exact=explained.exact,
            cause=explained.cause if wrong else "",
            corrected=explained.corrected if wrong else "",
        )

    def judged(
        self,
        formulas: Sequence[Formula],
        marks: Sequence[bool],
        state: State,
        at: Sequence[tuple[str, str]],
        states: States,
        text: str,
    ) -> tuple[Outcome, Explained]:
        """A reading judged: derivatives as total ones, else those within as partial."""
        outcomes = []
        for direct in (False, True):
            members, meaning = self.members(formulas, marks, state, at, states, direct)
            outcome = judge(self.code.trail, members)
            outcomes.append((members, outcome, meaning))
            if outcome.step is None or not _has_inner(formulas):
                break
        best = next((o for o in outcomes if o[1].step is None), outcomes[0])
        chain = [spelled(f) for f in formulas]
        names = {**state.names, **best[2].bound}
        wrong = Wrong(self.code.trail, best[0], best[1], names, chain, notation(text))
        return best[1], explain(wrong)

    def members(
        self,
        formulas: Sequence[Formula],
        marks: Sequence[bool],
        state: State,
        at: Sequence[tuple[str, str]],
        states: States,
        direct: bool,
    ) -> tuple[Members, Meaning]:
        """The members of a chain written down as nodes."""
        words = Vocabulary(state.names, _free_in(formulas, state))
        meaning = Meaning(self.code, words, states.history, backwards=state.backwards)
        nodes, moved = [], dict(state.values)
        for k, formula in enumerate(formulas):
            meaning.approximate = k > 0 and marks[k - 1]
            meaning.direct = direct and k > 0
            nodes.append(meaning.node(formula))
        for name, number in at:
            found = words.find(name)
            if found is None:
                raise NotUnderstood(f"{name} has no value in this file")
            moved[self.leaf(meaning.named(found), found)] = _ball(number)
        for index, leaf in meaning.at.items():
            self.leaf(Symbol(self.code.trail.program, index), "a name")
            stated = self.code.trail.leaves[leaf.index].value
            assert stated is not None
            moved[index] = ball(stated.item())
        return Members(formulas, nodes, moved), meaning

    def leaf(self, node: Symbol, name: str) -> int:
        """The node, where it may be given another value."""
        if node.index not in self.code.trail.leaves:
            raise NotUnderstood(f"{name} is computed, so that it cannot be set")
        return node.index


def _ball(text: str) -> Balls:
    sign = -1 if text.startswith("-") else 1
    return ball(sign * interval(text.lstrip("-"))[0])


def _free_in(formulas: Sequence[Formula], state: State) -> frozenset[str]:
    def walk(formula: Any) -> Iterator[str]:
        if isinstance(formula, tuple) and formula:
            if formula[0] == "NAME":
                yield formula[1]
            for part in formula[1:]:
                yield from walk(part)

    return frozenset(n for f in formulas for n in walk(f) if n not in state.names)


def _has_inner(formulas: Sequence[Formula]) -> bool:
    return any("'d1'" in repr(f) for f in formulas[1:])


# ---- which parts of a text are claims


def read_claims(path: Path, text: str | None = None) -> list[WrittenClaim]:
    """The claims of a file; `UnreadableError` where it cannot be read.

    text: what it holds, where that is another than what is on the disk.
    """
    text = text_of(path) if text is None else text
    reader = Reader(path.as_posix(), cells_of(path, text))
    try:
        with understood():
            return reader.claims()
    except NotUnderstood as error:
        raise UnreadableError(f"{path}: {error}") from error
