"""Getting a corpus ready, for real, on a handful of tunes."""

import numpy as np

from musai.corpus import Corpus, folder_of
from musai.match.guard import SUGGESTED
from musai.music import Phrase
from musai.service.building import Preparer
from musai.service.styles import counted


def test_a_corpus_that_was_made_ready_has_its_index_its_style_and_a_guards_table(tmp_path):
    for k in range(3):
        pitches = 60 + np.resize([0, 2, 4, 5, 7, 5, 4, 2 + k], 32)
        tune = Phrase.from_notes(np.arange(32) / 2, 0.5, pitches)
        (tmp_path / f"tune {k}.mid").write_bytes(tune.to_midi())
    corpus = Corpus.build(tmp_path, folder_of("ready"), name="ready")
    assert not counted(corpus)
    told = []
    Preparer().prepare("ready", lambda *said: told.append(said))
    assert counted(corpus)
    assert (corpus.path / "index" / "current.json").is_file()
    assert list((corpus.path / "index").rglob(f"runs-*-{SUGGESTED}.bin"))
    assert {stage for stage, _, _ in told} >= {"index", "style"}
    assert all(0 <= share <= 1 for _, share, _ in told)
