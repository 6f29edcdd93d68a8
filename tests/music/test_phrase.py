"""Facts about phrases."""

import pickle  # noqa: TID251 (what multiprocessing does between our own processes)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import BadInput
from musai.music import Key, Metre, Phrase, Signature, Tempo, Voice, notes_array
from musai.music.notes import MAX_TICK
from tests.strategies import phrases

MOTIF = Phrase.from_notes(
    [0, 0.5, 1, 1.5, 2, 3], [0.5, 0.5, 0.5, 0.5, 1, 1], [62, 65, 69, 67, 65, 64], length=4
)

GOLDEN = Phrase(
    notes_array([0, 240, 480], [240, 240, 960], [60, 36, 67], [80, 100, 64], [0, 1, 0]),
    Metre((Tempo(0, 600_000), Tempo(960, 500_000)), (Signature(0, 6, 8),), (Key(0, -3, True),)),
    (Voice("flûte", 73), Voice("kit", 8, True)),
    2880,
)


def test_the_canonical_bytes_never_change() -> None:
    assert GOLDEN.canonical_bytes.hex() == (
        "6d757361692d7068726173652d310a"  # musai-phrase-1
        "400b0000" "02000000"  # length, voices
        "490006" "666cc3bb7465"  # flûte
        "080103" "6b6974"  # kit
        "54" "02000000" "00000000c027090000000000" "c003000020a1070000000000"
        "53" "01000000" "000000000600000008000000"
        "4b" "01000000" "00000000fdffffff01000000"
        "4e" "03000000"
        "00000000f00000003c5000" "f0000000f0000000246401" "e0010000c0030000434000"
    )  # fmt: skip


def test_the_ids_never_change() -> None:
    assert GOLDEN.id == "4be4208fc0b6894249a49ec2f537806fe7f0d869dd93224423b0446e5fd416bc"
    assert GOLDEN.notes_id == "4ce587127e291bc07b8bb01bf8c33cf2b5170ae947d8d64aa5e02604e7270736"


def test_the_title_changes_the_id_but_not_the_notes_id() -> None:
    other = Phrase(GOLDEN.notes, GOLDEN.metre, (Voice("oboe", 68), GOLDEN.voices[1]), 2880)
    assert other.notes_id == GOLDEN.notes_id
    assert other.id != GOLDEN.id
    assert other != GOLDEN


@pytest.mark.parametrize(
    "other",
    [
        Phrase(GOLDEN.notes, GOLDEN.metre, GOLDEN.voices, 2881),
        Phrase(GOLDEN.notes, Metre(), GOLDEN.voices, 2880),
        GOLDEN.with_notes(GOLDEN.notes[:2], 2880),
    ],
)
def test_anything_else_that_differs_changes_the_id(other: Phrase) -> None:
    assert other.id != GOLDEN.id


def test_equal_phrases_are_one_key() -> None:
    again = Phrase(GOLDEN.notes[::-1], GOLDEN.metre, GOLDEN.voices, 2880)
    assert again == GOLDEN
    assert len({again, GOLDEN}) == 1
    assert GOLDEN != "a phrase"


def test_notes_cannot_be_written_to_nor_shared_with_the_giver() -> None:
    array = notes_array([0], [480], [60])
    phrase = Phrase(array)
    array["pitch"] = 61
    assert phrase.notes["pitch"].tolist() == [60]
    with pytest.raises(ValueError, match="read-only"):
        phrase.notes["pitch"] = 61


def test_quarters_become_ticks() -> None:
    assert MOTIF.notes["onset"].tolist() == [0, 240, 480, 720, 960, 1440]
    assert MOTIF.length == 1920
    assert MOTIF.bars == 1


def test_triplets_go_to_the_nearest_tick_and_nothing_lasts_nothing() -> None:
    phrase = Phrase.from_notes([0, 1 / 3, 2 / 3, 1], [1 / 3, 1 / 3, 1 / 3, 0], 60)
    assert phrase.notes["onset"].tolist() == [0, 160, 320, 480]
    assert phrase.notes["duration"].tolist() == [160, 160, 160, 1]


def test_scalars_are_spread_over_the_notes() -> None:
    assert Phrase.from_notes([0, 1, 2], 1, [60, 62, 64]).notes["duration"].tolist() == [480] * 3


def test_no_notes_are_a_phrase_too() -> None:
    rest = Phrase.from_notes([], [], [], length=8)
    assert (len(rest), rest.length, rest.bars) == (0, 3840, 2)


def test_overlaps_given_in_quarters_are_untangled() -> None:
    assert Phrase.from_notes([0, 1], [4, 1], 60).notes["duration"].tolist() == [480, 480]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Phrase.from_notes([0], [-1], [60]), "duration is -1 quarters; legal is 0 or more"),
        (lambda: Phrase.from_notes([-1], [1], [60]), "onset is -480; legal is"),
        (lambda: Phrase.from_notes([float("nan")], [1], [60]), "onset holds a value"),
        (lambda: Phrase.from_notes([0], [float("inf")], [60]), "duration holds a value"),
        (lambda: Phrase.from_notes([0], [1], [60], length=float("inf")), "length is inf"),
        (lambda: Phrase.from_notes([0], [1], [60], length=float("nan")), "length is nan"),
        (lambda: Phrase.from_notes([0], [1], [60], 80, 2, names=[Voice()]), "voice is 2; legal"),
        (lambda: Phrase(notes_array([0, 5], 10, 60)), "sounds? at once"),
        (lambda: Phrase(notes_array([0], 10, 60, 80, 1)), "voice is 1; legal is 0 to 0"),
        (lambda: Phrase(notes_array([0], 10, 60), voices=()), "0 voices; legal is 1 to 64"),
        (lambda: Phrase(notes_array([0], 10, 60), length=9), "length is 9; legal is 10 to"),
        (lambda: Phrase(notes_array([MAX_TICK], 1, 60)), f"length is {MAX_TICK + 1}"),
        (lambda: Phrase(np.zeros(3)), "legal is NOTE"),
        (lambda: Voice("x" * 128), "is 128; legal is 0 to 127 bytes"),
        (lambda: Voice("\ud800"), "surrogate"),
        (lambda: Voice(program=128), "program is 128; legal is 0 to 127"),
    ],
)
def test_what_is_no_phrase_is_refused(make: object, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        make()  # type: ignore[operator]


def test_a_length_is_whole() -> None:
    with pytest.raises(TypeError):
        Phrase(notes_array([0], 10, 60), length=10.5)  # type: ignore[arg-type]


def test_bars_of_the_longest_phrase_are_counted_without_listing_them() -> None:
    # Nine million bars: listed, they would take a gigabyte.
    phrase = Phrase(notes_array([], [], []), Metre.of(120, (1, 64)), length=MAX_TICK)
    assert phrase.bars == -(-MAX_TICK // 30)
    assert "8947849 bars" in repr(phrase)


@given(phrases())
def test_a_phrase_survives_the_way_to_another_process(phrase: Phrase) -> None:
    again = pickle.loads(pickle.dumps(phrase))
    assert again == phrase
    assert not again.notes.flags.writeable


@given(phrases(), st.data())
def test_equality_is_equality_of_all_parts(phrase: Phrase, data: st.DataObject) -> None:
    other = data.draw(st.one_of(st.just(phrase), phrases(most_voices=2, most_notes=3)))
    parts = [(p.notes.tolist(), p.metre, p.voices, p.length) for p in (phrase, other)]
    assert (phrase == other) == (parts[0] == parts[1])
