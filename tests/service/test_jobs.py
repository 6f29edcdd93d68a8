"""Long work that is watched, cancelled and never done twice."""

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from musai.corpus import store
from musai.errors import BadInput, NotFound
from musai.music import Phrase
from musai.service.comparing import Answer, grey
from musai.service.jobs import Handle, Jobs
from musai.service.reports import Reports
from musai.service.rows import JobRow
from musai.service.tasks import Tasks
from tests.corpus.makers import midi
from tests.report.fixtures import QUOTE
from tests.service.desk import Clock, World, world

PATIENCE = 60.0


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs(Clock())
    yield made
    made.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    made = world(tmp_path / "home")
    yield made
    made.ledger.close()


class Comparer:
    """Compares nothing, but says what it was asked; `gate` holds it up."""

    at_once = 1

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate: Callable[[Handle], None] = lambda handle: None

    def corpora_in_use(self) -> list[dict[str, str]]:
        return [{"name": "reels", "id": "1"}]

    def compare_file(self, phrase: Phrase, handle: Handle) -> Answer:
        self.asked.append(phrase.id)
        self.gate(handle)
        return Answer(grey("no null"), [], 1.0)


@pytest.fixture
def comparer() -> Comparer:
    return Comparer()


@pytest.fixture
def tasks(here: World, jobs: Jobs, comparer: Comparer) -> Tasks:
    reports = Reports(here.history, here.catalogue, here.ledger, here.clock)
    return Tasks(jobs, here.ledger, here.catalogue, comparer, reports, here.clock)


def test_a_job_tells_its_progress_and_its_result(jobs: Jobs) -> None:
    heard: list[JobRow] = []
    jobs.listen(heard.append)

    def work(handle: Handle) -> dict[str, Any]:
        handle.progress(1, 2, "first")
        handle.fail("b.mid", "not MIDI")
        return {"made": 1}

    row = jobs.wait(jobs.start("match", ["a"], work).id, PATIENCE)
    assert (row.state, row.result, row.failures) == ("done", {"made": 1}, [("b.mid", "not MIDI")])
    assert [one.state for one in heard] == ["waiting", "running", "running", "running", "done"]
    assert (heard[2].done, heard[2].total, heard[2].doing) == (1, 2, "first")


def test_the_same_work_is_the_same_job_until_it_fails(jobs: Jobs) -> None:
    ran = []

    def work(handle: Handle) -> dict[str, Any]:
        ran.append(1)
        if len(ran) == 2:
            raise BadInput("not today")
        return {}

    first = jobs.wait(jobs.start("import", ["x"], work).id, PATIENCE)
    assert jobs.start("import", ["x"], work) == first
    other = jobs.wait(jobs.start("import", ["y"], work).id, PATIENCE)
    assert (other.state, other.error) == ("failed", "not today")
    again = jobs.wait(jobs.start("import", ["y"], work).id, PATIENCE)
    assert (again.id, again.state, len(ran)) == (other.id, "done", 3)


def test_a_running_and_a_waiting_job_can_be_cancelled(jobs: Jobs, tmp_path: Path) -> None:
    begun = threading.Event()
    uploads = tmp_path / "uploads"
    uploads.mkdir()

    def work(handle: Handle) -> dict[str, Any]:
        begun.set()
        while not handle.stop.wait(PATIENCE):
            pass
        handle.check()
        return {}

    running = jobs.start("match", ["a"], work)
    waiting = jobs.start("match", ["b"], work, tidy=uploads)
    assert begun.wait(PATIENCE)
    assert jobs.cancel(waiting.id).state == "cancelled"
    jobs.cancel(running.id)
    assert jobs.wait(running.id, PATIENCE).state == "cancelled"
    jobs.close()
    assert not uploads.exists()


def test_a_defect_in_a_job_is_told_and_the_next_one_runs(jobs: Jobs) -> None:
    def broken(handle: Handle) -> dict[str, Any]:
        raise ZeroDivisionError("a defect")

    row = jobs.wait(jobs.start("match", ["a"], broken).id, PATIENCE)
    assert (row.state, row.error) == ("failed", "ZeroDivisionError: a defect")
    assert jobs.wait(jobs.start("match", ["b"], lambda handle: {}).id, PATIENCE).state == "done"
    with pytest.raises(NotFound, match="no job"):
        jobs.get("nothing")


