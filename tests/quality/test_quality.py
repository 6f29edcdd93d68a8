"""The whole table on a small corpus, and what a command does with it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from musai.cli import main
from musai.corpus import Corpus
from musai.errors import BadInput, NotFound
from musai.match import Matcher
from musai.match.catalogue import catalogue
from musai.match.nulls import Nulls
from musai.music import Phrase, Signature, Voice
from musai.music.metre import Metre
from musai.quality import page, prompts
from musai.quality.copying import Copying
from musai.quality.harmony import Accompaniment, Leading
from musai.quality.infill import Infill
from musai.quality.likeness import Likeness, Told
from musai.quality.quality import Quality
from musai.transformer import checkpoint
from musai.transformer.run import run
from tests.style.shelf import rng

RECIPE = """\
name = "tiny"
corpus = "tunes"
held_out = 0.5
[shape]
width = 16
layers = 1
heads = 2
inner = 32
window = 256
[schedule]
steps = 4
rows_per_batch = 512
warmup = 2
"""


def three_lines(seed: int, bars: int = 13) -> Phrase:
    """Three voices, each one line, the first the highest."""
    draw = rng(seed)
    rows = [
        (k, 72 - 12 * voice + int(step))
        for voice in range(3)
        for k, step in enumerate(np.array([0, 2, 4, 5, 7, 9, 11])[draw.integers(0, 7, 4 * bars)])
    ]
    onsets, pitches = zip(*rows, strict=True)
    return Phrase.from_notes(
        onsets, [1] * len(rows), pitches, voices=np.repeat(range(3), 4 * bars),
        names=[Voice(name, 52) for name in ("high", "middle", "low")], length=4 * bars,
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("home")
    (place / "music").mkdir()
    for number in range(48):
        (place / "music" / f"piece {number}.mid").write_bytes(three_lines(number).to_midi())
    Corpus.build(place / "music", place / "corpora" / "tunes", name="tunes", mine=True)
    recipe = place / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSAI_HOME", str(place))
        run(recipe, None, place / "models" / "tiny", place / "work", "cpu")
    return place


@pytest.fixture
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUSAI_HOME", str(home))
    return home


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A null of 120 phrases instead of 10,000, one epoch of listening."""

    def opened(corpus: Corpus, **_: object) -> Matcher:
        mine = catalogue(corpus)
        nulls = Nulls(mine, [mine], Path(corpus.path) / "index" / "null", size=120)
        nulls.build()
        return Matcher(corpus, mine, nulls)

    monkeypatch.setattr("musai.quality.quality.Matcher.open", opened)
    monkeypatch.setattr("musai.quality.listener.EPOCHS", 1)


