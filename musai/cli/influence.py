"""`musai influence`: which training works and owners moved a phrase's probability."""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musai import folders
from musai.cli.common import (
    bars,
    counted,
    json_option,
    ledger_here,
    model_option,
    read_phrase,
    say_json,
)
from musai.errors import BadInput
from musai.ledger import Ledger
from musai.music import Phrase
from musai.service import records

if TYPE_CHECKING:
    from musai.influence.found import Influence, Pull, Total
    from musai.influence.shelf import Shelf
    from musai.royalties.influence import Influence as Summed
    from musai.service.royalties import Estimator

SUMS = 8


@click.command()
@click.argument("phrase", metavar="FILE.mid|PHRASE_ID")
@model_option
@click.option("--corpus", help="The corpus that holds the model's works; default: the model's own.")
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option(
    "--through-training",
    "whole",
    is_flag=True,
    help="Differentiate through all of training instead: a few trainings long, in nats.",
)
@json_option
def influence(
    phrase: str, model: str | None, corpus: str | None, top: int, whole: bool, as_json: bool
) -> None:
    """Estimate which training works and owners moved the probability of a phrase.

    Two lists: by gradient (what training on a work did for this phrase) and by word search (what
    is merely alike), and whether they agree. Then sums by owner and by collection, and the places of the
    phrase where one work stands out. All are estimates, with intervals, and how far they can be trusted is said
    beside them: measured on this model (musai audit influence), or a proxy. Only works whose terms
    allow this display are named. The first time, the gradients of the model's works are worked out, which
    takes some minutes and can be broken off. The estimate is kept in musai's home folder, where the
    page of the phrase and its report find it.
    """
    path = Path(phrase)
    if whole:
        _tell_through(through_training(phrase, model, corpus), top, as_json)
        return
    if path.suffix or path.is_file():
        asked = _sounding(read_phrase(path), phrase)
        found = _kept(opened(model, corpus, None, as_json), asked, top)
    else:
        with Ledger.open(ledger_here()) as ledger:
            found = estimate(ledger, phrase, model, corpus, top, quiet=as_json)
    if as_json:
        say_json(found.plain())
    else:
        _print(found)


def estimate(
    ledger: Ledger,
    phrase_id: str,
    model: str | None = None,
    corpus: str | None = None,
    top: int = 10,
    *,
    quiet: bool,
) -> "Influence":
    """Which works moved a phrase of the ledger, under the model that made it if none is named; kept.

    Raises `BadInput` where another model made it.
    """
    record = records.phrase_record(ledger, phrase_id)
    made_by = records.model_of(ledger, record)
    name = model or (made_by[0] if made_by else None)
    asked = _sounding(records.phrase_of(record), phrase_id)
    return _kept(opened(name, corpus, made_by, quiet), asked, top)


def estimator(ledger: Ledger, model: str | None, corpus: str | None, quiet: bool) -> "Estimator":
    """What estimates the influence of a model's works on takes of the ledger, all together."""

    def estimates(kept: "frozenset[str]") -> "Summed":
        from musai.influence.found import METHOD
        from musai.royalties.influence import summed

        shelf = opened(model, corpus, None, quiet)
        told: dict[str, dict[str, float]] = {}
        with bars("influence", quiet) as progress:
            for number, phrase_id in enumerate(sorted(kept)):
                phrase = records.phrase_of(records.phrase_record(ledger, phrase_id))
                told[phrase_id] = shelf.estimates(phrase) if len(phrase) else {}
                progress(number + 1, len(kept), "kept takes")
        found = shelf.measured
        lds = None if found is None else (found.lds, found.low, found.high)
        return summed(shelf.model_id, METHOD, lds, told)

    return estimates


def _sounding(phrase: Phrase, name: str) -> Phrase:
    if len(phrase) == 0:
        raise BadInput(f"{name} holds no notes; legal is a phrase with notes")
    return phrase


def _kept(shelf: "Shelf", asked: Phrase, top: int) -> "Influence":
    from musai.influence import kept

    found = shelf.ask(asked, top, datetime.now(UTC).date())
    kept.save(found, folders.home(), asked.id)
    return found


def through_training(phrase: str, model: str | None, corpus: str | None) -> dict[str, Any]:
    """Tier 3 of a file or of a phrase of the ledger, in a process of its own; its last object."""
    from musai.cli.train import follow
    from musai.transformer import checkpoint
    from musai.transformer.recipe import Recipe

    path, made_by = Path(phrase), None
    if path.suffix or path.is_file():
        asked = read_phrase(path)
    else:
        with Ledger.open(ledger_here()) as ledger:
            record = records.phrase_record(ledger, phrase)
            asked, made_by = records.phrase_of(record), records.model_of(ledger, record)
    folder = checkpoint.folder_of(model or (made_by[0] if made_by else None))
    checkpoint.check_sums(folder)
    if made_by is not None:
        held = checkpoint.load(folder)
        _check_made_by(made_by, held.name, held.model_id)
    recipe = Recipe.read(folder / checkpoint.RECIPE)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "phrase.mid"
        file.write_bytes(_sounding(asked, phrase).to_midi())
        command = [sys.executable, "-m", "musai.influence.through", str(folder), str(file)]
        command += ["--corpus", corpus] if corpus else []
        return follow(command, recipe.schedule.threads, 2 * recipe.schedule.steps)


