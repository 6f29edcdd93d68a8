"""MEI by hand: bars of two staves from written values.  Text in, text out; titles never enter."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from musai.report.bars import Bar
from musai.report.degrees import Spelt, degree, spell
from musai.report.records import ComparedNote, LocalKey
from musai.report.rhythm import Beat, Event, Piece, beat_ticks, pieces_of
from musai.report.svg import escape

Attributes = Mapping[str, str | int | None]

SIGNS = {"equal": "", "changed": "≠", "missing": "\u2212", "added": "+", "other": ""}
"""What stands under a note that is not equal."""

_DURATIONS = {2880: (1, 1), 1920: (1, 0), 1440: (2, 1), 960: (2, 0), 720: (4, 1), 480: (4, 0)} | {
    360: (8, 1),
    240: (8, 0),
    180: (16, 1),
    120: (16, 0),
    60: (32, 0),
}
_ACCIDENTALS = {-2: "ff", -1: "f", 0: "n", 1: "s", 2: "x"}
_SHARPS = "FCGDAEB"
_LINE, _BAR = 30, 1.5
"""Notes that a line holds, and how many of them the bar line and its room take the place of."""

_TIES = {(False, False): None, (False, True): "i", (True, True): "m", (True, False): "t"}
"""(Tied to what was, tied to what comes) -> how MEI says it."""

_CLEFS = (
    (90, "G", 2, "15", "above"),
    (79, "G", 2, "8", "above"),
    (57, "G", 2, None, None),
    (38, "F", 4, None, None),
    (26, "F", 4, "8", "below"),
    (-99, "F", 4, "15", "below"),
)
"""Lowest middle pitch, sign, line, and octaves: the clef that needs few ledger lines."""


@dataclass(frozen=True, slots=True)
class Staff:
    """One side: its compared notes, their events, and its own key.

    `spelling` is the key of the page, (sharps, minor); `key` that of the side's own source.
    """

    number: int
    prefix: str
    notes: Sequence[ComparedNote]
    events: Sequence[Event]
    spelling: tuple[int, bool]
    key: LocalKey
    ids: dict[str, ComparedNote] = field(default_factory=dict)

    def degrees(self, members: Sequence[int]) -> str:
        """Scale degrees of notes that sound together, the highest first."""
        told = sorted((self.notes[i].written for i in members), reverse=True)
        return " ".join(degree(pitch, self.key.fifths, self.key.minor) for pitch in told)

    def signs(self, members: Sequence[int]) -> str:
        """The signs of notes that sound together, each once."""
        return "".join(sorted({SIGNS[self.notes[i].likeness] for i in members}))


def document(head: str, bars: Sequence[str]) -> str:
    """The MEI file of a score."""
    names = _tag("titleStmt", {}, _tag("title", {})) + _tag("pubStmt", {})
    score = _tag("score", {}, head, _tag("section", {}, *bars))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + _tag(
        "mei",
        {"xmlns": "http://www.music-encoding.org/ns/mei", "meiversion": "5.0"},
        _tag("meiHead", {}, _tag("fileDesc", {}, names)),
        _tag("music", {}, _tag("body", {}, _tag("mdiv", {}, score))),
    )


def head(bar: Bar, fifths: int, middle: float, names: tuple[str, str]) -> str:
    """The staves: metre, signature, one clef for both by their middle pitch, and their names."""
    _, sign, line, octaves, where = next(clef for clef in _CLEFS if middle >= clef[0])
    clef: Attributes = {
        "clef.shape": sign,
        "clef.line": line,
        "clef.dis": octaves,
        "clef.dis.place": where,
    }
    staves = [
        _tag("staffDef", {"n": number, "lines": 5, **clef}, _tag("label", {}, name))
        for number, name in enumerate(names, 1)
    ]
    group = _tag("staffGrp", {"symbol": "bracket", "bar.thru": "true"}, *staves)
    key = f"{abs(fifths)}{'s' if fifths > 0 else 'f' if fifths else ''}"
    return _tag("scoreDef", {**_metre(bar), "key.sig": key}, group)


def _metre(bar: Bar) -> Attributes:
    return {"meter.count": bar.signature.numerator, "meter.unit": bar.signature.denominator}


def _tag(name: str, attributes: Attributes, *children: str) -> str:
    """An element of MEI; children are MEI already, an attribute that is None is left out."""
    told = [f' {key}="{escape(str(v))}"' for key, v in attributes.items() if v is not None]
    inside = "".join(children)
    opening = f"{name}{''.join(told)}"
    return f"<{opening}>{inside}</{name}>" if inside else f"<{opening}/>"


def bars(
    lines: Sequence[Bar], beats: Sequence[Beat], staves: Sequence[Staff], last: bool
) -> Iterator[str]:
    """Every bar of the score; `last` says whether the passage ends with them."""
    before = lines[0].signature
    named: dict[int, int] = {}
    breaks = _breaks(lines, staves)
    for bar in lines:
        if bar.first in breaks:
            yield _tag("sb", {})
        if (bar.signature.numerator, bar.signature.denominator) != (
            before.numerator,
            before.denominator,
        ):
            yield _tag("scoreDef", _metre(bar))
        before = bar.signature
        inside = [beat for beat in beats if bar.first <= beat.first < bar.last]
        parts = [_staff(staff, bar, inside) for staff in staves]
        parts += [label for staff in staves for label in _numbers(staff, bar, named)]
        end = "end" if last and bar is lines[-1] else None
        yield _tag("measure", {"n": bar.number, "right": end}, *parts)


def _breaks(lines: Sequence[Bar], staves: Sequence[Staff]) -> set[int]:
    """Ticks of the bars that begin a new line, such that all lines are about equally full."""
    starts = {event.start for staff in staves for event in staff.events}
    wide = [_BAR + sum(bar.first <= tick < bar.last for tick in starts) for bar in lines]
    fill = sum(wide) / -(-sum(wide) // _LINE)
    breaks, held = set(), 0.0
    for bar, width in zip(lines[1:], wide, strict=False):
        held += width
        if held >= fill - width / 2:
            breaks.add(bar.first)
            held -= fill
    return breaks


def _numbers(staff: Staff, bar: Bar, named: dict[int, int]) -> Iterator[str]:
    """The side's own bar numbers, each by the first note that begins in it."""
    for event in staff.events:
        if not bar.first <= event.start < bar.last:
            continue
        first = min(event.notes)
        number = staff.notes[first].bar
        if named.get(staff.number) != number:
            named[staff.number] = number
            at: Attributes = {
                "staff": staff.number,
                "place": "above",
                "startid": f"#{_id(staff, event)}",
            }
            yield _tag("dir", at, str(number))


