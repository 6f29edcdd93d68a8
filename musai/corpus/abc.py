"""ABC text -> tunes: the fields of each and its notes, bar by bar, exact in fractions.

Written for printed tunes as transcribers type them (ABC 1.6 to 2.1 as far as
notes go).  Repeats are not unfolded: every bar line, repeat sign and ending
is a bar line, so that each written note stands once, first and second endings
after one another.  Grace notes, ornaments, chord symbols, annotations and
words are not notes.  Ties are joined.  Pitches follow the key signature and
the bar's accidentals, which last to the next bar line in their own octave.

Units: lengths and offsets are `Fraction` of a whole note.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from musai.corpus.abc_fields import (
    ALTERATIONS,
    AbcKey,
    default_unit,
    read_key,
    read_metre,
    read_ratio,
    read_unit,
)
from musai.corpus.bars import Bar
from musai.errors import BadScore

MAX_TUNES = 20_000
"""Tunes read of one file."""

MAX_TUNE = 2**20
"""Characters of one tune."""

_FIELD = re.compile(r"^([A-Za-z+]):(?![|:])\s*(.*)$")
_HEADER_ONLY = frozenset("ABCDFGHOSXZ")
_PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|`+|\\|y[\d/]*|"[^"\n]*"?|!(?P<deco>[a-zA-Z0-9.()<>^+/]{1,24})!
        |\+[a-zA-Z.()<>]{1,16}\+|\{[^}\n]*\}|[~.HLMOPQRSTWuvhijklmnopqrstw](?![:]))
    |(?P<inline>\[[A-Za-z]:[^\]\n]*\])
    |(?P<bar>(?:\.?[|:]|\[\||\|\]|\])+(?:\s*\[?\d[\d,.-]*)?|\[\s*\d[\d,.-]*|\[\|)
    |(?P<tuplet>\((?P<p>\d)(?::(?P<q>\d*))?(?::(?P<r>\d*))?)
    |(?P<note>(?P<acc>\^{1,2}|_{1,2}|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<length>\d*/*\d*))
    |(?P<rest>(?P<kind>[zxZX])(?P<restlength>\d*/*\d*))
    |(?P<open>\[)|(?P<slur>[()])|(?P<tie>-)|(?P<broken>>+|<+)|(?P<overlay>&)|(?P<other>.)
    """,
    re.VERBOSE,
)


@dataclass(slots=True)
class Tune:
    """One tune as written: header fields by letter, and its lines of bars, one per voice."""

    number: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    metre: tuple[int, int] | None = (4, 4)
    key: AbcKey = field(default_factory=lambda: AbcKey(0, False, {}))
    lines: dict[str, list[Bar]] = field(default_factory=dict)

    def first(self, letter: str) -> str:
        """The first value of a field, or an empty text."""
        return next(iter(self.fields.get(letter, ())), "")


def split_tunes(text: str) -> Iterator[tuple[str, list[str]]]:
    """(number, lines) of each tune of a file: from its X: line to the next one."""
    tune: list[str] = []
    number = ""
    for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        match = re.match(r"^X:\s*(\d*)", raw)
        if match:
            if tune:
                yield number, tune
            number, tune = match.group(1), []
        elif number or tune:
            tune.append(raw)
    if tune:
        yield number, tune


