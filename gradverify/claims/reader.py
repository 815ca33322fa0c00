"""From a file to its claims with their verdicts: all that `gradverify claims` does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from gradverify.claims.backward import function_pairs, steps
from gradverify.claims.chain import (
    Members,
    Outcome,
    judge,
    judge_printed,
    judge_values,
    merged,
)
from gradverify.claims.code import Code
from gradverify.claims.explain import (
    Explained,
    Wrong,
    explain,
    following,
    printed_value,
)
from gradverify.claims.finding import Fragment, fragments
from gradverify.claims.grammar import Formula, readings
from gradverify.claims.meaning import Meaning, assignments, interval
from gradverify.claims.naming import (
    AT_WORDS,
    RELATIONS,
    Part,
    Vocabulary,
    free_names,
    parts_of,
)
from gradverify.claims.point import Balls, ball
from gradverify.claims.rewriting import LONGEST, Token, rewritten, scan
from gradverify.claims.sources import Cell, cells_of, text_of
from gradverify.claims.spelling import spelled
from gradverify.claims.states import State, States, states_of
from gradverify.claims.printed import printed
from gradverify.claims.trail import Leaf, NotUnderstood
from gradverify.claims.values import Function, symbol
from gradverify.arithmetic.symbols import Symbol


class ClaimVerdict(Enum):
    """What came of a claim."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True)
