"""Style in the matcher's process: opened aside, never instead of an answer."""

import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pytest

from musai.errors import NotFound
from musai.service.styles import OPENING, Styles

CORPUS = SimpleNamespace(id="c1")


@dataclass(frozen=True)
class Held:
    broken: bool = False

    def overlap(self, phrase):
        if self.broken:
            raise NotFound("the phrase has no notes")
        return f"like {phrase}"


@pytest.fixture
def styles(monkeypatch):
    def opens(opener):
        module = ModuleType("some_style")
        module.Style = SimpleNamespace(open=opener)
        monkeypatch.setitem(sys.modules, "some_style", module)
        return Styles("some_style")

    return opens


def test_before_it_is_open_a_phrase_goes_without_and_says_why(styles):
    held = styles(lambda corpus: Held())
    assert held.of("reels", CORPUS, "phrase") == (None, OPENING)
    held.open_behind("reels", CORPUS)
    held.wait()
    assert held.of("reels", CORPUS, "phrase") == ("like phrase", "")


def test_a_corpus_without_cached_features_says_so(styles):
    def opener(corpus):
        raise NotFound("no features are cached")

    held = styles(opener)
    held.open_behind("reels", CORPUS)
    held.wait()
    assert held.of("reels", CORPUS, "phrase") == (None, "no features are cached")


def test_it_is_opened_once_for_each_state_of_a_corpus(styles):
    opened = []

    def opener(corpus):
        opened.append(corpus.id)
        return Held()

    held = styles(opener)
    for corpus in (CORPUS, CORPUS, SimpleNamespace(id="c2")):
        held.open_behind("reels", corpus)
        held.wait()
    assert opened == ["c1", "c2"]


def test_what_fails_over_one_phrase_is_told_with_it(styles):
    held = styles(lambda corpus: Held(broken=True))
    held.open_behind("reels", CORPUS)
    held.wait()
    assert held.of("reels", CORPUS, "phrase") == (None, "the phrase has no notes")


def test_without_the_room_of_style_the_reason_is_told(capfd):
    held = Styles("musai.no_such_room")
    held.open_behind("reels", CORPUS)
    held.wait()
    found, why = held.of("reels", CORPUS, "phrase")
    assert found is None
    assert "no_such_room" in why
