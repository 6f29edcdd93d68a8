import numpy as np
import pytest

from musai.music import Phrase
from musai.report import build_report
from musai.report.build import MAX_MATCHES, MAX_NOTES
from musai.report.wording import LIGHTS, guard_sentence
from tests.report.fixtures import QUOTE, WORK, Evidence, Hit, full_report, verdict


def test_the_first_page_has_what_was_compared_with_what_and_when():
    report = full_report()
    assert report.made_at == "2026-11-20T14:03:00+00:00"
    assert report.subject.phrase_id == QUOTE.id
    assert (report.subject.notes, report.subject.bars) == (8, 4)
    assert (report.corpus.name, report.corpus.works) == ("reels", 2)
    assert report.software["musai"]
    assert report.verdict.null_size == 10_000


def test_a_phrase_without_a_name_is_called_by_what_was_asked():
    assert full_report(name="").title == "Answer in 4 bars, seed 7"
    assert build_report(QUOTE, when="now").title == f"Phrase {QUOTE.id[:8]}"


def test_the_prompt_is_taken_from_the_requests_context():
    player = full_report().player
    assert [n.pitch for n in player.prompt.notes] == [60, 62, 64]
    assert "context" not in player.request
    assert len(player.request["context_id"]) == 64


def test_a_match_carries_owner_licence_terms_and_notes():
    first, second, third = full_report().matches
    assert first.work == WORK
    assert first.comparison.counts.equal == 7
    assert (second.work.licence, second.work.holders) == ("CC-BY-4.0", ())
    assert second.comparison is None
    assert third.comparison is None


def test_without_evidence_the_light_is_grey_and_says_why():
    report = build_report(QUOTE, when="now", unrated="the corpus is being built")
    assert (report.verdict.light, report.verdict.word) == ("grey", "Not rated")
    assert report.verdict.sentence == "the corpus is being built"
    assert not any(sentence.computed for sentence in report.verdict.sentences)
    assert build_report(QUOTE, when="now").verdict.sentence


@pytest.mark.parametrize("light", list(LIGHTS))
def test_every_light_has_its_word_and_a_number(light):
    evidence = Evidence(verdict=verdict(light=light), hits=[], works={})
    told = full_report(evidence=evidence).verdict
    assert told.word == LIGHTS[light].word
    assert told.number == "p\u00a0=\u00a00.0005"


def test_a_verdict_without_a_null_has_no_p_value():
    evidence = Evidence(verdict=verdict(light="grey", p_value=None), hits=[], works={})
    assert full_report(evidence=evidence).verdict.number == "no p-value"


def test_three_sentences_are_there_and_say_what_was_not_computed():
    sentences = full_report().verdict.sentences
    assert [s.about for s in sentences] == ["chance", "style", "common stock"]
    assert [s.computed for s in sentences] == [False, True, False]
    assert sentences[0].text.startswith("Not computed")


def test_many_hits_are_cut_and_few_are_compared():
    hits = [Hit(significant=False)] * (MAX_MATCHES + 7)
    evidence = Evidence(verdict=verdict(), hits=hits, works={WORK.id: WORK})
    report = full_report(evidence=evidence, comparisons=2)
    assert len(report.matches) == MAX_MATCHES
    assert [m.rank for m in report.matches if m.comparison] == [1, 2]


def test_a_huge_phrase_is_reported_without_its_notes():
    count = MAX_NOTES + 1
    huge = Phrase.from_notes(np.arange(count) / 4, 0.25, 60 + np.arange(count) % 12)
    report = build_report(huge, when="now")
    assert report.subject.score is None
    assert "20,001 notes" in report.subject.left_out


def test_a_guard_by_fingerprints_says_whose_and_what_they_do_not_know() -> None:
    rows = [{"name": "model:studio", "id": "f" * 64}, {"name": "tunes", "id": "e" * 64}]
    told = guard_sentence({"notes": 12, "stock_authors": 5, "corpora": rows})
    assert "against the fingerprints of the works that studio was trained on and tunes:" in told
    assert "Fingerprints know nothing of drums, of longer runs" in told
    told = guard_sentence({"notes": 12, "stock_authors": 5, "corpora": rows[1:]})
    assert "against tunes: no line" in told
    assert "ingerprints" not in told
