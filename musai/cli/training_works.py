"""Are a model's training works here?  `musai corpus add FOLDER --for MODEL`."""

from collections.abc import Sequence
from typing import Any

from musai.corpus import Corpus
from musai.errors import BadInput

NAMED = 20
"""Works that are named where they are missing."""


def wanted(name: str | None, model: str | None) -> tuple[str, list[str]]:
    """The corpus to add to, and the ids of the works that a model was trained on."""
    if model is None:
        if name is None:
            raise BadInput("--name names the corpus to add to; --for MODEL takes the model's own")
        return name, []
    from musai.transformer import checkpoint

    loaded = checkpoint.load(model)
    return name or str(loaded.origin["corpus"]), checkpoint.work_ids(loaded.folder)


def check(made: Corpus, model: str, ids: Sequence[str]) -> dict[str, Any]:
    """How many of a model's training works a corpus holds.  Raises `BadInput` where it is none."""
    held = {work.id for work in made.works}
    missing = [work for work in ids if work not in held]
    if len(missing) == len(ids):
        raise BadInput(
            f"corpus {made.name} holds none of the {len(ids)} works that {model} was trained on: "
            "their notes differ, or this is other music"
        )
    here = len(ids) - len(missing)
    return {"model": model, "works": len(ids), "here": here, "missing": missing[:NAMED]}


def line(found: dict[str, Any]) -> str:
    """The same for people."""
    text = f"{found['here']:,} of {found['works']:,} works that {found['model']} was trained on are here"
    names = ", ".join(work[:12] for work in found["missing"][:5])
    return f"{text}; missing: {names} ..." if names else text
