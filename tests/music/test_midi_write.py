"""Phrase -> file -> Phrase is the identity, and what a file cannot hold is refused."""

from io import BytesIO

import mido
import pytest
from hypothesis import assume, given, settings

from musai.errors import BadInput
from musai.music import Metre, Phrase, Tempo, Voice, notes_array
from musai.music.midi import read_midi, write_midi
from musai.music.midi_bytes import LIMITS
from musai.music.notes import MAX_TICK
from tests.strategies import phrases


def fits_type_0(phrase: Phrase) -> bool:
    drums = sum(voice.drum for voice in phrase.voices)
    metre = phrase.metre
    changes = (*metre.tempos, *metre.signatures, *metre.keys)
    late = any(change.tick > phrase.length for change in changes)
    return drums <= 1 and len(phrase.voices) - drums <= 15 and not late


@settings(max_examples=200)
@given(phrases())
def test_a_phrase_comes_back_from_a_file_as_it_was(phrase: Phrase) -> None:
    assert read_midi(write_midi(phrase)) == phrase


@settings(max_examples=100)
@given(phrases(most_voices=3))
def test_a_phrase_comes_back_from_type_0_or_is_refused(phrase: Phrase) -> None:
    if fits_type_0(phrase):
        assert read_midi(write_midi(phrase, format=0)) == phrase
    else:
        with pytest.raises(BadInput, match="legal in a file of type 0"):
            write_midi(phrase, format=0)


@settings(max_examples=30)
@given(phrases(most_voices=16))
def test_both_types_hold_the_same(phrase: Phrase) -> None:
    assume(fits_type_0(phrase))
    assert read_midi(write_midi(phrase, format=0)) == read_midi(write_midi(phrase, format=1))


def test_sixteen_voices_fit_type_0_and_two_drums_do_not() -> None:
    players = tuple(Voice(f"v{i}", i, i == 15) for i in range(16))
    phrase = Phrase(notes_array([0] * 16, 9, 60, 80, range(16)), voices=players)
    assert read_midi(write_midi(phrase, format=0)) == phrase
    for refused in ((*players, Voice()), (Voice(drum=True), *players[1:])):
        with pytest.raises(BadInput, match="legal in a file of type 0 is up to 1 and 15"):
            write_midi(Phrase(phrase.notes, voices=refused), format=0)


def test_sixty_four_voices_take_five_ports() -> None:
    phrase = Phrase(
        notes_array([0] * 64, 9, 60, 80, range(64)),
        voices=tuple(Voice(str(i), i) for i in range(64)),
    )
    data = write_midi(phrase)
    assert read_midi(data) == phrase
    places = set()
    for track in mido.MidiFile(file=BytesIO(data)).tracks[1:]:
        ports = [message.port for message in track if message.type == "midi_port"]
        channels = {message.channel for message in track if message.type == "note_on"}
        places |= {(port, channel) for port in ports for channel in channels}
    assert len(places) == 64
    assert {port for port, _ in places} == set(range(5))
    assert 9 not in {channel for _, channel in places}


def test_the_longest_phrase_fits() -> None:
    phrase = Phrase(notes_array([0, MAX_TICK - 1], 1, 60), length=MAX_TICK)
    assert read_midi(write_midi(phrase)) == phrase


def test_a_file_is_the_same_bytes_each_time() -> None:
    phrase = Phrase.from_notes([0, 1], 1, [60, 62])
    assert write_midi(phrase) == write_midi(phrase) == phrase.to_midi()


def test_what_we_would_not_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    phrase = Phrase.from_notes([0, 1, 2], 1, 60)
    monkeypatch.setitem(LIMITS, "notes", 2)
    with pytest.raises(BadInput, match="3 notes; legal is up to 2"):
        write_midi(phrase)
    monkeypatch.setitem(LIMITS, "notes", 3)
    monkeypatch.setitem(LIMITS, "changes", 10)
    fast = Metre(tuple(Tempo(i, 1 + i) for i in range(7)))
    with pytest.raises(BadInput, match="11 changes; legal is up to 10"):
        write_midi(Phrase(phrase.notes, fast))


def test_type_2_is_refused() -> None:
    with pytest.raises(BadInput, match="type is 2; legal is 0 or 1"):
        write_midi(Phrase.from_notes([0], 1, 60), format=2)
