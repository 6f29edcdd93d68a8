"""`musai report`: on a phrase of the ledger, on files compared now, on a session, on days, on an owner."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musai import folders
from musai.cli.common import json_option, say_json
from musai.errors import BadInput, NotFound

if TYPE_CHECKING:
    from musai.report import Report
    from musai.report.dossier import Dossier
    from musai.service.rows import Format, Scope

FORMATS = ("html", "pdf", "json", "csv", "midi")


@click.command()
@click.argument("subjects", metavar="[PHRASE_ID|last|FILE|FOLDER]...", nargs=-1)
@click.option("--session", "sessions", multiple=True, help="All phrases of a session (repeatable).")
@click.option("--owner", "owners", multiple=True, help="All that came near this owner's works.")
@click.option("--since", default="", metavar="DAY", help="From this day on, like 2026-11-25.")
@click.option("--until", default="", metavar="DAY", help="Until this day.")
@click.option("--all", "everything", is_flag=True, help="All phrases of the ledger.")
@click.option("--compared-with", default="", metavar="CORPUS", help="Only matches of this corpus.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="What to write (repeatable); html and json if not said.",
)
@click.option("--out", type=click.Path(path_type=Path), help="The folder to write into.")
@click.option("--corpus", "corpora", multiple=True, help="Compare files with this corpus.")
@click.option(
    "--influence", is_flag=True, help="Also which training works moved it (of one phrase)."
)
@click.option("--no-wait", is_flag=True, help="Give no verdict rather than build a missing null.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a report and end.")
@click.option("--dossier-schema", is_flag=True, help="The same for a report on many phrases.")
@json_option
def report(
    subjects: tuple[str, ...],
    sessions: tuple[str, ...],
    owners: tuple[str, ...],
    since: str,
    until: str,
    everything: bool,
    compared_with: str,
    formats: tuple["Format", ...],
    out: Path | None,
    corpora: tuple[str, ...],
    influence: bool,
    no_wait: bool,
    schema: bool,
    dossier_schema: bool,
    as_json: bool,
) -> None:
    """Write a report: as a page, PDF, JSON, CSV, or the excerpts as MIDI.

    PHRASE_ID is the id of a phrase that was made here (its first eight digits
    are enough) and `last`, the default, the newest one: their reports tell
    what was recorded when they were made.  Files (MIDI, MusicXML, MXL, ABC)
    and folders of them are read into the ledger and compared now.  One phrase
    as a page or JSON has a report of its own, with all works near it; whatever
    is more is one report on all phrases, corrected once over them.
    """
    if schema or dossier_schema:
        _say_schema(dossier_schema)
        return
    scope = _scope(sessions, owners, since, until, everything, compared_with)
    if scope is not None and subjects:
        raise BadInput(
            f"{subjects[0]!r} stands beside --session, --owner, --since, --until or --all; "
            "legal is one or the other"
        )
    files = any(map(_is_file, subjects))
    if corpora and not files:
        raise BadInput(
            f"--corpus is {corpora[0]!r} beside phrases that were compared when they were made; "
            "legal is --corpus beside a file or a folder"
        )
    with _Desk(needs_files=files) as desk:
        if scope is None:
            phrases = desk.phrases(subjects or ("last",), corpora, no_wait, as_json)
            one = len(phrases) == 1 and set(formats) <= {"html", "json"} and not desk.left_out
            if one:
                _write_one(desk.report(phrases[0], influence, as_json), out, as_json)
                return
            scope = _of_phrases(phrases, compared_with)
        if influence:
            raise BadInput(
                "--influence is told of one phrase, as a page or JSON; legal is one PHRASE_ID"
            )
        dossier = desk.dossier(scope, as_json)
        name = f"musai-report-{datetime.now(UTC).date().isoformat()}"
        _write_many(desk, dossier, formats or ("html", "json"), out or Path(name), as_json)


def _say_schema(many: bool) -> None:
    from musai.report import exports, plain

    click.echo(exports.schema_text() if many else plain.schema_text(), nl=False)


def _scope(
    sessions: tuple[str, ...],
    owners: tuple[str, ...],
    since: str,
    until: str,
    everything: bool,
    corpus: str,
) -> "Scope | None":
    """The scope that the options name; None where they name phrases or nothing."""
    from musai.service.rows import Scope

    if sessions and owners:
        raise BadInput("--session and --owner are two scopes; legal is one of them")
    values = sessions or owners
    if not values and not since and not until and not everything:
        return None
    kind: Any = (
        "session" if sessions else "owner" if owners else "dates" if since or until else "all"
    )
    return Scope(kind=kind, values=values, since=since, until=until, corpus=corpus)


def _of_phrases(phrases: Sequence[str], corpus: str) -> "Scope":
    from musai.service.rows import Scope

    return Scope(kind="phrases", values=tuple(phrases), corpus=corpus)


class _Desk:
    """The ledger with what makes reports of it; it is made where files are to be entered."""

    def __init__(self, needs_files: bool) -> None:
        self._path = folders.ledger_file()
        if not self._path.exists() and not needs_files:
            raise NotFound("nothing has been made here yet: musai generate, or musai serve")
        self.left_out: list[tuple[str, str]] = []

    def __enter__(self) -> "_Desk":
        from musai.ledger import Ledger
        from musai.service.catalogues import Catalogues
        from musai.service.history import History
        from musai.service.reports import Reports
        from musai.service.shelves import Shelves

        self.ledger: Ledger = Ledger.open(self._path)
        self.shelves = Shelves(folders.home())
        self.history = History(self.ledger, self.shelves, _now)
        catalogue = Catalogues(self.shelves, self.ledger, self.history, _now)
        self.reports = Reports(self.history, catalogue, self.ledger, _now)
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()

    def phrases(
        self, subjects: Sequence[str], corpora: tuple[str, ...], no_wait: bool, quiet: bool
    ) -> list[str]:
        """The ids of all subjects; files are entered and compared first."""
        files = [subject for subject in subjects if _is_file(subject)]
        found = [self._known(subject) for subject in subjects if not _is_file(subject)]
        if files:
            from musai.cli.filing import compare_files

            made = compare_files(self.ledger, [Path(one) for one in files], corpora, no_wait, quiet)
            self.left_out += made.left_out
            found += made.phrases
        return list(dict.fromkeys(found))

    def _known(self, subject: str) -> str:
        if subject != "last":
            return self.history.row(subject).phrase_id
        newest = self.ledger.last(1, "phrase")
        if not newest or newest[0].payload is None:
            raise NotFound("the ledger holds no phrase yet, or the last one was erased")
        return str(newest[0].payload["phrase_id"])

    def report(self, phrase_id: str, influence: bool, quiet: bool) -> "Report":
        """The report of a phrase by itself, and which works moved it where that is asked for."""
        from musai.cli.influence import estimate
        from musai.service.reporting import report_of

        found = estimate(self.ledger, phrase_id, quiet=quiet) if influence else None
        return report_of(self.ledger, phrase_id, self.shelves, found)

    def dossier(self, scope: "Scope", quiet: bool) -> "Dossier":
        """The report on a scope, with a bar while it is made."""
        from musai.cli.common import bars

        with bars("report", quiet) as progress:
            return self.reports.dossier(
                scope,
                left_out=self.left_out,
                progress=lambda done, total, what: progress(done, max(1, total), "phrases"),
            )


def _is_file(subject: str) -> bool:
    """A name with a folder or the ending of music is a file, also where it is missing."""
    from musai.corpus.reader import KINDS

    path = Path(subject)
    return path.suffix.lower() in KINDS or path.name != subject or path.exists()


def _now() -> datetime:
    return datetime.now(UTC)


def _write_one(told: "Report", out: Path | None, as_json: bool) -> None:
    from musai.report import save_report

    data, page = save_report(told, out or Path(f"musai-report-{told.subject.phrase_id[:8]}"))
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


def _write_many(
    desk: _Desk, dossier: "Dossier", formats: Sequence["Format"], out: Path, as_json: bool
) -> None:
    from musai.report import summaries

    paths = desk.reports.save(dossier, dict.fromkeys(formats), out)
    if as_json:
        say_json(
            {
                "phrases": dossier.searched,
                "listed": len(dossier.entries),
                "significant": dossier.correction.significant,
                "level": dossier.correction.level,
                "matches": len(dossier.findings),
                "left_out": [list(row) for row in dossier.left_out],
                "files": [str(path) for path in paths],
            }
        )
        return
    click.echo(summaries.headline(dossier) + ".")
    click.echo(summaries.correction_words(dossier.correction))
    if dossier.left_out:
        click.echo(f"{len(dossier.left_out)} files could not be read:")
        for file, why in dossier.left_out[:20]:
            click.echo(f"  {file}: {why}")
    click.echo("\n".join(map(str, paths)))


COMMANDS: tuple[click.Command, ...] = (report,)
