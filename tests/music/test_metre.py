"""Facts about tempo, time signatures and keys."""

from itertools import islice, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import BadInput
from musai.music import Key, Metre, Signature, Tempo
from tests.strategies import metres


def test_the_default_is_120_in_four_four() -> None:
    assert Metre() == Metre.of(120, (4, 4))
    assert Metre().seconds(960) == 1.0


@pytest.mark.parametrize(
    ("signature", "bar", "beat"),
    [
        ((4, 4), 1920, 480),
        ((3, 4), 1440, 480),
        ((6, 8), 1440, 720),
        ((3, 8), 720, 240),
        ((7, 8), 1680, 240),
        ((12, 8), 2880, 720),
        ((2, 2), 1920, 960),
        ((9, 16), 1080, 360),
        ((6, 4), 2880, 480),
    ],
)
def test_bars_and_beats_have_their_lengths(signature: tuple[int, int], bar: int, beat: int) -> None:
    it = Signature(0, *signature)
    assert (it.bar_ticks, it.beat_ticks) == (bar, beat)


@pytest.mark.parametrize(
    ("key", "tonic"),
    [
        (Key(0, 0), 0),
        (Key(0, 0, True), 9),
        (Key(0, 1), 7),
        (Key(0, -1, True), 2),
        (Key(0, -7), 11),
        (Key(0, 7), 1),
        (Key(0, -3), 3),
        (Key(0, 4, True), 1),
    ],
)
def test_a_key_signature_names_its_tonic(key: Key, tonic: int) -> None:
    assert key.tonic == tonic


def test_a_tempo_rounds_to_what_a_file_can_hold() -> None:
    assert Tempo.from_bpm(97).us_per_quarter == 618557
    assert Tempo.from_bpm(97).bpm == pytest.approx(97, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Tempo(0, 0), "tempo is 0; legal is 1 to 16777215"),
        (lambda: Tempo.from_bpm(3), "tempo is 3; legal is 4 to 1000"),
        (lambda: Tempo.from_bpm(float("nan")), "tempo is nan"),
        (lambda: Signature(0, 4, 3), "denominator is 3; legal is 1, 2, 4"),
        (lambda: Signature(0, 0, 4), "numerator is 0; legal is 1 to 255"),
        (lambda: Key(0, 8), "sharps is 8; legal is -7 to 7"),
        (lambda: Key(-1, 0), "tick is -1"),
        (lambda: Metre(tempos=()), "legal is tick 0"),
        (lambda: Metre(signatures=(Signature(1, 4, 4),)), "legal is tick 0"),
        (lambda: Metre(keys=(Key(9, 0), Key(9, 1))), "legal is rising ticks"),
    ],
)
def test_what_is_out_of_range_is_refused(make: object, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        make()  # type: ignore[operator]


CHANGING = Metre(
    (Tempo(0, 500_000), Tempo(960, 1_000_000)),
    (Signature(0, 3, 4), Signature(2000, 2, 4), Signature(4400, 6, 8)),
)


def test_a_change_of_signature_starts_a_bar_wherever_it_stands() -> None:
    starts = [tick for tick, _ in islice(CHANGING.bar_starts(), 7)]
    assert starts == [0, 1440, 2000, 2960, 3920, 4400, 5840]


@pytest.mark.parametrize(
    ("tick", "place"),
    [
        (0, (1, 1.0)),
        (720, (1, 2.5)),
        (1999, (2, 1 + 559 / 480)),
        (2000, (3, 1.0)),
        (4640, (6, 2.0)),
    ],
)
def test_a_tick_has_a_bar_and_a_beat(tick: int, place: tuple[int, float]) -> None:
    assert CHANGING.bar_and_beat(tick) == place


def test_seconds_follow_the_tempo() -> None:
    assert CHANGING.seconds(480) == 0.5
    assert CHANGING.seconds(960 + 480) == 2.0


@given(metres(), st.integers(0, 200_000))
def test_three_ways_to_count_bars_agree(metre: Metre, tick: int) -> None:
    walked = [start for start, _ in takewhile(lambda bar: bar[0] < tick, metre.bar_starts())]
    assert metre.bar_count(tick) == len(walked) == len(metre.bars_until(tick))
    bar, beat = metre.bar_and_beat(tick)
    last = [start for start, _ in metre.bars_until(tick + 1)]
    assert bar == len(last)
    assert (beat == 1) == (last[-1] == tick)


@given(metres(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_time_never_runs_backwards(metre: Metre, one: int, other: int) -> None:
    early, late = sorted((one, other))
    assert metre.seconds(early) <= metre.seconds(late)


@given(metres(), st.integers(0, 10**6))
def test_the_signature_in_force_is_the_last_one_before(metre: Metre, tick: int) -> None:
    assert metre.signature_at(tick) == [s for s in metre.signatures if s.tick <= tick][-1]
