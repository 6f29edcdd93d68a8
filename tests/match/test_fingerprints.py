"""Fingerprints name the works that hold the same notes, and ship none of them."""

from dataclasses import fields
from pathlib import Path

import made
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import Altered, BadInput
from musai.match import fingerprints
from musai.match.catalogue import catalogue
from musai.match.fingerprints import RUN, SURE, WINDOW, Shelf
from musai.match.guard import Guard
from musai.match.held import STOCK
from musai.music import Note, Phrase, Voice


@pytest.fixture(scope="module")
def model(shelf: made.Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder with fingerprints of the shelf's works and their works.csv."""
    folder = tmp_path_factory.mktemp("model")
    ids = [work.id for work in shelf.works]
    fingerprints.save(fingerprints.make(catalogue(shelf), ids), folder)
    rows = [f"{work.id},{work.title},,,CC0-1.0,,1" for work in shelf.works]
    head = "id,title,creators,collection,licence,attribution,notes"
    (folder / "works.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return folder


def opened(model: Path) -> Shelf:
    found = Shelf.open(model)
    assert found is not None
    return found


@pytest.mark.parametrize("start", range(0, 30, 3))
def test_twelve_notes_are_told_in_any_key_and_tempo(shelf, model, start):
    passage = made.moved(shelf.music["tune 7"], range(start, start + SURE), up=5, stretch=1.5)
    (found,) = opened(model).shared(passage)
    assert (found.title, found.licence) == ("tune 7", "CC0-1.0")
    assert "tune 7 (CC0-1.0)" in fingerprints.sentence([found], "m")


def test_music_that_shares_nothing_is_told_nothing(model):
    found = opened(model).shared(made.tune(99_999, 60))
    assert found == []
    assert "know no training work with 12 notes" in fingerprints.sentence(found, "m")


def test_a_voice_of_four_is_found_too(shelf, model):
    notes = shelf.music["quartet 2"].notes
    third = Phrase.from_notes(
        *(notes[name][notes["voice"] == 2][:20] / scale for name, scale in
          (("onset", 480), ("duration", 480), ("pitch", 1)))
    )  # fmt: skip
    assert opened(model).shared(third)[0].title == "quartet 2"


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(0, 9))
def test_every_window_of_a_line_keeps_one_of_its_runs_of_fewest_authors(lines, seed):
    line = np.sort(np.array(lines, np.int64))
    keys = made.rng(seed).integers(0, 2**63, len(line)).astype(np.uint64)
    authors = made.rng(seed).integers(1, 2 * STOCK, len(line))
    kept = fingerprints.winnowed(keys, line, authors)
    for start in range(len(line) - WINDOW + 1):
        if line[start] == line[start + WINDOW - 1]:
            window = np.arange(start, start + WINDOW)
            fewest = np.minimum(authors[window], STOCK).min()
            assert fewest in authors[np.intersect1d(window, kept)].clip(max=STOCK)
    for number in set(lines):
        assert np.isin(np.flatnonzero(line == number), kept).any()


def held_tones(seed, tones):
    """Sixteen notes of its own, then so many of one pitch and length, then nine again."""
    first, last = made.tune(seed, 16), made.tune(seed + 500, 9)
    same = Phrase.from_notes([0.5 * i for i in range(tones)], [0.5] * tones, [61] * tones)
    return made.joined(made.joined(first, same), last)


def stopped_at(prints, tones):
    """Which of so many equal notes a guard by these fingerprints does not let stand."""
    watch = Guard(SURE, [], [], [prints]).watch([Voice("one")], None)
    for number in range(tones):
        if watch.settle([Note(240 * number, 240, 60, 80, 0)], frozenset(), ()) is not None:
            return number
    return None


def test_twelve_notes_made_of_common_stock_alone_are_told_where_few_hold_them(tmp_path):
    music = {f"eleven {i}": held_tones(20 + i, 11) for i in range(STOCK)}
    music["twelve"] = held_tones(90, 12)
    composers = {title: title for title in music}
    shelf = made.Shelf(tmp_path, music, "stock", composers)
    prints = fingerprints.make(catalogue(shelf), [work.id for work in shelf.works])
    titles = [work.title for work in shelf.works]

    def told(tones):
        same = Phrase.from_notes([0.5 * i for i in range(tones)], [0.5] * tones, [72] * tones)
        return [titles[work] for work in prints.shared(same)]

    assert told(11) == []
    assert told(12) == ["twelve"]
    assert stopped_at(prints, 11) is None
    assert stopped_at(prints, 20) == 11


def test_what_is_stored_is_sampled_and_small(shelf, model):
    notes = sum(len(phrase) for phrase in shelf.music.values())
    prints = opened(model).prints
    assert len(prints) < 0.6 * (notes - RUN * len(shelf.music)) * 1.5
    assert (model / fingerprints.FILE).stat().st_size < 8 * len(prints) + 1000


def test_a_corpus_that_lacks_a_work_is_refused(shelf):
    with pytest.raises(BadInput, match="lacks 1 of 2 works"):
        fingerprints.make(catalogue(shelf), [shelf.works[0].id, "f" * 64])


@pytest.mark.parametrize("cut", [0, 7, 100, -40])
def test_a_file_cut_short_is_told_apart(model, tmp_path, cut):
    data = (model / fingerprints.FILE).read_bytes()
    (tmp_path / fingerprints.FILE).write_bytes(data[:cut])
    (tmp_path / "works.csv").write_bytes((model / "works.csv").read_bytes())
    with pytest.raises(Altered):
        Shelf.open(tmp_path)


@pytest.mark.parametrize("which", ["work", "long_work"])
def test_a_work_that_no_row_names_is_told(model, tmp_path, which):
    prints = opened(model).prints
    one = np.array([7], np.uint16)
    changed = {which: one} if which == "work" else {which: one, **{
        name: one.astype(np.uint32) for name in ("long_high", "long_low", "long_step")}}  # fmt: skip
    empty = {f.name: getattr(prints, f.name)[:0] for f in fields(prints)}
    if which == "work":
        changed |= {"high": one.astype(np.uint32), "low": one.astype(np.uint8)}
    fingerprints.save(fingerprints.Fingerprints(**{**empty, **changed}), tmp_path)
    (tmp_path / "works.csv").write_text("id\nfirst\n", encoding="utf-8")
    with pytest.raises(Altered, match="names more works than"):
        Shelf.open(tmp_path)


def test_a_model_without_fingerprints_has_none(tmp_path):
    assert Shelf.open(tmp_path) is None
