"""The help of the command: its examples run; mistakes are one line; the shell completes commands and files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from guides import FIXTURES

from streamcore.cli.app import cli
from streamcore.replay.faults.kinds import FAULTS
from streamcore.replay.formats.files import SUFFIXES, Format

COMMANDS = sorted(cli.commands)
# They do not end by themselves.
GOING_ON = {"serve", "record"}


def examples(*command: str) -> list[str]:
    text = CliRunner().invoke(cli, [*command, "--help"]).stdout
    return [line.strip() for line in text.partition("Examples:\n")[2].splitlines()]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the examples."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(FIXTURES / "weather.sse", tmp_path)
    Path("captures").mkdir()
    shutil.copy(FIXTURES / "text.sse", "captures")
    CliRunner().invoke(cli, ["convert", "weather.sse", "weather.jsonl"], catch_exceptions=False)
    # `streamcore` and `curl` of the examples.
    Path("bin").mkdir()
    for name, line in (("streamcore", f'{sys.executable} -m streamcore "$@"'), ("curl", "cat weather.sse")):
        Path("bin", name).write_text(f"#!/bin/sh\n{line}\n")
        Path("bin", name).chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS if name not in GOING_ON)])
def test_the_examples_in_the_help_run(command: list[str]) -> None:
    found = examples(*command)
    assert found
    for example in found:
        input_ = (FIXTURES / "weather.sse").read_bytes() if example.endswith(" - -") else None
        done = subprocess.run(["sh", "-c", example], input=input_, capture_output=True, check=False)
        assert done.returncode == 0, (example, done.stderr)
        assert done.stdout or Path("weather.har").exists()


# The modules of captures and faults are imported late, so the help repeats their names.


def words_of_help(command: str) -> str:
    return " ".join(CliRunner().invoke(cli, [command, "--help"]).stdout.split())


def test_the_help_of_serve_names_each_fault() -> None:
    *first, last = FAULTS
    assert f"The faults are {', '.join(first)} and {last}." in words_of_help("serve")


def test_the_help_of_check_names_each_suffix_of_captures() -> None:
    listed = words_of_help("check").partition("searched for captures (")[2].partition(";")[0]
    assert sorted(listed.split(", ")) == sorted(SUFFIXES)


def test_the_help_of_convert_names_each_format() -> None:
    text = words_of_help("convert")
    for name in get_args(Format):
        assert re.search(rf"\b{name} \(\.", text), name


@pytest.mark.parametrize("command", sorted(GOING_ON))
def test_the_examples_of_servers_have_options_that_exist(command: str) -> None:
    known = {option for parameter in cli.commands[command].params for option in parameter.opts}
    for example in examples(command):
        assert example.startswith(f"streamcore {command} ")
        assert set(re.findall(r"--[\w-]+", example)) <= known


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "No such command 'nothing'. See streamcore --help"),
        (["--nothing"], "No such option '--nothing'. See streamcore --help"),
        (["replay"], "Missing argument 'FILE'. See streamcore replay --help"),
        (["check", "--nothing"], "No such option '--nothing'. See streamcore check --help"),
        (["replay", "--speed", "x", "a.sse"], "Invalid value for '--speed': 'x' is not a valid float range. See"),
        (["serve", "--port", "99999", "a.sse"], "Invalid value for '--port': 99999 is not in the range"),
    ],
)
def test_a_wrong_argument_is_one_line_and_the_exit_code_is_2(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, arguments, prog_name="streamcore")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"streamcore: {said}")
    assert result.stderr.count("\n") == 1


def test_without_arguments_it_shows_the_help() -> None:
    result = CliRunner().invoke(cli, [])
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


@pytest.mark.parametrize(
    ("words", "completed"),
    [("streamcore ch", "plain,check"), ("streamcore replay ", "file,"), ("streamcore convert a.sse ", "file,")],
)
def test_the_shell_completes_commands_and_files(words: str, completed: str) -> None:
    number = len(words.split(" ")) - 1
    environment = {"_STREAMCORE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
    result = CliRunner().invoke(cli, env=environment, prog_name="streamcore")
    assert completed in result.stdout.splitlines()
