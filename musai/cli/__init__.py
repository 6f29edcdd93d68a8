"""The command line: `main` and the table of its commands.

Each command lives in a file of this package, which lists it in its ``COMMANDS``
and is imported when the command is called: `musai --help` reads the table alone.

Exit codes: 0 success, 2 bad input, 3 nothing found, 1 anything that should not
have happened, 130 interrupted.
"""

import errno
import io
import os
import sys
import traceback
from importlib import import_module
from typing import Any, NamedTuple

import click

from musai import __version__
from musai.errors import MusaiError
from musai.folders import home


class Row(NamedTuple):
    """A command: the file that has it, the section of the help, one line about it."""

    file: str
    section: str
    help: str


TABLE = {
    "serve": Row("serve", "Play", "Start the server: a page in the browser, OSC for your DAW."),
    "demo": Row("demo", "Play", "Hear it once from end to end: a motif, an answer, a report."),
    "ask": Row("ask", "Play", "Ask the running server for a phrase and write it to a file."),
    "midi": Row("midi", "Play", "Play from any DAW: a virtual MIDI port in, one out, in time."),
    "jam": Row("midi", "Know", "Jams that were: list their logs, replay them note for note."),
    "clients": Row("clients", "Play", "What to put into your DAW: list it, copy it."),
    "generate": Row("play", "Play", "Make music from nothing, without a server."),
    "continue": Row("play", "Play", "Go on from a MIDI file, or answer it."),
    "infill": Row("play", "Play", "Write some bars of a MIDI file anew."),
    "vary": Row("play", "Play", "Vary a MIDI file, from ornament to same mood."),
    "accompany": Row("play", "Play", "Add voices to a MIDI file."),
    "replay": Row("play", "Know", "Make a phrase again and say whether it is identical."),
    "match": Row("match", "Know", "Find the works that a MIDI file is like."),
    "style": Row("style", "Know", "Say what kind of music a MIDI file is; for information only."),
    "audit": Row(
        "audit", "Know", "Measure beyond likeness: how varied takes are, what a model has by heart."
    ),
    "report": Row(
        "report", "Know", "Report on a phrase, files, a session, days, an owner: page, PDF, data."
    ),
    "keep": Row(
        "credit", "Know", "Record that you keep a take, and what for; or that you discard it."
    ),
    "credit": Row("credit", "Know", "Say of each note of a finished piece where it comes from."),
    "evidence": Row(
        "evidence", "Know", "Sign how a phrase was made; verify such a statement by doing it again."
    ),
    "influence": Row(
        "influence", "Know", "Estimate which training works moved a phrase's probability."
    ),
    "royalties": Row(
        "royalties", "Know", "Split a period's revenue among the owners of a model's works."
    ),
    "ledger": Row(
        "ledger", "Know", "Verify the record of all that was made; erase payloads from it."
    ),
    "corpus": Row("corpus", "Keep", "Works and what their owners allow: add, list, show, remove."),
    "model": Row("model", "Keep", "The models here: what they were made from, and check them."),
    "train": Row("train", "Keep", "Train a model, or let one go on learning from your own works."),
}
"""THE table of commands, in the order of the help."""

_SECTIONS = {
    "Play": "Play with it",
    "Know": "Know what it sounds like",
    "Keep": "Keep corpora and models",
}


class _Main(click.Group):
    """A group that loads a command's file when it is called, and turns errors into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(TABLE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in TABLE:
            return None
        file = import_module(f"musai.cli.{TABLE[cmd_name].file}")
        commands: dict[str | None, click.Command] = {one.name: one for one in file.COMMANDS}
        return commands[cmd_name]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, title in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name, row.help) for name, row in TABLE.items() if row.section == section]
                )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in TABLE and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}; there are {', '.join(TABLE)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        _never_fail_to_print()
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (click.Abort, KeyboardInterrupt):
            code = _say("interrupted", 130)
        except MusaiError as error:
            code = _say(str(error) or type(error).__name__, error.exit_code)
            _show_traceback()
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # the reader of our output has gone: click ends quietly
            code = _unexpected(error)
        ctx.exit(code)


def _never_fail_to_print() -> None:
    """A title may have letters that the console, or the pipe of a host on Windows, has not."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _say(message: str, code: int) -> int:
    """One line on stderr; hands the code back."""
    click.echo(f"musai: error: {' '.join(message.split())}", err=True)
    return code


def _show_traceback() -> bool:
    """Show the error being handled where MUSAI_DEBUG=1 asks for it; says whether."""
    wanted = os.environ.get("MUSAI_DEBUG", "") not in ("", "0")
    if wanted:
        click.echo(traceback.format_exc(), err=True, nl=False)
    return wanted


def _unexpected(error: Exception) -> int:
    """One line with the place of the traceback, which is in a file unless it is shown."""
    kind = f"{type(error).__name__}: {error}"
    if _show_traceback():
        return _say(kind, 1)
    path = home() / "logs" / "last-error.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"musai {__version__} {sys.argv[1:]}\n\n{traceback.format_exc()}"
        path.write_text(text, encoding="utf-8")
        place = f"the traceback is in {path}"
    except OSError:
        place = "MUSAI_DEBUG=1 shows the traceback"
    return _say(f"{kind} ({place})", 1)


@click.command(
    "musai",
    cls=_Main,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="First time here: musai serve. All music stays on this machine.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Play with a transformer that answers in notes, and know what it sounds like."""
