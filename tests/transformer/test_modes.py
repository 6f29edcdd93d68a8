"""Infill, vary and accompany: what is asked for is played, what is given is heard and left alone."""

import numpy as np
import pytest

from musai.errors import BadRequest
from musai.music import Metre, Phrase, Signature, Tempo, Voice
from musai.transformer import Request
from musai.transformer import vocabulary as v
from musai.transformer.plan import make_plan
from tests.transformer.models import motif, small_model, small_player

PLAYER = small_player()
SOPRANO = Phrase.from_notes(
    [0, 1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 14], [1, 1, 1, 1, 2, 2] * 2,
    [67, 69, 71, 72, 74, 71, 67, 72, 71, 69, 67, 66], names=(Voice("tune", 40),), length=16,
)  # fmt: skip


def duet():
    """The tune above a bass in halves, four bars."""
    onsets = [*(SOPRANO.notes["onset"] / 480), *range(0, 16, 2)]
    durations = [*(SOPRANO.notes["duration"] / 480), *[2] * 8]
    pitches = [*SOPRANO.notes["pitch"].astype(float), 43, 48, 50, 43, 43, 48, 50, 38]
    return Phrase.from_notes(
        onsets, durations, pitches, voices=[0] * 12 + [1] * 8, names=(Voice(), Voice("low")),
        length=16,
    )  # fmt: skip


REQUESTS = [
    Request.of("accompany", SOPRANO, seed=1),
    Request.of("accompany", SOPRANO, seed=2, voices="bass,drums"),
    Request.of("accompany", duet(), seed=3, voices="flute", first=1, bars=2),
    Request("infill", 2, 4, duet(), first=1),
    Request("infill", 1, 5, duet(), first=3, voices="1"),
    Request("infill", 1, 6, duet(), first=0, voices="0"),
    Request.of("vary", duet(), seed=7),
    Request.of("vary", duet(), seed=8, change=0.0, voices="0"),
    Request.of("vary", motif(), seed=9, change=1.0),
]


def told(plan):
    return [[(note.pitch - plan.shift, ahead) for note, ahead in bar] for bar in plan.told]


@pytest.mark.parametrize("request_", REQUESTS)
def test_the_answer_has_the_bars_and_voices_asked_for(request_):
    answer = PLAYER.play(request_)
    context = request_.context
    assert answer.bars == request_.bars
    assert answer.length == request_.bars * 4 * 480
    assert answer.voices[: len(context.voices)] == context.voices
    words = request_.voice_words
    asked = {int(word) for word in words if word.isdecimal()}
    if request_.mode == "accompany":
        asked |= set(range(len(context.voices), len(answer.voices)))
    elif not words:
        asked = set(range(len(context.voices)))
    assert set(answer.notes["voice"].tolist()) <= asked
    assert len(answer) > 0


@pytest.mark.parametrize("request_", REQUESTS)
def test_notes_stream_in_time_order_and_again_the_same(request_):
    notes = list(PLAYER.generate(request_))
    assert [note.onset for note in notes] == sorted(note.onset for note in notes)
    assert PLAYER.phrase(request_, notes) == PLAYER.play(request_)
    assert Request.from_dict(request_.to_dict()) == request_


def test_a_choir_is_filled_up_with_the_voices_that_are_missing():
    answer = PLAYER.play(REQUESTS[0])
    assert [voice.name for voice in answer.voices] == ["tune", "Alto", "Tenor", "Bass"]
    bass = Phrase.from_notes(range(8), [1] * 8, [43, 45, 47, 48, 50, 47, 43, 43])
    above = PLAYER.play(Request.of("accompany", bass, seed=1))
    assert [voice.name for voice in above.voices][1:] == ["Soprano", "Alto", "Tenor"]


def test_the_voices_given_are_heard_a_bar_ahead_and_the_higher_voice_stands_first():
    plan = make_plan(REQUESTS[2], small_model())
    assert plan.order == (2, 0, 1)
    assert [[ahead for _, ahead in bar] for bar in told(plan)] == [[0] * 4 + [1] * 6, []]
    assert [part.asked for part in plan.parts] == [True, False, False]


