"""`musai corpus revoke`: an owner takes back what they allowed; first it says what that touches."""

from datetime import UTC, datetime

import click

from musai import folders
from musai.cli.common import json_option, say_json
from musai.corpus import USES, Use
from musai.errors import BadInput


@click.command("revoke", short_help="Take back what an owner allowed; says first what it touches.")
@click.argument("works", metavar="WORK...", nargs=-1, required=True)
@click.option("--name", metavar="CORPUS", help="The corpus: a name or a folder.")
@click.option(
    "--use",
    "uses",
    multiple=True,
    type=click.Choice(USES),
    help="What is not allowed any more; default: train, influence and commercial.",
)
@click.option("--by", "who", default="", metavar="WHO", help="Who revokes it, for the record.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@click.option("--yes", is_flag=True, help="Do it; without this, only say what it touches.")
@json_option
def revoke_terms(
    works: tuple[str, ...],
    name: str | None,
    uses: tuple[Use, ...],
    who: str,
    reason: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Deny uses of WORKs from today on, and say what to run to take their traces out.

    It lists the models trained on them, the sessions and phrases that those made, and the phrases
    whose comparison names them. Nothing is changed without --yes.
    """
    from musai.corpus.corpus import find_work
    from musai.ledger import Ledger
    from musai.service.catalogues import Catalogues
    from musai.service.history import History
    from musai.service.revoking import revoke, touched
    from musai.service.shelves import Shelves

    if yes and not who:
        raise BadInput("--yes needs --by: who revokes it, for the record")
    found = [find_work(one, name) for one in works]
    if len({held.name for held, _ in found}) > 1:
        raise BadInput("the works are of several corpora; name one with --name")
    home = folders.home()
    with Ledger.open(folders.ledger_file(home)) as ledger:
        shelves = Shelves(home)
        history = History(ledger, shelves, _now)
        catalogue = Catalogues(shelves, ledger, history, _now)
        what = touched(catalogue, history, found[0][0].name, [work.id for _, work in found])
        if yes:
            denied = uses or ("train", "influence", "commercial")
            revoke(catalogue, what, denied, who=who, reason=reason, on=_now().date())
    if as_json:
        say_json({**what.plain(), "revoked": yes})
        return
    click.echo("\n".join(what.sentences))
    done = (
        "Revoked, and recorded. To take their traces out:"
        if yes
        else ("Nothing is changed yet: the same again with --yes and --by does it. Then:")
    )
    click.echo("\n".join([done, *(f"  {line}" for line in what.run)]))


def _now() -> datetime:
    return datetime.now(UTC)