def _id(staff: Staff, event: Event) -> str:
    """The id of an event's first written value: its note's, or its chord's."""
    return (
        f"{staff.prefix}{event.notes[0]}"
        if len(event.notes) == 1
        else f"{staff.prefix}{event.notes[0]}c"
    )


def _staff(staff: Staff, bar: Bar, beats: Sequence[Beat]) -> str:
    pieces = pieces_of(bar, beats, staff.events)
    if all(piece.event is None for piece in pieces):
        content = _tag("mRest", {})
    else:
        content = "".join(_beams(staff, bar, pieces))
    return _tag("staff", {"n": staff.number}, _tag("layer", {"n": 1}, content))


def _beams(staff: Staff, bar: Bar, pieces: Sequence[Piece]) -> Iterator[str]:
    """Values in order, those of one beat under one beam, those of a triplet in its bracket."""
    write = _writer(staff)
    size = beat_ticks(bar)
    for (_, triplet), group in groupby(
        pieces, lambda piece: ((piece.start - bar.first) // size, piece.triplet)
    ):
        inside = "".join(_beamed(list(group), write))
        yield _tag("tuplet", {"num": 3, "numbase": 2}, inside) if triplet else inside


def _beamed(pieces: Sequence[Piece], write: Callable[[Piece], str]) -> Iterator[str]:
    for short, group in groupby(pieces, lambda p: p.event is not None and p.written < 480):
        written = [write(piece) for piece in group]
        yield _tag("beam", {}, *written) if short and len(written) > 1 else "".join(written)


def _writer(staff: Staff) -> Callable[[Piece], str]:
    """Writes the values of one bar: accidentals hold until its end."""
    shown: dict[tuple[str, int], int] = {}

    def write(piece: Piece) -> str:
        duration, dots = _DURATIONS[piece.written]
        length: Attributes = {"dur": duration, "dots": dots or None}
        event = piece.event
        if event is None:
            return _tag("rest", length)
        part = f"t{piece.start}" if piece.tied else ""
        tie = _TIES[piece.tied, piece.ties]
        verses = "" if piece.tied else _verses(staff, event.notes)
        before = "" if piece.tied else "".join(_grace(staff, i, shown) for i in event.graces)
        if len(event.notes) == 1:
            more = {**length, "tie": tie}
            return before + _note(staff, event.notes[0], shown, part, more, verses)
        notes = [_note(staff, i, shown, part, {"tie": tie}) for i in event.notes]
        chord = {"xml:id": f"{_id(staff, event)}{part}", **length}
        return before + _tag("chord", chord, *notes, verses)

    return write


def _grace(staff: Staff, i: int, shown: dict[tuple[str, int], int]) -> str:
    return _note(staff, i, shown, "", {"dur": 8, "grace": "unacc"})


def _note(
    staff: Staff,
    i: int,
    shown: dict[tuple[str, int], int],
    part: str,
    more: Attributes,
    inside: str = "",
) -> str:
    note = staff.notes[i]
    spelt = spell(note.pitch, *staff.spelling)
    ident = f"{staff.prefix}{i}{part}"
    staff.ids[ident] = note
    tied = more.get("tie") in ("m", "t")
    attributes = {
        "xml:id": ident,
        "type": f"{note.likeness} tied" if tied else note.likeness,
        "pname": spelt.letter.lower(),
        "oct": spelt.octave,
        **_accidental(spelt, staff.spelling[0], shown, tied),
        **more,
    }
    return _tag("note", attributes, inside)


def _accidental(
    spelt: Spelt, fifths: int, shown: dict[tuple[str, int], int], tied: bool
) -> dict[str, str]:
    """The sign where the note leaves the signature or an earlier sign of the bar; else what sounds."""
    place = (spelt.letter, spelt.octave)
    signs = _SHARPS[:fifths] if fifths > 0 else _SHARPS[fifths:] if fifths else ""
    usual = (1 if fifths > 0 else -1) if spelt.letter in signs else 0
    name = _ACCIDENTALS[spelt.accidental]
    if tied or shown.get(place, usual) == spelt.accidental:
        return {"accid.ges": name}
    shown[place] = spelt.accidental
    return {"accid": name}


def _verses(staff: Staff, members: Sequence[int]) -> str:
    """Degree and sign, as two lines of text under the note."""
    lines = [_tag("verse", {"n": 1}, _tag("syl", {}, staff.degrees(members)))]
    if signs := staff.signs(members):
        lines.append(_tag("verse", {"n": 2}, _tag("syl", {}, signs)))
    return "".join(lines)