def test_a_command_measures_everything_and_puts_one_table_into_the_card(
    at_home: Path, quick: None
) -> None:
    pytest.importorskip("sklearn")
    result = CliRunner().invoke(main, ["model", "quality", "tiny", "--phrases", "20", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    folder = at_home / "models" / "tiny"
    assert json.loads((folder / checkpoint.QUALITY).read_text(encoding="utf-8")) == told
    assert set(told["likeness"]) == {"model", "baseline", "human"}
    assert told["phrases"] == told["copying"]["phrases"] == 20
    assert 0 < told["classifier_auc"] <= 1
    assert told["infill"]["gaps"] > 0
    assert told["accompaniment"]["tunes"] == 20
    card = (folder / checkpoint.CARD).read_text(encoding="utf-8")
    assert card.count(page.START) == card.count(page.END) == 1
    assert card.index(page.START) < card.index(page.BEFORE.strip())
    assert checkpoint.check_sums(folder)
    again = ["model", "quality", "tiny", "--kept", "--json"]
    assert "legal is one of them" in CliRunner().invoke(main, [*again, "--plain-steps", "5"]).output
    result = CliRunner().invoke(main, [*again, "--beside", "tiny"])
    assert json.loads(result.stdout) == told
    assert "| training works | phrases |" in (folder / checkpoint.CARD).read_text(encoding="utf-8")
    (folder / checkpoint.QUALITY).write_text('{"model_id": 5}', encoding="utf-8")
    checkpoint.write_sums(folder)
    assert "holds no table of figures" in CliRunner().invoke(main, again).output
    (folder / checkpoint.QUALITY).unlink()
    checkpoint.write_sums(folder)
    assert "leave out --kept" in CliRunner().invoke(main, again).output


def test_too_few_phrases_are_refused(at_home: Path) -> None:
    result = CliRunner().invoke(main, ["model", "quality", "tiny", "--phrases", "5"])
    assert result.exit_code != 0
    assert "20" in result.output


def test_a_corpus_without_works_that_were_held_out_is_refused(
    at_home: Path, tmp_path: Path
) -> None:
    model = checkpoint.load("tiny")
    (tmp_path / "music").mkdir()
    known = set(checkpoint.work_ids(model.folder))
    trained = [w for w in Corpus.open("tunes").works if w.id in known]
    for work in trained:
        shutil.copy(at_home / "music" / Path(work.path).name, tmp_path / "music")
    other = Corpus.build(tmp_path / "music", tmp_path / "other", name="other", mine=True)
    with pytest.raises(NotFound, match="not trained on"):
        prompts.aside(model, other)


def test_held_out_works_are_those_without_a_version_in_the_training(at_home: Path) -> None:
    model = checkpoint.load("tiny")
    held = prompts.aside(model, Corpus.open("tunes"))
    assert held.works
    assert not set(held.works) & set(checkpoint.work_ids(model.folder))


def test_prompts_go_round_the_works_and_their_bars_follow_each_other(at_home: Path) -> None:
    model, corpus = checkpoint.load("tiny"), Corpus.open("tunes")
    held = prompts.aside(model, corpus)
    found = prompts.prompts(corpus, held, 1000)
    assert len(found) == len(held.works)
    assert [prompt.work_id for prompt in found] == list(held.works)
    for prompt in found:
        whole = corpus.phrase(prompt.work_id)
        assert (prompt.context.bars, prompt.truth.bars) == (prompts.CONTEXT, prompts.BARS)
        begin = prompt.context.length
        pitches = whole.notes[
            (whole.notes["onset"] >= begin) & (whole.notes["onset"] < begin + 8 * 1920)
        ]
        assert sorted(prompt.truth.notes["pitch"].tolist()) == sorted(pitches["pitch"].tolist())
    halves = prompts.halves(found)
    assert {p.group for p, h in zip(found, halves, strict=True) if h}.isdisjoint(
        p.group for p, h in zip(found, halves, strict=True) if not h
    )


def test_a_passage_in_two_metres_is_no_prompt() -> None:
    even = three_lines(1)
    signatures = [Signature(1920 * bar, *((3, 4) if bar % 5 else (4, 4))) for bar in range(25)]
    metre = Metre(even.metre.tempos, tuple(signatures), even.metre.keys)
    assert list(prompts._windows(Phrase(even.notes, metre, even.voices, even.length))) == []
    assert len(list(prompts._windows(even))) == 1


def test_no_prompt_long_enough_is_refused(at_home: Path) -> None:
    with pytest.raises(BadInput, match="legal is 4"):
        prompts.prompts(Corpus.open("tunes"), prompts.Aside((), {}, {}), 10)


def test_on_the_grid_twice_is_on_the_grid() -> None:
    once = prompts.on_grid(three_lines(3))
    assert prompts.on_grid(once) == once
    assert set(once.notes["velocity"].tolist()) == {prompts.LOUDNESS}


def test_a_table_takes_the_place_of_an_older_one_and_leaves_the_rest_of_the_card() -> None:
    card = f"# a model\n\n## Quality\n\nold\n{page.BEFORE}seeds\n"
    alike = Likeness({"degrees": 0.9, "register": 0.8}, 0.01, 0.2)
    judged = {"boosted": Told(0.6, 0.5, 0.7), "transformer": Told(0.55, 0.5, 0.6)}
    bits = {"bits_per_note": 3.0, "position": 1.0, "voice": 0.5, "pitch": 1.0, "duration": 0.5}
    held = Copying(20, 0.05, 0.1, -0.05, 0.02, (8.0, 12.0, 15), (9.0, 14.0, 20))
    led = Leading(0.1, 2.0, 0.01, 0.001)
    told = Quality(
        "m" * 64, "c" * 64, 0, 20, 18, 30, {"model": bits, "n-grams": bits},
        {"model": alike, "baseline": alike, "human": alike},
        {"model": judged, "baseline": judged}, held, Infill(20, 10, 0.6, 0.5, 0.7),
        Accompaniment(9, led, led, led),
        {"parameters": 1000, "steps": 5, "bits": bits},
    )  # fmt: skip
    assert told.classifier_auc == 0.6
    once = page.into(card, told, [{**told.plain_values(), "trained": 10}])
    assert page.into(once, told, [{**told.plain_values(), "trained": 10}]) == once
    assert once.count(page.START) == 1
    assert once.startswith("# a model\n\n## Quality\n\nold\n")
    assert once.endswith(f"{page.BEFORE}seeds\n")
    for words in (
        "0.600 (0.500 to 0.700)",
        "-0.050",
        "0.020",
        "60.0%",
        "one token",
        "| 10 |",
        "| 30 |",
    ):
        assert words in once
    assert page.START in page.into("no marks", told)
