"""A model file is what its hashes say, or it is not opened."""

import pytest

from musai.errors import Altered, NotFound
from musai.transformer import Player, Request
from musai.transformer import checkpoint as ck
from tests.transformer.models import SMALL, STYLES, random_weights, small_player


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "random"
    place.mkdir()
    data = ck.weights_bytes("random", SMALL, STYLES, {"works": 2}, random_weights(SMALL))
    (place / ck.WEIGHTS).write_bytes(data)
    (place / ck.RECIPE).write_text('name = "random"\n')
    ck.write_sums(place)
    return place


def test_a_saved_model_plays_what_it_played_before(folder):
    request = Request(bars=2, seed=5)
    assert Player.open(folder).play(request) == small_player().play(request)


def test_the_same_model_gives_the_same_file():
    first, second = (
        ck.weights_bytes("r", SMALL, STYLES, {"works": 2}, random_weights(SMALL)) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("where", [0, 100, 5000, -1])
def test_one_changed_byte_is_found(folder, where):
    data = bytearray((folder / ck.WEIGHTS).read_bytes())
    data[where] ^= 1
    (folder / ck.WEIGHTS).write_bytes(data)
    with pytest.raises(Altered, match=r"weights\.safetensors has SHA-256"):
        Player.open(folder)


def test_a_file_cut_short_or_missing_is_found(folder):
    data = (folder / ck.WEIGHTS).read_bytes()
    (folder / ck.WEIGHTS).write_bytes(data[: len(data) // 2])
    with pytest.raises(Altered):
        Player.open(folder)
    (folder / ck.RECIPE).unlink()
    with pytest.raises(Altered, match=r"SHA-256|lacks"):
        ck.load(folder)


def test_hashes_that_were_rewritten_do_not_hide_a_foreign_file(folder):
    (folder / ck.WEIGHTS).write_bytes(b"\x10\0\0\0\0\0\0\0{}              ")
    ck.write_sums(folder)
    with pytest.raises(Altered, match="not a weights file"):
        Player.open(folder)


def test_an_unknown_model_is_named_with_the_places_looked_in():
    with pytest.raises(NotFound, match="no model 'nobody'; looked in"):
        Player.open("nobody")
