"""Replay: same model and request, same bytes, whatever happens around."""

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from musai.errors import BadRequest
from musai.music import Note, Phrase, Voice
from musai.transformer import Player, Request
from musai.transformer.plan import make_plan
from tests.transformer.models import motif, small_player

PLAYER = small_player()
REQUESTS = [
    Request(bars=4, seed=7),
    Request(bars=2, seed=8, collection="chorales"),
    Request("continue", 3, 9, motif()),
    Request("answer", 2, 10, motif(), temperature=0.7, top_p=0.8),
]

CHILD = """
import sys
from pathlib import Path
from musai.transformer import Request
from tests.transformer.models import motif, small_player
for request in (Request("continue", 3, 9, motif()), Request(bars=2, seed=8, collection="chorales")):
    print(small_player().play(request).id)
assert "torch" not in sys.modules, "serving loaded torch"
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_new_process_at_any_thread_count_gives_the_same_bytes(threads):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    out = subprocess.run(
        [sys.executable, "-c", CHILD],
        env=os.environ | dict.fromkeys(names, threads) | {"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [PLAYER.play(REQUESTS[i]).id for i in (2, 1)]
    assert out.stdout.split() == expected


def test_streamed_or_whole_the_notes_are_the_same():
    for request in REQUESTS:
        stream = PLAYER.generate(request)
        first = next(stream)
        streamed = PLAYER.phrase(request, [first, *stream])
        assert streamed == PLAYER.play(request)


def test_after_other_requests_or_alone_the_notes_are_the_same():
    alone = [small_player().play(request).id for request in REQUESTS]
    together = [PLAYER.generate(request) for request in reversed(REQUESTS)]
    # Interleaved note by note: no request may leave a mark on another.
    notes = [[] for _ in together]
    waiting = set(range(len(together)))
    while waiting:
        for i in sorted(waiting):
            note = next(together[i], None)
            if note is None:
                waiting.discard(i)
            else:
                notes[i].append(note)
    answers = [PLAYER.phrase(r, n).id for r, n in zip(reversed(REQUESTS), notes, strict=True)]
    assert answers[::-1] == alone


def test_another_seed_gives_another_answer():
    ids = {PLAYER.play(Request(bars=4, seed=seed)).id for seed in range(10)}
    assert len(ids) == 10


@pytest.mark.parametrize("bars", [1, 2, 7, 64])
@pytest.mark.parametrize("signature", [(4, 4), (3, 4), (6, 8), (5, 8), (4, 2)])
def test_exactly_the_bars_asked_for(bars, signature):
    if bars == 64 and signature != (3, 4):
        return
    phrase = PLAYER.play(Request(bars=bars, seed=1, signature=signature))
    assert phrase.bars == bars
    assert phrase.length == bars * phrase.metre.signatures[0].bar_ticks


def test_notes_come_in_order_and_survive_a_midi_file():
    for request in REQUESTS:
        notes = list(PLAYER.generate(request))
        assert [n.onset for n in notes] == sorted(n.onset for n in notes)
        phrase = PLAYER.phrase(request, notes)
        assert Phrase.from_midi(phrase.to_midi()) == phrase


def test_the_register_is_kept_in_every_key():
    for key in ("C", "F#", "Bbm", "Db"):
        phrase = PLAYER.play(Request(bars=8, seed=2, key=key, register=(60, 72)))
        assert phrase.notes["pitch"].min() >= 60
        assert phrase.notes["pitch"].max() <= 72


def test_the_key_asked_for_is_named_in_the_phrase():
    key = PLAYER.play(Request(bars=1, key="F#m")).metre.keys[0]
    assert (key.fifths, key.minor) == (3, True)


def test_an_answer_keeps_the_voices_and_the_line_of_its_context():
    answer = PLAYER.play(REQUESTS[3])
    assert answer.voices == motif().voices
    ends = answer.notes["onset"].astype(int) + answer.notes["duration"]
    assert (answer.notes["onset"][1:] >= ends[:-1]).all()


def test_an_answer_begins_within_a_beat():
    for seed in range(20):
        assert next(PLAYER.generate(Request("answer", 2, seed, motif()))).onset <= 480


def test_tempo_and_signature_follow_the_context_unless_told():
    answer = PLAYER.play(Request("answer", 1, context=motif()))
    assert answer.metre.tempos == motif().metre.tempos
    told = PLAYER.play(Request("answer", 1, context=motif(), tempo=90.0, signature=(3, 4)))
    assert round(told.metre.tempos[0].bpm) == 90
    assert told.length == 3 * 480


def test_transposing_the_context_transposes_the_answer():
    up = Phrase.from_notes(
        motif().notes["onset"] / 480, motif().notes["duration"] / 480,
        motif().notes["pitch"] + 1.0, length=8,
    )  # fmt: skip
    here = PLAYER.play(Request("answer", 2, 3, motif()))
    there = PLAYER.play(Request("answer", 2, 3, up))
    assert np.array_equal(here.notes["onset"], there.notes["onset"])
    assert set((there.notes["pitch"].astype(int) - here.notes["pitch"]).tolist()) == {1}


def test_a_context_longer_than_the_window_is_read_from_its_end():
    long = Phrase.from_notes(np.arange(400), [1] * 400, 60 + np.arange(400) % 12)
    assert len(PLAYER.play(Request("continue", 1, 1, long))) > 0


def test_a_context_that_cannot_be_used_is_refused_before_the_first_note():
    crowd = Phrase.from_notes([0], [1], [60], names=(Voice(),) * 20)
    with pytest.raises(BadRequest, match="20 voices"):
        PLAYER.generate(Request("answer", 1, context=crowd))
    with pytest.raises(BadRequest, match="legal is tunes, chorales"):
        PLAYER.generate(Request(collection="polkas"))


def test_it_says_what_it_is():
    about = PLAYER.describe()
    assert about["model_id"] == PLAYER.model_id
    assert about["collections"] == ["tunes", "chorales"]


def test_a_context_read_in_advance_gives_the_same_notes():
    read = small_player()
    tune = Phrase.from_notes(range(40), [1] * 40, [60 + 2 * i % 14 for i in range(40)])
    request = Request("answer", 2, 10, tune)
    list(read.prefill(replace(request, seed=3)))
    assert left(read, request) == 0
    for seed in (10, 10, 11):
        again = replace(request, seed=seed)
        assert read.play(again) == small_player().play(again)
    longer = replace(request, bars=3, seed=4)
    assert read.play(longer) == small_player().play(longer)
    other = Phrase.from_notes(range(40), [1] * 40, [60 + 2 * i % 14 for i in range(39)] + [72])
    other_end = replace(request, context=other)
    assert 0 < left(read, other_end) <= 16 + 1
    assert read.play(other_end) == small_player().play(other_end)


def test_a_context_longer_than_the_window_that_was_read_in_advance_leaves_nothing_to_read():
    read = small_player()
    tunes = [
        Phrase.from_notes(range(150), [1] * 150, [60 + (2 + i) * n % 14 for n in range(150)])
        for i in range(6)
    ]
    takes = [Request("answer", 2, 10 + i, tune) for i, tune in enumerate(tunes)]
    for take in takes[:4]:
        assert read.play(take) == small_player().play(take)
    assert [left(read, take) for take in takes[:4]] == [0] * 4, "four contexts are kept by turns"
    for take in takes:
        assert read.play(take) == small_player().play(take)
        assert read.play(replace(take, seed=1)) == small_player().play(replace(take, seed=1))
    assert left(read, takes[0]) > 0


def left(player: Player, request: Request) -> int:
    """Rows that are still to be read before the first note of the answer."""
    rows = make_plan(request, player._model).beginning()
    return len(rows) - player._prefixes._nearest(rows)[1]


def test_reading_in_advance_may_be_broken_off_and_the_notes_are_the_same():
    tune = Phrase.from_notes(range(40), [1] * 40, [60 + 2 * i % 14 for i in range(40)])
    request = Request("answer", 2, 10, tune)
    rows = make_plan(request, PLAYER._model).beginning()
    for steps in range(1, 5):
        read = small_player()
        source = read.prefill(request)
        for _ in range(steps):
            next(source, None)
        assert left(read, request) == max(0, len(rows) - 16 * steps)
        takes = [request, replace(request, seed=11)]
        sources = [read.generate(take) for take in takes]
        notes: list[list[Note]] = [[], []]
        for _ in range(100):
            for source_of, made in zip(sources, notes, strict=True):
                made.extend(itertools.islice(source_of, 1))
            next(source, None)
        assert notes == [list(small_player().generate(take)) for take in takes]


def test_of_a_call_under_way_only_the_last_notes_are_left_to_be_read():
    pitches = [60 + 2 * i % 14 for i in range(32)]
    whole = Phrase.from_notes([i / 2 for i in range(32)], [0.5] * 32, pitches, length=16)
    until = Phrase.from_notes([i / 2 for i in range(29)], [0.5] * 29, pitches[:29], length=16)
    read = small_player()
    list(read.prefill(Request("answer", 2, 1, until), "jam", 29 / 32))
    assert left(read, Request("answer", 2, 1, whole)) <= 16
    list(read.prefill(Request("answer", 2, 1, until), "jam", 1.0))
    assert left(read, Request("answer", 2, 1, whole)) > 16, "without that, its header differs"


def test_a_plan_hangs_on_all_of_a_request_but_its_seed():
    tune = Phrase.from_notes(range(8), [1] * 8, [60 + 2 * i % 14 for i in range(8)])
    for mode in ("generate", "continue", "answer", "infill", "vary", "accompany"):
        request = Request(mode, 2, 10, None if mode == "generate" else tune)
        plans = [make_plan(replace(request, seed=seed), PLAYER._model) for seed in (10, 11)]
        assert plans[0].beginning().tobytes() == plans[1].beginning().tobytes()
        assert [*plans[0].kept_notes()] == [*plans[1].kept_notes()]
    read = small_player()
    for seed in (10, 11):
        again = replace(request, seed=seed)
        assert read.play(again) == small_player().play(again)
    assert len(read._plans) == 1
