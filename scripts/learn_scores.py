"""Make musai/match/learned.json: what alignments are scored by.

    python -m scripts.learn_scores --alignments ../shared/data/melodic-evolution/alignments.csv

Pitches and gaps from the experts' alignments of folk melodies (Savage and
others 2022; pitch classes only), rhythm and octaves from tunes of the tunebook
that bear one title in two books and cover each other.  Prints the agreement
with the experts cross-validated over families: pairs of one song are never on
both sides.
"""

import argparse
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from musai.corpus import Corpus
from musai.match import places, search
from musai.match.catalogue import Catalogue, catalogue
from musai.match.learned import Rates
from musai.match.related import COVERED
from musai.match.scores import Scores, background, profile
from musai.match.segment import KINDS
from scripts.learn_whole import FOLDS, Example, cross_validated, fit, read, unpacked

PLACE_COUNTS = 200
"""Pairs by chance that are added to what was counted of places."""

START = Scores(0.85, 0.9, -2.5, -2.5, -1.5, -4.5, -0.8, -2.0, -2.0, -3.0, -2.5, 5.0, 1.5)
"""Scores by which versions are aligned before anything is known; those that are learned are near."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alignments", type=Path, required=True)
    parser.add_argument("--corpus", default="tunebook")
    parser.add_argument("--out", type=Path, default=Path("musai/match/learned.json"))
    chosen = parser.parse_args()
    examples = read(chosen.alignments)
    agreement = cross_validated(examples)
    print(f"agreement with the experts, {FOLDS} folds by family: {agreement:.4f}", flush=True)
    moves = expert_moves(examples)
    corpus = Corpus.open(chosen.corpus)
    tunes, ratios, octaves, pairs = version_moves(catalogue(corpus))
    rates = rates_of(moves, tunes, ratios, octaves)
    print(rates)
    held = fit(examples)
    wholes = unpacked(held) | {"duration": duration_weights(ratios)}
    made = {
        "examples": len(examples),
        "families": len({e.family for e in examples}),
        "agreement": round(agreement, 4),
        "folds": FOLDS,
        "versions": pairs,
        "corpus": chosen.corpus,
    }
    table = {"made": made, "rates": asdict(rates), "whole": plain(wholes)}
    table["places"] = place_odds(catalogue(corpus), corpus)
    chosen.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print(f"{chosen.out}: {chosen.out.stat().st_size:,} bytes")


def plain(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: np.round(np.asarray(values), 4).tolist() for name, values in weights.items()}


def wrapped(step: int) -> int:
    """A difference of pitch classes as the smaller step."""
    return (step + 6) % 12 - 6


def expert_moves(examples: Sequence[Example]) -> Counter[str]:
    """How the experts' alignments go from one pair of notes to the next."""
    found: Counter[str] = Counter()
    for one in examples:
        held = [(i, int(j)) for i, j in enumerate(one.partner) if j >= 0]
        found.update(_moves(one, held))
    return found


def _moves(one: Example, held: list[tuple[int, int]]) -> Iterator[str]:
    def off(x: tuple[int, int], y: tuple[int, int]) -> int:
        a = int(one.first[y[0]]) - int(one.first[x[0]])
        return abs(wrapped(a - int(one.second[y[1]]) + int(one.second[x[1]])))

    k = 0
    while k + 1 < len(held):
        here, then = held[k], held[k + 1]
        gone = (then[0] - here[0], then[1] - here[1])
        k += 1
        if gone == (1, 1) and off(here, then):
            last = held[k + 1] if k + 1 < len(held) else None
            if last == (then[0] + 1, then[1] + 1) and off(here, last) == 0:
                k += 1
                yield "changed"
            else:
                yield {1: "near1", 2: "near2"}.get(off(here, then), "far")
        elif gone == (1, 1):
            yield "equal"
        elif gone in ((2, 1), (1, 2)):
            yield "extra" if gone == (2, 1) else "missing"
        else:
            yield "gap"
            yield from ["longer"] * (max(gone) - 3)


def version_moves(held: Catalogue) -> tuple[int, Counter[int], int, int]:
    """From tunes of one title: steps seen, ratio classes by how far they are apart, octaves, pairs."""
    part = held.index.segments[0]
    ratios: Counter[int] = Counter()
    steps = octaves = pairs = 0
    for first, second in _versions(held):
        pitch, onset = part.line(first)
        length = len(part.line(second)[0])
        line = search.line_from(pitch, onset)
        line = replace(line, profile=profile(line.symbols, START))
        found = search.trace(part, second, line, 0, length).pairs.tolist()
        if len(found) < COVERED * min(len(line), length):
            continue
        pairs += 1
        theirs = part.symbols(second, 0, length)
        for (i, j, changed), (i2, j2, changed2) in itertools.pairwise(found):
            if (i2 - i, j2 - j) != (1, 1) or changed or changed2 or not (i and j):
                continue
            steps += 1
            octaves += abs(int(line.symbols.steps[i2]) - int(theirs.steps[j2])) == 12
            classes = int(line.symbols.ratios[i2]), int(theirs.ratios[j2])
            if max(classes) < 50:
                ratios[min(2, abs(classes[0] - classes[1]))] += 1
    return steps, ratios, octaves, pairs


