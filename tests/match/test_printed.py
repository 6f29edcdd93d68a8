"""A guard by fingerprints alone: no twelve notes of a training work, and no music is needed for it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import made
import numpy as np
import pytest
from test_guard import busy_player, own_music

from musai.errors import BadRequest, NotFound
from musai.match import fingerprints
from musai.match.catalogue import catalogue
from musai.match.fingerprints import SURE, Shelf
from musai.match.guard import Guard, Guards
from musai.match.printed import MODEL, PrintedRuns
from musai.match.quotations import Quotations, forbidden
from musai.music import Note, Phrase
from musai.transformer import Player, Request
from musai.transformer.guarding import Tally

SEEDS = range(8)


def played(player: Player, guard: Guard | None, seed: int, collection: str = "tunes") -> Phrase:
    k = None if guard is None else guard.k
    wishes = {"register": (60, 71), "grid": "1/4"}
    return player.play(Request(bars=8, seed=seed, collection=collection, guard=k, **wishes), guard)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> made.Shelf:
    """What a player of this model plays by itself, so that it is bound to play it again."""
    return made.Shelf(tmp_path_factory.mktemp("own"), own_music(played, 16, 6), "own")


@pytest.fixture(scope="module")
def folder(own: made.Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models") / "small"
    place.mkdir()
    fingerprints.save(fingerprints.make(catalogue(own), [work.id for work in own.works]), place)
    rows = [f"{work.id},{work.title},,,CC0-1.0,,1" for work in own.works]
    head = "id,title,creators,collection,licence,attribution,notes"
    (place / "works.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return place


def by_prints(folder: Path) -> Guard:
    return Guards(lambda name: folder.parent / name)(SURE, [f"{MODEL}small"])


@pytest.mark.parametrize("collection", ["tunes", "chorales"])
def test_no_kept_run_and_so_no_twelve_notes_of_a_work(own, folder, collection):
    player, guard, shelf = busy_player(), by_prints(folder), Shelf.open(folder)
    proof = [Quotations(catalogue(own))]
    assert any(forbidden(played(player, None, seed, collection), SURE, proof) for seed in SEEDS)
    for seed in SEEDS:
        phrase = played(player, guard, seed, collection)
        assert len(phrase) > SURE
        assert shelf.prints.shared(phrase) == {}
        assert forbidden(phrase, SURE, proof) == []


def test_beside_a_corpus_both_hold(own, folder, tmp_path):
    player, shelf = busy_player(), Shelf.open(folder)
    other = made.Shelf(
        tmp_path, {f"o {s}": played(player, None, 90 + s) for s in range(9)}, "other"
    )
    guard = Guards(lambda name: folder.parent / name).of(SURE, [other, f"{MODEL}small"])
    assert [row["name"] for row in guard.describe()["corpora"]] == [f"{MODEL}small", "other"]
    proof = [Quotations(catalogue(other)), Quotations(catalogue(own))]
    for seed in (*SEEDS, *range(90, 96)):
        phrase = played(player, guard, seed)
        assert shelf.prints.shared(phrase) == {}
        assert forbidden(phrase, SURE, proof) == []


def test_shorter_runs_than_fingerprints_tell_are_refused_where_nothing_else_is_held_against(folder):
    guards = Guards(lambda name: folder.parent / name)
    with pytest.raises(BadRequest, match=r"guard is 8, .* legal is 12 to 64"):
        guards(8, [f"{MODEL}small"])


def test_its_id_changes_with_the_fingerprints(folder, tmp_path):
    before = by_prints(folder).id
    twin = tmp_path / "small"
    twin.mkdir()
    (twin / "works.csv").write_bytes((folder / "works.csv").read_bytes())
    shelf = Shelf.open(folder)
    held = shelf.prints
    few = replace(held, high=held.high[:9], low=held.low[:9], work=held.work[:9])
    fingerprints.save(few, twin)
    assert by_prints(twin).id != before == by_prints(folder).id
    (twin / fingerprints.FILE).unlink()
    with pytest.raises(NotFound, match="has no fingerprints"):
        by_prints(twin)


def test_a_fingerprint_bars_every_last_step(folder):
    table = PrintedRuns(Shelf.open(folder).prints)
    held = Shelf.open(folder).prints
    prefix = (int(held.high[5]) << 8 | int(held.low[5])) << 24
    assert [key & 255 for key in table.keys(prefix)] == list(range(81))
    assert table.keys(prefix ^ (1 << 60)) == []


class Moody:
    """Forbids every pitch at some onsets, and notes what was let stand."""

    def __init__(self, spread: int) -> None:
        self.spread, self.stood = spread, []

    def forbidden(self, onset: int, voice: int, pending: Sequence[Note]) -> Collection[int]:
        return range(128) if (onset // 120 + voice) % 3 == 0 else ()

    def settle(
        self, notes: Sequence[Note], given: Collection[Note], later: Sequence[Note]
    ) -> Note | None:
        self.stood.append((notes[0].onset, notes[-1].onset))
        return None


class Moods:
    """A guard of one watch."""

    id, k = "moods", SURE

    def __init__(self) -> None:
        self.watched = Moody(20)

    def describe(self) -> dict[str, object]:
        return {"id": self.id}

    def watch(self, voices: object, context: Phrase | None) -> Moody:
        return self.watched


@pytest.mark.parametrize("seed", range(8))
def test_what_stands_is_not_added_to_when_the_next_note_is_drawn_again(seed):
    guard, tally = Moods(), Tally()
    request = Request(bars=6, seed=seed, collection="chorales", guard=SURE)
    list(busy_player().generate(request, guard, tally))
    stood = np.array(guard.watched.stood)
    assert len(stood) > 3
    assert tally.again > 0
    assert (stood[1:, 0] > stood[:-1, 1] + 20).all()
