"""`musai ledger`: is the record whole, and what stands in it."""

from datetime import UTC, datetime

import click

from musai.cli.common import counted, json_option, ledger_here, say_json
from musai.errors import BadInput
from musai.ledger import Ledger, verify_file


@click.group()
def ledger() -> None:
    """The record of all that was asked, made and found: verify, forget."""


@ledger.command("verify", short_help="Read the whole chain and say whether it is as written.")
@json_option
def verify_ledger(as_json: bool) -> None:
    """Read every record of the ledger and name the first that is not as it was written.

    Prints the hash of the last record, which stands for the whole ledger: note
    it elsewhere, and nobody can put another history in this one's place.
    """
    path = ledger_here()
    told = verify_file(path)
    if as_json:
        say_json(
            {
                "records": told.records,
                "erased": told.erased,
                "head": told.head,
                "first_bad": told.first_bad,
                "fault": told.fault,
            }
        )
    elif told.first_bad is None:
        erased = f", {told.erased} of them erased since" if told.erased else ""
        click.echo(f"{counted(told.records, 'record')}{erased}: all as written")
        click.echo(f"the last has the hash {told.head}")
    told.check()


@ledger.command("forget", short_help="Erase payloads; the chain still verifies.")
@click.argument("phrases", metavar="[PHRASE]...", nargs=-1)
@click.option("--session", "sessions", multiple=True, metavar="NAME", help="All of this session.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="All that this model made (name or id).",
)
@click.option(
    "--work", "works", multiple=True, metavar="WORK", help="What comparisons say of this work."
)
@click.option("--name", metavar="CORPUS", help="The corpus of --work.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the record.")
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would go.")
@json_option
def forget_payloads(
    phrases: tuple[str, ...],
    sessions: tuple[str, ...],
    models: tuple[str, ...],
    works: tuple[str, ...],
    name: str | None,
    reason: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase for good what the ledger tells of PHRASEs, sessions, models or works.

    Notes, requests, comparisons and judgements go; the hashes stay, so the chain still
    verifies, and a replay that needed them says WITHDRAWN. Of each id eight digits are remembered for that.
    """
    from musai.corpus.corpus import find_work
    from musai.service.forgetting import forget, selected
    from musai.transformer import checkpoint

    if not (phrases or sessions or models or works):
        raise BadInput("nothing is named; legal is phrases, --session, --model or --work")
    path = ledger_here()
    ids = [one if len(one) == 64 else checkpoint.load(one).model_id for one in models]
    wanted = [one if len(one) == 64 else find_work(one, name)[1].id for one in works]
    with Ledger.open(path) as held:
        what = selected(held, phrases=phrases, sessions=sessions, models=ids, works=wanted)
        done = forget(held, what, reason, utc=datetime.now(UTC)) if yes else None
        if done is not None:
            verify_file(path).check()
    told = {
        "records": sorted(what.records),
        "phrases": sorted(what.phrases),
        "sessions": sorted(what.sessions),
        "erased_in_record": None if done is None else done.seq,
    }
    if as_json:
        say_json(told)
        return
    click.echo(
        f"{counted(len(what.records), 'record')} of {counted(len(what.phrases), 'phrase')} in "
        f"{counted(len(what.sessions), 'session')}"
    )
    if done is None:
        click.echo(
            "nothing is erased yet: the same again with --yes and --reason does it, for good"
        )
    else:
        click.echo(f"erased, as record {done.seq} says; the chain is as written")


COMMANDS: tuple[click.Command, ...] = (ledger,)
