"""Facts about reading standard MIDI files."""

from io import BytesIO
from pathlib import Path

import mido
import pretty_midi
import pytest
import symusic
from hypothesis import given, settings

from musai.errors import BadMidi
from musai.music import Key, Metre, Phrase, Signature, Tempo, Voice
from musai.music.midi import read_midi, write_midi
from tests.music.smf import END, chunk, meta, midi, note, number, off, on, program
from tests.strategies import phrases


def rows(data: bytes) -> list[tuple[int, ...]]:
    """(onset, duration, pitch, velocity, voice) of every note in a file."""
    return [tuple(row) for row in read_midi(data).notes.tolist()]


# ------------------------------------------------------------------ notes


def test_a_note_is_read() -> None:
    assert rows(midi(note(480, 240, 60, 99) + END)) == [(480, 240, 60, 99, 0)]


def test_running_status_and_velocity_nothing_are_read() -> None:
    body = b"\0\x90\x3c\x40\x60\x3c\0\0\x3e\x41\x60\x3e\0" + END
    assert rows(midi(body)) == [(0, 96, 60, 64, 0), (96, 96, 62, 65, 0)]


def test_running_status_goes_on_after_meta_and_system_exclusive_events() -> None:
    body = on(0, 60) + meta(0, 0x01, b"la") + b"\0\xf0\3ab\xf7" + b"\x60\x3c\0" + END
    assert rows(midi(body)) == [(0, 96, 60, 64, 0)]


def test_a_note_of_no_length_lasts_a_tick() -> None:
    assert rows(midi(note(10, 0, 60) + END)) == [(10, 1, 60, 64, 0)]


def test_first_struck_is_first_released_and_a_new_attack_ends_the_old_note() -> None:
    body = on(0, 60, 1) + on(10, 60, 2) + off(10, 60) + off(10, 60) + END
    assert rows(midi(body)) == [(0, 10, 60, 1, 0), (10, 20, 60, 2, 0)]


def test_struck_twice_and_released_once_ends_there() -> None:
    body = on(0, 60, 1) + on(10, 60, 2) + off(10, 60) + END
    assert rows(midi(body)) == [(0, 10, 60, 1, 0), (10, 10, 60, 2, 0)]


def test_a_repeated_note_whose_attack_is_written_before_the_release_is_two_notes() -> None:
    body = on(0, 60, 1) + on(10, 60, 2) + off(0, 60) + off(10, 60) + END
    assert rows(midi(body)) == [(0, 10, 60, 1, 0), (10, 10, 60, 2, 0)]


def test_a_release_without_a_note_is_passed_over() -> None:
    assert rows(midi(off(0, 60) + note(5, 5, 60) + off(5, 60) + END)) == [(5, 5, 60, 64, 0)]


def test_the_same_pitch_in_two_tracks_or_channels_stays_apart() -> None:
    body = on(0, 60) + on(5, 60, 64, 1) + off(5, 60) + off(5, 60, 1) + END
    assert rows(midi(body, body)) == [
        (0, 10, 60, 64, 0),
        (0, 10, 60, 64, 2),
        (5, 10, 60, 64, 1),
        (5, 10, 60, 64, 3),
    ]


@pytest.mark.parametrize(
    ("division", "ticks", "expected"),
    [
        (96, 96, 480),
        (960, 1, 1),  # half a tick: up
        (960, 3, 2),
        (960, 2, 1),
        (89, 89, 480),
        (32767, 32767, 480),
        (1, 3, 1440),
    ],
)
def test_ticks_go_to_the_nearest_at_480_a_quarter(division: int, ticks: int, expected: int) -> None:
    assert rows(midi(note(ticks, 10 * ticks, 60) + END, division=division))[0][0] == expected


def test_rounding_does_not_add_up() -> None:
    body = b"".join(note(0, 1, 60) for _ in range(700)) + END
    last = rows(midi(body, division=7))[-1]
    assert last[0] + last[1] == 100 * 480


@pytest.mark.parametrize(
    ("division", "second"),
    [(-(25 << 8) + 40, 1000), (-(24 << 8) + 80, 1920), (-(30 << 8) + 100, 3000)],
)
def test_smpte_seconds_stand_at_120_a_minute(division: int, second: int) -> None:
    tempo = meta(0, 0x51, (1_000_000).to_bytes(3))
    phrase = read_midi(midi(tempo + note(second, second, 60) + END, division=division))
    assert phrase.notes[["onset", "duration"]].tolist() == [(960, 960)]
    assert phrase.metre == Metre()


