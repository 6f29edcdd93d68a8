"""kill -9 at any moment of an add leaves the corpus as it was, and a later add works."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from musai.corpus import Corpus
from musai.corpus.changes import add_to, remove
from musai.corpus.corpus import verify
from tests.corpus.makers import midi, phrase
from tests.corpus.test_store import work

ROOT = Path(__file__).parents[2]

SCRIPT = """
import os, signal, sys
from pathlib import Path
from musai.corpus import store
from musai.corpus.importers import add
source, folder, at = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def progress(done, total, what):
    if at == str(done):
        die()

if at == "before commit":
    store.commit = die
elif at == "while committing":
    sync = store._sync
    store._sync = lambda stream: die() if "catalogue" in stream.name else sync(stream)
elif at == "after commit":
    store.sweep = die
add(source, folder, "test", progress=progress, workers=1)
"""


def killed(source: Path, folder: Path, at: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(source), str(folder), at],
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for i in range(4):
        midi(tmp_path / "in" / f"{i}.mid", 20 + i)
    return tmp_path / "in"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.parametrize("at", ["1", "3", "4", "before commit", "while committing"])
def test_an_add_killed_before_its_commit_changes_nothing(
    source: Path, tmp_path: Path, at: str
) -> None:
    folder = tmp_path / "c"
    add_to(folder, "test", iter([work(phrase(i), f"Work {i}") for i in range(3)]))
    before = Corpus.open(folder)
    killed(source, folder, at)
    after = Corpus.open(folder)
    assert after.id == before.id
    assert verify(after) == []
    assert [after.phrase(w.id) for w in after.works] == [phrase(i) for i in range(3)]
    add_to(folder, "test", iter([work(phrase(9), "New")]))
    assert [w.title for w in Corpus.open(folder).works] == ["Work 0", "Work 1", "Work 2", "New"]
    assert Corpus.open(folder).store.notes_file.stat().st_size == 4 * 16 * 11


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_an_add_killed_after_its_commit_is_whole(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    killed(source, folder, "after commit")
    after = Corpus.open(folder)
    assert [after.phrase(w.id) for w in after.works] == [phrase(20 + i) for i in range(4)]
    assert verify(after) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_first_add_that_is_killed_leaves_no_corpus_and_can_be_made_again(
    source: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    killed(source, folder, "3")
    assert not (folder / "catalogue.jsonl").exists()
    add_to(folder, "test", iter([work(phrase(1), "New")]))
    assert len(Corpus.open(folder)) == 1


TAKEDOWN = """
import os, signal, sys
from pathlib import Path
from musai.corpus import Corpus, changes, store

store.sweep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
changes.remove(Corpus.open(Path(sys.argv[1])), sys.argv[2], on=None)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_notes_that_a_killed_takedown_left_are_gone_after_the_next_change(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    add_to(folder, "test", iter([work(phrase(i), f"Work {i}") for i in range(8)]))
    gone = phrase(3)
    done = subprocess.run(
        [sys.executable, "-c", TAKEDOWN, str(folder), gone.notes_id],
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    after = Corpus.open(folder)
    assert gone.notes_id not in after
    assert [t.id for t in after.takedowns] == [gone.notes_id]
    assert gone.notes.tobytes() in after.store.notes_file.read_bytes()
    remove(after, phrase(5).notes_id, on=None)
    assert gone.notes.tobytes() not in Corpus.open(folder).store.notes_file.read_bytes()
