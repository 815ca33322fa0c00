"""How large the page of many records is, and how fast it is made and opened.

    python -m tests.benchmarks.bench_page [--records 200 10000 100000]

Every record is a finding of its own, with a diagnosis, evidence and a reproducer. Made:
processor time of this process. Opened: until the file stands in headless Chromium, its
first picture drawn and its scripts run; filtered: until a word in the filter box has
been looked for in every record. Both are processor time of the page's thread, so that
a machine that has other work to do says the same; the median of five.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gradverify.ops import OPS
from gradverify.records import Discrepancy, Records
from gradverify.report.page import page

from ..browser.conftest import ARGUMENTS
from ..report.made import explained, found, item, run_records
from .table import print_table

TIMES = 5
DRAWN = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
WHO = ("toy", "torch-cpu", "autograd", "jax")


def many(n: int) -> Records:
    """A run of which n cases deviate, each in its own way."""
    ops = list(OPS.public())
    one = found(**explained())
    items = [item("ops", op, "failed", {"WRONG": 20, "AGREES": 20},
                  errors={"-inf": 30, "0": 10}) for op in ops]  # fmt: skip
    return msgspec.structs.replace(
        run_records(), discrepancies=tuple(_discrepancies(one, ops, n)), items=(*items,)
    )


def _discrepancies(one: Discrepancy, ops: list[str], n: int) -> Iterator[Discrepancy]:
    for i in range(n):
        op, who = ops[i % len(ops)], WHO[i % len(WHO)]
        yield msgspec.structs.replace(
            one,
            op=op,
            differentiator=who,
            finding=f"{who}:reverse:float64/{op}/wrong-{i}",
            item=f"pyproject.toml::ops::{op}[{who}:reverse:float64]",
            case=f"{i:010x}",
            got=repr(11.0 + i / 7),
            bound_ratio=repr(5e14 / (i + 1)),
        )


def opened(browser: Any, path: Path) -> tuple[float, float]:
    """Seconds until the page stands, and until a filter has been applied."""
    tab = browser.new_page()
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable")
    began = _thread_time(session)
    tab.goto(path.as_uri())
    tab.evaluate(DRAWN)
    stands = _thread_time(session)
    tab.evaluate("setFilter('toy sin', false)")
    tab.evaluate(DRAWN)
    filtered = _thread_time(session)
    tab.close()
    return stands - began, filtered - stands


def _thread_time(session: Any) -> float:
    """Processor time of the page's main thread so far."""
    found = session.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in found if m["name"] == "ThreadTime"))


def row(browser: Any, n: int, folder: Path) -> list[Any]:
    """A row of the table: records, kB, seconds to make, open and filter."""
    records = many(n)
    began = time.process_time()
    html = page(records)
    made = time.process_time() - began
    path = folder / f"{n}.html"
    path.write_text(html, encoding="utf-8")
    times = [opened(browser, path) for _ in range(TIMES)]
    opens, filters = map(statistics.median, zip(*times, strict=True))
    return [f"{n:,}", round(path.stat().st_size / 1000), made, opens, filters]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--records", nargs="+", type=int, default=[200, 10_000, 100_000]
    )
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        rows = [row(browser, n, Path(folder)) for n in options.records]
        version = browser.version
        browser.close()
    print_table(
        f"The page in Chromium {version}",
        ["records", "kB", "made, s", "opened, s", "filtered, s"],
        rows,
    )


if __name__ == "__main__":
    main()
