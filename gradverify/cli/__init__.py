"""The command `gradverify`: run, check, replay, save, accept, and lists of what there
is.

The exit status of `run` is that of pytest. If the run does not come to its end, it is
128 with the number of the signal that killed it, or 70. For all others it is 0 if all
is right, 1 if something is wrong, 2 for a usage error or an unreadable file, and 3 if
nothing was understood or could be judged. Any command ends with 70 at a fault of
gradverify itself, with 74 if standard output cannot be written, with 141 if the program
that reads it has gone, and with 130 or 143 after the signals INT and TERM.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from gradverify.cli import supervision
from gradverify.cli.arguments import (
    SWITCH,
    Command,
    expression_last,
    parser,
    unknown_command,
)
from gradverify.cli.output import complain, finish, say, silence
from gradverify.cli.status import (
    FAULT,
    INTERRUPTED,
    NOTHING,
    OUTPUT,
    RIGHT,
    USAGE,
    WRONG,
    CommandError,
    OutputError,
)
from gradverify.outside.printing import every_sign


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status.

    arguments: those of the command line if none are given. Then a run has a process of
        its own, so that it cannot end without being noticed.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None and given[:1] == ["run"] and supervision.IS_POSSIBLE:
        return supervision.supervised(given)
    with every_sign():
        try:
            try:
                return _status(given)
            finally:
                finish()
        except OutputError as error:
            silence(sys.stdout)
            if error.status == OUTPUT:
                complain(f"standard output cannot be written: {error}")
            return error.status


def _status(given: list[str]) -> int:
    """What a command ends with, whatever happens in it."""
    try:
        if given[:1] == ["run"]:
            return _run_help() if given[1:] in HELP else _run(given[1:])
        if unknown := unknown_command(given[0]) if given else "":
            raise CommandError(unknown)
        if given[:1] == ["check"]:
            given = expression_last(given)
        options = parser(_commands()).parse_args(given)
        return int(options.command(options))
    except CommandError as error:
        complain(error)
        return USAGE
    except OutputError:
        raise
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except Exception as error:
        what = "".join(traceback.format_exception(error))
        complain(f"{what}This is a fault of gradverify itself: nothing was judged.")
        return FAULT


# ---- commands without a repository

HELP = (["-h"], ["--help"])


def _run_help() -> int:
    """List the options of a run that are ours; all others are pytest's."""
    from gradverify.plugin.options import OPTIONS, flag

    ours = tuple(
        (flag(name), {"metavar": takes} if takes else SWITCH, text)
        for name, takes, text in OPTIONS
    )
    parser(_commands(), ours).parse_args(["run", "--help"])
    return RIGHT


def _run(arguments: Sequence[str]) -> int:
    import pytest

    from gradverify.cli.place import plugin_arguments

    given = _with_values(arguments)
    try:
        return int(pytest.main([*plugin_arguments(), "--gradverify-only", *given]))
    except OSError:
        finish()  # says so if it is standard output that takes no more
        raise


def _with_values(arguments: Sequence[str]) -> list[str]:
    """Our options as `--name=value`.

    pytest reads the command line once before it has loaded the plugin. It would then
    take a value of ours, such as an existing folder of reports, for something to
    collect, and would look for the rootdir there. Of an option that is not ours it
    would not say which one may be meant.
    """
    from gradverify.plugin.options import takes_value, unknown_option

    given: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if unknown := unknown_option(word.partition("=")[0]):
            raise CommandError(unknown)
        value = list(itertools.islice(rest, 1)) if takes_value(word) else []
        given.append("=".join([word, *value]))
    return given


def _check(options: argparse.Namespace) -> int:
    from gradverify.claims import check_claim, exact_gradient

    try:
        at, claims = _pairs("--at", options.at), _pairs("--claim", options.claim)
        if not claims:
            gradient = exact_gradient(options.expression, at)
            say(str(gradient))
            return RIGHT if gradient else NOTHING
        result = check_claim(options.expression, at=at, claims=claims)
    except ValueError as error:
        raise CommandError(str(error)) from error
    say(str(result))
    if any(claim.judged and not claim.right for claim in result.claims):
        return WRONG
    return RIGHT if result else NOTHING


def _check_file(options: argparse.Namespace) -> int:
    from gradverify.cli.function_file import FunctionRequest, check_file

    return check_file(
        FunctionRequest(
            options.function,
            options.at,
            options.reference,
            options.domain,
            options.dtype,
            options.cases,
            options.modes,
        )
    )


def _claims(options: argparse.Namespace) -> int:
    from gradverify.cli.claim_files import claims

    return claims(options)


def _pairs(option: str, texts: Iterable[str]) -> dict[str, Any]:
    """Names and numbers; a name that is given twice is refused."""
    pairs = [_pair(option, text) for text in texts]
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise CommandError(f"{option}: {name} is given {times} times; give it once")
    return dict(pairs)


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
    from gradverify.cli.op_list import ops

    del options
    return ops()


def _report(options: argparse.Namespace) -> int:
    from gradverify.cli.report import report

    return report(
        options.records, options.output, options.merged, options.badge, options.sarif
    )


def _demo(options: argparse.Namespace) -> int:
    from gradverify.cli.demo import demo

    return demo(opened=options.open)


def _init(options: argparse.Namespace) -> int:
    from gradverify.cli.init import init

    return init(options.folder)


def _completion(options: argparse.Namespace) -> int:
    import shtab

    say(shtab.complete(parser(_commands()), shell=options.shell))
    return RIGHT


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
        from gradverify.cli.accept import Accepted, accept

        asked = Accepted(
            options.findings,
            every=options.all,
            reason=options.reason,
            until=options.until,
            when=options.when,
            at_most=options.at_most,
        )
        return accept(place, asked)

    return within(command, options.report)


def _commands() -> dict[str, Command]:
    """The functions of all commands but `run`, whose arguments are pytest's."""
    return {
        "check": _check,
        "check-file": _check_file,
        "claims": _claims,
        "ops": _ops,
        "differentiators": _differentiators,
        "selftest": _selftest,
        "replay": _replay,
        "save": _save,
        "accept": _accept,
        "network": _network,
        "report": _report,
        "demo": _demo,
        "init": _init,
        "completion": _completion,
    }
