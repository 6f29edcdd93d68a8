"""`musai corpus`: works and what their owners allow."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from musai.cli import training_works
from musai.cli.common import counted, file_bar, json_option, say_json
from musai.cli.revoke import revoke_terms
from musai.corpus import USES, Corpus, Use, Work, permission
from musai.corpus.changes import LeftOut, Summary, kind_of, left_out, remove
from musai.corpus.corpus import checked_name, corpus_names, find_work, folder_of, verify
from musai.corpus.importers import Declaration, add
from musai.corpus.similar import near_duplicates
from musai.errors import Altered, BadInput, NotFound

SHOWN = 20
"""Lines of a list that a person is shown before "and N more"."""

name_option = click.option("--name", metavar="CORPUS", help="The corpus: a name or a folder.")


@click.group()
def corpus() -> None:
    """Works and what their owners allow: add, list, show, remove, check."""


@corpus.command("add", short_help="Add a folder or a file of music.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", metavar="CORPUS", help="The corpus to add to; made if missing.")
@click.option(
    "--for",
    "model",
    metavar="MODEL",
    help="Add a model's training works: to its corpus, and checked.",
)
@click.option("--mine", is_flag=True, help="Declare these works your own: every use allowed.")
@click.option("--by", default="", metavar="WHO", help="Who declares it, with --mine.")
@click.option("--manifest", type=click.Path(path_type=Path), help="CSV or JSON Lines on the files.")
@json_option
def add_works(
    path: Path,
    name: str | None,
    model: str | None,
    mine: bool,
    by: str,
    manifest: Path | None,
    as_json: bool,
) -> None:
    """Add the music in PATH (a folder, or one MIDI, MusicXML, MXL or ABC file).

    A folder's manifest.csv or manifest.jsonl says what its files are and what their
    owners allow. Where nothing says so, musai may match on this machine and nothing else.

    With --for they are checked against the model's works.csv, by the hash of their notes.
    """
    name, wanted = training_works.wanted(name, model)
    if by and not mine:
        raise BadInput("--by names who declares works their own; it needs --mine")
    if not path.exists():
        raise BadInput(f"{path} is not there; legal is a folder or a file of music")
    declaration = Declaration(by, _today()) if mine else None
    folder = folder_of(name)
    with file_bar(as_json) as progress:
        summary = add(
            path,
            folder,
            checked_name(folder.name),
            manifest=manifest,
            declaration=declaration,
            progress=progress,
        )
    made = Corpus.open(folder)
    here = None if model is None else training_works.check(made, model, wanted)
    _say_summary(made, summary, as_json, here)


@corpus.command("tunebook", short_help="Build the default corpus from music21's scores.")
@json_option
def build_default(as_json: bool) -> None:
    """Build the default corpus, tunebook, from the scores that music21 ships."""
    from musai.corpus.tunebook import NAME, build_tunebook

    with file_bar(as_json) as progress:
        made = build_tunebook(folder_of(NAME), progress)
    _say_summary(made, Summary(list(made.works), 0, left_out(made.path)), as_json)


@corpus.command("list", short_help="The corpora here, or the works of one.")
@click.argument("name", required=False)
@click.option(
    "--search",
    default="",
    metavar="TEXT",
    help="Only works that hold this in their title or names.",
)
@click.option("--allows", type=click.Choice(USES), help="Only works that allow this use.")
@click.option("--takedowns", is_flag=True, help="What was taken down instead.")
@json_option
def list_works(
    name: str | None, search: str, allows: Use | None, takedowns: bool, as_json: bool
) -> None:
    """The corpora here; with a NAME, its works."""
    if name is None:
        _list_corpora(as_json)
        return
    opened = Corpus.open(name)
    if takedowns:
        rows = [
            {
                "id": t.id,
                "title": t.title,
                "on": t.on.isoformat() if t.on else None,
                "reason": t.reason,
            }
            for t in opened.takedowns
        ]
        _say_rows(
            rows, as_json, lambda r: f"{r['id'][:12]}  {r['on'] or ''}  {r['title']}  {r['reason']}"
        )
        return
    works = [w for w in opened.works if _holds(w, search)]
    if allows:
        works = [w for w in works if permission(w, allows, on=_today()).allowed]
    if as_json:
        say_json([_brief(work) for work in works])
    else:
        click.echo("\n".join(_line(work) for work in works))
    if not works:
        raise NotFound(f"no work of {opened.name} fits")


@corpus.command("show", short_help="Everything about a work.")
@click.argument("work")
@name_option
@json_option
def show_work(work: str, name: str | None, as_json: bool) -> None:
    """Everything about WORK, by its id or the beginning of it: makers, source, terms, evidence."""
    opened, found = find_work(work, name)
    if as_json:
        say_json({"corpus": opened.name, **_whole(found)})
    else:
        click.echo("\n".join(_told(opened, found)))


@corpus.command("remove", short_help="Take a work down.")
@click.argument("work")
@name_option
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@json_option
def remove_work(work: str, name: str | None, reason: str, as_json: bool) -> None:
    """Take WORK down: its notes go from store and index, and it cannot be added again."""
    opened, found = find_work(work, name)
    alike = [
        w for cluster in near_duplicates(opened) for w in cluster if found in cluster and w != found
    ]
    takedown = remove(opened, found.id, on=_today(), reason=reason)
    if as_json:
        say_json(
            {
                "corpus": opened.name,
                "id": takedown.id,
                "title": takedown.title,
                "on": _today().isoformat(),
                "near_duplicates": [_brief(w) for w in alike],
            }
        )
        return
    click.echo(f"{takedown.title} ({takedown.id[:12]}) is taken down from {opened.name}.")
    if alike:
        click.echo("Nearly the same melody, and still there:")
        click.echo("\n".join(_line(w) for w in alike))


@corpus.command("check", short_help="Hashes, missing terms, near-duplicates.")
@click.argument("name", required=False)
@json_option
def check_corpora(name: str | None, as_json: bool) -> None:
    """Check hashes, missing terms and near-duplicates of a corpus, or of all of them."""
    names = [name] if name else corpus_names()
    checks = [_check(Corpus.open(one)) for one in names]
    if as_json:
        say_json(checks)
    else:
        for check in checks:
            click.echo("\n".join(_check_lines(check)))
    if not checks:
        raise NotFound("there is no corpus here; musai corpus add PATH --name NAME makes one")
    if any(check["altered"] for check in checks):
        raise SystemExit(1)


corpus.add_command(revoke_terms)


def _check(opened: Corpus) -> dict[str, Any]:
    unknown = [
        w for w in opened.works if not w.evidence or w.terms.train.reason.endswith("unknown")
    ]
    return {
        "corpus": opened.name,
        "id": opened.id,
        "works": len(opened),
        "notes": opened.notes,
        "altered": [{"id": f.work_id, "title": f.title, "says": f.says} for f in verify(opened)],
        "missing_terms": [_brief(work) for work in unknown],
        "near_duplicates": [[_brief(w) for w in cluster] for cluster in near_duplicates(opened)],
    }


def _check_lines(check: dict[str, Any]) -> Iterator[str]:
    yield f"{check['corpus']}: {counted(check['works'], 'work')}, {counted(check['notes'], 'note')}"
    altered, missing, alike = check["altered"], check["missing_terms"], check["near_duplicates"]
    wrong = f"{counted(len(altered), 'work')} no longer what was stored" if altered else "all right"
    yield f"  hashes: {wrong}"
    yield from _some([f"    {one['id'][:12]}  {one['title']}: {one['says']}" for one in altered])
    unsaid = f"missing for {counted(len(missing), 'work')}" if missing else "all stated"
    yield f"  terms: {unsaid}"
    yield from _some([f"    {one['id'][:12]}  {one['title']}" for one in missing])
    yield f"  near-duplicates: {counted(len(alike), 'cluster') if alike else 'none'}"
    yield from _some(["    " + " = ".join(one["title"] for one in cluster) for cluster in alike])


def _some(lines: list[str]) -> list[str]:
    more = [f"    and {len(lines) - SHOWN} more (--json has all)"] if len(lines) > SHOWN else []
    return lines[:SHOWN] + more


def _list_corpora(as_json: bool) -> None:
    rows: list[dict[str, Any]] = []
    for name in corpus_names():
        try:
            c = Corpus.open(name)
        except Altered as fault:
            click.echo(f"{name} cannot be opened: {fault}", err=True)
            continue
        rows.append(
            {"name": c.name, "works": len(c), "notes": c.notes, "id": c.id, "folder": str(c.path)}
        )
    _say_rows(
        rows,
        as_json,
        lambda r: (
            f"{r['name']}: {counted(r['works'], 'work')}, {counted(r['notes'], 'note')}, {r['folder']}"
        ),
    )


def _say_rows(rows: list[dict[str, Any]], as_json: bool, line: Any) -> None:
    if as_json:
        say_json(rows)
    elif rows:
        click.echo("\n".join(line(row) for row in rows))


def _holds(work: Work, text: str) -> bool:
    said = " ".join((work.title, *work.titles, work.composer, work.collection, work.source))
    return text.casefold() in said.casefold()


def _brief(work: Work) -> dict[str, Any]:
    return {
        "id": work.id,
        "title": work.title,
        "composer": work.composer,
        "collection": work.collection,
        "licence": work.licence,
        "notes": work.notes,
    }


def _whole(work: Work) -> dict[str, Any]:
    """The work with each use's permission as of today."""
    import msgspec

    values: dict[str, Any] = msgspec.to_builtins(work)
    answers = {use: permission(work, use, on=_today()) for use in USES}
    values["permissions"] = {
        use: {"status": a.status, "reason": a.reason, "conditions": list(a.conditions)}
        for use, a in answers.items()
    }
    return values


