"""Reports on any scope of the ledger, and what happens when the disk is full."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from musai.errors import BadInput, NoSpace, NotFound
from musai.report import exports
from musai.report.dossier import Dossier
from musai.service import scopes
from musai.service.reports import MEDIA, Reports, export
from musai.service.rows import Scope
from tests.report.fixtures import QUOTE, TUNE, Hit
from tests.service.desk import OTHER, World, world


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    made = world(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def reports(here: World) -> Reports:
    return Reports(here.history, here.catalogue, here.ledger, here.clock)


def scope(kind: Any, *values: str, **more: str) -> Scope:
    return Scope(kind=kind, values=values, **more)


def names(told: Dossier) -> list[str]:
    return [entry.name for entry in told.entries]


def test_a_session_is_reported_with_its_model_its_corpus_and_its_records(
    here: World, reports: Reports
) -> None:
    made = here.phrase()
    here.match(made, "red", 0.0001)
    here.file(OTHER, "other.mid")
    told = reports.dossier(scope("session", "tuesday"))
    assert (told.title, told.searched) == ("Session tuesday", 1)
    assert [(one.name, one.phrases) for one in told.models] == [("tiny", 1)]
    assert [(one.name, one.works, one.null_size) for one in told.corpora] == [("reels", 2, 10_000)]
    assert told.entries[0].records == (1, 2, 3)
    assert told.entries[0].significant
    assert told.findings[0].match.comparison is not None
    assert told.findings[0].match.work.holders == ("The Estate",)
    assert told.ledger["Records of the ledger"] == "1 to 4"


def test_days_narrow_and_the_same_phrase_counts_once(here: World, reports: Reports) -> None:
    here.phrase()
    here.phrase()
    here.phrase(OTHER)
    assert reports.dossier(scope("all")).searched == 2
    told = reports.dossier(scope("dates", since="2026-11-25", until="2026-11-25"))
    assert told.title == "All phrases, 2026-11-25 to 2026-11-25"
    with pytest.raises(NotFound, match="until 2026-11-24"):
        reports.dossier(scope("dates", until="2026-11-24"))


@pytest.mark.parametrize("owner", ["The Estate", "the estate", "Schumann, Clara"])
def test_everything_that_touched_mine_is_found_by_holder_or_maker(
    here: World, reports: Reports, owner: str
) -> None:
    mine, other = here.phrase(), here.phrase(OTHER)
    here.match(mine, "amber", 0.003)
    here.match(other, "green", 0.4, (Hit(work_id=here.work("Äpfel & Birnen").id),))
    told = reports.dossier(scope("owner", owner))
    assert [entry.phrase_id for entry in told.entries] == [mine]
    assert (told.searched, told.correction.tested) == (2, 2)
    assert {one.match.work.id for one in told.findings} == {here.work().id}
    assert told.owner == owner


def test_an_owner_who_owns_nothing_is_told_so(here: World, reports: Reports) -> None:
    here.phrase()
    with pytest.raises(NotFound, match="owned by Nobody"):
        reports.dossier(scope("owner", "Nobody"))


def test_judgements_stand_in_the_report_beside_the_match(here: World, reports: Reports) -> None:
    made = here.phrase()
    here.match(made)
    here.history.judge(made, here.work().id, who="Ann", likeness=5, by_ear=True)
    here.history.judge(made, here.work().id, who="Ann", mark="licensed")
    told = reports.dossier(scope("phrases", made[:12]))
    assert (told.findings[0].mark, told.findings[0].likeness) == ("licensed", 5)
    assert told.agreement.n == 1
    assert told.agreement.marks[0].mark == "licensed"


def test_a_phrase_compared_with_two_corpora_enters_with_its_least_p_twice(
    here: World, reports: Reports
) -> None:
    made = here.phrase()
    here.match(made, "red", 0.0004)
    payload = here.ledger.last(1, "match")[0].payload
    assert payload is not None
    second = {**payload["corpora"][0], "name": "other"}
    second["verdict"] = {**second["verdict"], "p_value": 0.5}
    payload["corpora"].append(second)
    here.ledger.append("match", payload, utc=here.clock())
    told = reports.dossier(scope("phrases", made))
    assert told.entries[0].p_value == pytest.approx(0.0008)
    one = reports.dossier(scope("phrases", made, corpus="reels"))
    assert one.entries[0].p_value == pytest.approx(0.0004)
    assert {finding.corpus for finding in one.findings} == {"reels"}


def test_a_work_that_was_taken_down_is_told_without_its_notes(
    here: World, reports: Reports
) -> None:
    made = here.phrase()
    here.match(made, "red", 0.0001)
    here.catalogue.takedown("reels", here.work().id, reason="", who="Ann")
    told = reports.dossier(scope("all"))
    assert told.findings[0].match.work.title == "Der Müller"
    assert told.findings[0].match.comparison is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (scope("phrases"), "names nothing"),
        (scope("dates"), "neither since nor until"),
        (scope("moods", "x"), "phrases, session, dates, owner, all"),
    ],
)
def test_a_scope_that_is_none_is_refused(reports: Reports, wrong: Scope, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        reports.dossier(wrong)


@pytest.mark.parametrize(
    ("told", "command"),
    [
        (scope("session", "a b"), "musai report --session 'a b' --format pdf"),
        (scope("all"), "musai report --all --format pdf"),
        (
            scope("owner", "Ann", since="2026-01-01"),
            "musai report --owner Ann --since 2026-01-01 --format pdf",
        ),
        (scope("phrases", "ab" * 32), "musai report abababababab --format pdf"),
    ],
)
def test_a_report_prints_the_command_that_makes_it_again(told: Scope, command: str) -> None:
    assert scopes.command(told) == command


def test_a_report_says_how_to_have_evidence_that_others_can_verify(
    here: World, reports: Reports
) -> None:
    first = here.phrase()
    here.match(first, "green", 0.5)
    commands = [one.command for one in reports.dossier(scope("all")).reruns]
    assert f"musai evidence make {first[:12]}" in commands
    assert f"musai evidence verify musai-evidence-{first[:8]}" in commands
    here.ledger.append(
        "decision",
        {"phrase_id": first, "session": "tuesday", "decision": "kept"},
        utc=here.clock(),
    )
    commands = [one.command for one in reports.dossier(scope("session", "tuesday")).reruns]
    assert "musai evidence make --session tuesday" in commands


def test_every_format_is_a_file(here: World, reports: Reports, tmp_path: Path) -> None:
    here.match(here.phrase(), "red", 0.0001)
    told = reports.dossier(scope("all"))
    paths = reports.save(told, list(MEDIA), tmp_path / "out")  # type: ignore[arg-type]
    assert [path.name for path in paths] == [
        "report.html",
        "report.pdf",
        "report.json",
        "report.csv",
        "excerpts.zip",
    ]
    assert exports.from_json((tmp_path / "out" / "report.json").read_bytes()) == told
    assert (
        json.loads((tmp_path / "out" / "report.json").read_bytes())["schema"] == "musai-dossier-1"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in paths
    )
    with pytest.raises(BadInput, match="html, pdf, json, csv, midi"):
        reports.make(scope("all"), "docx")  # type: ignore[arg-type]
    assert export(told, "csv").media_type == "text/csv"


def test_a_full_disk_leaves_the_report_of_before_and_says_what_to_do(
    here: World, reports: Reports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.phrase()
    told = reports.dossier(scope("all"))
    folder = tmp_path / "out"
    reports.save(told, ["json"], folder)
    before = (folder / "report.json").read_bytes()

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace, match=r"the disk is full.*Make room there and do it again"):
        reports.save(told, ["json"], folder)
    assert (folder / "report.json").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["report.json"]


CRASH = """
import os, sys
from pathlib import Path
from musai.files import write_whole

# The moment at which all of it is written beside and nothing has been replaced.
os.fsync = lambda stream: os._exit(9)
write_whole(Path(sys.argv[1]), b"half of it" * 100_000)
"""


def test_a_crash_in_the_middle_of_an_export_leaves_the_report_of_before(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"before")
    crashed = subprocess.run([sys.executable, "-c", CRASH, str(path)], check=False)
    assert crashed.returncode == 9
    assert path.read_bytes() == b"before"


def test_hundreds_of_phrases_are_one_report(here: World, reports: Reports) -> None:
    for number in range(60):
        notes = TUNE.notes.copy()
        notes["pitch"] += number % 12
        notes["velocity"] = 40 + number
        made = type(QUOTE)(notes, TUNE.metre, TUNE.voices, TUNE.length)
        here.match(here.phrase(made, session=f"s{number % 3}"), "green", 0.5, ())
    told = reports.dossier(scope("session", "s0", "s1"))
    assert (told.searched, len(told.entries)) == (40, 40)
    assert told.title == "Session s0 and s1"
    assert names(told) == ["Phrase in 4 bars, seed 7"] * 40
