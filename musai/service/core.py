"""Service: the use-cases.  Generate, match, record, replay, report; sockets are others' affair."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import musai
from musai import folders
from musai.errors import BadInput, MusaiError
from musai.evidence.difference import IDENTICAL, notewise
from musai.ledger import Ledger
from musai.music import Phrase
from musai.report import to_json
from musai.service import in_use, records, wire
from musai.service.announcer import Announcer
from musai.service.child import Setting
from musai.service.comparing import Answer, Bench, under_guard
from musai.service.desk import Desk, Ticket, failed
from musai.service.events import Compared, Finished
from musai.service.fairness import AT_ONCE, MAX_WAITING, MAX_WAITING_SESSION
from musai.service.interface import OnEvent
from musai.service.jams import JamBoard
from musai.service.printed import fingerprinted, held_against
from musai.service.replays import changed_settings
from musai.service.reporting import report_of
from musai.service.rights import Rights
from musai.service.varieties import Varieties
from musai.transformer.controls import RANGES
from musai.transformer.request import Request

PLAYER = "musai.transformer.player:Player.open"
MATCHER = "musai.service.building:open_matcher"
BUILDER = "musai.service.building:Preparer"
DEFAULT_CORPUS = "tunebook"
MAX_CONTEXT_NOTES = 20_000

Clock = Callable[[], datetime]


def now() -> datetime:
    """The wall clock; the only one in this room."""
    return datetime.now(UTC)


class Service:
    """Implements `ServiceLike`; see there for what each method promises.

    Two processes work for it, each started once and kept warm: the player and
    the matcher; a third, the builder, where `build` is true and a corpus lacks
    something.  `player`, `matcher` and `builder` name callables as
    "module:name"; they take a model's name or None, a corpus's name, nothing.
    `threads` is what BLAS may use in each process.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        model: str | None = None,
        corpora: Sequence[str] = (DEFAULT_CORPUS,),
        build: bool = False,
        threads: int = 1,
        clock: Clock = now,
        player: str = PLAYER,
        matcher: str = MATCHER,
        builder: str = BUILDER,
    ) -> None:
        self.home = folders.home() if home is None else home
        self._clock = clock
        self.ledger = Ledger.open(folders.ledger_file(self.home))
        self._announcer = Announcer()
        setting = Setting(self.home, threads)
        self._bench = Bench(corpora, matcher, builder, build, setting)
        self._desk = Desk(self, player, model, setting)
        rights = Rights(self.home, self.ledger, self._bench, clock)
        self.shelves, self.history, self.catalogue = (
            rights.shelves,
            rights.history,
            rights.catalogue,
        )
        self.jams = JamBoard(clock)
        self.jobs, self.tasks, self.reports = rights.jobs, rights.tasks, rights.reports
        self._varieties = Varieties(self.ledger, self.shelves, self._bench_names)
        self._closed = False

    def submit(
        self,
        request: Request,
        on_event: OnEvent,
        *,
        session: str = "",
        terms: Mapping[str, Any] | None = None,
    ) -> int:
        """See `ServiceLike`; `terms` are recorded with the request."""
        if request.context is not None and len(request.context) > MAX_CONTEXT_NOTES:
            raise BadInput(
                f"the context has {len(request.context)} notes; legal is up to {MAX_CONTEXT_NOTES}"
            )
        return self._desk.submit(request, on_event, session, terms=terms)

    def prefill(self, request: Request, *, topic: str = "", played: float = 1.0) -> None:
        """See `ServiceLike`."""
        if request.context is not None and len(request.context) <= MAX_CONTEXT_NOTES:
            self._desk.prefill(request, topic, played)

    def again(self, phrase_id: str, on_event: OnEvent, *, session: str = "") -> int:
        """See `ServiceLike`."""
        replay_id = records.replay_id_of(records.phrase_record(self.ledger, phrase_id))
        asked = records.request_record(self.ledger, replay_id)
        return self.submit(Request.from_dict(asked["request"]).again(), on_event, session=session)

    def cancel(self, ticket: int) -> bool:
        """See `ServiceLike`."""
        return self._desk.cancel(ticket)

    def keep(self, phrase_id: str, intent: str = "") -> None:
        """See `ServiceLike`."""
        records.decide(self.ledger, phrase_id, "kept", utc=self._clock(), intent=intent)

    def discard(self, phrase_id: str) -> None:
        """See `ServiceLike`."""
        records.decide(self.ledger, phrase_id, "discarded", utc=self._clock())

    def replay(self, replay_id: str, on_event: OnEvent) -> int:
        """See `ServiceLike`."""
        request, known, session = records.recorded(self.ledger, replay_id)
        return self._desk.submit(request, on_event, session, known)

    def use(self, corpus: str) -> None:
        """Compare phrases with this corpus too from now on, also after a new start; what it lacks is
        built behind."""
        in_use.keep(self.home, corpus)
        self._bench.use(corpus)

    def describe(self) -> dict[str, Any]:
        """See `ServiceLike`."""
        bench = self._bench.describe()
        posts = {"play": self._desk.describe(), "match": bench["match"], "build": bench["build"]}
        limits: dict[str, Any] = {name: [low, high] for name, (low, high, _) in RANGES.items()}
        limits |= {
            "context_notes": MAX_CONTEXT_NOTES,
            "queue": MAX_WAITING,
            "queue_session": MAX_WAITING_SESSION,
            "at_once": AT_ONCE,
        }
        return {
            "version": musai.__version__,
            "model": self._desk.about,
            "corpora": bench["corpora"],
            "light": bench["light"],
            "workers": posts,
            "waiting": self._desk.waiting,
            "ledger": {"records": len(self.ledger)},
            "limits": limits,
        }

    def report(self, phrase_id: str) -> dict[str, Any]:
        """See `ServiceLike`."""
        values: dict[str, Any] = json.loads(
            to_json(report_of(self.ledger, phrase_id, self.shelves))
        )
        return values

    def phrase(self, phrase_id: str) -> Phrase:
        """See `ServiceLike`."""
        return records.phrase_of(records.phrase_record(self.ledger, phrase_id))

    def close(self) -> None:
        """See `ServiceLike`."""
        if self._closed:
            return
        self._closed = True
        self.jobs.close()
        self._desk.close()
        self._bench.close()
        self._announcer.close()
        self.ledger.close()

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # What the desk hands on.  Each is called from a pipe's reader thread and only queues.

    def corpora_in_use(self) -> list[dict[str, str]]:
        """Name and id of every corpus that phrases are compared with now."""
        return self._bench.in_use

    def _bench_names(self) -> list[str]:
        return [row["name"] for row in self._bench.in_use]

    def corpora_named(self) -> list[str]:
        """The corpora that a guard is to hold against."""
        about = self._desk.about or {}
        return held_against(self._bench.names, str(about.get("name", "")))

    def began(self, ticket: Ticket) -> None:
        """Put the request on its way to the ledger."""
        if ticket.recorded is None:
            self._announcer.do(lambda: self._record_request(ticket))

    def made(self, ticket: Ticket, made: wire.Made) -> None:
        """Record, then announce, then compare."""
        total_ms = ticket.age_ms
        self._announcer.do(lambda: self._finish(ticket, made, total_ms))

    def failed(self, ticket: Ticket, kind: str, reason: str) -> None:
        """Tell, and record what had been promised a replay id."""
        self._announcer.do(lambda: self._fail(ticket, kind, reason))

    # From here on in the announcer's thread.

    def _record_request(self, ticket: Ticket) -> None:
        ticket.recording = self.ledger.append_soon(
            "request",
            records.request_payload(
                ticket.request,
                ticket.replay_id,
                ticket.session,
                ticket.model,
                ticket.corpus_id,
                ticket.corpora,
                ticket.made_with,
                ticket.guard,
                ticket.terms,
            ),
            utc=self._clock(),
        )

    def _finish(self, ticket: Ticket, made: wire.Made, total_ms: float) -> None:
        try:
            replay = self._record_made(ticket, made, total_ms)
        except MusaiError as error:
            self._fail(ticket, type(error).__name__, f"made but not recorded: {error}")
            return
        ticket.tell(
            Finished(
                ticket.number,
                made.phrase_id,
                ticket.replay_id,
                made.notes,
                made.bars,
                made.notes_id[:8],
                ticket.first_note_ms,
                total_ms,
                replay,
            )
        )
        self._bench.compare(
            ticket.number,
            made.phrase,
            lambda answer: self._announcer.do(lambda: self._compared(ticket, made, answer)),
        )

    def _record_made(self, ticket: Ticket, made: wire.Made, total_ms: float) -> str | None:
        """Append phrase or replay and wait for the disk.  What a replay came to, or None."""
        if ticket.recorded is None:
            if ticket.recording is None:
                raise MusaiError("its request could not be recorded")
            ticket.recording.result()
            payload = records.phrase_payload(
                made, ticket.replay_id, ticket.session, ticket.first_note_ms, total_ms
            )
            self.ledger.append("phrase", payload, utc=self._clock())
            return None
        outcome = notewise(ticket.recorded.phrase, made.phrase.phrase())
        changed = changed_settings(ticket.recorded.made_with, dict(ticket.made_with))
        payload = records.replay_payload(made, ticket.recorded, outcome, changed)
        self.ledger.append("replay", payload, utc=self._clock())
        return outcome if outcome == IDENTICAL or not changed else f"{outcome}; {changed}"

    def _compared(self, ticket: Ticket, made: wire.Made, answer: Answer) -> None:
        answer = under_guard(answer, ticket.guard)
        answer = fingerprinted(answer, made.phrase.phrase(), str(ticket.model.get("name", "")))
        payload = records.match_payload(made.phrase_id, ticket.session, answer)
        try:
            self.ledger.append("match", payload, utc=self._clock())
        except MusaiError as error:
            self._fail(ticket, type(error).__name__, f"compared but not recorded: {error}")
            return
        found = answer.verdict
        rows = answer.corpora
        varied = self._varieties.heard(ticket.session, made.phrase.phrase())
        nearest: dict[str, Any] = next(iter(rows[0]["hits"]), {}) if rows else {}
        ticket.tell(
            Compared(
                ticket.number,
                made.phrase_id,
                found["light"],
                found["sentence"],
                found["p_value"],
                found["longest_run"],
                nearest.get("work_id"),
                nearest.get("title"),
                nearest.get("licence"),
                answer.ms,
                *varied,
            )
        )
        ticket.ended = True

    def _fail(self, ticket: Ticket, kind: str, reason: str) -> None:
        if ticket.replay_id:
            payload = {
                "replay_id": ticket.replay_id,
                "session": ticket.session,
                "kind": kind,
                "reason": reason,
            }
            # The reason may be that the ledger cannot be written.
            with suppress(MusaiError):
                self.ledger.append("failure", payload, utc=self._clock())
        failed(ticket, kind, reason)
