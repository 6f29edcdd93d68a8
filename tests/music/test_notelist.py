"""Note lists: phrases as lines of text."""

import pytest
from hypothesis import given

from musai.errors import BadInput
from musai.music import Metre, Phrase, Signature, Tempo, Voice
from musai.music.notelist import FIRST, read_notelist, write_notelist
from tests.strategies import phrases

TUNE = Phrase.from_notes(
    [0, 1, 1.5], [1, 0.5, 0.5], [60, 127, 0], [1, 127, 80], [0, 1, 1],
    metre=Metre((Tempo.from_bpm(97.3), Tempo.from_bpm(60, 480)), (Signature(0, 6, 8),)),
    names=(Voice("Größe links", 12), Voice("", 0, True)), length=6,
)  # fmt: skip


def test_a_note_list_says_a_phrase_line_by_line() -> None:
    assert write_notelist(TUNE, ["light green"]) == (
        "musai 1\nlight green\ntempo 97.299927 0\ntempo 60 480\nsignature 6 8 0\n"
        "voice 0 12 0 Größe links\nvoice 1 0 1\nlength 2880\n"
        "note 0 480 60 1 0\nnote 480 240 127 127 1\nnote 720 240 0 80 1\n"
    )


@given(phrases())
def test_a_phrase_comes_back_but_for_its_keys_and_the_spaces_in_its_names(phrase: Phrase) -> None:
    plain = Phrase(
        phrase.notes,
        Metre(phrase.metre.tempos, phrase.metre.signatures),
        tuple(Voice(" ".join(v.name.split()), v.program, v.drum) for v in phrase.voices),
        phrase.length,
    )
    assert read_notelist(write_notelist(phrase).encode()) == plain


def test_what_a_host_leaves_out_has_a_default_and_what_it_adds_is_passed_over() -> None:
    read = read_notelist(
        b"\xef\xbb\xbfmusai 1\r\n\r\nmood fine\r\nnote 480 480 60 80 2\r\nnote 0 960 60 80 2\r\n"
    )
    assert read.notes["onset"].tolist() == [0, 480]
    assert read.notes["duration"].tolist() == [480, 480]
    assert (len(read.voices), read.length, read.metre) == (3, 960, Metre())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "begins with the line"),
        (b"note 0 1 60 80 0", "begins with the line"),
        (b"musai 1\nnote 0 1 60 80", "line 2, 'note 0 1 60 80': not the numbers"),
        (b"musai 1\nnote 0 1 60 80 0 0", "line 2"),
        (b"musai 1\nnote 0 1 60.5 80 0", "not the numbers"),
        (b"musai 1\nnote 0 1 128 80 0", "legal is"),
        (b"musai 1\nnote -1 1 60 80 0", "legal is"),
        (b"musai 1\nnote 0 99999999999999999999 60 80 0", "legal is"),
        (b"musai 1\ntempo nan", "not the numbers"),
        (b"musai 1\ntempo 0", "not the numbers"),
        (b"musai 1\ntempo inf", "legal is"),
        (b"musai 1\ntempo 120 0 0", "line 2"),
        (b"musai 1\nsignature 3 5", "legal is"),
        (b"musai 1\nvoice 64 0 0", "legal is 0 to 63"),
        (b"musai 1\nvoice 0 128 0", "legal is"),
        (b"musai 1\nlength x", "line 2"),
        (b"musai 1\nlength 5\nnote 0 480 60 80 0", "length"),
        (b"musai 1\nnote 0 1 60 80 0\xff", "UTF-8"),
        (b"musai 1\n" + b"\n" * 200_001, "at most"),
    ],
)
def test_a_bad_line_is_named(text: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason.replace("(", r"\(")):
        read_notelist(text)


def test_the_first_line_says_the_form_and_its_version() -> None:
    assert write_notelist(TUNE).startswith(FIRST + "\n")
