"""What the user asked for: options and ini values, checked; and the anchor of the
items.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradverify.outside.nearest import meant
from gradverify.suites import SUITES

if TYPE_CHECKING:
    from gradverify.suites.large_network import Network

PROFILES = ("smoke", "ci", "deep")
POLICIES = ("wrong", "imprecise", "new")
ANCHORS = (
    "pyproject.toml",
    "pytest.ini",
    "setup.cfg",
    "tox.ini",
    "setup.py",
    "conftest.py",
)

LARGEST = 2**63 - 1  # of a number that is typed

NAMED_NETWORK = re.compile(r"::networks::(\d+(?:-\w+)+)")

# name, what it takes (None: a switch), help
OPTIONS: tuple[tuple[str, str | None, str], ...] = (
    ("", None, "add the gradient suites to what is collected"),
    ("only", None, "run the gradient suites alone"),
    ("differentiators", "NAMES", "which are judged: names or package.module:Class"),
    ("modes", "NAMES", "which modes of them, or all (default: by profile)"),
    ("order", "N", "the highest order of derivatives asked for, 1 or 2 (default: 2)"),
    ("suites", "NAMES", f"which suites: {', '.join(SUITES)} (default: all)"),
    ("ops", "NAMES", "which ops (default: all)"),
    ("dtypes", "NAMES", "which dtypes (default: all that are supported)"),
    ("network", "SIZES", "large networks in the suite of that name: 784-784-10"),
    ("activation", "NAME", "of their hidden layers (default: tanh)"),
    ("loss", "NAME", "of their outputs (default: cross_entropy)"),
    ("profile", "NAME", f"how much: {', '.join(PROFILES)} (default: ci)"),
    ("time", "SECONDS", "how long the run may draw cases (default: by profile)"),
    ("max-nodes", "N", "how many ops a drawn graph has at most (default: by family)"),
    ("seed", "N", "what cases are drawn from (default: 0)"),
    ("fail-on", "POLICY", f"what fails: {', '.join(POLICIES)} (default: wrong)"),
    ("against", "FILE", "records of an older run that this one is compared with"),
    ("claims", "PATHS", "files with derivatives worked out by hand, folders and globs"),
    ("report", "DIR", "where records and page are written (default: reports)"),
)


@dataclass(frozen=True)
class Settings:
    """The options of a run. Empty tuples and None stand for the defaults."""

    differentiators: tuple[str, ...]
    modes: tuple[str, ...]
    order: int
    suites: tuple[str, ...]
    ops: tuple[str, ...]
    dtypes: tuple[str, ...]
    networks: tuple[Network, ...]
    profile: str
    time: float | None
    max_nodes: int | None
    seed: int
    fail_on: str
    report: Path
    report_as_given: str
    against: Path | None


def flag(name: str) -> str:
    """How an option is written on the command line."""
    return f"--gradverify-{name}" if name else "--gradverify"


def _key(name: str) -> str:
    return f"gradverify_{name}".replace("-", "_").rstrip("_")


def takes_value(word: str) -> bool:
    """Whether a word of a command line is one of our options, without its value."""
    return word in {flag(name) for name, takes, _ in OPTIONS if takes is not None}


def unknown_option(word: str) -> str:
    """What is said of an option that looks like ours and is none; "" for all others."""
    flags = [flag(name) for name, _, _ in OPTIONS]
    if not word.startswith("--gradverify-") or word in flags:
        return ""
    listing = "`gradverify run --help` lists them"
    return f"no option {word!r}; {meant(word, flags, listing)}"


def add_options(parser: pytest.Parser) -> None:
    """Add every option to the command line and to the ini file."""
    group = parser.getgroup("gradverify", "gradient verification")
    for name, takes, text in OPTIONS:
        if takes is None:
            group.addoption(flag(name), action="store_true", dest=_key(name), help=text)
            parser.addini(_key(name), text, type="bool", default=False)
        else:
            group.addoption(flag(name), metavar=takes, dest=_key(name), help=text)
            parser.addini(_key(name), text, default="")


def _given(config: pytest.Config, name: str) -> str:
    """The text of an option; else that of the ini file; else empty."""
    option = config.getoption(_key(name))
    return str(config.getini(_key(name)) if option is None else option).strip()


def claims(config: pytest.Config) -> str:
    """The files with hand-worked derivatives that were asked for."""
    return _given(config, "claims")


def _switched(config: pytest.Config, name: str) -> bool:
    return bool(config.getoption(_key(name)) or config.getini(_key(name)))


# ---- checked


def checked(config: pytest.Config) -> Settings:
    """The settings of a run.

    `pytest.UsageError` names what is unknown and lists what there is.
    """
    from gradverify.formats import DTYPES
    from gradverify.ops import OPS
    from gradverify.questions import ORDERS
    from gradverify.suites.blocks import MOST_NODES

    ops = [row.name for row in OPS if not row.internal]
    return Settings(
        differentiators=_names(config, "differentiators"),
        modes=_names(config, "modes"),
        order=_number(config, "order", int, ORDERS[0], most=ORDERS[-1]) or ORDERS[-1],
        suites=_among(config, "suites", SUITES),
        ops=_among(config, "ops", ops),
        dtypes=_among(config, "dtypes", DTYPES),
        networks=_networks(config),
        profile=_one(config, "profile", PROFILES, "ci"),
        time=_number(config, "time", float, 1),
        max_nodes=_number(config, "max-nodes", int, 1, most=MOST_NODES),
        seed=_number(config, "seed", int, 0) or 0,
        fail_on=_one(config, "fail-on", POLICIES, "wrong"),
        report=report_folder(config),
        report_as_given=(config.getoption(_key("report")) or "").strip(),
        against=_path(config, "against"),
    )


def report_folder(config: pytest.Config) -> Path:
    """Where records and page go.

    A relative path in the ini file counts from the rootdir.
    """
    return _path(config, "report") or config.rootpath / "reports"


def _path(config: pytest.Config, name: str) -> Path | None:
    """A path. A relative one in the ini file counts from the rootdir."""
    by_option = config.getoption(_key(name)) is not None
    base = config.invocation_params.dir if by_option else config.rootpath
    given = _given(config, name)
    return base / given if given else None


def _names(config: pytest.Config, name: str) -> tuple[str, ...]:
    given = _given(config, name)
    words = tuple(dict.fromkeys(w for w in re.split(r"[,\s]+", given) if w))
    if given and not words:
        raise pytest.UsageError(f"{flag(name)}: {given!r} names nothing")
    return words


def _among(config: pytest.Config, name: str, known: Iterable[str]) -> tuple[str, ...]:
    known, names = tuple(known), _names(config, name)
    for word in names:
        if word not in known:
            raise unknown(flag(name), word, known, LISTINGS.get(name, ""))
    return names


def _one(config: pytest.Config, name: str, known: Sequence[str], default: str) -> str:
    word = _given(config, name) or default
    if word not in known:
        raise unknown(flag(name), word, known)
    return word


LISTINGS = {"ops": "`gradverify ops` lists them"}


def unknown(
    flag: str, word: str, known: Iterable[str], listing: str = ""
) -> pytest.UsageError:
    """The error about a name that an option does not know."""
    return pytest.UsageError(
        f"{flag}: {word!r} is unknown; {meant(word, known, listing)}"
    )


def _networks(config: pytest.Config) -> tuple[Network, ...]:
    """The networks that were asked for, by the option or by the name of an item."""
    from gradverify.suites.large_network import (
        ACTIVATIONS,
        LOSSES,
        Network,
        network_of,
        sizes_of,
    )

    activation = _one(config, "activation", ACTIVATIONS, ACTIVATIONS[0])
    loss = _one(config, "loss", tuple(LOSSES), next(iter(LOSSES)))
    named = (NAMED_NETWORK.search(str(argument)) for argument in config.args)
    try:
        found = [
            *(
                Network(sizes_of(t), activation, loss)
                for t in _names(config, "network")
            ),
            *(network_of(match[1]) for match in named if match),
        ]
        return tuple(dict.fromkeys(found))
    except ValueError as error:
        raise pytest.UsageError(f"{flag('network')}: {error}") from error


def _number(
    config: pytest.Config, name: str, kind: Any, least: int, most: int = LARGEST
) -> Any:
    text = _given(config, name)
    if not text:
        return None
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not least <= number <= most:
        word = "a whole number" if kind is int else "seconds"
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise pytest.UsageError(
            f"{flag(name)}: {shown!r}: give {word} from {least} to {most}"
        )
    return number


# ---- the anchor


def anchor(config: pytest.Config) -> Path | None:
    """The file in the rootdir under which the items hang."""
    found = (config.rootpath / name for name in ANCHORS)
    return next((path for path in found if path.is_file()), None)


def names_items(config: pytest.Config, anchor: Path | None, argument: str) -> bool:
    """Whether a command-line argument is `ANCHOR::suite...`."""
    path, *parts = argument.split("[", 1)[0].split("::")
    return (
        bool(parts)
        and parts[0] in SUITES
        and anchor is not None
        and (config.invocation_params.dir / path).resolve() == anchor.resolve()
    )


def is_only(config: pytest.Config) -> bool:
    """Whether the run has gradient suites and nothing else."""
    return _switched(config, "only")


def is_on(config: pytest.Config) -> bool:
    """Whether the run has gradient suites: by option, ini file, or a named item."""
    if _switched(config, "") or is_only(config):
        return True
    if not any("::" in str(argument) for argument in config.args):
        return False
    found = anchor(config)
    return any(names_items(config, found, str(a)) for a in config.args)


def arguments(config: pytest.Config, anchor: Path) -> list[str]:
    """The arguments of the run, with the anchor among them once.

    The anchor is not added if it lies within a rootdir that is named, or if items of it
    are named.
    """
    given = [str(argument) for argument in config.args]
    named = [a for a in given if names_items(config, anchor, a)]
    if is_only(config):
        return named or [str(anchor)]
    here = config.invocation_params.dir
    paths = [(here / a).resolve() for a in given if "::" not in a]
    inside = anchor.resolve() in paths or anchor.parent.resolve() in paths
    return given if named or inside else [*given, str(anchor)]
