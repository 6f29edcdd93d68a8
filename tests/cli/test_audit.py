"""`musai audit`: from the ledger and a corpus of the home folder."""

import json
from pathlib import Path

import pytest

from musai.corpus import Corpus
from tests.audit.takes import melody
from tests.cli.conftest import Run


@pytest.fixture
def corpus(home: Path, tmp_path: Path) -> str:
    """Thirty tunes."""
    place = tmp_path / "music"
    place.mkdir()
    for seed in range(30):
        (place / f"{seed}.mid").write_bytes(melody(seed, 16).to_midi())
    Corpus.build(place, home / "corpora" / "tunes", mine=True)
    return "tunes"


def test_the_last_takes_are_measured_by_a_corpus(run: Run, corpus: str) -> None:
    for seed in (1, 2, 3):
        run("generate", "--bars", 4, "--seed", seed, "--no-match")
    result = run("audit", "sameness", "--corpus", corpus, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["gauge"]["takes"] == 3
    assert 1 <= told["gauge"]["equals"] <= 3
    assert told["seeds"] == 3
    assert told["sentence"].startswith("These 3 takes are as varied as ")
    shown = run("audit", "sameness", "--corpus", corpus, "--session", "cli").stdout
    assert "Vendi score, order infinity" in shown


def test_too_few_takes_are_refused_with_the_sessions_that_are(run: Run, corpus: str) -> None:
    assert run("audit", "sameness", "--corpus", corpus).exit_code == 3
    run("generate", "--bars", 1, "--seed", 1, "--no-match")
    result = run("audit", "sameness", "--corpus", corpus)
    assert result.exit_code == 3
    assert "1 take of the ledger would be measured, and 2 are needed" in result.output
    assert "'cli'" in result.output


def test_a_corpus_that_is_not_there_is_refused(run: Run) -> None:
    assert run("audit", "sameness", "--corpus", "gone").exit_code == 3
