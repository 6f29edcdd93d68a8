"""The sameness gauge as a session goes on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from musai.corpus import Corpus
from musai.service.shelves import Shelves
from musai.service.varieties import LAST, UNKNOWN, Told, Varieties
from tests.audit.takes import Desk, melody


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a ledger of its own."""
    held = Desk(tmp_path / "ledger.sqlite")
    yield held
    held.ledger.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a corpus of thirty tunes."""
    place = tmp_path / "music"
    place.mkdir()
    for seed in range(30):
        (place / f"{seed}.mid").write_bytes(melody(100 + seed, 16).to_midi())
    Corpus.build(place, tmp_path / "home" / "corpora" / "tunes", mine=True)
    return tmp_path / "home"


def told(varieties: Varieties, desk: Desk, seed: int) -> Told:
    return varieties.heard(desk.session, desk.take(melody(seed)))


def settled(varieties: Varieties, desk: Desk, seed: int) -> Told:
    """The first take that finds the yardstick made."""
    for _ in range(600):
        found = told(varieties, desk, seed)
        if found.varied_as is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("the yardstick was never made")


def test_takes_that_repeat_each_other_are_told_as_few_tunes(home: Path, desk: Desk) -> None:
    varieties = Varieties(desk.ledger, Shelves(home), lambda: ["tunes"])
    found = settled(varieties, desk, 1)
    for _ in range(LAST):
        found = told(varieties, desk, 1)
    assert found.takes == LAST
    assert found.varied_as == pytest.approx(1, abs=0.2)
    assert "as varied as 1 tune of tunes" in found.sentence
    for seed in range(LAST):
        found = told(varieties, desk, seed)
    assert found.varied_as is not None
    assert found.varied_as > 10


def test_a_session_goes_on_after_a_restart_where_it_was(home: Path, desk: Desk) -> None:
    for seed in range(6):
        desk.take(melody(seed))
    varieties = Varieties(desk.ledger, Shelves(home), lambda: ["tunes"])
    assert told(varieties, desk, 6).takes == 7


def test_few_takes_and_no_corpus_tell_nothing(home: Path, desk: Desk) -> None:
    varieties = Varieties(desk.ledger, Shelves(home), lambda: [])
    for seed in range(6):
        found = told(varieties, desk, seed)
        assert found.varied_as is None
    assert UNKNOWN.takes == 0


def test_a_corpus_that_cannot_be_read_does_no_harm(home: Path, desk: Desk) -> None:
    varieties = Varieties(desk.ledger, Shelves(home), lambda: ["gone"])
    for seed in range(6):
        assert told(varieties, desk, seed).varied_as is None
