import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import BadInput, BadRequest
from musai.music import TICKS
from musai.web import messages
from musai.web.messages import Ask, id_of, parse, request_of


def ask(**values):
    return parse(json.dumps({"do": "ask", "id": 1, **values}))


def test_played_notes_become_the_context_of_an_answer():
    request = request_of(
        ask(
            notes=[[480, 240, 62, 90], [0, 480, 60, 80]],
            length=2 * 4 * TICKS,
            bars=2,
            seed=5,
            tempo=90,
            signature=[3, 4],
            key="Gm",
            temperature=1.2,
        )
    )
    context = request.context
    assert (request.mode, request.bars, request.seed, request.temperature) == ("answer", 2, 5, 1.2)
    assert [tuple(n) for n in context.notes.tolist()] == [
        (0, 480, 60, 80, 0),
        (480, 240, 62, 90, 0),
    ]
    assert context.length == 2 * 4 * TICKS
    assert context.metre.signatures[0].bar_ticks == 3 * TICKS
    assert round(context.metre.tempos[0].bpm) == 90
    assert (context.metre.keys[0].fifths, context.metre.keys[0].minor) == (-2, True)


def test_no_notes_ask_for_music_from_nothing():
    request = request_of(ask(bars=4, tempo=120, signature=[6, 8]))
    assert (request.mode, request.context, request.tempo) == ("generate", None, 120)
    assert request.signature == (6, 8)


def test_notes_of_one_pitch_are_untangled():
    request = request_of(ask(notes=[[0, 960, 60, 80], [480, 480, 60, 80]], length=1920))
    assert request.context.notes["duration"].tolist() == [480, 480]


@pytest.mark.parametrize(
    ("name", "fifths", "minor"),
    [
        ("C", 0, False),
        ("G", 1, False),
        ("F", -1, False),
        ("Bb", -2, False),
        ("F#", 6, False),
        ("Db", -5, False),
        ("Am", 0, True),
        ("Em", 1, True),
        ("Ebm", -6, True),
        ("C#m", 4, True),
        ("Dm", -1, True),
        ("B", 5, False),
    ],
)
def test_keys_become_the_signature_that_their_name_says(name, fifths, minor):
    key = request_of(ask(notes=[[0, 480, 60, 80]], length=480, key=name)).context.metre.keys[0]
    assert (key.fifths, key.minor) == (fifths, minor)


@pytest.mark.parametrize(
    "values",
    [
        {"bars": 0},
        {"bars": 65},
        {"tempo": 19},
        {"tempo": 401},
        {"temperature": 5},
        {"signature": [4, 5]},
        {"signature": [0, 4]},
        {"key": "H"},
        {"notes": [[0, 480, 128, 80]], "length": 480},
        {"notes": [[0, 480, 60, 0]], "length": 480},
        {"notes": [[-1, 480, 60, 80]], "length": 480},
        {"notes": [[0, 0, 60, 80]], "length": 480},
        {"notes": [[0, 480, 60, 80]], "tempo": 0},
        {"notes": [[0, 480, 60, 80]], "length": 2**40},
    ],
)
def test_values_out_of_range_are_refused_with_the_range(values):
    with pytest.raises(BadInput, match="legal is"):
        request_of(ask(**values))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"do": "dance"}',
        '{"do": "ask"}',
        '{"do": "ask", "id": 1, "extra": 1}',
        '{"do": "ask", "id": -1}',
        '{"do": "ask", "id": 1, "notes": [[1, 2, 3]]}',
        '{"do": "ask", "id": 1, "tempo": NaN}',
        '{"do": "ask", "id": 1, "seed": -1}',
        '{"do": "keep", "phrase": "../../etc"}',
        '{"do": "replay", "id": 1, "replay": "xyz"}',
        '{"do": "cancel", "id": 1' + "0" * 400 + "}",
    ],
)
def test_what_is_no_message_is_refused(text):
    with pytest.raises(BadRequest, match="cannot be read"):
        parse(text)


def test_too_many_notes_are_refused():
    with pytest.raises(BadRequest):
        ask(notes=[[0, 1, 60, 80]] * (messages.MAX_NOTES + 1))


@pytest.mark.parametrize(
    ("text", "found"),
    [('{"do": "dance", "id": 7}', 7), ('{"id": true}', None), ("[1]", None), ("{", None)],
)
def test_the_asker_of_a_refused_message_is_found_where_it_can_be(text, found):
    assert id_of(text) == found


@given(st.text() | st.binary())
def test_any_text_is_a_message_or_refused(text):
    try:
        message = parse(text)
    except BadRequest:
        return
    assert isinstance(message, messages.Message)


@given(
    st.lists(
        st.tuples(*[st.integers(-(2**33), 2**33) | st.integers(0, 127)] * 4), min_size=1, max_size=5
    ),
    st.integers(-(2**40), 2**40),
)
def test_any_notes_make_a_request_or_are_refused(notes, length):
    try:
        request = request_of(Ask(id=1, notes=tuple(notes), length=length))
    except BadInput:
        return
    assert len(request.context) > 0