@dataclass(slots=True)
class _Voice:
    """The reader's state for one voice of a tune; `clock` counts written time from its start."""

    metre: tuple[int, int] | None
    key: AbcKey
    unit: Fraction
    bars: list[Bar] = field(default_factory=list)
    bar: Bar = field(default_factory=Bar)
    cursor: Fraction = Fraction(0)
    clock: Fraction = Fraction(0)
    accidentals: dict[str, int] = field(default_factory=dict)
    ties: dict[str, tuple[Bar, int, Fraction]] = field(default_factory=dict)
    tuplet: Fraction = Fraction(1)
    tuplet_left: int = 0
    broken: Fraction = Fraction(1)
    last: list[tuple[Bar, int, str]] = field(default_factory=list)
    last_length: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        self.bar = Bar(self.metre, (self.key.fifths, self.key.minor), opens=True)

    def length(self, text: str) -> Fraction:
        """The length of the next note, chord or rest, under broken rhythm and tuplet."""
        length = self.unit * read_ratio(text) * self.broken
        self.broken = Fraction(1)
        if self.tuplet_left:
            length *= self.tuplet
            self.tuplet_left -= 1
        return length

    def advance(self, length: Fraction, sounding: list[tuple[Bar, int, str]]) -> None:
        """Move on by one note, chord or rest."""
        self.cursor += length
        self.clock += length
        self.last, self.last_length = sounding, length

    def sound(self, name: str, pitch: int, length: Fraction, tieable: bool) -> tuple[Bar, int, str]:
        """Write a note at the cursor, or lengthen the one that is tied to it."""
        bar, index, until = self.ties.pop(name, (self.bar, -1, Fraction(-1)))
        if index >= 0 and until == self.clock:
            offset, so_far, tied_pitch = bar.notes[index]
            if tieable or tied_pitch == pitch:
                bar.notes[index] = (offset, so_far + length, tied_pitch)
                return bar, index, name
        self.bar.notes.append((self.cursor, length, pitch))
        return self.bar, len(self.bar.notes) - 1, name

    def tie(self) -> None:
        """Tie what sounded last to what comes next."""
        for bar, index, name in self.last:
            self.ties[name] = (bar, index, self.clock)

    def dot(self, signs: str) -> None:
        """Broken rhythm: > lengthens what sounded last and shortens the next, < the reverse."""
        small = Fraction(1, 2 ** len(signs))
        before, after = (2 - small, small) if signs[0] == ">" else (small, 2 - small)
        change = self.last_length * (before - 1)
        for bar, index, name in self.last:
            offset, length, pitch = bar.notes[index]
            bar.notes[index] = (offset, length + change, pitch)
            if name in self.ties:
                self.ties[name] = (bar, index, self.clock + change)
        self.cursor += change
        self.clock += change
        self.last_length += change
        self.broken = after

    def close(self, opens: bool, ending: int) -> None:
        """A bar line."""
        self.accidentals.clear()
        self.bar.duration = max(self.bar.duration, self.cursor)
        if self.bar.duration:
            self.bars.append(self.bar)
            self.bar = Bar(self.metre, (self.key.fifths, self.key.minor))
            self.cursor = Fraction(0)
        self.bar.opens = (self.bar.opens or opens) and not ending
        self.bar.ending = ending or self.bar.ending

    def change(self, letter: str, value: str) -> None:
        """A field inside the tune: M, L or K."""
        if letter == "M":
            self.metre = read_metre(value)
        elif letter == "L":
            self.unit = read_unit(value, self.unit)
        elif letter == "K":
            self.key = read_key(value, self.key)
        if not self.cursor and not self.bar.duration:
            self.bar.metre = self.metre
            self.bar.key = (self.key.fifths, self.key.minor)


def read_tune(number: str, lines: list[str]) -> Tune:
    """One tune from the lines after its X: line.

    Raises `BadScore` for a tune without a K: field, too long, or out of range.
    """
    if sum(map(len, lines)) > MAX_TUNE:
        raise BadScore(f"tune {number} has more than {MAX_TUNE} characters")
    tune = Tune(number)
    body = _read_header(tune, lines)
    if body is None:
        raise BadScore(f"tune {number} has no K: field; legal is one, the last of its header")
    unit = read_unit(tune.first("L"), default_unit(tune.metre))
    voices: dict[str, _Voice] = {}
    name = ""
    for line in body:
        letter, value = _field(line)
        if letter == "V":
            name = value.split()[0] if value.split() else ""
        elif letter == "" or letter in "KLM":
            voice = voices.setdefault(name, _Voice(tune.metre, tune.key, unit))
            if letter:
                voice.change(letter, value)
            else:
                name = _read_music(tune, voices, name, value, unit)
    for voice_name, voice in voices.items():
        voice.close(True, 0)
        if any(bar.notes for bar in voice.bars):
            tune.lines[voice_name] = voice.bars
    return tune


def _read_header(tune: Tune, lines: list[str]) -> list[str] | None:
    for i, line in enumerate(lines):
        letter, value = _field(line)
        if letter:
            tune.fields.setdefault(letter, []).append(value)
        if letter == "K":
            tune.metre = read_metre(tune.first("M") or "4/4")
            tune.key = read_key(value, tune.key)
            return list(_body(lines[i + 1 :]))
    return None


def _body(lines: list[str]) -> Iterator[str]:
    """The lines of a tune's body: up to the first empty line after its first music."""
    started = False
    for line in lines:
        if started and not line.strip():
            return
        started = started or (bool(line.strip()) and not _field(line)[0] and line[0] != "%")
        yield line


