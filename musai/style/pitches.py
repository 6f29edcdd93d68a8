"""Features of pitch: scale degrees, key, steps, contour, register, chords.

Each function takes a table of passages and gives an array (passages, numbers);
`musai.style.features` lists them.
"""

import numpy as np

from musai.style.counting import (
    Beats,
    Floats,
    Steps,
    beats,
    edge,
    extremes,
    key_fits,
    means,
    over,
    shares,
    sounding,
    steps,
    tonics,
)
from musai.style.passages import Ints, Notes, Table

WIDEST = 12
"""Steps of more semitones count as these."""

CHORDS = (
    ("major", 0b10010001),
    ("dominant seventh", 0b10010010001),
    ("major seventh", 0b100010010001),
    ("minor", 0b10001001),
    ("minor seventh", 0b10010001001),
    ("diminished", 0b1001001),
    ("half diminished", 0b10001001001),
    ("diminished seventh", 0b1001001001),
    ("augmented", 0b100010001),
)
"""Names and pitch classes above the root, bit 0 the root."""

NO_CHORD = len(CHORDS)


def degrees(table: Table) -> Floats:
    """Share of sounding time by semitones above the estimated tonic."""
    notes = table.pitched
    tonic = tonics(key_fits(table))[notes.passage]
    classes = (notes.pitch - tonic) % 12
    return shares(notes.passage, classes, (table.count, 12), sounding(notes))


def bass_degrees(table: Table) -> Floats:
    """Share of the bass's notes by semitones above the estimated tonic."""
    bass = _bass(table)
    classes = (bass.pitch - tonics(key_fits(table))[bass.passage]) % 12
    return shares(bass.passage, classes, (table.count, 12))


def key_fit(table: Table) -> Floats:
    """Correlation with the best major key, the best minor key, and the second less the first."""
    fits = key_fits(table)
    major, minor = fits[:, :12].max(axis=1), fits[:, 12:].max(axis=1)
    return np.column_stack([major, minor, minor - major])


def _top(table: Table) -> Notes:
    return edge(table.pitched, table.pitched.passage)


def _bass(table: Table) -> Notes:
    return edge(table.pitched, table.pitched.passage, top=False)


def _pairs(notes: Notes) -> Steps:
    return steps(notes, notes.passage)


def _lines(table: Table) -> Steps:
    notes = edge(table.pitched, table.pitched.line)
    return steps(notes, notes.line)


def _intervals(pairs: Steps, count: int) -> Floats:
    bins = np.clip(pairs.step, -WIDEST, WIDEST) + WIDEST
    return shares(pairs.passage, bins, (count, 2 * WIDEST + 1))


def top_intervals(table: Table) -> Floats:
    """Share of each step, -12 to 12 semitones, in the top line."""
    return _intervals(_pairs(_top(table)), table.count)


def bass_intervals(table: Table) -> Floats:
    """The same in the bass."""
    return _intervals(_pairs(_bass(table)), table.count)


def voice_intervals(table: Table) -> Floats:
    """The same in the top notes of every voice, all voices counted together."""
    return _intervals(_lines(table), table.count)


def _kind(step: Ints) -> Ints:
    """0 a leap down (3 semitones or more), 1 a step down, 2 none, 3 a step up, 4 a leap up."""
    return np.asarray(np.digitize(step, [-2, 0, 1, 3]))


def interval_pairs(table: Table) -> Floats:
    """Share of each pair of successive kinds of step (leap, step, none) in the top line, 5 x 5."""
    pairs = _pairs(_top(table))
    first = pairs.joined
    kind = _kind(pairs.step)
    return shares(pairs.passage[first], 5 * kind[first] + kind[first + 1], (table.count, 25))


def contour(table: Table) -> Floats:
    """Top line: shares that rise, fall, stay; share of turns; mean size of a step; rise a quarter."""
    top = _top(table)
    pairs, count = _pairs(top), table.count
    sign = np.sign(pairs.step)
    moves = shares(pairs.passage, np.array([1, 2, 0])[sign + 1], (count, 3))
    first = pairs.joined
    turns = means(pairs.passage[first], sign[first] * sign[first + 1] < 0, count)
    size = means(pairs.passage, np.minimum(abs(pairs.step), 24), count)
    return np.column_stack([moves, turns, size, _slope(top, count)])


def _slope(top: Notes, count: int) -> Floats:
    """Semitones a quarter that the line of least squares through a top line rises."""
    when = top.onset / 480.0
    when = when - means(top.passage, when, count)[top.passage]
    pitch = top.pitch - means(top.passage, top.pitch, count)[top.passage]
    rows = top.passage
    return over(np.bincount(rows, when * pitch, count), np.bincount(rows, when * when, count))


