"""`musai audit`: what can be measured of takes and of models beyond likeness."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from musai import folders
from musai.cli.common import bars, counted, json_option, ledger_here, say_json
from musai.errors import NotFound

if TYPE_CHECKING:
    from musai.audit.variety import Take, Variety

LAST = 20


@click.group()
def audit() -> None:
    """Measure how varied takes are, what a model has by heart, how far influence can be trusted."""


@audit.command("sameness", short_help="How varied takes are, beside passages of a corpus.")
@click.option("--session", help="Takes of this session only.")
@click.option("--since", default="", metavar="DAY", help="From this day on, like 2026-11-25.")
@click.option("--until", default="", metavar="DAY", help="Until this day.")
@click.option(
    "--last",
    "count",
    default=LAST,
    show_default=True,
    type=click.IntRange(2, 200),
    help="So many of the newest takes.",
)
@click.option("--corpus", default="tunebook", show_default=True, help="The corpus to measure by.")
@json_option
def sameness(
    session: str | None, since: str, until: str, count: int, corpus: str, as_json: bool
) -> None:
    """Say how varied the last takes are: as varied as so many tunes of a corpus.

    Takes are compared by figures of a few notes that neither key nor tempo changes.  A low
    number means that they repeat each other more than tunes of the corpus do; across seeds and across
    sessions the mean similarity of pairs is told, and the pairs most alike are named.
    """
    from musai.audit.sameness import yardstick
    from musai.audit.variety import variety
    from musai.corpus import Corpus

    held = Corpus.open(corpus)
    takes = _takes(session, since, until, count)
    with bars(corpus, as_json) as bar:
        bar(0, 1, "passages")
        found = variety(takes, lambda notes: yardstick(held, notes))
    if as_json:
        say_json({"sentence": found.gauge.sentence, **asdict(found)})
        return
    _tell(found)


def _takes(session: str | None, since: str, until: str, count: int) -> list["Take"]:
    """The newest takes of the ledger that fit, the oldest of them first."""
    from musai.audit.variety import Take
    from musai.ledger import Ledger
    from musai.service import records
    from musai.service.history import History
    from musai.service.shelves import Shelves

    with Ledger.open(ledger_here("made")) as ledger:
        history = History(ledger, Shelves(folders.home()), lambda: datetime.now(UTC))
        rows = history.rows(session=session, since=since or None, until=until or None)
        made = [row for row in rows if row.origin == "generated"][:count]
        if len(made) < 2:
            known = ", ".join(repr(name) for name in ledger.values("session", 8)) or "none"
            raise NotFound(
                f"{counted(len(made), 'take')} of the ledger would be measured, and 2 are needed; "
                f"the last sessions are {known}"
            )
        out = []
        for row in reversed(made):
            record = records.phrase_record(ledger, row.phrase_id)
            asked = records.asked_alike(ledger, row.replay_id or "")
            out.append(Take.of(records.phrase_of(record), row.session, asked))
    return out


def _tell(found: "Variety") -> None:
    told = found.gauge
    click.echo(told.sentence)
    rows: list[tuple[str, Any, Any]] = [
        ("Vendi score", told.vendi, told.corpus_vendi),
        ("Vendi score, order infinity", told.vendi_inf, told.corpus_vendi_inf),
        ("mean similarity of two", found.similarity, found.corpus_similarity),
        ("  of one request, other seeds", found.across_seeds, None),
        ("  of different sessions", found.across_sessions, None),
    ]
    rows += [
        (f"distinct figures of {notes} notes", share, found.corpus_distinct[notes])
        for notes, share in found.distinct.items()
    ]
    click.echo(f"{'':<32}{'takes':>9}{told.corpus[:12]:>14}")
    for name, ours, theirs in rows:
        click.echo(f"{name:<32}{_number(ours):>9}{_number(theirs):>14}")
    click.echo(
        f"{told.corpus} by {told.takes} passages at a time: {told.corpus_low:.2f} to "
        f"{told.corpus_high:.2f} (5% to 95%)"
    )
    for one, other, similar in found.pairs:
        click.echo(f"  {similar:.2f}  {one[:12]}  {other[:12]}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


@audit.command(
    "memorization", short_help="What a model has by heart of the works it was trained on."
)
@click.option("--model", metavar="NAME", help="A model's name or folder (default: tunebook).")
@click.option("--corpus", help="The corpus that holds its works; default: the recipe's.")
@click.option(
    "--works",
    "count",
    type=click.IntRange(1),
    help="So many works only, spread evenly over the list; the card says so.",
)
@click.option(
    "--half-steps",
    default=1000,
    show_default=True,
    type=click.IntRange(0),
    help="Steps of the two models trained on halves; 0 for none.",
)
@click.option(
    "--near",
    default=20,
    show_default=True,
    type=click.IntRange(0),
    help="Windows sought near-verbatim.",
)
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--no-card", is_flag=True, help="Leave the model's folder as it is.")
@json_option
def memorization(
    model: str | None,
    corpus: str | None,
    count: int | None,
    half_steps: int,
    near: int,
    threads: int,
    no_card: bool,
    as_json: bool,
) -> None:
    """Say what a model has by heart of the works it was trained on.

    Every window of every training work is put to the model: 64 events of the work, and how probable
    are the next 32, under the model and under the sampler that plays?  The likeliest are sought with a few
    notes otherwise, and put to two models trained on halves of the works, with and without each.
    The result goes into the model's folder as memorization.json and a page of its card; an audit that was cut short goes on
    where it was.  The shipped model takes about ten minutes on two free cores.
    """
    from musai.audit import auditing, recorded
    from musai.report import recollections

    with bars("audit", as_json) as bar:
        told, folder = auditing.run(model, corpus, count, half_steps, near, threads, bar)
    if not no_card:
        recorded.save(told, recollections.page(told), folder)
    if as_json:
        say_json({**recollections.plain(told), "folder": str(folder)})
        return
    click.echo("\n".join(recollections.lines(told)))
    if not no_card:
        click.echo(str(folder / "memorization.md"))


@audit.command("influence", short_help="How far estimates of influence can be trusted on a model.")
@click.option("--model", metavar="NAME", help="A model's name or folder (default: tunebook).")
@click.option("--corpus", help="The corpus that holds its works; default: the recipe's.")
@click.option(
    "--subsets", default=32, show_default=True, type=click.IntRange(4), help="Trainings without."
)
@click.option(
    "--queries", default=16, show_default=True, type=click.IntRange(4), help="Held-out works asked."
)
@json_option
def trust(model: str | None, corpus: str | None, subsets: int, queries: int, as_json: bool) -> None:
    """Measure how far musai influence can be trusted on a model, by training it again.

    Once whole and then without a twentieth of its works, --subsets times, with the same seeds; what
    was foretold is held against what came. From then on musai influence says so instead of "proxy",
    tells nats, and musai royalties pays by it. It takes as many times the model's training; broken
    off, it goes on after the last training that was done. The shipped model would take a day.
    """
    import sys

    from musai.cli.train import follow
    from musai.transformer import checkpoint
    from musai.transformer.recipe import Recipe

    folder = checkpoint.folder_of(model)
    checkpoint.check_sums(folder)
    recipe = Recipe.read(folder / checkpoint.RECIPE)
    command = [sys.executable, "-m", "musai.influence.measuring", str(folder)]
    command += ["--subsets", str(subsets), "--queries", str(queries)]
    command += ["--corpus", corpus] if corpus else []
    found = follow(command, recipe.schedule.threads, (subsets + 1) * recipe.schedule.steps)
    if as_json:
        say_json({name: value for name, value in found.items() if name != "stage"})
        return
    click.echo(found["sentence"])
    how = "plain products" if found["damping"] is None else f"damping {found['damping']:g}"
    click.echo(
        f"{how}, chosen on other works; a unit of the score is {found['slope']:.3g} nats, and "
        f"{found['spread']:.3g} nats of a work's part stay unexplained"
    )


COMMANDS: tuple[click.Command, ...] = (audit,)
