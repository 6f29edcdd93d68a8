"""Where written bars come to stand: pickups, strains, endings, bars cut in two."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from musai.corpus.bars import Bar, place
from musai.corpus.tunes import read_abc

E = Fraction(1, 8)


def row(
    *eighths: int, opens: tuple[int, ...] = (0,), metre: tuple[int, int] | None = (4, 4)
) -> list[Bar]:
    return [Bar(metre, None, [], n * E, i in opens) for i, n in enumerate(eighths)]


def starts(*eighths: int, **more: object) -> list[Fraction]:
    return [s / E for s in place(row(*eighths, **more)).starts]  # type: ignore[arg-type]


def onsets(body: str, metre: str = "4/4") -> list[int]:
    (reading,), _ = read_abc(f"X:1\nM:{metre}\nL:1/8\nK:C\n{body}\n")
    return [int(n) for n in reading.phrase.notes["onset"] // 240]


def test_full_bars_follow_one_another() -> None:
    assert starts(8, 8, 8) == [0, 8, 16]


def test_a_pickup_fills_the_end_of_the_first_bar() -> None:
    assert starts(2, 8, 6) == [6, 8, 16]
    assert onsets("A|c6|", metre="6/8") == [5, 6]
    assert onsets("G2|c8|e8|") == [6, 8, 16]


def test_a_pickup_before_a_repeat_sign_is_one() -> None:
    assert onsets("(3GAB|:c8|e8:|") == onsets("(3GAB|c8|e8|")


def test_a_pickup_joins_the_strain_before_where_both_fit() -> None:
    assert starts(2, 8, 6, 2, 8, opens=(0, 3)) == [6, 8, 16, 22, 24]
    assert onsets("G2|c8|c6:|:B2|d8|d6:|") == [6, 8, 16, 22, 24, 32]


def test_a_pickup_that_does_not_fit_gets_a_bar_of_its_own() -> None:
    assert starts(8, 8, 2, 8, opens=(0, 2)) == [0, 8, 22, 24]


def test_silence_stands_for_the_pickup_that_a_repeat_would_play() -> None:
    # A strain that leaves room for its own pickup, then one that begins on the beat.
    assert starts(2, 8, 6, 8, 8, opens=(0, 3)) == [6, 8, 16, 24, 32]


def test_a_bar_that_a_repeat_sign_cuts_in_two_stays_whole() -> None:
    assert starts(8, 4, 4, 8, opens=(0, 2)) == [0, 8, 12, 16]


def test_a_second_ending_begins_where_the_first_did() -> None:
    bars = row(8, 4, 4, 4, 8)
    bars[2].ending, bars[3].ending = 1, 2
    assert [s / E for s in place(bars).starts] == [0, 8, 12, 20, 24]
    assert onsets("c8|c4|1d4:|2e4|f8|") == [0, 8, 12, 20, 24]


def test_a_short_last_bar_begins_on_a_bar_line() -> None:
    assert starts(8, 8, 6) == [0, 8, 16]


def test_a_bar_too_long_pushes_the_next_to_a_bar_line() -> None:
    assert starts(8, 9, 8) == [0, 8, 24]


def test_a_signature_that_most_bars_contradict_gives_way() -> None:
    placed = place(row(6, 6, 6, 6))
    assert placed.signatures == ((0, 3, 4),)
    assert [s / E for s in placed.starts] == [0, 6, 12, 18]


def test_halved_and_doubled_bars_keep_their_signature() -> None:
    assert place(row(16, 16, 16, 16)).signatures == ((0, 4, 4),)
    assert starts(4, 4, 4, 4) == [0, 4, 8, 12]
    assert starts(2, 4, 4, 4, 4) == [6, 8, 12, 16, 20]


def test_free_time_has_bars_as_long_as_they_are() -> None:
    placed = place(row(10, 10, 10, 10, metre=None))
    assert placed.signatures == ((0, 5, 4),)


def test_a_change_of_signature_begins_a_bar() -> None:
    bars = [*row(8, 6), *row(6, 6, metre=(3, 4), opens=())]
    placed = place(bars)
    assert placed.signatures == ((0, 4, 4), (2, 3, 4))
    assert [s / E for s in placed.starts] == [0, 8, 16, 22]


def test_a_phrase_is_as_long_as_its_last_bar() -> None:
    (reading,), _ = read_abc("X:1\nM:4/4\nL:1/8\nK:C\nG2|c8|c6|]\n")
    assert reading.phrase.length == 3 * 1920
    assert reading.phrase.bars == 3


@given(
    st.lists(
        st.tuples(st.integers(1, 20), st.booleans(), st.integers(0, 2)), min_size=1, max_size=20
    )
)
def test_bars_never_overlap_and_full_bars_begin_on_bar_lines(
    written: list[tuple[int, bool, int]],
) -> None:
    bars = [Bar((4, 4), None, [], n * E, opens and not e, e) for n, opens, e in written]
    placed = place(bars)
    end = Fraction(0)
    for bar, start in zip(bars, placed.starts, strict=True):
        assert start >= end
        end = start + bar.duration
        if placed.signatures == ((0, 4, 4),) and bar.duration == 1 and not bar.ending:
            assert start.denominator == 1
    assert placed.end >= end
