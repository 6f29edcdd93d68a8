"""MusicXML and MXL -> Phrase on an unbroken metre.

Measures are laid out as `bars` says.  A part becomes a voice of the phrase;
a part or staff in which a second written voice holds a quarter of the notes
or more (two singers on one staff) becomes one voice for each.

Read it in a process of its own: a native XML parser works underneath.
"""

from collections import Counter, defaultdict
from fractions import Fraction

from musai.corpus.bars import WHOLE, Bar, in_ticks, place
from musai.corpus.instruments import program_of
from musai.corpus.musicxml import Part, Written, headings, parse, read_parts
from musai.corpus.tempi import WORDS, by_pattern, quarters_a_minute
from musai.corpus.tunes import Reading, clean, keys_of, merged, phrase_of
from musai.corpus.xmlguard import guarded, unpacked
from musai.errors import BadScore
from musai.music import Metre, Phrase, Tempo, Voice
from musai.music.phrase import MAX_VOICES

SECOND_VOICE = 0.25
"""The share of a staff's notes that makes a second written voice a voice of the phrase."""


def read_score(data: bytes) -> Reading:
    """The score in the bytes of a MusicXML or MXL file.

    Raises `BadScore` for archives that unpack too large, for document types
    with entities of their own, and for what is not partwise MusicXML.
    """
    root = parse(guarded(unpacked(data)))
    said: dict[str, dict[str, None]] = defaultdict(dict)
    for kind, text in headings(root):
        said[kind][text if kind == "notice" else clean(text)] = None
    texts = {kind: tuple(filter(None, values)) for kind, values in said.items()}
    return Reading(
        _phrase(read_parts(root)),
        "",
        texts.get("title", ()),
        texts.get("composer", ()),
        texts.get("notice", ()),
    )


def _phrase(parts: list[Part]) -> Phrase:
    if not parts:
        raise BadScore("the score has no notes")
    bars = merged([part.bars for part in sorted(parts, key=lambda p: -len(p.bars))])
    placed = place(bars)
    rows: list[tuple[int, int, int, int]] = []
    voices: list[Voice] = []
    for voice, notes in _voices(parts):
        for note in notes:
            start = placed.starts[note.measure] + note.offset
            onset = round(start * WHOLE)
            length = round((start + note.length) * WHOLE) - onset
            rows.append((onset, max(1, length), note.pitch, len(voices)))
        voices.append(voice)
    if len(voices) > MAX_VOICES:
        raise BadScore(f"the score has {len(voices)} voices; legal is up to {MAX_VOICES}")
    metre = Metre(_tempos(parts, placed.starts, bars[0]), in_ticks(placed), keys_of(bars, placed))
    return phrase_of(rows, metre, tuple(voices), placed)


def _voices(parts: list[Part]) -> list[tuple[Voice, list[Written]]]:
    """Every voice with its notes, top to bottom."""
    voices = []
    for part in parts:
        plain = part.name.lower().startswith("musicxml part")
        name = "" if plain else part.name
        program = program_of(name, part.program or 0)
        for suffix, notes in _split(part.notes):
            label = f"{name[:40]} {suffix}".strip()
            voices.append((Voice(label, 0 if part.drum else program, part.drum), notes))
    return voices


def _split(notes: list[Written]) -> list[tuple[str, list[Written]]]:
    """One group a staff, or one a written voice where a second one is no mere aside."""
    staves = sorted({note.staff for note in notes})
    result: list[tuple[str, list[Written]]] = []
    for staff in staves:
        here = [note for note in notes if note.staff == staff]
        counts = Counter(note.voice for note in here)
        apart = sorted(v for v, n in counts.items() if n >= SECOND_VOICE * len(here))
        apart = apart or [counts.most_common(1)[0][0]]
        for i, voice in enumerate(apart):
            chosen = [n for n in here if n.voice == voice or (i == 0 and n.voice not in apart)]
            labels = [str(staff)] if len(staves) > 1 else []
            labels += [str(i + 1)] if len(apart) > 1 else []
            result.append((".".join(labels), chosen))
    return result


def _tempos(parts: list[Part], starts: tuple[Fraction, ...], first: Bar) -> tuple[Tempo, ...]:
    """Tempo marks with numbers; else the word over the first bar; else 100 quarters a minute."""
    marks: dict[int, float] = {}
    for part in parts:
        for measure, offset, bpm in part.tempos:
            tick = round((starts[measure] + offset) * WHOLE)
            # A mark over the first note, behind the silence before a pickup, holds from the start.
            tick = 0 if tick < first.full * WHOLE else tick
            if 10 <= bpm <= 600:
                marks.setdefault(tick, bpm)
    if 0 not in marks:
        word = by_pattern(WORDS, *(word for part in parts for word in part.words[:4]))
        metre = first.metre or (4, 4)
        compound = metre[1] == 8 and metre[0] % 3 == 0
        marks[0] = quarters_a_minute(word or 100, Fraction(3, 8) if compound else Fraction(1, 4))
    return tuple(Tempo.from_bpm(bpm, tick) for tick, bpm in sorted(marks.items()))
