"""How smooth is training in the weights of its works?  `python -m tests.bench.smoothness`

Influence estimates differentiate through training, which tells something only
where small changes of a work's weight change the outcome steadily.  The measure
is empirical metasmoothness (Engstrom et al. 2025): train with a group of works
at weight 1, 1/2 and 0, and see whether the held-out log-likelihoods of single
works move in the same direction in both halves of the way, each weighted by how
far it moved; 1 is perfectly smooth, 0 is noise.

Conventions: 5% of the works in a group, three groups, a small network on 200 works
of tunebook, four recipes; one thread.  Prints a table, then one JSON object.
"""

import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from musai.corpus import Corpus
from musai.transformer import data
from musai.transformer.recipe import Recipe, Schedule
from musai.transformer.shape import Shape
from musai.transformer.training import evaluate, train

BASE = Recipe(
    "smoothness",
    "tunebook",
    shape=Shape(width=64, layers=2, heads=2, inner=256, window=256),
    schedule=Schedule(steps=240, rows_per_batch=2048, rate=1.5e-3, warmup=30),
)
RECIPES = {
    "as shipped": BASE,
    "rate x3": replace(BASE, schedule=replace(BASE.schedule, rate=4.5e-3)),
    "epsilon 1e-5": replace(BASE, schedule=replace(BASE.schedule, epsilon=1e-5)),
    "batch x4": replace(BASE, schedule=replace(BASE.schedule, rows_per_batch=8192, steps=120)),
}
GROUPS = 3


def outcome(recipe, pieces, queries, emphasis):
    """Held-out bits a note of every query after training with these weights."""
    with tempfile.TemporaryDirectory() as folder:
        network = train(recipe, pieces, Path(folder), every=10**9, emphasis=emphasis)
    return np.array([evaluate(network, [query])["bits_per_note"] for query in queries])


def smoothness(recipe, pieces, queries, seed):
    """(metasmoothness, mean size of the whole change in bits) over the groups."""
    full = outcome(recipe, pieces, queries, {})
    found, sizes = [], []
    for group in range(GROUPS):
        rng = data.generator(seed, "group", group)
        out = rng.choice(len(pieces), len(pieces) // 20, replace=False)
        ids = [pieces[i].work_id for i in out]
        half = outcome(recipe, pieces, queries, dict.fromkeys(ids, 0.5))
        none = outcome(recipe, pieces, queries, dict.fromkeys(ids, 0.0))
        weight = np.abs(none - full) / np.abs(none - full).sum()
        found.append(float((np.sign(half - full) * np.sign(none - half) * weight).sum()))
        sizes.append(float(np.abs(none - full).mean()))
    return float(np.mean(found)), float(np.std(found) / GROUPS**0.5), float(np.mean(sizes))


def main(seed=7, names=tuple(RECIPES)):
    corpus = Corpus.open("tunebook")
    works = [work for work in corpus.works if work.collection == "ryansMammoth"][:232]
    pieces = [data.encode_work(w.id, corpus.phrase(w.id), 1, w.collection) for w in works]
    result = {}
    print(f"{'recipe':<14}{'smoothness':>12}{'+-':>7}{'change, bits':>14}")
    for name in names:
        mean, error, size = smoothness(RECIPES[name], pieces[:200], pieces[200:], seed)
        result[name] = {
            "smoothness": round(mean, 3),
            "error": round(error, 3),
            "bits": round(size, 4),
        }
        print(f"{name:<14}{mean:>12.3f}{error:>7.3f}{size:>14.4f}", flush=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(os.environ.get("SEED", "7")), tuple(sys.argv[1:]) or tuple(RECIPES))
