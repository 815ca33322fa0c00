"""The command `gradverify`: run, check, replay, save, accept, and what there is.

Exit status: that of pytest for `run`; else 0 right, 1 wrong, 2 a usage error or an
unreadable file, 3 nothing was understood or could be judged.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from gradverify.cli.status import NOTHING, RIGHT, USAGE, WRONG, CommandError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["run"]:
        return _run(given[1:])
    if given[:1] == ["check"]:
        given = _expression_last(given)
    options = _parser().parse_args(given)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except CommandError as error:
        print(f"gradverify: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return RIGHT


# fmt: off
COMMANDS = (
    ("run",             "run the gradient suites alone: arguments are those of pytest"),
    ("check",           "hold derivatives worked out by hand against the exact ones"),
    ("claims",          "the same for all those in scripts, notebooks and notes"),
    ("ops",             "list the ops"),
    ("differentiators", "list the differentiators, and why some cannot run"),
    ("selftest",        "plant faults into an engine's rules: how many are found"),
    ("replay",          "run a case of the last run, or a saved one, again"),
    ("save",            "keep a case in gradverify-cases/, to be run ever after"),
    ("accept",          "list a finding in gradverify-known.toml"),
    ("network",         "one derivative of a large network, in forward mode"),
    ("report",          "make the page anew from records"),
)
# fmt: on


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradverify", description="Judge gradients against mpmath."
    )
    kinds = parser.add_subparsers(metavar="COMMAND", required=True)
    sub = {name: kinds.add_parser(name, help=text) for name, text in COMMANDS}
    for name in ("check", "claims", "ops", "differentiators", "selftest", "replay",
                 "save", "accept", "network"):  # fmt: skip
        sub[name].set_defaults(command=globals()[f"_{name}"])
    sub["report"].set_defaults(command=_report)
    check = sub["check"]
    check.add_argument("expression", help="Python syntax, read and never executed")
    pairs: dict[str, Any] = {
        "action": "append",
        "default": [],
        "metavar": "NAME=NUMBER",
    }
    check.add_argument("--at", **pairs, help="the value of a name, or a JSON list")
    check.add_argument("--claim", **pairs, help="a derivative that was worked out")
    claims = sub["claims"]
    claims.add_argument(
        "files", nargs="+", metavar="FILE", help="files, or folders of them"
    )
    claims.add_argument("--json", action="store_true", help="one object a claim")
    claims.add_argument(
        "--fix", action="store_true", help="print a diff of corrections"
    )
    claims.add_argument("--verbose", "-v", action="store_true", help="right ones too")
    claims.add_argument(
        "--sarif", type=Path, metavar="FILE", help="where to write SARIF"
    )
    engine = sub["selftest"]
    engine.add_argument("engine", nargs="?", default="own-tape", help="its name")
    engine.add_argument("--mode", default="", help="how it differentiates")
    engine.add_argument("--ops", default="", help="which ops, by commas (default: all)")
    engine.add_argument("--dtype", default="float64", help="float64 or float32")
    engine.add_argument("--cases", type=_count, default=60, help="at most, by op")
    engine.add_argument("--seed", type=_count, default=0, help="what is drawn")
    sub["replay"].add_argument("case", help="ten hex digits, or a file")
    sub["replay"].add_argument("--differentiator", help="judge this one instead")
    sub["save"].add_argument("case", help="ten hex digits")
    sub["accept"].add_argument("finding", help="differentiator:mode:dtype/op/verdict")
    sub["accept"].add_argument("--reason", default="", help="why it is lived with")
    sub["accept"].add_argument("--when", default="", help="where, such as 'x > 20'")
    sub["accept"].add_argument("--until", type=_date, help="YYYY-MM-DD, the last day")
    network = sub["network"]
    network.add_argument("sizes", help="such as 784-784-10")
    network.add_argument("--forward-entry", required=True, metavar="NAME,I,J",
                         help="the weight, such as v,5,2")  # fmt: skip
    network.add_argument("--output", type=_count, help="which (default: its own, or 0)")
    network.add_argument("--activation", default="tanh", help="of the hidden layers")
    sub["report"].add_argument("records", nargs="+", type=Path, metavar="FILE",
                               help="records, or the folder that has them")  # fmt: skip
    sub["report"].add_argument("--output", type=Path, help="the page to write")
    sub["report"].add_argument("--merged", type=Path, help="records to write, as one")
    for name in ("selftest", "replay", "save", "accept"):
        sub[name].add_argument("--report", type=Path, help="the report folder")
    return parser


def _expression_last(given: Sequence[str]) -> list[str]:
    """An expression such as -a*b looks like an option: put it last, after "--"."""
    options, others = [], []
    rest = iter(given[1:])
    for word in rest:
        name, equals, _ = word.partition("=")
        if word in ("-h", "--help", "--"):
            return list(given)
        if len(name) > 2 and any(o.startswith(name) for o in ("--at", "--claim")):
            options += [word] if equals else [word, *itertools.islice(rest, 1)]
        else:
            others.append(word)
    return [given[0], *options, "--", *others]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date YYYY-MM-DD") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 up")
    return int(text)


# ---- commands without a repository


def _run(arguments: Sequence[str]) -> int:
    import pytest

    from gradverify.cli.place import plugin_arguments

    given = _with_values(arguments)
    return int(pytest.main([*plugin_arguments(), "--gradverify-only", *given]))


def _with_values(arguments: Sequence[str]) -> list[str]:
    """Our options as `--name=value`.

    Before it has loaded the plugin, pytest takes a value of its own, such as an
    existing folder of reports, for what it is to collect, and looks for the rootdir
    there.
    """
    from gradverify.plugin.settings import takes_value

    given: list[str] = []
    rest = iter(arguments)
    for word in rest:
        value = list(itertools.islice(rest, 1)) if takes_value(word) else []
        given.append("=".join([word, *value]))
    return given


def _check(options: argparse.Namespace) -> int:
    from gradverify.claims import check_claim

    try:
        at = dict(_pair("--at", text) for text in options.at)
        claims = dict(_pair("--claim", text) for text in options.claim)
        result = check_claim(options.expression, at=at, claims=claims)
    except ValueError as error:
        raise CommandError(str(error)) from error
    print(result)
    if any(claim.judged and not claim.right for claim in result.claims):
        return WRONG
    return RIGHT if result else NOTHING


def _claims(options: argparse.Namespace) -> int:
    from gradverify.cli.claims import claims

    return claims(options)


def _pair(option: str, text: str) -> tuple[str, Any]:
    name, equals, number = text.partition("=")
    if not (equals and name.strip() and number.strip()):
        raise CommandError(f"{option} {text!r}: write it as {option} a=2")
    return name.strip(), _numbers(number.strip())


def _numbers(text: str) -> Any:
    """A number as it was written, or nested lists of such."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{text!r} is no list of numbers: {error}") from error