def test_dropped_files_are_in_the_ledger_before_they_are_compared(
    here: World, jobs: Jobs, tasks: Tasks, comparer: Comparer, tmp_path: Path
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "1").with_suffix(".mid").write_bytes(QUOTE.to_midi())
    (drop / "2.mid").write_bytes(b"MThd rubbish")
    (drop / "3.txt").write_text("words")
    seen: list[int] = []
    comparer.gate = lambda handle: seen.append(len(here.ledger.last(9, "file")))
    files = [("Lied.mid", drop / "1.mid"), ("b.mid", drop / "2.mid"), ("c.txt", drop / "3.txt")]
    row = jobs.wait(tasks.match_files(files, session="monday", tidy=drop).id, PATIENCE)
    assert row.state == "done", row.error
    assert [name for name, _ in row.failures] == ["c.txt", "b.mid"]
    assert seen == [1]
    assert row.result["phrases"] == [
        {"file": "Lied.mid", "phrase_id": comparer.asked[0], "light": "grey"}
    ]
    told = here.history.row(comparer.asked[0])
    assert (told.origin, told.name, told.session) == ("file", "Lied.mid", "monday")
    assert not drop.exists()


def test_cancelling_between_files_keeps_what_was_compared(
    here: World, jobs: Jobs, tasks: Tasks, comparer: Comparer, tmp_path: Path
) -> None:
    files = [(f"{n}.mid", midi(tmp_path / f"{n}.mid", n)) for n in range(3)]

    def cancel(handle: Handle) -> None:
        if len(comparer.asked) == 2:
            jobs.cancel(jobs.list()[0].id)
            handle.check()

    comparer.gate = cancel
    row = jobs.wait(tasks.match_files(files).id, PATIENCE)
    assert row.state == "cancelled"
    assert len(here.ledger.last(9, "match")) == 1


def test_works_are_imported_with_what_failed_and_recorded(
    here: World, jobs: Jobs, tasks: Tasks, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    midi(folder / "a.mid")
    (folder / "b.mid").write_bytes(b"not MIDI")
    (folder / "manifest.csv").write_text("path,title,licence\na.mid,Ein Lied,CC0-1.0\nb.mid,B,\n")
    row = jobs.wait(tasks.import_works(folder, "songs", who="Ann").id, PATIENCE)
    assert row.state == "done", row.error
    assert (row.result["added"], row.result["left_out"]) == (1, 1)
    assert [name for name, _ in row.failures] == ["b.mid"]
    assert [one.title for one in here.catalogue.works("songs").rows] == ["Ein Lied"]
    assert here.history.changes()[0].text == "Ann added 1 work to songs, 1 file left out"


def test_a_cancelled_import_leaves_the_corpus_as_it_was(
    here: World, jobs: Jobs, tasks: Tasks, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    for n in range(3):
        midi(folder / f"{n}.mid", n)
    before = here.corpus.id
    jobs.listen(lambda row: row.done == 2 and jobs.cancel(row.id))
    row = jobs.wait(tasks.import_works(folder, "reels", who="Ann").id, PATIENCE)
    assert (row.state, here.corpus.id) == ("cancelled", before)


def test_a_full_disk_during_import_loses_nothing_and_says_what_to_do(
    here: World, jobs: Jobs, tasks: Tasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new"
    midi(folder / "a.mid")
    before = here.corpus.id, sorted(p.stat().st_size for p in here.corpus.path.glob("*.bin"))

    def full(stream: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store, "_sync", full)
        row = jobs.wait(tasks.import_works(folder, "reels", who="Ann").id, PATIENCE)
    assert row.state == "failed"
    assert "the disk is full" in row.error
    assert "the corpus is as it was before" in row.error
    sizes = sorted(p.stat().st_size for p in here.corpus.path.glob("*.bin"))
    assert (here.corpus.id, sizes) == before
    again = jobs.wait(tasks.import_works(folder, "reels", who="Ann").id, PATIENCE)
    assert again.state == "done", again.error
