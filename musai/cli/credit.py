"""`musai keep`: decide upon a take; `musai credit`: where each note of a finished piece comes from."""

from datetime import UTC, datetime
from pathlib import Path

import click

from musai.cli.common import bars, json_option, ledger_here, read_phrase, say_json
from musai.errors import BadInput, NotFound
from musai.files import write_whole

PICTURES = (".svg", ".png")


@click.command()
@click.argument("phrase", metavar="PHRASE_ID|last")
@click.option("--intent", default="", help="What it is for, in a sentence of up to 500 characters.")
@click.option("--discard", is_flag=True, help="Record that it is discarded instead.")
@json_option
def keep(phrase: str, intent: str, discard: bool, as_json: bool) -> None:
    """Record that you keep a take.

    PHRASE_ID is the id of a phrase of the ledger (its first eight digits are enough), `last` the
    newest take.  The sentence of intent stands in the ledger and in reports; nothing is
    measured from it.  A later decision takes the place of an earlier one, and both stay recorded.
    """
    from musai.ledger import Ledger
    from musai.service import records

    if discard and intent:
        raise BadInput("--intent stands beside --discard; legal is a sentence for a kept phrase")
    with Ledger.open(ledger_here("made")) as ledger:
        if phrase == "last":
            newest = ledger.last(1, "phrase")
            if not newest or newest[0].payload is None:
                raise NotFound("the ledger holds no phrase yet, or the last one was erased")
            phrase = str(newest[0].payload["phrase_id"])
        word = "discarded" if discard else "kept"
        record = records.decide(ledger, phrase, word, utc=datetime.now(UTC), intent=intent)
    told = record.payload or {}
    if as_json:
        say_json({"record": record.seq, **told})
    else:
        click.echo(f"{told['phrase_id'][:12]}: {word}, ledger record {record.seq}")


@click.command()
@click.argument("final", metavar="FINAL.mid", type=click.Path(path_type=Path))
@click.option("--session", required=True, help="The session whose takes it is made of.")
@click.option(
    "--undecided",
    is_flag=True,
    help="Go on where no take of the session was kept in so many words.",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="Draw the piece by origin of its notes into this .svg or .png file.",
)
@json_option
def credit(final: Path, session: str, undecided: bool, picture: Path | None, as_json: bool) -> None:
    """Say of each note of a finished piece where it comes from.

    FINAL.mid is the file that left your DAW.  Each of its notes is found again in the takes
    and prompts of a session of the ledger, also where it was transposed, quantized,
    stretched, cut, copied or moved: kept, edited (and in which field), from a prompt, or
    new and yours.  The counts are evidence of what was done, mapped to the three kinds of
    human contribution that the US Copyright Office names; they are no legal finding.
    """
    from musai.audit.session import sitting
    from musai.audit.share import credit as credited
    from musai.ledger import Ledger
    from musai.report import contributions as told

    if picture is not None and picture.suffix.lower() not in PICTURES:
        raise BadInput(f"--picture is {picture.name!r}; legal is a name that ends in .svg or .png")
    piece = read_phrase(final)
    if len(piece) == 0:
        raise BadInput(f"{final} holds no notes; legal is a finished piece")
    with Ledger.open(ledger_here("made")) as ledger:
        held = sitting(ledger, session, undecided)
    with bars(final.name, as_json) as bar:
        found = credited(piece, held, lambda done, total: bar(done, total, "takes"))
    if picture is not None:
        png = picture.suffix.lower() == ".png"
        drawn = told.picture_png(piece, found) if png else told.picture(piece, found).encode()
        write_whole(picture, drawn)
    if as_json:
        say_json({**told.plain(found), "picture": None if picture is None else str(picture)})
        return
    click.echo("\n".join(told.lines(found)))
    for kind in told.kinds(found):
        click.echo(f"\n{kind['kind']}")
        for line in kind["evidence"]:
            click.echo(f"  {line}")
    click.echo(f"\nKinds after {told.SOURCE}.\n{told.CAUTION}")
    if picture is not None:
        click.echo(f"{picture}")


COMMANDS: tuple[click.Command, ...] = (keep, credit)
