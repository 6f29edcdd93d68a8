"""`musai model`: list, show, compare and check models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musai.cli.compare import compare
from musai.cli.quality import quality
from musai.cli.rebuild import verify
from musai.cli.without import without
from musai.errors import NotFound
from musai.folders import home
from musai.music import Phrase

if TYPE_CHECKING:
    from musai.transformer import Request


@click.group()
def model() -> None:
    """List, show and check models."""


model.add_command(verify)
model.add_command(compare)
model.add_command(without)
model.add_command(quality)


@model.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(as_json: bool) -> None:
    """Models that a request may name."""
    from musai.transformer import checkpoint

    rows = []
    for name in _names():
        loaded = checkpoint.load(name)
        rows.append(
            {
                "name": name,
                "model_id": loaded.model_id,
                "parameters": loaded.shape.parameters,
                "works": loaded.origin.get("works"),
                "folder": str(loaded.folder),
            }
        )
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(
            f"{row['name']}: {row['parameters']:,} parameters, {row['works']} works, "
            f"{str(row['model_id'])[:12]}, {row['folder']}"
        )


def _names() -> list[str]:
    import musai
    from musai.transformer import checkpoint

    package = Path(musai.__file__).parent
    found = {
        folder.name
        for place in (home() / "models", package / "_models", package.parent / "models")
        if place.is_dir()
        for folder in place.iterdir()
        if (folder / checkpoint.WEIGHTS).is_file()
    }
    if not found:
        raise NotFound("no model is installed; make one with `musai train RECIPE`")
    return sorted(found)


@model.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the card.")
def show(name: str | None, as_json: bool) -> None:
    """The card of a model."""
    from musai.transformer import checkpoint

    loaded = checkpoint.load(name)
    if as_json:
        click.echo(json.dumps({"name": loaded.name, "model_id": loaded.model_id, **loaded.origin}))
    else:
        click.echo((loaded.folder / checkpoint.CARD).read_text(encoding="utf-8"))


@model.command("fingerprints", short_help="Hash the runs of a model's training works.")
@click.argument("name", required=False)
@click.option("--corpus", help="The corpus that holds its works; default: the recipe's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fingerprint(name: str | None, corpus: str | None, as_json: bool) -> None:
    """Write hashes of runs of the training works into the model's folder.

    With them a model that travels without its music can still say which works a phrase
    shares exact runs with. No note can be read from them.
    """
    from musai.corpus import Corpus
    from musai.match import fingerprints
    from musai.match.catalogue import catalogue
    from musai.transformer import checkpoint

    loaded = checkpoint.load(name)
    held = catalogue(Corpus.open(corpus or str(loaded.origin["corpus"])))
    made = fingerprints.make(held, checkpoint.work_ids(loaded.folder))
    path = fingerprints.save(made, loaded.folder)
    checkpoint.write_sums(loaded.folder)
    size = path.stat().st_size
    if as_json:
        click.echo(json.dumps({"file": str(path), "runs": len(made), "bytes": size}))
    else:
        click.echo(f"{path}: {len(made):,} runs, {size:,} bytes")


@model.command()
@click.argument("name", required=False)
@click.option("--corpus", help="The corpus whose terms count; default: the recipe's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(name: str | None, corpus: str | None, as_json: bool) -> None:
    """Compare every file of a model with its recorded hash, and what it has by heart with its works' terms.

    Fails, and names the works, where the audit of memorization found one likelier to be given back than
    its owner accepts, and where an owner sets a limit and there was no audit.
    """
    from musai.audit.limits import Kept, limits_kept
    from musai.transformer import checkpoint

    folder = checkpoint.folder_of(name)
    sums = checkpoint.check_sums(folder)
    kept: Kept = limits_kept(folder, corpus)
    if as_json:
        told = {"works_with_a_limit": kept.works, "audited": kept.audited, "why_not": kept.why_not}
        click.echo(json.dumps({"folder": str(folder), "files": sums, "memorization": told}))
    else:
        click.echo(f"{folder}: {len(sums)} files are what they were")
        click.echo(kept.sentence)
    kept.check()


@model.command()
@click.argument("name", required=False)
@click.option("--seeds", default=2, show_default=True, help="Pictures a kind of request.")
def samples(name: str | None, seeds: int) -> None:
    """Draw what a model plays into its card: an answer to a motif, and each large collection."""
    from musai.report.roll import roll_svg
    from musai.transformer import Player, checkpoint
    from musai.transformer.card import SAMPLES_END, SAMPLES_START

    folder = checkpoint.folder_of(name)
    pictures = folder / "samples"
    pictures.mkdir(exist_ok=True)
    lines = []
    player = Player.open(folder)
    for label, request in _sample_requests(player.collections, seeds):
        file = pictures / f"{label}-{request.seed}.svg"
        file.write_text(
            roll_svg(player.play(request), title=label, standalone=True), encoding="utf-8"
        )
        lines.append(f"![{label}, seed {request.seed}](samples/{file.name})\n")
    card = (folder / checkpoint.CARD).read_text(encoding="utf-8")
    head, rest = card.split(SAMPLES_START, 1)
    tail = rest.split(SAMPLES_END, 1)[1]
    card = head + SAMPLES_START + "\n" + "".join(lines) + SAMPLES_END + tail
    (folder / checkpoint.CARD).write_text(card, encoding="utf-8")
    checkpoint.write_sums(folder)
    click.echo(f"{len(lines)} pictures in {pictures}")


@model.command()
@click.argument("name", required=False)
@click.option("--seeds", default=20, show_default=True, help="Phrases a control.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def adherence(name: str | None, seeds: int, as_json: bool) -> None:
    """Measure how well a model keeps to what is asked for, control by control."""
    from dataclasses import asdict

    from musai.transformer import Player
    from musai.transformer.adherence import table

    player = Player.open(name)
    rows = table(player, seeds)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    # Each row as it comes: a model of many voices takes minutes.
    click.echo(f"{'control':12}{'asked':56}{'held by':9}{'got':>8}{'unasked':>9}  measure")
    for row in rows:
        click.echo(
            f"{row.control:12}{row.asked:56}{row.held:9}{row.got:8.3g}{row.unasked:9.3g}  "
            f"{row.measure}"
        )


def _sample_requests(collections: tuple[str, ...], seeds: int) -> Iterator[tuple[str, "Request"]]:
    from musai.transformer import Request

    motif = Phrase.from_notes(
        [0, 0.5, 1, 2, 2.5, 3, 4, 5, 5.5, 6],
        [0.5, 0.5, 1, 0.5, 0.5, 1, 1, 0.5, 0.5, 2],
        [67, 69, 71, 74, 71, 69, 67, 71, 69, 67],
        length=8,
    )
    for seed in range(1, seeds + 1):
        yield "answer", Request("answer", 4, seed, motif)
        for collection in collections[:MOST_PICTURED]:
            yield collection, Request(bars=8, seed=seed, collection=collection)


MOST_PICTURED = 9
"""Collections that have pictures in a card: the first ones."""


COMMANDS: tuple[click.Command, ...] = (model,)
