"""The limits of one voice of an answer: which pitches it may reach, whether it is one line."""

import numpy as np

from musai.music import Phrase
from musai.transformer import vocabulary as v
from musai.transformer.grammar import Part
from musai.transformer.request import Request

_WIDEN = 7
"""Semitones beyond the context's range that the answer may reach."""


def heard_part(phrase: Phrase, voice: int, shift: int, request: Request) -> Part:
    """A voice of the context: its own range, widened, and one line where it was one."""
    mine = phrase.notes[phrase.notes["voice"] == voice]
    drum = phrase.voices[voice].drum
    if len(mine) == 0:
        low, high, line = (*v.KIT, False) if drum else (48, 84, True)
        return part_of(low, high, line, shift, request, drum)
    ends = mine["onset"].astype(np.int64) + mine["duration"]
    line = bool((mine["onset"][1:] >= ends[:-1]).all())
    low, high = int(mine["pitch"].min()) - _WIDEN, int(mine["pitch"].max()) + _WIDEN
    return part_of(low, high, line, shift, request, drum)


def part_of(
    low: int, high: int, line: bool, shift: int, request: Request, drum: bool = False
) -> Part:
    """Limits in moved pitch, at least an octave wide, such that the pitch moved back is a MIDI number."""
    shift = 0 if drum else shift
    if request.register is not None:
        low, high = request.register
    low, high = max(low, 0), min(high, 127)
    if high - low < 11:
        low, high = max(0, high - 11), max(high, 11)
    return Part(max(0, low + shift), min(127, high + shift), line, drum=drum)
