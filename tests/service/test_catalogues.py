"""The works of a corpus found, filtered and sorted; terms stated; takedowns with what they touch."""

import csv
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from musai.corpus import Corpus
from musai.corpus.licences import Term
from musai.errors import BadInput, NotFound
from musai.music import Phrase
from musai.service.catalogues import Catalogues, Change
from tests.report.fixtures import TUNE
from tests.service.desk import World, world


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    made = world(tmp_path)
    yield made
    made.ledger.close()


def titles(catalogue: Catalogues, **wanted: object) -> list[str]:
    return [row.title for row in catalogue.works("reels", **wanted).rows]  # type: ignore[arg-type]


def test_corpora_are_listed_and_one_at_fault_says_why(here: World) -> None:
    broken = here.home / "corpora" / "broken"
    broken.mkdir()
    (broken / "catalogue.jsonl").write_text("nonsense\n")
    bad, good = here.catalogue.corpora()
    assert (good.name, good.works, good.notes, good.fault) == ("reels", 2, 26, "")
    assert "cannot be read" in bad.fault
    assert here.catalogue.works().total == 2


def test_works_are_found_by_words_without_case_and_accents(here: World) -> None:
    assert titles(here.catalogue, search="muller CLARA") == ["Der Müller"]
    assert titles(here.catalogue, search="apfel") == ["Äpfel & Birnen"]
    assert titles(here.catalogue, search="estate") == ["Der Müller"]
    assert titles(here.catalogue, search=TUNE.notes_id[:12]) == ["Der Müller"]
    assert titles(here.catalogue, search="muller birnen") == []


def test_works_are_filtered_and_sorted(here: World) -> None:
    assert titles(here.catalogue) == ["Äpfel & Birnen", "Der Müller"]
    assert titles(here.catalogue, descending=True) == ["Der Müller", "Äpfel & Birnen"]
    assert titles(here.catalogue, sort="composer") == ["Der Müller", "Äpfel & Birnen"]
    assert titles(here.catalogue, sort="notes") == ["Äpfel & Birnen", "Der Müller"]
    assert titles(here.catalogue, owner="A Press") == ["Äpfel & Birnen"]
    assert titles(here.catalogue, licence="CC0-1.0") == ["Äpfel & Birnen"]
    assert titles(here.catalogue, use="train", status="denied") == [
        "Äpfel & Birnen",
        "Der Müller",
    ]
    page = here.catalogue.works("reels", offset=1, limit=1)
    assert (page.total, [row.title for row in page.rows]) == (2, ["Der Müller"])
    assert here.catalogue.facets().owners == [("A Press", 1), ("The Estate", 1)]


