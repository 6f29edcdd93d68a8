"""A file that writes its time signature a tick too late has the bars that it means."""

import numpy as np
import pytest

from musai.music import Metre, Phrase
from musai.music.metre import Key, Signature, Tempo
from musai.transformer import Request
from musai.transformer.beginnings import whole_bars
from tests.transformer.models import motif, small_player


def late(cut: int) -> Phrase:
    """The motif with everything but a first 4/4 so many ticks later."""
    plain = motif()
    notes = plain.notes.copy()
    notes["onset"] += cut
    metre = Metre(
        (Tempo(0, 400_000), Tempo(cut + 960, 500_000)),
        (Signature(0, 4, 4), Signature(cut, 3, 4)),
        (Key(0, 0, False), Key(cut, 1, False)),
    )
    return Phrase(notes, metre, plain.voices, plain.length + cut)


@pytest.mark.parametrize("cut", [1, 19])
def test_an_empty_beginning_shorter_than_a_step_is_no_bar(cut: int) -> None:
    told = whole_bars(late(cut))
    assert told.notes.tolist() == motif().notes.tolist()
    assert told.metre == Metre(
        (Tempo(0, 400_000), Tempo(960, 500_000)), (Signature(0, 3, 4),), (Key(0, 1, False),)
    )
    assert told.length == motif().length
    assert whole_bars(told) is told


def test_a_beginning_that_holds_a_note_or_a_step_stays() -> None:
    assert whole_bars(late(20)) == late(20)
    assert whole_bars(motif()) == motif()
    early = late(5)
    notes = np.concatenate([early.notes[:1], early.notes])
    notes["onset"][0], notes["pitch"][0] = 0, 50
    held = early.with_notes(notes, early.length)
    assert whole_bars(held) == held


@pytest.mark.parametrize("mode", ["infill", "vary", "accompany"])
def test_such_a_file_is_filled_from_its_first_bar(mode: str) -> None:
    voices = "bass" if mode == "accompany" else None
    asked = Request(mode, 2, 3, late(1), voices=voices)
    answer = small_player().play(asked)
    assert answer.bars == 2
    assert Request.from_dict(asked.to_dict()) == asked
