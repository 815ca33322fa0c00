"""Pages that are made from the program's own tables, so that they are never stale."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from op_engines import LIBRARIES, counts, engine_rows, installed

from gradverify import records
from gradverify.cli.arguments import COMMANDS, EXAMPLES, parser
from gradverify.cli.op_list import has_kink
from gradverify.diagnosis.reproducer import reproducer
from gradverify.differentiators import load, modes
from gradverify.differentiators.protocol import KINDS, arguments_of
from gradverify.differentiators.registry import BUILTINS
from gradverify.graph import formula
from gradverify.known import operands_of, shipped_rows
from gradverify.known.rows import Deviation
from gradverify.ops import OPS
from gradverify.plugin.options import OPTIONS, flag
from gradverify.records import record_kinds
from gradverify.suites import TABLE
from gradverify.verdict import FAILING, LISTED, Judgement, Verdict


def write_all(docs: Path) -> None:
    """Write every made page into `_made/`, where other pages include them."""
    folder = docs / "_made"
    folder.mkdir(exist_ok=True)
    for name, lines in PAGES.items():
        path = folder / f"{name}.md"
        text = "\n".join(lines()) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown; a bar within a cell is escaped."""
    for row in (head, ["---"] * len(head), *rows):
        cells = (cell.replace("|", "\\|").replace("\n", " ") for cell in row)
        yield f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _options() -> Iterator[str]:
    rows = (
        (_code(f"{flag(name)} {takes}" if takes else flag(name)), f"{text}.")
        for name, takes, text in OPTIONS
    )
    return _table(("option", "what it does"), rows)


def _commands() -> Iterator[str]:
    whole = parser({})
    kinds = next(
        action.choices
        for action in whole._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for name, (text, _) in COMMANDS.items():
        yield f"## `gradverify {name}`\n"
        yield f"{text[0].upper()}{text[1:]}.\n"
        yield f"```console\n$ {EXAMPLES[name]}\n```\n"
        takes = [a for a in kinds[name]._actions if a.dest != "help"]
        if takes:
            rows = ((_code(_spelled(a)), f"{a.help}.") for a in takes)
            yield from _table(("argument", ""), rows)
            yield ""


def _spelled(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings) or action.dest
    takes = action.nargs != 0 and action.option_strings
    return f"{name} {action.metavar or action.dest.upper()}" if takes else name


def _ops() -> Iterator[str]:
    rows = (
        (
            _code(row.name),
            _code(row.operator or ""),
            ", ".join(map(_code, operands_of(row.name))),
            ", ".join(map(_code, row.params)),
            "yes" if has_kink(row) else "",
            _code(row.formula),
        )
        for row in OPS
        if not row.internal
    )
    head = ("op", "operator", "operands", "params", "kink", "computes")
    return _table(head, rows)


def _op_engines() -> Iterator[str]:
    """What each library has itself, what is composed, and why the rest is absent."""
    rows = [*engine_rows()]
    for name, (native, composed, absent) in counts(rows).items():
        yield (
            f"- `{name}` has {native} of {len(rows)} ops itself; {composed} are "
            f"composed of others, and {absent} are absent."
        )
    for name in LIBRARIES:
        if name not in installed():
            yield f"- `{name}` is not told of: it was not installed here."
    yield ""
    yield from _table(("op", *map(_code, installed())), rows)


def _suites() -> Iterator[str]:
    rows = ((_code(row.name), f"{row.says}.") for row in TABLE)
    return _table(("suite", "its cases"), rows)


RETURNS = {
    "gradient": "a function with a scalar result: an array for each input",
    "vjp": "the same, for a cotangent of the result, which may be an array",
    "jvp": "the result's tangent, an array of its shape",
    "hvp": "the Hessian of a scalar result times the tangents, an array for each input",
    "jacobian": "for each input an array of shape `value.shape + input.shape`",
    "hessian": "`blocks[i][j]` of shape `input_i.shape + input_j.shape`",
}


def _kinds() -> Iterator[str]:
    """Every kind of mode with its signature, in the order of the protocol."""
    rows = (
        (
            _code(f'@gradverify.mode("{kind}")'),
            _code(f"def NAME({arguments_of(kind)})"),
            _code(signature.rpartition(" ")[2]),
            RETURNS[kind],
        )
        for kind, signature in KINDS.items()
    )
    return _table(("decorator", "method", "returns", "which is"), rows)


def _modes() -> Iterator[str]:
    """The modes of each built-in engine, by their kinds."""
    rows = (
        (
            _code(name),
            _code(kind),
            ", ".join(_code(m) for m, mode in found.items() if mode.kind == kind),
        )
        for name in BUILTINS
        for found in (load(name).modes(),)
        for kind in dict.fromkeys(mode.kind for mode in found.values())
    )
    return _table(("engine", "kind", "modes"), rows)


def _verdicts() -> Iterator[str]:
    def effect(verdict: Verdict) -> str:
        if verdict in FAILING:
            return "fails"
        return "passes, listed" if verdict in LISTED else "passes"

    rows = ((_code(v.name), v.value, effect(v)) for v in Verdict)
    return _table(("verdict", "what it says", "its item"), rows)


RECORDS = (
    records.Item, records.Discrepancy, records.Claim, records.Known, records.Changes,
    records.Unfinished, records.Note, records.Run,
)  # fmt: skip


def _records() -> Iterator[str]:
    for kind in RECORDS:
        yield f"## `{kind.__struct_config__.tag}`\n"
        yield f"{(kind.__doc__ or '').partition(chr(10))[0]}\n"
        fields = msgspec.structs.fields(kind)
        rows = ((_code(f.name), _code(_type(f.type))) for f in fields)
        yield from _table(("field", "type"), rows)
        yield ""


def _type(kind: object) -> str:
    name = kind.__name__ if isinstance(kind, type) else str(kind)
    number = str(record_kinds.Number).replace("typing.", "")
    name = name.replace("typing.", "").replace("gradverify.records.record_kinds.", "")
    return name.replace(number, "number")


def _findings() -> Iterator[str]:
    by_engine: dict[str, list[Deviation]] = {}
    for row in shipped_rows():
        by_engine.setdefault(row.differentiator, []).append(row)
    for engine, rows in by_engine.items():
        yield f"## {engine}: {len(rows)}\n"
        for row in rows:
            yield f"### {row.id}\n"
            seen = f"`{formula(row.witness.graph)}` in {row.witness.dtype}"
            yield f"Seen at {seen}: {row.reason}."
            yield f" [More]({row.link})\n" if row.link else "\n"
            yield from _script(row)


def _script(row: Deviation) -> Iterator[str]:
    """The witness in the library alone, folded; nothing where it is not installed."""
    engine = load(row.differentiator)
    if engine.available() is not None:
        return
    mode = row.modes[0] if row.modes else next(iter(modes(engine)))
    text = reproducer(row.witness, engine, mode, Judgement(row.verdict[0]))
    yield "<details><summary>A script in the library alone</summary>\n"
    yield f"```python\n{text.rstrip()}\n```\n\n</details>\n"


PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "options": _options,
    "commands": _commands,
    "ops": _ops,
    "op_engines": _op_engines,
    "suites": _suites,
    "kinds": _kinds,
    "modes": _modes,
    "verdicts": _verdicts,
    "records": _records,
    "findings": _findings,
}
