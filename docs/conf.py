"""How the pages are built: `sphinx-build -W docs docs/_build`."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import made

import gradverify

project = "gradverify"
author = "the gradverify maintainers"
release = gradverify.__version__
version = release.partition(".dev")[0]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "_made"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
default_role = "code"  # as docstrings use their single backticks

autodoc_typehints = "description"
autodoc_member_order = "bysource"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

html_theme = "furo"
html_title = "gradverify"
html_show_copyright = False


# A docstring tells of arguments and fields in paragraphs that begin "name: what it is".
FIELD = re.compile(r"(?P<names>[a-z_]\w*(?:, [a-z_]\w*)*): (?P<text>.*)")


def as_list(lines):
    """Such paragraphs as items of a list; all others as they are."""
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line)
            continue
        if paragraph and FIELD.match(paragraph[0]):
            for text in paragraph:
                found = FIELD.match(text)
                item = f"- **{found['names']}**: {found['text']}" if found else ""
                yield item or f"  {text.strip()}"
        else:
            yield from paragraph
        yield ""
        paragraph = []


def setup(app):
    """Tables of the reference are written from the tables of the program."""
    app.connect("builder-inited", lambda app: made.write_all(Path(app.srcdir)))

    def docstring(app, what, name, obj, options, lines):
        lines[:] = as_list(lines)

    app.connect("autodoc-process-docstring", docstring)
