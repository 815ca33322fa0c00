"""The command `gradverify`: run, check, replay, save, accept, and lists of what there
is.

The exit status of `run` is that of pytest. For all others it is 0 if all is right, 1 if
something is wrong, 2 for a usage error or an unreadable file, and 3 if nothing was
understood or could be judged.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from gradverify.cli.arguments import Command, expression_last, parser
from gradverify.cli.status import NOTHING, RIGHT, USAGE, WRONG, CommandError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["run"]:
        return _run(given[1:])
    if given[:1] == ["check"]:
        given = expression_last(given)
    options = parser(_commands()).parse_args(given)
    try:
        return int(options.command(options))
    except CommandError as error:
        print(f"gradverify: {error}", file=sys.stderr)
        return USAGE
    except (
        BrokenPipeError
    ):  # the program that reads our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return RIGHT


# ---- commands without a repository


def _run(arguments: Sequence[str]) -> int:
    import pytest

    from gradverify.cli.place import plugin_arguments

    given = _with_values(arguments)
    return int(pytest.main([*plugin_arguments(), "--gradverify-only", *given]))


def _with_values(arguments: Sequence[str]) -> list[str]:
    """Our options as `--name=value`.

    pytest reads the command line once before it has loaded the plugin. It would then
    take a value of ours, such as an existing folder of reports, for something to
    collect, and would look for the rootdir there.
    """
    from gradverify.plugin.options import takes_value

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
    from gradverify.cli.claim_files import claims

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
            marks += [f"with {row.fixed}"] if row.fixed else []
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


def _commands() -> dict[str, Command]:
    """The functions of all commands but `run`, whose arguments are pytest's."""
    return {
        "check": _check,
        "claims": _claims,
        "ops": _ops,
        "differentiators": _differentiators,
        "selftest": _selftest,
        "replay": _replay,
        "save": _save,
        "accept": _accept,
        "network": _network,
        "report": _report,
    }
