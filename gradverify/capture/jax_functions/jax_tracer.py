"""A jaxpr, run on real arrays and written down equation by equation.

A jaxpr says which primitives a function runs, with those of `jit`, `scan` and custom
derivatives within it. It is run on the numbers of a point. So loops are unrolled, and a
`cond` is the branch that the numbers take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.extend.core import Literal
from jax.interpreters.partial_eval import dce_jaxpr

from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.capture.absent import Absent
from gradverify.capture.captured import NotCaptured, SourceLine
from gradverify.capture.complex_parts import of_real, parts_of
from gradverify.capture.jax_functions import jax_rows
from gradverify.capture.jax_functions.jax_complex import COMPLEX_ROWS, is_complex
from gradverify.capture.jax_functions.jax_matrices import MATRICES
from gradverify.capture.jax_functions.jax_rows import NoRow, Row, Use
from gradverify.capture.jax_functions.lineax_systems import (
    is_lineax,
    matrix_and_side,
)
from gradverify.capture.jax_functions.stopped import bound, inner_jaxprs
from gradverify.capture.moved_entries import reshaped, taken
from gradverify.capture.trace_notes import TraceNotes
from gradverify.capture.user_lines import OURS, is_users, is_written, line_at
from gradverify.graph import apply_op, input_leaf

KERNEL = "apply_primitive"  # JAX's way to run a primitive that the compiler knows
LIBRARY = str(Path(jax.__file__).parent)
ROWS: Mapping[str, Row] = {**jax_rows.ROWS, **MATRICES}
STOPPED = "the function stops gradients (stop_gradient); what it stops is held constant"
LARGEST = 64  # unknowns of a linear system whose matrix is written out
MOST = 4_000  # nodes that loops may be unrolled to


@dataclass(frozen=True, eq=False)
class Followed:
    """A value of the run: its array, and its symbol if it depends on an input."""

    real: Any
    symbol: Symbol | None = None


class JaxTracer:
    """Runs jaxprs and writes down what is computed from the inputs."""

    def __init__(self, dtype: str, times: int = 1) -> None:
        self.program = Program(dtype)
        self.seen = TraceNotes()
        self.absent = Absent()
        self.times = times  # the turns that a loop has which its numbers end
        self.inside: list[str] = []  # custom derivatives
        self.places: dict[int, SourceLine | None] = {}

    def input(self, real: Any) -> Followed:
        """An array that is differentiated."""
        parts = (2,) if is_complex(real) else ()
        leaf = input_leaf((*real.shape, *parts))
        return Followed(real, self.program.append(leaf))

    def run(
        self, jaxpr: Any, consts: Sequence[Any], values: Sequence[Followed]
    ) -> list[Followed]:
        """The outputs of a jaxpr. Raises `NotCaptured`, with the user's line."""
        known: dict[Any, Followed] = {}
        known.update(zip(jaxpr.constvars, map(_constant, consts), strict=True))
        known.update(zip(jaxpr.invars, values, strict=True))

        def read(atom: Any) -> Followed:
            return _constant(atom.val) if isinstance(atom, Literal) else known[atom]

        for eqn in jaxpr.eqns:
            operands = [read(v) for v in eqn.invars]
            results = self._equation(eqn, operands)
            known.update(zip(eqn.outvars, results, strict=True))
        return [read(v) for v in jaxpr.outvars]

    def _equation(self, eqn: Any, operands: Sequence[Followed]) -> Sequence[Followed]:
        name = eqn.primitive.name
        is_constant = all(x.symbol is None for x in operands)
        inner = (CALLED if is_constant else INNER).get(name)
        if inner is not None:
            return inner(self, eqn, operands)
        if is_constant:
            return [_constant(y) for y in bound(eqn, [x.real for x in operands])]
        if name == "stop_gradient" and not self.inside:
            return [self._held(operands[0], eqn)]
        return self.by_row(eqn, operands)

    def by_row(self, eqn: Any, operands: Sequence[Followed]) -> list[Followed]:
        """What the row of a primitive writes down, or what it is written in."""
        name = eqn.primitive.name
        made = [v.aval for v in eqn.outvars]
        among = any(map(is_complex, [*made, *(x.real for x in operands)]))
        row = (COMPLEX_ROWS if among else ROWS).get(name)
        written = _written(eqn, [x.real for x in operands]) if row is None else None
        if written is not None:
            return self.enter(written, operands)
        if row is None and among:
            raise self.refusal(f"there is no row for {name} of complex numbers", eqn)
        if row is None:
            raise self.refusal(f"there is no row for the primitive {name}", eqn)
        before = len(self.program.nodes)
        reals = [x.real for x in operands]
        results: list[Any] = []
        try:
            if not getattr(row, "is_missing", False):
                results = bound(eqn, reals)
            use = Use(
                name, eqn, reals, results, self.program, self.seen, self.absent,
                bool(self.inside),
            )  # fmt: skip
            found = row(use, *(_operand(x) for x in operands))
        except NoRow as missing:
            raise self.refusal(str(missing), eqn) from None
        except ValueError as error:
            raise self.refusal(f"{name}: {error}", eqn) from None
        symbols = found if isinstance(found, list) else [found]
        self._sign(before, eqn)
        return [
            Followed(y, s if isinstance(s, Symbol) else None)
            for y, s in zip(results, symbols, strict=True)
        ]

    def _held(self, x: Followed, eqn: Any) -> Followed:
        """A node that JAX does not differentiate through."""
        symbol = x.symbol
        assert symbol is not None
        nodes = self.program.nodes
        node = apply_op(nodes, "reshape", [symbol.index], shape=symbol.shape)
        held = self.program.append(node)
        self.seen.held[held.index] = numbers_of(x.real)
        self.absent.same(symbol, held)
        if _is_called_by_user(eqn):
            self.seen.remarks[STOPPED] = None
        return Followed(x.real, held)

    # ---- equations with jaxprs in them

    def enter(
        self, jaxpr: Any, values: Sequence[Followed], author: str | None = None
    ) -> list[Followed]:
        """Run a jaxpr that an equation holds. author: whose derivative it has."""
        plain = getattr(jaxpr, "jaxpr", jaxpr)
        if author is not None:
            self.inside.append(author)
        try:
            return self.run(plain, getattr(jaxpr, "consts", ()), values)
        finally:
            if author is not None:
                self.inside.pop()

    def one_of(self, x: Followed, place: int) -> Followed:
        """One entry along the first axis, for one turn of a loop."""
        if x.symbol is None:
            return Followed(x.real[place])
        one = self.program.apply(
            "slice", x.symbol, axis=(0,), start=place, stop=place + 1
        )
        return Followed(x.real[place], reshaped(one, x.symbol.shape[1:]))

    def stacked(self, parts: Sequence[Followed]) -> Followed:
        """The results of the turns of a loop, along a new first axis."""
        real = jax.numpy.stack([jax.numpy.asarray(p.real) for p in parts])
        if all(p.symbol is None for p in parts):
            return Followed(real)
        whole: Symbol | None = None
        for part in parts:
            symbol = part.symbol
            if symbol is None:
                symbol = self.program.lift(numbers_of(part.real))
            if is_complex(real) and not is_complex(part.real):
                symbol = of_real(symbol)
            one = reshaped(symbol, (1, *symbol.shape))
            if whole is None:
                whole = one
            else:
                whole = self.program.apply("concatenate", whole, one, axis=(0,))
        return Followed(real, whole)

    def limited(self, turns: int, eqn: Any) -> None:
        """Raise `NotCaptured` if a loop makes the program too long."""
        if len(self.program.nodes) > MOST:
            raise self.refusal(
                f"a loop of {turns} turns and more comes to over {MOST} nodes", eqn
            )

    # ---- the user's lines

    def line(self, eqn: Any) -> SourceLine | None:
        """The user's line that an equation comes from."""
        if id(eqn) not in self.places:
            self.places[id(eqn)] = _line(eqn)
        return self.places[id(eqn)]

    def _sign(self, before: int, eqn: Any) -> None:
        line = self.line(eqn)
        if line is not None:
            for i in range(before, len(self.program.nodes)):
                self.seen.lines.setdefault(i, line)

    def refusal(self, reason: str, eqn: Any) -> NotCaptured:
        """Why the function cannot be written down, and at which line."""
        line = _written_line(eqn) or self.line(eqn)
        return NotCaptured(f"{reason}, at {line}" if line is not None else reason)


