"""Files of strangers: regular ones within limits, or one clear line."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims
from gradverify.cli import main
from gradverify.known import DeviationError, read_rows
from gradverify.outside import reading
from gradverify.outside.reading import read_bytes
from gradverify.outside.writing import append, refuge, refuge_path, replace

COMMANDS = {
    "claims": (".py", "claims"),
    "report": (".jsonl", "report"),
    "replay": (".json", "replay"),
}


@pytest.fixture(params=["pipe", "device", "folder"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Something in the place of a file that has no end, or none to read."""
    path = tmp_path / "there"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    return path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_reads_no_pipe_and_no_device(
    name: str, no_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    suffix, command = COMMANDS[name]
    path = no_file.rename(no_file.with_suffix(suffix))
    if path.is_dir() and name in ("claims", "report"):
        pytest.skip("a folder stands for the files in it")
    assert main([command, str(path)]) == 2
    assert "where a file is needed" in capfd.readouterr().err


def test_rows_are_read_from_no_pipe_and_no_device(no_file: Path) -> None:
    with pytest.raises(DeviationError, match="where a file is needed"):
        read_rows(no_file)


def test_a_file_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 11)
    assert read_bytes(path, 11) == b"x" * 11
    with pytest.raises(OSError, match="over 10 bytes"):
        read_bytes(path, 10)


def test_a_pipe_that_takes_the_place_of_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"x")
    os.mkfifo(other)
    seen = os.stat(path)
    other.rename(path)
    monkeypatch.setattr(reading.os, "stat", lambda p: seen)  # what it was a moment ago
    with pytest.raises(OSError, match="it is a pipe"):
        read_bytes(path, 10)


@pytest.mark.parametrize("digits", [5_000, 100_000])
def test_a_number_of_many_digits_in_a_row_is_an_error(
    tmp_path: Path, digits: int
) -> None:
    path = tmp_path / "gradverify-known.toml"
    path.write_text(f"x = {'9' * digits}\n")
    with pytest.raises(DeviationError, match="is no TOML file"):
        read_rows(path)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "koi8-r"])
def test_a_script_is_read_by_the_encoding_that_it_declares(
    tmp_path: Path, encoding: str
) -> None:
    word = "шаг" if encoding == "koi8-r" else "Übung"
    text = f"# -*- coding: {encoding} -*-\n# {word}\nx = 3.0\ny = x**2\n# dy/dx = 6\n"
    path = tmp_path / "notes.py"
    path.write_bytes(text.encode(encoding))
    (claim,) = read_claims(path)
    assert claim.verdict == "right"


def test_a_script_of_an_unknown_encoding_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.py"
    path.write_bytes(b"# coding: klingon\n")
    assert main(["claims", str(path)]) == 2
    assert "unknown encoding" in capsys.readouterr().err


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    device = tmp_path / "null"
    device.symlink_to(os.devnull)
    for write in (replace, append):
        with pytest.raises(OSError, match="it is a device"):
            write(device, b"x")
    assert device.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["null"]


def test_the_target_of_a_link_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    replace(link, b"new")
    assert (target.read_bytes(), link.is_symlink()) == (b"new", True)
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_the_old_file_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(*names: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        replace(path, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_what_cannot_be_added_whole_is_not_added(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old, new = tmp_path / "old", tmp_path / "new"
    append(old, b"first\n")
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        for path in (old, new):
            with pytest.raises(OSError, match="too large"):
                append(path, b"x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [
        ("old", b"first\n")
    ]


def test_a_refuge_that_somebody_else_has_laid_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    refuge_path("trap").symlink_to(elsewhere)
    with pytest.raises(OSError, match="somebody else"):
        refuge("trap")
    assert refuge("mine").stat().st_mode & 0o077 == 0
