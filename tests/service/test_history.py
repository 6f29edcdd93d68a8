"""What the ledger holds, as a desk sees it: sessions, phrases, comparisons."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from musai.errors import BadInput, NotFound
from musai.ledger import Ledger
from musai.service.history import History
from tests.report.fixtures import QUOTE, TUNE, Hit
from tests.service.desk import OTHER, World, world


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    made = world(tmp_path)
    yield made
    made.ledger.close()


def test_sessions_count_what_was_made_dropped_kept_and_lit(here: World) -> None:
    made = here.phrase()
    here.match(made, "red")
    here.ledger.append("decision", {"phrase_id": made, "decision": "kept"}, utc=here.clock())
    here.file(OTHER)
    tuesday, files = sorted(here.history.sessions(), key=lambda row: row.name, reverse=True)
    assert (tuesday.name, tuesday.phrases, tuesday.files, tuesday.kept) == ("tuesday", 1, 0, 1)
    assert tuesday.lights == {"red": 1}
    assert (files.name, files.phrases, files.files, files.lights) == ("files", 0, 1, {"grey": 1})
    assert [row.name for row in here.history.sessions()] == ["files", "tuesday"]


def test_a_phrase_is_named_by_its_request_and_a_file_by_its_name(here: World) -> None:
    made, dropped = here.phrase(), here.file(OTHER, "lied.mid")
    assert here.history.row(made).name == "Phrase in 4 bars, seed 7"
    assert here.history.row(dropped[:8]).name == "lied.mid"
    assert here.history.row(dropped).origin == "file"


def test_phrases_are_found_by_text_light_day_and_work(here: World) -> None:
    made, dropped = here.phrase(), here.file(OTHER, "Ärger.mid")
    here.match(made, "red")

    def found(**wanted: object) -> list[str]:
        return [row.phrase_id for row in here.history.phrases(**wanted).rows]  # type: ignore[arg-type]

    assert found() == [dropped, made]
    assert found(order="oldest") == [made, dropped]
    assert found(text="arger") == [dropped]
    assert found(text="muller") == [made]
    assert found(light="red") == [made]
    assert found(work_id=here.work().id) == [made]
    assert found(since="2026-11-25", until="2026-11-25") == [dropped, made]
    assert found(until="2026-11-24") == []
    assert found(since="2026-11-25T09:00:03+00:00") == [dropped]
    assert found(mark="none") == [dropped, made]


def test_the_strongest_evidence_comes_first(here: World) -> None:
    grey, red, green = here.file(TUNE), here.phrase(), here.file(OTHER)
    here.match(red, "red", 0.0001)
    here.match(green, "green", 0.3)
    rows = here.history.phrases(order="evidence").rows
    assert [row.phrase_id for row in rows] == [red, green, grey]


def test_pages_are_cut_from_all_that_fits(here: World) -> None:
    for number in range(5):
        here.phrase(session=f"s{number}")
    page = here.history.phrases(offset=1, limit=2)
    assert (page.total, [row.session for row in page.rows]) == (5, ["s3", "s2"])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"order": "random"}, "newest, oldest, evidence"), ({"since": "last week"}, "2026-11-25")],
)
def test_a_wish_that_is_none_is_told_what_is_legal(here: World, wrong: dict, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        here.history.phrases(**wrong)


def test_a_phrase_is_told_whole(here: World) -> None:
    made = here.phrase()
    here.match(made)
    told = here.history.phrase(made)
    assert told.request == {**told.request, "seed": 7, "context": False}
    assert told.replay_command.startswith("musai replay 0")
    assert [hit.title for hit in told.hits] == ["Der Müller"]
    assert told.hits[0].holders == ["The Estate"]
    assert told.hits[0].aligned
    assert told.records == [1, 2, 3]


def test_a_file_has_no_request_and_no_replay(here: World) -> None:
    told = here.history.phrase(here.file(OTHER))
    assert (told.request, told.replay_command, told.row.replay_id) == (None, "", None)


def test_a_comparison_lays_both_side_by_side(here: World) -> None:
    made = here.phrase()
    here.match(made)
    told = here.history.comparison(made, here.work().id)
    assert told.comparison is not None
    assert told.comparison.counts.equal == 7
    assert told.work_score is not None
    assert len(told.work_score.notes) == len(TUNE)
    assert len(told.phrase_score.notes) == len(QUOTE)
    assert told.match is not None
    assert told.match.q_value == 0.02
    assert told.verdict is not None


def test_a_blind_comparison_has_the_notes_and_no_number(here: World) -> None:
    made = here.phrase()
    here.match(made)
    told = here.history.comparison(made, here.work().id, blind=True)
    assert told.comparison is not None
    assert (told.phrase, told.match, told.verdict, told.style) == (None, None, None, None)
    assert told.judgements == []


def test_a_comparison_whose_work_is_gone_says_so_and_stays(here: World) -> None:
    made, work = here.phrase(), here.work()
    here.match(made)
    here.catalogue.takedown("reels", work.id, reason="asked", who="Ann")
    told = here.history.comparison(made, work.id)
    assert (told.work_score, told.comparison) == (None, None)
    assert "no work of corpus reels" in told.why
    assert told.match is not None
    assert told.match.score == 41.5


def test_a_hit_without_alignment_says_why_it_is_not_drawn(here: World) -> None:
    made = here.phrase()
    here.match(made, hits=(Hit(work_id=here.work().id, alignment=()),))
    assert "was not kept" in here.history.comparison(made, here.work().id).why


def test_a_work_that_was_not_hit_has_no_comparison(here: World) -> None:
    made = here.phrase()
    here.match(made)
    with pytest.raises(NotFound, match="does not name"):
        here.history.comparison(made, here.work("Äpfel & Birnen").id)


def test_what_was_erased_is_gone_from_every_list(here: World) -> None:
    made, other = here.phrase(), here.phrase(OTHER)
    here.match(made)
    assert here.history.phrases().total == 2
    records = here.history.phrase(made).records
    here.ledger.erase(records, "asked for", utc=here.clock())
    assert [row.phrase_id for row in here.history.phrases().rows] == [other]
    assert here.history.state().seq == len(here.ledger)


def test_changes_tell_what_happened_newest_first(here: World) -> None:
    made = here.phrase()
    here.match(made, "red")
    here.history.judge(made, here.work().id, who="Ann", mark="licensed", note="deal of 2020")
    texts = [change.text for change in here.history.changes()]
    assert texts[0] == "Ann marked it licensed: deal of 2020"
    assert texts[1].startswith("Compared: red.")
    assert texts[2] == "A phrase of 8 notes was made"
    assert here.history.changes(since="2026-11-26") == []
    assert len(here.history.changes(limit=1)) == 1


def test_a_ledger_of_before_is_searched_by_the_works_of_its_matches(here: World) -> None:
    import sqlite3

    made = here.phrase()
    here.match(made)
    here.ledger.close()
    path = here.home / "ledger" / "ledger.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DELETE FROM name WHERE name = 'work_id'")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with Ledger.open(path) as ledger:
        found = ledger.naming("work_id", [here.work().id], "match")
        assert found == {here.work().id: [3]}
        ledger.verify().check()
        assert History(ledger, here.shelves, here.clock).row(made).light == "amber"