def numbers_of(value: Any) -> Any:
    """The numbers of an array, complex ones as their parts."""
    return parts_of(value) if is_complex(value) else np.array(value, float)


def _constant(value: Any) -> Followed:
    return Followed(value)


def _operand(x: Followed) -> Any:
    return np.asarray(x.real) if x.symbol is None else x.symbol


def _line(eqn: Any) -> SourceLine | None:
    traceback = eqn.source_info.traceback
    for frame in traceback.frames if traceback is not None else ():
        if is_users(frame.file_name, LIBRARY):
            return line_at(frame.file_name, frame.line_num)
    return None


def _written_line(eqn: Any) -> SourceLine | None:
    """The innermost line that the user wrote; None if it is a function of a package."""
    traceback = eqn.source_info.traceback
    for frame in traceback.frames if traceback is not None else ():
        if frame.file_name.startswith(OURS):
            return None
        if is_written(frame.file_name, LIBRARY):
            return line_at(frame.file_name, frame.line_num)
    return None


def _is_called_by_user(eqn: Any) -> bool:
    """Whether the user wrote `stop_gradient`; the library's softmax has one too."""
    traceback = eqn.source_info.traceback
    frames = list(traceback.frames) if traceback is not None else []
    own = [k for k, f in enumerate(frames) if f.function_name == "stop_gradient"]
    if not own or own[-1] + 1 == len(frames):
        return True
    return is_users(frames[own[-1] + 1].file_name, LIBRARY)


