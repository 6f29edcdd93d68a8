"""`musai model compare`: two models side by side, what they know and what they copy."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from musai.cli.common import counted, json_option, say_json
from musai.errors import check_range

if TYPE_CHECKING:
    from musai.match.quotations import Quotations
    from musai.transformer.checkpoint import Model

RUNS = (8, 12)
"""Notes in a row that count as a copy."""

BARS = 8


@click.command("compare", short_help="Two models side by side: bits a note, copying.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--corpus", help="The works to compare on; default: those that B was made from.")
@click.option("--phrases", default=50, show_default=True, help="Phrases of each, for copying.")
@json_option
def compare(first: str, second: str, corpus: str | None, phrases: int, as_json: bool) -> None:
    """Compare models A and B on the works of a corpus.

    Bits a note on works that neither was trained on, and on each one's own training works: the
    gap between the two is what it knows by heart. Copying: how many of its phrases of eight bars
    hold a run of 8 or 12 notes of a work there, in any key and tempo, common stock aside.
    """
    from musai.corpus import Corpus
    from musai.match.catalogue import catalogue
    from musai.match.quotations import Quotations
    from musai.transformer import checkpoint
    from musai.transformer.comparing import bits_of

    check_range("--phrases", phrases, 1, 10_000)
    models = [checkpoint.load(name) for name in (first, second)]
    source = Corpus.open(corpus or str(models[1].origin["corpus"]))
    search = Quotations(catalogue(source))
    rows = [
        {"name": model.name, "model_id": model.model_id, **asdict(bits),
         "phrases": phrases, **copied(model, search, source.name, phrases)}
        for model, bits in zip(models, bits_of(models, source), strict=True)
    ]  # fmt: skip
    if as_json:
        say_json({"corpus": source.name, "models": rows})
        return
    for row in rows:
        click.echo(_line(row))


def copied(model: "Model", search: "Quotations", collection: str, phrases: int) -> dict[str, float]:
    """Shares of a model's phrases that hold a run of so many notes of a work, common stock aside."""
    from musai.transformer import Player, Request

    player = Player(model)
    told = collection if collection in model.collections else None
    made = [player.play(Request(bars=BARS, seed=seed, collection=told)) for seed in range(phrases)]
    return {
        f"runs_of_{k}": sum(any(not found.stock for found in search.of(one, k)) for one in made)
        / phrases
        for k in RUNS
    }


def _line(row: dict[str, Any]) -> str:
    def bits(value: float | None, works: int) -> str:
        return "none" if value is None else f"{value:.3f} bits a note on {counted(works, 'work')}"

    copies = ", ".join(f"{row[f'runs_of_{k}']:.0%} with a run of {k}" for k in RUNS)
    return (
        f"{row['name']}: held out: {bits(row['held_out'], row['held_out_works'])}; its own: "
        f"{bits(row['on_training'], row['training_works'])}; of {row['phrases']} phrases {copies}"
    )