def _versions(held: Catalogue) -> Iterator[tuple[int, int]]:
    """Streams of two tunes of one title, of one line each."""
    part = held.index.segments[0]
    titled: dict[frozenset[str], list[int]] = defaultdict(list)
    for work, stems in enumerate(held.titles):
        streams = range(int(part.work_streams[work]), int(part.work_streams[work + 1]))
        lines = [s for s in streams if KINDS[int(part.stream_kind[s])] == "line"]
        if stems and len(lines) == 1 and 24 <= len(part.line(lines[0])[0]) <= 300:
            titled[stems].append(lines[0])
    for streams_held in titled.values():
        if 1 < len(streams_held) <= 4:
            yield from ((a, b) for k, a in enumerate(streams_held) for b in streams_held[k + 1 :])


def place_odds(held: Catalogue, corpus: Corpus) -> list[list[float]]:
    """Bits by which the places of two notes speak for their being a pair, from versions of tunes."""
    part = held.index.segments[0]
    work_of = np.repeat(np.arange(part.works), np.diff(part.work_streams))
    metres = {work: corpus.metre_of(held.index.work_ids[work]) for work in set(work_of)}
    seen = np.zeros((places.KINDS, places.KINDS))
    for first, second in _versions(held):
        line = search.line_from(*part.line(first))
        length = len(part.line(second)[0])
        found = search.trace(part, second, line, 0, length).pairs
        if len(found) < COVERED * min(len(line), length):
            continue
        kinds = [
            places.Bars.of(metres[int(work_of[stream])]).kinds(part.line(stream)[1])
            for stream in (first, second)
        ]
        np.add.at(seen, (kinds[0][found[:, 0]], kinds[1][found[:, 1]]), 1)
    # Either tune might have been the phrase.  A place seldom seen leans on chance.
    both = seen + seen.T
    alone = (both.sum(0) + 1) / (both.sum() + places.KINDS)
    joint = (both + PLACE_COUNTS * np.outer(alone, alone)) / (both.sum() + PLACE_COUNTS)
    return [[round(float(x), 3) for x in row] for row in np.log2(joint / np.outer(alone, alone))]


def rates_of(moves: Counter[str], steps: int, ratios: Counter[int], octaves: int) -> Rates:
    total = sum(moves.values()) - moves["longer"]
    share = {name: round(moves[name] / total, 5) for name in moves}
    held = sum(ratios.values())
    return Rates(
        equal=share["equal"],
        near1=share["near1"],
        near2=share["near2"],
        octave=round(octaves / steps, 5),
        far=share["far"],
        changed=share["changed"],
        extra=share["extra"],
        missing=share["missing"],
        gap=share["gap"],
        gap_longer=round(moves["longer"] / (moves["longer"] + moves["gap"]), 4),
        ratio_equal=round(ratios[0] / held, 5),
        ratio_near=round(ratios[1] / held, 5),
        ratio_far=round(ratios[2] / held, 5),
        by_chance=chance(),
    )


def chance() -> dict[str, float]:
    """How two unrelated steps and ratio classes differ, and how much rarer a sum of two steps is."""
    known = background()
    step, ratio = 2.0**-known.step1, 2.0**-known.ratio1
    apart = np.abs(np.subtract.outer(np.arange(27), np.arange(27)))
    both = np.outer(step, step)
    held = {f"near{k}": float(both[apart == k].sum()) for k in (1, 2)}
    held["octave"] = float(both[apart == 12].sum())
    held["far"] = 1 - float(both[apart == 0].sum()) - sum(held.values())
    apart = np.abs(np.subtract.outer(np.arange(11), np.arange(11)))
    both = np.outer(ratio, ratio)
    held["ratio_near"] = float(both[apart == 1].sum())
    held["ratio_far"] = float(both[apart > 1].sum())
    # Entropy of the sum of two steps in a row, less that of a step after two others.
    pair = 2.0 ** -(known.step1[:, None] + known.step2)
    sums = np.bincount(np.add.outer(np.arange(27), np.arange(27)).ravel(), pair.ravel())
    sums /= sums.sum()
    triple = pair[:, :, None] * 2.0**-known.step3
    after = float((triple * known.step3).sum() / triple.sum())
    held["mend"] = -float((sums[sums > 0] * np.log2(sums[sums > 0])).sum()) - after
    return {name: round(value, 5) for name, value in held.items()}


def duration_weights(ratios: Counter[int]) -> list[float]:
    """ln of how much likelier related notes have durations so far apart than unrelated ones."""
    held = chance()
    total = sum(ratios.values())
    near, far = held["ratio_near"], held["ratio_far"]
    return [
        float(np.log(ratios[0] / total / (1 - near - far))),
        float(np.log(ratios[1] / total / near)),
        float(np.log(ratios[2] / total / far)),
    ]


if __name__ == "__main__":
    main()
