"""A phrase as a piano roll: one SVG, with bars, beats and pitch names, and no scripts.

The report, the page and the model cards draw their phrases with `roll_svg`.
Pitch runs upwards, time to the right, broken into systems as sheet music is.
Voices differ by pattern, drums lie in rows of their own below.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from musai.music import TICKS, Phrase
from musai.report import lanes, svg
from musai.report.bars import Bar, bar_count, bars_between, systems
from musai.report.lanes import GUTTER, HEAD, WIDTH, Lane, Time
from musai.report.names import counted, listed, place, prefers_flats, quarters

Role = Literal["human", "musai", "work"]

MAX_SYSTEMS = 16
"""A picture longer than this is cut, and says so."""

_GAP = 14
_WIDEST_LINE = 20 * TICKS
_LEGEND = 18


@dataclass(frozen=True, slots=True)
class Look:
    """How a note is drawn: whose colour, one of `lanes.PATTERNS`, and what that means in words."""

    role: Role
    pattern: str
    word: str


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A phrase with how its notes are drawn: where None, by voice."""

    phrase: Phrase
    ident: str
    looks: Sequence[Look] | None
    tips: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that every system of the picture repeats."""

    pitched: tuple[int, ...]
    drums: tuple[int, ...]
    row: float
    flats: bool


def roll_svg(
    phrase: Phrase,
    *,
    title: str = "",
    role: Role = "musai",
    ident: str = "roll",
    standalone: bool = False,
    looks: Sequence[Look] | None = None,
    tips: Sequence[str] | None = None,
    said: Sequence[str] | None = None,
    most: int = MAX_SYSTEMS,
) -> str:
    """The phrase as the text of an SVG, `WIDTH` units wide and as high as it needs.

    `title` is what a screen reader says first; `role` chooses the colour;
    `ident` must be unique among the pictures of one page.  `standalone` adds
    the style sheet and the XML name, for a file of its own or a Markdown page.
    `looks` draws each note by something else than its voice, `tips` says it of each in words,
    `said` stands under the picture instead of the names of voices; `most` systems are drawn.
    """
    bars = bars_between(phrase.metre, 0, max(phrase.length, 1), 8 * most + 1)
    lines = systems(bars[: 8 * most], _WIDEST_LINE)[:most]
    rows = _rows(phrase)
    reach = max(line[-1].last - line[0].first for line in lines)
    parts, y = _patterns(ident, looks), 0.0
    drawn = _Drawn(phrase, ident, looks, tips)
    for line in lines:
        parts += _system(drawn, rows, line, reach, y)
        y += HEAD + _system_height(rows) + _GAP
    y -= _GAP - 4
    for note in _legend(phrase, lines[-1][-1].number, said):
        y += _LEGEND
        parts.append(svg.text(note, GUTTER, y - 4, "aside"))
    name = title or f"Piano roll, {counted(len(phrase), 'note')}"
    content = (
        svg.title(name),
        svg.description(summary(phrase)),
        svg.element("g", *parts, class_=role),
    )
    return document(content, y, standalone)


def document(content: Sequence[str], height: float, standalone: bool) -> str:
    """The outermost element of a picture."""
    style = svg.element("style", _style()) if standalone else ""
    return svg.element(
        "svg",
        style,
        *content,
        xmlns="http://www.w3.org/2000/svg" if standalone else None,
        class_="roll",
        role="img",
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        width=WIDTH if standalone else None,
        height=round(height) if standalone else None,
    )


def summary(phrase: Phrase) -> str:
    """The phrase in a sentence, for who cannot see the picture."""
    if len(phrase) == 0:
        return f"No notes in {counted(bar_count(phrase), 'bar')}."
    flats = prefers_flats(phrase.metre)
    lane = Lane((), 0, 0, flats=flats)
    said = f"{counted(len(phrase), 'note')} in {counted(bar_count(phrase), 'bar')}"
    drums = _drum_mask(phrase)
    pitched = [int(n["pitch"]) for n, d in zip(phrase.notes, drums, strict=True) if not d]
    if pitched:
        said += f", from {lane.label(min(pitched))} to {lane.label(max(pitched))}"
    names = [voice.name for voice in phrase.voices if voice.name]
    return said + (f"; voices: {listed(names)}." if names else ".")


def picture_policy() -> str:
    """The content security policy of a picture of its own: its style by hash, nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'"


@cache
def style_sheet(*names: str) -> str:
    """The named files of `musai/report/design`, joined."""
    folder = files("musai.report") / "design"
    return "\n".join((folder / f"{name}.css").read_text("utf-8") for name in names)


def _style() -> str:
    return style_sheet("tokens", "pictures").replace("<", "")