def test_what_follows_a_gap_is_told_where_it_begins_and_nothing_of_the_gap():
    plan = make_plan(REQUESTS[3], small_model())
    assert told(plan)[1] == []
    assert {ahead for _, ahead in told(plan)[0]} == {2}
    assert {pitch for pitch, _ in told(plan)[0]} == {67, 66, 50, 38}
    heard = plan.rows[plan.rows[:, 0] == v.NOTE]
    assert len(heard) == 4 + 2


def test_vary_keeps_more_the_less_it_changes():
    context = duet()
    places = {(n["onset"], n["pitch"], n["voice"]) for n in context.notes}
    kept = []
    for change in (0.0, 0.5, 1.0):
        plan = make_plan(Request.of("vary", context, change=change), small_model())
        kept.append(len(plan.kept))
        sounding = {(n.onset, n.pitch, n.voice) for n in plan.kept_notes()}
        assert sounding <= places
        assert sounding <= {(n.onset, n.pitch, n.voice) for n in PLAYER.generate(
            Request.of("vary", context, change=change)
        )}  # fmt: skip
    assert kept == [16, 8, 0]


def test_the_bars_of_the_context_stand_with_their_changes_of_metre():
    metre = Metre(
        (Tempo(0, 500000), Tempo(3360, 600000)), (Signature(0, 4, 4), Signature(1920, 3, 4))
    )
    mixed = Phrase.from_notes([0, 4, 7], [4, 3, 3], [60, 62, 64], metre=metre, length=10)
    answer = PLAYER.play(Request("infill", 2, 1, mixed, first=1))
    assert answer.length == 6 * 480
    assert [s.numerator for s in answer.metre.signatures] == [3]
    assert [t.tick for t in answer.metre.tempos] == [0, 1440]


@pytest.mark.parametrize(
    ("mode", "wishes", "said"),
    [
        ("infill", {"first": 3, "bars": 2}, "bars 3 to 5 are asked for and the context has 4"),
        ("infill", {"first": 9}, "first from 0 to 3"),
        ("infill", {"voices": "2"}, "voice 2; legal is 0 to 1"),
        ("infill", {"voices": "flute"}, "legal is numbers of the context's"),
        ("accompany", {"voices": "kazoo"}, "'kazoo'; legal is melody, chords, piano"),
        ("accompany", {"voices": "bass,bass"}, "different"),
        ("accompany", {"voices": "0,1"}, "leaves no voice"),
        ("accompany", {"signature": (3, 4)}, "takes no signature"),
        ("accompany", {"change": 0.5}, "takes no change"),
        ("vary", {"change": 1.5}, "change is 1.5; legal is 0 to 1"),
        ("continue", {"first": 1}, "takes no first"),
        ("accompany", {"collection": "tunes"}, "name the voices that are asked for"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_note(mode, wishes, said):
    with pytest.raises(BadRequest) as caught:
        PLAYER.generate(Request.of(mode, duet(), **wishes))
    assert said in str(caught.value)


def test_a_long_gap_in_a_dense_piece_goes_on_when_the_window_is_full():
    onsets = np.arange(0, 64, 0.25)
    dense = Phrase.from_notes(
        [*onsets, *onsets], [0.25] * 512, [72] * 256 + [48] * 256, voices=[0] * 256 + [1] * 256
    )
    answer = PLAYER.play(Request.of("accompany", dense, voices="viola", bars=16))
    assert answer.bars == 16


def test_drums_asked_for_are_told_the_register_of_a_kit_and_keep_to_one():
    plan = make_plan(Request("accompany", 2, 3, motif(), voices="drums"), small_model())
    wish = plan.writer.header.voices[-1]
    assert (wish.instrument, wish.register) == (v.DRUMS, v.register_class(v.SNARE))
    assert (plan.parts[-1].low, plan.parts[-1].high) == v.KIT
    higher = Request("accompany", 2, 3, motif(), voices="drums", register=(60, 81))
    assert make_plan(higher, small_model()).writer.header.voices[-1].register == v.register_class(
        70
    )
