"""A piano roll in characters, for a terminal that watches notes arrive.  Pure."""

from collections.abc import Iterable

from musai.music import TICKS, Note

CELL = TICKS // 4
"""Ticks a column: a sixteenth."""

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def text_roll(
    notes: Iterable[Note],
    bars: int,
    bar_ticks: int,
    *,
    pitches: tuple[int, int] | None = None,
    marks: str = "█━·│",
) -> list[str]:
    """Lines from the highest pitch down, a sixteenth a column; `marks`: attack, held, rest, bar.

    `pitches` (lowest, highest) widens the picture beyond the notes, so that
    it keeps its height while notes arrive.
    """
    attack, held, rest, line = tuple(marks)
    sounded = list(notes)
    columns = -(-bars * bar_ticks // CELL)
    known = [note.pitch for note in sounded] + list(pitches or ())
    if not known:
        return []
    rows = {pitch: [rest] * columns for pitch in range(max(known), min(known) - 1, -1)}
    for note in sounded:
        first = note.onset // CELL
        last = max(first + 1, -(-(note.onset + note.duration) // CELL))
        row = rows[note.pitch]
        for column in range(first, min(last, columns)):
            if column == first or row[column] == rest:
                row[column] = attack if column == first else held
    return [f"{name_of(pitch):>4} {_barred(row, bar_ticks, line)}" for pitch, row in rows.items()]


def name_of(pitch: int) -> str:
    """C4 for 60."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _barred(row: list[str], bar_ticks: int, line: str) -> str:
    """The cells with a line before each bar and after the last."""
    width = max(1, bar_ticks // CELL)
    bars = ["".join(row[i : i + width]) for i in range(0, len(row), width)]
    return line + line.join(bars) + line