def _tell_through(told: dict[str, Any], top: int, as_json: bool) -> None:
    if as_json:
        say_json({name: value for name, value in told.items() if name != "stage"})
        return
    click.echo(
        f"{told['model']}: nats that the phrase loses, to first order, for each work that counts nothing"
    )
    for row in told["works"][:top]:
        click.echo(f"  {row['nats']:+8.4f}  {row['title'] or row['work_id'][:12]}")
    click.echo("Sums by owner, what is negative included:")
    for row in told["owners"][:SUMS]:
        click.echo(f"  {row['nats']:+8.4f}  {row['name']}")
    if told["hidden"]:
        click.echo(f"{counted(told['hidden'], 'work')} not named and in no sum, as the terms ask")
    own, twin = told["log_p"]["model"], told["log_p"]["twin"]
    click.echo(
        f"Method: the derivative through {told['steps']:,} steps of a twin's training (tier 3); the phrase "
        f"has {own:.2f} nats under the model, {twin:.2f} under the twin. Not measured on this model."
    )


def _check_made_by(made_by: tuple[str, str] | None, name: str, model_id: str) -> None:
    if made_by is not None and made_by[1] != model_id:
        raise BadInput(
            f"the phrase was made by the model {made_by[0]} ({made_by[1][:12]}), and asked is "
            f"{name} ({model_id[:12]}); legal is the model that made it, or the phrase as a MIDI file"
        )


def opened(
    model: str | None, corpus: str | None, made_by: tuple[str, str] | None, quiet: bool
) -> "Shelf":
    """The shelf of a model, its gradients at hand; with a bar while they are worked out.

    Raises `BadInput` where the phrase was made by another model.
    """
    from musai.influence.shelf import Shelf

    shelf = Shelf.open(model, corpus)
    _check_made_by(made_by, shelf.name, shelf.model_id)
    with bars("influence", quiet) as progress:
        shelf.prepare(progress)
    return shelf


def _print(found: "Influence") -> None:
    click.echo(f"{found.model}: {found.sentence}")
    click.echo(f"  rank correlation of the two lists over all works: {found.agreement:.2f}")
    click.echo("By gradient (share of the first, 95% interval; word search's share beside it):")
    for pull in found.works:
        click.echo(_line(pull, pull.gradient, pull.lexical))
    click.echo("By word search (share of the first; the gradient's beside it):")
    for pull in found.similar:
        often = "  heads most lists, whatever is asked" if pull.everywhere else ""
        click.echo(
            f"  {pull.lexical:5.2f} {pull.gradient:6.2f}  {pull.title} ({pull.collection}){often}"
        )
    _sums("Sums by owner, what is negative included:", found.owners)
    _sums("Sums by collection:", found.collections)
    click.echo(_places(found))
    for place in found.places:
        click.echo(
            f"  {place.where}: {counted(place.notes, 'note')}, {place.title} (p {place.p:.3f})"
        )
    if found.hidden or found.missing:
        click.echo(
            f"{counted(found.hidden, 'work')} not named and in no sum, as the terms ask; "
            f"{counted(found.missing, 'work')} not here"
        )
    click.echo(f"Method: {found.method}.")
    click.echo(f"Reliability: {found.reliability}.")


def _line(pull: "Pull", share: float, other: float) -> str:
    often = "  heads most lists, whatever is asked" if pull.everywhere else ""
    nats = ""
    if pull.nats is not None:
        nats = "  {:+.3f} nats ({:+.3f} to {:+.3f})".format(*pull.nats)
    told = f"{share:5.2f} {_span(pull.low, pull.high)} {other:6.2f}"
    return f"  {told}  {pull.title} ({pull.collection}){nats}{often}"


def _span(low: float | None, high: float | None) -> str:
    return f"{'':16}" if low is None else f"({low:5.2f} to {high:5.2f})"


def _sums(title: str, rows: "tuple[Total, ...]") -> None:
    click.echo(title)
    for row in rows[:SUMS]:
        click.echo(f"  {row.share:8.2f} {_span(row.low, row.high)}  {row.name}")
    if len(rows) > SUMS:
        click.echo(f"  and {len(rows) - SUMS:,} more")


def _places(found: "Influence") -> str:
    from musai.influence.telling import RARE

    chance = RARE * found.asked_places
    said = f"one work stands out in {len(found.places)} of {found.asked_places}"
    return f"Places of a few notes: {said} (by chance in {chance:.1f})."


COMMANDS: tuple[click.Command, ...] = (influence,)
