"""`musai demo`: everything for real, over a small corpus under the default's name."""

import json
from pathlib import Path

import pytest

from musai.cli.demo import motif
from musai.corpus import Corpus
from musai.music import Phrase
from musai.report import from_plain
from musai.service.core import DEFAULT_CORPUS
from tests.cli.conftest import Run


@pytest.fixture
def corpus(home: Path, tmp_path: Path) -> Corpus:
    files = []
    for number in range(3):
        rise = [60 + (number * i * 5 + i) % 24 for i in range(24)]
        path = tmp_path / f"tune {number}.mid"
        path.write_bytes(Phrase.from_notes(range(24), [1] * 24, rise).to_midi())
        files.append(path)
    return Corpus.build(files, home / "corpora" / DEFAULT_CORPUS)


def test_the_motif_is_two_bars_that_a_person_could_play() -> None:
    phrase = motif()
    assert phrase.bars == 2
    assert phrase.length == phrase.metre.signatures[0].bar_ticks * 2
    assert len(set(phrase.notes["velocity"].tolist())) > 3


@pytest.mark.slow
def test_the_whole_way_leaves_three_files_made_anew(run: Run, corpus: Corpus) -> None:
    out = Path("out")
    out.mkdir()
    (out / "report.html").write_text("old")
    first = run("demo", "--seed", 7, "--out", out)
    assert first.exit_code == 0, first.output
    for word in ("seed", "first note", "verdict", "longest run", "musai replay", "musai serve"):
        assert word in first.output
    report = from_plain(json.loads((out / "report.json").read_text()))
    phrase = Phrase.from_midi(out / "phrase.mid")
    assert report.subject.phrase_id == phrase.id
    assert report.corpus is not None
    assert report.corpus.works == 3
    assert (out / "report.html").read_text().startswith("<!")
    again = json.loads(run("demo", "--seed", 7, "--out", out, "--json").stdout)
    other = json.loads(run("demo", "--seed", 8, "--out", out, "--json").stdout)
    assert again["phrase_id"] == phrase.id
    assert other["phrase_id"] != phrase.id
    assert run("replay", again["replay_id"][:12]).stdout.startswith("identical")
