"""The command line: which commands there are, and what each of them takes."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import gradverify
from gradverify.cli.output import say
from gradverify.formats import DTYPES
from gradverify.outside.nearest import meant

Arguments = tuple[tuple[str, Mapping[str, Any], str], ...]
Command = Callable[[argparse.Namespace], int]

SHELLS = ("bash", "zsh", "tcsh")
LARGEST = 2**63 - 1  # of a number that is typed


def day(text: str) -> date:
    """A date in the form YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date YYYY-MM-DD") from None


def count(text: str) -> int:
    """A whole number of up to 63 bits."""
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    if not (text.isdecimal() and len(text) <= 40 and int(text) <= LARGEST):
        raise argparse.ArgumentTypeError(
            f"{shown!r} is no whole number from 0 to {LARGEST}"
        )
    return int(text)


PAIRS: Mapping[str, Any] = {
    "action": "append",
    "default": [],
    "metavar": "NAME=NUMBER",
}
SWITCH: Mapping[str, Any] = {"action": "store_true"}
TEXT: Mapping[str, Any] = {"default": ""}
FILE: Mapping[str, Any] = {"type": Path, "metavar": "FILE"}
FILES: Mapping[str, Any] = {"nargs": "+", "metavar": "FILE"}

# A command and what it does; then its arguments: flags, settings, help.
# fmt: off
COMMANDS: Mapping[str, tuple[str, Arguments]] = {
    "run": ("run the gradient suites alone: arguments are those of pytest", ()),
    "check": ("hold derivatives worked out by hand against the exact ones", (
        ("expression", {},    "Python syntax, read and never executed"),
        ("--at",       PAIRS, "the value of a name, or a JSON list"),
        ("--claim",    PAIRS, "a derivative that was worked out"))),
    "check-file": ("judge a function that you wrote, at these arguments and others", (
        ("function",    {},   "my_ops.py::MyFunction, or package.module:function"),
        ("--at",        {**PAIRS, "metavar": "NAME=ARRAY"},
                              "an argument, such as 'x=randn(3,4)'; once for each"),
        ("--reference", TEXT, "the same in plain code, another such place"),
        ("--domain",    TEXT, "where it may be looked at, such as 'x > 0'"),
        ("--dtype",     {"default": DTYPES[0], "choices": DTYPES}, "of the arguments"),
        ("--cases",     {"type": count, "default": 50}, "how many points"),
        ("--modes",     TEXT, "such as reverse,forward, or all"))),
    "claims": ("the same for all those in scripts, notebooks and notes", (
        ("files",        FILES,  "files, or folders of them"),
        ("--json",       SWITCH, "one object a claim"),
        ("--fix",        SWITCH, "print a diff of corrections"),
        ("--verbose -v", SWITCH, "right ones too"),
        ("--sarif",      FILE,   "where to write SARIF"))),
    "ops": ("list the ops", ()),
    "differentiators": ("list the differentiators, and why some cannot run", ()),
    "selftest": ("plant faults into an engine's rules: how many are found", (
        ("engine",   {"nargs": "?", "default": "own-tape"}, "its name"),
        ("--mode",   TEXT, "how it differentiates"),
        ("--ops",    TEXT, "which ops, by commas (default: all)"),
        ("--dtype",  {"default": DTYPES[0]}, " or ".join(DTYPES)),
        ("--cases",  {"type": count, "default": 60}, "at most, by op"),
        ("--seed",   {"type": count, "default": 0}, "what is drawn"),
        ("--report", FILE, "the report folder"))),
    "replay": ("run a case of the last run, or a saved one, again", (
        ("case",             {},   "ten hex digits, or a file"),
        ("--differentiator", {},   "judge this one instead"),
        ("--report",         FILE, "the report folder"))),
    "save": ("keep a case in gradverify-cases/, to be run ever after", (
        ("case",     {},   "ten hex digits"),
        ("--report", FILE, "the report folder"))),
    "accept": ("list findings in gradverify-known.toml", (
        ("findings", {"nargs": "*", "metavar": "FINDING"},
                                    "differentiator:mode:dtype/op/verdict"),
        ("--all",    SWITCH,        "every one that fails"),
        ("--reason", TEXT,          "why it is lived with"),
        ("--when",   TEXT,          "where, such as 'x > 20'"),
        ("--at-most", TEXT,         "its size, such as 2e-9 or '20 bounds'"),
        ("--until",  {"type": day}, "YYYY-MM-DD, the last day"),
        ("--report", FILE,          "the report folder"))),
    "network": ("one derivative of a large network, in forward mode", (
        ("sizes",           {}, "such as 784-784-10"),
        ("--forward-entry", {"required": True, "metavar": "NAME,I,J"},
                            "the weight, such as v,5,2"),
        ("--output",        {"type": count}, "which (default: its own, or 0)"),
        ("--activation",    {"default": "tanh"}, "of the hidden layers"))),
    "report": ("make the page anew from records", (
        ("records",  {**FILES, "type": Path}, "records, or the folder that has them"),
        ("--output", FILE, "the page to write"),
        ("--merged", FILE, "records to write, as one"),
        ("--badge",  FILE, "a badge to write, JSON for shields.io"),
        ("--sarif",  FILE, "SARIF to write, for code scanning"))),
    "demo": ("a planted mistake is found and explained, in ten seconds", (
        ("--open", SWITCH, "show the page in a browser"),)),
    "init": ("write into a repository what gradverify needs; nothing is changed", (
        ("folder", {"nargs": "?", "type": Path, "default": Path()},
                   "the repository (default: here)"),)),
    "completion": ("print a script that completes commands for a shell", (
        ("shell", {"choices": SHELLS}, "evaluate what is printed there"),)),
}
# fmt: on


