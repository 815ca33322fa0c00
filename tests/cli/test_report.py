"""`gradverify report`: shards become one page, and what cannot be read is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify import records
from gradverify.cli import _with_values, main
from gradverify.records import Item, Run


def write(path: Path, *blocks: str, seed: int = 0) -> Path:
    items = [
        Item(id=f"x::ops::{block}[toy:reverse:float64]", suite="ops", block=block,
             differentiator="toy", mode="reverse", dtype="float64", outcome="passed",
             counts={"AGREES": 20}, cases=20)
        for block in blocks
    ]  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(map(records.encode, [*items, Run(seed=seed)])))
    return path


def test_shards_become_one_page_and_one_file_of_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write(tmp_path / "a.jsonl", "add", "mul")
    other = write(tmp_path / "shard" / "gradverify.jsonl", "mul", "sin")
    page, merged = tmp_path / "all.html", tmp_path / "all.jsonl"
    arguments = ["report", str(one), str(other.parent), "--output", str(page)]
    assert main([*arguments, "--merged", str(merged)]) == 0
    text = capsys.readouterr().out
    assert "1 item occurs in several shards of one seed, and counted once" in text
    assert "60 comparisons of 1 differentiator: no new discrepancy." in text
    assert "60 comparisons" in page.read_text()
    found = records.read(merged)
    assert len(found.items) == 3
    assert found.run is not None
    assert found.run.counts == {"toy": {"AGREES": 60}}
    # the merged file is one as any other
    assert main(["report", str(merged), "--output", str(page)]) == 0


def test_the_page_goes_beside_the_first_file(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", "add")
    assert main(["report", str(tmp_path / "a.jsonl")]) == 0
    assert (tmp_path / "gradverify.html").is_file()


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (("--output", "a.jsonl"), "a.jsonl is one of the records; name another file"),
        (("--merged", "a.jsonl"), "a.jsonl is one of the records; name another file"),
        (("--output", "nowhere/page.html"), "cannot be written: No such file"),
        (("gone.jsonl",), "gone.jsonl cannot be read: No such file"),
        ((".",), "gradverify.jsonl cannot be read: No such file"),
    ],
)
def test_what_cannot_be_read_or_written_ends_with_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: tuple[str, ...],
    text: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = write(tmp_path / "a.jsonl", "add").read_bytes()
    assert main(["report", "a.jsonl", *option]) == 2
    assert text in capsys.readouterr().err
    assert (tmp_path / "a.jsonl").read_bytes() == before


def test_a_file_of_nothing_ends_with_3_and_the_others_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.jsonl", "add")
    (tmp_path / "b.jsonl").write_bytes(b"\xff\x00\n{")
    assert main(["report", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]) == 3
    said = capsys.readouterr()
    assert "b.jsonl: no record in it was understood" in said.err
    assert "line 1 is cut or garbled" in said.out
    assert "20 comparisons" in (tmp_path / "gradverify.html").read_text()


def test_values_of_our_options_are_no_places_to_collect() -> None:
    given = ["-q", "--gradverify-report", "out", "--gradverify-only", "x",
             "--gradverify-seed=3", "--gradverify-time"]  # fmt: skip
    assert _with_values(given) == [
        "-q", "--gradverify-report=out", "--gradverify-only", "x",
        "--gradverify-seed=3", "--gradverify-time",
    ]  # fmt: skip
