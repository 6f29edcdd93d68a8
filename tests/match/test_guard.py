"""The guard: what it promises, proved by a search that shares nothing with it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import made
import numpy as np
import pytest
from hypothesis import given, settings, strategies

from musai.errors import BadRequest, MusaiError
from musai.match import guard as guards
from musai.match import held, runs, streams
from musai.match.catalogue import catalogue
from musai.match.guard import Guard, Guards
from musai.match.quotations import Quotations, forbidden
from musai.music import Note, Phrase
from musai.transformer import Player, Request
from musai.transformer import vocabulary as v
from musai.transformer.guarding import Tally
from tests.strategies import phrases
from tests.transformer.models import motif, small_model

K = 4
"""Notes of a run that random tunes share often, so that the guard has work to do."""


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> made.Shelf:
    """What a player of this model plays by itself: so it is bound to play it again."""
    return made.Shelf(tmp_path_factory.mktemp("dense"), own_music(played, 20, 8), "dense")


@pytest.fixture(scope="module")
def dense_guard(dense: made.Shelf) -> Guard:
    return Guard.open(K, dense)


def own_music(play: Callable[..., Phrase], tunes: int, choirs: int) -> dict[str, Phrase]:
    """What a busy player plays by itself, seed by seed."""
    player = busy_player()
    music = {f"own {seed}": play(player, None, seed) for seed in range(tunes)}
    return music | {f"choir {seed}": play(player, None, seed, "chorales") for seed in range(choirs)}


def busy_player() -> Player:
    """Random weights that like quarters and eighths and no rests: few rhythms, many runs."""
    model = small_model()
    places = model.weights["position.head"]
    places[:, v.BARLINE] = -0.3
    places[:, np.flatnonzero(np.arange(v.MAX_BAR) % 12)] = -1
    model.weights["duration.head"][:, 12:] = -1
    return Player(model)


def played(
    player: Player, guard: Guard | None, seed: int, collection: str = "tunes", **wishes: object
) -> Phrase:
    k = None if guard is None else guard.k
    wishes = {"register": (60, 71), **wishes}
    request = Request(bars=3, seed=seed, collection=collection, guard=k, **wishes)  # type: ignore[arg-type]
    return player.play(request, guard)


def search(shelf: made.Shelf) -> list[Quotations]:
    return [Quotations(catalogue(shelf))]


@settings(max_examples=25)
@given(phrases())
def test_its_lines_are_the_matchers(phrase):
    notes = [Note(*row) for row in phrase.notes.tolist()]
    watch = guards.Watch(Guard(K, [], []), phrase.voices, None)
    found = {}
    for first in watch.lines:
        lines = [first]
        voices = watch._pitched if first.voice is None else (first.voice,)
        for chord in guards.chords([note for note in notes if note.voice in voices]):
            if lines[0].parts(chord):
                lines = [*lines[0].sides()]
                found[True, first.voice] = list(found.get((None, first.voice), []))
                found[False, first.voice] = list(found.get((None, first.voice), []))
            for i, line in enumerate(lines):
                picked = line.pick(chord)
                if picked is not None:
                    found.setdefault((line.top, line.voice), []).append(notes.index(picked))
                lines[i] = line.heard(chord, None, (), K)
    for stream in streams._lines(phrase):
        top = stream.kind in ("line", "top", "skyline")
        voice = None if stream.voice < 0 else stream.voice
        line = found.get((top, voice), found.get((None, voice)))
        assert line == stream.index.tolist(), stream.kind


@settings(max_examples=25)
@given(phrases())
def test_a_runs_key_is_the_same_note_by_note_and_in_bulk(phrase):
    for stream in streams._lines(phrase):
        part = phrase.notes[stream.index]
        drums = np.full(len(part), stream.kind == "drums")
        pitch = np.where(drums, 0, part["pitch"])
        starts = np.zeros(min(1, len(part)), np.int64)
        keys, begin = runs.line_keys(pitch, part["onset"], starts, drums, K)
        assert begin.tolist() == list(range(len(keys)))
        for number in begin.tolist():
            onsets = part["onset"][number : number + K].tolist()
            steps = [
                runs.step_of(int(a), int(b), bool(drums[0]))
                for a, b in zip(pitch[number:], pitch[number + 1 : number + K], strict=False)
            ]
            signs = [
                runs.sign_of(steps[i], onsets[i + 1] - onsets[i], onsets[i + 2] - onsets[i + 1])
                for i in range(K - 2)
            ]
            key = runs.key_of(runs.prefix_of(signs), steps[-1])
            assert key == int(keys[number])
            assert runs.last_step(key) == steps[-1]


def test_what_it_plays_holds_no_run_of_a_work(dense, dense_guard):
    player, proof = busy_player(), search(dense)
    before = [forbidden(played(player, None, seed), K, proof) for seed in range(12)]
    assert all(before)
    for seed in range(12):
        phrase = played(player, dense_guard, seed)
        assert len(phrase) > K
        assert forbidden(phrase, K, proof) == []


@pytest.mark.parametrize("temperature", [0.0, 0.5, 2.0])
def test_four_voices_with_their_skyline_and_bass_hold_none_either(dense, dense_guard, temperature):
    player, proof, tally = busy_player(), search(dense), Tally()
    for seed in range(4):
        wishes = {"collection": "chorales", "temperature": temperature, "register": (60, 71)}
        request = Request(bars=3, seed=seed, guard=K, **wishes)
        phrase = player.phrase(request, player.generate(request, dense_guard, tally))
        assert forbidden(phrase, K, proof) == []
    assert tally.masked > 0


def test_onsets_are_taken_back_where_no_mask_could_tell(dense, dense_guard):
    player, tally = busy_player(), Tally()
    for seed in range(8):
        request = Request(bars=3, seed=seed, collection="chorales", guard=K)
        list(player.generate(request, dense_guard, tally))
    assert tally.again > 0


def test_notes_come_in_time_order_and_the_same_each_time(dense_guard):
    request = Request(bars=3, seed=3, collection="chorales", guard=K)
    first = list(busy_player().generate(request, dense_guard))
    assert first == list(busy_player().generate(request, dense_guard))
    assert [note.onset for note in first] == sorted(note.onset for note in first)


def test_a_guard_that_never_steps_in_changes_no_note(tmp_path):
    far = Guard.open(12, made.shelf(tmp_path, 4))
    player = busy_player()
    tally = Tally()
    request = Request(bars=4, seed=5, guard=12)
    assert list(player.generate(request, far, tally)) == list(
        player.generate(Request(bars=4, seed=5))
    )
    assert (tally.masked, tally.again) == (0, 0)


def test_one_changed_note_evades_it(dense, dense_guard):
    """What the report says of it is true."""
    work = dense.music["own 0"]
    run = made.moved(work, range(5), up=2)
    assert forbidden(run, 5, search(dense))
    notes = run.notes.copy()
    notes["pitch"][2] += 1
    assert forbidden(run.with_notes(notes), 5, search(dense)) == []


def test_what_five_authors_share_is_nobodys(tmp_path):
    music, base = {}, made.melody(5, 8)
    for i in range(5):
        onset, length, pitch = made.melody(100 + i, 40)
        music[f"tune {i}"] = Phrase.from_notes(
            np.concatenate((base[0], 8 + onset + base[0][-1])),
            np.concatenate((base[1], length)),
            np.concatenate((base[2] + i, pitch)),
        )
    names = {f"tune {i}": f"Composer {i}" for i in range(5)}
    five = made.Shelf(tmp_path / "five", music, composers=names)
    four = made.Shelf(tmp_path / "four", music, composers={**names, "tune 4": "Composer 3"})
    passage = Phrase.from_notes(*base)
    assert forbidden(passage, 8, search(five)) == []
    (quotation,) = forbidden(passage, 8, search(four))
    assert (quotation.authors, len(quotation.work_ids)) == (4, 5)
    key = guards.runs_of(passage, 8)[0]
    for shelf, blocked in ((five, False), (four, True)):
        table = held.held_runs(catalogue(shelf), 8)
        assert bool(table.holders(key)) is blocked
        assert table.is_common(key) is not blocked


def test_near_duplicates_by_nobody_count_once(tmp_path):
    music = {f"copy {i}": made.moved(made.tune(7, 50 + i), range(50), up=i) for i in range(6)}
    shelf = made.Shelf(tmp_path, music)
    assert forbidden(made.moved(made.tune(7, 50), range(12)), 12, search(shelf))


def test_what_the_human_quotes_is_free(dense, dense_guard):
    quote = made.moved(dense.music["own 1"], range(7))
    proof = search(dense)
    assert forbidden(quote, K, proof)
    assert forbidden(quote, K, proof, quote) == []
    watch = guards.Watch(dense_guard, quote.voices, quote)
    notes = [Note(*row) for row in quote.notes.tolist()]
    assert watch.settle(notes, (), ()) is None
    assert guards.Watch(dense_guard, quote.voices, None).settle(notes, (), ()) is not None


def test_of_two_corpora_both_hold(dense, tmp_path):
    other = made.Shelf(tmp_path, {"mine": played(busy_player(), None, 40)}, "mine")
    both = Guard.open(K, dense, other)
    assert both.id != Guard.open(K, dense).id
    assert [row["name"] for row in both.describe()["corpora"]] == ["dense", "mine"]
    phrase = played(busy_player(), both, 40)
    assert forbidden(phrase, K, search(dense) + search(other)) == []


def test_a_guard_is_refused_without_a_corpus_and_out_of_range(dense):
    with pytest.raises(BadRequest, match="name one"):
        Guards()(12, [])
    with pytest.raises(BadRequest, match="guard is 3; legal is 4 to 64 notes"):
        Guard.open(3, dense)
    with pytest.raises(BadRequest, match="no corpus is in use"):
        busy_player().generate(Request(guard=12))


def test_a_corpus_without_an_index_is_not_waited_for(tmp_path: Path):
    with pytest.raises(MusaiError, match="has no index yet"):
        held.index_folder(made.shelf(tmp_path, 1))


def test_a_table_is_written_once_and_read_again(dense):
    indexed = catalogue(dense)
    folder = held.index_folder(dense)
    made_now = held.open_runs(indexed, folder, 7)
    (path,) = folder.glob("runs-*-7.bin")
    stamp = path.stat().st_mtime_ns
    again = held.open_runs(catalogue(dense), folder, 7)
    assert path.stat().st_mtime_ns == stamp
    assert np.array_equal(made_now.blocked, again.blocked)


def test_an_answer_may_take_up_the_motif_under_a_guard(dense_guard):
    request = Request("answer", 2, 3, motif(), guard=K)
    assert list(busy_player().generate(request, dense_guard))


def test_bars_written_anew_hold_no_run_with_what_stands_around_them(tmp_path):
    player, asked = busy_player(), []
    for seed in range(5):
        context = played(player, None, 100 + seed, "chorales")
        asked.append(Request("infill", 2, seed, context, first=1, voices="0,2"))
    own = {f"own {i}": player.play(request) for i, request in enumerate(asked)}
    shelf = made.Shelf(tmp_path, own)
    guard, proof = Guard.open(K, shelf), search(shelf)
    found = 0
    for request in asked:
        context, free = request.context, player.play(request)
        phrase = player.play(replace(request, guard=K), guard)
        found += len(forbidden(free, K, proof, context, lent(free, context)))
        assert forbidden(phrase, K, proof, context, lent(phrase, context)) == []
    assert found > 0


def lent(phrase: Phrase, context: Phrase) -> list[int]:
    """Notes from bar 1 on that stand in the context too, in the voices that are kept."""
    bar = context.metre.signatures[0].bar_ticks
    held = {
        (int(n["onset"]) - bar, int(n["pitch"]), int(n["voice"]))
        for n in context.notes
        if n["voice"] in (1, 3)
    }
    rows = [(int(n["onset"]), int(n["pitch"]), int(n["voice"])) for n in phrase.notes]
    return [i for i, row in enumerate(rows) if row in held]


@given(strategies.lists(strategies.integers(0, 2**64 - 1), max_size=60, unique=True))
def test_the_sieve_hides_no_key_and_shows_none_that_is_not_there(keys):
    blocked = np.array(sorted(keys), np.uint64)
    none = np.zeros(0, np.uint32)
    table = held.HeldRuns(blocked, none, none, none, held.sieve_of(blocked))
    for asked in {*keys, 0, 2**64 - 1, 2**63}:
        prefix = asked & ~255
        assert table.keys(prefix) == [key for key in sorted(keys) if key & ~255 == prefix]
