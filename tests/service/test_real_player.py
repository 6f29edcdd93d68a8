"""The same request gives the same notes: each way in which it might not, through real processes.

The model is the real one in small: random weights, so that every choice is
open and nothing hides behind a likely note.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from musai.corpus import Corpus
from musai.ledger import Ledger
from musai.match import Matcher
from musai.match.catalogue import catalogue
from musai.match.quotations import Quotations, forbidden
from musai.service.events import Finished
from musai.service.records import phrase_of, phrase_record, request_record
from musai.transformer.request import Request
from tests.service.conftest import Make
from tests.service.ears import Ears
from tests.transformer.models import motif, small_player

GENERATE = Request(bars=3, seed=7, temperature=1.3)
ANSWER = Request(mode="answer", bars=8, seed=8, context=motif())
REQUESTS = pytest.mark.parametrize("request_", [GENERATE, ANSWER], ids=["generate", "answer"])


def ask(make: Make, request: Request, **options: Any) -> Finished:
    """One request to a new process."""
    service = make("Real", **options)
    ears = Ears()
    service.submit(request, ears)
    finished: Finished = ears.until(Finished)
    service.close()
    return finished


@REQUESTS
def test_a_new_process_plays_the_same(make: Make, request_: Request) -> None:
    first, second = ask(make, request_), ask(make, request_)
    assert first.phrase_id == second.phrase_id
    assert first.replay_id == second.replay_id
    assert first.notes > 5


@REQUESTS
def test_one_thread_and_two_play_the_same(make: Make, request_: Request) -> None:
    assert ask(make, request_, threads=1).phrase_id == ask(make, request_, threads=2).phrase_id


@REQUESTS
def test_streamed_or_whole_it_is_the_same(make: Make, request_: Request) -> None:
    whole = small_player().play(request_)
    service = make("Real")
    ears = Ears()
    service.submit(request_, ears)
    assert ears.finished.phrase_id == whole.id
    assert sorted(ears.notes) == sorted(tuple(note) for note in whole.notes.tolist())
    assert service.phrase(ears.finished.phrase_id).canonical_bytes == whole.canonical_bytes


@REQUESTS
def test_after_other_requests_or_alone_it_is_the_same(make: Make, request_: Request) -> None:
    alone = ask(make, request_).phrase_id
    service = make("Real")
    crowd = [Ears() for _ in range(5)]
    for seed, ears in enumerate(crowd):
        chosen = request_ if seed == 2 else Request(bars=2, seed=seed)
        service.submit(chosen, ears, session=f"client {seed}")
    last = Ears()
    service.submit(request_, last, session="client 0")
    assert crowd[2].finished.phrase_id == alone
    assert last.finished.phrase_id == alone


def test_another_seed_plays_something_else(make: Make) -> None:
    """Without which the tests above would prove nothing."""
    other = Request(bars=3, seed=9, temperature=1.3)
    assert ask(make, GENERATE).phrase_id != ask(make, other).phrase_id


@REQUESTS
def test_a_replay_in_a_new_process_is_identical(make: Make, request_: Request) -> None:
    first = ask(make, request_)
    ears = Ears()
    make("Real").replay(first.replay_id, ears)
    assert ears.finished.replay == "identical"


def test_a_model_with_other_weights_is_noticed(make: Make, tmp_path: Path) -> None:
    first = ask(make, GENERATE)
    ears = Ears()
    make("Real", model="2").replay(first.replay_id, ears)
    assert ears.end().kind == "Altered"


def own_corpus(tmp_path: Path) -> str:
    """A corpus of the phrase that `GENERATE` makes, with its index."""
    source = tmp_path / "source"
    source.mkdir(exist_ok=True)
    (source / "own.mid").write_bytes(small_player().play(GENERATE).to_midi())
    corpus = Corpus.build(source, tmp_path / "corpora" / "own", name="own", mine=True)
    Matcher.open(corpus, null="there")
    return "own"


GUARDED = replace(GENERATE, guard=4)


def test_under_a_guard_no_run_of_the_corpus_comes_again(make: Make, tmp_path: Path) -> None:
    corpus = own_corpus(tmp_path)
    proof = [Quotations(catalogue(Corpus.open(tmp_path / "corpora" / corpus)))]
    free, made = ask(make, GENERATE), ask(make, GUARDED, corpora=(corpus,))
    with Ledger.open(tmp_path / "ledger" / "ledger.sqlite") as ledger:
        phrases = [phrase_of(phrase_record(ledger, end.phrase_id)) for end in (free, made)]
        asked = request_record(ledger, made.replay_id)
    assert forbidden(phrases[0], 4, proof)
    assert forbidden(phrases[1], 4, proof) == []
    assert asked["guard"]["notes"] == 4
    assert [row["name"] for row in asked["guard"]["corpora"]] == ["own"]
    assert asked["corpus_id"] == asked["guard"]["id"]


def test_a_guarded_phrase_is_made_again_and_the_report_states_its_guard(
    make: Make, tmp_path: Path
) -> None:
    first = ask(make, GUARDED, corpora=(own_corpus(tmp_path),))
    service, ears = make("Real"), Ears()
    service.replay(first.replay_id, ears)
    assert ears.finished.replay == "identical"
    told = service.report(first.phrase_id)["player"]["guard"]
    assert "a guard of 4 notes was on against own" in told
    assert "One changed note evades" in told


def test_a_guarded_phrase_is_not_replayed_against_another_corpus(
    make: Make, tmp_path: Path
) -> None:
    first = ask(make, GUARDED, corpora=(own_corpus(tmp_path),))
    (tmp_path / "source" / "more.mid").write_bytes(motif().to_midi())
    own_corpus(tmp_path)
    ears = Ears()
    make("Real").replay(first.replay_id, ears)
    end = ears.end()
    assert end.kind == "Altered"
    assert "corpora that have changed since: own" in end.reason


def test_a_guard_without_a_corpus_is_refused(make: Make) -> None:
    ears = Ears()
    make("Real").submit(GUARDED, ears)
    assert ears.end().kind == "BadRequest"
