"""A context as rows to read: its last bars, as many as there is room for."""

from collections.abc import Iterable, Sequence

import numpy as np

from musai.transformer.encoding import Bar, GridNote, Header, Rows, RowWriter


def by_bar(notes: Iterable[GridNote], bars: int) -> list[list[GridNote]]:
    """Notes bar by bar."""
    out: list[list[GridNote]] = [[] for _ in range(bars)]
    for note in notes:
        out[note.bar].append(note)
    return out


def context_rows(
    bars: Sequence[Bar],
    notes: Sequence[Sequence[GridNote]],
    header: Header,
    after: int | None,
    room: int,
) -> tuple[Rows, RowWriter]:
    """Rows of the context: its last bars, as many as there is room for; `after` bars follow."""
    room -= 1 + len(header.voices)
    first = len(bars)
    while first > 0 and room >= len(notes[first - 1]) + 1:
        first -= 1
        room -= len(notes[first]) + 1
    writer = RowWriter(header)
    rows = list(header.rows())
    for index in range(first, len(bars)):
        remaining = None if after is None else len(bars) - 1 - index + after
        rows.append(writer.bar_row(bars[index], remaining))
        rows.extend(
            writer.note_row(note.position, note.voice, note.pitch, note.duration, note.velocity)
            for note in notes[index]
        )
    return np.array(rows, np.int16), writer
