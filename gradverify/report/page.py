"""The page: records become page data, and page data become one self-contained HTML
file.

Every section is made by itself. If one fails, it says so in its own place.
"""

from __future__ import annotations

import base64
import hashlib
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from gradverify.outside.printing import visible
from gradverify.records import Records
from gradverify.report.accuracy import accuracy
from gradverify.report.findings import findings
from gradverify.report.hand_worked import hand_worked
from gradverify.report.listing import listing
from gradverify.report.matrix import matrix
from gradverify.report.overview import headline, is_right, overview
from gradverify.report.trust import trust
from gradverify.surroundings import surrounded

FOLDER = Path(__file__).parent
STYLES = ("page.css", "parts.css", "small.css")
SCRIPTS = ("filter.js", "matrix.js", "listing.js", "tables.js", "keys.js")


@dataclass(frozen=True)
class Section:
    """A part of the page: its id and template, its title, and what makes its data."""

    name: str
    title: str
    make: Callable[[Records], Any]


# fmt: off
SECTIONS = (
    Section("overview",      "Verdict",               overview),
    Section("matrix",        "Matrix",                matrix),
    Section("discrepancies", "Discrepancies",         findings),
    Section("hand-worked",   "Worked out by hand",    hand_worked),
    Section("listing",       "All findings",          listing),
    Section("accuracy",      "Accuracy",              accuracy),
    Section("trust",         "Trust",                 trust),
)
# fmt: on


@dataclass(frozen=True)
class PagePart:
    """A section as it stands on the page."""

    name: str
    title: str
    html: Markup


@surrounded
def page(found: Records, sections: tuple[Section, ...] = SECTIONS) -> str:
    """The HTML of a run's records."""
    templates = environment()
    style, script = _joined(STYLES), _joined(SCRIPTS)
    return templates.get_template("page.html.jinja2").render(
        title=headline(found),
        is_right=is_right(found),
        parts=list(_parts(templates, found, sections)),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


@cache
def environment() -> jinja2.Environment:
    """Templates that escape all text, control characters included."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    found.filters["island"] = island
    return found


def _shown(value: Any) -> Any:
    return visible(value) if type(value) is str else value


def island(value: Any) -> Markup:
    """JSON inside an HTML element. No text in it can end the element."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _parts(
    templates: jinja2.Environment, found: Records, sections: tuple[Section, ...]
) -> Iterator[PagePart]:
    for section in sections:
        try:
            data = section.make(found)
            if data is None:
                continue
            template = templates.get_template(f"{section.name}.html.jinja2")
            html = template.render(data=data, section=section)
        except Exception as error:
            lines = traceback.format_exception_only(error)
            template = templates.get_template("failed.html.jinja2")
            html = template.render(lines=lines, section=section)
        yield PagePart(section.name, section.title, Markup(html))


def _joined(names: tuple[str, ...]) -> str:
    texts = (FOLDER.joinpath("assets", name).read_text("utf-8") for name in names)
    return "\n" + "\n".join(texts)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
