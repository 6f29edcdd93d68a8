"""The service over real worker processes: the walk of a request, its failures, its record."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from musai.errors import Altered, BadInput, BadRequest, MusaiError, NotFound
from musai.music import TICKS, Phrase
from musai.service import Service, ServiceLike
from musai.service.events import Compared, Finished, Sounded, Started
from musai.service.fairness import MAX_WAITING_SESSION
from musai.transformer.request import Request
from tests.service.conftest import Make
from tests.service.ears import PATIENCE, Ears

SLOW = Request(bars=64, collection="slow")


def play(service: Service, request: Request, session: str = "") -> Ears:
    ears = Ears()
    service.submit(request, ears, session=session)
    ears.end()
    return ears


def test_a_phrase_starts_sounds_finishes_and_is_compared(service: Service) -> None:
    assert isinstance(service, ServiceLike)
    ears = Ears()
    ticket = service.submit(Request(bars=2, seed=7), ears)
    compared = ears.end()
    kinds = [type(event) for event in ears.events]
    assert kinds == [Started, *[Sounded] * 16, Finished, Compared]
    assert {event.ticket for event in ears.events} == {ticket}
    assert [s.index for s in ears.of(Sounded)] == list(range(16))
    assert (ears.finished.notes, ears.finished.bars) == (16, 2)
    phrase = service.phrase(ears.finished.phrase_id)
    assert ears.finished.checksum == phrase.notes_id[:8]
    assert [tuple(note) for note in phrase.notes.tolist()] == ears.notes
    assert (compared.light, compared.sentence) == ("grey", "no corpus is in use")


def test_the_phrase_is_in_the_ledger_before_it_is_announced(service: Service) -> None:
    seen: list[list[str]] = []
    ears = Ears()

    def look(event: Any) -> None:
        if isinstance(event, Finished):
            records = service.ledger.find("replay_id", event.replay_id)
            seen.append([record.kind for record in records])
        ears(event)

    service.submit(Request(seed=93), look)
    ears.end()
    assert seen == [["request", "phrase"]]
    assert [r.kind for r in service.ledger.find("phrase_id", ears.finished.phrase_id)] == [
        "phrase",
        "match",
    ]


def test_the_request_is_recorded_with_all_that_it_depends_on(service: Service) -> None:
    context = Phrase.from_notes([0, 1], [1, 1], [60, 62])
    request = Request(mode="answer", context=context, bars=1, seed=3, tempo=90.5, register=(40, 80))
    ears = play(service, request, session="tuesday")
    payload = service.ledger.last(9, "request", "tuesday")[0].payload
    assert payload is not None
    assert Request.from_dict(payload["request"]) == request
    assert payload["model"] == "fake"
    assert request.replay_id(payload["model_id"], payload["corpus_id"]) == ears.started.replay_id
    made_with = payload["made_with"]
    assert {"musai", "python", "numpy", "platform", "blas", "environment"} <= made_with.keys()
    assert made_with["environment"]["OPENBLAS_NUM_THREADS"] == "1"
    assert all(pool["num_threads"] == 1 for pool in made_with["blas"])


def test_a_worker_imports_neither_torch_nor_the_web_nor_the_database(service: Service) -> None:
    play(service, Request())
    assert service.describe()["model"]["loaded"] == []


def test_the_same_request_gives_the_same_notes_alone_or_among_others(service: Service) -> None:
    request = Request(bars=8, seed=11)
    alone = play(service, request).notes
    crowd = [Ears() for _ in range(6)]
    for seed, ears in enumerate(crowd):
        chosen = request if seed == 3 else Request(bars=8, seed=seed)
        service.submit(chosen, ears, session=f"client {seed}")
    for ears in crowd:
        ears.end()
    assert crowd[3].notes == alone


def test_phrases_of_different_sessions_sound_at_once_and_of_one_session_in_turn(
    service: Service, tmp_path: Path
) -> None:
    order: list[tuple[str, type]] = []
    # The first phrase goes on only when all have been asked for.
    gate = tmp_path / "all are asked for"
    all_ears: list[Ears] = []
    for name in ("a1", "a2", "b1"):
        ears = Ears()
        all_ears.append(ears)

        def hear(event: Any, name: str = name, ears: Ears = ears) -> None:
            order.append((name, type(event)))
            ears(event)

        waits = f"waits {gate}" if name == "a1" else None
        service.submit(Request(bars=16, seed=1, collection=waits), hear, session=name[0])
    gate.touch()
    for ears in all_ears:
        ears.end()

    def first(name: str, kind: type) -> int:
        return order.index((name, kind))

    assert first("b1", Sounded) < first("a1", Finished)
    assert first("a2", Started) > first("a1", Sounded)
    last_of_a1 = max(i for i, entry in enumerate(order) if entry == ("a1", Sounded))
    assert first("a2", Sounded) > last_of_a1


def test_cancel_stops_a_phrase_midway(service: Service) -> None:
    ears = Ears()
    ticket = service.submit(SLOW, ears)
    ears.until(Sounded, count=3)
    assert service.cancel(ticket)
    failed = ears.end()
    assert (failed.kind, failed.reason) == ("Cancelled", "cancelled while it played")
    assert len(ears.notes) < 512
    assert not service.cancel(ticket)
    assert not service.cancel(12345)
    kinds = [record.kind for record in service.ledger.last(2)]
    assert kinds == ["failure", "request"]
    assert len(play(service, Request(bars=1)).notes) == 8


def test_cancel_takes_a_waiting_request_out_of_the_queue(service: Service) -> None:
    playing, waiting = Ears(), Ears()
    one = service.submit(SLOW, playing, session="s")
    two = service.submit(Request(), waiting, session="s")
    playing.until(Sounded)
    assert service.cancel(two)
    assert waiting.end().reason == "cancelled before it began"
    assert waiting.of(Started) == []
    service.cancel(one)


def test_again_is_the_same_request_with_the_next_seed(service: Service) -> None:
    first = play(service, Request(bars=2, seed=7, tempo=100))
    ears = Ears()
    service.again(first.finished.phrase_id[:12], ears)
    ears.end()
    assert ears.notes == play(service, Request(bars=2, seed=8, tempo=100)).notes
    with pytest.raises(NotFound, match="no phrase_id 'ffffffffffff'"):
        service.again("f" * 12, ears)


def test_keep_and_discard_are_recorded(service: Service) -> None:
    ears = play(service, Request(seed=94), session="s")
    service.keep(ears.finished.phrase_id, "for  the\nbridge")
    service.discard(ears.finished.phrase_id[:8])
    decisions = service.ledger.find("phrase_id", ears.finished.phrase_id, "decision")
    assert [(r.payload or {})["decision"] for r in decisions] == ["kept", "discarded"]
    assert [(r.payload or {}).get("intent") for r in decisions] == ["for the bridge", None]
    assert service.history.row(ears.finished.phrase_id).intent == "for the bridge"
    with pytest.raises(BadInput, match="length of the intent is 501"):
        service.keep(ears.finished.phrase_id, "a" * 501)
    with pytest.raises(NotFound):
        service.keep("0" * 64)


@pytest.mark.parametrize(
    ("collection", "kind", "reason"),
    [
        ("refused", "BadRequest", "collection is 'refused'; legal is any other"),
        ("break", "ZeroDivisionError", "internal error: ZeroDivisionError: a defect"),
    ],
)
def test_an_error_ends_its_own_phrase_and_no_other(
    service: Service, collection: str, kind: str, reason: str
) -> None:
    other = Ears()
    service.submit(Request(bars=8), other, session="other")
    failed = play(service, Request(collection=collection), session="one").end()
    assert (failed.kind, failed.reason) == (kind, reason)
    assert isinstance(other.end(), Compared)
    assert service.describe()["workers"]["play"]["restarts"] == 0


def test_what_a_library_prints_does_not_garble_the_pipe(service: Service) -> None:
    assert len(play(service, Request(bars=1, collection="chatty")).notes) == 8


def test_a_worker_killed_mid_phrase_says_so_and_is_replaced(make: Make) -> None:
    service = make()
    ears, waiting = Ears(), Ears()
    service.submit(SLOW, ears, session="s")
    service.submit(Request(bars=1), waiting, session="s")
    ears.until(Sounded, count=2)
    before = service.describe()["workers"]["play"]
    os.kill(before["pid"], 9)
    failed = ears.end()
    assert failed.kind == "WorkerDied"
    assert "SIGKILL" in failed.reason
    assert "started again" in failed.reason
    assert isinstance(waiting.end(), Compared), "what waited is played by the next worker"
    after = service.describe()["workers"]["play"]
    assert after["pid"] != before["pid"]
    assert after["restarts"] == 1


def test_a_player_that_kills_its_process_each_time_keeps_failing_cleanly(make: Make) -> None:
    service = make()
    for _ in range(2):
        failed = play(service, Request(collection="die")).end()
        assert failed.kind == "WorkerDied"
    assert isinstance(play(service, Request(bars=1)).end(), Compared)


def test_a_phrase_that_ignores_its_cancelling_costs_the_worker_its_life(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("musai.service.desk.CANCEL_SECONDS", 0.1)
    service = make()
    ears = Ears()
    stuck = tmp_path / "stuck"
    ticket = service.submit(Request(collection=f"stuck {stuck}"), ears)
    deadline = time.monotonic() + PATIENCE
    while not stuck.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    service.cancel(ticket)
    assert ears.end().kind == "WorkerDied"


def test_a_missing_model_fails_each_request_and_says_what_is_legal(make: Make) -> None:
    service = make(model="missing")
    for _ in range(2):
        failed = play(service, Request()).end()
        assert (failed.kind, failed.reason) == ("NotFound", "no model 'missing'; legal is fake")
    described = service.describe()
    assert described["model"] is None
    assert described["workers"]["play"]["fault"] == "no model 'missing'; legal is fake"


def test_a_worker_that_never_gets_ready_is_not_started_for_ever(make: Make) -> None:
    service = make(model="crash")
    failed = play(service, Request()).end()
    assert failed.kind == "WorkerDied"
    assert "exit code 9; it could not be started again" in failed.reason.replace("\n", " ")
    assert service.describe()["workers"]["play"]["state"] == "dead"
    assert play(service, Request()).end().kind == "WorkerDied", "asked again, it tries again"


def test_a_full_queue_refuses_and_says_how_much_is_legal(make: Make) -> None:
    service = make()
    first = Ears()
    service.submit(SLOW, first, session="s")
    first.until(Sounded)
    for _ in range(MAX_WAITING_SESSION):
        service.submit(Request(), Ears(), session="s")
    with pytest.raises(BadRequest, match=f"legal is {MAX_WAITING_SESSION}"):
        service.submit(Request(), Ears(), session="s")
    other = Ears()
    service.submit(Request(bars=1), other, session="other")
    assert isinstance(other.end(), Compared), "another session does not wait for the full one"


def test_too_long_a_context_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musai.service.core.MAX_CONTEXT_NOTES", 1)
    context = Phrase.from_notes([0, 1], [1, 1], [60, 62])
    with pytest.raises(BadInput, match="has 2 notes; legal is up to 1"):
        service.submit(Request(mode="answer", context=context), Ears())


def test_a_callback_that_raises_harms_nobody(service: Service) -> None:

    def bad(event: Any) -> None:
        raise RuntimeError("the page went away")

    service.submit(Request(), bad, session="bad")
    assert isinstance(play(service, Request(), session="good").end(), Compared)


def test_a_callback_may_keep_the_phrase_that_it_hears_of(service: Service) -> None:
    ears = Ears()

    def keep(event: Any) -> None:
        if isinstance(event, Finished):
            service.keep(event.phrase_id)
        ears(event)

    service.submit(Request(seed=91), keep)
    ears.end()
    assert len(service.ledger.find("phrase_id", ears.finished.phrase_id, "decision")) == 1


def test_closing_tells_who_waits_and_leaves_no_process(make: Make) -> None:
    service = make()
    playing, waiting = Ears(), Ears()
    service.submit(SLOW, playing, session="s")
    service.submit(SLOW, waiting, session="s")
    playing.until(Sounded)
    pid = service.describe()["workers"]["play"]["pid"]
    service.close()
    assert [ears.end().kind for ears in (playing, waiting)] == ["Closed", "Closed"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    service.close()


def test_a_service_that_is_killed_leaves_no_worker_behind(make: Make) -> None:
    """The worker ends when its pipe closes: here the pipe alone is closed, as a kill would."""
    service = make()
    play(service, Request())
    child = service._desk._post._child
    assert child is not None
    child._process.stdin.close()  # type: ignore[union-attr]
    deadline = time.monotonic() + PATIENCE
    while child._process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert child._process.poll() == 0


class TestReplay:
    def test_is_identical_and_says_so(self, service: Service) -> None:
        first = play(service, replace(Request(bars=2, seed=5), temperature=0.5), session="s")
        ears = Ears()
        service.replay(first.started.replay_id[:10], ears)
        assert isinstance(ears.end(), Compared)
        assert ears.finished.replay == "identical"
        assert ears.finished.replay_id == first.started.replay_id
        assert ears.finished.phrase_id == first.finished.phrase_id
        assert ears.notes == first.notes
        last = service.ledger.last(1, "replay")[0].payload
        assert last is not None
        assert last["verdict"] == "identical"

    def test_works_in_a_new_process_over_the_same_ledger(self, make: Make) -> None:
        service = make()
        first = play(service, Request(seed=5))
        service.close()
        ears = Ears()
        make().replay(first.started.replay_id, ears)
        assert ears.finished.replay == "identical"

    def test_names_the_first_note_that_differs(self, make: Make) -> None:
        first = play(make(), Request(seed=5))
        pitch = first.notes[4][2]
        ears = Ears()
        make("FlippingPlayer").replay(first.started.replay_id, ears)
        assert ears.finished.replay == f"differs at note 5: pitch {pitch} became {pitch + 1}"

    def test_refuses_an_altered_model(self, make: Make) -> None:
        first = play(make(), Request())
        ears = Ears()
        make("OtherPlayer").replay(first.started.replay_id, ears)
        failed = ears.end()
        assert failed.kind == "Altered"
        assert "no longer the one that made this phrase" in failed.reason
        assert ears.of(Sounded) == []

    def test_refuses_another_model_and_names_the_right_one(self, make: Make) -> None:
        first = play(make(), Request())
        ears = Ears()
        make("RenamedPlayer").replay(first.started.replay_id, ears)
        failed = ears.end()
        assert (failed.kind, "--model fake" in failed.reason) == ("NotFound", True)

    def test_of_an_unknown_id_is_not_found(self, service: Service) -> None:
        with pytest.raises(NotFound, match="no replay_id 'abcdabcd'"):
            service.replay("abcdabcd", Ears())

    def test_of_an_erased_phrase_is_not_found(self, service: Service) -> None:
        first = play(service, Request(seed=92))
        (record,) = service.ledger.find("phrase_id", first.finished.phrase_id, "phrase")
        service.ledger.erase([record.seq], "asked", utc=service._clock())
        with pytest.raises(NotFound, match="or it was erased"):
            service.replay(first.started.replay_id, Ears())

    def test_of_an_altered_record_is_refused(self, make: Make) -> None:
        import sqlite3

        service = make()
        first = play(service, Request())
        service.close()
        connection = sqlite3.connect(service.ledger.path)
        connection.execute("UPDATE payload SET body = replace(body, '4d54', '4d55')")
        connection.commit()
        connection.close()
        with pytest.raises(Altered, match="record 1 was altered"):
            make().replay(first.started.replay_id, Ears())


def test_the_fake_plays_eighths() -> None:
    """What the tests above rely on."""
    from tests.service.fakes import FakePlayer

    player, request = FakePlayer("x"), Request(bars=2)
    notes = list(player.generate(request))
    assert player.phrase(request, notes).length == 8 * TICKS


def test_a_phrase_that_cannot_be_recorded_is_not_announced(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make()
    real = service.ledger.append

    def full(kind: str, payload: Any, **rest: Any) -> Any:
        if kind == "phrase":
            raise MusaiError("the ledger could not be written: disk is full")
        return real(kind, payload, **rest)

    monkeypatch.setattr(service.ledger, "append", full)
    ears = play(service, Request())
    assert (
        ears.end().reason == "made but not recorded: the ledger could not be written: disk is full"
    )
    assert ears.of(Finished) == []
