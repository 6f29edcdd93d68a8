"""Facts about the command line as a whole; each command has a file of its own."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

import musai.cli
from musai import __version__
from musai.cli import TABLE, main
from musai.errors import BadInput, NotFound

ROOT = Path(__file__).parents[2]


def failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `musai demo` end in this error."""

    @click.command("demo")
    def demo() -> None:
        raise error

    file = SimpleNamespace(COMMANDS=(demo,))
    monkeypatch.setattr(musai.cli, "import_module", lambda _: file)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BadInput("bars is 0;\nlegal is 1"), 2, "musai: error: bars is 0; legal is 1\n"),
        (NotFound("no work 12ab"), 3, "musai: error: no work 12ab\n"),
        (KeyboardInterrupt(), 130, "musai: error: interrupted\n"),
        (click.UsageError("no"), 2, "Usage: "),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_with(error, monkeypatch)
    done = CliRunner().invoke(main, ["demo"])
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr.startswith(line)


def test_an_unexpected_error_says_where_its_traceback_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path))
    failing_with(KeyError("tick"), monkeypatch)
    done = CliRunner().invoke(main, ["demo"])
    log = tmp_path / "logs" / "last-error.log"
    assert done.exit_code == 1
    assert done.stderr == f"musai: error: KeyError: 'tick' (the traceback is in {log})\n"
    assert "raise error" in log.read_text(encoding="utf-8")


def test_an_unexpected_error_is_said_even_where_no_log_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path / "file" / "below"))
    failing_with(KeyError("tick"), monkeypatch)
    done = CliRunner().invoke(main, ["demo"])
    assert (done.exit_code, done.stderr) == (
        1,
        "musai: error: KeyError: 'tick' (MUSAI_DEBUG=1 shows the traceback)\n",
    )


@pytest.mark.parametrize("error", [KeyError("tick"), BadInput("no")])
def test_debug_shows_the_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSAI_DEBUG", "1")
    failing_with(error, monkeypatch)
    done = CliRunner().invoke(main, ["demo"])
    assert "Traceback" in done.stderr
    assert "raise error" in done.stderr


def test_the_version_is_the_package_s() -> None:
    done = CliRunner().invoke(main, ["--version"], prog_name="musai")
    assert (done.exit_code, done.stdout) == (0, f"musai {__version__}\n")


def test_the_help_names_every_command_and_loads_none() -> None:
    code = (
        "import sys\nfrom musai.cli import main\n"
        "try: main(['--help'], prog_name='musai')\n"
        "finally: print([name for name in sys.modules if 'numpy' in name or 'musai.c' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *help_lines, modules = done.stdout.splitlines()
    assert modules == "['musai.cli']"
    words = {line.split()[0] for line in help_lines if line.strip()}
    assert set(TABLE) <= words


def test_an_unknown_command_is_answered_with_the_known_ones() -> None:
    done = CliRunner().invoke(main, ["anwser"])
    assert done.exit_code == 2
    assert "no command 'anwser'; there are serve, demo" in done.stderr


def test_the_table_and_the_files_name_the_same_commands() -> None:
    files = {row.file for row in TABLE.values()}
    found = {
        (file, command.name)
        for file in files
        for command in import_module(f"musai.cli.{file}").COMMANDS
    }
    assert found == {(row.file, name) for name, row in TABLE.items()}


@pytest.mark.parametrize("name", TABLE)
def test_every_command_explains_itself(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"], prog_name="musai")
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()[2].strip()) > 10
