"""Features of time: lengths, waits, places in the bar, density, syncopation, repetition.

Each function takes a table of passages and gives an array (passages, numbers);
`musai.style.features` lists them.  Drums count here as other notes do.
"""

import numpy as np

from musai.style.counting import Floats, edge, means, over, shares, steps
from musai.style.passages import Ints, Notes, Table

LENGTHS = 14
"""Classes of time: half octaves from a 32nd (or less) to a long (eight quarters or more)."""

EDGES = (150, 270, 420, 600, 1200)
"""Ticks between six coarse classes of time: sixteenth, eighth, dotted, quarter, half, longer."""


def _class(ticks: Ints) -> Ints:
    """0 a 32nd or shorter, 6 a quarter, 13 eleven quarters or longer."""
    octaves = np.log2(np.maximum(1, ticks) / 480.0)
    return np.asarray(np.clip(np.rint(2 * octaves).astype(np.int64) + 6, 0, LENGTHS - 1))


def _onsets(table: Table) -> Notes:
    """One note for each moment at which something is struck."""
    return edge(table.struck, table.struck.passage)


def lengths(table: Table) -> Floats:
    """Share of notes by length in half octaves."""
    notes = table.struck
    return shares(notes.passage, _class(notes.duration), (table.count, LENGTHS))


def waits(table: Table) -> Floats:
    """Share of the times between successive onsets, in half octaves."""
    struck = _onsets(table)
    pairs = steps(struck, struck.passage)
    return shares(pairs.passage, _class(pairs.wait), (table.count, LENGTHS))


def voice_waits(table: Table) -> Floats:
    """The same between onsets of one voice, all voices counted together."""
    struck = edge(table.struck, table.struck.line)
    pairs = steps(struck, struck.line)
    return shares(pairs.passage, _class(pairs.wait), (table.count, LENGTHS))


def wait_pairs(table: Table) -> Floats:
    """Share of each pair of successive times between onsets, in six classes, 6 x 6."""
    struck = _onsets(table)
    pairs = steps(struck, struck.passage)
    kind, first = np.digitize(pairs.wait, EDGES), pairs.joined
    return shares(pairs.passage[first], 6 * kind[first] + kind[first + 1], (table.count, 36))


def beat_places(table: Table) -> Floats:
    """Share of onsets by place in the beat, in twelfths."""
    struck = _onsets(table)
    place = np.rint(12 * (struck.place % struck.beat) / struck.beat).astype(np.int64) % 12
    return shares(struck.passage, place, (table.count, 12))


def bar_places(table: Table) -> Floats:
    """Share of onsets by place in the bar, in sixteenths."""
    struck = _onsets(table)
    place = 16 * struck.place // struck.bar
    return shares(struck.passage, place, (table.count, 16))