def register(table: Table) -> Floats:
    """Mean, spread, lowest and highest MIDI pitch; mean of the top line and of the bass."""
    notes, count = table.pitched, table.count
    mean = means(notes.passage, notes.pitch, count)
    apart = (notes.pitch - mean[notes.passage]) ** 2
    low, high = extremes(notes.passage, notes.pitch, count)
    ends = [means(line.passage, line.pitch, count) for line in (_top(table), _bass(table))]
    return np.column_stack([mean, np.sqrt(means(notes.passage, apart, count)), low, high, *ends])


def tessitura(table: Table) -> Floats:
    """Share of notes in each band of four semitones, from MIDI pitch 0 up."""
    notes = table.pitched
    return shares(notes.passage, notes.pitch // 4, (table.count, 32))


def spacing(table: Table) -> Floats:
    """Share of semitones between neighbours among the notes struck at one moment, 0 to 24."""
    notes = table.pitched
    together = (notes.passage[1:] == notes.passage[:-1]) & (notes.onset[1:] == notes.onset[:-1])
    first = np.flatnonzero(together)
    gap = np.minimum(notes.pitch[first + 1] - notes.pitch[first], 24)
    return shares(notes.passage[first], gap, (table.count, 25))


def attacks(table: Table) -> Floats:
    """Share of onsets at which 1, 2, ... 8 or more notes are struck."""
    notes = table.pitched
    new = np.ones(len(notes), bool)
    new[1:] = (notes.passage[1:] != notes.passage[:-1]) | (notes.onset[1:] != notes.onset[:-1])
    starts = np.flatnonzero(new)
    sizes = np.diff(np.append(starts, len(notes)))
    return shares(notes.passage[starts], np.minimum(sizes, 8) - 1, (table.count, 8))


def compass(table: Table) -> Floats:
    """Semitones from the lowest to the highest note: of all, of the top line, of the bass."""
    tables = (table.pitched, _top(table), _bass(table))
    held = [extremes(notes.passage, notes.pitch, table.count) for notes in tables]
    return np.column_stack([high - low for low, high in held])


def chord_sizes(table: Table) -> Floats:
    """Share of sounding beats with 1, 2, ... 7 or more pitch classes."""
    found = beats(table)
    sizes = np.array([bin(k).count("1") for k in range(4096)])[found.classes]
    return shares(found.passage, np.minimum(sizes, 7) - 1, (table.count, 7))


def _dictionary() -> tuple[Ints, Ints]:
    """(kind, root) of every set of pitch classes; the first root in `CHORDS`' order where several fit."""
    kinds, roots = np.full(4096, NO_CHORD), np.zeros(4096, np.int64)
    for kind, (_, shape) in reversed(list(enumerate(CHORDS))):
        for root in reversed(range(12)):
            turned = (shape << root | shape >> (12 - root)) & 4095
            kinds[turned], roots[turned] = kind, root
    return kinds, roots


def _named(found: Beats) -> tuple[Ints, Ints]:
    kinds, roots = _dictionary()
    return kinds[found.classes], roots[found.classes]


def chord_kinds(table: Table) -> Floats:
    """Share of sounding beats whose pitch classes are each of `CHORDS`, last none of them."""
    found = beats(table)
    return shares(found.passage, _named(found)[0], (table.count, NO_CHORD + 1))


def chord_degrees(table: Table) -> Floats:
    """Share of beats with a chord by its root above the tonic: 12 with a major third, 12 without."""
    found = beats(table)
    kind, root = _named(found)
    degree = (root - tonics(key_fits(table))[found.passage]) % 12 + 12 * ((kind > 2) & (kind < 8))
    some = kind != NO_CHORD
    return shares(found.passage[some], degree[some], (table.count, 24))


def chord_moves(table: Table) -> Floats:
    """Share of successive chords by semitones from root up to root; beats without one are passed over."""
    found = beats(table)
    kind, root = _named(found)
    some = np.flatnonzero(kind != NO_CHORD)
    passage, root = found.passage[some], root[some]
    same = np.flatnonzero(passage[1:] == passage[:-1])
    return shares(passage[same], (root[same + 1] - root[same]) % 12, (table.count, 12))


def above_bass(table: Table) -> Floats:
    """Share of pitch classes of each beat by semitones above its lowest note, the lowest left out."""
    found = beats(table)
    which = np.repeat(np.arange(len(found.beat)), 11)
    above = np.tile(np.arange(1, 12), len(found.beat))
    sounds = found.classes[which] >> ((found.lowest[which] + above) % 12) & 1 > 0
    return shares(found.passage[which[sounds]], above[sounds] - 1, (table.count, 11))
