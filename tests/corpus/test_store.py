"""The corpus on disk: what comes back, what a change leaves, what damage does."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from musai.corpus import Corpus, Term, Terms, Work, terms_of
from musai.corpus import store as files
from musai.corpus.changes import add_to, remove, replace_with
from musai.corpus.corpus import verify
from musai.corpus.store import pack_head, unpack_head
from musai.errors import Altered, BadInput, NotAllowed, NotFound
from musai.music import NOTE, Phrase
from tests.corpus.makers import phrase
from tests.strategies import phrases


def work(music: Phrase, title: str = "A Work", **more: object) -> tuple[Work, Phrase]:
    return Work(music.notes_id, title, notes=len(music), source=f"test/{title}", **more), music  # type: ignore[arg-type]


def made(folder: Path, count: int = 3) -> Corpus:
    add_to(folder, "test", iter([work(phrase(i), f"Work {i}") for i in range(count)]))
    return Corpus.open(folder)


def everything(folder: Path) -> dict[str, bytes]:
    return {
        f.name: f.read_bytes()
        for f in sorted(folder.iterdir())
        if f.is_file() and f.name != ".lock"
    }


@settings(max_examples=60)
@given(phrases())
def test_every_phrase_comes_back_from_head_and_notes(music: Phrase) -> None:
    metre, voices, length = unpack_head(pack_head(music))
    assert Phrase(music.notes, metre, voices, length) == music


def test_works_and_phrases_come_back(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c")
    assert [w.title for w in corpus.works] == ["Work 0", "Work 1", "Work 2"]
    assert corpus.phrase(phrase(1).notes_id) == phrase(1)
    assert corpus.notes == 48
    assert np.array_equal(corpus.notes_of(phrase(2).notes_id), phrase(2).notes)
    assert not corpus.notes_of(phrase(2).notes_id).flags.writeable
    assert phrase(1).notes_id in corpus
    assert verify(corpus) == []


def test_a_beginning_of_an_id_will_do_where_no_other_work_shares_it(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c")
    assert corpus.work(phrase(1).notes_id[:8].upper()).title == "Work 1"
    for wrong in ("", "abc", "0" * 64, phrase(1).notes_id[:5]):
        with pytest.raises(NotFound):
            corpus.work(wrong)


def test_a_note_takes_eleven_bytes(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c")
    assert corpus.store.notes_file.stat().st_size == corpus.notes * NOTE.itemsize == 48 * 11


def test_adding_twice_adds_once(tmp_path: Path) -> None:
    before = made(tmp_path / "c")
    summary = add_to(
        tmp_path / "c", "test", iter([work(phrase(1), "Again"), work(phrase(7), "New")])
    )
    assert (summary.already, [w.title for w in summary.added]) == (1, ["New"])
    after = Corpus.open(tmp_path / "c")
    assert [w.title for w in after.works] == ["Work 0", "Work 1", "Work 2", "New"]
    assert after.id != before.id
    assert [after.phrase(w.id) for w in after.works] == [phrase(i) for i in (0, 1, 2, 7)]


def test_the_same_notes_twice_in_one_import_are_one_work_with_both_titles(tmp_path: Path) -> None:
    summary = add_to(tmp_path / "c", "test", iter([work(phrase(), "One"), work(phrase(), "Two")]))
    assert [row.reason for row in summary.left_out] == ["note for note the same as test/One"]
    (only,) = Corpus.open(tmp_path / "c").works
    assert (only.title, only.titles) == ("One", ("Two",))


def test_other_terms_for_notes_that_are_there_do_not_replace_the_first(tmp_path: Path) -> None:
    add_to(
        tmp_path / "c",
        "test",
        iter([work(phrase(), licence="CC-BY-4.0", terms=terms_of("CC-BY-4.0"))]),
    )
    summary = add_to(
        tmp_path / "c", "test", iter([work(phrase(), licence="CC0-1.0", terms=terms_of("CC0-1.0"))])
    )
    assert summary.left_out[0].reason == "it is there already, under CC-BY-4.0: those terms stay"
    assert Corpus.open(tmp_path / "c").works[0].licence == "CC-BY-4.0"


def test_the_id_knows_works_terms_and_notes_and_not_their_order(tmp_path: Path) -> None:
    rows = [work(phrase(0), "A"), work(phrase(1), "B")]

    def id_of(name: str, *works: tuple[Work, Phrase]) -> str:
        replace_with(tmp_path / name, "test", iter(works), lambda *_: "")
        return Corpus.open(tmp_path / name).id

    first = id_of("a", *rows)
    assert id_of("b", *reversed(rows)) == first
    assert id_of("c", rows[0]) != first
    assert id_of("d", rows[0], work(phrase(1), "C")) != first
    assert id_of("e", rows[0], work(phrase(1), "B", terms=Terms(train=Term("allowed")))) != first


def test_a_takedown_leaves_no_note_behind_and_is_recorded(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c", 8)
    (corpus.path / "index").mkdir()
    (corpus.path / "index" / "keys.bin").write_bytes(b"1234")
    gone = phrase(3).notes.tobytes()
    assert gone in corpus.store.notes_file.read_bytes()
    remove(corpus, phrase(3).notes_id, on=date(2026, 11, 20), reason="asked by its owner")
    after = Corpus.open(corpus.path)
    assert phrase(3).notes_id not in after
    assert len(after) == 7
    assert after.id != corpus.id
    assert not any(gone in data for data in everything(corpus.path).values())
    assert not (corpus.path / "index").exists()
    assert [(t.title, t.on, t.reason) for t in after.takedowns] == [
        ("Work 3", date(2026, 11, 20), "asked by its owner")
    ]
    assert [after.phrase(w.id) for w in after.works] == [phrase(i) for i in (0, 1, 2, 4, 5, 6, 7)]


def test_what_was_taken_down_does_not_come_back(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c", 5)
    remove(corpus, phrase(2).notes_id, on=date(2026, 11, 20))
    summary = add_to(
        corpus.path, "test", iter([work(phrase(2), "Other title"), work(phrase(9), "New")])
    )
    assert [row.reason for row in summary.left_out] == ["its notes were taken down on 2026-11-20"]
    replace_with(corpus.path, "test", iter([work(phrase(2)), work(phrase(4))]), lambda *_: "")
    after = Corpus.open(corpus.path)
    assert [after.phrase(w.id) for w in after.works] == [phrase(4)]
    assert len(after.takedowns) == 1


def test_many_takedowns_pack_the_files(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c", 8)
    for i in range(6):
        remove(Corpus.open(corpus.path), phrase(i).notes_id, on=None)
    after = Corpus.open(corpus.path)
    assert after.store.notes_file.stat().st_size < 4 * 16 * 11
    assert [after.phrase(w.id) for w in after.works] == [phrase(6), phrase(7)]
    assert len(list(corpus.path.glob("notes-*.bin"))) == 1


def test_a_corpus_opened_before_a_change_still_reads_as_it_was(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c")
    assert len(corpus.store.notes) == 48
    add_to(tmp_path / "c", "test", iter([work(phrase(9), "New")]))
    assert [corpus.phrase(w.id) for w in corpus.works] == [phrase(i) for i in range(3)]


def test_a_work_that_denies_matching_is_not_served_to_it(tmp_path: Path) -> None:
    denied = Terms(match=Term("denied", "the owner said no"))
    add_to(
        tmp_path / "c", "test", iter([work(phrase(0), "Yes"), work(phrase(1), "No", terms=denied)])
    )
    corpus = Corpus.open(tmp_path / "c")
    assert [w.title for w in corpus.allowed("match")] == ["Yes"]
    assert corpus.allowed("train") == []


def test_a_use_that_is_not_allowed_is_refused_by_name(tmp_path: Path) -> None:
    free = terms_of("CC0-1.0")
    add_to(
        tmp_path / "c", "test", iter([work(phrase(0), "Free", terms=free), work(phrase(1), "Held")])
    )
    corpus = Corpus.open(tmp_path / "c")
    with pytest.raises(
        NotAllowed, match=r"1 works do not allow train: Held \([0-9a-f]{8}\): denied"
    ):
        corpus.require("train")
    assert [w.title for w in corpus.require("train", [phrase(0).notes_id])] == ["Free"]


def test_nothing_to_add_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no work could be read"):
        add_to(tmp_path / "c", "test", iter([]))
    assert not (tmp_path / "c").exists()


def test_an_addition_that_fails_leaves_the_corpus_as_it_was(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c")
    before = everything(corpus.path)

    def failing():  # type: ignore[no-untyped-def]
        yield work(phrase(8), "New")
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        add_to(corpus.path, "test", failing())
    assert Corpus.open(corpus.path).id == corpus.id
    add_to(corpus.path, "test", iter([work(phrase(0), "Again")]))
    assert everything(corpus.path) == before


def test_a_corpus_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no corpus nowhere"):
        Corpus.open("nowhere")
    for name in ("..", "a/../..", "über", "", "x" * 65):
        with pytest.raises((BadInput, NotFound)):
            Corpus.open(name)


@pytest.mark.parametrize("damage", ["cut", "header", "row", "notes", "heads", "format", "negative"])
def test_a_damaged_corpus_says_so(tmp_path: Path, damage: str) -> None:
    corpus = made(tmp_path / "c")
    path = corpus.path / "catalogue.jsonl"
    text = path.read_text()
    if damage == "cut":
        path.write_text(text[:-40])
    elif damage == "header":
        path.write_text("")
    elif damage == "row":
        path.write_text(text.replace('"notes":16', '"notes":"many"'))
    elif damage == "negative":
        path.write_text(text.replace('"first":16', '"first":-16'))
    elif damage == "format":
        path.write_text(text.replace(files.FORMAT, "musai-corpus-99"))
    else:
        file = corpus.path / f"{damage}-0.bin"
        file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Altered):
        Corpus.open(corpus.path)


def test_one_altered_byte_is_found_by_the_hashes(tmp_path: Path) -> None:
    corpus = made(tmp_path / "c")
    notes = bytearray(corpus.store.notes_file.read_bytes())
    notes[16 * 11 + 8] ^= 1  # the pitch of Work 1's first note
    corpus.store.notes_file.write_bytes(notes)
    heads = bytearray(corpus.store.heads_file.read_bytes())
    heads[corpus.store.rows[2].head] ^= 4  # the length of Work 2
    corpus.store.heads_file.write_bytes(heads)
    assert [fault.title for fault in verify(Corpus.open(corpus.path))] == ["Work 1", "Work 2"]