def _drum_mask(phrase: Phrase) -> list[bool]:
    return [phrase.voices[voice].drum for voice in phrase.notes["voice"]]


def _rows(phrase: Phrase) -> _Rows:
    drums = _drum_mask(phrase)
    pitches = [int(p) for p in phrase.notes["pitch"]]
    struck = [p for p, d in zip(pitches, drums, strict=True) if d]
    sung = [p for p, d in zip(pitches, drums, strict=True) if not d]
    pitched = lanes.pitched_rows(sung) if sung or not struck else ()
    drum_rows = lanes.drum_rows(struck)
    return _Rows(
        pitched,
        drum_rows,
        lanes.row_height(len(pitched) + len(drum_rows)),
        prefers_flats(phrase.metre),
    )


def _system_height(rows: _Rows) -> float:
    gap = 6 if rows.pitched and rows.drums else 0
    return rows.row * (len(rows.pitched) + len(rows.drums)) + gap


def _patterns(ident: str, looks: Sequence[Look] | None) -> list[str]:
    """The fills of patterned notes; one set for each role, whose colour they have."""
    if looks is None:
        return [lanes.patterns_svg(ident)]
    roles = sorted({look.role for look in looks})
    return [svg.element("g", lanes.patterns_svg(f"{ident}-{role}"), class_=role) for role in roles]


def _system(drawn: _Drawn, rows: _Rows, bars: Sequence[Bar], reach: int, y: float) -> list[str]:
    """One line of the picture, its top at `y`; `reach` is the length of the longest line."""
    first, last = bars[0].first, bars[-1].last
    right = GUTTER + (WIDTH - 4 - GUTTER) * (last - first) / reach
    time = Time(first, last, GUTTER, right)
    top, parts = y + HEAD, []
    marks = [(float(bar.first), str(bar.number)) for bar in bars]
    beats = [float(tick) for bar in bars for tick in bar.beats]
    for pitches, drums in ((rows.pitched, False), (rows.drums, True)):
        if not pitches:
            continue
        lane = Lane(pitches, top, rows.row, drums, rows.flats)
        here = [(i, n) for i, n in _notes(drawn.phrase, drums) if time.meets(n[0], n[1])]
        labels = marks if top == y + HEAD else [(tick, "") for tick, _ in marks]
        parts += lanes.rows_svg(lane, time, {n[2] for _, n in here})
        parts += lanes.bars_svg(lane, time, labels, beats)
        parts += [_note(drawn, lane, time, i, note) for i, note in here]
        parts.append(lanes.frame_svg(lane, time))
        top = lane.bottom + 6
    return parts


_Row = tuple[int, int, int, int, int]


def _notes(phrase: Phrase, drums: bool) -> list[tuple[int, _Row]]:
    rows: list[_Row] = phrase.notes.tolist()
    return [(i, row) for i, row in enumerate(rows) if phrase.voices[row[4]].drum == drums]


def _note(drawn: _Drawn, lane: Lane, time: Time, number: int, note: _Row) -> str:
    onset, duration, pitch, velocity, voice = note
    phrase, ident, role = drawn.phrase, drawn.ident, ""
    look = lanes.PATTERNS[voice % len(lanes.PATTERNS)]
    if drawn.looks is not None:
        look, role = drawn.looks[number].pattern, drawn.looks[number].role
        ident = f"{ident}-{role}"
    pattern = f"{ident}-{look}" if look in ("hatch", "dots") else None
    tip = (
        f"{lane.label(pitch)}, {place(phrase.metre, onset)}, {quarters(duration)}, "
        f"velocity {velocity}"
    )
    name = phrase.voices[voice].name
    if name:
        tip += f", {name}"
    if drawn.tips is not None:
        tip += f"; {drawn.tips[number]}"
    class_ = "hollow" if look == "hollow" else ""
    bar = lanes.note_svg(lane, time, (onset, onset + duration), pitch, class_, tip, pattern)
    return svg.element("g", bar, class_=role) if role and bar else bar


def _legend(phrase: Phrase, shown: int, said: Sequence[str] | None) -> Iterator[str]:
    """Lines under the picture: what the patterns mean, and what is not shown."""
    looks = ("solid", "hatched", "dotted", "hollow")
    if said is not None:
        yield from said
    elif len(phrase.voices) > 1:
        names = [
            f"{voice.name or ('drums' if voice.drum else f'voice {i + 1}')} {looks[i % 4]}"
            for i, voice in enumerate(phrase.voices[:8])
        ]
        more = f", and {len(phrase.voices) - 8} more" if len(phrase.voices) > 8 else ""
        yield f"Voices: {', '.join(names)}{more}."
    if shown < bar_count(phrase):
        yield f"Bars 1 to {shown} of {bar_count(phrase):,}."
