"""What the entry of an item in a junitxml file says beyond passed and failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gradverify.plugin.item_outcome import ItemOutcome

LISTED = 10  # findings that an entry names


def properties(
    result: ItemOutcome, versions: Mapping[str, str], seed: int
) -> Iterator[tuple[str, str]]:
    """Names and texts: which engine, its version, the seed, and how the item came
    out.
    """
    item = result.item
    for name, text in (
        ("suite", item.suite),
        ("block", item.block),
        ("differentiator", item.differentiator),
        ("mode", item.mode),
        ("dtype", item.dtype),
        ("versions", ", ".join(f"{k} {v}" for k, v in versions.items())),
        ("seed", str(seed)),
        ("cases", str(item.cases)),
        *((verdict, str(n)) for verdict, n in item.counts.items()),
        ("worst_error_in_ulps", item.worst_ulps or ""),
        ("worst_error_in_bounds", item.worst_ratio or ""),
        ("median_fault_seen", item.median_fault or ""),
        *(
            ("finding", f"{d.finding} case {d.case}")
            for d in result.discrepancies[:LISTED]
        ),
    ):
        if text:
            yield f"gradverify.{name}", text
