"""A headless Chromium that opens pages from files, and watches what they ask for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gradverify.report.page import page

from ..report.made import run_records

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium with a profile of its own; skipped where it or its driver is missing."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on the path: apt-get install chromium")
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small run with something of every kind."""
    path = tmp_path_factory.mktemp("page") / "gradverify.html"
    path.write_text(page(run_records()), encoding="utf-8")
    return path


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a file in a context of its own; at the end, all of them were quiet."""
    with visiting(browser) as visit:
        yield visit


@pytest.fixture(scope="module")
def tab(browser: Any, html: Path) -> Iterator[Any]:
    """The page of a small run, for tests that leave nothing behind in it."""
    with visiting(browser) as visit:
        yield visit(html)


@contextmanager
def visiting(browser: Any) -> Iterator[Callable[..., Any]]:
    """What opens a file in a context of its own; at the end, all of them were quiet.

    Quiet: nothing but the file itself was asked for, nothing was written to the
    console, and no script raised.
    """
    opened: list[tuple[Any, list[str]]] = []

    def visit(path: Path, at: str = "", silent: bool = True, **options: Any) -> Any:
        context = browser.new_context(**{"color_scheme": "light", **options})
        tab, noise = context.new_page(), []
        tab.on("request", lambda request: noise.append(request.url))
        tab.on("console", lambda message: noise.append(message.text))
        tab.on("pageerror", lambda error: noise.append(str(error)))
        tab.goto(path.as_uri() + at)
        tab.wait_for_load_state()
        own = [url for url in noise if url.partition("#")[0] == path.as_uri()]
        for url in own:
            noise.remove(url)
        opened.append((context, noise if silent else []))
        return tab

    yield visit
    for context, noise in opened:
        context.close()
        assert noise == []
