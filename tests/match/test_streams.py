import made
import numpy as np
import pytest

from musai.match import Matcher, streams
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


def test_a_line_played_legato_keeps_all_its_notes():
    phrase = Phrase.from_notes([0, 1, 2, 3], [1.2, 1.2, 1.2, 1.2], [67, 65, 64, 62])
    (line,) = streams.streams(phrase)
    assert line.index.tolist() == [0, 1, 2, 3]


def beat(seed: int, hits: int = 48, pattern: tuple[float, ...] = (0.5, 0.25, 0.25, 0.75)) -> Phrase:
    draw = made.rng(seed)
    gaps = np.resize(draw.permutation(np.array([*pattern, 0.5, 1.0, 0.125])), hits)
    onsets = np.concatenate(([0.0], np.cumsum(gaps)[:-1]))
    pitches = draw.choice((36, 38, 42), hits)
    return Phrase.from_notes(onsets, 0.1, pitches, names=[Voice("drums", 0, True)])


def test_drums_make_one_line_of_rhythm_without_pitch():
    (line,) = streams.streams(beat(1))
    assert (line.kind, line.voice, len(line)) == ("drums", 0, 48)
    signs = streams.symbols(np.zeros(48), beat(1).notes["onset"], drums=True)
    assert set(signs.steps[1:].tolist()) == {streams.DRUM_STEP}


def test_a_beat_is_found_by_its_rhythm_at_another_tempo_and_gets_no_light(tmp_path):
    shelf = made.shelf(tmp_path, 8)
    shelf.music |= {f"beat {k}": beat(k) for k in range(12)}
    matcher = Matcher.open(shelf, null="there")
    cut = made.moved(beat(5), range(10, 34), stretch=1.25)
    found = matcher.match(cut)
    assert found[0].title == "beat 5"
    assert found[0].transposition == 0
    assert found[0].tempo_ratio == pytest.approx(1.25, abs=0.01)
    assert found[0].stream == "drums of voice 1"
    assert found.verdict.longest_run <= 1, "a run of drums is no quotation"
    assert not any(hit.title.startswith("tune") for hit in found)


def test_a_melody_does_not_match_drums(tmp_path):
    shelf = made.shelf(tmp_path, 8)
    shelf.music |= {f"beat {k}": beat(k) for k in range(12)}
    matcher = Matcher.open(shelf, null="there")
    found = matcher.match(made.moved(shelf.music["tune 3"], range(5, 29)))
    assert found[0].title == "tune 3"
    assert all(hit.longest_run < 4 for hit in found if hit.title.startswith("beat"))
