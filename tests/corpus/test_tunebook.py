"""The default corpus, built from a few of the files that music21 ships, and its shelf from all."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from musai.corpus import Corpus, permission
from musai.corpus.abc import read_tune, split_tunes
from musai.corpus.changes import left_out, remove
from musai.corpus.music21_shelf import left_out_because, refused_because, shelf_of
from musai.corpus.tunebook import build_tunebook, chorale_titles, music21_root

FILES = (
    "license.txt",
    "chorales.py",
    "bach/bwv66.6.mxl",
    "bach/bwv269.mxl",
    "bach/bwv277.krn",
    "ryansMammoth/AcaciaReel.abc",
    "ryansMammoth/CastleGardenJig.abc",
    "ryansMammoth/BrooksideHornpipe.abc",
    "oneills1850/0626-0635.abc",
    "airdsAirs/book4.abc",
    "monteverdi/madrigal.3.1.mxl",
    "monteverdi/madrigal.5.2.mxl",
    "essenFolksong/han1.abc",
    "josquin/milleRegrets.abc",
    "mozart/k155/movement2.mxl",
    "johnson_j_r/lift_every_voice.mxl",
    "beach/prayer_of_a_tired_child.musicxml",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small copy of music21's corpus."""
    folder = tmp_path_factory.mktemp("music21")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(music21_root() / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def book(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_tunebook(tmp_path_factory.mktemp("home") / "tunebook", root=root)


def named(book: Corpus, title: str) -> str:
    return next(work.id for work in book.works if work.title == title)


def test_each_tune_is_a_work_with_its_title_source_and_evidence(book: Corpus) -> None:
    counts = Counter(work.collection for work in book.works)
    assert counts["airdsAirs"] == 200
    assert counts["oneills1850"] == 10
    assert (counts["ryansMammoth"], counts["bach-chorales"], counts["monteverdi-madrigals"]) == (
        3,
        2,
        1,
    )
    work = book.work(named(book, "CASTLE GARDEN -- JIG"))
    assert work.composer == "Harry Carleton"
    assert work.source == "music21 ryansMammoth/CastleGardenJig.abc#1"
    assert work.licence == "LicenseRef-music21-corpus"
    assert "public domain" in work.grounds
    (evidence,) = work.evidence
    assert evidence.file == "license.txt"
    assert "out of copyright in the United States" in evidence.quote


def test_a_jig_with_a_pickup_has_its_bar_lines_on_the_metre(book: Corpus) -> None:
    jig = book.phrase(named(book, "CASTLE GARDEN -- JIG"))
    assert (jig.metre.signatures[0].numerator, jig.metre.signatures[0].denominator) == (6, 8)
    assert [int(t) for t in jig.notes["onset"][:4]] == [1200, 1440, 1680, 1920]
    assert [int(p) for p in jig.notes["pitch"][:4]] == [62, 67, 66, 67]
    assert round(jig.metre.tempos[0].bpm) == 168
    hornpipe = book.phrase(named(book, "Brookside -- Hornpipe"))
    assert [int(t) for t in hornpipe.notes["onset"][:4]] == [1440, 1600, 1760, 1920]


def test_a_chorale_has_its_title_its_composer_and_its_voices(book: Corpus) -> None:
    work = next(w for w in book.works if w.path == "bach/bwv269.mxl")
    assert work.title == "Aus meines Herzens Grunde (BWV 269)"
    assert (work.creators[0].name, work.creators[0].died) == ("Johann Sebastian Bach", 1750)
    assert [v.name for v in book.phrase(work.id).voices] == ["Soprano", "Alto", "Tenor", "Bass"]


def test_titles_of_single_works_and_movements_are_given(book: Corpus) -> None:
    titles = {work.title for work in book.works}
    assert "String Quartet, K. 155, movement 2" in titles
    assert "La giovinetta pianta (Madrigals, book 3 no. 1)" in titles
    song = book.work(named(book, "Lift Every Voice and Sing"))
    assert song.licence == "CC0-1.0"
    assert permission(song, "commercial").status == "allowed"


def test_grounds_are_told_as_they_are(book: Corpus) -> None:
    tune = book.work(named(book, "CASTLE GARDEN -- JIG"))
    uses = ("match", "train", "influence", "commercial")
    assert [permission(tune, use).status for use in uses] == [
        "allowed",
        "allowed",
        "allowed",
        "unclear",
    ]  # type: ignore[arg-type]
    card = (book.path / "card.md").read_text()
    assert "generates *unclear*" in card
    assert "public domain" in card


def test_what_stays_out_says_why(book: Corpus) -> None:
    reasons = {row.file: row.reason for row in left_out(book.path)}
    assert "non-commercial" in reasons["essenFolksong/han1.abc"]
    assert "publisher's notice" in reasons["monteverdi/madrigal.5.2.mxl"]
    assert "General Public License" in reasons["josquin/milleRegrets.abc"]
    assert "share-alike" in reasons["beach/prayer_of_a_tired_child.musicxml"]
    assert "encoder's copyright" in reasons["bach/bwv277.krn"]


def test_no_address_of_a_transcriber_is_carried_over(book: Corpus) -> None:
    for file in ("catalogue.jsonl", "card.md", "left_out.jsonl"):
        assert not re.search(
            r"\w@\w|campin|norbertp", (book.path / file).read_text(), re.IGNORECASE
        )


def test_every_file_that_music21_ships_is_decided_on() -> None:
    root = music21_root()
    unsettled, taken = [], Counter[str]()
    for path in root.rglob("*"):
        relative = path.relative_to(root).as_posix()
        if path.suffix not in (".abc", ".mxl", ".xml", ".musicxml", ".krn") or relative[0] == "_":
            continue
        shelf = shelf_of(relative)
        if shelf:
            taken[shelf.collection] += 1
        elif left_out_because(relative) == "a single work whose terms were not settled":
            unsettled.append(relative)
    assert unsettled == []
    assert taken["ryansMammoth"] == 1059
    assert (taken["oneills1850"], taken["airdsAirs"]) == (39, 6)
    assert taken["bach-chorales"] > 400


@pytest.mark.parametrize(
    ("notices", "out"),
    [
        ((), ""),
        (("PDF © 2004 Margaret Greentree",), ""),
        (("Released to Public Domain in 1998", "Copyright © 1998 by A"), ""),
        (("Copyright ©",), "claims copyright"),
        (("UT ORPHEUS EDlZ!ONI 2003",), "publisher"),
        (("All Rights Reserved",), "reserves all rights"),
        (("freely distributed under a CC-BY-SA 3.0 license",), "share-alike"),
    ],
)
def test_a_files_own_words_on_rights_decide(notices: tuple[str, ...], out: str) -> None:
    reason = refused_because(notices)
    assert out in reason
    assert bool(reason) == bool(out)


def test_chorale_titles_come_from_a_table_read_as_text() -> None:
    titles = chorale_titles(music21_root())
    assert titles["269"] == "Aus meines Herzens Grunde"
    assert len(titles) > 350


def test_building_again_gives_the_same_corpus_and_keeps_takedowns(
    root: Path, book: Corpus, tmp_path: Path
) -> None:
    again = build_tunebook(tmp_path / "tunebook", root=root, workers=1)
    assert again.id == book.id
    remove(again, again.works[0].id, on=None, reason="asked")
    rebuilt = build_tunebook(tmp_path / "tunebook", root=root)
    assert len(rebuilt) == len(book) - 1
    assert book.works[0].id not in rebuilt


ORACLE = """
import json, sys
from symusic import Score
found = []
for text in json.load(open(sys.argv[1])):
    score = Score.from_abc(text)
    found.append([[n.time - 1, n.duration + 1, n.pitch] for t in score.tracks for n in t.notes])
json.dump(found, open(sys.argv[2], "w"))
"""


def plain(lines: list[str]) -> str:
    """A tune without repeats, ornaments and words, for a reader that would unfold and play them."""
    out = ["X:1"]
    for line in (line.split("%")[0].rstrip() for line in lines):
        if re.match(r"[A-Za-z]:(?![|:])", line):
            out += [line] if line[0] in "MLK" else []
            continue
        bare = re.sub(r'"[^"]*"|\{[^}]*\}|![^!]*!|[~.HLMOPQRSTWuvhijklmnopqrstw\\`]', "", line)
        bare = re.sub(r"(\[\||\|\]|[|:])+(\s*\[?\d)?|\[\s*\d", "|", bare)
        out += [bare] if bare.strip() else []
    return "\n".join(out) + "\n\n"


def test_another_reader_finds_the_same_notes(root: Path, tmp_path: Path) -> None:
    """abc2midi, inside symusic, as the judge of pitches and lengths; it prints, so it runs apart."""
    tunes = []
    for file in sorted(
        [*(root / "oneills1850").glob("*.abc"), *(root / "ryansMammoth").glob("*.abc")]
    ):
        tunes += list(split_tunes(file.read_text()))
    (tmp_path / "tunes.json").write_text(json.dumps([plain(lines) for _, lines in tunes]))
    subprocess.run(
        [sys.executable, "-c", ORACLE, str(tmp_path / "tunes.json"), str(tmp_path / "notes.json")],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
    for (number, lines), theirs in zip(
        tunes, json.loads((tmp_path / "notes.json").read_text()), strict=True
    ):
        at, ours = 0.0, []
        for bar in read_tune(number, lines).lines[""]:
            ours += [
                [round((at + float(o)) * 1920), round(float(d) * 1920), p] for o, d, p in bar.notes
            ]
            at += float(bar.duration)
        assert ours == theirs, lines[:3]


@pytest.mark.slow
def test_the_whole_tunebook_builds(tmp_path: Path) -> None:
    book = build_tunebook(tmp_path / "tunebook")
    counts = Counter(work.collection for work in book.works)
    assert counts["ryansMammoth"] > 1030
    assert counts["oneills1850"] > 1900
    assert counts["airdsAirs"] > 1170
    assert counts["bach-chorales"] > 400
    assert book.notes > 800_000
    assert all("crash" not in row.reason for row in left_out(book.path))
