"""An audit of memorization from beginning to end: the works, the halves, the nearly same, the files."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from musai import errors
from musai.audit import halves
from musai.audit.memorization import audit, window_of
from musai.audit.recorded import Audit, Compared, WorkRecall, worst
from musai.audit.windows import repeats
from musai.corpus import Corpus, permission
from musai.errors import BadInput, MusaiError, NotFound
from musai.folders import home
from musai.transformer import checkpoint
from musai.transformer import vocabulary as v
from musai.transformer.checkpoint import Model
from musai.transformer.data import fitting
from musai.transformer.encoding import shift_of
from musai.transformer.recipe import ENVIRONMENT

Progress = Callable[[int, int, str], None]

WORST = 200
"""Works whose worst windows are put to the halves."""

SHOWN, GIVEN = 5, 16
"""Works whose worst window is shown with its notes, and notes of its prefix that are."""


def run(
    model: str | None,
    corpus: str | None,
    count: int | None,
    half_steps: int,
    near: int,
    threads: int,
    progress: Progress,
) -> tuple[Audit, Path]:
    """Audit a model; the audit and the model's folder.  Raises `NotFound`, `Altered`."""
    import torch

    torch.set_num_threads(threads)
    loaded = checkpoint.load(model)
    source = Corpus.open(corpus or str(loaded.origin["corpus"]))
    work_ids = checkpoint.work_ids(loaded.folder)
    if count is not None:
        chosen = np.linspace(0, len(work_ids) - 1, min(count, len(work_ids))).round().astype(int)
        work_ids = [work_ids[i] for i in np.unique(chosen)]
    if not any(work_id in source for work_id in work_ids):
        raise NotFound(
            f"corpus {source.name} holds none of the {len(work_ids)} works of model {loaded.name}; "
            "name the one that does with --corpus"
        )
    kept = home() / "audit" / "memorization" / f"{loaded.model_id[:16]}-{source.id[:16]}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(kept.with_suffix(".lock"), timeout=0):
            told = audit(loaded, source, work_ids, kept, progress)
    except Timeout:
        raise BadInput(
            f"another audit of model {loaded.name} is writing {kept}; legal is one at a time"
        ) from None
    rows = worst(told, WORST)
    compared = {
        row.work_id: Compared(row.work_id, repeats=repeats(window_of(loaded, source, row)))
        for row in rows
    }
    if half_steps:
        _train_halves(loaded, source, half_steps, progress)
        told = replace(told, half_steps=half_steps)
        compared |= _by_halves(loaded, source, rows, compared, half_steps, progress)
    compared |= _nearly(loaded, source, rows[:near], compared, progress)
    for row in rows[:SHOWN]:
        compared[row.work_id] = _shown(loaded, source, row, compared[row.work_id])
    return replace(told, compared=tuple(compared[row.work_id] for row in rows)), loaded.folder


def _train_halves(model: Model, corpus: Corpus, steps: int, progress: Progress) -> None:
    """Both halves side by side, each in a process of its own with one thread."""
    environment = os.environ | ENVIRONMENT | {"OMP_NUM_THREADS": "1"}
    done = [0, 0]
    command = [sys.executable, "-m", "musai.audit.halves", str(model.folder)]
    command += ["--steps", str(steps), "--corpus", str(corpus.path)]
    children = [
        subprocess.Popen(
            [*command, "--half", str(half)], stdout=subprocess.PIPE, text=True, env=environment
        )
        for half in (0, 1)
    ]
    try:
        for half, child in enumerate(children):
            last: dict[str, Any] = {}
            for line in child.stdout or ():
                last = json.loads(line)
                done[half] = int(last.get("step", done[half]))
                progress(sum(done), 2 * steps, "halves")
            if last.get("stage") == "error":
                raise getattr(errors, last["kind"], MusaiError)(last["text"])
            if child.wait() or last.get("stage") != "done":
                raise MusaiError("training a half was cut short; run the audit again to go on")
    finally:
        for child in children:
            child.terminate()
            child.wait()
    progress(2 * steps, 2 * steps, "halves")


def _by_halves(
    model: Model,
    corpus: Corpus,
    rows: Sequence[WorkRecall],
    compared: Mapping[str, Compared],
    steps: int,
    progress: Progress,
) -> dict[str, Compared]:
    """The worst windows under the half that has the work and the one that has not."""
    from safetensors.numpy import load_file

    from musai.audit.recall import recalled
    from musai.transformer.network import Network

    held = [window_of(model, corpus, row) for row in rows]
    known = halves.sides(corpus, [w for w in checkpoint.work_ids(model.folder) if w in corpus])
    found: list[list[float]] = []
    for half in (0, 1):
        progress(half, 2, "worst windows under the halves")
        path = halves.folder_of(model.model_id, steps, half) / "checkpoint.safetensors"
        weights = {
            name.removeprefix("weight/").replace("/", "."): value
            for name, value in load_file(path).items()
            if name.startswith("weight/")
        }
        network = Network.of(model.shape, weights)
        found.append([one.raw for one in recalled(network, held)])
    progress(2, 2, "worst windows under the halves")
    return {
        row.work_id: replace(
            compared[row.work_id],
            with_it=found[known[row.work_id]][i],
            without_it=found[1 - known[row.work_id]][i],
        )
        for i, row in enumerate(rows)
    }


def _nearly(
    model: Model,
    corpus: Corpus,
    rows: Sequence[WorkRecall],
    compared: Mapping[str, Compared],
    progress: Progress,
) -> dict[str, Compared]:
    """The likeliest windows with a few notes otherwise."""
    from musai.audit.near import near_verbatim
    from musai.transformer.network import Network

    network = Network.of(model.shape, model.weights)
    out = {}
    for i, row in enumerate(rows):
        progress(i, len(rows), "near-verbatim")
        log_p = near_verbatim(network, window_of(model, corpus, row))
        near = log_p if np.isfinite(log_p) else None
        out[row.work_id] = replace(compared[row.work_id], near=near)
    progress(len(rows), len(rows), "near-verbatim")
    return out


def _shown(model: Model, corpus: Corpus, row: WorkRecall, told: Compared) -> Compared:
    """The pitches of a worst window, where the work's terms allow that they are shown."""
    if not permission(corpus.work(row.work_id), "influence").allowed:
        return told
    window = window_of(model, corpus, row)
    phrase = fitting(corpus.phrase(row.work_id))
    drums = [i for i, voice in enumerate(phrase.voices) if voice.drum]
    kind, voice, pitch = (v.COLUMN[name] for name in ("kind", "voice", "pitch"))
    notes = window.rows[:, kind] == v.NOTE
    shift = np.where(np.isin(window.rows[:, voice] - 1, drums), 0, shift_of(phrase))
    sounding = window.rows[:, pitch].astype(int) - 1 - shift
    before = np.arange(len(window.rows)) <= window.asked
    return replace(
        told,
        given=tuple(sounding[notes & before].tolist()[-GIVEN:]),
        goes_on=tuple(sounding[notes & ~before].tolist()),
    )
