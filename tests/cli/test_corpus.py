"""`musai corpus`: what it does, prints and returns."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from musai.cli import main
from tests.corpus.makers import midi, phrase


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSAI_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(3):
        midi(tmp_path / "music" / f"song {i}.mid", i)
    (tmp_path / "music" / "bad.mid").write_bytes(b"MThd")
    return tmp_path / "music"


def musai(*words: object) -> Result:
    return CliRunner().invoke(main, ["corpus", *map(str, words)])


def told(*words: object) -> Any:
    result = musai(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_add_list_show_and_remove_from_end_to_end(folder: Path) -> None:
    added = told("add", folder, "--name", "songs")
    assert [work["title"] for work in added["added"]] == ["song 0", "song 1", "song 2"]
    assert [row["file"] for row in added["left_out"]] == ["bad.mid"]
    assert [(c["name"], c["works"], c["notes"]) for c in told("list")] == [("songs", 3, 48)]
    assert [w["title"] for w in told("list", "songs", "--search", "SONG 1")] == ["song 1"]
    shown = told("show", phrase(1).notes_id[:8])
    assert shown["corpus"] == "songs"
    assert shown["permissions"]["train"]["status"] == "denied"
    removed = told("remove", phrase(1).notes_id, "--reason", "asked")
    # The other two are the same scale in other keys.
    assert [w["title"] for w in removed["near_duplicates"]] == ["song 0", "song 2"]
    assert [w["title"] for w in told("list", "songs")] == ["song 0", "song 2"]
    assert [(t["title"], t["reason"]) for t in told("list", "songs", "--takedowns")] == [
        ("song 1", "asked")
    ]
    again = told("add", folder, "--name", "songs")
    assert (again["added"], again["already"]) == ([], 2)
    assert "taken down" in again["left_out"][1]["reason"]


def test_a_person_reads_sentences(folder: Path) -> None:
    said = musai("add", folder, "--name", "songs").stdout
    assert "songs: 3 works added (48 notes)" in said
    assert "bad.mid" in said
    assert "song 0" in musai("list", "songs").stdout
    shown = musai("show", phrase(0).notes_id).stdout
    assert "match: allowed (terms unknown" in shown
    assert "train: denied" in shown


def test_a_declaration_is_recorded_with_who_and_when(folder: Path) -> None:
    told("add", folder, "--name", "own", "--mine", "--by", "Ann Other")
    shown = told("show", phrase(0).notes_id)
    assert shown["licence"] == "LicenseRef-own-work"
    assert "Ann Other declared" in shown["evidence"][0]["quote"]
    assert {answer["status"] for answer in shown["permissions"].values()} == {"allowed"}


def test_only_works_that_allow_a_use_are_listed(folder: Path) -> None:
    (folder / "manifest.csv").write_text("path,licence\nsong 0.mid,CC0-1.0\nsong 1.mid,\n")
    told("add", folder, "--name", "songs")
    assert [w["title"] for w in told("list", "songs", "--allows", "train")] == ["song 0"]
    assert musai("list", "songs", "--search", "nothing like it").exit_code == 3


def test_check_names_missing_terms_near_duplicates_and_altered_works(
    folder: Path, tmp_path: Path
) -> None:
    told("add", folder, "--name", "songs")
    (check,) = told("check", "songs")
    assert (check["works"], check["altered"]) == (3, [])
    assert len(check["missing_terms"]) == 3
    assert [len(cluster) for cluster in check["near_duplicates"]] == [3]
    notes = tmp_path / "home" / "corpora" / "songs" / "notes-0.bin"
    data = bytearray(notes.read_bytes())
    data[8] ^= 1
    notes.write_bytes(data)
    result = musai("check", "songs")
    assert result.exit_code == 1
    assert "song 0: its notes hash to" in result.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "/no/such/folder", "--name", "x"), 2),
        (("add", ".", "--name", "../x"), 2),
        (("add", "."), 2),
        (("add", ".", "--name", "x", "--by", "Ann"), 2),
        (("show", "123456"), 3),
        (("list", "nowhere"), 3),
        (("remove", "123456"), 3),
        (("check",), 3),
    ],
)
def test_what_cannot_be_done_has_its_exit_code(
    words: tuple[str, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = musai(*words)
    assert result.exit_code == code, result.output
    assert not (tmp_path / "home" / "corpora").exists()


def test_a_models_works_are_checked_by_their_notes(tmp_path):
    from musai.cli import training_works
    from musai.corpus import Corpus
    from musai.errors import BadInput
    from musai.music import Phrase

    (tmp_path / "a.mid").write_bytes(Phrase.from_notes([0, 1, 2], 1, [60, 62, 64]).to_midi())
    made = Corpus.build(tmp_path / "a.mid", tmp_path / "corpus", name="a", mine=True)
    own = made.works[0].id
    found = training_works.check(made, "studio", [own, "f" * 64])
    assert (found["here"], found["works"], found["missing"]) == (1, 2, ["f" * 64])
    assert "1 of 2 works that studio was trained on are here" in training_works.line(found)
    with pytest.raises(BadInput, match="none of the 1 works"):
        training_works.check(made, "studio", ["f" * 64])
