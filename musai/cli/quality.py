"""`musai model quality`: how good a model's music is, in one table of its card."""

import json
from typing import TYPE_CHECKING, Any

import click

from musai.cli.common import bars, json_option, say_json
from musai.errors import BadInput, NotFound
from musai.files import write_whole

if TYPE_CHECKING:
    from musai.quality.quality import Quality
    from musai.transformer.checkpoint import Model


@click.command("quality", short_help="How good a model's music is: one table, into its card.")
@click.argument("name", required=False)
@click.option("--corpus", help="The corpus that holds its works; default: the recipe's.")
@click.option("--phrases", default=500, show_default=True, help="Phrases of each kind.")
@click.option("--seed", default=0, show_default=True, help="Seed of the first phrase.")
@click.option(
    "--plain-steps",
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    help="Also train a transformer with one token an attribute, so many steps; goes on where it was cut short.",
)
@click.option(
    "--beside",
    metavar="NAMES",
    default="",
    help="Models of fewer works, apart by commas, measured before: a table of them all.",
)
@click.option(
    "--kept",
    is_flag=True,
    help="Measure nothing anew: write the last figures of these very weights.",
)
@json_option
def quality(
    name: str | None,
    corpus: str | None,
    phrases: int,
    seed: int,
    plain_steps: int | None,
    beside: str,
    kept: bool,
    as_json: bool,
) -> None:
    """Measure a model's phrases beside human ones and an n-gram baseline's, and write the table into its card.

    All go on from bars of works that the model never saw: how alike they are feature by feature, whether two
    classifiers can tell them apart, how often they hold matches or runs of training works, how often a bar
    that was taken out is found again, and how voices lead under a tune. Some minutes; the figures also go
    into quality.json. Needs scikit-learn: pip install "musai[quality]".
    """
    from musai.quality.page import into
    from musai.quality.quality import measure
    from musai.transformer import checkpoint

    if kept and plain_steps:
        raise BadInput("--kept measures nothing and --plain-steps trains; legal is one of them")
    others = [_measured(one) for one in beside.split(",") if one]
    if kept:
        told, model = _kept(name)
    else:
        with bars(name or "tunebook", as_json) as progress:
            told, model = measure(name, corpus, phrases, seed, progress, plain_steps)
    folder = model.folder
    card = (folder / checkpoint.CARD).read_text(encoding="utf-8")
    figures = json.dumps(told.plain_values(), indent=1, sort_keys=True) + "\n"
    write_whole(folder / checkpoint.QUALITY, figures.encode())
    write_whole(folder / checkpoint.CARD, into(card, told, others).encode())
    checkpoint.write_sums(folder)
    if as_json:
        say_json(told.plain_values())
        return
    click.echo(into("", told, others).strip())
    click.echo(f"\nwritten into {folder / checkpoint.CARD}", err=True)


def _kept(name: str | None) -> "tuple[Quality, Model]":
    from musai.quality.quality import kept
    from musai.transformer import checkpoint

    model = checkpoint.load(name)
    told = kept(model)
    if told is None:
        raise NotFound(f"{model.folder} holds no figures of these weights: leave out --kept")
    return told, model


def _measured(name: str) -> dict[str, Any]:
    """What an earlier table says of another model.  Raises `NotFound`."""
    from musai.transformer import checkpoint

    path = checkpoint.folder_of(name) / checkpoint.QUALITY
    if not path.is_file():
        raise NotFound(f"model {name} has no {checkpoint.QUALITY} yet: musai model quality {name}")
    return dict(json.loads(path.read_text(encoding="utf-8")))
