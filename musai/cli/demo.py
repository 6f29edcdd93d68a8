"""`musai demo`: the whole way once, with a real server and a real OSC client."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from musai.cli.common import counted, json_option, model_option, say_json
from musai.cli.light import settling
from musai.cli.textroll import text_roll
from musai.errors import MusaiError
from musai.files import write_whole
from musai.music import Metre, Note, Phrase
from musai.report import Report, from_plain, save_report
from musai.transformer.request import Request
from osc_bridge.client import Answer, Client

FILES = ("phrase.mid", "report.json", "report.html")
START_SECONDS = 30.0
READY_SECONDS = 1800.0
SILENCE_SECONDS = 60.0
NEAREST = 3


def motif() -> Phrase:
    """Two bars in D major as a person might play them: a rise, a turn, a question."""
    onsets = [0, 1, 1.5, 2, 3, 3.5, 4, 5, 5.5, 6]
    lengths = [0.9, 0.45, 0.45, 0.95, 0.45, 0.45, 0.9, 0.45, 0.45, 1.8]
    pitches = [62, 66, 69, 71, 69, 66, 67, 66, 64, 69]
    velocities = [84, 70, 74, 88, 76, 68, 82, 70, 66, 80]
    metre = Metre.of(104, (4, 4), (2, False))
    return Phrase.from_notes(onsets, lengths, pitches, velocities, metre=metre, length=8)


@click.command("demo")
@click.option("--seed", default=7, show_default=True, help="Same seed, same answer.")
@click.option("--bars", default=4, show_default=True, help="Bars of the answer.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True)
@model_option
@json_option
def demo(seed: int, bars: int, out: Path, model: str | None, as_json: bool) -> None:
    """Hear it once from end to end: a motif, an answer, a report.

    Starts a server of its own, has an OSC client play it two bars, takes the
    answer note by note, and writes phrase.mid, report.json and report.html
    into the folder --out.  The first time, the corpus is built, once.
    """
    console = Console(stderr=as_json, highlight=False)
    request = Request(mode="answer", bars=bars, seed=seed, context=motif())
    for name in FILES:
        (out / name).unlink(missing_ok=True)
    with _server(model) as server:
        _wait_until_ready(server, console)
        told = _ask(server, request, console)
        report = from_plain(_get(server.web, f"reports/{told.answer.phrase}.json"))
    write_whole(out / "phrase.mid", told.phrase.to_midi())
    save_report(report, out)
    if as_json:
        say_json(_plain(told, report, out))
    else:
        _summary(told, report, out, console)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and where it listens."""

    process: "subprocess.Popen[bytes]"
    web: str
    osc: dict[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """What the client heard."""

    request: Request
    answer: Answer
    phrase: Phrase


@contextmanager
def _server(model: str | None) -> Iterator[Server]:
    """A server on free ports, ended by its own handle however this ends."""
    code = "from musai.cli import main; main()"
    options = ["--port", "0", "--web-port", "0", "--json", "--with-parent", "--no-record"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", *options, *(["--model", model] if model else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        line = cast(IO[bytes], process.stdout).readline()
        if not line:
            raise MusaiError(f"the server ended with exit code {process.wait()} before it began")
        addresses = json.loads(line)
        yield Server(process, addresses["web"], addresses["osc"])
    finally:
        # Its input closed, the server ends by itself, on every system alike.
        with suppress(OSError):
            cast(IO[bytes], process.stdin).close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        cast(IO[bytes], process.stdout).close()


def _get(web: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{web}{path}", timeout=SILENCE_SECONDS) as reply:
        values: dict[str, Any] = json.load(reply)
    return values


def _wait_until_ready(server: Server, console: Console) -> None:
    """Until the model is loaded and the overlap light can be lit, or never will be."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    until = time.monotonic() + READY_SECONDS
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=1.0)
        while time.monotonic() < until:
            described = _get(server.web, "api/describe")
            fault = described["workers"]["play"].get("fault")
            if described["model"] is None and fault:
                raise MusaiError(f"no music: {fault}")
            if described["model"] is not None and not settling(described):
                return
            corpus = next(iter(described["corpora"]), {"progress": 0})
            what = described["light"]["why"] or "the model is being loaded"
            progress.update(task, description=what[:90], completed=corpus["progress"])
            time.sleep(0.1)
    raise MusaiError(f"the server was not ready after {READY_SECONDS:.0f} s")


def _ask(server: Server, request: Request, console: Console) -> Told:
    """Play the motif to the server over OSC, and show the answer while it comes."""
    url = urlsplit(server.osc["tcp"])
    context = cast(Phrase, request.context)
    bar = context.metre.signatures[0].bar_ticks
    marks = "█━·│" if _prints(console, "█━·│") else "#-.|"
    console.print("\n[bold]You play[/bold]")
    human = [Note(*row) for row in context.notes.tolist()]
    console.print(Text("\n".join(text_roll(human, context.bars, bar, marks=marks)), style="cyan"))
    console.print("\n[bold]musai answers[/bold]")
    heard: list[Note] = []
    with (
        Client(
            str(url.hostname), int(url.port or 0), timeout=SILENCE_SECONDS, name="demo"
        ) as client,
        Live(console=console, auto_refresh=False) as live,
    ):
        client.hello()

        def hear(note: Note) -> None:
            heard.append(note)
            roll = text_roll(heard, request.bars, bar, marks=marks)
            live.update(Text("\n".join(roll), style="magenta"), refresh=True)

        answer = client.ask(request, on_note=hear)
        return Told(request, answer, client.phrase(answer.phrase))


def _prints(console: Console, text: str) -> bool:
    try:
        text.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _summary(told: Told, report: Report, out: Path, console: Console) -> None:
    """What a person wants to know at the end."""
    answer, verdict = told.answer, report.verdict
    rows = [
        ("seed", str(told.request.seed)),
        ("answer", f"{counted(answer.bars, 'bar')}, {counted(len(answer.notes), 'note')}"),
        ("first note", f"{answer.first_note_ms or 0:.0f} ms after asking, over OSC"),
        ("verdict", f"{verdict.light}: {verdict.sentence}"),
        ("p", verdict.number.removeprefix("p = ")),
        ("longest run", f"{counted(verdict.longest_run, 'note')} exactly as in one work"),
    ]
    rows += [
        ("nearest", f"{match.work.title}, {match.longest_run} in a row ({match.work.licence})")
        for match in report.matches[:NEAREST]
    ]
    rows += [
        ("the same again", f"musai replay {answer.replay[:12]}"),
        ("written", ", ".join(str(out / name) for name in FILES)),
        ("go on", "musai serve   (page http://127.0.0.1:7734/, OSC port 7733)"),
    ]
    console.print()
    for name, value in rows:
        console.print(Text.assemble((f"{name:>14}  ", "bold"), value), soft_wrap=True)


def _plain(told: Told, report: Report, out: Path) -> dict[str, Any]:
    return {
        "seed": told.request.seed,
        "bars": told.answer.bars,
        "notes": len(told.answer.notes),
        "first_note_ms": told.answer.first_note_ms,
        "phrase_id": told.answer.phrase,
        "replay_id": told.answer.replay,
        "light": report.verdict.light,
        "p_value": report.verdict.p_value,
        "longest_run": report.verdict.longest_run,
        "sentence": report.verdict.sentence,
        "nearest": [
            {"title": match.work.title, "licence": match.work.licence, "work_id": match.work.id}
            for match in report.matches[:NEAREST]
        ],
        "files": [str(out / name) for name in FILES],
    }


COMMANDS: tuple[click.Command, ...] = (demo,)
