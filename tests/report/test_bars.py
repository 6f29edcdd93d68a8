from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from musai.music import Metre, Phrase, Signature, Tempo
from musai.music.notes import MAX_TICK
from musai.report.bars import bar_count, bars_between, bars_from, systems
from tests.strategies import metres


@given(metres())
def test_bars_are_those_of_the_metre(metre):
    plain = list(islice(metre.bar_starts(), 40))
    ours = list(islice(bars_from(metre, 0), 39))
    assert [(bar.first, bar.signature) for bar in ours] == plain[:39]
    assert [bar.last for bar in ours] == [tick for tick, _ in plain[1:]]
    assert [bar.number for bar in ours] == list(range(1, 40))


@given(metres(), st.integers(0, 10**6))
def test_bars_from_the_middle_are_numbered_as_from_the_beginning(metre, tick):
    bar = next(bar for bar in bars_from(metre, tick) if bar.last > tick)
    assert bar.first <= tick < bar.last
    assert metre.bar_and_beat(tick)[0] == bar.number


def test_a_million_bars_take_no_time():
    metre = Metre((Tempo(0, 500_000),), (Signature(0, 1, 64),))
    far = MAX_TICK - 100
    assert len(bars_between(metre, far, MAX_TICK, 50)) == 4
    notes = Phrase.from_notes([0], [1], [60]).notes
    assert bar_count(Phrase(notes, metre, length=MAX_TICK)) == -(-MAX_TICK // 30)


def test_beats_follow_compound_time():
    bar = next(bars_from(Metre.of(100, (6, 8)), 0))
    assert list(bar.beats) == [720]


def test_lines_are_about_equally_full():
    bars = bars_between(Metre.of(100, (3, 4)), 0, 8 * 1440, 99)
    assert [len(line) for line in systems(bars, 9600)] == [4, 4]
    assert [len(line) for line in systems(bars[:2], 9600)] == [2]
    assert [len(line) for line in systems(bars, 1)] == [1] * 8