def _line(work: Work) -> str:
    by = f", {work.composer}" if work.composer else ""
    return f"{work.id[:12]}  {work.title}{by}  [{work.licence}]"


def _told(opened: Corpus, work: Work) -> Iterator[str]:
    yield work.title
    for label, value in (
        ("also called", ", ".join(work.titles)),
        ("by", ", ".join(_person(c.name, c.born, c.died) for c in work.creators)),
        ("owned by", ", ".join(f"{h.name} ({h.share / 100:g}%)" for h in work.holders)),
        ("ISWC", work.iswc),
        ("id", work.id),
        (
            "corpus",
            f"{opened.name}, collection {work.collection}" if work.collection else opened.name,
        ),
        ("notes", f"{work.notes:,}"),
        ("source", work.source),
        ("licence", work.licence),
        ("grounds", work.grounds),
        ("credit", work.attribution),
    ):
        if value:
            yield f"  {label}: {value}"
    for use in USES:
        answer = permission(work, use, on=_today())
        conditions = f"; {'; '.join(answer.conditions)}" if answer.conditions else ""
        yield f"  {use}: {answer.status} ({answer.reason}{conditions})"
    for evidence in work.evidence:
        yield f"  evidence: {evidence.file}: “{evidence.quote[:160]}” (SHA-256 {evidence.sha256[:12]}…)"


