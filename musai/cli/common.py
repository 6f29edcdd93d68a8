"""What the command files share: one JSON value on stdout, a service for one phrase."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musai import errors, folders
from musai.errors import BadInput, MusaiError, NotFound
from musai.music import Phrase
from musai.music.audio import is_audio
from musai.music.notelist import read_notelist
from musai.service.events import Compared, Event, Failed, Finished, Sounded, Started, to_plain

if TYPE_CHECKING:
    # Loaded only by commands that start a service: `musai ask` has to be quick.
    from musai.service import Service

NOTELIST = ".notes"
"""The ending of a file with a note list; any other is a MIDI file's."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON value on standard output."
)
model_option = click.option(
    "--model", metavar="NAME", help="The model that plays: a name or a folder (default: tunebook)."
)


def say_json(value: Any) -> None:
    """Print one JSON value."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def is_notelist(path: Path | None) -> bool:
    """Whether a path is of a note list, which its ending tells."""
    return path is not None and path.suffix.lower() == NOTELIST


def read_phrase(
    path: Path, tempo: float | None = None, signature: tuple[int, int] | None = None
) -> Phrase:
    """The phrase in a MIDI file, a note list or a sound file, sung at this tempo and signature.

    Raises `BadInput` where it cannot be read.
    """
    if is_audio(path):
        phrase = Phrase.from_audio(path, tempo, signature or (4, 4))
        found = "" if tempo else ", found; --tempo sets it"
        click.echo(
            f"{path}: {counted(len(phrase), 'note')} heard, {counted(phrase.bars, 'bar')} at "
            f"{phrase.metre.tempos[0].bpm:.0f} bpm{found}",
            err=True,
        )
        return phrase
    try:
        return read_notelist(path.read_bytes()) if is_notelist(path) else Phrase.from_midi(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from None


def ledger_here(done: str = "recorded") -> Path:
    """The ledger of this home folder.  Raises `NotFound` where nothing was `done` yet."""
    path = folders.ledger_file()
    if not path.exists():
        raise NotFound(f"nothing has been {done} here yet: musai generate, or musai serve")
    return path


@dataclass(slots=True)
class Outcome:
    """The events of one ticket, sorted."""

    started: Started | None = None
    sounded: list[Sounded] = field(default_factory=list)
    finished: Finished | None = None
    compared: Compared | None = None
    failed: Failed | None = None

    def add(self, event: Event) -> bool:
        """Take an event; True for the last."""
        if isinstance(event, Started):
            self.started = event
        elif isinstance(event, Sounded):
            self.sounded.append(event)
        elif isinstance(event, Finished):
            self.finished = event
        elif isinstance(event, Compared):
            self.compared = event
        else:
            self.failed = event
        return isinstance(event, Compared | Failed)

    @property
    def whole(self) -> tuple[Finished, Compared]:
        """Finished and Compared.  Raises the error that a `Failed` names."""
        if self.failed is not None or self.finished is None or self.compared is None:
            raise error_of(self.failed)
        return self.finished, self.compared

    def plain(self) -> dict[str, Any]:
        """JSON values for `--json`."""
        finished, compared = self.whole
        values = to_plain(finished)
        values["match"] = to_plain(compared)
        for row in (values, values["match"]):
            del row["event"], row["ticket"]
        return values


def wait_for(ask: Callable[[Callable[[Event], None]], int], service: "Service") -> Outcome:
    """Ask, then wait for the last event.  Ctrl-C cancels and raises."""
    outcome, ended = Outcome(), threading.Event()

    def hear(event: Event) -> None:
        if outcome.add(event):
            ended.set()

    ticket = ask(hear)
    try:
        # In slices: on Windows a wait without end cannot be interrupted.
        while not ended.wait(0.2):
            pass
    except KeyboardInterrupt:
        service.cancel(ticket)
        raise
    return outcome


def error_of(failed: Failed | None) -> MusaiError:
    """The error that a `Failed` event stands for, so that its exit code is kept."""
    if failed is None:
        return MusaiError("the service ended without an answer")
    kind = getattr(errors, failed.kind, None)
    known = isinstance(kind, type) and issubclass(kind, MusaiError)
    return kind(failed.reason) if known else MusaiError(failed.reason)  # type: ignore[misc]


def light_line(compared: Compared) -> str:
    """The light in one line: always the word and the sentence, never colour alone."""
    nearest = f" Nearest: {compared.title} ({compared.licence})" if compared.title else ""
    return f"{compared.light}: {compared.sentence}{nearest}"


def counted(number: int, thing: str) -> str:
    """ "1 bar", "4 bars"."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


@contextmanager
def bars(name: str, quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """A bar for each stage of long work on a corpus: a function of (done, total, what)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    # On standard error, so that a table or JSON on standard output stays whole.
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as bar:
        tasks: dict[str, Any] = {}

        def progress(done: int, total: int, what: str) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(f"{name}: {what}", total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress


@contextmanager
def file_bar(as_json: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """A bar on stderr where a person looks on; nothing for programs."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(
            task, completed=done, total=total, description=what[-48:]
        )
