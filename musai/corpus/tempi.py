"""How fast: tempo marks where a source has them, else what its kind of music usually takes.

Beats a minute; a beat is half a bar of simple duple or quadruple time, a
dotted quarter of compound time, a unit of triple time.  The defaults are
ordinary dancing and singing speeds, chosen once so that a corpus without
tempo marks has tempi at all; matching does not depend on them.
"""

import re
from fractions import Fraction

RHYTHMS: tuple[tuple[str, int], ...] = (
    ("slip ?jig|hop jig", 108),
    ("jig", 112),
    ("slide", 124),
    ("reel", 104),
    ("hornpipe", 84),
    ("clog", 76),
    ("strathspey", 66),
    ("fling", 72),
    ("polka", 120),
    ("walk ?a?round", 100),
    ("essence", 84),
    ("quick ?step", 112),
    ("march", 96),
    ("waltz", 140),
    ("minuet", 108),
    ("air|song|lament|planxty", 72),
)
"""Patterns for R: fields and titles, the first that occurs decides."""

WORDS: tuple[tuple[str, int], ...] = (
    ("prestissimo", 190),
    ("presto", 170),
    ("vivace", 150),
    ("allegretto", 112),
    ("allegro", 132),
    ("moderato", 104),
    ("andantino", 84),
    ("andante", 76),
    ("adagio", 60),
    ("larghetto", 63),
    ("largo", 50),
    ("lento", 54),
    ("grave", 44),
    ("menuetto|minuetto|menuet|minuet", 120),
    ("scherzo", 160),
    ("very slow", 52),
    ("slow", 60),
    ("moderate", 92),
    ("quick|lively|animated|spirited|cheerful", 112),
)
"""Patterns for words above the first bar."""


def by_pattern(table: tuple[tuple[str, int], ...], *texts: str) -> int | None:
    """The number of the first pattern found in the first text that holds one."""
    for text in texts:
        for pattern, number in table:
            if re.search(rf"\b({pattern})", text, re.IGNORECASE):
                return number
    return None


def beat(metre: tuple[int, int]) -> Fraction:
    """The dancer's beat in whole notes: see the module's first words."""
    above, below = metre
    if above % 3 == 0 and above > 3 and below >= 8:
        return Fraction(3, below)
    if above % 3 == 0 or above % 2:
        return Fraction(1, below)
    return Fraction(above, 2 * below)


def quarters_a_minute(beats_a_minute: float, beat_length: Fraction) -> float:
    """Beats a minute -> quarter notes a minute, kept within 20 and 400."""
    return min(400.0, max(20.0, beats_a_minute * float(beat_length * 4)))


def from_mark(text: str, metre: tuple[int, int]) -> float | None:
    """Quarters a minute from an ABC Q: field.

    1/4=89, 3/8=120, 1/2=72 "Slow", or the old bare 80, which abc2midi and
    printed tunebooks read as quarters; none where the field names no number.
    """
    match = re.search(r"(?:(\d+)\s*/\s*(\d+)\s*)?=\s*(\d+)", text)
    if match:
        unit = Fraction(int(match.group(1)), int(match.group(2))) if match.group(1) else beat(metre)
        return quarters_a_minute(int(match.group(3)), unit)
    bare = re.fullmatch(r"\s*(\d+)\s*", text)
    return quarters_a_minute(int(bare.group(1)), Fraction(1, 4)) if bare else None
