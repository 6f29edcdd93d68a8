"""Excerpts of all voices at once: four bars of a song's piano or of a quartet, a fifth of it edited."""

import time
from typing import Any

import numpy as np

from musai.match import Matcher
from musai.music import TICKS, Phrase
from tests.bench.table import Result, quantile, save_rows

BARS = 4
EDITS = 0.2
FEWEST = 24
"""Notes of an excerpt that has enough of them to be edited."""


def rows(matcher: Matcher, seed: int, count: int) -> list[dict[str, Any]]:
    """Who came first for edited excerpts: of songs their pianos, of others all voices."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 3]))
    return [_excerpt(matcher.corpus.name, matcher, rng) for _ in range(count)]


def tell_poly(result: Result, held: list[dict[str, Any]]) -> None:
    """R@1 by corpus, and over all."""
    save_rows("match_poly", held)
    for name in dict.fromkeys(row["from"] for row in held):
        mine = [row for row in held if row["from"] == name]
        what = "pianos" if name == "lieder" else name
        result.add(
            f"R@1, {BARS} bars of {what}, {EDITS:.0%} edits",
            f"{np.mean([row['first'] for row in mine]):.3f}",
            "",
            f"p95 {quantile([row['ms'] for row in mine], 0.95):.0f} ms beside another job, "
            f"{len(mine)} excerpts",
        )
    result.figures["poly_r1"] = round(float(np.mean([row["first"] for row in held])), 4)


def _excerpt(name: str, matcher: Matcher, rng: np.random.Generator) -> dict[str, Any]:
    works = matcher.corpus.works
    while True:
        work = works[int(rng.integers(len(works)))]
        music = matcher.corpus.phrase(work.id)
        bars = [tick for tick, _ in music.metre.bars_until(music.length)]
        if len(bars) <= BARS:
            continue
        first = int(rng.integers(len(bars) - BARS))
        onset = music.notes["onset"]
        notes = music.notes[(onset >= bars[first]) & (onset < bars[first + BARS])]
        if name == "lieder":
            notes = notes[notes["voice"] > 0]
        if len(notes) >= FEWEST:
            break
    phrase = edited(notes, rng)
    began = time.perf_counter()
    hits = matcher.match(phrase, top=5)
    took = 1000 * (time.perf_counter() - began)
    first_hit = (hits[0].work_id, *hits[0].variants) if len(hits) else ()
    return {
        "from": name,
        "work": work.id,
        "notes": len(phrase),
        "first": work.id in first_hit,
        "ms": took,
    }


def edited(notes: Any, rng: np.random.Generator) -> Phrase:
    """Notes of which `EDITS` are changed, dropped and added in equal parts, moved and stretched."""
    pitch = notes["pitch"].astype(int)
    chosen = rng.permutation(len(notes))[: round(EDITS * len(notes))]
    changed, dropped, added = (chosen[k::3] for k in range(3))
    pitch[changed] += rng.choice((-4, -3, -2, -1, 1, 2, 3, 4), len(changed))
    keep = np.setdiff1d(np.arange(len(notes)), dropped)
    onset = notes["onset"].astype(float) - float(notes["onset"].min())
    length = notes["duration"].astype(float)
    stretch = 2 ** rng.uniform(np.log2(0.7), np.log2(1.4)) / TICKS
    new = pitch[added] + rng.integers(-4, 5, len(added))
    pitches = np.concatenate((pitch[keep], new)) + int(rng.integers(-6, 7))
    return Phrase.from_notes(
        np.concatenate((onset[keep], onset[added] + length[added] / 2)) * stretch,
        np.concatenate((length[keep], length[added] / 2)) * stretch,
        np.clip(pitches, 0, 127),
        voices=np.concatenate((notes["voice"][keep], notes["voice"][added])),
    )
