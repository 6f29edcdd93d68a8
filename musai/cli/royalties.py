"""`musai royalties`: what a period's revenue owes to the owners of a model's training works."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musai import folders
from musai.cli.common import json_option, ledger_here, model_option, say_json
from musai.ledger import Ledger

if TYPE_CHECKING:
    from musai.service.royalties import Estimator

SHOWN = 12


@click.command("royalties")
@click.option("--period", required=True, metavar="WHEN", help="2026, 2026-10, or FIRST..LAST.")
@click.option("--revenue", required=True, metavar="AMOUNT", help="What came in, like 1234.56.")
@click.option(
    "--terms",
    "terms_file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Currency, pools, threshold, territory.",
)
@click.option(
    "--influence",
    metavar="FILE.tsv|estimate",
    help="Influence of works on phrases, with its reliability; or estimate it now.",
)
@click.option("--corpus", help="The corpus that says who owns the works; default: the model's.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder to make.")
@model_option
@json_option
def royalties(
    period: str,
    revenue: str,
    terms_file: Path,
    influence: str | None,
    corpus: str | None,
    out: Path | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Split the REVENUE of a period among the owners of a model's training works.

    Writes a folder with a flat file (TSV), a signed statement (JSON) and one page to read. All
    lines sum to the revenue, to the last cent. Uses are the takes that were kept. With --influence
    estimate, what each work did for each take is estimated now (musai influence) and pays by the
    reliability that musai audit influence measured on this model; what it does not bear stays
    unattributed.
    """
    from musai.cli.influence import estimator
    from musai.royalties.statement import plain
    from musai.royalties.terms import StatementTerms
    from musai.service.royalties import statement_of, write

    terms = StatementTerms.read(terms_file)
    with Ledger.open(ledger_here()) as ledger:
        told: Path | Estimator | None = None if influence is None else Path(influence)
        if influence == "estimate":
            told = estimator(ledger, model, corpus, as_json)
        made = statement_of(
            ledger,
            terms,
            period=period,
            revenue=revenue,
            model=model,
            corpus=corpus,
            influence=told,
        )
    folder = out or Path(f"musai-statement-{made.period[0]}-{made.period[1]}")
    digest = write(made, folder, folders.home(), lambda: datetime.now(UTC))
    if as_json:
        say_json({"folder": str(folder), "statement_sha256": digest, **plain(made)})
        return
    for warning in made.warnings:
        click.echo(warning)
    owners = made.owners
    for owner in owners[:SHOWN]:
        click.echo(f"{made.money(made.split.total(owner)):>14} {terms.currency}  {owner}")
    if len(owners) > SHOWN:
        click.echo(f"{'':>14} and {len(owners) - SHOWN:,} more owners")
    click.echo(f"{made.money(made.revenue):>14} {terms.currency}  in all; influence: {made.trust}")
    click.echo(f"{folder}: statement.html to read, statement.tsv, statement.json signed")


COMMANDS: tuple[click.Command, ...] = (royalties,)
