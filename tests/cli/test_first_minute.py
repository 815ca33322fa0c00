"""What somebody meets first: versions, help, a demo, a repository that is begun."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gradverify
from gradverify.cli import main
from gradverify.cli.arguments import COMMANDS, EXAMPLES
from gradverify.cli.demo import demo

from ..scratch import Scratch


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"gradverify {gradverify.__version__}\n"


def test_it_is_a_module_that_can_be_run() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "gradverify", "ops"], capture_output=True, text=True
    )
    assert found.returncode == 0
    assert found.stdout.startswith("neg (-)")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert f"example: {EXAMPLES[command]}" in text


def test_the_help_of_a_run_has_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["run", "--help"])
    assert "--gradverify-fail-on POLICY" in capsys.readouterr().out


def test_a_typo_names_the_nearest_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reply", "5c2be78001"]) == 2
    assert "no command 'reply'; did you mean replay?" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--gradverify-sead", "--gradverify-sead=3"])
def test_a_typo_names_the_nearest_option_of_a_run(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", option]) == 2
    printed = capsys.readouterr().err
    assert "no option '--gradverify-sead'; did you mean --gradverify-seed" in printed


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_shells_complete_commands(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    assert "selftest" in capsys.readouterr().out


def test_the_demo_finds_its_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    assert demo(opened=False) == 0
    text = capfd.readouterr().out
    assert "return Pair(y, (1 - y) * self.dx)" in text
    assert "toy, forward, float64: the derivative is wrong" in text
    assert "1 - b is taken for" in text
    assert "1 failed" in text


# ---- a repository is begun


def test_an_empty_folder_gets_all(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path)]) == 0
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")}
    assert written == {
        "conftest.py", "pytest.ini", ".github", ".github/workflows/gradverify.yml",
    }  # fmt: skip


def test_the_second_time_nothing_is_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mine"')
    main(["init", str(tmp_path)])
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    before = {p: p.read_bytes() for p in files}
    assert len(before) == 3
    capsys.readouterr()
    assert main(["init", str(tmp_path)]) == 0
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert capsys.readouterr().out.count("as it is") == 3


def test_settings_are_added_behind_those_of_others(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "mine"')
    assert main(["init", str(tmp_path)]) == 0
    text = project.read_text()
    assert text.startswith('[project]\nname = "mine"\n\n[tool.pytest')
    options = tomllib.loads(text)["tool"]["pytest"]["ini_options"]
    assert options == {"gradverify_profile": "ci", "gradverify_seed": "0"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-q"\n'),
        ("pytest.ini", "[pytest]\naddopts = -q\n"),
        ("tox.ini", "[tox]\n[pytest]\n"),
        ("setup.cfg", "[tool:pytest]\n"),
    ],
)
def test_settings_of_pytest_are_left_alone(
    name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["init", str(tmp_path)]) == 0
    assert (tmp_path / name).read_text() == text
    assert "may have gradverify_profile" in capsys.readouterr().out
    assert name == "pytest.ini" or not (tmp_path / "pytest.ini").exists()


def test_a_folder_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "none")]) == 2
    assert "is no folder" in capsys.readouterr().err
    (tmp_path / "pyproject.toml").write_text("[project")
    assert main(["init", str(tmp_path)]) == 2


def test_a_begun_repository_can_be_run(scratch: Scratch) -> None:
    assert scratch.gradverify("init", str(scratch.root)).ret == 0
    found = scratch.gradverify(
        "run", "--gradverify-differentiators=own-dual", "--gradverify-suites=ops",
        "--gradverify-ops=exp", "--gradverify-dtypes=float64",
        "--gradverify-profile=smoke",
    )  # fmt: skip
    assert found.ret == 0
    found.assert_outcomes(passed=1)
