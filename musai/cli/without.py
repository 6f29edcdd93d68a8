"""`musai model without`: train a model again minus some works, and say what that changes."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from musai.errors import BadInput, check_range
from musai.folders import home


@click.command("without", short_help="Train again minus some works, and compare.")
@click.argument("works", metavar="WORK...", nargs=-1, required=True)
@click.option("--model", "name", metavar="NAME", help="The model; default: tunebook.")
@click.option("--corpus", help="The corpus that holds its works; default: the recipe's.")
@click.option("--steps", type=int, help="Only the first steps, both with and without the works.")
@click.option("--seeds", default=20, show_default=True, help="Seeds to play with both models.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the new model goes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def without(
    works: tuple[str, ...],
    name: str | None,
    corpus: str | None,
    steps: int | None,
    seeds: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Train a model from its recipe minus WORKs, same seeds and batches, and compare the two.

    The whole takes as long as training did and writes the new model; --steps makes both models anew for
    so many steps and only compares. The table: weights, held-out likelihood, the phrases of some
    seeds, the probability of those works, before and after.
    """
    from musai.cli.train import follow
    from musai.transformer import checkpoint
    from musai.transformer.recipe import Recipe

    folder = checkpoint.folder_of(name)
    checkpoint.check_sums(folder)
    recipe = Recipe.read(folder / checkpoint.RECIPE)
    check_range("seeds", seeds, 0, 1000)
    if steps is not None:
        check_range("steps", steps, 1, recipe.schedule.steps)
    if steps is None:
        out = out or home() / "models" / f"{recipe.name}-without-{works[0][:8]}"
        if out.exists():
            raise BadInput(f"{out} is there already; name another place with --out")
    command = [sys.executable, "-m", "musai.transformer.without", str(folder), *works]
    command += ["--seeds", str(seeds)] + (["--corpus", corpus] if corpus else [])
    command += ["--steps", str(steps)] if steps is not None else ["--out", str(out)]
    result = follow(command, recipe.schedule.threads, steps or recipe.schedule.steps)
    click.echo(json.dumps(result) if as_json else "\n".join(table(result)))


def table(result: dict[str, Any]) -> list[str]:
    """The comparison in lines."""
    weights, bits, seeds = result["weights"], result["bits_per_note"], result["seeds"]
    lines = [
        f"{result['model']} after {result['steps']:,} steps, with and without {len(result['works'])} works",
        f"{'':34}{'before':>10}{'after':>10}{'change':>10}",
    ]
    for key, what in (("held_out", "held-out works"), ("those_works", "the works left out")):
        if key in bits:
            row = bits[key]
            lines.append(
                f"{'bits a note, ' + what:34}{row['before']:10.4f}{row['after']:10.4f}{row['change']:+10.4f}"
            )
    lines.append(
        f"weights moved by {100 * weights['relative']:.3g}% of their size; most: {weights['most']}, "
        f"{100 * weights['most_relative']:.3g}%"
    )
    first = seeds["median_first_other_note"]
    lines.append(
        f"{seeds['same']} of {seeds['played']} seeds play the same phrase"
        + ("" if first is None else f"; the others first differ at note {first:g} (median)")
    )
    return [*lines, f"the new model: {result['out']}"] if result["out"] else lines