def voice_places(table: Table) -> Floats:
    """Share of onsets of each voice by place in the bar, in 24ths, all voices counted together."""
    struck = edge(table.struck, table.struck.line)
    return shares(struck.passage, 24 * struck.place // struck.bar, (table.count, 24))


def _weight(notes: Notes) -> Ints:
    """How strong the place of each note is: 4 the bar, 3 a beat, 2 a half, 1 a quarter of it, 0 else.

    In beats of three (dotted) thirds and sixths stand for halves and quarters.
    """
    three = notes.beat % 720 == 0
    half = np.where(three, notes.beat // 3, notes.beat // 2)
    quarter = np.maximum(1, half // 2)
    return np.select(
        [notes.place == 0, *(notes.place % t == 0 for t in (notes.beat, half, quarter))],
        [4, 3, 2, 1],
        0,
    )


def accents(table: Table) -> Floats:
    """Share of onsets on the bar line, on a beat, on its half, on its quarter, elsewhere."""
    struck = _onsets(table)
    return shares(struck.passage, 4 - _weight(struck), (table.count, 5))


def syncopation(table: Table) -> Floats:
    """Share of onsets off the beat with none on the next beat; mean strength of what they miss.

    After Longuet-Higgins and Lee (1984): a weak onset, and silence on the
    stronger place that follows.
    """
    struck = _onsets(table)
    pairs = steps(struck, struck.passage)
    same = np.flatnonzero(struck.passage[1:] == struck.passage[:-1])
    held = struck[same]
    to_beat = held.beat - held.place % held.beat
    off = held.place % held.beat != 0
    misses = off & (pairs.wait > to_beat)
    bar_missed = misses & ((held.place + to_beat) % held.bar == 0)
    strength = misses * 1.0 + bar_missed
    return np.column_stack(
        [means(held.passage, misses, table.count), means(held.passage, strength, table.count)]
    )


def metre(table: Table) -> Floats:
    """Quarters a bar, beats a bar, and 1 for bars of three beats, 1 for beats of three."""
    bar, beat, _ = table.metre.T
    beats = bar / np.maximum(1, beat)
    return np.column_stack([bar / 480.0, beats, beats % 3 == 0, beat % 720 == 0]).astype(np.float64)


def density(table: Table) -> Floats:
    """Notes, onsets and notes of the busiest voice, each a quarter; share of the time that sounds."""
    notes, struck, count = table.struck, _onsets(table), table.count
    quarters = table.length / 480.0
    counts = [np.bincount(n.passage, minlength=count) for n in (notes, struck)]
    by_line = np.bincount(notes.line, minlength=64 * count).reshape(count, 64)
    busiest = by_line.max(axis=1, initial=0)
    columns = [over(c, quarters) for c in (*counts, busiest)]
    return np.column_stack([*columns, over(_covered(notes, count), table.length)])


def _covered(notes: Notes, count: int) -> Floats:
    """Ticks in which at least one note sounds, by passage."""
    # All passages one after another on one line of time, so that one running maximum serves them.
    room = int((notes.onset + notes.duration).max(initial=0)) + 1
    start = notes.passage * room + notes.onset
    reach = np.maximum.accumulate(start + notes.duration) if len(notes) else start
    before = np.concatenate([[0], reach[:-1]]) if len(notes) else reach
    new = np.maximum(0, reach - np.maximum(start, before))
    return np.bincount(notes.passage, new, count).astype(np.float64)


def polyphony(table: Table) -> Floats:
    """Share of onsets at which 1, 2, ... 8 or more notes sound; last their mean, 16 at most."""
    notes, struck, count = table.struck, _onsets(table), table.count
    room = int((notes.onset + notes.duration).max(initial=0)) + 1
    at = struck.passage * room + struck.onset
    starts = notes.passage * room + notes.onset
    ends = np.sort(starts + notes.duration)
    # Notes of one passage end before the next begins, so those ended are all of earlier moments.
    heard = np.searchsorted(starts, at, "right") - np.searchsorted(ends, at, "right")
    held = np.clip(heard, 1, 16)
    voices = shares(struck.passage, np.minimum(held, 8) - 1, (count, 8))
    return np.column_stack([voices, means(struck.passage, held, count)])


def triplets(table: Table) -> Floats:
    """Share of onsets on thirds of a beat of two, or on halves of a beat of three."""
    struck = _onsets(table)
    inside = struck.place % struck.beat
    three = struck.beat % 720 == 0
    parts = np.where(three, struck.beat // 2, struck.beat // 3)
    other = np.where(three, struck.beat // 6, struck.beat // 8)
    odd = (inside % np.maximum(1, parts) == 0) & (inside % np.maximum(1, other) != 0)
    return means(struck.passage, odd, table.count)[:, None]


def repetition(table: Table) -> Floats:
    """Share of bars with the rhythm of the bar before; with its pitch classes too; share of notes
    that repeat their voice's last pitch.
    """
    notes, count = table.struck, table.count
    pairs = steps(edge(notes, notes.line), edge(notes, notes.line).line)
    again = means(pairs.passage, pairs.step == 0, count)
    places = 24 * notes.place // notes.bar
    bars = (notes.onset - notes.place) // notes.bar
    rhythm = _alike(notes.passage, bars, places, count)
    return np.column_stack(
        [rhythm, _alike(notes.passage, bars, 12 * places + notes.pitch % 12, count), again]
    )


def _alike(passage: Ints, bar: Ints, sign: Ints, count: int) -> Floats:
    """Share of bars after a bar with something in it that hold the same set of signs as it."""
    rows = np.unique(np.column_stack([passage, bar, sign]), axis=0)
    if not len(rows):
        return np.zeros(count)
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:, :2] != rows[:-1, :2]).any(axis=1)
    starts = np.flatnonzero(new)
    # A product of odd constants spreads the signs; equal sums are equal sets for all that matters here.
    spread = (rows[:, 2].astype(np.uint64) + 1) * np.uint64(0x9E3779B97F4A7C15)
    sums = np.add.reduceat(
        (spread ^ (spread >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9), starts
    )
    held = rows[starts]
    next_to = (held[1:, 0] == held[:-1, 0]) & (held[1:, 1] == held[:-1, 1] + 1)
    return means(held[1:, 0][next_to], (sums[1:] == sums[:-1])[next_to], count)
