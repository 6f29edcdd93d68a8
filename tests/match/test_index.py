"""The index: built once, mapped, brought up to date, never half-written."""

import json

import made
import numpy as np
import pytest

from musai.match import Matcher, grams, packed
from musai.match.candidates import Postings
from musai.match.index import open_index
from musai.match.segment import build


def opened(shelf):
    return open_index(shelf, [w.id for w in shelf.works])


def test_an_index_is_built_once_and_then_only_mapped(tmp_path):
    shelf = made.shelf(tmp_path, 6)
    first = opened(shelf)
    assert shelf.reads == 6
    again = opened(shelf)
    assert shelf.reads == 6
    assert again.work_ids == first.work_ids
    assert np.array_equal(again.segments[0].pitch, first.segments[0].pitch)
    assert again.meta.notes == sum(len(p) for p in shelf.music.values())


def test_a_build_that_breaks_off_leaves_nothing_and_the_next_one_succeeds(tmp_path):
    shelf = made.shelf(tmp_path, 6, breaks_at=4)
    with pytest.raises(KeyboardInterrupt):
        opened(shelf)
    assert not (tmp_path / "index" / "current.json").exists()
    shelf.breaks_at = -1
    assert len(opened(shelf).work_ids) == 6
    assert not list((tmp_path / "index").glob("*.part"))


def test_a_refresh_that_breaks_off_leaves_the_old_index(tmp_path):
    shelf = made.shelf(tmp_path, 6)
    opened(shelf)
    before = (tmp_path / "index" / "current.json").read_bytes()
    shelf.music["new"] = made.tune(77)
    shelf.breaks_at = 6
    with pytest.raises(KeyboardInterrupt):
        opened(shelf)
    assert (tmp_path / "index" / "current.json").read_bytes() == before


def test_a_new_work_is_read_alone_and_found(tmp_path):
    shelf = made.shelf(tmp_path, 20)
    opened(shelf)
    shelf.music["new"] = made.tune(77)
    matcher = Matcher.open(shelf, null="there")
    assert shelf.reads == 21
    assert len(matcher.index.segments) == 2
    found = matcher.match(made.moved(shelf.music["new"], range(10, 26), up=2))
    assert found[0].title == "new"
    assert found[0].alignment[0] == (0, 10)


def test_a_work_that_is_removed_is_found_no_more_without_a_rebuild(tmp_path):
    shelf = made.shelf(tmp_path, 20)
    opened(shelf)
    gone = shelf.music.pop("tune 7")
    matcher = Matcher.open(shelf, null="there")
    assert shelf.reads == 20
    assert matcher.match(made.moved(gone, range(16))).verdict.works == 19
    assert "tune 7" not in [hit.title for hit in matcher.match(made.moved(gone, range(16)))]


def test_much_new_music_lays_everything_out_anew(tmp_path):
    shelf = made.shelf(tmp_path, 6)
    opened(shelf)
    shelf.music |= {f"more {k}": made.tune(200 + k) for k in range(6)}
    assert len(opened(shelf).segments) == 1


@pytest.mark.parametrize("broken", [b"", b"{", b'"elsewhere"'])
def test_a_pointer_that_cannot_be_read_means_a_new_index(tmp_path, broken):
    shelf = made.shelf(tmp_path, 3)
    opened(shelf)
    (tmp_path / "index" / "current.json").write_bytes(broken)
    assert len(opened(shelf).work_ids) == 3


def test_an_index_of_another_layout_is_built_anew(tmp_path):
    shelf = made.shelf(tmp_path, 3)
    opened(shelf)
    name = json.loads((tmp_path / "index" / "current.json").read_bytes())
    path = tmp_path / "index" / name / "index.json"
    meta = json.loads(path.read_bytes())
    path.write_text(json.dumps(meta | {"layout": 0}))
    opened(shelf)
    assert shelf.reads == 6


def test_figures_do_not_cross_the_end_of_a_line():
    part = build([made.tune(1, 8), made.tune(2, 8)])
    steps = grams.line_steps(part)
    held = grams.figures(steps, 6)
    # Eight notes have seven steps and so two figures of six.
    assert (held >= 0).tolist() == ([False] + [True] * 2 + [False] * 5) * 2


def test_coverage_of_a_work_by_itself_is_whole_and_by_a_stranger_nothing():
    sets = grams.FigureSets.of(build([made.tune(1), made.tune(2)]))
    share = grams.coverage(sets, sets).toarray()
    assert share[0, 0] == pytest.approx(1)
    assert share[0, 1] < 0.1


def test_postings_know_where_a_passage_begins():
    part = build([made.tune(s) for s in range(20)])
    postings = Postings.of(part)
    start = int(part.stream_notes[12]) + 20
    steps = grams.line_steps(part)[start : start + 16].copy()
    steps[0] = 127
    assert abs(int(postings.beginnings(steps)[0]) - start) <= 8


def test_arrays_packed_into_a_file_come_back_as_they_were(tmp_path):
    arrays = {
        "a": np.arange(7, dtype=np.uint8),
        "none": np.zeros((0, 3), np.int32),
        "b": made.rng(3).random((5, 4)),
        "c": np.array([[True, False]]),
    }
    packed.save(tmp_path / "all.bin", arrays)
    back = packed.load(tmp_path / "all.bin")
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].tolist() == array.tolist()
        assert back[name].ctypes.data % packed.ALIGNED == 0 or array.size == 0


@pytest.mark.parametrize("length", [8, 40, 300])
def test_a_packed_file_that_is_cut_short_says_so(tmp_path, length):
    path = tmp_path / "all.bin"
    packed.save(path, {"a": np.arange(100)})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match="cut short"):
        packed.load(path)


def test_clusters_of_works_added_one_by_one_are_those_of_all_at_once(tmp_path):
    music = {f"tune {k}": made.tune(2000 + k, 70) for k in range(30)}
    for k in (3, 11, 19):
        music[f"tune {k} again"] = made.moved(music[f"tune {k}"], range(66), up=2)
    titles = list(music)
    held = made.Shelf(tmp_path / "grown", {t: music[t] for t in titles[:24]})
    opened(held)
    for k in range(25, len(titles) + 1):
        held.music = {t: music[t] for t in titles[:k]}
        grown = opened(held)
    whole = opened(made.Shelf(tmp_path / "whole", music))
    assert grown.cluster.tolist() == whole.cluster.tolist()
    assert len(set(whole.cluster.tolist())) == 30
    assert len(grown.segments) <= 5


def test_removing_a_work_leaves_the_clusters_of_the_others(tmp_path):
    held = made.shelf(tmp_path, 30)
    held.music["again"] = made.moved(held.music["tune 5"], range(50), up=1)
    before = opened(held)
    del held.music["tune 7"]
    after = opened(held)
    assert after.cluster.tolist() == before.cluster.tolist()
    assert after.alive.sum() == 30
