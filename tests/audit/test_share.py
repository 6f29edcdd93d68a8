"""Where each note of a piece comes from: facts one by one, then whole pieces with known making."""

import numpy as np
import pytest

from musai.audit.session import sitting
from musai.audit.share import credit
from musai.errors import BadInput, NotFound
from musai.music import Metre, Phrase, notes_array
from musai.music.notes import untangled
from tests.audit.takes import BAR, UTC_NOW, Desk, melody
from tests.bench.bench_credit import f1, heavy, light, scored, told_facts, true_facts


def moved(phrase: Phrase, shift: int = 0, rise: int = 0) -> Phrase:
    notes = phrase.notes.copy()
    notes["onset"] += shift
    notes["pitch"] = notes["pitch"].astype(int) + rise
    return Phrase(notes, phrase.metre, phrase.voices, phrase.length + shift)


def joined(*phrases: Phrase) -> Phrase:
    return Phrase(untangled(np.concatenate([one.notes for one in phrases])), phrases[0].metre)


def sat(desk: Desk, takes: int = 3) -> list[Phrase]:
    made = [desk.take(melody(seed), melody(100, 4)) for seed in range(takes)]
    for one in made:
        desk.decide(one, "kept")
    return made


def origins(found: object) -> list[str]:
    return [note.origin for note in found.notes]  # type: ignore[attr-defined]


@pytest.mark.parametrize("rise", [0, -5, 12])
@pytest.mark.parametrize("bars", [0, 3])
def test_a_take_is_found_whole_wherever_it_was_put(desk: Desk, rise: int, bars: int) -> None:
    take = sat(desk)[1]
    found = credit(moved(take, bars * BAR, rise), sitting(desk.ledger, "sitting"))
    assert set(origins(found)) == {"kept"}
    assert [note.step for note in found.notes] == list(range(len(take)))
    block = found.blocks[0]
    assert (block.phrase_id, block.transposition, block.shift) == (take.id, rise, bars * BAR)
    assert found.counts.cut == found.counts.deleted == 0


@pytest.mark.parametrize("ratio", [0.5, 0.8, 131 / 120])
def test_a_take_played_in_at_another_tempo_is_found_stretched(desk: Desk, ratio: float) -> None:
    take = sat(desk)[0]
    notes = take.notes.copy()
    for name in ("onset", "duration"):
        notes[name] = np.maximum(1, np.rint(ratio * notes[name].astype(float)))
    found = credit(Phrase(untangled(notes)), sitting(desk.ledger, "sitting"))
    assert set(origins(found)) == {"kept"}
    assert found.blocks[0].scale == pytest.approx(ratio, rel=0.002)
    assert found.arrangement.stretched == len(found.blocks) == 1


@pytest.mark.parametrize(
    ("name", "change"), [("pitch", 3), ("onset", 120), ("duration", -60), ("velocity", -20)]
)
def test_an_edit_names_its_field(desk: Desk, name: str, change: int) -> None:
    take = sat(desk)[0]
    notes = take.notes.copy()
    notes[name][7] = int(notes[name][7]) + change
    found = credit(take.with_notes(untangled(notes)), sitting(desk.ledger, "sitting"))
    edited = [note for note in found.notes if note.origin == "edited"]
    assert [(note.step, note.fields) for note in edited] == [(7, (name,))]
    assert found.counts.edits[name] == 1


def test_a_track_turned_up_is_no_edit_of_every_note(desk: Desk) -> None:
    take = sat(desk)[0]
    notes = take.notes.copy()
    notes["velocity"] += 11
    assert set(origins(credit(take.with_notes(notes), sitting(desk.ledger, "sitting")))) == {"kept"}


def test_a_deleted_note_and_a_new_one_are_told_apart_from_an_edit(desk: Desk) -> None:
    take = sat(desk)[0]
    notes = np.delete(take.notes, 9)
    new = notes_array([2 * BAR + 60], [30], [96], [127])
    found = credit(
        take.with_notes(untangled(np.concatenate([notes, new]))), sitting(desk.ledger, "sitting")
    )
    assert found.blocks[0].deleted == (9,)
    assert [note.pitch for note in found.notes if note.origin == "human"] == [96]
    assert found.counts.edited == 0


def test_blocks_in_another_order_and_used_twice_are_found(desk: Desk) -> None:
    take = sat(desk)[2]
    first = take.notes[take.notes["onset"] < 4 * BAR].copy()
    second = take.notes[take.notes["onset"] >= 4 * BAR].copy()
    second["onset"] -= 4 * BAR
    parts = []
    for place, part in enumerate((second, first, second)):
        put = part.copy()
        put["onset"] += place * 4 * BAR
        put["duration"] = np.minimum(put["duration"], (place + 1) * 4 * BAR - put["onset"])
        parts.append(put)
    found = credit(Phrase(untangled(np.concatenate(parts))), sitting(desk.ledger, "sitting"))
    assert [round(block.start / BAR) for block in found.blocks] == [0, 4]
    assert [block.copy for block in found.blocks] == [False, True]
    assert found.arrangement.moved == 1
    assert found.counts.human == 0


def test_notes_moved_to_a_grid_are_kept_and_the_quantizing_is_told(desk: Desk) -> None:
    rng = np.random.Generator(np.random.Philox(5))
    plain = melody(9)
    notes = plain.notes.copy()
    notes["onset"] = np.maximum(0, notes["onset"] + rng.integers(-25, 26, len(notes)))
    played = desk.take(Phrase(untangled(notes)))
    desk.decide(played, "kept")
    found = credit(plain, sitting(desk.ledger, "sitting"))
    assert set(origins(found)) == {"kept"}
    assert found.arrangement.quantized > len(plain) / 2
    assert found.arrangement.grid == 240