def test_drop_frames_are_a_thousandth_slower() -> None:
    division = -(29 << 8) + 100
    phrase = read_midi(midi(note(2_997_000, 1, 60) + END, division=division))
    assert phrase.metre.seconds(int(phrase.notes["onset"][0])) == pytest.approx(999.999, abs=1e-3)


# ------------------------------------------------------------------ voices


def test_a_voice_is_a_track_and_channel_with_notes() -> None:
    silent = meta(0, 3, b"conductor") + program(0, 5) + END
    flute = meta(0, 3, b"flute") + program(0, 73, 2) + note(0, 9, 60, 64, 2) + END
    drums = meta(0, 3, b"kit") + note(0, 9, 36, 64, 9) + END
    assert read_midi(midi(silent, flute, drums)).voices == (
        Voice("flute", 73),
        Voice("kit", 0, True),
    )


def test_voices_of_a_track_come_in_the_order_of_their_first_notes() -> None:
    body = b"".join(program(0, 10 + channel, channel) for channel in range(16))
    body += b"".join(note(0, 9, 60, 64, channel) for channel in (3, 0, 7))
    body += note(0, 9, 60, 64, 3) + END
    phrase = read_midi(midi(body, kind=0))
    assert [voice.program for voice in phrase.voices] == [13, 10, 17]
    assert phrase.notes["voice"].tolist() == [0, 1, 2, 0]


def test_the_program_is_the_one_in_force_at_the_first_note() -> None:
    body = program(0, 1) + program(5, 2) + note(5, 9, 60) + program(0, 3) + note(0, 9, 60) + END
    assert read_midi(midi(body)).voices == (Voice("", 2),)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Violine I", 40),
        ("Singstimme\nVoice", 52),
        ("Flöte 2", 73),
        ("Flautín", 72),
        ("Violoncello", 42),
        ("Corno inglés", 69),
        ("Bass Clarinet in Bb", 71),
        ("E-Bass", 33),
        ("Bass Drum 1 (Power 1)", 0),
        ("No. 7.", 0),
        ("", 0),
    ],
)
def test_a_voice_without_a_program_has_the_one_that_its_name_means(name: str, wanted: int) -> None:
    named = meta(0, 3, name.encode()) + note(0, 9, 60) + END
    assert read_midi(midi(named)).voices[0].program == wanted
    told = meta(0, 3, name.encode()) + program(0, 5) + note(0, 9, 60) + END
    assert read_midi(midi(told)).voices[0].program == 5
    drums = meta(0, 3, name.encode()) + note(0, 9, 60, 64, 9) + END
    assert read_midi(midi(drums)).voices[0].program == 0


def test_a_program_of_the_channel_in_another_track_counts_where_the_own_has_none() -> None:
    first = program(0, 40, 1) + program(0, 41, 2) + END
    second = note(0, 9, 60, 64, 1) + END
    third = program(0, 42, 2) + note(0, 9, 60, 64, 2) + END
    programs = [voice.program for voice in read_midi(midi(first, second, third)).voices]
    assert programs == [40, 42]


def test_the_name_of_a_type_0_track_is_a_voice_only_where_it_has_one() -> None:
    name = meta(0, 3, b"Sonata")
    assert read_midi(midi(name + note(0, 9, 60) + END, kind=0)).voices[0].name == "Sonata"
    both = note(0, 9, 60) + note(0, 9, 60, 64, 1)
    assert read_midi(midi(name + both + END, kind=0)).voices == (Voice(), Voice())


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("flûte".encode(), "flûte"),
        ("flûte".encode("latin-1"), "flûte"),
        (b"x" * 300, "x" * 127),
        ("é".encode() * 100, "é" * 63),
    ],
)
def test_names_are_utf_8_else_latin_1_and_short(stored: bytes, name: str) -> None:
    assert read_midi(midi(meta(0, 3, stored) + note(0, 9, 60) + END)).voices[0].name == name


def test_more_than_64_voices_are_refused() -> None:
    tracks = [b"".join(note(0, 9, 60, 64, channel) for channel in range(16)) + END] * 4
    assert len(read_midi(midi(*tracks)).voices) == 64
    with pytest.raises(BadMidi, match="more than 64 voices"):
        read_midi(midi(*tracks, note(0, 9, 60) + END))


def test_a_file_without_notes_is_a_rest() -> None:
    phrase = read_midi(midi(b"\x87\x40\xff\x2f\0"))
    assert (len(phrase), phrase.length, phrase.voices) == (0, 960, (Voice(),))


# ------------------------------------------------------------------ metre


def test_tempo_signature_and_key_are_read_from_any_track() -> None:
    first = meta(0, 0x51, (600_000).to_bytes(3)) + meta(0, 0x58, b"\6\3\x18\x08") + END
    second = meta(480, 0x59, b"\xfd\1") + meta(0, 0x51, b"\x07\xa1\x20") + END
    assert read_midi(midi(first, second)).metre == Metre(
        (Tempo(0, 600_000), Tempo(480, 500_000)), (Signature(0, 6, 8),), (Key(480, -3, True),)
    )


