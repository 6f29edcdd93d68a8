"""What a model has by heart of the works it was trained on.

Of each work every window (`windows`) is put to the model: given the prefix, how probable is the true
continuation, under the model itself and under the sampler that plays (`recall`)?  The work's worst window
gives the probability p of drawing `LEAST` events of it in one take, 1 - (1 - p)^n in n takes, and
-log2 p as bits of luck: about so many seeds, to the power of two, would have to be tried.  The
likeliest windows are also sought near-verbatim (`near`), and put to models trained on halves (`halves`).

What is found (`recorded`) is written work by work, so that an audit that was cut short goes on.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from musai.audit.recall import Recall, recalled
from musai.audit.recorded import FORMAT, Audit, WorkRecall
from musai.audit.windows import Window, windows
from musai.corpus import Corpus
from musai.errors import Altered
from musai.transformer.checkpoint import Model
from musai.transformer.controls import TEMPERATURE, TOP_P
from musai.transformer.data import Piece, encode_work
from musai.transformer.network import Network
from musai.transformer.recipe import Recipe

CHUNK = 40
"""Works that are put to the model and written down together."""

Progress = Callable[[int, int, str], None]


def pieces_of(model: Model, corpus: Corpus, work_ids: Sequence[str]) -> Iterator[Piece]:
    """The works as the model's training read them."""
    recipe = Recipe.read(model.folder / "recipe.toml")
    for work_id in work_ids:
        work = corpus.work(work_id)
        group = recipe.group_of(work.collection, work.source)
        number = 1 + model.collections.index(group) if group in model.collections else 0
        played = model.shape.loud
        yield encode_work(work_id, corpus.phrase(work_id), number, group, played=played)


def audit(
    model: Model,
    corpus: Corpus,
    work_ids: Sequence[str],
    kept: Path,
    progress: Progress,
    temperature: float = TEMPERATURE,
    top_p: float = TOP_P,
) -> Audit:
    """Put every window of the works to the model; rows are kept in the file `kept` as they come.

    Works that the corpus lacks are named and passed over.  Raises `Altered` where `kept` is of
    another model, corpus or sampler.
    """
    settings = {
        "format": FORMAT,
        "model_id": model.model_id,
        "corpus_id": corpus.id,
        "temperature": temperature,
        "top_p": top_p,
    }
    here = [work_id for work_id in work_ids if work_id in corpus]
    done = _resumed(kept, settings)
    left = [work_id for work_id in here if work_id not in done]
    network = Network.of(model.shape, model.weights)
    with kept.open("a", encoding="utf-8") as file:
        for first in range(0, len(left), CHUNK):
            progress(len(here) - len(left) + first, len(here), "works")
            some = left[first : first + CHUNK]
            held = {p.work_id: list(windows(p)) for p in pieces_of(model, corpus, some)}
            every = [window for work_id in some for window in held[work_id]]
            told = iter(recalled(network, every, temperature, top_p))
            for work_id in some:
                rows = [(window, next(told)) for window in held[work_id]]
                row = _worst(work_id, corpus.work(work_id).title, rows)
                done[work_id] = row
                file.write(json.dumps({"work_id": work_id, "row": row and asdict(row)}) + "\n")
            file.flush()
    progress(len(here), len(here), "works")
    return Audit(
        model.name,
        model.model_id,
        corpus.id,
        temperature,
        top_p,
        tuple(row for work_id in here if (row := done[work_id]) is not None),
        tuple(work_id for work_id in here if done[work_id] is None),
        tuple(work_id for work_id in work_ids if work_id not in corpus),
    )


def _resumed(kept: Path, settings: dict[str, Any]) -> dict[str, WorkRecall | None]:
    """What a former run wrote down; a last line that was cut short is taken away."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.is_file():
        kept.write_text(json.dumps(settings, sort_keys=True) + "\n", encoding="utf-8")
        return {}
    lines = kept.read_text(encoding="utf-8").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines = lines[:-1]
        kept.write_text("".join(lines), encoding="utf-8")
    try:
        rows = [json.loads(line) for line in lines]
        if not rows or rows[0] != settings:
            raise Altered(f"{kept} is of another model, corpus or sampler; remove it to begin anew")
        return {row["work_id"]: row["row"] and WorkRecall(**row["row"]) for row in rows[1:]}
    except (ValueError, KeyError, TypeError) as error:
        raise Altered(f"{kept} cannot be read ({error}); remove it to begin anew") from None


def _worst(work_id: str, title: str, rows: Sequence[tuple[Window, Recall]]) -> WorkRecall | None:
    """The window of a work that is likeliest drawn; where none can be, the likeliest raw."""
    if not rows:
        return None
    window, told = max(rows, key=lambda row: (row[1].drawn, row[1].raw))
    return WorkRecall(
        work_id=work_id,
        title=title,
        windows=len(rows),
        reachable=sum(bool(np.isfinite(row.drawn)) for _, row in rows),
        event=window.event,
        raw=_finite(told.raw),
        drawn=_finite(told.drawn),
        drawn_long=_finite(told.drawn_long),
        events=told.events,
    )


def _finite(value: float) -> float | None:
    # Float32 through a network has no more digits than these.
    return round(value, 4) if math.isfinite(value) else None


def window_of(model: Model, corpus: Corpus, row: WorkRecall) -> Window:
    """A work's worst window again."""
    (piece,) = pieces_of(model, corpus, [row.work_id])
    return next(window for window in windows(piece) if window.event == row.event)