class WrittenClaim:
    """A derivative that a file claims, and what came of it.

    cell: of a notebook, from 1. line: of the file or cell, from 1. chain: the members
    between the equality signs. step: the first wrong equality, from 0. corrected: the
    chain as it should be.
    """

    file: str
    line: int
    text: str
    verdict: ClaimVerdict
    cell: int | None = None
    chain: tuple[str, ...] = ()
    step: int | None = None
    claimed: str = ""
    exact: str = ""
    cause: str = ""
    reason: str = ""
    corrected: str = ""


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
        result += [*self.in_code(states), *self.in_functions(), *self.in_print(found)]
        return sorted([*problems, *result], key=lambda c: (c.cell or 0, c.line))

    def problems(self) -> Iterator[WrittenClaim]:
        """Read the code; a cell that is none is not understood, which is said."""
        for index, cell in enumerate(self.cells):
            if cell.problem:
                yield self.not_understood(index, cell.line, cell.problem, cell.problem)
            elif cell.kind == "code":
                try:
                    self.code.read(index, "\n" * (cell.line - 1) + cell.text)
                except NotUnderstood as error:
                    yield self.not_understood(index, cell.line, "code", str(error))
                except RecursionError:
                    yield self.not_understood(index, cell.line, "code", "nested too deeply")  # fmt: skip  # noqa: E501

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
            yield self.not_understood(fragment.cell, fragment.line, fragment.text[:60], f"a text of {len(fragment.text)} characters")  # fmt: skip  # noqa: E501
            return
        text = rewritten(fragment.text)
        tokens = scan(text)
        chosen: list[tuple[Part, State, str]] = []
        for state in states.at(fragment):
            try:
                words = Vocabulary(state.names, free_names(text, state.names))
                parts = parts_of(tokens, words)
            except NotUnderstood as error:
                yield self.not_understood(fragment.cell, fragment.line, _line(fragment, 0), str(error))  # fmt: skip  # noqa: E501
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
        values = _points(parts)
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
        text = _line(fragment, part.line)
        problem = problem_of(part)
        tokens = _left_trimmed(part.tokens)
        if problem:
            return self.not_understood(fragment.cell, line, text, problem)
        chain: list[str] = []
        try:
            found = readings(tokens)
            chain = [spelled(f) for f in found[0][0]]
            judged = [
                self.judged(members, marks, state, values.get(part.line, []), states, text)
                for members, marks in found
            ]
            outcome, explained = merged(judged, lambda j: j[0].step is None)
        except NotUnderstood as error:
            reason = str(error).replace("{name}", "a value")
            return self.not_understood(fragment.cell, line, text, reason, chain)
        return self.finished(fragment.cell, line, text, chain, outcome, explained)

    # ---- code

    def in_code(self, states: States) -> Iterator[WrittenClaim]:
        """Backward passes that are written by hand, every step of them."""
        del states
        wrong: dict[int, Symbol] = {}
        for step in steps(self.code, tuple(self.code.assigned)):
            entry = step.assigned
            chain = [f"∂{step.of}/∂{step.by}", ast.unparse(entry.tree)]
            place = entry.cell, entry.line, entry.text
            if step.problem:
                yield self.not_understood(*place, step.problem, chain)
                continue
            try:
                node = symbol(self.code.trail, entry.value)
                exact = self.code.trail.derivative(step.y, step.x)
                members = Members((), (exact, node))
                outcome = judge_values(self.code.trail, members)
                names = {k: v for k, v in entry.names.items() if k != entry.name}
                looked_into = Wrong(
                    self.code.trail, members, outcome, names, chain, "python"
                )
                explained = explain(looked_into)
                if outcome.step is not None:
                    explained = following(looked_into, explained, wrong)
                    wrong[node.index] = exact
            except NotUnderstood as error:
                yield self.not_understood(*place, str(error), chain)
                continue
            yield self.finished(*place, chain, outcome, explained)

    def in_functions(self) -> Iterator[WrittenClaim]:
        """Functions whose names say that they are derivatives of others."""
        for function, derived in function_pairs(self.code.functions):
            chain = [f"{function.name}'(x)", f"{derived.name}(x)"]
            place = derived.cell, derived.line, f"def {derived.name}"
            try:
                outcome = self.pair(function, derived)
            except NotUnderstood as error:
                yield self.not_understood(*place, str(error), chain)
                continue
            yield self.finished(*place, chain, outcome, Explained())

    def pair(self, function: Function, derived: Function) -> Outcome:
        """Whether one function is the derivative of another, in x or in f(x)."""
        trail = self.code.trail
        x = trail.leaf(Leaf((), reason="x is any number"))
        y = symbol(trail, self.code.follow(function, (x,)))
        exact = trail.derivative(y, x)
        claimed = symbol(trail, self.code.follow(derived, (x,)))
        outcome = judge_values(trail, Members((), (exact, claimed)))
        if outcome.step is not None:  # many take the output: y * (1 - y)
            by_output = symbol(trail, self.code.follow(derived, (y,)))
            other = judge_values(trail, Members((), (exact, by_output)))
            outcome = other if other.step is None else outcome
        return outcome

    def in_print(self, found: Sequence[Fragment]) -> Iterator[WrittenClaim]:
        """What a library printed, in stored outputs and in comments."""
        shown = tuple(self.code.shown)
        for one in printed(self.code.trail, self.cells, shown, found):
            chain = [one.shown.text, one.text]
            place = one.shown.cell, one.shown.line, one.source
            try:
                if one.problem:
                    raise NotUnderstood(one.problem)
                outcome = judge_printed(self.code.trail, one.node, one.value, {}, self.dtype)  # fmt: skip  # noqa: E501
                exact = printed_value(one.node, outcome, one.text)
                cause = "" if outcome.step is None else "the library prints another number"  # fmt: skip  # noqa: E501
                explained = Explained(exact, cause, f"{chain[0]} = {exact}")
            except NotUnderstood as error:
                yield self.not_understood(*place, str(error), chain)
                continue
            yield self.finished(*place, chain, outcome, explained)

    @property
    def dtype(self) -> str:
        """What the file's library computes in, unless it says otherwise."""
        text = "".join(cell.text for cell in self.cells if cell.kind == "code")
        single = re.search(r"\b(?:torch|jax|jnp|tensorflow|tf)\b", text) is not None
        double = re.search(r"float64|\bdouble\b|enable_x64", text) is not None
        return "float32" if single and not double else "float64"

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
        meaning = Meaning(
            self.code, words, states.history, backwards=state.backwards
        )
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


def notation(text: str) -> str:
    """How a text writes formulas."""
    if re.search(r"\\[a-zA-Z]+", text):
        return "latex"
    return "python" if re.search(r"\w\s*\*|\*\*", text) else "plain"


