"""A case as a script in an engine's own API, which prints got, exact and error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradverify.differentiators.spelling.definitions import definitions
from gradverify.differentiators.spelling.source_rows import Spelling
from gradverify.graph import (
    Array,
    Case,
    Graph,
    Node,
    case_to_json,
    formula,
    names_of,
)

ENTRIES = '''
def entries(x):
    """The numbers of an array, or of a nested list."""
    x = x.tolist() if hasattr(x, "tolist") else x
    return [n for part in x for n in entries(part)] if isinstance(x, list) else [x]

'''

PRINTED = """
def show(name, got, exact):
    got = [0.0] * len(exact) if got is None else entries(got)
    for k, (g, e) in enumerate(zip(got, exact)):
        error = float(g) - float(e) if abs(float(g)) == math.inf or g != g else float(
            Decimal(float(g)) - Decimal(e)
        )
        place = f"[{k}]" if len(exact) > 1 else ""
        print(f"{name}{place}: got {float(g)!r}, exact {e}, error {error:.3g}")


show("value", value, EXACT_VALUE)
for name, g, e in zip(NAMES, got, EXACT):
    show(name, g, e)
"""


@dataclass(frozen=True)
class ScriptContents:
    """What a script is made of, apart from the spelling.

    title: its first line.
    value, gradient: exact numbers as decimal text: those of the value that the mode
        returns, and those of each array beside it.
    names: of these arrays. question: what was asked, by its name.
    cotangent, tangents: what the mode was asked with, if it takes that; a tangent is
        None for an input without one. Without a cotangent it is 1; a jvp mode without
        tangents is asked with one for each entry.
    array: the graph that the mode differentiates, if it is not the case's: the array
        that the case contracts.
    """

    case: Case
    title: str
    value: Sequence[str]
    gradient: Sequence[Sequence[str]]
    names: Sequence[str]
    question: str = "gradient"
    cotangent: Array | None = None
    tangents: Sequence[Array | None] | None = None
    array: Graph | None = None

    @property
    def graph(self) -> Graph:
        """What the mode differentiates."""
        return self.case.graph if self.array is None else self.array


def script(
    program: ScriptContents, spelling: Spelling, mode: str, kind: str
) -> str | None:
    """The script; None if the engine has no spelling for the mode or for an op of the
    graph.

    kind: of the mode.
    """
    if mode not in spelling.tails:
        return None
    graph = program.graph
    names = _identifiers(graph.nodes, names_of(graph))
    body = []
    for i, node in enumerate(graph.nodes):
        if not node.operands:
            continue
        operands = [_operand(graph.nodes[j], names[j]) for j in node.operands]
        text = spelling.call(node.op, operands, node.params)
        if text is None:
            return None
        body.append(f"    {names[i]} = {text}")
    needs, setup = spelling.own(graph.ops)
    inputs = [names[i] for i in graph.inputs]
    out = _operand(graph.output, names[-1])
    lines = [
        f'"""{_quoted(program.title)}"""',
        "",
        "import math",
        "from decimal import Decimal",
        "",
        *(definitions(needs) if needs else ()),
        *spelling.head(program.case.dtype),
        *setup,
        "",
        *_leaves(program, spelling, names),
        "",
        "",
        *ENTRIES.strip("\n").splitlines(),
        "",
        "",
        *_function(graph, inputs, body, out, names if spelling.values else None),
        "",
        "",
        *_asked(program, spelling, kind, spelling.tails[mode](inputs)),
        "",
        *_exact(program),
    ]
    return "\n".join(lines) + PRINTED


def _function(
    graph: Graph,
    inputs: Sequence[str],
    body: Sequence[str],
    out: str,
    names: Sequence[str] | None,
) -> Iterator[str]:
    """The function; with `names`, it has the values of all nodes as well."""
    given = ", ".join(inputs)
    yield f"def {'function' if names is None else 'values'}({given}):"
    yield f"    # {_quoted(formula(graph))[:200]}"
    yield from body
    if names is None:
        yield f"    return {out}"
        return
    every = [_operand(n, name) for n, name in zip(graph.nodes, names, strict=True)]
    yield f"    return [{', '.join(every)}]"
    yield from ("", "", f"def function({given}):", f"    return values({given})[-1]")
    yield from ("", "", "function.values = values  # of all nodes")


UNITS = """
def units(shapes):
    for k, shape in enumerate(shapes):
        for i in range(math.prod(shape)):
            found = [np.zeros(s, dtype="{dtype}") for s in shapes]
            found[k].reshape(-1)[i] = 1.0
            yield k, [{seed} for x in found]


