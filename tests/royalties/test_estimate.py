"""Influence estimated for what was made here: asked for by phrase, told in reports, paid by in statements."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from musai.corpus import Corpus
from musai.corpus.changes import restate
from musai.corpus.licences import Term
from musai.influence import kept as estimates
from musai.influence.found import Measured
from musai.influence.kept import save_measured
from musai.music import Phrase
from musai.report import from_json
from musai.transformer import checkpoint as ck
from tests.cli.conftest import Run, home, run, write_model
from tests.royalties.test_statement import ask, kept, model, tune

__all__ = ["home", "model", "run"]


def allow(home: Path, *works: str) -> None:
    """The owners of these works allow that their influence is shown."""
    corpus = Corpus.open("songs")
    term = Term("allowed", "asked")
    restate(corpus, works, lambda w: replace(w, terms=w.terms.changed("influence", term)))


def measured(home: Path, low: float) -> None:
    found = Measured(
        ck.load("random").model_id, 0.6, low, 0.7, (0.1, 0.0, 0.2), None, 0.05, "work", 32, 8, 2.0, 0.5, 9.0
    )  # fmt: skip
    save_measured(found, home)


def test_works_and_owners_are_named_as_their_terms_allow_and_the_estimate_is_kept(
    run: Run, home: Path, model: list[str]
) -> None:
    phrase = kept(run, home)
    allow(home, model[0], model[2])
    told = json.loads(run("influence", phrase[:10], "--json").stdout)
    assert {row["work_id"] for row in told["works"]} <= {model[0], model[2]}
    assert {row["name"] for row in told["owners"]} == {"Ada", "Ben", "Cho"}
    assert told["hidden"] == 2
    assert told["reliability"].startswith("proxy")
    assert told["measured"] is None
    assert estimates.load(home, ck.load("random").model_id, phrase) is not None
    measured(home, 0.5)
    result = run("influence", phrase)
    assert "Reliability: LDS 0.60 (0.50 to 0.70) on this very model" in result.output
    assert "nats" in result.output
    assert "2 works not named and in no sum" in result.output


def test_terms_that_have_run_out_hide_a_work(run: Run, home: Path, model: list[str]) -> None:
    from datetime import date

    phrase = kept(run, home)
    corpus, gone = Corpus.open("songs"), Term("allowed", "asked", until=date(2020, 1, 1))
    restate(corpus, model, lambda w: replace(w, terms=w.terms.changed("influence", gone)))
    told = json.loads(run("influence", phrase, "--json").stdout)
    assert (told["works"], told["similar"], told["hidden"]) == ([], [], 4)
    assert (told["owners"], told["places"]) == ([], [])


def test_a_phrase_of_another_model_and_one_without_notes_are_refused(
    run: Run, home: Path, model: list[str]
) -> None:
    phrase = kept(run, home)
    write_model(home / "models" / "other", "other", 2)
    (home / "models" / "other" / ck.WORKS).write_bytes(
        (home / "models" / "random" / ck.WORKS).read_bytes()
    )
    ck.write_sums(home / "models" / "other")
    result = run("influence", phrase, "--model", "other", "--corpus", "songs")
    assert result.exit_code == 2
    assert "was made by the model random" in result.output
    Path("empty.mid").write_bytes(Phrase.from_notes([], [], [], length=4).to_midi())
    result = run("influence", "empty.mid")
    assert result.exit_code == 2
    assert "holds no notes" in result.output
    assert run("influence", "f" * 12).exit_code == 3
    assert not (home / "influence").exists()


def test_a_report_tells_it_on_request_and_where_it_disagrees_with_likeness(
    run: Run, home: Path, model: list[str]
) -> None:
    phrase = kept(run, home)
    allow(home, *model)
    assert run("report", phrase, "--out", "plain").exit_code == 0
    assert from_json((Path("plain") / "report.json").read_bytes()).influence is None
    result = run("report", phrase, "--influence", "--out", "told")
    assert result.exit_code == 0, result.output
    told = from_json((Path("told") / "report.json").read_bytes()).influence
    page = (Path("told") / "report.html").read_text()
    assert told is not None
    assert told.proxy
    assert told.works
    assert told.sentence in page
    assert "This is a proxy" in page
    measured(home, 0.5)
    run("report", phrase, "--influence", "--out", "measured")
    page = (Path("measured") / "report.html").read_text()
    assert "Nats without it" in page
    assert "LDS 0.60 (0.50 to 0.70)" in page
    result = run("report", "--all", "--influence")
    assert result.exit_code == 2
    assert "legal is one PHRASE_ID" in result.output


@pytest.mark.parametrize(("low", "paid"), [(None, False), (0.1, False), (0.5, True)])
def test_a_statement_pays_by_the_estimate_as_far_as_it_was_measured(
    run: Run, home: Path, model: list[str], low: float | None, paid: bool
) -> None:
    kept(run, home)
    if low is not None:
        measured(home, low)
    result = ask(run, "--influence", "estimate", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["influence"]["paid_by"] is paid
    assert sum(line["amount_minor"] for line in told["lines"]) == 10_001
    output = {line["owner"] for line in told["lines"] if line["pool"] == "output"}
    assert ("(residual)" in output) is not paid
    if paid:
        assert output <= {"Ada", "Ben", "Cho"}
    assert {row["influence"] for row in told["works"]} == {None}


def test_a_tune_that_the_model_was_trained_on_heads_the_words(
    run: Run, home: Path, model: list[str]
) -> None:
    allow(home, *model)
    Path("tune.mid").write_bytes(tune(1).to_midi())
    told = json.loads(run("influence", "tune.mid", "--json").stdout)
    assert told["similar"][0]["title"] == "Tune 1"
    assert told["asked_places"] == 10
