"""`musai model verify`: train a model again from its recipe and compare."""

import json
import sys

import click

from musai.errors import Altered, check_range


@click.command("verify", short_help="Train a model again from its recipe and compare.")
@click.argument("name", required=False)
@click.option("--steps", type=int, help="Only the first steps, against what the model recorded.")
@click.option("--corpus", help="The corpus that holds its works; default: the recipe's.")
@click.option("--record", is_flag=True, help="Record the hash after --steps in the model's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(
    name: str | None, steps: int | None, corpus: str | None, record: bool, as_json: bool
) -> None:
    """Train a model again from its recipe and compare the weights, bit for bit.

    Exit code 0: EXACT, the same bits, or EQUIVALENT, apart by rounding alone, as on another make of
    processor; 1: OTHER weights, and what is different on this machine is named. The whole takes as long
    as training did; twenty steps take a minute.
    """
    from musai.cli.train import follow
    from musai.transformer import checkpoint
    from musai.transformer.recipe import Recipe

    folder = checkpoint.folder_of(name)
    checkpoint.check_sums(folder)
    schedule = Recipe.read(folder / checkpoint.RECIPE).schedule
    if steps is not None:
        check_range("steps", steps, 1, schedule.steps)
    command = [sys.executable, "-m", "musai.transformer.rebuilding", str(folder)]
    command += [] if steps is None else ["--steps", str(steps)]
    command += ["--corpus", corpus] if corpus else []
    command += ["--record"] if record else []
    result = follow(command, schedule.threads, steps or schedule.steps)
    if as_json:
        click.echo(json.dumps(result))
    else:
        click.echo(_line(result))
    if result["verdict"] == "OTHER":
        raise Altered(f"{result['model']} is not what its recipe makes here")


def _line(result: dict[str, object]) -> str:
    what = "the whole training" if result["whole"] else f"the first {result['steps']} steps"
    if result["verdict"] is None:
        return (
            f"{what} give {result['sha256']}; the model's folder records nothing of them: "
            "--record does"
        )
    apart = f"{result['distance']:.1e} of the way that training went"
    said = {
        "EXACT": "EXACT, the same weights",
        "EQUIVALENT": f"EQUIVALENT, {apart} apart: rounded otherwise, as another make of processor does",
        "OTHER": f"OTHER weights, {apart} apart",
    }[str(result["verdict"])]
    changed = result["changed"]
    beside = f" (made with {'; '.join(changed)})" if isinstance(changed, list) and changed else ""
    if result["whole"] and result["verdict"] == "OTHER":
        beside += (
            "; after so many steps rounding alone may lead far: --steps 20 tells another make of processor "
            "from another recipe"
        )
    return f"{what}: {said}; {result['sha256']}{beside}"
