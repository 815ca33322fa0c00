"""`gradverify claims FILE…`: derivatives worked out by hand in scripts and notes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import msgspec

from gradverify.claims.mending.patch import patch
from gradverify.claims.reading.near_misses import near_misses
from gradverify.claims.reading.reader import read_claims
from gradverify.claims.sources.files import (
    SUFFIXES,
    UnreadableError,
    files_in,
    text_of,
)
from gradverify.cli.output import complain, say, say_exactly
from gradverify.cli.status import NOTHING, RIGHT, USAGE, WRONG, CommandError
from gradverify.outside.printing import visible
from gradverify.records import Claim
from gradverify.report import claim_text as text
from gradverify.report.sarif import claims_sarif

MANY = 4  # with so many files, their names are shown while they are read


def claims(options: argparse.Namespace) -> int:
    """Read files and folders, print what is wrong in them, and return the exit
    status.
    """
    try:
        import lark
    except ImportError:
        raise CommandError(
            'reading claims needs lark: pip install "gradverify[claims]"'
        ) from None
    del lark
    # `--sarif notes.py lectures/` would write over somebody's notes.
    if options.sarif is not None and options.sarif.suffix.lower() in SUFFIXES:
        raise CommandError(
            f"--sarif {options.sarif}: a file of notes would be written over; name a "
            "file that ends in .sarif or .json"
        )
    paths, found, unreadable = list(files(options.files)), list[Claim](), 0
    for number, path in enumerate(paths, 1):
        _progress(number, len(paths), path)
        try:
            of_file = read_claims(path)
        except UnreadableError as error:
            _progress(0, len(paths), path)
            complain(error)
            unreadable += 1
            continue
        found += of_file
        _progress(0, len(paths), path)
        if not of_file and not options.json and not options.fix:
            print("\n".join(text.nothing_found(path.as_posix(), near_misses(path))))
        if options.fix:
            _print_patch(path, of_file)
        else:
            _print(of_file, options.json, options.verbose)
    _finish(found, len(paths), options.sarif, quiet=options.json or options.fix)
    has_right = any(claim.verdict == "right" for claim in found)
    if has_right and not (options.verbose or options.json or options.fix):
        say("--verbose shows those that are right as well")
    return _status(found, unreadable)


def files(given: Sequence[str]) -> Iterator[Path]:
    """The files themselves, and the files that can be read in the folders."""
    for name in given:
        yield from [*files_in(Path(), name)] or [Path(name)]


def _status(found: Sequence[Claim], unreadable: int) -> int:
    if unreadable:
        return USAGE
    verdicts = {claim.verdict for claim in found}
    if "wrong" in verdicts:
        return WRONG
    return RIGHT if {"right", "unsure"} & verdicts else NOTHING


def _progress(number: int, count: int, path: Path) -> None:
    """The name of the file that is being read, on a line that is overwritten."""
    if count >= MANY and sys.stderr.isatty():
        line = f"{number} of {count}: {visible(path.name)}" if number else ""
        print(f"\r{line[:76]:<76}", end="" if number else "\r", file=sys.stderr)


def _print(records: Sequence[Claim], as_json: bool, verbose: bool) -> None:
    for record in records:
        if as_json:
            say(_ascii(record))
        elif verbose or record.verdict != "right":
            say("\n".join(text.lines(record)))


def _print_patch(path: Path, found: Sequence[Claim]) -> None:
    def read(content: str) -> list[Claim]:
        return read_claims(path, content)

    diff, left = patch(path.as_posix(), text_of(path), found, read)
    if diff:
        _print_diff(path, diff)
    for claim in left:
        place = text.place(claim)
        complain(f"not corrected: {place}: {visible(claim.text)}")


def _print_diff(path: Path, diff: str) -> None:
    """A diff, which another program is to apply: not one that acts on a terminal."""
    hidden = {c for c in diff if not c.isprintable() and c not in "\n\t\r"}
    if hidden:
        shown = ", ".join(sorted(map(visible, hidden)))
        complain(f"{path}: no diff: the lines beside a correction have {shown}")
    else:
        say_exactly(diff)


def _ascii(record: Claim) -> str:
    """JSON that every encoding has, and that has no sign that acts on a terminal."""
    return json.dumps(msgspec.to_builtins(record), ensure_ascii=True)


def _finish(
    found: Sequence[Claim], count: int, sarif: Path | None, quiet: bool
) -> None:
    if not quiet:
        say(text.counted(found, count))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for line in text.error_lines(found):
                say(line)
    if sarif is not None:
        document = claims_sarif(found, metadata.version("gradverify"))
        try:
            sarif.write_text(document, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"--sarif: {error}") from error
