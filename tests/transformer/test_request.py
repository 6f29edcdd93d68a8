"""A request is checked whole, and names itself the same way everywhere."""

import pytest

from musai.errors import BadRequest
from musai.transformer import Request
from musai.transformer.controls import MAX_SEED
from musai.transformer.request import parse_key
from tests.transformer.models import motif


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"bars": 0}, "bars is 0; legal is 1 to 64"),
        ({"bars": 10_000}, "10000"),
        ({"bars": 2.5}, "whole number"),
        ({"bars": True}, "legal is a number"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**63}, str(2**63)),
        ({"tempo": 0.0}, "tempo is 0.0; legal is 20 to 400"),
        ({"tempo": float("nan")}, "nan"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"density": 1000.0}, "density is 1000.0"),
        ({"signature": (4, 3)}, "denominator is 3"),
        ({"signature": (32, 1)}, "legal is 1 to 8"),
        ({"register": (60, 65)}, "65"),
        ({"register": (60, 200)}, "200"),
        ({"key": "H"}, "'H'"),
        ({"guard": 3}, "guard is 3; legal is 4 to 64 notes"),
        ({"guard": 12.0}, "whole number"),
        ({"mode": "sing"}, "'sing'"),
        ({"mode": "answer"}, "context"),
        ({"context": motif()}, "no context"),
    ],
)
def test_a_bad_wish_is_named_with_its_legal_range(wish, said):
    with pytest.raises(BadRequest) as caught:
        Request(**wish)
    assert said in str(caught.value)


def test_a_request_survives_json():
    request = Request(
        "answer", 3, MAX_SEED, motif(), 90.0, (6, 8), "F#m", 6.0, (50, 80), None, 0.5, 1.0
    )
    assert Request.from_dict(request.to_dict()) == request


def test_an_unknown_wish_is_refused():
    with pytest.raises(BadRequest, match="'volume'"):
        Request.from_dict({"volume": 11})


def test_the_replay_id_hangs_on_model_corpus_and_every_wish():
    ids = {
        Request(seed=7).replay_id("a", "c"),
        Request(seed=8).replay_id("a", "c"),
        Request(seed=7).replay_id("b", "c"),
        Request(seed=7).replay_id("a", "d"),
        Request(seed=7, bars=5).replay_id("a", "c"),
        Request("answer", seed=7, context=motif()).replay_id("a", "c"),
    }
    assert len(ids) == 6
    assert Request(seed=7).replay_id("a", "c") in ids


def test_whole_numbers_and_fractions_that_are_equal_are_one_wish():
    assert Request(tempo=120).canonical_bytes == Request(tempo=120.0).canonical_bytes
    assert Request(temperature=1, top_p=1).replay_id("m") == Request(
        temperature=1.0, top_p=1.0
    ).replay_id("m")


def test_again_takes_the_next_seed():
    assert Request(seed=7).again() == Request(seed=8)
    assert Request(seed=MAX_SEED).again() == Request(seed=0)


@pytest.mark.parametrize(
    ("name", "key"), [("C", (0, False)), ("Am", (9, True)), ("Cb", (11, False)), ("F#m", (6, True))]
)
def test_key_names(name, key):
    assert parse_key(name) == key


def test_a_request_without_a_guard_has_the_bytes_it_always_had():
    assert Request(seed=7).canonical_bytes == (
        b'{"bars":4,"collection":null,"context":null,"density":null,"key":null,"mode":"generate",'
        b'"register":null,"seed":7,"signature":null,"temperature":0.9,"tempo":null,"top_p":0.95}'
    )
    assert b'"guard":12' in Request(seed=7, guard=12).canonical_bytes
