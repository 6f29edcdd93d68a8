"""`musai report`: the report on a phrase of the ledger, or on a MIDI file compared now."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musai import folders
from musai.cli.common import json_option, read_phrase, say_json
from musai.errors import BadInput, NotFound

if TYPE_CHECKING:
    from musai.corpus import Corpus
    from musai.match import Matches
    from musai.match.spread import Spread
    from musai.music import Phrase
    from musai.report import Evidence, Report, records
    from musai.style import Overlap

DEFAULT_CORPUS = "tunebook"
SEVERITY = ("grey", "green", "amber", "red")


@click.command()
@click.argument("subject", metavar="[PHRASE_ID|last|FILE.mid]", default="last")
@click.option("--out", type=click.Path(path_type=Path), help="The folder to write into.")
@click.option("--corpus", "corpora", multiple=True, help="Compare FILE.mid with this corpus.")
@click.option("--no-wait", is_flag=True, help="Give no verdict rather than build a missing null.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a report and end.")
@json_option
def report(
    subject: str,
    out: Path | None,
    corpora: tuple[str, ...],
    no_wait: bool,
    schema: bool,
    as_json: bool,
) -> None:
    """Write the report on a phrase: report.json and report.html.

    PHRASE_ID is the id of a phrase that was made here (its first eight digits
    are enough) and `last`, the default, the newest one: their reports tell
    what was recorded when they were made.  A MIDI file is compared now.
    """
    from musai.report import plain, save_report

    if schema:
        click.echo(plain.schema_text(), nl=False)
        return
    told = (
        _of_file(Path(subject), corpora, no_wait, as_json)
        if _is_file(subject)
        else _of_phrase(subject, corpora)
    )
    folder = out or Path(f"musai-report-{told.subject.phrase_id[:8]}")
    try:
        data, page = save_report(told, folder)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror or error}") from None
    if as_json:
        say_json(
            {
                "phrase_id": told.subject.phrase_id,
                "light": told.verdict.light,
                "p_value": told.verdict.p_value,
                "longest_run": told.verdict.longest_run,
                "sentence": told.verdict.sentence,
                "matches": len(told.matches),
                "report_json": str(data),
                "report_html": str(page),
            }
        )
        return
    click.echo(
        f"{told.verdict.light}: {told.verdict.word}, {told.verdict.number}".replace("\u00a0", " ")
    )
    click.echo(told.verdict.sentence)
    click.echo(f"{page}\n{data}")


def _is_file(subject: str) -> bool:
    """A name with a folder or a MIDI ending is a file, also where it is missing."""
    path = Path(subject)
    return (
        path.suffix.lower() in (".mid", ".midi", ".smf") or path.name != subject or path.is_file()
    )


def _of_phrase(subject: str, corpora: tuple[str, ...]) -> "Report":
    """The report of what the ledger holds."""
    from musai.ledger import Ledger
    from musai.service.reporting import report_of
    from musai.service.shelves import Shelves

    if corpora:
        raise BadInput(
            f"--corpus is {corpora[0]!r} beside a phrase that was compared when it was made; "
            "legal is --corpus beside a MIDI file"
        )
    path = folders.home() / "ledger" / "ledger.sqlite"
    if not path.exists():
        raise NotFound("nothing has been made here yet: musai generate, or musai serve")
    shelves = Shelves(folders.home())
    with Ledger.open(path) as ledger:
        if subject != "last":
            return report_of(ledger, subject, shelves)
        newest = ledger.last(1, "phrase")
        if not newest or newest[0].payload is None:
            raise NotFound("the ledger holds no phrase yet, or the last one was erased")
        return report_of(ledger, newest[0].payload["phrase_id"], shelves)


def _of_file(path: Path, corpora: tuple[str, ...], no_wait: bool, quiet: bool) -> "Report":
    """The report of a file compared now; of several corpora the one whose light is worst decides."""
    from musai.cli.match import opened
    from musai.corpus import Corpus
    from musai.match.spread import spread
    from musai.report import build_report
    from musai.report.build import MAX_COMPARISONS

    phrase = read_phrase(path)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    found = []
    for name in corpora or (DEFAULT_CORPUS,):
        with closing(opened(name, no_wait, quiet)) as matcher:
            matches = matcher.match(phrase, 50, common=MAX_COMPARISONS)
            spread_of = spread(matcher.nulls.ready, matches.verdict, phrase)
            found.append((Corpus.open(name), matches, spread_of))
    held, matches, spread_of = max(found, key=lambda each: _severity(each[1]))
    return build_report(
        phrase,
        when=when,
        name=path.name,
        origin="file",
        corpus=_corpus(held),
        evidence=_evidence(held, matches, spread_of, _style(held, phrase)),
        phrase_of=held.phrase,
    )


def _severity(matches: "Matches") -> tuple[int, float]:
    p = matches.verdict.p_value
    return SEVERITY.index(matches.verdict.light), -1.0 if p is None else 1.0 - p


def _corpus(held: "Corpus") -> "records.Corpus":
    from musai.report import records

    return records.Corpus(name=held.name, id=held.id, works=len(held))


def _evidence(
    held: "Corpus", matches: "Matches", spread: "Spread | None", style: "Overlap | None"
) -> "Evidence":
    from musai.report import Evidence, work_record

    works = {hit.work_id: work_record(held.work(hit.work_id)) for hit in matches}
    return Evidence(matches.verdict, matches.hits, works, spread, style)


def _style(held: "Corpus", phrase: "Phrase") -> "Overlap | None":
    """The phrase's style beside a corpus whose features have been counted; else None."""
    from musai.service.styles import counted
    from musai.style import Style

    return Style.open(held).compare(phrase) if counted(held) else None


COMMANDS: tuple[click.Command, ...] = (report,)
