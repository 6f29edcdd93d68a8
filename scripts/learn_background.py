"""Make musai/match/background.npz: how often each step follows two others, and each ratio one.

    python scripts/learn_background.py --corpus tunebook \
        --folder ../shared/data/openscore-quartets --folder ../shared/data/chopin \
        --folder ../shared/data/open-hymnal

Lines and tops of all works; every source weighs the same.  The Lieder are
left out on purpose: they are what the matcher is judged by.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from musai.corpus import Corpus
from musai.errors import MusaiError
from musai.match.scores import counts
from musai.match.streams import streams, symbols
from musai.music import Phrase

WEIGHT = 100_000
"""Steps that each source counts for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--folder", action="append", default=[], type=Path)
    parser.add_argument("--out", type=Path, default=Path("musai/match/background.npz"))
    chosen = parser.parse_args()
    sources = [(name, of_corpus(name)) for name in chosen.corpus]
    sources += [(folder.name, of_folder(folder)) for folder in chosen.folder]
    steps, ratios = 0, 0
    for name, phrases in sources:
        held, times = counts([symbols(*line) for phrase in phrases for line in lines(phrase)])
        print(f"{name}: {held.sum():,} steps")
        steps = steps + held * (WEIGHT / held.sum())
        ratios = ratios + times * (WEIGHT / times.sum())
    np.savez_compressed(
        chosen.out,
        steps=np.rint(steps).astype(np.uint32),
        ratios=np.rint(ratios).astype(np.uint32),
    )
    print(f"{chosen.out}: {chosen.out.stat().st_size:,} bytes")


def of_corpus(name: str) -> Iterator[Phrase]:
    corpus = Corpus.open(name)
    return (corpus.phrase(work.id) for work in corpus.works)


def of_folder(folder: Path) -> Iterator[Phrase]:
    for path in sorted(folder.rglob("*.mid")):
        try:
            yield Phrase.from_midi(path)
        except MusaiError as fault:
            print(f"left out {path.name}: {fault}")


def lines(phrase: Phrase) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for stream in streams(phrase):
        if stream.kind in ("line", "top"):
            part = phrase.notes[stream.index]
            yield part["pitch"], part["onset"]


if __name__ == "__main__":
    main()