def _written(eqn: Any, reals: Sequence[Any]) -> Any:
    """The jaxpr of a primitive whose implementation is itself written in JAX.

    So are those of Equinox and of sparse arrays. None for one of JAX's kernel.
    """
    primitive = eqn.primitive
    if getattr(getattr(primitive.impl, "func", None), "__name__", "") == KERNEL:
        return None
    try:
        found = jax.make_jaxpr(partial(primitive.impl, **eqn.params))(*reals)
    except Exception:  # it is written in NumPy, or not at all
        return None
    names = {inner.primitive.name for inner in found.jaxpr.eqns}
    return None if primitive.name in names else found


# ---- what an equation with jaxprs in it does


def _called(
    tracer: JaxTracer, eqn: Any, operands: Sequence[Followed]
) -> list[Followed]:
    """A jaxpr that is called: of `jit`, `checkpoint`, ..."""
    jaxpr = next(eqn.params[k] for k in ("jaxpr", "call_jaxpr") if k in eqn.params)
    return tracer.enter(jaxpr, operands)


def _customized(
    tracer: JaxTracer, eqn: Any, operands: Sequence[Followed]
) -> list[Followed]:
    """What a function with a derivative of its own computes."""
    jaxpr = eqn.params.get("call_jaxpr", eqn.params.get("fun_jaxpr"))
    name = str(eqn.params.get("name", getattr(jaxpr, "name", "custom")))
    author = _author(eqn)
    if author is not None:
        tracer.seen.authors.setdefault(name, author)
    return tracer.enter(jaxpr, operands, name)


def _author(eqn: Any) -> SourceLine | None:
    """The line at which the user's derivative begins; None for JAX's own."""
    for key in ("bwd", "jvp_jaxpr_fun", "jvp"):
        code = next(_codes(eqn.params.get(key)), None)
        if code is not None:
            return SourceLine(code.co_filename, code.co_firstlineno)
    return None


def _codes(function: Any) -> Iterator[Any]:
    """The code of the user's function within the wrappers that JAX puts around it."""
    stack, seen = [function], 0
    while stack and seen < 50:
        value = stack.pop()
        seen += 1
        code = getattr(value, "__code__", None)
        if code is not None and is_users(code.co_filename, LIBRARY):
            yield code
        for name in ("__wrapped__", "func", "f", "fun", "f_transformed"):
            inner = getattr(value, name, None)
            if callable(inner) and inner is not value:
                stack.append(inner)
        for cell in getattr(value, "__closure__", None) or ():
            try:
                if callable(cell.cell_contents):
                    stack.append(cell.cell_contents)
            except ValueError:  # an empty cell
                continue