def _line(fragment: Fragment, offset: int) -> str:
    lines = fragment.text.split("\n")
    return lines[min(offset, len(lines) - 1)].strip()


# ---- which parts of a text are claims

HINT = re.compile(
    r"∂|\\partial|\bd\s?\w*\s*/\s*d\s?\w|\\frac\s*\{\s*\\?(?:mathrm|text)?\{?d|'\s*(?:\(|=)|′|\\prime"
    r"|\.grad\b|[Gg]radient|[Dd]erivative|[Aa]bleitung|[Dd]ériv|[Dd]eriva|\bgrad of\b|∇|\\nabla"
)


def looks_like_a_claim(text: str) -> bool:
    """Whether a text can hold a claim at all: a first, quick look."""
    return HINT.search(text) is not None


def is_claim(part: Part) -> bool:
    """Whether a part states an equality about a derivative."""
    kinds = [t.kind for t in part.tokens]
    relations = [i for i, k in enumerate(kinds) if k in RELATIONS]
    if not relations or relations == [len(kinds) - 1]:  # an exercise states nothing
        return False
    if "D" in kinds or "GRADOF" in kinds or "∇" in [t.text for t in part.tokens]:
        return True
    pairs = zip(kinds, kinds[1:], strict=False)
    return any(a in ("NAME", "UFUNC", "UCALL", "FUNC") and b == "PRIME" for a, b in pairs)


def problem_of(part: Part) -> str:
    """The first token of a claim that is not understood."""
    tokens = _left_trimmed(part.tokens)
    for i, token in enumerate(tokens):
        if token.kind == "PROSE" and i and tokens[i - 1].kind == "D":
            return f"{token.text} has no value in this file"
        if token.kind in ("PROSE", "UNKNOWN", "OTHER", "CONNECTIVE", "COMMAND", "WORD"):
            return f"{token.text!r} is not understood"
    return ""


def _left_trimmed(tokens: Sequence[Token]) -> list[Token]:
    """Without prose before the first member, and without remarks in parentheses."""
    relation = next((i for i, t in enumerate(tokens) if t.kind in RELATIONS), 0)
    start = 0
    for i in range(relation):
        after_d = i and tokens[i - 1].kind == "D"
        if tokens[i].kind in ("PROSE", "CONNECTIVE") and not after_d:
            start = i + 1
    return _without_remarks(list(tokens[start:]))


def _without_remarks(tokens: list[Token]) -> list[Token]:
    """`(by the chain rule)` at the end says nothing that is computed."""
    if not tokens or tokens[-1].kind != "RPAR":
        return tokens
    depth = 0
    for i in range(len(tokens) - 1, -1, -1):
        depth += (tokens[i].kind == "RPAR") - (tokens[i].kind == "LPAR")
        if depth == 0:
            inside = tokens[i:]
            if tokens[i].gap and any(t.kind == "PROSE" for t in inside):
                return tokens[:i]
            break
    return tokens


def _points(parts: Sequence[Part]) -> dict[int, list[tuple[str, str]]]:
    """For every line, what its words `at x = 2, y = 3` set."""
    found: dict[int, list[tuple[str, str]]] = {}
    follows = False
    for part in parts:
        text = "".join(t.text for t in part.tokens)
        pairs = assignments(text)
        plain = bool(pairs) and re.fullmatch(r"[A-Za-z]\w*=-?[\d.,]+", text) is not None
        follows = plain and (part.after in AT_WORDS or (follows and part.after in ("", "and", "und", "et", "y", "e")))  # fmt: skip  # noqa: E501
        if follows:
            found.setdefault(part.line, []).extend(pairs)
    return found


def read_claims(path: Path, text: str | None = None) -> list[WrittenClaim]:
    """The claims of a file; `UnreadableError` where it cannot be read.

    text: what it holds, where that is another than what is on the disk.
    """
    text = text_of(path) if text is None else text
    return Reader(path.as_posix(), cells_of(path, text)).claims()
