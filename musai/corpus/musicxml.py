"""MusicXML text -> parts as written: measures, notes, keys, metres, tempo marks.

Partwise scores, MusicXML 1.0 to 4.0, as far as notes go.  Ties are joined,
chords share an onset, transposing instruments sound as they sound; grace
notes, cue notes and rests are not notes.  A measure lasts as long as its
longest part; nothing is unfolded.

Units: lengths and offsets are `Fraction` of a whole note.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from lxml import etree

from musai.corpus.bars import Bar
from musai.errors import BadScore
from musai.music import DENOMINATORS

MAX_NOTES = 2_000_000
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_BEATS = {"whole": 4, "half": 2, "quarter": 1, "eighth": 0.5, "16th": 0.25}
_HEAVY = ("light-light", "light-heavy", "heavy-light", "heavy-heavy")


@dataclass(slots=True)
class Written:
    """A note: the measure it begins in, its place there, its sounding length and pitch."""

    measure: int
    offset: Fraction
    length: Fraction
    pitch: int
    staff: int
    voice: str


@dataclass(slots=True)
class Part:
    """One part of a score."""

    name: str = ""
    program: int | None = None
    drum: bool = False
    notes: list[Written] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    tempos: list[tuple[int, Fraction, float]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _State:
    """What holds while a part is read."""

    part: Part
    kit: dict[str, int]
    divisions: int = 1
    metre: tuple[int, int] | None = (4, 4)
    key: tuple[int, bool] | None = None
    shift: int = 0
    measure: int = 0
    cursor: Fraction = Fraction(0)
    onset: Fraction = Fraction(0)
    reach: Fraction = Fraction(0)
    silence: Fraction = Fraction(0)
    ties: dict[int, tuple[Written, int, Fraction]] = field(default_factory=dict)
    opens_next: bool = True


def parse(text: bytes) -> Any:
    """The root element of guarded XML."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as fault:
        raise BadScore(f"the XML is not well-formed: {fault.msg}") from fault
    if root.tag != "score-partwise":
        raise BadScore(f"the XML's root is {root.tag}; legal is score-partwise")
    return root


def read_parts(root: Any) -> list[Part]:
    """Every part with notes, in score order."""
    listed = {e.get("id"): e for e in root.iterfind("part-list//score-part")}
    parts = []
    for element in root.iterfind("part"):
        part, kit = _listed(listed.get(element.get("id")))
        state = _State(part, kit)
        for measure in element.iterfind("measure"):
            _read_measure(state, measure)
            if len(part.notes) > MAX_NOTES:
                raise BadScore(f"a part has more than {MAX_NOTES} notes")
        if part.notes:
            parts.append(part)
    return parts


def _listed(element: Any) -> tuple[Part, dict[str, int]]:
    """A part as the part list names it, and the drums of its kit by instrument id."""
    if element is None:
        return Part(), {}
    name = re.sub(r"\s+", " ", element.findtext("part-name") or "").strip()
    programs = [_number(e.text) for e in element.iterfind("midi-instrument/midi-program")]
    channels = {_number(e.text) for e in element.iterfind("midi-instrument/midi-channel")}
    kit = {
        e.get("id"): _number(e.findtext("midi-unpitched"), 1) - 1
        for e in element.iterfind("midi-instrument")
        if e.find("midi-unpitched") is not None
    }
    program = programs[0] - 1 if programs and 1 <= programs[0] <= 128 else None
    return Part(name, program, channels == {10}), kit


def _read_measure(state: _State, measure: Any) -> None:
    bar = Bar(state.metre, state.key, opens=state.opens_next)
    state.cursor = state.onset = state.reach = state.silence = Fraction(0)
    state.opens_next = False
    for element in measure:
        match element.tag:
            case "note":
                _read_note(state, element)
            case "backup":
                state.cursor = max(Fraction(0), state.cursor - _duration(state, element))
            case "forward":
                state.cursor += _duration(state, element)
                state.silence = max(state.silence, state.cursor)
            case "attributes":
                _read_attributes(state, element)
                if not state.reach and not state.silence:
                    bar.metre, bar.key = state.metre, state.key
            case "barline":
                _read_barline(state, bar, element)
            case "direction" | "sound":
                _read_direction(state, element)
    # A rest for the whole measure may be written as a breve; only notes make a measure longer.
    silence = min(state.silence, bar.full) if bar.metre else state.silence
    bar.duration = max(state.reach, silence)
    state.part.bars.append(bar)
    state.measure += 1


def _read_note(state: _State, note: Any) -> None:
    if note.find("grace") is not None or note.find("cue") is not None:
        return
    length = _duration(state, note)
    onset = state.onset if note.find("chord") is not None else state.cursor
    pitch = _pitch(state, note)
    if note.find("chord") is None:
        state.onset, state.cursor = state.cursor, state.cursor + length
    if pitch is None:
        state.silence = max(state.silence, onset + length)
    else:
        state.reach = max(state.reach, onset + length)
    if pitch is None or not length:
        return
    ties = {e.get("type") for e in note.iterfind("tie")}
    tied = state.ties.pop(pitch, None)
    if "stop" in ties and tied and _meets(state, tied, onset):
        written = tied[0]
        written.length += length
    else:
        voice = (note.findtext("voice") or "1").strip()
        written = Written(
            state.measure, onset, length, pitch, _number(note.findtext("staff"), 1), voice
        )
        state.part.notes.append(written)
    if "start" in ties:
        state.ties[pitch] = (written, state.measure, onset + length)


