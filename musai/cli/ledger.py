"""`musai ledger`: is the record whole, and what stands in it."""

import click

from musai import folders
from musai.cli.common import counted, json_option, say_json
from musai.errors import NotFound


@click.group()
def ledger() -> None:
    """The record of all that was asked, made and found: verify."""


@ledger.command("verify", short_help="Read the whole chain and say whether it is as written.")
@json_option
def verify_ledger(as_json: bool) -> None:
    """Read every record of the ledger and name the first that is not as it was written.

    Prints the hash of the last record, which stands for the whole ledger: note
    it elsewhere, and nobody can put another history in this one's place.
    """
    from musai.ledger import verify_file

    path = folders.home() / "ledger" / "ledger.sqlite"
    if not path.exists():
        raise NotFound("nothing has been recorded here yet: musai generate, or musai serve")
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


COMMANDS: tuple[click.Command, ...] = (ledger,)
