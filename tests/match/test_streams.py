import made
import numpy as np

from musai.match import streams
from musai.music import Phrase, Voice


def test_symbols_do_not_change_with_key_or_tempo():
    phrase = made.tune(3, 30)
    plain = streams.symbols(phrase.notes["pitch"], phrase.notes["onset"])
    other = made.moved(phrase, range(30), up=5, stretch=2.0)
    again = streams.symbols(other.notes["pitch"], other.notes["onset"])
    assert plain.steps.tolist() == again.steps.tolist()
    assert plain.ratios.tolist() == again.ratios.tolist()
    assert plain.ratios2.tolist() == again.ratios2.tolist()


def test_symbols_of_a_known_motif():
    held = streams.symbols(np.array([60, 64, 62, 62]), np.array([0, 480, 720, 1680]))
    none = streams.NO_STEP
    assert held.steps.tolist() == [none, 4, -2, 0]
    # half a beat after one: an octave faster, two classes; then four times as long.
    assert held.ratios.tolist() == [none, none, -2, 4]
    # without the third note: one beat, then two and a half; log2 2.5 is 1.32.
    assert held.ratios2.tolist() == [none, none, none, 3]


def test_a_line_is_one_stream_and_a_quartet_is_its_voices_and_edges():
    assert [s.kind for s in streams.streams(made.tune(1))] == ["line"]
    kinds = [(s.kind, s.voice) for s in streams.streams(made.quartet(1))]
    assert kinds[:4] == [("line", v) for v in range(4)]
    assert {kind for kind, _ in kinds[4:]} <= {"skyline", "bass"}


def test_drums_make_no_stream():
    onsets, durations, pitches = made.melody(5)
    drums = Phrase.from_notes(onsets, durations, pitches, names=[Voice("kit", 0, True)])
    assert streams.streams(drums) == []


def test_a_line_played_legato_keeps_all_its_notes():
    phrase = Phrase.from_notes([0, 1, 2, 3], [1.2, 1.2, 1.2, 1.2], [67, 65, 64, 62])
    (line,) = streams.streams(phrase)
    assert line.index.tolist() == [0, 1, 2, 3]
