"""`musai generate`, `continue`, `infill`, `vary`, `accompany`, `replay`: one phrase without a server."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from musai import folders
from musai.cli.common import (
    Outcome,
    counted,
    json_option,
    light_line,
    model_option,
    read_phrase,
    say_json,
    wait_for,
)
from musai.cli.wishes import wishes
from musai.errors import BadInput, MusaiError, NotFound
from musai.evidence.difference import IDENTICAL
from musai.files import write_whole
from musai.ledger import Ledger
from musai.music import Phrase, notes_array
from musai.music.notes import untangled
from musai.service import Service, records
from musai.service.core import DEFAULT_CORPUS
from musai.service.replays import Recorded
from musai.service.terms import clearance
from musai.transformer.checkpoint import folder_of
from musai.transformer.controls import Mode
from musai.transformer.request import Request, takes_of

Command = Callable[..., Any]


_OPTIONS = (
    click.option(
        "--avoid",
        multiple=True,
        metavar="TAKE.mid",
        type=click.Path(path_type=Path),
        help="Not that take again: no four notes in a row of a voice as in this file (repeatable).",
    ),
    click.option("--out", type=click.Path(path_type=Path), help="The MIDI file to write."),
    click.option(
        "--corpus", "corpora", multiple=True, help="Compare with this corpus (repeatable)."
    ),
    click.option("--no-match", is_flag=True, help="Do not compare the phrase with any corpus."),
    click.option(
        "--commercial", is_flag=True, help="Only if every training work allows commercial use."
    ),
    click.option(
        "--territory", metavar="CODE", help="With --commercial: where, as a country's code."
    ),
    model_option,
    json_option,
)


def asking(mode: Mode) -> Callable[[Command], Command]:
    """The options of a command that asks for a phrase in this mode."""

    def decorate(command: Command) -> Command:
        for option in reversed(_OPTIONS):
            command = option(command)
        return wishes(mode)(command)

    return decorate


@click.command("generate")
@asking("generate")
def generate(**options: Any) -> None:
    """Play a phrase from nothing and write it as a MIDI file."""
    _ask("generate", None, **options)


@click.command("continue")
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@click.option("--answer", is_flag=True, help="Answer the phrase instead of going on in its voices.")
@asking("continue")
def continue_(source: Path, answer: bool, **options: Any) -> None:
    """Go on where IN.mid ends, or answer it; the file written holds the new bars only.

    A sound file works too: musai continue hum.wav --tempo 96
    """
    _ask("answer" if answer else "continue", source, **options)


@click.command("infill")
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@asking("infill")
def infill(source: Path, **options: Any) -> None:
    """Write bars of IN.mid anew, in all its voices or some, so that they fit what is around them.

    The file written holds those bars and voices only.  musai infill song.mid --first 4 --bars 2
    """
    _ask("infill", source, **options)


@click.command("vary")
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@asking("vary")
def vary(source: Path, **options: Any) -> None:
    """Vary IN.mid: --change 0 ornaments it, 1 keeps its mood alone."""
    _ask("vary", source, **options)


@click.command("accompany")
@click.argument("source", metavar="IN.mid", type=click.Path(path_type=Path))
@asking("accompany")
def accompany(source: Path, **options: Any) -> None:
    """Add voices to IN.mid: harmonise it in four parts, or --voices bass,drums.

    The file written holds the new voices only, in time with IN.mid.
    """
    _ask("accompany", source, **options)


@click.command("replay")
@click.argument("replay_id", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path), help="The MIDI file to write.")
@model_option
@json_option
def replay(replay_id: str, out: Path | None, model: str | None, as_json: bool) -> None:
    """Make the phrase with this replay id again, and say whether it is identical.

    The first eight digits of the id are enough.  Exit code 0: identical;
    1: it differs, and the first note that does is named.
    """
    with Ledger.open(folders.ledger_file()) as ledger:
        _, known, _ = records.recorded(ledger, replay_id)
    with Service(model=model or _installed(known.model), corpora=()) as service:
        outcome = wait_for(lambda hear: service.replay(known.replay_id, hear), service)
        finished, _ = outcome.whole
        same = finished.replay == IDENTICAL
        if out is not None:
            made = service.phrase(finished.phrase_id) if same else _from_notes(known, outcome)
            write_whole(out, made.to_midi())
    if as_json:
        say_json(
            {
                "replay_id": known.replay_id,
                "phrase_id": known.phrase.id,
                "identical": same,
                "verdict": finished.replay,
                "notes": finished.notes,
                "model": known.model,
                "out": None if out is None else str(out),
            }
        )
    else:
        to = f" -> {out}" if out is not None else ""
        click.echo(f"{finished.replay}: {finished.notes} notes, {finished.bars} bars{to}")
    if not same:
        raise click.exceptions.Exit(MusaiError.exit_code)


def _ask(
    mode: Mode,
    source: Path | None,
    *,
    out: Path | None,
    corpora: tuple[str, ...],
    no_match: bool,
    commercial: bool,
    territory: str | None,
    model: str | None,
    as_json: bool,
    **told: Any,
) -> None:
    """One phrase through a service of its own, then a line or one JSON value about it."""
    terms = _cleared(model, territory) if commercial else None
    if territory and not commercial:
        raise BadInput("--territory says where commercial use is meant; it needs --commercial")
    if told["seed"] is None:
        told["seed"] = secrets.randbelow(2**31)
    sung_at = told["tempo"], told.get("signature")
    context = None if source is None else read_phrase(source, *sung_at)
    told["avoid"] = takes_of(map(read_phrase, told["avoid"])) or None
    request = Request.of(mode, context, **told)
    named = () if no_match else corpora or (DEFAULT_CORPUS,)
    with Service(model=model, corpora=named) as service:
        outcome = wait_for(
            lambda hear: service.submit(request, hear, session="cli", terms=terms), service
        )
        finished, _ = outcome.whole
        path = out or Path(f"musai-{finished.phrase_id[:8]}.mid")
        write_whole(path, service.phrase(finished.phrase_id).to_midi())
        about = service.describe()["model"] or {}
    if as_json:
        made = {"seed": request.seed, "out": str(path), "model": about.get("name")}
        say_json({**outcome.plain(), **made, **({} if terms is None else {"terms": terms})})
        return
    _tell(outcome, request, path, no_match)
    for one in (terms or {}).get("conditions", ())[:5]:
        click.echo(f"on condition, of {counted(one['works'], 'work')}: {one['says']}")


def _cleared(model: str | None, territory: str | None) -> dict[str, Any]:
    """The conditions of commercial use.  Raises `NotAllowed` where a training work refuses it."""
    found = clearance(model, datetime.now(UTC).date(), territory or "")
    found.check()
    return found.plain()


def _tell(outcome: Outcome, request: Request, path: Path, no_match: bool) -> None:
    finished, compared = outcome.whole
    click.echo(
        f"{path}: {counted(finished.bars, 'bar')}, {counted(finished.notes, 'note')}, "
        f"seed {request.seed}, first note after {finished.first_note_ms:.0f} ms"
    )
    if not no_match:
        click.echo(light_line(compared))
    click.echo(f"the same again: musai replay {finished.replay_id[:12]}")


def _installed(name: str) -> str | None:
    """The model's name where it is here, else None, the default: whose own name then decides."""
    try:
        folder_of(name)
    except NotFound:
        return None
    return name


def _from_notes(known: Recorded, outcome: Outcome) -> Phrase:
    """The phrase that came instead of the recorded one: its notes under the recorded metre."""
    columns = zip(
        *((n.onset, n.duration, n.pitch, n.velocity, n.voice) for n in outcome.sounded), strict=True
    )
    return known.phrase.with_notes(untangled(notes_array(*columns)))


COMMANDS: tuple[click.Command, ...] = (
    generate,
    continue_,
    infill,
    vary,
    accompany,
    replay,
)