def _network(options: argparse.Namespace) -> int:
    from gradverify.cli.network import forward_entry

    return forward_entry(
        options.sizes, options.forward_entry, options.output, options.activation
    )


def _ops(options: argparse.Namespace) -> int:
    from gradverify.ops import OPS

    del options
    for row in OPS:
        if not row.internal:
            marks = [f"params {', '.join(row.params)}"] if row.params else []
            marks += ["kink"] if row.kink else []
            marks += [] if row.is_primitive else ["expands into primitives"]
            spelled = f" ({row.operator})" if row.operator else ""
            count = f"{row.arity} operand" + ("s" if row.arity != 1 else "")
            print(f"{row.name + spelled:<14}", ", ".join([count, *marks]), sep="  ")
    return RIGHT


def _report(options: argparse.Namespace) -> int:
    from gradverify.cli.report import report

    return report(options.records, options.output, options.merged)


# ---- commands within a repository, whose conftest may register differentiators


def _differentiators(options: argparse.Namespace) -> int:
    from gradverify.cli.place import Place, within

    def command(place: Place) -> int:
        from gradverify.cli.replay import list_differentiators

        return list_differentiators(place)

    del options
    return within(command)


def _selftest(options: argparse.Namespace) -> int:
    from gradverify.cli.place import Place, within

    def command(place: Place) -> int:
        from gradverify.cli.selftest import Request, selftest

        ops = [op for op in options.ops.replace(",", " ").split() if op]
        return selftest(
            place,
            Request(
                options.engine,
                options.mode,
                ops,
                options.dtype,
                options.cases,
                options.seed,
            ),
        )

    return within(command, options.report)


def _replay(options: argparse.Namespace) -> int:
    from gradverify.cli.place import Place, within

    def command(place: Place) -> int:
        from gradverify.cli.replay import replay

        return replay(place, options.case, options.differentiator)

    return within(command, options.report)


def _save(options: argparse.Namespace) -> int:
    from gradverify.cli.place import Place, within

    def command(place: Place) -> int:
        from gradverify.cli.replay import save

        return save(place, options.case)

    return within(command, options.report)


def _accept(options: argparse.Namespace) -> int:
    from gradverify.cli.place import Place, within

    def command(place: Place) -> int:
        from gradverify.cli.accept import accept

        return accept(
            place,
            options.finding,
            reason=options.reason,
            until=options.until,
            when=options.when,
        )

    return within(command, options.report)
