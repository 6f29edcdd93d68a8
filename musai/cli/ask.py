"""`musai ask`: one phrase from the running server, written to a file.

For hosts that can only run a command.  Over TCP, so that a context of any
length fits; the file is written whole or not at all.  A host whose scripts
cannot read a MIDI file, or cannot see what a command prints, asks for a note
list: that file says everything, what went wrong too.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from musai import folders
from musai.cli.common import (
    counted,
    is_notelist,
    json_option,
    read_phrase,
    say_json,
)
from musai.cli.wishes import wishes
from musai.errors import BadInput, BadRequest, MusaiError, NotAllowed, NotFound
from musai.files import write_whole
from musai.music import Phrase
from musai.music.notelist import FIRST, write_notelist
from musai.transformer.controls import MODES, Mode
from musai.transformer.request import Request
from osc_bridge import record
from osc_bridge.client import Answer, Client
from osc_bridge.errors import BridgeError, Refused

SILENCE = 60.0
"""Seconds without a word from the server after which it counts as gone."""


@click.command("ask")
@click.option(
    "--in",
    "source",
    type=click.Path(path_type=Path),
    help="The MIDI file or note list to answer or continue, or a sound file that one voice sings.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to write: a note list where it ends in .notes, else a MIDI file.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="What to ask for (default: answer with --in, generate without).",
)
@wishes()
@click.option("--no-match", is_flag=True, help="Do not wait for the comparison with the corpus.")
@click.option("--keep", is_flag=True, help="Record in the ledger that the phrase is kept.")
@click.option("--intent", default="", help="With --keep: what it is for, in a sentence.")
@click.option("--server", metavar="HOST:PORT", help="Default: the server running here.")
@json_option
def ask(
    source: Path | None,
    out: Path,
    mode: Mode | None,
    no_match: bool,
    keep: bool,
    intent: str,
    server: str | None,
    as_json: bool,
    **told: Any,
) -> None:
    """Ask the running server for a phrase and write it to a file.

    The file holds the new bars only.  Start a server with: musai serve.

    --in hum.wav hears what one voice hums, sings or plays; --tempo says how fast, else it is found.

    A file that ends in .notes is a note list: lines of text such as "note 0 480 60 100 0" (onset
    and duration in ticks, 480 a quarter; pitch, velocity, voice), for scripts that cannot read
    MIDI files.  What went wrong then stands in that file too, as a line "error REASON".
    """
    with _errors_in(out):
        if intent and not keep:
            raise BadInput("--intent stands without --keep; legal is a sentence for a kept phrase")
        if told["seed"] is None:
            told["seed"] = secrets.randbelow(2**31)
        sung_at = told["tempo"], told["signature"]
        context = None if source is None else read_phrase(source, *sung_at)
        chosen = mode or ("generate" if context is None else "answer")
        request = Request.of(chosen, context, **told)
        host, port = server_of(server)
        try:
            answer, phrase = _fetched(request, host, port, not no_match, intent if keep else None)
        except Refused as refused:
            raise _named(refused) from refused
        write_whole(out, _bytes(request, answer, phrase, out))
    if as_json:
        say_json(_plain(request, answer, out))
    else:
        _tell(request, answer, out)


@contextmanager
def _errors_in(out: Path) -> Iterator[None]:
    """Where a note list was asked for, an error is written into it, and goes on."""
    try:
        yield
    except MusaiError as error:
        if is_notelist(out):
            write_whole(out, f"{FIRST}\nerror {_line(error)}\n".encode())
        raise


def _line(words: object) -> str:
    return " ".join(str(words).split())


def _bytes(request: Request, answer: Answer, phrase: Phrase, out: Path) -> bytes:
    if not is_notelist(out):
        return phrase.to_midi()
    told = answer.overlap
    light = ("grey", answer.no_overlap) if told is None else (told.light, told.sentence)
    said = [
        f"seed {request.seed}",
        f"phrase {answer.phrase}",
        f"replay {answer.replay}",
        f"light {light[0]}",
        f"says {_line(light[1])}",
    ]
    if told is not None and told.title:
        said.append(f"nearest {_line(told.title)} ({told.licence})")
    return write_notelist(phrase, said).encode()


def _fetched(
    request: Request, host: str, port: int, overlap: bool, keep: str | None
) -> tuple[Answer, Phrase]:
    """The answer, and its phrase as the server's ledger has it, which are the same notes."""
    with Client(host, port, timeout=SILENCE, name="musai ask") as client:
        client.hello()
        answer = client.ask(request, overlap=overlap)
        phrase = client.phrase(answer.phrase)
        if phrase.id != answer.phrase:
            raise BridgeError(f"phrase {phrase.id[:8]} came instead of {answer.phrase[:8]}")
        if keep is not None:
            client.keep(answer.id, keep)
    return answer, phrase


def server_of(server: str | None) -> tuple[str, int]:
    """Host and port of the server named, or of the one that runs here."""
    return record.find(folders.home() / "server.json") if server is None else _split(server)


def _split(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadInput(f"--server is {server!r}; legal is HOST:PORT, as 127.0.0.1:7733")
    return host, int(port)


def _named(refused: Refused) -> MusaiError:
    """The server's refusal as the error that it is, so that the exit code tells it."""
    kinds = {"not_found": NotFound, "not_allowed": NotAllowed, "too_large": BadInput}
    if refused.code.startswith("bad_"):
        return BadRequest(refused.text)
    return kinds.get(refused.code, MusaiError)(f"the server refused: {refused}")


def _plain(request: Request, answer: Answer, out: Path) -> dict[str, Any]:
    return {
        "out": str(out),
        "mode": request.mode,
        "bars": answer.bars,
        "notes": len(answer.notes),
        "seed": request.seed,
        "phrase_id": answer.phrase,
        "replay_id": answer.replay,
        "first_note_ms": answer.first_note_ms,
        "total_ms": answer.server_whole_ms,
        "match": None if answer.overlap is None else asdict(answer.overlap),
    }


def _tell(request: Request, answer: Answer, out: Path) -> None:
    first = "" if answer.first_note_ms is None else f", first after {answer.first_note_ms:.0f} ms"
    click.echo(
        f"{out}: {counted(answer.bars, 'bar')}, {counted(len(answer.notes), 'note')}{first}, "
        f"seed {request.seed}"
    )
    if answer.overlap is not None:
        told = answer.overlap
        nearest = f" Nearest: {told.title} ({told.licence})" if told.title else ""
        click.echo(f"{told.light}: {told.sentence}{nearest}")
    elif answer.no_overlap:
        click.echo(f"grey: not compared: {answer.no_overlap}")
    click.echo(f"the same again: musai replay {answer.replay[:12]}")


COMMANDS: tuple[click.Command, ...] = (ask,)