def test_unrelated_music_is_all_the_humans(desk: Desk) -> None:
    sat(desk, takes=6)
    piece = joined(*(moved(melody(500 + i), i * 8 * BAR) for i in range(6)))
    found = credit(piece, sitting(desk.ledger, "sitting"))
    assert set(origins(found)) == {"human"}
    assert not found.blocks


def test_the_humans_prompt_is_the_humans_also_where_a_later_prompt_repeats_it(desk: Desk) -> None:
    motif = melody(100, 4)
    take = desk.take(melody(1), motif)
    desk.decide(take, "kept")
    both = joined(motif, moved(take, 4 * BAR))
    desk.take(melody(2), both)
    found = credit(both, sitting(desk.ledger, "sitting"))
    assert found.counts.prompt == len(motif)
    assert found.counts.kept == len(take)
    assert found.prompts == 1


def test_notes_that_a_take_has_from_its_prompt_are_counted(desk: Desk) -> None:
    motif = melody(100, 4)
    take = desk.take(joined(motif, moved(melody(3, 4), 4 * BAR)), motif)
    desk.decide(take, "kept")
    found = credit(take, sitting(desk.ledger, "sitting"))
    assert found.perceptible == len(motif)


def test_takes_and_wishes_are_counted(desk: Desk) -> None:
    kept, lost, _ = (desk.take(melody(i), key="C", density=6.0) for i in range(3))
    desk.decide(kept, "kept", "the refrain, sung low")
    desk.decide(lost, "discarded")
    found = credit(kept, sitting(desk.ledger, "sitting"))
    assert (found.takes.made, found.takes.kept, found.takes.discarded) == (3, 1, 1)
    assert (found.takes.used, found.takes.rejected_per_kept) == (1, 2.0)
    assert (found.requests, found.wishes) == (3, 6)
    assert found.intents == ((kept.id, "the refrain, sung low"),)


def test_a_decision_taken_back_counts_as_the_last_one(desk: Desk) -> None:
    one, other = desk.take(melody(1)), desk.take(melody(2))
    desk.decide(one, "kept")
    desk.decide(other, "kept")
    desk.decide(other, "discarded")
    assert [take.decision for take in sitting(desk.ledger, "sitting").takes] == [
        "kept",
        "discarded",
    ]


def test_a_tempo_written_anew_is_told_and_changes_no_note(desk: Desk) -> None:
    take = sat(desk)[0]
    faster = Phrase(take.notes, Metre.of(bpm=90), take.voices, take.length)
    found = credit(faster, sitting(desk.ledger, "sitting"))
    assert set(origins(found)) == {"kept"}
    assert (found.arrangement.tempo_then, found.arrangement.tempo_now) == (120.0, 90.0)


def test_a_session_without_a_kept_take_is_refused_unless_asked_for(desk: Desk) -> None:
    desk.take(melody(1))
    with pytest.raises(BadInput, match="1 takes and none is kept"):
        sitting(desk.ledger, "sitting")
    assert len(sitting(desk.ledger, "sitting", undecided=True).takes) == 1


def test_a_session_that_is_not_there_is_refused_with_those_that_are(desk: Desk) -> None:
    desk.take(melody(1))
    with pytest.raises(NotFound, match="no takes of session 'monday'; legal is 'sitting'"):
        sitting(desk.ledger, "monday")


def test_an_erased_take_is_counted_and_its_notes_are_nobodys(desk: Desk) -> None:
    take, other = desk.take(melody(1)), desk.take(melody(2))
    for one in (take, other):
        desk.decide(one, "kept")
    number = desk.ledger.find("phrase_id", take.id, "phrase")[0].seq
    desk.ledger.erase([number], "asked for", utc=UTC_NOW)
    found = credit(take, sitting(desk.ledger, "sitting"))
    assert found.takes.erased == 1
    assert set(origins(found)) == {"human"}


def test_an_empty_piece_has_no_origins(desk: Desk) -> None:
    sat(desk)
    found = credit(Phrase(notes_array([], [], [])), sitting(desk.ledger, "sitting"))
    assert found.notes == ()
    assert found.counts.notes == 0


def golden(desk: Desk) -> object:
    motif = melody(100, 4)
    for seed in range(6):
        take = desk.take(melody(seed), motif)
        desk.decide(take, "kept" if seed % 2 == 0 else "discarded")
    return sitting(desk.ledger, "sitting")


def test_pieces_edited_lightly_are_told_note_by_note(desk: Desk) -> None:
    held, rng = golden(desk), np.random.Generator(np.random.Philox(7))
    rows = []
    for _ in range(4):
        made = light(held, rng)  # type: ignore[arg-type]
        found = credit(made.phrase, held)  # type: ignore[arg-type]
        rows.append(scored(true_facts(made), told_facts(found)))
    assert f1(rows) >= 0.98


def test_pieces_edited_heavily_are_told_note_by_note(desk: Desk) -> None:
    held, rng = golden(desk), np.random.Generator(np.random.Philox(8))
    songs = [melody(1000 + i, 32) for i in range(8)]
    rows = []
    for _ in range(4):
        made = heavy(held, songs, rng)  # type: ignore[arg-type]
        found = credit(made.phrase, held)  # type: ignore[arg-type]
        rows.append(scored(true_facts(made), told_facts(found)))
    assert f1(rows) >= 0.90


def test_the_same_piece_gives_the_same_answer(desk: Desk) -> None:
    held = golden(desk)
    made = light(held, np.random.Generator(np.random.Philox(3)))  # type: ignore[arg-type]
    assert credit(made.phrase, held) == credit(made.phrase, held)  # type: ignore[arg-type]
