"""A report on many phrases: one correction, the strongest first, the same as JSON, CSV and MIDI."""

import csv
import io
import json
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from musai.errors import BadInput
from musai.music import Phrase
from musai.report import exports, summaries
from musai.report.assemble import Case
from musai.report.calibration import CALIBRATION, MUSIC, ROWS
from musai.report.correction import correction, q_values
from tests.report.dossiers import dossier, entry, hit
from tests.report.fixtures import QUOTE, TUNE

DOCS = Path(__file__).parents[2] / "docs"


@given(st.lists(st.floats(1e-4, 1), min_size=1, max_size=60))
def test_q_is_benjamini_and_hochbergs(p_values: list[float]) -> None:
    assert q_values(p_values) == pytest.approx(false_discovery_control(p_values).tolist())


def test_phrases_without_a_p_do_not_count_among_the_tested() -> None:
    assert q_values([0.01, None, 0.02]) == [0.02, None, 0.02]
    told = correction([0.01, None, 0.02], [99, 0, 99])
    assert (told.tested, told.significant, told.alone) == (2, 2, 1)


def test_of_chance_alone_next_to_nothing_is_called_significant() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    found = [correction(rng.random(50).tolist(), [10_000] * 50).significant > 0 for _ in range(400)]
    assert np.mean(found) <= 0.08


def test_what_no_phrase_alone_could_reach_is_said() -> None:
    told = correction([0.5] * 1000, [10_000] * 1000)
    assert told.least == pytest.approx(1000 / 10_001)
    assert "one alone cannot reach significance" in summaries.correction_words(told)
    few = correction([0.5] * 50, [10_000] * 50)
    assert "cannot reach" not in summaries.correction_words(few)


def test_the_strongest_phrase_comes_first_and_every_number_follows() -> None:
    told = dossier()
    assert [one.light for one in told.entries] == ["red", "green", "grey"]
    assert [one.number for one in told.entries] == [1, 2, 3]
    assert [one.q_value for one in told.entries] == [0.0002, 0.4, None]
    assert [one.significant for one in told.entries] == [True, False, False]
    assert [(one.number, one.entry) for one in told.findings] == [(1, 1), (2, 2)]
    assert told.findings[0].mark == "relevant"
    assert told.findings[0].likeness == 4


def test_names_of_equal_evidence_stand_in_a_readers_order() -> None:
    names = ("Zug", "äpfel", "Birne", "Nr. 10", "Nr. 9", "さくら")
    made = [Case(entry(n, 0.5, name=name)) for n, name in enumerate(names, 1)]
    told = dossier(made)
    assert [one.name for one in told.entries] == [
        "äpfel",
        "Birne",
        "Nr. 9",
        "Nr. 10",
        "Zug",
        "さくら",
    ]


def test_an_owners_report_corrects_over_all_and_lists_their_works_alone() -> None:
    mine = hit()
    made = [
        Case(entry(1, 0.03, "amber"), (mine,), 10_000),
        *(Case(entry(n, 0.5, name=f"other {n}"), (), 10_000) for n in range(2, 10)),
    ]
    told = dossier(made, owner="The Estate", touching=frozenset({mine.match.work.id}))
    assert (told.searched, len(told.entries), told.correction.tested) == (9, 1, 9)
    assert told.entries[0].q_value == pytest.approx(0.27)
    assert summaries.headline(told).startswith(
        "None of 9 phrases has a significant match with these"
    )


def test_only_what_is_listed_is_laid_out_and_few_phrases_show_their_nearest() -> None:
    told = dossier()
    assert [one.match.comparison is not None for one in told.findings] == [True, True]
    many = [Case(entry(n, 0.5, name=f"{n}"), (hit(significant=False),), 99) for n in range(1, 6)]
    assert all(one.match.comparison is None for one in dossier(many).findings)


def test_json_fits_the_published_schema_and_comes_back() -> None:
    told = dossier()
    data = exports.to_json(told)
    schema = json.loads(exports.schema_text())
    assert schema == exports.make_schema(), (
        "a record changed: run publish_schema(Path('musai/report/schema')) from musai.report.plain"
    )
    jsonschema.validate(json.loads(data), schema)
    assert exports.from_json(data) == told
    with pytest.raises(BadInput, match="musai-dossier-1"):
        exports.from_json(b'{"schema": "other"}')


def test_csv_has_a_row_a_match_and_no_formula() -> None:
    text = exports.to_csv(dossier()).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 2
    assert rows[0]["work"] == "The Test Reel"
    assert rows[0]["mark"] == "relevant"
    assert rows[0]["notes"] == "'=SUM(A1)"
    assert float(rows[0]["phrase_q"]) == 0.0002
    assert rows[0]["transposition"] == "3"


@given(st.text(max_size=40))
def test_no_text_begins_as_a_spreadsheet_reads_formulas(text: str) -> None:
    cell = exports.harmless(text)
    assert not cell or cell.lstrip()[:1] not in ("=", "+", "-", "@", "|", "%")
    assert not cell or cell[0] not in "\t\r\n\0"
    assert cell.endswith(text.replace("\0", "\ufffd"))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\uff1d1", "|calc", "\r=1"]
)
def test_what_begins_a_formula_gets_an_apostrophe(text: str) -> None:
    assert exports.harmless(text) == f"'{text}"
    assert exports.harmless("Ännchen - ein Lied") == "Ännchen - ein Lied"


def test_excerpts_are_midi_files_of_the_phrase_the_work_and_both() -> None:
    data = exports.to_midi_zip(dossier())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        read = {name: Phrase.from_midi(archive.read(name)) for name in names}
    assert names[0] == "match-001-The-Test-Reel-phrase.mid"
    assert len(names) == 6
    phrase, work, both = (read[name] for name in names[:3])
    assert phrase.notes["pitch"].tolist() == QUOTE.notes["pitch"].tolist()
    assert work.notes["pitch"].tolist() == TUNE.notes["pitch"].tolist()[:9]
    assert [voice.name for voice in both.voices] == ["phrase", "work"]
    assert len(both) == len(phrase) + len(work)
    assert data == exports.to_midi_zip(dossier())


def test_the_printed_rates_are_those_of_the_page_on_matching() -> None:
    page = (DOCS / "matching.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("|")]
    wanted = [rates for _, rates, _ in ROWS]
    cells = {
        rate
        for line in lines
        for cell in line.split("|")
        for rate in cell.replace(",", " ").split()
    }
    missing = [f"{rate}" for rates in wanted for rate in rates if _told(rate) not in cells]
    assert not missing, (
        "docs/matching.md has other rates: bring musai/report/calibration.py up to date"
    )
    assert len(CALIBRATION.cells) == len(ROWS) * len(MUSIC)


def _told(rate: float) -> str:
    return "1.0" if rate == 1 else f"{rate:.4f}".removesuffix("0").lstrip("0")
