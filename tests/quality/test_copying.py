"""What a phrase holds of a corpus: the prompt's own near-duplicates and untrained works aside."""

import pytest

from musai.match import Matcher
from musai.quality.copying import Held, Search, summed
from tests.match.made import Shelf, moved, tune


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    music = {f"{n:02}": tune(n) for n in range(12)}
    return Shelf(tmp_path_factory.mktemp("shelf"), music)


@pytest.fixture(scope="module")
def matcher(shelf: Shelf) -> Matcher:
    return Matcher.open(shelf, references=[shelf], null="there")


def test_a_copied_run_is_found_unless_the_prompt_is_of_that_work(
    shelf: Shelf, matcher: Matcher
) -> None:
    ids = [work.id for work in shelf.works]
    search = Search(matcher, ids)
    copied = moved(shelf.music["03"], range(10, 30), up=5)
    assert search.held(copied, ids[5]).longest_run == 20
    assert search.held(copied, ids[3]).longest_run < 12


def test_works_that_were_not_trained_on_do_not_count(shelf: Shelf, matcher: Matcher) -> None:
    ids = [work.id for work in shelf.works]
    copied = moved(shelf.music["03"], range(10, 30))
    assert Search(matcher, [ids[0], ids[1]]).held(copied, ids[5]).longest_run < 12


def test_a_phrase_without_lines_holds_nothing(shelf: Shelf, matcher: Matcher) -> None:
    assert Search(matcher, [shelf.works[0].id]).held(moved(tune(1), range(2)), "") == Held(None, 0)


def test_rates_runs_and_the_upper_limit() -> None:
    rows = [(Held(0.005 if n < 4 else 0.5, n), Held(0.002 if n < 2 else 0.6, 5)) for n in range(40)]
    rows.append((Held(None, 50), Held(0.1, 50)))
    told = summed(rows, [f"work {n}" for n in range(41)])
    assert (told.phrases, told.rate, told.human_rate) == (40, 0.1, 0.05)
    assert told.excess == pytest.approx(0.05)
    assert 0.05 < told.upper95 < 0.2
    assert told.runs == (19.5, pytest.approx(35.1), 39)
    assert told.human_runs == (5.0, 5.0, 5)


def test_of_nothing_nothing_is_said_but_that_all_is_possible() -> None:
    told = summed([(Held(None, 0), Held(None, 0))], ["a"])
    assert (told.phrases, told.upper95) == (0, 1.0)
