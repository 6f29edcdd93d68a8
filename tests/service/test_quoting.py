"""A report names whom the prompt of a guarded request quotes."""

import numpy as np
import pytest

from musai.corpus import Corpus
from musai.music import Phrase
from musai.service.quoting import longest, quoted
from musai.service.shelves import Shelves
from musai.transformer.request import Request
from tests.match.made import moved, tune

GUARD = {"notes": 10, "stock_authors": 5, "corpora": [{"name": "tunes", "id": ""}]}


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Shelves:
    home = tmp_path_factory.mktemp("home")
    (home / "music").mkdir()
    for number in range(6):
        (home / "music" / f"tune {number}.mid").write_bytes(tune(number).to_midi())
    Corpus.build(home / "music", home / "corpora" / "tunes", name="tunes", mine=True)
    return Shelves(home)


def request(prompt: Phrase) -> dict:
    return Request("answer", 2, 7, prompt, guard=10).to_dict()


def test_the_work_is_named_with_the_longest_run_in_any_key_and_tempo(shelves: Shelves) -> None:
    prompt = moved(tune(3), range(5, 22), up=4, stretch=2.0)
    (found,) = quoted(shelves, GUARD, request(prompt))
    assert (found.title, found.corpus, found.notes) == ("tune 3", "tunes", 17)


def test_what_is_shorter_than_the_guard_counts_is_not_named(shelves: Shelves) -> None:
    assert quoted(shelves, GUARD, request(moved(tune(3), range(5, 14)))) == ()


def test_without_guard_prompt_or_corpus_nobody_is_named(shelves: Shelves) -> None:
    prompt = moved(tune(3), range(5, 22))
    assert quoted(shelves, None, request(prompt)) == ()
    assert quoted(shelves, GUARD, Request(bars=2, guard=10).to_dict()) == ()
    gone = {**GUARD, "corpora": [{"name": "gone", "id": ""}]}
    assert quoted(shelves, gone, request(prompt)) == ()


@pytest.mark.parametrize(
    ("starts", "expected"), [([0], 4), ([0, 1, 2], 6), ([0, 5, 6], 5), ([], 0), ([3, 0, 1], 5)]
)
def test_runs_that_follow_each_other_are_one_stretch(starts: list[int], expected: int) -> None:
    assert longest([tuple(np.arange(s, s + 4).tolist()) for s in starts]) == expected
