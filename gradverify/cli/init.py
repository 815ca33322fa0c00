"""`gradverify init`: what a repository needs, written where nothing is yet."""

from __future__ import annotations

import configparser
import tomllib
from importlib import resources
from pathlib import Path

from gradverify.cli.output import say
from gradverify.cli.status import RIGHT, CommandError
from gradverify.outside.reading import read_bytes
from gradverify.outside.writing import append, replace

WORKFLOW = Path(".github") / "workflows" / "gradverify.yml"
LARGEST = 1 << 20  # bytes of a file of settings
SETTINGS = "gradverify_profile = {0}ci{0}\ngradverify_seed = {0}0{0}\n"

# A file that may have pytest's settings, and its section of them.
INI = {"pytest.ini": "pytest", "tox.ini": "pytest", "setup.cfg": "tool:pytest"}


def init(folder: Path) -> int:
    """Write a conftest, settings and a workflow; leave alone what is there.

    Every file gets a line that says what was done. Raises `CommandError` for a folder
    that does not exist, and for a file that cannot be read or written.
    """
    if not folder.is_dir():
        raise CommandError(f"{folder} is no folder; give that of a repository")
    try:
        for line in (
            _conftest(folder / "conftest.py"),
            _settings(folder),
            _workflow(folder / WORKFLOW),
        ):
            say(line)
    except (OSError, ValueError) as error:
        raise CommandError(f"{folder}: {error}") from error
    say("next: gradverify run")
    return RIGHT


def _conftest(path: Path) -> str:
    if path.exists():
        return f"left {path} as it is; `@gradverify.register` registers an engine there"
    replace(path, _starter("conftest.py.txt"))
    return f"wrote {path}: an engine of yours is registered there"


def _workflow(path: Path) -> str:
    if path.exists():
        return f"left {path} as it is"
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, _starter("gradverify.yml"))
    return f"wrote {path}: GitHub runs gradverify on every push"


def _settings(folder: Path) -> str:
    """Settings in the file that pytest reads; only told where it has some already."""
    for name, section in INI.items():
        path = folder / name
        if path.exists() and (name == "pytest.ini" or _has(path, section)):
            return _told(path, f"[{section}]", SETTINGS.format(""))
    project = folder / "pyproject.toml"
    section = "[tool.pytest.ini_options]"
    if not project.exists():
        path = folder / "pytest.ini"
        replace(path, f"[pytest]\n{SETTINGS.format('')}".encode())
        return f"wrote {path}: the settings of a run"
    text = _text(project)
    if "pytest" in tomllib.loads(text).get("tool", {}):
        return _told(project, section, SETTINGS.format('"'))
    gap = "\n" if text.endswith("\n") or not text else "\n\n"
    append(project, f"{gap}{section}\n{SETTINGS.format(chr(34))}".encode())
    return f"added {section} to {project}: the settings of a run"


def _has(path: Path, section: str) -> bool:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string(_text(path))
    except configparser.Error as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    return parser.has_section(section)


def _told(path: Path, section: str, settings: str) -> str:
    lines = settings.strip().replace("\n", ", ")
    if "gradverify_" in _text(path):
        return f"left {path} as it is; it has settings of gradverify"
    return f"left {path} as it is; {section} may have {lines}"


def _text(path: Path) -> str:
    return read_bytes(path, LARGEST).decode()


def _starter(name: str) -> bytes:
    """A file that comes with the package."""
    return resources.files("gradverify.cli").joinpath("starter", name).read_bytes()
