"""`musai influence`: which training works moved a phrase's probability."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musai import folders
from musai.cli.common import bars, counted, json_option, model_option, read_phrase, say_json
from musai.errors import BadInput, NotFound
from musai.music import Phrase

if TYPE_CHECKING:
    from musai.influence.kept import Influence


@click.command()
@click.argument("phrase", metavar="FILE.mid|PHRASE_ID")
@model_option
@click.option("--corpus", help="The corpus that holds the model's works; default: the model's own.")
@click.option("--top", type=click.IntRange(1, 1000), default=10, show_default=True)
@json_option
def influence(phrase: str, model: str | None, corpus: str | None, top: int, as_json: bool) -> None:
    """Estimate which training works moved the probability of a phrase.

    Two lists: by gradient (what training on a work did for this phrase) and by word search (what
    is merely alike), and whether they agree. Both are estimates, and how far they can be trusted
    is said beside them. Only works whose terms allow this display are named. The first time, the
    gradients of the model's works are worked out, which takes some minutes and can be broken off.
    The estimate is kept in musai's home folder, where the page of the phrase finds it.
    """
    from musai.influence import kept
    from musai.influence.shelf import Shelf

    asked = _phrase(phrase)
    if len(asked) == 0:
        raise BadInput(f"{phrase} holds no notes; legal is a phrase with notes")
    shelf = Shelf.open(model, corpus)
    with bars("influence", as_json) as progress:
        shelf.prepare(progress)
    found = shelf.ask(asked, top)
    kept.save(found, folders.home(), shelf.model_id, asked.id)
    if as_json:
        say_json({**dataclasses.asdict(found), "sentence": found.sentence})
    else:
        _print(found)


def _phrase(name: str) -> Phrase:
    path = Path(name)
    if path.suffix or path.is_file():
        return read_phrase(path)
    from musai.ledger import Ledger
    from musai.service import records

    ledger_file = folders.ledger_file()
    if not ledger_file.exists():
        raise NotFound(f"{name} is no file, and nothing has been made here yet: musai generate")
    with Ledger.open(ledger_file) as ledger:
        return records.phrase_of(records.phrase_record(ledger, name))


def _print(found: "Influence") -> None:
    click.echo(f"{found.model}: {found.sentence}")
    click.echo(f"  rank correlation of the two lists over all works: {found.agreement:.2f}")
    for title, pulls in (("By gradient", found.works), ("By word search", found.similar)):
        click.echo(f"{title} (share of the first; the other list's beside it):")
        for pull in pulls:
            own, other = pull.gradient, pull.lexical
            if title != "By gradient":
                own, other = other, own
            often = "  heads most lists, whatever is asked" if pull.everywhere else ""
            click.echo(f"  {own:5.2f} {other:6.2f}  {pull.title} ({pull.collection}){often}")
    click.echo("Sums by collection, what is negative included:")
    for name, value in found.collections[:5]:
        click.echo(f"  {value:8.2f}  {name or 'no collection'}")
    if found.hidden or found.missing:
        click.echo(
            f"{counted(found.hidden, 'work')} not named, as its terms ask; "
            f"{counted(found.missing, 'work')} not here"
        )
    click.echo(f"Method: {found.method}.")
    click.echo(f"Reliability: {found.reliability}.")


COMMANDS: tuple[click.Command, ...] = (influence,)