def test_before_the_first_change_the_standard_counts() -> None:
    body = meta(480, 0x51, b"\x0f\x42\x40") + meta(0, 0x58, b"\3\2\x18\x08") + END
    metre = read_midi(midi(body)).metre
    assert metre.tempos == (Tempo(0, 500_000), Tempo(480, 1_000_000))
    assert metre.signatures == (Signature(0, 4, 4), Signature(480, 3, 4))


def test_of_two_changes_at_one_tick_the_later_in_the_file_counts() -> None:
    body = meta(0, 0x58, b"\3\2\x18\x08") + meta(0, 0x58, b"\5\2\x18\x08") + END
    assert read_midi(midi(body)).metre.signatures == (Signature(0, 5, 4),)


def test_a_key_of_more_than_seven_signs_is_passed_over() -> None:
    assert read_midi(midi(meta(0, 0x59, b"\x08\0") + meta(1, 0x59, b"\0\2") + END)).metre.keys == ()


def test_the_longest_track_measures_the_phrase() -> None:
    short, long = note(0, 480, 60) + END, b"\x8f\0\xff\x2f\0"
    assert read_midi(midi(short, long)).length == 1920


# ------------------------------------------------------------------ files


def test_a_path_and_its_bytes_are_the_same(tmp_path: Path) -> None:
    data = midi(note(0, 9, 60) + END)
    (tmp_path / "a.mid").write_bytes(data)
    assert read_midi(tmp_path / "a.mid") == read_midi(data) == Phrase.from_midi(data)
    assert Phrase.from_midi(str(tmp_path / "a.mid")) == Phrase.from_midi(tmp_path / "a.mid")


def test_unknown_chunks_longer_headers_and_bytes_after_the_end_are_skipped() -> None:
    header = chunk(b"\0\1\0\1\1\xe0more", b"MThd")
    data = header + chunk(b"any", b"XFIH") + chunk(note(0, 9, 60) + END) + b"\0\0padding"
    assert rows(data) == [(0, 9, 60, 64, 0)]


# ------------------------------------------------------------------ other readers


@settings(max_examples=40)
@given(phrases(most_notes=25))
def test_mido_reads_from_our_files_what_we_wrote(phrase: Phrase) -> None:
    file = mido.MidiFile(file=BytesIO(phrase.to_midi()))
    assert file.ticks_per_beat == 480
    found = []
    for voice, track in enumerate(file.tracks[1:]):
        now, open_notes = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on":
                assert (message.channel == 9) == phrase.voices[voice].drum
                open_notes[message.note] = (now, message.velocity)
            elif message.type == "note_off":
                onset, velocity = open_notes.pop(message.note)
                found.append((onset, now - onset, message.note, velocity, voice))
            elif message.type == "program_change":
                assert message.program == phrase.voices[voice].program
    assert sorted(found) == sorted(phrase.notes.tolist())


@settings(max_examples=40)
@given(phrases(most_voices=15, most_notes=25))
def test_symusic_reads_from_our_files_what_we_wrote(phrase: Phrase) -> None:
    score = symusic.Score.from_midi(phrase.to_midi())
    theirs = sorted(
        (note.time, note.duration, note.pitch, note.velocity, track.program, track.is_drum)
        for track in score.tracks
        for note in track.notes
    )
    ours = sorted(
        (*row[:4], phrase.voices[row[4]].program, phrase.voices[row[4]].drum)
        for row in phrase.notes.tolist()
    )
    assert theirs == ours


def test_pretty_midi_hears_our_files_at_the_same_seconds() -> None:
    metre = Metre((Tempo(0, 500_000), Tempo(960, 1_000_000)), (Signature(0, 3, 4),))
    phrase = Phrase.from_notes([0, 2, 3], [2, 1, 1], [60, 64, 67], 90, metre=metre)
    theirs = pretty_midi.PrettyMIDI(BytesIO(write_midi(phrase))).instruments[0].notes
    assert [(note.start, note.end, note.pitch) for note in theirs] == [
        (0.0, 1.0, 60),
        (1.0, 2.0, 64),
        (2.0, 3.0, 67),
    ]


def test_numbers_of_all_lengths_are_read() -> None:
    for wait in (0, 127, 128, 16383, 16384, 2**21 - 1, 2**21, 2**28 - 2):
        assert rows(midi(number(wait) + b"\x90\x3c\x40\1\x3c\0" + END))[0][0] == wait