found = {nothing}
for k, tangents in units({shapes}):
"""


def _asked(
    program: ScriptContents, spelling: Spelling, kind: str, tail: Sequence[str]
) -> Iterator[str]:
    """The lines of a mode, after what it is asked with."""
    case, seed = program.case, spelling.seed
    if kind == "jvp" and program.tangents is None:
        shapes = [x.shape for x in case.point]
        nothing: list[list[float]] = [[] for _ in shapes]
        yield from (
            UNITS.format(
                dtype=case.dtype, seed=seed("x"), nothing=nothing, shapes=shapes
            )
            .strip("\n")
            .splitlines()
        )
        yield from (f"    {line}" if line else line for line in tail)
        yield from ("    found[k].append(float(*entries(got[0])))", "got = found")
        return
    if program.tangents is not None:
        given = (None if t is None else seed(array_text(t)) for t in program.tangents)
        yield from ("tangents = [", *(f"    {t}," for t in given), "]")
    elif kind == "vjp":
        one = np.ones(program.graph.output.shape, case.dtype)
        ct = one if program.cotangent is None else program.cotangent
        yield f"cotangent = {seed(array_text(ct))}"
    yield from tail


def by_engine(program: ScriptContents, path: str, mode: str) -> str:
    """A script in which gradverify runs the case, for ops and modes without a
    spelling.
    """
    module, _, name = path.partition(":")
    case = json.dumps(case_to_json(program.case))
    lines = [
        f'"""{_quoted(program.title)}"""',
        "",
        "import json",
        "import math",
        "from decimal import Decimal",
        "",
        "# an op has no spelling of its own",
        "from gradverify.differentiators import run",
        "from gradverify.graph import case_from_json",
        "from gradverify.questions import QUESTIONS",
        f"from {module} import {name}",
        "",
        f"case = case_from_json(json.loads({case!r}))",
        f"question = QUESTIONS[{program.question!r}]",
        f"found = run({name}(), {mode!r}, case, question=question)",
        "value, got = found.value, found.cotangents",
        "",
        *ENTRIES.strip("\n").splitlines(),
        "",
        "",
        *_exact(program),
    ]
    return "\n".join(lines) + PRINTED


def _exact(program: ScriptContents) -> list[str]:
    return [
        f"NAMES = {[*program.names]!r}",
        f"EXACT_VALUE = {[*program.value]!r}",
        f"EXACT = {[list(x) for x in program.gradient]!r}",
        "",
    ]


def _quoted(text: str) -> str:
    """Text that cannot end a string or a line of a script."""
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def _identifiers(nodes: Sequence[Node], names: Sequence[str]) -> list[str]:
    return [n if n.isidentifier() else f"v{i}" for i, n in enumerate(names)]


def _operand(node: Node, name: str) -> str:
    """A name, or a Python number as it is passed."""
    if node.op != "literal":
        return name
    text = literal(node.value)
    return f"({text})" if text.startswith("-") else text


def _leaves(
    program: ScriptContents, spelling: Spelling, names: Sequence[str]
) -> Iterator[str]:
    graph, case = program.graph, program.case
    for i, x in zip(graph.inputs, case.point, strict=True):
        yield f"{names[i]} = {spelling.array(array_text(x))}"
    for i, node in enumerate(graph.nodes):
        if node.op == "data":
            is_mask = node.value.dtype == bool
            value = node.value if is_mask else node.value.astype(case.dtype)
            yield f"{names[i]} = {spelling.data(array_text(value))}"


def literal(value: float) -> str:
    """A Python number as source text, infinities and NaN included."""
    if isinstance(value, bool | int | np.bool_):
        return repr(value)
    number = float(value)
    return repr(number) if np.isfinite(number) else f'float("{number!r}")'


def array_text(x: Array) -> str:
    """A NumPy array as source text, exactly."""
    text = f'np.array({_nested(x.tolist())}, dtype="{x.dtype.name}")'
    return text if x.size else f"{text}.reshape({x.shape})"


def _nested(x: object) -> str:
    if isinstance(x, list):
        return f"[{', '.join(_nested(part) for part in x)}]"
    return literal(x)  # type: ignore[arg-type]
