"""Phrase -> the bytes of a standard MIDI file, which `midi.read_midi` reads back as that phrase.

Type 1 has a track for tempo, time signatures and keys, then one for each voice.
Each voice is marked by a sequencer-specific event (manufacturer 7D, "musai",
its channel): so voices without notes survive, and of a marked file only the
tracks with a mark measure the phrase (its tempo may change after its end).
Voices that are not drums take the 15 channels in turn, and the next MIDI port
after each 15.  In type 0, where they share a track, each is named by an
instrument name after a channel prefix.

mido writes the bytes.
"""

from collections.abc import Iterable
from io import BytesIO
from itertools import chain
from typing import Any

import mido

from musai.errors import BadInput
from musai.music.metre import Metre
from musai.music.midi_bytes import DRUMS, LIMITS, MARK, META_INSTRUMENT, META_NAME
from musai.music.notes import TICKS
from musai.music.phrase import Phrase, Voice

_MELODIC = [channel for channel in range(16) if channel != DRUMS]
_FIFTHS = "Cb Gb Db Ab Eb Bb F C G D A E B F# C# G# D# A#".split()  # noqa: SIM905 (a table)
_MAJOR, _MINOR = _FIFTHS[:15], [name + "m" for name in _FIFTHS[3:]]

_Timed = tuple[int, Any]
"""(tick, message of mido's)."""


def write_midi(phrase: Phrase, *, format: int = 1) -> bytes:
    """The bytes of a standard MIDI file that `read_midi` reads back as this phrase.

    `format` 1 holds every phrase of up to `LIMITS["notes"]` notes.  `format` 0
    does not hold more than 15 voices beside one for drums, nor a change of metre
    after the end of the phrase.  What does not fit is refused as `BadInput`.
    """
    if format not in (0, 1):
        raise BadInput(f"MIDI file's type is {format}; legal is 0 or 1")
    if len(phrase) > LIMITS["notes"]:
        raise BadInput(f"the phrase has {len(phrase)} notes; legal is up to {LIMITS['notes']}")
    metre = _metre_events(phrase.metre)
    changes = len(metre) + 3 * len(phrase.voices)
    if changes > LIMITS["changes"]:
        raise BadInput(f"the metre has {changes} changes; legal is up to {LIMITS['changes']}")
    last_change = max(tick for tick, _ in metre)
    places = _places(phrase.voices)
    if format == 0:
        _check_type_0(phrase, last_change)
    voices = [_voice_events(phrase, index, *place, format) for index, place in enumerate(places)]
    file = mido.MidiFile(type=format, ticks_per_beat=TICKS)
    if format == 0:
        file.tracks.append(_track(chain(metre, *voices), phrase.length))
    else:
        file.tracks.append(_track(metre, max(phrase.length, last_change)))
        file.tracks.extend(_track(events, phrase.length) for events in voices)
    buffer = BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _places(voices: Iterable[Voice]) -> list[tuple[int, int]]:
    """(channel, port) of each voice."""
    places = []
    melodic = 0
    for voice in voices:
        port, turn = divmod(melodic, len(_MELODIC))
        places.append((DRUMS, 0) if voice.drum else (_MELODIC[turn], port))
        melodic += not voice.drum
    return places


def _check_type_0(phrase: Phrase, last_change: int) -> None:
    drums = sum(voice.drum for voice in phrase.voices)
    if drums > 1 or len(phrase.voices) - drums > len(_MELODIC):
        raise BadInput(
            f"the phrase has {drums} voices of drums and {len(phrase.voices) - drums} others; "
            f"legal in a file of type 0 is up to 1 and {len(_MELODIC)}"
        )
    if last_change > phrase.length:
        raise BadInput(
            f"the metre changes at tick {last_change}; legal in a file of type 0 is up to "
            f"the phrase's length, {phrase.length}"
        )


def _metre_events(metre: Metre) -> list[_Timed]:
    events = [(t.tick, mido.MetaMessage("set_tempo", tempo=t.us_per_quarter)) for t in metre.tempos]
    for s in metre.signatures:
        values = {"numerator": s.numerator, "denominator": s.denominator}
        events.append((s.tick, mido.MetaMessage("time_signature", **values)))
    for key in metre.keys:
        name = (_MINOR if key.minor else _MAJOR)[key.fifths + 7]
        events.append((key.tick, mido.MetaMessage("key_signature", key=name)))
    return events


def _voice_events(phrase: Phrase, index: int, channel: int, port: int, format: int) -> list[_Timed]:
    """A voice's name, port, mark and program, then its notes."""
    voice = phrase.voices[index]
    # Not mido's own name events: their character set is a global setting.
    kind = META_NAME if format else META_INSTRUMENT
    first: list[Any] = [mido.UnknownMetaMessage(kind, voice.name.encode())]
    if format:
        first.append(mido.MetaMessage("midi_port", port=port))
    else:
        first.insert(0, mido.MetaMessage("channel_prefix", channel=channel))
    first.append(mido.MetaMessage("sequencer_specific", data=MARK + bytes([channel])))
    first.append(mido.Message("program_change", channel=channel, program=voice.program))
    events = [(0, message) for message in first]
    notes = phrase.notes[phrase.notes["voice"] == index]
    for onset, duration, pitch, velocity, _ in notes.tolist():
        on = mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)
        off = mido.Message("note_off", channel=channel, note=pitch, velocity=0)
        events += [(onset, on), (onset + duration, off)]
    return events


def _track(events: Iterable[_Timed], end: int) -> mido.MidiTrack:
    """Events in order of time, at one tick note-offs first, as waits between them."""

    def order(event: _Timed) -> tuple[int, bool]:
        return event[0], event[1].type != "note_off"

    track = mido.MidiTrack()
    now = 0
    for tick, message in [*sorted(events, key=order), (end, mido.MetaMessage("end_of_track"))]:
        message.time = tick - now
        now = tick
        track.append(message)
    return track