def _scan(tracer: JaxTracer, eqn: Any, operands: Sequence[Followed]) -> list[Followed]:
    """A loop of so many turns, unrolled."""
    p = eqn.params
    fixed, carried, turns = p["num_consts"], p["num_carry"], p["length"]
    consts, rest = [*operands[:fixed]], [*operands[fixed:]]
    carry, columns = rest[:carried], rest[carried:]
    rows: dict[int, list[Followed]] = {}
    for turn in reversed(range(turns)) if p["reverse"] else range(turns):
        tracer.limited(turns, eqn)
        entries = [tracer.one_of(x, turn) for x in columns]
        results = tracer.enter(p["jaxpr"], [*consts, *carry, *entries])
        carry, rows[turn] = results[:carried], results[carried:]
    if not turns:
        raise tracer.refusal("a scan without turns", eqn)
    parts = zip(*(rows[k] for k in range(turns)), strict=True)
    return [*carry, *(tracer.stacked(part) for part in parts)]


def _while(tracer: JaxTracer, eqn: Any, operands: Sequence[Followed]) -> list[Followed]:
    """A loop whose end the numbers decide, unrolled."""
    p = eqn.params
    a, b = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
    asked, fixed, carry = operands[:a], operands[a:b], [*operands[b:]]
    turns = 0
    while bool(tracer.enter(p["cond_jaxpr"], [*asked, *carry])[0].real):
        tracer.limited(turns, eqn)
        carry = tracer.enter(p["body_jaxpr"], [*fixed, *carry])
        turns += 1
    _, used = dce_jaxpr(p["cond_jaxpr"].jaxpr, [True])
    pairs = zip(used, [*asked, *carry], strict=True)
    is_search = bool(tracer.inside) and any(
        u and x.symbol is not None for u, x in pairs
    )
    tracer.seen.searches |= is_search  # and not one that counts its turns
    for _ in range((tracer.times - 1) * turns if is_search else 0):
        tracer.limited(turns, eqn)
        carry = tracer.enter(p["body_jaxpr"], [*fixed, *carry])
    tracer.seen.decided.append(np.asarray(turns))
    return carry


def _cond(tracer: JaxTracer, eqn: Any, operands: Sequence[Followed]) -> list[Followed]:
    """The branch that the numbers take."""
    index, *rest = operands
    branches = eqn.params["branches"]
    chosen = int(np.clip(int(index.real), 0, len(branches) - 1))
    tracer.seen.decided.append(np.asarray(chosen))
    return tracer.enter(branches[chosen], rest)