def _meets(state: _State, tied: tuple[Written, int, Fraction], onset: Fraction) -> bool:
    """Whether a tied note ends where this one begins."""
    _, measure, until = tied
    if measure == state.measure:
        return until == onset
    return onset == 0 and measure + 1 == state.measure and until == state.part.bars[-1].duration


def _pitch(state: _State, note: Any) -> int | None:
    """The sounding MIDI pitch, or none for a rest."""
    pitch = note.find("pitch")
    if pitch is not None:
        step = (pitch.findtext("step") or "").strip()
        if step not in _STEPS:
            raise BadScore(f"a note's step is {step!r}; legal is A to G")
        alter = round(float(pitch.findtext("alter") or 0))
        number = (
            12 * (_number(pitch.findtext("octave"), 4) + 1) + _STEPS[step] + alter + state.shift
        )
    elif note.find("unpitched") is not None:
        instrument = note.find("instrument")
        state.part.drum = True
        number = state.kit.get(instrument.get("id") if instrument is not None else "", 38)
    else:
        return None
    if not 0 <= number <= 127:
        raise BadScore(f"a note's MIDI pitch is {number}; legal is 0 to 127")
    return number


def _read_attributes(state: _State, element: Any) -> None:
    divisions = element.findtext("divisions")
    if divisions:
        state.divisions = _number(divisions)
        if not 1 <= state.divisions <= 100_000:
            raise BadScore(f"divisions are {divisions}; legal is 1 to 100000 a quarter")
    time = element.find("time")
    if time is not None:
        state.metre = _metre(time)
    key = element.find("key")
    if key is not None and key.find("fifths") is not None:
        fifths = _number(key.findtext("fifths"))
        mode = (key.findtext("mode") or "major").strip().lower()
        minor = mode in ("minor", "aeolian", "dorian", "phrygian", "locrian")
        state.key = (max(-7, min(7, fifths)), minor)
    transpose = element.find("transpose")
    if transpose is not None:
        octaves = _number(transpose.findtext("octave-change"), 0)
        state.shift = _number(transpose.findtext("chromatic"), 0) + 12 * octaves


def _metre(time: Any) -> tuple[int, int] | None:
    """A time signature; additive ones summed over one denominator; none for senza misura."""
    above = [_added(e.text) for e in time.iterfind("beats")]
    below = [_number(e.text) for e in time.iterfind("beat-type")]
    if not above or len(above) != len(below):
        return None
    if any(b not in DENOMINATORS for b in below):
        raise BadScore(f"a time signature's denominator is {below}; legal is {DENOMINATORS}")
    beats = sum(a * max(below) // b for a, b in zip(above, below, strict=True))
    if not 1 <= beats <= 255:
        raise BadScore(f"a time signature's numerator is {beats}; legal is 1 to 255")
    return beats, max(below)


def _added(text: str | None) -> int:
    return sum(_number(term) for term in (text or "").split("+"))


def _read_barline(state: _State, bar: Bar, element: Any) -> None:
    """Repeats and double bars open a strain; an ending's number belongs to its first bar."""
    ending = element.find("ending")
    if ending is not None and ending.get("type") == "start":
        number = re.search(r"\d", ending.get("number") or "")
        bar.ending = int(number.group()) if number else 0
        bar.opens = bar.opens and not bar.ending
    strong = element.find("repeat") is not None or element.findtext("bar-style") in _HEAVY
    if strong and not state.reach and not state.silence and element.get("location") != "right":
        bar.opens = not bar.ending
    elif strong:
        state.opens_next = True


def _read_direction(state: _State, element: Any) -> None:
    sounds = [element] if element.tag == "sound" else list(element.iterfind("sound"))
    for sound in sounds:
        if sound.get("tempo"):
            state.part.tempos.append((state.measure, state.cursor, _float(sound.get("tempo"))))
    for metronome in element.iterfind("direction-type/metronome"):
        unit = _BEATS.get((metronome.findtext("beat-unit") or "").strip(), 0)
        unit *= 1.5 if metronome.find("beat-unit-dot") is not None else 1
        bpm = _float(metronome.findtext("per-minute")) * unit
        state.part.tempos.append((state.measure, state.cursor, bpm))
    if state.measure < 2:
        state.part.words += [e.text for e in element.iterfind("direction-type/words") if e.text]


def _duration(state: _State, element: Any) -> Fraction:
    text = element.findtext("duration")
    if text is None:
        return Fraction(0)
    value = _float(text)
    if not 0 <= value <= 1e7:
        raise BadScore(f"a duration is {text}; legal is 0 to 10000000 divisions")
    whole = Fraction(int(value)) if value == int(value) else Fraction(value).limit_denominator(1000)
    return whole / (4 * state.divisions)


def _number(text: str | None, default: int = 0) -> int:
    try:
        return int(float((text or "").strip() or default))
    except (ValueError, OverflowError):
        raise BadScore(f"a number reads {text!r}") from None


def _float(text: str | None) -> float:
    match = re.search(r"\d+(?:\.\d+)?", text or "")
    return float(match.group()) if match else 0.0


def headings(root: Any) -> Iterator[tuple[str, str]]:
    """(kind, text) of titles, composers and every sentence that speaks of rights."""
    for kind, path in (
        ("title", "work/work-title"),
        ("title", "movement-title"),
        ("composer", "identification/creator[@type='composer']"),
        ("notice", "identification/rights"),
    ):
        for element in root.iterfind(path):
            yield kind, re.sub(r"\s+", " ", element.text or "").strip()
    for element in root.iterfind("credit/credit-words"):
        text = re.sub(r"\s+", " ", element.text or "").strip()
        if re.search(
            r"(?i)copyright|©|\(c\)|\brights\b|edizion|licen[cs]e|public domain|edition by", text
        ):
            yield "notice", text
