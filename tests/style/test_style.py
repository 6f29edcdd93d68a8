"""Style over a whole corpus: percentiles, nearest composers, cache, refusals."""

import numpy as np
import pytest

from musai.errors import BadInput, NotFound
from musai.music import Phrase, Voice
from musai.style import Style
from musai.style.overlap import FOR_INFORMATION
from tests.style.shelf import JUMPER, WALKER, Shelf, rng, shelf, tune


@pytest.fixture(scope="module")
def style(tmp_path_factory):
    return Style.open(shelf(tmp_path_factory.mktemp("shelf")))


def group(overlap, name):
    return next(one for one in overlap.groups if one.name == name)


@pytest.mark.parametrize("composer", [WALKER, JUMPER])
def test_a_new_tune_is_usual_for_its_own_composer_alone(style, composer):
    other = JUMPER if composer == WALKER else WALKER
    found = style.compare(tune(composer, 900, bars=8))
    assert found.nearest[0].name == composer
    assert sum(near.probability for near in found.nearest) == pytest.approx(1)
    assert group(found, composer).p_value > 0.05
    assert group(found, other).p_value <= 0.1


def test_groups_come_with_the_highest_percentile_first_and_those_refused_last(style):
    found = style.compare(tune(WALKER, 901)).groups
    told = [one.p_value for one in found]
    assert told[-1] is None
    assert told[:-1] == sorted(told[:-1], reverse=True)
    assert {(one.name, one.kind, one.works) for one in found} == {
        (WALKER, "composer", 24),
        (JUMPER, "composer", 22),
        ("book", "collection", 46),
        ("leaflet", "collection", 5),
    }


def test_a_group_of_few_works_is_refused_and_says_why(style):
    refused = group(style.compare(tune(WALKER, 902)), "leaflet")
    assert refused.p_value is None
    assert refused.reason == "5 works; a percentile needs 20"


def test_no_percentile_is_smaller_than_one_in_the_works_and_one(style):
    odd = Phrase.from_notes(np.zeros(40), np.ones(40) * 30, np.arange(40) + 40)
    for one in style.compare(odd).groups:
        assert one.p_value is None or one.p_value >= 1 / (one.works + 1)


def test_tunes_of_nine_bars_stand_for_sixteen(style):
    assert group(style.compare(tune(WALKER, 903, bars=16)), WALKER).works == 24


def test_one_composer_with_works_enough_is_no_choice(tmp_path):
    single = Style.open(shelf(tmp_path, walkers=19, jumpers=20, few=0))
    told = single.compare(tune(WALKER, 904))
    assert group(told, WALKER).p_value is None
    assert group(told, JUMPER).p_value is not None
    assert told.nearest == ()


def test_the_sentence_says_that_it_is_for_information(style):
    for phrase in (tune(WALKER, 905), Phrase.from_notes([], [], [])):
        assert style.compare(phrase).sentence.endswith(FOR_INFORMATION)
    assert "not protected expression" in FOR_INFORMATION


def test_a_phrase_without_notes_is_compared_with_nobody(style):
    found = style.compare(Phrase.from_notes([], [], [], length=4))
    assert found.nearest == ()
    assert {one.p_value for one in found.groups} == {None}
    assert {one.reason for one in found.groups} == {"the phrase has no notes"}


@pytest.mark.parametrize(
    "phrase",
    [
        Phrase.from_notes([0], [1], [60]),
        Phrase.from_notes([0, 1], [1, 1], [36, 38], names=[Voice(drum=True)]),
        Phrase.from_notes([0] * 100, [1] * 100, range(100)),
        Phrase.from_notes([500_000], [1], [60]),
    ],
)
def test_strange_phrases_are_compared_like_others(style, phrase):
    assert group(style.compare(phrase), "book").p_value is not None


def test_an_opened_cache_says_what_the_built_one_did(style, tmp_path):
    held = shelf(tmp_path)
    steps = []
    first = Style.open(held, lambda done, total, what: steps.append((done, total, what)))
    reads = held.reads
    second = Style.open(held)
    assert steps[-1] == (51, 51, "style")
    assert held.reads == reads == 51
    phrase = tune(JUMPER, 906)
    assert first.compare(phrase) == second.compare(phrase) == style.compare(phrase)


def test_a_damaged_cache_is_counted_anew(tmp_path):
    held = shelf(tmp_path, few=0)
    told = Style.open(held).compare(tune(WALKER, 907))
    for file in (tmp_path / "index" / "style").glob("*.npz"):
        file.write_bytes(file.read_bytes()[:100])
    assert Style.open(held).compare(tune(WALKER, 907)) == told


def test_another_corpus_leaves_no_old_files(tmp_path):
    Style.open(shelf(tmp_path, few=1))
    before = {file.name for file in (tmp_path / "index" / "style").iterdir()}
    Style.open(shelf(tmp_path, few=2))
    after = {file.name for file in (tmp_path / "index" / "style").iterdir()}
    assert len(before) == len(after) == 5
    assert not before & after


def test_works_whose_owners_deny_matching_are_not_counted(tmp_path):
    held = shelf(tmp_path)
    held.denied = 4
    found = Style.open(held).compare(tune(WALKER, 908))
    assert group(found, WALKER).works == 20
    assert held.reads == 47


def test_works_too_short_for_a_phrase_are_refused_with_its_length(tmp_path):
    held = Shelf(tmp_path, [(WALKER, "", tune(WALKER, k, bars=3)) for k in range(25)])
    found = Style.open(held).compare(tune(WALKER, 910, bars=16))
    assert found.groups[0].p_value is None
    assert found.groups[0].reason == "0 works of about 16 bars or more; a percentile needs 20"


def test_an_empty_corpus_has_no_groups(tmp_path):
    found = Style.open(shelf(tmp_path, 0, 0, 0)).compare(tune(WALKER, 909))
    assert found.groups == ()
    assert found.nearest == ()


def test_several_phrases_are_far_from_the_other_composer(style):
    session = [tune(WALKER, 700 + k, bars=8) for k in range(6)]
    own, other = (style.distances(session, name, permutations=199) for name in (WALKER, JUMPER))
    assert own.works == 24
    assert own.p_value > 0.05
    assert other.p_value == 1 / 200
    assert other.mmd > own.mmd
    assert own.areas["voice_intervals"] > other.areas["voice_intervals"]
    assert own == style.distances(session, WALKER, permutations=199)
    drawn = style.distances(session, WALKER, permutations=199, rng=rng(1))
    assert drawn.mmd == own.mmd


def test_distances_refuse_what_they_cannot_tell(style):
    session = [tune(WALKER, 800), tune(WALKER, 801)]
    with pytest.raises(NotFound, match="nobody"):
        style.distances(session, "nobody")
    with pytest.raises(BadInput, match="5 works"):
        style.distances(session, "leaflet")
    with pytest.raises(BadInput, match="legal is 2"):
        style.distances([session[0], Phrase.from_notes([], [], [])], "book")
