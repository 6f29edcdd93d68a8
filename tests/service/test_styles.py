"""Style in the matcher's process: told beside the light, which never waits for it."""

import sys
import threading
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import pytest

from musai.errors import NotFound
from musai.service.styles import BUSY, OPENING, UNCOUNTED, Styles


@dataclass(frozen=True)
class Held:
    broken: bool = False
    gate: threading.Event = field(default_factory=threading.Event)

    def compare(self, phrase):
        if phrase == "slow":
            self.gate.wait(30)
        if self.broken:
            raise NotFound("the phrase has no notes")
        return f"like {phrase}"


@pytest.fixture
def corpus(tmp_path):
    features = tmp_path / "index" / "style"
    features.mkdir(parents=True)
    (features / "v-2.npz").touch()
    return SimpleNamespace(id="c1", path=tmp_path)


@pytest.fixture
def styles(monkeypatch):
    def opens(opener, patience=30.0):
        module = ModuleType("some_style")
        module.Style = SimpleNamespace(open=opener)
        monkeypatch.setitem(sys.modules, "some_style", module)
        return Styles("some_style", patience)

    return opens


def test_before_it_is_open_a_phrase_goes_without_and_says_why(styles, corpus):
    held = styles(lambda corpus: Held())
    assert held.of(corpus, "phrase") == (None, OPENING)
    held.open_behind(corpus)
    held.wait()
    assert held.of(corpus, "phrase") == ("like phrase", "")


def test_a_corpus_whose_style_was_never_counted_is_left_alone(styles, tmp_path):
    def opener(corpus):
        raise AssertionError

    held = styles(opener)
    bare = SimpleNamespace(id="c1", path=tmp_path / "nowhere")
    held.open_behind(bare)
    assert held.of(bare, "phrase") == (None, UNCOUNTED)


def test_it_is_opened_once_for_each_state_of_a_corpus(styles, corpus):
    opened = []

    def opener(corpus):
        opened.append(corpus.id)
        return Held()

    held = styles(opener)
    for each in (corpus, corpus, SimpleNamespace(id="c2", path=corpus.path)):
        held.open_behind(each)
        held.wait()
    assert opened == ["c1", "c2"]


def test_a_slow_comparison_holds_up_no_answer(styles, corpus):
    one = Held()
    held = styles(lambda corpus: one, patience=0.0)
    held.open_behind(corpus)
    held.wait()
    assert held.of(corpus, "slow") == (None, BUSY)
    assert held.of(corpus, "phrase") == (None, BUSY)
    one.gate.set()


@pytest.mark.parametrize("where", ["opening", "comparing"])
def test_what_fails_is_told(styles, corpus, where):
    def opener(corpus):
        if where == "opening":
            raise NotFound("the phrase has no notes")
        return Held(broken=True)

    held = styles(opener)
    held.open_behind(corpus)
    held.wait()
    assert held.of(corpus, "phrase") == (None, "the phrase has no notes")


def test_without_the_room_of_style_the_reason_is_told(corpus):
    held = Styles("musai.no_such_room")
    held.open_behind(corpus)
    held.wait()
    found, why = held.of(corpus, "phrase")
    assert found is None
    assert "no_such_room" in why
