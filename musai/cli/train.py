"""`musai train`: a model from a recipe, or one that goes on learning from one's own works."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from musai import errors
from musai.cli.common import counted, file_bar
from musai.errors import BadInput, MusaiError
from musai.files import write_whole
from musai.folders import home


@click.command()
@click.argument("recipe", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "start", metavar="MODEL", help="Go on from this model: a name or a folder.")
@click.option(
    "--on", "music", metavar="CORPUS", help="With --from: a corpus, or a folder of music."
)
@click.option(
    "--mine", is_flag=True, help="Declare the folder's works your own: every use allowed."
)
@click.option("--name", help="With --from: the new model's name; default: the corpus's.")
@click.option(
    "--steps", type=int, help="With --from: how long; default: by how much music there is."
)
@click.option("--seed", default=7, show_default=True, help="With --from: keys batches and masks.")
@click.option("--threads", default=1, show_default=True, help="With --from: part of the recipe.")
@click.option("--corpus", help="Corpus to train on, when not the recipe's own.")
@click.option("--out", type=click.Path(path_type=Path), help="Model folder; default: the recipe's.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder for checkpoints.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or cuda where there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def train(
    recipe: Path | None,
    start: str | None,
    music: str | None,
    corpus: str | None,
    out: Path | None,
    work: Path | None,
    device: str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Train a model from RECIPE (a recipe.toml), or go on from one with your own works.

    musai train --from tunebook --on my-corpus

    The second writes a recipe into the new model's folder and trains from it; works whose terms
    do not allow training are refused by name. Tens of works take minutes. A run that was cut
    short resumes when the same command is given again, and ends with the same weights.
    """
    from musai.transformer.recipe import Recipe

    if (start is None) != (music is None) or (recipe is None) == (start is None):
        raise BadInput("musai train takes a RECIPE, or --from MODEL together with --on CORPUS")
    if start is not None and music is not None:
        recipe, corpus = _going_on(start, music, out, as_json, **chosen)
    elif chosen["mine"]:
        raise BadInput("--mine declares the works of a folder your own; it needs --from and --on")
    assert recipe is not None
    told = Recipe.read(recipe)
    out = out or recipe.parent
    work = work or home() / "runs" / told.name
    command = [sys.executable, "-m", "musai.transformer.run", str(recipe), "--out", str(out)]
    command += ["--work", str(work), "--device", device] + (["--corpus", corpus] if corpus else [])
    fresh = not work.exists()
    try:
        result = follow(command, told.schedule.threads, told.schedule.steps)
    except MusaiError:
        _tidy(work if fresh else None, out if start is not None else None)
        raise
    if as_json:
        click.echo(json.dumps(result))
    else:
        _tell(out, result)


def _going_on(
    start: str,
    music: str,
    out: Path | None,
    as_json: bool,
    *,
    mine: bool,
    name: str | None,
    steps: int | None,
    seed: int,
    threads: int,
) -> tuple[Path, str]:
    """The recipe of a model that goes on from another, written; and the corpus it is trained on."""
    from musai.corpus.corpus import checked_name
    from musai.transformer import checkpoint, tuning

    model = checkpoint.load(start)
    source = _corpus_of(music, mine, as_json)
    called = checked_name(name or source.name)
    folder = out or home() / "models" / called
    if (folder / checkpoint.WEIGHTS).is_file() and checkpoint.load(
        folder
    ).model_id == model.model_id:
        raise BadInput(f"{folder} is the model to start from; legal is another --name or --out")
    # As named where a name is enough: a recipe should hold no paths of one machine.
    named = str(model.folder) if Path(start).is_dir() else start
    place = source.name if (home() / "corpora" / source.name) == source.path else str(source.path)
    text = tuning.recipe_text(
        model,
        source,
        name=called,
        seed=seed,
        steps=steps,
        threads=threads,
        start=named,
        place=place,
    )
    write_whole(folder / checkpoint.RECIPE, text.encode())
    if not as_json:
        click.echo(
            f"{called}: from {model.name} with {counted(len(source.works), 'work')} of {source.name}",
            err=True,
        )
    return folder / checkpoint.RECIPE, str(source.path)


def _tidy(work: Path | None, made: Path | None) -> None:
    """Take away what a run that was refused before its first checkpoint has left."""
    from musai.transformer import checkpoint

    if work is not None and {file.name for file in work.glob("*")} <= {"lock"}:
        shutil.rmtree(work, ignore_errors=True)
        if made is not None and {file.name for file in made.glob("*")} <= {checkpoint.RECIPE}:
            shutil.rmtree(made, ignore_errors=True)


def _corpus_of(music: str, mine: bool, as_json: bool) -> Any:
    """The corpus of this name, or one made from a folder of music."""
    from musai.corpus import Corpus
    from musai.corpus.corpus import checked_name, folder_of
    from musai.corpus.importers import Declaration, add
    from musai.corpus.store import is_corpus

    folder = Path(music)
    if not folder.is_dir() or is_corpus(folder):
        if mine:
            raise BadInput(
                f"--mine declares the works of a folder your own, and {music} is no folder of music"
            )
        return Corpus.open(music)
    name = checked_name(folder.resolve().name)
    declaration = Declaration("", datetime.now(UTC).date()) if mine else None
    with file_bar(as_json) as progress:
        add(folder, folder_of(name), name, declaration=declaration, progress=progress)
    return Corpus.open(name)


def follow(command: list[str], threads: int, steps: int) -> dict[str, Any]:
    """Run the child and show its progress; its last object."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from musai.transformer.recipe import ENVIRONMENT

    environment = os.environ | ENVIRONMENT | {"OMP_NUM_THREADS": str(threads)}
    last: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task("reading the corpus", total=steps)
        for line in child.stdout or ():
            last = json.loads(line)
            if last["stage"] == "train":
                text = last.get("text") or f"step {last['step']}, {last['nats']:.3f} nats a choice"
                progress.update(task, completed=last["step"], description=text)
            elif "text" in last and last["stage"] != "error":
                progress.update(task, description=last["text"])
    if last.get("stage") == "error":
        raise getattr(errors, last["kind"])(last["text"])
    if child.returncode or last.get("stage") != "done":
        raise MusaiError(f"training ended with status {child.returncode}; run it again to resume")
    return last


def _tell(out: Path, result: dict[str, Any]) -> None:
    bits, base = result["model"]["bits_per_note"], result["baseline"]["bits_per_note"]
    before = f"{result['start']['bits_per_note']:.3f} before, " if "start" in result else ""
    known = result["model_on_training"]["bits_per_note"]
    click.echo(
        f"{out}: {bits:.3f} bits a note on held-out works ({before}n-gram baseline {base:.3f}), "
        f"{known:.3f} on training works"
    )


COMMANDS: tuple[click.Command, ...] = (train,)