def _field(line: str) -> tuple[str, str]:
    """(letter, value) of a field line, or ('', music); a comment is neither."""
    text = re.split(r"(?<!\\)%", line, maxsplit=1)[0].strip()
    match = _FIELD.match(text)
    # Lower-case d, e, g and so on are notes: "e:|" closes a strain.
    if match and (match.group(1) not in "abcdefghz"):
        return match.group(1), match.group(2).strip()
    return "", text


def _read_music(tune: Tune, voices: dict[str, _Voice], name: str, text: str, unit: Fraction) -> str:
    """Read one line of music into the voice `name`; returns the voice that the line ends in."""
    position = 0
    while position < len(text):
        voice = voices[name]
        match = _TOKEN.match(text, position)
        assert match is not None  # `other` takes any character but a line's end
        position = match.end()
        kind = match.lastgroup or ""
        if match["inline"]:
            letter, value = match["inline"][1], match["inline"][3:-1].strip()
            if letter == "V" and value:
                name = value.split()[0]
                voices.setdefault(name, _Voice(tune.metre, tune.key, unit))
            else:
                voice.change(letter, value)
        elif match["open"]:
            position = _read_chord(voice, text, position)
        elif match["note"]:
            length = voice.length(match["length"])
            voice.advance(length, [_read_note(voice, match, length)])
        elif match["rest"]:
            _read_rest(voice, match["kind"], match["restlength"])
        elif match["bar"]:
            _read_bar(voice, match["bar"])
        elif kind:
            _read_mark(voice, match)
    return name


def _read_mark(voice: _Voice, match: "re.Match[str]") -> None:
    if match["tuplet"]:
        notes = int(match["p"])
        compound = voice.metre is not None and voice.metre[0] % 3 == 0 and voice.metre[0] > 3
        time = int(match["q"] or _TUPLET_TIME.get(notes, 3 if compound else 2))
        if notes and time:
            voice.tuplet = Fraction(time, notes)
            voice.tuplet_left = int(match["r"] or notes)
    elif match["tie"]:
        voice.tie()
    elif match["broken"]:
        voice.dot(match["broken"][:4])
    elif match["overlay"]:
        voice.bar.duration = max(voice.bar.duration, voice.cursor)
        voice.clock -= voice.cursor
        voice.cursor = Fraction(0)


def _read_note(voice: _Voice, match: "re.Match[str]", length: Fraction) -> tuple[Bar, int, str]:
    """Sound one note at the voice's cursor, which stays where it is."""
    letter = match["letter"]
    step = letter.upper()
    octave = letter.islower() + match["octave"].count("'") - match["octave"].count(",")
    if match["acc"]:
        voice.accidentals[step] = ALTERATIONS[match["acc"]]
    altered = voice.accidentals.get(step, voice.key.alterations.get(step, 0))
    pitch = 60 + 12 * octave + _PITCHES[step] + altered
    if not 0 <= pitch <= 127:
        raise BadScore(f"note {match['note']} is MIDI pitch {pitch}; legal is 0 to 127")
    return voice.sound(f"{step}{octave}", pitch, length, tieable=not match["acc"])


def _read_chord(voice: _Voice, text: str, position: int) -> int:
    """Read [CEG]2 from after its bracket; returns the position after it.

    The chord lasts as long as its first note.  A bracket that closes nothing
    (an ending's label) is skipped.
    """
    end = text.find("]", position)
    inside = text[position:end]
    if end < 0 or "|" in inside:
        return position
    after = re.compile(r"\d*/*\d*").match(text, end + 1)
    assert after is not None  # it matches the empty text
    found = [m for m in _TOKEN.finditer(inside) if m["note"]]
    if not found:
        return after.end()
    outer = voice.length(after.group()) / voice.unit
    lengths = [voice.unit * read_ratio(m["length"]) * outer for m in found]
    sounding = [_read_note(voice, m, n) for m, n in zip(found, lengths, strict=True)]
    voice.advance(lengths[0], sounding)
    if "-" in inside:
        voice.tie()
    return after.end()


def _read_rest(voice: _Voice, kind: str, length: str) -> None:
    if kind in "ZX":
        full = Fraction(*(voice.metre or (4, 4)))
        voice.advance(full * read_ratio(length), [])
    else:
        voice.advance(voice.length(length), [])


def _read_bar(voice: _Voice, sign: str) -> None:
    if sign == "]":
        return
    number = re.search(r"\d", sign)
    opens = any(mark in sign for mark in (":|", "|:", "::", "||", "|]", "[|"))
    voice.close(opens, int(number.group()) if number else 0)
