"""`musai keep` and `musai credit`, from the command line to the picture."""

import json
from pathlib import Path

import pytest

from musai.music import Phrase
from tests.cli.conftest import Run


@pytest.fixture
def made(run: Run, tmp_path: Path) -> dict:
    """A take of the session "cli", its file beside it."""
    arguments = ("--bars", 8, "--seed", 3, "--no-match", "--out", tmp_path / "take.mid", "--json")
    return dict(json.loads(run("generate", *arguments).stdout))


def test_a_take_is_kept_with_a_sentence_of_intent_and_the_report_tells_it(
    run: Run, made: dict, tmp_path: Path
) -> None:
    told = json.loads(run("keep", "last", "--intent", "  the  refrain ", "--json").stdout)
    assert (told["phrase_id"], told["decision"]) == (made["phrase_id"], "kept")
    assert told["intent"] == "the refrain"
    result = run("report", "--all", "--out", tmp_path / "told", "--format", "html", "--json")
    page = Path(json.loads(result.stdout)["files"][0]).read_text(encoding="utf-8")
    assert "the refrain" in page


def test_a_finished_piece_is_told_note_by_note_and_drawn(
    run: Run, made: dict, tmp_path: Path
) -> None:
    run("keep", made["phrase_id"][:8])
    picture = tmp_path / "piece.svg"
    result = run(
        "credit", tmp_path / "take.mid", "--session", "cli", "--picture", picture, "--json"
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["counts"]["kept"] == told["counts"]["notes"] == made["notes"]
    assert [kind["kind"] for kind in told["kinds"]] == [
        "prompts",
        "expressive inputs",
        "modifying or arranging",
    ]
    assert {note["phrase_id"] for note in told["notes"]} == {made["phrase_id"]}
    drawn = picture.read_text(encoding="utf-8")
    assert "solid: as a take has it" in drawn
    assert "hollow: new, the human" in drawn
    assert "percent" not in result.stdout
    assert "%" not in result.stdout


def test_the_picture_is_drawn_as_png_too(run: Run, made: dict, tmp_path: Path) -> None:
    run("keep", "last")
    picture = tmp_path / "piece.png"
    result = run("credit", tmp_path / "take.mid", "--session", "cli", "--picture", picture)
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "no legal finding" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("take.mid", "--session", "monday"), 3, "no takes of session 'monday'; legal is 'cli'"),
        (("take.mid", "--session", "cli"), 2, "1 takes and none is kept"),
        (("take.mid", "--session", "cli", "--picture", "a.pdf"), 2, "ends in .svg or .png"),
        (("gone.mid", "--session", "cli"), 2, "gone.mid cannot be read"),
        (("empty.mid", "--session", "cli"), 2, "holds no notes"),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(
    run: Run, made: dict, tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    (tmp_path / "empty.mid").write_bytes(Phrase.from_notes([], [], []).to_midi())
    result = run("credit", *arguments)
    assert result.exit_code == code
    assert says in result.output


def test_a_sentence_that_is_too_long_is_refused(run: Run, made: dict) -> None:
    result = run("keep", "last", "--intent", "a" * 501)
    assert result.exit_code == 2
    assert "length of the intent is 501; legal is 0 to 500 characters" in result.output


def test_a_discarded_take_has_no_intent(run: Run, made: dict) -> None:
    assert run("keep", "last", "--discard", "--intent", "why").exit_code == 2
    assert "discarded" in run("keep", "last", "--discard").output


def test_nothing_was_made_yet(run: Run) -> None:
    assert run("keep", "last").exit_code == 3
