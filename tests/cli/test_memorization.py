"""`musai audit memorization` and `musai model check`, with a model of random weights."""

import json
from pathlib import Path

import pytest

from musai.corpus import Corpus
from musai.transformer import checkpoint as ck
from tests.audit.takes import melody
from tests.cli.conftest import Run
from tests.transformer.models import SMALL


@pytest.fixture
def model(home: Path, tmp_path: Path) -> str:
    """The home's model with a recipe, and its works in a corpus of the home; one has a limit."""
    place = tmp_path / "music"
    place.mkdir()
    for seed in range(3):
        (place / f"{seed}.mid").write_bytes(melody(seed, 16).to_midi())
    terms = {"train": {"status": "allowed", "recall": 0.1}, "influence": "allowed"}
    rows = [
        {"path": f"{i}.mid", "title": f"Tune {i}", "terms": terms if i == 0 else {}}
        for i in range(3)
    ]
    (place / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    corpus = Corpus.build(place, home / "corpora" / "tunes", name="tunes", mine=True)
    folder = home / "models" / "random"
    shape = "".join(
        f"{name} = {getattr(SMALL, name)}\n"
        for name in ("width", "layers", "heads", "inner", "window")
    )
    (folder / ck.RECIPE).write_text(
        f'name = "random"\ncorpus = "tunes"\n[shape]\n{shape}[schedule]\n'
    )
    lines = "".join(f"{work.id},{work.title}\n" for work in corpus.works)
    (folder / ck.WORKS).write_text("id,title\n" + lines)
    ck.write_sums(folder)
    return "random"


def test_a_model_is_audited_and_checked_against_its_works_terms(run: Run, model: str) -> None:
    before = run("model", "check", model, "--corpus", "tunes")
    assert before.exit_code == 2
    assert "limit memorization and these were not audited" in before.output
    asked = ("audit", "memorization", "--model", model, "--corpus", "tunes", "--half-steps", 0)
    result = run(*asked, "--near", 1, "--threads", 1, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["summary"]["works"] == 3
    assert set(told["works"][0]["extraction"]) == {"1", "100", "10000"}
    page = Path(told["folder"]) / "memorization.md"
    assert page.read_text().startswith("# What random has by heart")
    after = run("model", "check", model, "--corpus", "tunes")
    assert after.exit_code == 0, after.output
    assert "all 1 works with a limit are within it" in after.stdout


def test_a_corpus_without_the_works_is_refused(
    run: Run, model: str, home: Path, tmp_path: Path
) -> None:
    place = tmp_path / "other"
    place.mkdir()
    (place / "a.mid").write_bytes(melody(50, 8).to_midi())
    Corpus.build(place, home / "corpora" / "other", mine=True)
    result = run("audit", "memorization", "--model", model, "--corpus", "other")
    assert result.exit_code == 3
    assert "holds none of the 3 works of model random" in result.output


def test_a_model_that_is_not_there_is_refused(run: Run) -> None:
    assert run("audit", "memorization", "--model", "gone").exit_code == 3
