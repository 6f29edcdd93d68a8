"""Near-duplicates: found through transposition and other rhythms, and not where there are none."""

from pathlib import Path

import numpy as np

from musai.corpus import Corpus
from musai.corpus.changes import add_to
from musai.corpus.similar import grams, jaccard, near_duplicates
from musai.music import Phrase, Voice
from tests.corpus.test_store import work


def walk(seed: int, count: int = 80) -> list[int]:
    """A melody of a major scale's degrees, the same for the same seed."""
    degrees = np.random.Generator(np.random.Philox(seed)).integers(-7, 8, count)
    return [60 + 12 * (d // 7) + (0, 2, 4, 5, 7, 9, 11)[d % 7] for d in degrees.tolist()]


def tune(pitches: list[int], length: float = 1.0) -> Phrase:
    return Phrase.from_notes(np.arange(len(pitches)) * length, [length] * len(pitches), pitches)


def test_transposed_and_stretched_the_same_melody_is_found(tmp_path: Path) -> None:
    melodies = [walk(i) for i in range(12)]
    varied = [p + 3 for p in melodies[4]]
    varied[10] += 1
    works = [work(tune(m), f"Tune {i}") for i, m in enumerate(melodies)]
    works.append(work(tune(varied, 0.5), "Tune 4 again"))
    add_to(tmp_path / "c", "test", iter(works))
    clusters = near_duplicates(Corpus.open(tmp_path / "c"))
    assert [[w.title for w in cluster] for cluster in clusters] == [["Tune 4", "Tune 4 again"]]


def test_overlap_is_counted_of_the_union() -> None:
    a, b = grams(tune(walk(1))), grams(tune(walk(2)))
    assert jaccard(a, a) == 1
    assert jaccard(a, b) < 0.2
    assert jaccard(a, grams(tune(walk(1)[:43]))) == (43 - 6) / len(a)
    assert jaccard(grams(tune([60])), grams(tune([62]))) == 0


def test_chords_count_by_their_top_note_and_drums_not_at_all() -> None:
    melody = walk(3)
    low = [p - 12 for p in melody]
    onsets = list(range(len(melody))) * 2
    chords = Phrase.from_notes(onsets, [1] * len(onsets), melody + low)
    assert np.array_equal(grams(chords), grams(tune(melody)))
    drums = Phrase.from_notes(range(80), [1] * 80, melody, names=[Voice("Kit", drum=True)])
    assert len(grams(drums)) == 0


def test_one_note_over_and_over_is_like_nothing() -> None:
    assert len(grams(tune([60] * 50))) == 0
