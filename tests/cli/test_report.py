"""`musai report`: from the ledger, and of a file compared now."""

import json
from pathlib import Path

import jsonschema
import pytest

from musai.corpus import Corpus
from musai.music import Phrase
from musai.report import from_json
from tests.cli.conftest import Run
from tests.report.fixtures import QUOTE, TUNE


@pytest.fixture
def corpus(home: Path, tmp_path: Path) -> str:
    """A corpus of two tunes in the home folder."""
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "reel.mid").write_bytes(TUNE.to_midi())
    other = Phrase.from_notes(range(12), 1, [72, 60, 71, 61, 70, 62, 69, 63, 68, 64, 67, 65])
    (folder / "other.mid").write_bytes(other.to_midi())
    Corpus.build(folder, home / "corpora" / "reels")
    return "reels"


def written(folder: Path) -> tuple[dict, str]:
    return json.loads((folder / "report.json").read_bytes()), (folder / "report.html").read_text()


def test_the_last_phrase_is_reported_from_the_ledger(run: Run, tmp_path: Path) -> None:
    made = json.loads(run("generate", "--bars", 2, "--seed", 3, "--no-match", "--json").stdout)
    result = run("report", "--out", tmp_path / "told")
    assert result.exit_code == 0, result.output
    assert "Not rated" in result.stdout
    values, page = written(tmp_path / "told")
    assert values["subject"]["phrase_id"] == made["phrase_id"]
    assert values["replay"]["replay_id"] == made["replay_id"]
    assert values["player"]["request"]["seed"] == 3
    assert f"musai replay {made['replay_id'][:12]}" in page


def test_a_phrase_is_found_by_the_first_digits_of_its_id(run: Run, tmp_path: Path) -> None:
    made = json.loads(run("generate", "--bars", 1, "--seed", 1, "--no-match", "--json").stdout)
    run("generate", "--bars", 1, "--seed", 2, "--no-match")
    told = json.loads(run("report", made["phrase_id"][:8], "--json").stdout)
    assert told["phrase_id"] == made["phrase_id"]
    assert Path(told["report_html"]).parent.name == f"musai-report-{made['phrase_id'][:8]}"
    assert Path(told["report_json"]).is_file()


def test_a_file_is_compared_now(run: Run, corpus: str, tmp_path: Path) -> None:
    path = tmp_path / "quote.mid"
    path.write_bytes(QUOTE.to_midi())
    result = run("report", path, "--corpus", corpus, "--no-wait", "--out", tmp_path / "told")
    assert result.exit_code == 0, result.output
    values, page = written(tmp_path / "told")
    assert values["subject"]["origin"] == "file"
    assert values["title"] == "quote.mid"
    first = values["matches"][0]
    assert first["transposition"] == 3
    assert first["tempo_ratio"] == pytest.approx(2.0)
    assert first["comparison"]["counts"]["equal"] >= 6
    assert {term["use"]: term["status"] for term in first["work"]["terms"]}["train"] == "denied"
    assert "Note by note" in page
    assert from_json((tmp_path / "told" / "report.json").read_bytes()).corpus.works == 2


def test_the_schema_is_printed_and_holds(run: Run, corpus: str, tmp_path: Path) -> None:
    schema = json.loads(run("report", "--schema").stdout)
    path = tmp_path / "quote.mid"
    path.write_bytes(QUOTE.to_midi())
    run("report", path, "--corpus", corpus, "--no-wait", "--out", tmp_path)
    jsonschema.validate(written(tmp_path)[0], schema)


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("report", "12345678"), 3, "nothing has been made"),
        (("report",), 3, "nothing has been made"),
        (("report", "missing.mid"), 2, "cannot be read"),
        (("report", "last", "--corpus", "x"), 2, "legal is --corpus beside a file or a folder"),
    ],
)
def test_what_cannot_be_reported_is_told_by_its_exit_code(
    run: Run, arguments, code, reason
) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert reason in result.stderr


def test_a_file_that_is_no_midi_and_a_folder_that_is_a_file_are_bad_input(
    run: Run, corpus: str, tmp_path: Path
) -> None:
    path = tmp_path / "not.mid"
    path.write_text("not MIDI")
    assert run("report", path, "--corpus", corpus).exit_code == 2
    path.write_bytes(QUOTE.to_midi())
    result = run("report", path, "--corpus", corpus, "--no-wait", "--out", path)
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_a_folder_is_one_report_on_all_its_files(run: Run, corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "Anfang.mid").write_bytes(QUOTE.to_midi())
    (folder / "ganz.mid").write_bytes(TUNE.to_midi())
    (folder / "kaputt.mid").write_text("not MIDI")
    out = tmp_path / "told"
    formats = [word for name in ("html", "json", "csv", "midi") for word in ("--format", name)]
    result = run(
        "report", folder, "--corpus", corpus, "--no-wait", "--out", out, "--json", *formats
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["phrases"], told["matches"]) == (2, 4)
    assert [file for file, _ in told["left_out"]] == ["kaputt.mid"]
    assert sorted(path.name for path in out.iterdir()) == [
        "excerpts.zip",
        "report.csv",
        "report.html",
        "report.json",
    ]
    values = json.loads((out / "report.json").read_bytes())
    jsonschema.validate(values, json.loads(run("report", "--dossier-schema").stdout))
    assert {entry["name"] for entry in values["entries"]} == {"Anfang.mid", "ganz.mid"}


def test_what_a_file_report_compared_is_in_the_ledger_and_reported_again(
    run: Run, corpus: str, tmp_path: Path
) -> None:
    path = tmp_path / "quote.mid"
    path.write_bytes(QUOTE.to_midi())
    first = json.loads(
        run(
            "report", path, "--corpus", corpus, "--no-wait", "--out", tmp_path / "a", "--json"
        ).stdout
    )
    told = run("report", first["phrase_id"][:8], "--out", tmp_path / "b", "--json")
    assert json.loads(told.stdout)["matches"] == first["matches"]
    assert (tmp_path / "a" / "report.html").read_bytes() == (
        tmp_path / "b" / "report.html"
    ).read_bytes()
    every = json.loads(run("report", "--all", "--out", tmp_path / "c", "--json").stdout)
    assert every["phrases"] == 1
    verified = run("ledger", "verify", "--json")
    assert json.loads(verified.stdout)["first_bad"] is None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("report", "last", "--all"), "legal is one or the other"),
        (("report", "--session", "a", "--owner", "b"), "two scopes"),
        (("report", "--since", "soon"), "legal is a day like"),
        (("report", "--session", "nobody"), "no phrase of the session nobody"),
    ],
)
def test_scopes_that_contradict_or_hold_nothing_are_told(
    run: Run, arguments: tuple[str, ...], reason: str
) -> None:
    run("generate", "--bars", 1, "--seed", 1, "--no-match")
    result = run(*arguments)
    assert result.exit_code in (2, 3)
    assert reason in result.stderr


def test_a_ledger_that_was_touched_fails_verification(run: Run, home: Path) -> None:
    import sqlite3

    assert run("ledger", "verify").exit_code == 3
    run("generate", "--bars", 1, "--seed", 1, "--no-match")
    assert "all as written" in run("ledger", "verify").stdout
    connection = sqlite3.connect(home / "ledger" / "ledger.sqlite", isolation_level=None)
    connection.execute("UPDATE record SET utc = '2020' WHERE seq = 1")
    connection.close()
    result = run("ledger", "verify")
    assert result.exit_code == 1
    assert "ledger record 1" in result.stderr
