"""Folders of files: what becomes works, what is refused, and that the rest goes on."""

import os
import signal
import threading
from datetime import date
from pathlib import Path

import pytest

from musai.corpus import Corpus, permission
from musai.corpus.changes import left_out
from musai.corpus.importers import Declaration, add, plan
from musai.corpus.reader import Request, read
from musai.corpus.workers import Limits, Reader, read_all
from musai.errors import BadInput, BadManifest
from tests.corpus.makers import attributes, midi, mxl, note, phrase, score

BAR = note("C", 4) + note("D", 4)
ABC = (
    "X:1\nT:First Tune\nC:Ann Other\nM:3/4\nL:1/4\nK:G\nGAB|cde|\n\nX:2\nT:Second Tune\nK:C\nCDE|\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good files of every kind, and one at fault of every kind."""
    music = tmp_path / "music"
    midi(music / "a.mid")
    midi(music / "deep" / "b.MID", 5)
    (music / "tunes.abc").write_text(ABC)
    (music / "song.musicxml").write_bytes(score(("Song", [attributes() + BAR])))
    (music / "choir.mxl").write_bytes(mxl(score(("Choir", [attributes(3, 4) + note("E", 6)]))))
    (music / "notes.txt").write_text("not music")
    (music / "broken.mid").write_bytes(phrase().to_midi()[:40])
    (music / "empty.abc").write_text("")
    (music / "entity.xml").write_bytes(b'<!DOCTYPE a [<!ENTITY b "c">]><score-partwise/>')
    (music / "page.xml").write_text("<html/>")
    (music / ".hidden.mid").write_bytes(b"")
    return music


def test_a_folder_becomes_a_corpus_and_bad_files_are_listed(folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    corpus = Corpus.build(folder, tmp_path / "out", progress=lambda *step: seen.append(step))
    assert [(w.title, w.path) for w in corpus.works] == [
        ("a", "a.mid"),
        ("choir", "choir.mxl"),
        ("b", "deep/b.MID"),
        ("song", "song.musicxml"),
        ("First Tune", "tunes.abc"),
        ("Second Tune", "tunes.abc"),
    ]
    assert corpus.phrase(corpus.works[0].id) == phrase()
    assert corpus.works[4].composer == "Ann Other"
    assert corpus.works[4].source == "music/tunes.abc#1"
    refused = {row.file: row.reason for row in left_out(corpus.path)}
    assert sorted(refused) == ["broken.mid", "empty.abc", "entity.xml", "page.xml"]
    assert "declares entities" in refused["entity.xml"]
    assert seen[-1][:2] == (9, 9)


def test_without_a_word_on_terms_only_matching_here_is_allowed(
    folder: Path, tmp_path: Path
) -> None:
    corpus = Corpus.build(folder, tmp_path / "out")
    assert len(corpus.allowed("match")) == len(corpus)
    assert (
        corpus.allowed("train") == corpus.allowed("influence") == corpus.allowed("commercial") == []
    )


def test_a_declaration_covers_what_no_manifest_speaks_of(folder: Path, tmp_path: Path) -> None:
    (folder / "manifest.csv").write_text("path,licence\na.mid,CC-BY-NC-4.0\nsong.musicxml,\n")
    out = tmp_path / "out"
    add(folder, out, "mine", declaration=Declaration("Ann Other", date(2026, 11, 20)))
    theirs, own = Corpus.open(out).works
    assert permission(theirs, "commercial").status == "denied"
    assert permission(own, "commercial").status == "allowed"
    assert own.licence == "LicenseRef-own-work"
    assert own.evidence[0].quote == "Ann Other declared this work to be their own on 2026-11-20"


def test_a_list_of_files_becomes_a_corpus(folder: Path, tmp_path: Path) -> None:
    files = [folder / "a.mid", str(folder / "tunes.abc"), folder / "none.mid", folder / "notes.txt"]
    corpus = Corpus.build(files, tmp_path / "out", name="some", mine=True)
    assert corpus.name == "some"
    assert [w.title for w in corpus.works] == ["a", "First Tune", "Second Tune"]
    assert len(corpus.allowed("train")) == 3
    assert [row.file for row in left_out(corpus.path)] == ["none.mid", "notes.txt"]


def test_one_file_becomes_a_corpus(folder: Path, tmp_path: Path) -> None:
    assert len(Corpus.build(folder / "tunes.abc", tmp_path / "out")) == 2


def test_a_manifest_names_its_files_and_what_it_does_not_list_stays_out(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "manifest.csv").write_text(
        "path,number,title,composer,licence,sha256\n"
        "a.mid,,The Air,Ann Other,CC0-1.0,\n"
        "tunes.abc,2,The Other One,,CC0-1.0,\n"
        "tunes.abc,9,Nowhere,,,\n"
        f"song.musicxml,,,,,{'0' * 64}\n"
        "../a.mid,,,,,\n"
        "deep/none.mid,,,,,\n"
        "notes.txt,,,,,\n"
    )
    summary = add(folder, tmp_path / "out", "listed")
    assert [(w.title, w.composer, w.licence) for w in summary.added] == [
        ("The Air", "Ann Other", "CC0-1.0"),
        ("The Other One", "", "CC0-1.0"),
    ]
    reasons = {row.file: row.reason for row in summary.left_out}
    assert reasons["../a.mid"] == "path is '../a.mid'; legal is a path inside the manifest's folder"
    assert reasons["deep/none.mid"] == "it is not there"
    assert reasons["tunes.abc#1"] == "the manifest does not list this tune"
    assert reasons["tunes.abc#9"] == "the file has no tune of this number"
    assert reasons["choir.mxl"] == "manifest.csv does not list it"
    assert "SHA-256" in reasons["song.musicxml"]
    assert "legal is" in reasons["notes.txt"]


def test_a_listed_link_that_leads_out_of_the_folder_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    midi(tmp_path / "outside.mid", 3)
    (folder / "link.mid").symlink_to(tmp_path / "outside.mid")
    (folder / "manifest.csv").write_text("path\nlink.mid\na.mid\n")
    summary = add(folder, tmp_path / "out", "listed")
    assert [w.path for w in summary.added] == ["a.mid"]
    assert summary.left_out[0].reason == "its path leads out of the manifest's folder"


def test_a_manifest_beside_the_folder_may_be_named(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "words.jsonl"
    other.write_text('{"path": "deep/b.MID", "title": "Deep", "licence": "CC0-1.0"}\n')
    summary = add(folder, tmp_path / "out", "listed", manifest=other)
    assert [(w.title, w.licence) for w in summary.added] == [("Deep", "CC0-1.0")]


def test_a_manifest_that_is_none_stops_the_import_before_it_begins(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "manifest.csv").write_text("title\nx\n")
    with pytest.raises(BadManifest):
        add(folder, tmp_path / "out", "listed")
    assert not (tmp_path / "out").exists()


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not there"):
        plan(tmp_path / "none")


def test_nothing_readable_is_bad_input_and_leaves_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mid").write_bytes(b"MThd")
    with pytest.raises(BadInput, match=r"no work could be read, 1 files.*a\.mid"):
        Corpus.build(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_building_again_replaces_what_was_there(folder: Path, tmp_path: Path) -> None:
    first = Corpus.build(folder, tmp_path / "out")
    second = Corpus.build(folder / "a.mid", tmp_path / "out")
    assert (len(first), len(second)) == (6, 1)
    assert len(list((tmp_path / "out").glob("notes-*.bin"))) == 1


def test_a_file_too_large_is_refused_unread(folder: Path) -> None:
    ((_, reply),) = read_all([(str(folder / "a.mid"), "midi", "")], Limits(bytes=100))
    assert "legal is up to 100" in reply.refused


def test_reading_has_a_time_limit_and_the_next_file_is_read(folder: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow.abc"
    slow.write_text("".join(f"X:{i}\nK:C\n{'C' * 900_000}|\n\n" for i in range(30)))
    reader = Reader(Limits(seconds=60))
    assert reader.read(
        str(folder / "a.mid"), "midi"
    ).tunes  # warm, so that the limit is for reading
    reader.limits = Limits(seconds=0.3)
    assert reader.read(str(slow), "abc").refused == "reading it took longer than 0.3 s"
    reader.limits = Limits(seconds=60)
    assert reader.read(str(folder / "a.mid"), "midi").tunes
    reader.close()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")
def test_a_reader_that_crashes_costs_its_file_and_no_other(folder: Path) -> None:
    reader = Reader(Limits())
    assert reader.read(str(folder / "a.mid"), "midi").tunes
    pid = reader._started().pid
    os.kill(pid, signal.SIGSTOP)  # held, so that it dies with the file in hand
    threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
    reply = reader.read(str(folder / "tunes.abc"), "abc")
    assert reply.refused == f"reading it crashed the reader (exit {-signal.SIGKILL})"
    assert len(reader.read(str(folder / "tunes.abc"), "abc").tunes) == 2
    reader.close()


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on address space")
def test_memory_has_a_limit(tmp_path: Path) -> None:
    big = tmp_path / "big.abc"
    big.write_bytes(b"X:1\nK:C\n" + b"%" * 30_000_000)
    reader = Reader(Limits(memory=400 * 2**20))
    assert reader.read(str(midi(tmp_path / "a.mid")), "midi").tunes
    reader.close()
    reader.limits = Limits(memory=90 * 2**20)
    assert "memory" in (refused := reader.read(str(big), "abc").refused) or "crashed" in refused
    reader.close()


def test_replies_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    files = [(str(midi(tmp_path / f"{i}.mid", i)), "midi", "") for i in range(12)]
    replies = list(read_all(files, workers=2))
    assert [index for index, _ in replies] == list(range(12))
    assert [reply.tunes[0].notes for _, reply in replies] == [
        phrase(i).notes.tobytes() for i in range(12)
    ]


def test_an_unreadable_file_is_refused_with_the_systems_words(tmp_path: Path) -> None:
    assert "No such file" in read(Request(str(tmp_path / "none.mid"), "midi", 1000)).refused