def _person(name: str, born: int | None, died: int | None) -> str:
    return f"{name} ({born or '?'} to {died or '?'})" if born or died else name


def _say_summary(
    made: Corpus, summary: Summary, as_json: bool, here: dict[str, Any] | None = None
) -> None:
    if as_json:
        say_json(
            {
                "corpus": made.name,
                "folder": str(made.path),
                "id": made.id,
                "added": [_brief(work) for work in summary.added],
                "notes": sum(work.notes for work in summary.added),
                "already": summary.already,
                "left_out": [{"file": row.file, "reason": row.reason} for row in summary.left_out],
                **({} if here is None else {"training_works": here}),
            }
        )
        return
    notes = sum(work.notes for work in summary.added)
    there = f", {counted(summary.already, 'work')} there already" if summary.already else ""
    click.echo(
        f"{made.name}: {counted(len(summary.added), 'work')} added ({counted(notes, 'note')}){there}; "
        f"now {counted(len(made), 'work')} in {made.path}"
    )
    if here is not None:
        click.echo(training_works.line(here))
    if summary.left_out:
        click.echo(f"Left out, {len(summary.left_out):,} in all:")
        click.echo("\n".join(_reasons(summary.left_out)))


def _reasons(rows: list[LeftOut]) -> Iterator[str]:
    """Files by reason, the commonest reason first, a few files each."""
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        by_reason.setdefault(kind_of(row.reason), []).append(row.file)
    ordered = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    for reason, names in ordered[:SHOWN]:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"  {', '.join(names[:3])}{more}: {reason}"
    if len(ordered) > SHOWN:
        yield f"  and {len(ordered) - SHOWN} more reasons (left_out.jsonl has all)"


def _today() -> Any:
    """The day, UTC: the clock is read here and handed down."""
    return datetime.now(UTC).date()


COMMANDS: tuple[click.Command, ...] = (corpus,)