def _solved(
    tracer: JaxTracer, eqn: Any, operands: Sequence[Followed]
) -> list[Followed]:
    """The solution x of `matvec(x) = b`, whatever solves it; its matrix is written out.

    The derivative is that of the solution, since JAX holds the factors constant.
    """
    jaxprs, lengths = eqn.params["jaxprs"], eqn.params["const_lengths"]
    if _loops(jaxprs.solve.jaxpr):  # as cg does, up to a tolerance
        raise tracer.refusal("a system that is solved step by step", eqn)
    fixed = operands[: lengths.matvec]
    sides = operands[sum(lengths) :]
    reals = bound(eqn, [x.real for x in operands])
    if len(sides) != 1 or any(map(is_complex, reals)):
        raise tracer.refusal("a system of several unknowns, or of complex ones", eqn)
    (b,) = sides
    size = b.real.size
    if size > LARGEST:
        raise tracer.refusal(f"a system of {size} unknowns; up to {LARGEST}", eqn)

    def product(units: Any, consts: Sequence[Followed]) -> Followed:
        vector = np.reshape(units, b.real.shape).astype(b.real.dtype)
        return tracer.enter(jaxprs.matvec, [*consts, Followed(vector)])[0]

    source = np.random.default_rng(0)
    drawn = [
        x if x.symbol is None else Followed(source.uniform(0.5, 1.0, x.real.shape))
        for x in fixed
    ]
    whole = np.stack([np.ravel(product(e, drawn).real) for e in np.eye(size)], axis=1)
    blocks = _blocks(whole != 0)
    if blocks is None:
        raise tracer.refusal("a system whose parts are of several sizes", eqn)
    columns: list[Symbol] = []
    for places in blocks.T:  # one unknown of every part at a time: they do not meet
        units = np.zeros(size)
        units[places] = 1.0
        column = product(units, fixed)
        symbol = column.symbol
        if symbol is None:
            symbol = tracer.program.lift(numbers_of(column.real))
        columns.append(taken(symbol, blocks[..., None]))
    matrix = columns[0]
    for one in columns[1:]:
        matrix = tracer.program.apply("concatenate", matrix, one, axis=(-1,))
    right = b.symbol
    if right is None:
        right = tracer.program.lift(numbers_of(b.real))
    try:
        side = taken(right, blocks[..., None])
        found = tracer.program.apply("solve", matrix, side, left=True)
    except ValueError as error:
        raise tracer.refusal(f"{eqn.primitive.name}: {error}", eqn) from None
    back = np.argsort(np.ravel(blocks))
    return [Followed(reals[0], taken(found, back.reshape(b.real.shape)))]


def _factored(
    tracer: JaxTracer, eqn: Any, operands: Sequence[Followed]
) -> list[Followed]:
    """The solution of Lineax's system, whatever factors its matrix."""
    if not is_lineax(eqn):
        return tracer.by_row(eqn, operands)
    reals = [x.real for x in operands]
    results = bound(eqn, reals)
    pair = tracer.enter(matrix_and_side(eqn, reals), operands)
    matrix, side = (
        tracer.program.lift(numbers_of(x.real)) if x.symbol is None else x.symbol
        for x in pair
    )
    rows, columns = matrix.shape
    if rows != columns or any(map(is_complex, (pair[0].real, pair[1].real))):
        raise tracer.refusal("a system that is not square, or complex", eqn)
    try:
        whole = tracer.program.apply(
            "solve", matrix, reshaped(side, (rows, 1)), left=True
        )
    except ValueError as error:
        raise tracer.refusal(f"{eqn.primitive.name}: {error}", eqn) from None
    found, start = [], 0
    for y in results:  # the solution comes first
        symbol = None
        if start < rows:
            places = np.arange(start, start + y.size).reshape(y.shape)
            symbol, start = taken(whole, places), start + y.size
        found.append(Followed(y, symbol))
    return found


def _loops(jaxpr: Any) -> bool:
    """Whether a jaxpr, or one within it, has a loop whose end the numbers decide."""
    return any(
        eqn.primitive.name == "while" or any(map(_loops, inner_jaxprs(eqn)))
        for eqn in jaxpr.eqns
    )


def _blocks(meets: Any) -> Any:
    """The parts of a system that do not meet, a row each; None if sizes differ.

    meets: of which entries of the matrix are not 0.
    """
    reach = meets | meets.T | np.eye(len(meets), dtype=bool)
    for _ in range(max(1, len(meets).bit_length())):
        reach = reach @ reach
    parts = sorted({tuple(np.flatnonzero(row)) for row in reach})
    return np.array(parts) if len({len(part) for part in parts}) == 1 else None


Inner = Callable[[JaxTracer, Any, Sequence[Followed]], list[Followed]]
CALLS = """jit pjit closed_call core_call checkpoint remat remat2 custom_vmap_call
composite"""
CUSTOM = "custom_jvp_call custom_vjp_call custom_vjp_call_jaxpr"

CALLED: Mapping[str, Inner] = {
    **dict.fromkeys(CALLS.split(), _called),
    **dict.fromkeys(CUSTOM.split(), _customized),
}
INNER: Mapping[str, Inner] = {
    **CALLED,
    "scan": _scan,
    "while": _while,
    "cond": _cond,
    "custom_linear_solve": _solved,
    "linear_solve": _factored,
}
