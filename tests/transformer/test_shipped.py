"""The models that ship: whole, small enough, with their licences' credits, and with instruments that come when asked."""

import csv
from pathlib import Path

import numpy as np
import pytest

from musai.corpus.licences import terms_of
from musai.match.fingerprints import MAX_BYTES
from musai.music import Phrase, Voice
from musai.transformer import Player, Request, checkpoint
from musai.transformer.card import MOST_CREDITS

MODELS = Path(__file__).parents[2] / "models"
NAMES = ("studio", "tunebook")


def test_two_models_ship() -> None:
    assert tuple(sorted(folder.name for folder in MODELS.iterdir())) == NAMES


@pytest.mark.parametrize("name", NAMES)
class TestShipped:
    def test_every_file_is_what_it_was_and_nothing_is_too_large(self, name: str) -> None:
        sums = checkpoint.check_sums(MODELS / name)
        assert {"weights.safetensors", "works.csv", "recipe.toml", "card.md", "fingerprints.bin",
                "prefix.json"} <= set(sums)  # fmt: skip
        assert (MODELS / name / "fingerprints.bin").stat().st_size <= MAX_BYTES
        assert checkpoint.load(MODELS / name).shape.parameters <= 10_000_000

    def test_no_work_was_trained_on_whose_terms_deny_it(self, name: str) -> None:
        with (MODELS / name / "works.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) > 2000
        assert {terms_of(row["licence"], row["attribution"]).train.status for row in rows} <= {
            "allowed", "conditional"
        }  # fmt: skip

    def test_the_card_names_every_credit(self, name: str) -> None:
        card = (MODELS / name / "card.md").read_text(encoding="utf-8")
        credits = checkpoint.credits_of(MODELS / name)
        assert len(credits) <= MOST_CREDITS
        assert [text for text in credits if f"- {text}\n" not in card] == []


def band() -> Phrase:
    """Four bars of a bass in eighths and chords over it."""
    rows = []
    for bar, (root, chord) in enumerate(
        [(33, (57, 60, 64)), (29, (57, 60, 65)), (36, (55, 60, 64)), (31, (55, 59, 62))]
    ):
        rows += [(4 * bar + e / 2, 0.5, root, 1) for e in range(8)]
        rows += [(4.0 * bar, 3.5, pitch, 0) for pitch in chord]
    onset, length, pitch, voice = zip(*rows, strict=True)
    names = (Voice("Guitar", 29), Voice("Bass", 33))
    return Phrase.from_notes(onset, length, pitch, 90, voice, names=names, length=16)


@pytest.fixture(scope="module")
def studio() -> Player:
    return Player.open(MODELS / "studio")


def test_drums_come_under_a_band(studio: Player) -> None:
    answer = studio.play(Request.of("accompany", band(), seed=3, voices="drums"))
    assert {answer.voices[voice].drum for voice in answer.notes["voice"].tolist()} == {True}
    assert answer.bars == 4
    assert len(answer) >= 12
    assert len(set(answer.notes["velocity"].tolist())) > 1


def test_a_bass_line_comes_for_chords(studio: Player) -> None:
    answer = studio.play(
        Request(bars=4, seed=2, key="C", voices="bass", chords="C | Am | F | G", polyphony=1)
    )
    assert [voice.program // 8 for voice in answer.voices] == [4]
    assert len(answer) >= 4
    assert np.median(answer.notes["pitch"]) < 55
    chord = [{0, 4, 7}, {9, 0, 4}, {5, 9, 0}, {7, 11, 2}]
    for note in answer.notes[answer.notes["onset"] % 480 == 0]:
        assert int(note["pitch"]) % 12 in chord[int(note["onset"]) // 1920]


def test_every_style_of_the_card_can_be_asked_for(studio: Player) -> None:
    assert {"band", "songs", "piano", "quartets", "orchestra", "hymns", "drumming"} <= set(
        studio.collections
    )
    for name in studio.collections:
        assert len(studio.play(Request(bars=2, seed=1, collection=name))) > 0
