"""Part names -> General MIDI programs, for scores that name an instrument and no program."""

import re

PROGRAMS: tuple[tuple[str, int], ...] = (
    ("violoncello|violoncelle|cello", 42),
    ("double ?bass|contrabass|kontrabass|contrebasse|basso continuo|violone", 43),
    ("viola|bratsche|alto viola", 41),
    ("violin|violino|violon|geige|fiddle", 40),
    ("clarinet|klarinette", 71),
    ("oboe|hautbois", 68),
    ("bassoon|fagott", 70),
    ("flute|flöte|flauto|fife", 73),
    ("piccolo", 72),
    ("recorder|blockflöte", 74),
    ("trumpet|trompete|tromba", 56),
    ("trombone|posaune", 57),
    ("horn|corno", 60),
    ("harpsichord|cembalo|clavecin", 6),
    ("organ|orgel", 19),
    ("harp|harfe|arpa", 46),
    ("guitar|lute|laute", 24),
    (
        "soprano|sopran|canto|cantus|superius|discantus|treble|quinto|quintus|sesto|sextus"
        "|mezzo|alto|altus|contratenor|tenor|tenore|baritone|basso|bassus|bass|voice|vocal|choir|chorus|singer|gesang",
        52,
    ),
)
"""Patterns in order, the first that occurs in the name decides."""


def program_of(name: str, default: int = 0) -> int:
    """The General MIDI program (0 to 127) of a part by its name."""
    lowered = name.lower()
    for pattern, program in PROGRAMS:
        if re.search(rf"\b({pattern})", lowered):
            return program
    return default