def test_works_of_several_corpora_are_listed_in_one_order(here: World) -> None:
    from musai.corpus import changes
    from musai.corpus.work import Work

    tune = Phrase.from_notes(range(12), 1, range(60, 72))
    work = Work(id=tune.notes_id, title="Birnbaum", notes=len(tune))
    changes.add_to(here.home / "corpora" / "songs", "songs", iter([(work, tune)]))
    order = ["Äpfel & Birnen", "Birnbaum", "Der Müller"]
    assert [row.title for row in here.catalogue.works().rows] == order
    assert [row.title for row in here.catalogue.works(descending=True).rows] == order[::-1]
    page = here.catalogue.works(offset=1, limit=1)
    assert (page.total, page.rows[0].corpus) == (3, "songs")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"sort": "beauty"}, "title, composer, owner"),
        ({"use": "steal"}, "match, train"),
        ({"use": "train", "status": "maybe"}, "allowed, denied"),
        ({"status": "denied"}, "with a use"),
    ],
)
def test_a_wish_that_is_none_is_told_what_is_legal(here: World, wrong: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        here.catalogue.works("reels", **wrong)


def test_a_term_is_stated_with_conditions_and_evidence_and_recorded(here: World) -> None:
    term = Term("conditional", attribution="Clara", share=1500, until=date(2027, 1, 1))
    change = Change("train", term, quote="we allow it", file="letter.pdf")
    rows = here.catalogue.set_terms("reels", [here.work().id], change, who="Ann")
    assert rows[0].terms["train"] == "conditional"
    told = here.catalogue.work("reels", here.work().id)
    train = next(one for one in told.permissions if one.use == "train")
    assert train.conditions == ["credit: Clara", "15% of revenue to the owner", "until 2027-01-01"]
    assert told.work.evidence[-1].quote == "we allow it"
    record = here.ledger.last(1, "terms")[0].payload
    assert record is not None
    assert record["before"]["train"]["status"] == "denied"
    assert record["after"]["train"]["share"] == 1500
    assert here.corpus.phrase(here.work().id).id == TUNE.id
    text = here.history.changes()[0].text
    assert text == "Ann changed the terms of Der Müller: train from denied to conditional"


def test_without_a_quote_who_stated_it_is_the_evidence(here: World) -> None:
    here.catalogue.set_terms(
        "reels", [here.work().id], Change("match", Term("denied", "not here")), who="Ann"
    )
    proof = here.work().evidence[-1]
    assert (proof.file, proof.quote) == (
        "stated by Ann",
        "Ann stated on 2026-11-25: match denied",
    )


def test_terms_of_a_missing_work_change_nothing(here: World) -> None:
    before = here.corpus.id
    with pytest.raises(NotFound):
        here.catalogue.set_terms(
            "reels", [here.work().id, "f" * 64], Change("train", Term("allowed")), who="Ann"
        )
    assert here.corpus.id == before


def model(home: Path, name: str, work_ids: list[str]) -> None:
    folder = home / "models" / name
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"weights")
    with (folder / "works.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerows([["id", "title"], *([work_id, "x"] for work_id in work_ids)])


def test_a_takedown_tells_first_what_it_touches(here: World) -> None:
    work, made = here.work(), here.phrase()
    here.match(made)
    here.history.judge(made, work.id, who="Ann", mark="relevant")
    model(here.home, "trained", [work.id, "e" * 64])
    model(here.home, "other", ["e" * 64])
    told = here.catalogue.consequences("reels", work.id)
    assert [(use.name, use.trained_on, use.of) for use in told.models] == [("trained", 1, 2)]
    assert [row.phrase_id for row in told.phrases] == [made]
    assert (told.significant, told.judgements, told.duplicates) == (1, 1, None)
    text = " ".join(told.sentences)
    assert "1 model was trained on it (trained)" in text
    assert "1 with a significant match" in text
    assert "have not been counted" in text
    assert len(here.corpus) == 2


def test_a_takedown_is_carried_out_and_recorded(here: World) -> None:
    work = here.work()
    here.catalogue.takedown("reels", work.id, reason="asked by its owner", who="Ann")
    assert titles(here.catalogue) == ["Äpfel & Birnen"]
    assert [row.title for row in here.catalogue.takedowns()] == ["Der Müller"]
    assert (
        here.history.changes()[0].text == "Ann took down Der Müller from reels: asked by its owner"
    )
    with pytest.raises(NotFound):
        here.catalogue.consequences("reels", work.id)


def test_a_takedown_needs_a_name(here: World) -> None:
    with pytest.raises(BadInput, match="who"):
        here.catalogue.takedown("reels", here.work().id, reason="", who=" ")
    assert here.catalogue.works("reels").total == 2


def test_near_duplicates_are_counted_once_and_told_until_the_corpus_changes(here: World) -> None:
    from musai.corpus import changes
    from musai.corpus.work import Work

    pitches = [60, 62, 64, 65, 67, 69, 71, 72, 67, 69, 64, 65, 60, 62, 59, 60]
    pair = [Phrase.from_notes(range(16), 1, [p + up for p in pitches]) for up in (0, 2)]
    works = [(Work(id=p.notes_id, title=f"Twin {n}", notes=len(p)), p) for n, p in enumerate(pair)]
    changes.add_to(here.home / "corpora" / "reels", "reels", iter(works))
    assert here.catalogue.duplicates("reels") is None
    found = here.catalogue.count_duplicates("reels")
    assert [[row.title for row in cluster] for cluster in found] == [["Twin 0", "Twin 1"]]
    told = here.catalogue.consequences("reels", pair[0].notes_id)
    assert told.duplicates is not None
    assert [row.title for row in told.duplicates] == ["Twin 1"]
    here.catalogue.takedown("reels", pair[0].notes_id, reason="", who="Ann")
    assert here.catalogue.duplicates("reels") is None


def test_what_is_made_of_a_corpus_is_made_once_for_all_who_ask_at_the_same_time(
    here: World,
) -> None:
    asked, go = [], threading.Event()

    def make(corpus: Corpus) -> str:
        asked.append(corpus.name)
        assert go.wait(60)
        return "made"

    with ThreadPoolExecutor(4) as pool:
        told = [pool.submit(here.shelves.made, "reels", "slow", make) for _ in range(4)]
        go.set()
        assert [one.result() for one in told] == ["made"] * 4
    assert asked == ["reels"]


def test_a_warm_catalogue_has_its_table_before_anybody_looks(here: World) -> None:
    what = f"table {here.catalogue._today}"
    assert here.shelves.known("reels", what) is None
    here.catalogue.warm()
    table = here.shelves.known("reels", what)
    assert table is not None
    here.catalogue.works("reels")
    assert here.shelves.known("reels", what) is table
    here.catalogue.warm("there is none of this name")
