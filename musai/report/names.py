"""How numbers, pitches and places are written for a reader.  Pure functions of plain values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any

from musai.music import TICKS, Metre, Tempo
from musai.report.records import Place

_SHARPS = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_FLATS = ("C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B")
_MAJOR = ("C♭", "G♭", "D♭", "A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E", "B", "F♯", "C♯")
_MINOR = ("A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E", "B", "F♯", "C♯", "G♯", "D♯", "A♯")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_FRACTIONS = {Fraction(1, 4): "¼", Fraction(1, 2): "½", Fraction(3, 4): "¾"}

DRUMS = {
    35: "kick",
    36: "kick",
    37: "rim",
    38: "snare",
    39: "clap",
    40: "snare",
    41: "low tom",
    42: "hat",
    43: "low tom",
    44: "pedal hat",
    45: "mid tom",
    46: "open hat",
    47: "mid tom",
    48: "high tom",
    49: "crash",
    50: "high tom",
    51: "ride",
    53: "bell",
    56: "cowbell",
    57: "crash",
    59: "ride",
}
"""Short names of the General MIDI drums that most grooves use."""


def pitch_name(pitch: int, flats: bool = False) -> str:
    """The name of a MIDI pitch in scientific notation: 60 is C4."""
    return f"{(_FLATS if flats else _SHARPS)[pitch % 12]}{pitch // 12 - 1}"


def prefers_flats(metre: Metre) -> bool:
    """Whether the phrase's first key signature has flats."""
    return bool(metre.keys) and metre.keys[0].fifths < 0


def key_name(fifths: int, minor: bool) -> str:
    """The name of a key signature: (-3, True) is C minor."""
    return f"{(_MINOR if minor else _MAJOR)[fifths + 7]} {'minor' if minor else 'major'}"


def place(metre: Metre, tick: int) -> str:
    """Where a tick stands, as a musician says it: "bar 2, beat 3½"."""
    bar, beat = metre.bar_and_beat(tick)
    return f"bar {bar}, beat {quantity(beat)}"


def stretch(where: Place) -> str:
    """From where to where a passage goes: "bar 2, beat 1 to bar 5, beat 3"."""
    return (
        f"bar {where.first_bar}, beat {quantity(where.first_beat)} to "
        f"bar {where.last_bar}, beat {quantity(where.last_beat)}"
    )


@lru_cache(4096)
def quantity(value: float) -> str:
    """A count of beats or quarters: whole, with ¼ ½ ¾, or with two decimals."""
    whole, rest = divmod(Fraction(value).limit_denominator(960), 1)
    if rest == 0:
        return str(whole)
    if rest in _FRACTIONS:
        return f"{whole or ''}{_FRACTIONS[rest]}"
    return f"{value:.2f}"


def quarters(ticks: float) -> str:
    """A length in ticks, said in quarter notes."""
    if ticks < TICKS / 100:
        return "under 0.01 quarters"
    text = quantity(ticks / TICKS)
    return f"{text} quarter{'' if text in ('1', '½', '¼', '¾') else 's'}"


def tempo_text(tempos: Sequence[Tempo]) -> str:
    """The tempo of a phrase in quarters a minute, or its range."""
    speeds = sorted({round(tempo.bpm) for tempo in tempos})
    if len(speeds) == 1:
        return f"{speeds[0]} quarters a minute"
    return f"{speeds[0]} to {speeds[-1]} quarters a minute"


def number(value: float | None) -> str:
    """A statistic with as many digits as it deserves; an en dash where there is none."""
    if value is None:
        return "\u2013"
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 0.00005:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa} \u00d7 10{_superscript(int(exponent))}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.4g}"


def probability(value: float | None) -> str:
    """A p-value as a statement (with unbreaking spaces): "p = 0.034"; "no p-value" where there is none."""
    return "no p-value" if value is None else f"p\u00a0=\u00a0{number(value)}"


def percent(share: float) -> str:
    """A share of 1 in whole percent; never 100 for less than all, nor 0 for more than none."""
    whole = round(share * 100)
    if whole == 100 and share < 1:
        return "99%"
    return "<1%" if whole == 0 and share > 0 else f"{whole}%"


def rate(share: float) -> str:
    """A measured share with three decimals, or four where it has them: ".021", ".0075", "1.000"."""
    text = f"{share:.4f}".removesuffix("0")
    return text.lstrip("0") if share < 1 else text


def interval(semitones: int) -> str:
    """A transposition in words: "3 semitones up", "same pitch"."""
    if semitones == 0:
        return "same pitch"
    size = abs(semitones)
    return f"{size} semitone{'s' if size > 1 else ''} {'up' if semitones > 0 else 'down'}"


def day(when: str) -> str:
    """A date and time in ISO 8601 as "20 November 2026, 14:03 UTC"; unreadable text as it is."""
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        return when
    zone = f" {moment.tzname()}" if moment.tzinfo else ""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M}{zone}"


def listed(names: Sequence[str]) -> str:
    """Names joined as English does: "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def isolated(text: str) -> str:
    """A name within a sentence that may run the other way: between Unicode's isolates."""
    return text if text.isascii() else f"\u2068{text}\u2069"


def counted(count: int, noun: str) -> str:
    """ "1 note", "2 notes", "12,000 notes"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


_MODES = {
    "answer": "Answer",
    "continue": "Continuation",
    "infill": "Infill",
    "vary": "Variation",
    "accompany": "Accompaniment",
}


def asked(request: Mapping[str, Any], bars: int, phrase_id: str) -> str:
    """What to call a phrase that has no name: "Answer in 2 bars, seed 7", or by its id."""
    if request.get("seed") is None:
        return f"Phrase {phrase_id[:8]}"
    kind = _MODES.get(str(request.get("mode")), "Phrase")
    return f"{kind} in {counted(bars, 'bar')}, seed {request['seed']}"