# How each command is called, shown by its --help.
EXAMPLES: Mapping[str, str] = {
    "run": "gradverify run --gradverify-time 60 -n 2",
    "check": 'gradverify check "(a + b) * (a * b)" --at a=2 --at b=3 --claim a=11',
    "check-file": 'gradverify check-file my_ops.py::MyFunction --at "x=randn(3,4)"',
    "claims": "gradverify claims lectures/ --fix",
    "ops": "gradverify ops",
    "differentiators": "gradverify differentiators",
    "selftest": "gradverify selftest torch-cpu --ops exp,mul",
    "replay": "gradverify replay 5c2be78001",
    "save": "gradverify save 5c2be78001",
    "accept": "gradverify accept toy:forward:float64/mul/wrong --reason 'rule is old'",
    "network": "gradverify network 784-784-10 --forward-entry v,5,2",
    "report": "gradverify report shard-1.jsonl shard-2.jsonl --merged all.jsonl",
    "demo": "gradverify demo --open",
    "init": "gradverify init",
    "completion": 'eval "$(gradverify completion bash)"',
}


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes as long as all else."""

    def __call__(
        self, parser: argparse.ArgumentParser, *given: object, **more: object
    ) -> None:
        say(f"gradverify {gradverify.__version__}")
        parser.exit()


class _OfCommand(argparse.ArgumentParser):
    """Says of an option that it does not know which one may be meant."""

    def parse_known_args(
        self, args: Any = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        found, left = super().parse_known_args(args, namespace)
        unknown = [word.partition("=")[0] for word in left if word.startswith("-")]
        if unknown:
            listing = f"`{self.prog} --help` lists them"
            options = [o for o in self._option_string_actions if o.startswith("--")]
            known = meant(unknown[0], options, listing)
            self.error(f"unrecognized arguments: {' '.join(left)}; {known}")
        return found, left


def parser(
    commands: Mapping[str, Command], of_run: Arguments = ()
) -> argparse.ArgumentParser:
    """The parser; a command's function is in the namespace as `command`.

    of_run: the options of `run`. They are read by pytest; here they are listed.
    """
    whole = argparse.ArgumentParser(
        prog="gradverify", description="Judge gradients against mpmath."
    )
    whole.add_argument("--version", action=_Version, nargs=0, help="the version")
    kinds = whole.add_subparsers(
        metavar="COMMAND", required=True, parser_class=_OfCommand
    )
    for name, (text, arguments) in COMMANDS.items():
        sub = kinds.add_parser(name, help=text, epilog=f"example: {EXAMPLES[name]}")
        sub.set_defaults(command=commands.get(name))
        for flags, special, help_text in arguments if name != "run" else of_run:
            sub.add_argument(*flags.split(), **special, help=help_text)
    return whole


def unknown_command(word: str) -> str:
    """What is said of a word that is no command; "" for a command or an option."""
    if word.startswith("-") or word in COMMANDS:
        return ""
    listing = "`gradverify --help` lists them"
    return f"no command {word!r}; {meant(word, COMMANDS, listing)}"


def expression_last(given: Sequence[str]) -> list[str]:
    """The arguments with the expression at the end, after "--".

    An expression such as -a*b would be taken for an option.
    """
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
