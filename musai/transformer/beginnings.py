"""Contexts whose first bar is no bar: files that write their time signature a tick too late."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from musai.music import Metre, Phrase
from musai.music.metre import Key, Signature, Tempo
from musai.transformer.vocabulary import STEP_TICKS

Change = TypeVar("Change", Tempo, Signature, Key)


def whole_bars(phrase: Phrase) -> Phrase:
    """The phrase without what stands before a time signature that comes within a step of its beginning,
    where no note begins there: a bar too short to hold one.  All else comes that much earlier."""
    cut = max((s.tick for s in phrase.metre.signatures if s.tick < STEP_TICKS), default=0)
    if cut == 0 or (len(phrase) and int(phrase.notes["onset"].min()) < cut):
        return phrase
    notes = phrase.notes.copy()
    notes["onset"] -= cut
    told = phrase.metre
    metre = Metre(
        _earlier(told.tempos, cut), _earlier(told.signatures, cut), _earlier(told.keys, cut)
    )
    return Phrase(notes, metre, phrase.voices, phrase.length - cut)


def _earlier(changes: Sequence[Change], cut: int) -> tuple[Change, ...]:
    """Changes that much earlier; of those that were in force until then the last stands at 0."""
    found = {max(0, change.tick - cut): change for change in changes}
    return tuple(replace(change, tick=tick) for tick, change in sorted(found.items()))
