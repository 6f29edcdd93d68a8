"""Instruments that a request may name, one by one: "drums", "violin", "soprano".

Each has a General MIDI program, the pitches that it usually plays, and whether it plays one line.
The ranges are the everyday ones of orchestration books, not the extremes.
"""

from typing import Final

from musai.errors import BadRequest
from musai.transformer.checkpoint import VoiceStyle
from musai.transformer.vocabulary import KIT, instrument_class

_TABLE: Final = (
    ("melody", 73, False, 57, 86, True),
    ("chords", 0, False, 43, 79, False),
    ("piano", 0, False, 36, 91, False),
    ("harpsichord", 6, False, 36, 86, False),
    ("vibraphone", 11, False, 53, 89, False),
    ("organ", 19, False, 36, 88, False),
    ("guitar", 25, False, 40, 79, False),
    ("bass", 33, False, 28, 55, True),
    ("violin", 40, False, 55, 93, True),
    ("viola", 41, False, 48, 81, True),
    ("cello", 42, False, 36, 72, True),
    ("double bass", 43, False, 28, 55, True),
    ("harp", 46, False, 36, 91, False),
    ("strings", 48, False, 43, 86, False),
    ("choir", 52, False, 43, 79, False),
    ("soprano", 52, False, 60, 80, True),
    ("alto", 52, False, 54, 74, True),
    ("tenor", 52, False, 48, 68, True),
    ("bass voice", 52, False, 40, 62, True),
    ("trumpet", 56, False, 54, 82, True),
    ("trombone", 57, False, 40, 70, True),
    ("horn", 60, False, 43, 77, True),
    ("brass", 61, False, 43, 82, False),
    ("saxophone", 65, False, 49, 80, True),
    ("oboe", 68, False, 58, 88, True),
    ("bassoon", 70, False, 36, 70, True),
    ("clarinet", 71, False, 50, 86, True),
    ("flute", 73, False, 60, 93, True),
    ("synth", 81, False, 48, 88, True),
    ("pad", 89, False, 43, 79, False),
    ("drums", 0, True, *KIT, False),
)

PLAYERS: Final = {row[0]: VoiceStyle(*row) for row in _TABLE}
"""Name -> voice; the name may be written with a capital."""


USUAL: Final = (
    5.0,
    5.0,
    3.0,
    7.0,
    7.0,
    3.5,
    3.0,
    4.0,
    4.0,
    5.0,
    7.0,
    2.5,
    5.0,
    5.0,
    5.0,
    5.0,
    15.0,
)
"""Notes a bar of each instrument class where it plays: medians of bands, songs, piano, quartets and
orchestra, drums of bands and drummers."""


def usual(voice: VoiceStyle) -> float:
    """Notes a bar that an instrument of this kind usually plays."""
    return USUAL[instrument_class(voice.program, voice.drum) - 1]


def player_of(name: str) -> VoiceStyle:
    """The instrument of this name.  Raises `BadRequest` listing the names."""
    found = PLAYERS.get(name.casefold())
    if found is None:
        raise BadRequest(f"instrument is {name!r}; legal is {', '.join(PLAYERS)}")
    return found
