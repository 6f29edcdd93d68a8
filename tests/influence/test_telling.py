"""What is told of estimates: shares with intervals, sums by owner, places that stand out, what was measured."""

import json
from dataclasses import replace

import numpy as np
import pytest
import toy

from musai.corpus import Holder, Work
from musai.errors import Altered
from musai.influence import gradients, truth
from musai.influence.found import Measured
from musai.influence.kept import measured_of, place, save_measured
from musai.influence.passages import MOST, by_passage, passages
from musai.influence.telling import RARE, Told, outstanding, owned
from musai.music import Phrase
from musai.transformer import data
from musai.transformer.network import Network

MEASURED = Measured(
    "a" * 64, 0.4, 0.3, 0.5, (0.1, 0.0, 0.2), None, 0.05, "work", 32, 8, 2.0, 0.5, 24.0
)
WORKS = [Work(f"{n:064x}", f"tune {n}", collection="tunes") for n in range(4)]


def told(by_part, shown=None, by_chance=(), measured=None, works=WORKS) -> Told:
    table = np.array(by_part, float)
    visible = np.ones(len(table), bool) if shown is None else np.array(shown)
    return Told(
        works, toy.tune(1), table, np.ones(len(table)), visible, frozenset({3}),
        np.array(sorted(by_chance)), measured,
    )  # fmt: skip


def test_passages_are_a_few_notes_each_and_their_gradients_sum_to_the_whole():
    network = Network.fresh(toy.RECIPE.shape, 3)
    piece, phrase = toy.pieces(1)[0], toy.tune(0)
    window = 24  # several windows
    parts = passages(piece, phrase, window)
    assert [len(part.onsets) for part in parts if part.onsets][:2] == [4, 4]
    assert sorted(o for part in parts for o in part.onsets) == phrase.notes["onset"].tolist()
    projection = gradients.Projection.of(toy.RECIPE.shape)
    windows = gradients.asked_of(piece, window)
    found = by_passage(network, projection, windows, parts)
    whole = gradients.table(network, projection, [windows])[0]
    assert found.sum(0) == pytest.approx(whole, abs=1e-4)


def test_a_long_phrase_has_longer_passages():
    phrase = Phrase.from_notes(np.arange(400) / 2, [0.5] * 400, [60 + n % 12 for n in range(400)])
    piece = data.encode_work("long", phrase, 1, "toy")
    assert len(passages(piece, phrase, 128)) <= MOST + 8


def test_a_share_has_an_interval_that_holds_it_and_grows_where_one_passage_says_it_all():
    even = told([[1.0, 1.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5]])
    one = told([[1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 0.0, 0.0]])
    assert (even.pull(1).low, even.pull(1).gradient, even.pull(1).high) == (0.5, 0.5, 0.5)
    pull = one.pull(1)
    assert pull.low == 0.0
    assert pull.high > pull.gradient == 0.5
    assert told([[1.0, 1.0]]).pull(0).low is None


def test_nats_are_told_only_where_they_were_measured():
    assert told([[1.0] * 4]).pull(0).nats is None
    value, low, high = told([[1.0] * 4], measured=MEASURED).pull(0).nats
    assert value == 8.0
    assert (low, high) == (pytest.approx(8 - 0.98), pytest.approx(8 + 0.98))


def test_owners_get_their_shares_and_hidden_works_stand_in_no_sum():
    works = [
        replace(WORKS[0], holders=(Holder("Ada", 7500), Holder("Ben", 2500))),
        replace(WORKS[1], holders=(Holder("Ada", 4000),)),
        replace(WORKS[2], holders=(Holder("Cho", 10_000),)),
    ]
    table = [[1.0] * 4, [-1.0] * 4, [2.0] * 4]
    rows = told(table, [True, True, False], works=works).totals([owned(w) for w in works])
    assert {row.name: row.share for row in rows} == {
        "Ada": pytest.approx(0.35 / 2), "Ben": pytest.approx(0.125), "(unclaimed)": pytest.approx(-0.3),
    }  # fmt: skip


def test_a_place_is_named_where_a_work_stands_out_more_than_by_chance():
    rng = np.random.Generator(np.random.Philox(1))
    table = rng.standard_normal((40, 3))
    table[7, 1] = 60.0
    works = [Work(f"{n:064x}", f"tune {n}") for n in range(40)]
    chance = rng.uniform(2, 4, 99)
    onsets = [(0, 240), (480, 960), (1920,)]
    one = told(table, by_chance=chance, works=works)
    found = one.places(onsets)
    assert [(place.title, place.where, place.notes) for place in found] == [
        ("tune 7", "bar 1, beat 2 to beat 3", 2)
    ]
    assert found[0].p == 0.01 <= RARE
    hidden = told(table, [n != 7 for n in range(40)], chance, works=works)
    assert hidden.places(onsets) == ()
    assert told(table, works=works).places(onsets) == ()  # nothing to compare with, nothing told
    best, far = outstanding(table)
    assert best[1] == 7
    assert far[1] > 5


def test_what_was_measured_is_kept_by_model_and_a_changed_file_is_told(tmp_path):
    assert measured_of(tmp_path, "a" * 64) is None
    path = save_measured(MEASURED, tmp_path)
    assert path.parent == place(tmp_path, "a" * 64)
    assert measured_of(tmp_path, "a" * 64) == MEASURED
    held = json.loads(path.read_text())
    for broken in (
        "",
        "{}",
        json.dumps({**held, "model_id": "b" * 64}),
        json.dumps({**held, "lds": "x"}),
    ):
        path.write_text(broken)
        with pytest.raises(Altered, match="not as it was written"):
            measured_of(tmp_path, "a" * 64)


def test_a_unit_of_a_score_in_nats_is_the_slope_of_what_came_on_what_was_foretold():
    said = np.array([[1.0, 2.0], [3.0, 4.0]])
    slope, spread = truth.calibrated(said, 2 * said, np.array([1, 4]))
    assert (slope, spread) == (2.0, 0.0)
    came = np.array([[2.0], [-2.0]])
    slope, spread = truth.calibrated(np.array([[1.0], [1.0]]), came, np.array([1, 4]))
    assert slope == 0.0
    assert spread == pytest.approx(((4 + 1) / 2) ** 0.5)
    assert truth.calibrated(np.zeros((2, 1)), came, np.array([1, 1]))[0] == 0.0
