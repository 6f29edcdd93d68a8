"""History: what the ledger holds of sessions, phrases, comparisons and judgements."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from musai.errors import BadInput
from musai.ledger import Ledger, Payload, Record
from musai.ledger.chain import utc_text
from musai.report.dossier import Agreement, Judgement
from musai.report.order import folded, words
from musai.service import judging, records, reporting
from musai.service.changes import change_of
from musai.service.fold import Fold, Made, latest
from musai.service.hits import hit_rows
from musai.service.rows import (
    Change,
    ComparisonDetail,
    PhraseDetail,
    PhrasePage,
    PhraseRow,
    SessionRow,
)
from musai.service.shelves import Shelves

PAGE = 300
MOST = 1000

SEVERITY = {"grey": 0, "green": 1, "amber": 2, "red": 3}

ORDERS = ("newest", "oldest", "evidence")


class History:
    """Reads the ledger record by record as it grows; any thread may call any method."""

    def __init__(self, ledger: Ledger, shelves: Shelves, clock: Callable[[], datetime]) -> None:
        self.ledger = ledger
        self.shelves = shelves
        self.clock = clock
        self._lock = threading.Lock()
        self._state = Fold()

    def state(self) -> Fold:
        """What stands now.  To be read under no lock: phrases only come, and rows are frozen."""
        with self._lock:
            while page := self.ledger.after(self._state.seq, PAGE):
                for record in page:
                    if not self._state.add(record):
                        self._state = self._anew(record.seq)
                        break
            return self._state

    def _anew(self, upto: int) -> Fold:
        """Everything again from the first record, past the erasure at `upto`."""
        fresh = Fold()
        while fresh.seq < upto:
            for record in self.ledger.after(fresh.seq, min(PAGE, upto - fresh.seq)):
                fresh.add(record)
        return fresh

    def sessions(self) -> list[SessionRow]:
        """Every session with a phrase or a file, the latest first."""
        state = self.state()
        by_name: dict[str, list[Made]] = {}
        for made in list(state.made.values()):
            by_name.setdefault(made.session, []).append(made)
        rows = [_session(state, name, held) for name, held in by_name.items()]
        return sorted(rows, key=lambda row: row.last, reverse=True)

    def phrases(
        self,
        *,
        session: str | None = None,
        since: str | None = None,
        until: str | None = None,
        light: str | None = None,
        mark: str | None = None,
        text: str = "",
        work_id: str | None = None,
        order: str = "newest",
        offset: int = 0,
        limit: int = 50,
    ) -> PhrasePage:
        """Some of the phrases that fit, in an order of `ORDERS`; see `rows`."""
        fitting = self.rows(
            session=session,
            since=since,
            until=until,
            light=light,
            mark=mark,
            text=text,
            work_id=work_id,
            order=order,
        )
        chosen = fitting[max(0, offset) : max(0, offset) + min(MOST, max(0, limit))]
        return PhrasePage(rows=chosen, total=len(fitting))

    def rows(
        self,
        *,
        session: str | None = None,
        since: str | None = None,
        until: str | None = None,
        light: str | None = None,
        mark: str | None = None,
        text: str = "",
        work_id: str | None = None,
        order: str = "newest",
    ) -> list[PhraseRow]:
        """All phrases that fit.

        `since` and `until` are days, both inclusive, or ISO times; `text` is
        sought in names, titles, sessions and ids; `mark` is one of the marks,
        or "none" for phrases with no judged match.  Raises `BadInput`.
        """
        if order not in ORDERS:
            raise BadInput(f"order is {order!r}; legal is {', '.join(ORDERS)}")
        state = self.state()
        first, last = span(since, until)
        rows = [
            state.row(made)
            for made in list(state.made.values())
            if (session is None or made.session == session)
            and first <= made.made_at <= last
            and (work_id is None or _names(state, made, work_id))
        ]
        sought = words(text)
        fitting = [
            row
            for row in rows
            if (light is None or row.light == light)
            and (mark is None or (row.judged == 0 if mark == "none" else mark in row.marks))
            and all(word in _told(row) for word in sought)
        ]
        fitting.sort(key=lambda row: row.seq, reverse=order != "oldest")
        if order == "evidence":
            fitting.sort(key=evidence_key)
        return fitting

    def row(self, phrase_id: str) -> PhraseRow:
        """The row of a phrase, by its id or the first 8 digits.  Raises `NotFound`."""
        record = records.phrase_record(self.ledger, phrase_id)
        state = self.state()
        return state.row(state.newest[(record.payload or {})["phrase_id"]])

    def phrase(self, phrase_id: str) -> PhraseDetail:
        """All that the ledger holds of a phrase.  Raises `NotFound`."""
        record = records.phrase_record(self.ledger, phrase_id)
        payload: Payload = record.payload or {}
        row = self.row(payload["phrase_id"])
        told = self.judgements(phrase_id=row.phrase_id)
        match = self.last_match(row.phrase_id)
        asked = records.request_record(self.ledger, row.replay_id) if row.replay_id else {}
        return PhraseDetail(
            row=row,
            request=_plain_request(asked) if asked else None,
            made_with=asked.get("made_with", {}),
            replay_command=f"musai replay {row.replay_id[:12]}" if row.replay_id else "",
            verdict=match.get("verdict", {}),
            hits=list(hit_rows(match, told)),
            judgements=told,
            records=self.record_numbers(row),
        )

    def comparison(
        self, phrase_id: str, work_id: str, *, corpus: str | None = None, blind: bool = False
    ) -> ComparisonDetail:
        """A phrase beside one of its hits, note by note; a blind one tells no number.

        Raises `NotFound` where the phrase's last comparison does not name the work.
        """
        row = self.row(phrase_id)
        match = self.last_match(row.phrase_id)
        told = [] if blind else self.judgements(phrase_id=row.phrase_id, work_id=work_id)
        return reporting.side_by_side(
            self.ledger, self.shelves, row, match, work_id, corpus, blind, told
        )

    def last_match(self, phrase_id: str) -> Payload:
        """The payload of a phrase's last comparison; empty where there was none."""
        seen = self.state().seen.get(phrase_id)
        return {} if seen is None else self.ledger.record(seen.seq).payload or {}

    def record_numbers(self, row: PhraseRow) -> list[int]:
        """Numbers of all records that name a phrase or its replay id."""
        found = {record.seq for record in self.ledger.find("phrase_id", row.phrase_id)}
        if row.replay_id:
            found |= {record.seq for record in self.ledger.find("replay_id", row.replay_id)}
        return sorted(found)

    def judge(
        self,
        phrase_id: str,
        work_id: str,
        *,
        who: str,
        likeness: int | None = None,
        mark: str | None = None,
        note: str = "",
        corpus: str | None = None,
        by_ear: bool = False,
    ) -> Judgement:
        """Record what somebody finds of a match; see `judging`.  The latest counts, all are kept."""
        row = self.row(phrase_id)
        corpus = self.corpus_of(row.phrase_id, work_id, corpus)
        revealed = (row.phrase_id, work_id, who.strip()) in self.state().revealed
        payload = judging.judgement_payload(
            row.phrase_id,
            row.session,
            work_id,
            corpus,
            who=who,
            likeness=likeness,
            mark=mark,
            note=note,
            by_ear=by_ear,
            revealed=revealed,
        )
        record = self.ledger.append("judgement", payload, utc=self.clock())
        return next(j for j in self.judgements(phrase_id=row.phrase_id) if j.seq == record.seq)

    def shown(self, phrase_id: str, work_id: str, *, who: str) -> None:
        """Record that somebody was shown the numbers of a match; once is enough."""
        row = self.row(phrase_id)
        corpus = self.corpus_of(row.phrase_id, work_id, None)
        payload = judging.shown_payload(row.phrase_id, row.session, work_id, corpus, who=who)
        if (row.phrase_id, work_id, payload["who"]) not in self.state().revealed:
            self.ledger.append("shown", payload, utc=self.clock())

    def corpus_of(self, phrase_id: str, work_id: str, corpus: str | None) -> str:
        """The corpus in which a phrase's last comparison names a work.  Raises `NotFound`."""
        seen = self.state().seen.get(phrase_id)
        return judging.named_in(seen.named if seen else (), phrase_id, work_id, corpus)

    def judgements(
        self,
        *,
        phrase_id: str | None = None,
        work_id: str | None = None,
        session: str | None = None,
        who: str | None = None,
        history: bool = True,
    ) -> list[Judgement]:
        """Judgements, oldest first; without `history` those alone that count (`latest`)."""
        state = self.state()
        ids = list(state.judged) if phrase_id is None else [phrase_id]
        told = [one for key in ids for one in latest(list(state.judged.get(key, ())))]
        return sorted(
            (
                one
                for one in told
                if (work_id is None or one.work_id == work_id)
                and (session is None or one.session == session)
                and (who is None or one.who == who)
                and (history or one.latest)
            ),
            key=lambda one: one.seq,
        )

    def agreement(
        self, *, session: str | None = None, phrase_ids: Iterable[str] | None = None
    ) -> Agreement:
        """How ratings by ear go with scores, and marks with lights, over some or all phrases."""
        told = self.judgements(session=session, history=False)
        if phrase_ids is not None:
            wanted = set(phrase_ids)
            told = [one for one in told if one.phrase_id in wanted]
        state = self.state()
        lights = {
            one.phrase_id: seen.verdict["light"]
            for one in told
            if (seen := state.seen.get(one.phrase_id))
        }
        return judging.agreement(told, self._scores(told), lights)

    def _scores(self, told: list[Judgement]) -> dict[tuple[str, str], float]:
        """The score of each judged match, by phrase and work."""
        scores = {}
        for phrase_id in {one.phrase_id for one in told}:
            for row in self.last_match(phrase_id).get("corpora", ()):
                for hit in row["hits"]:
                    scores[(phrase_id, hit["work_id"])] = float(hit["score"])
        return scores

    def changes(self, *, since: str | None = None, limit: int = 200) -> list[Change]:
        """What happened, newest first, in sentences: what is new since last week, for instance."""
        first, _ = span(since, None)
        found: list[Change] = []
        last = len(self.ledger)
        while last > 0 and len(found) < limit:
            page = self.ledger.after(max(0, last - PAGE), min(PAGE, last))
            for record in reversed(page):
                if record.utc < first or len(found) >= limit:
                    return found
                if (change := change_of(record)) is not None:
                    found.append(change)
            last -= PAGE
        return found

    def verify(self) -> dict[str, Any]:
        """Whether the ledger is whole: records, erased, head, and the first fault or None."""
        told = self.ledger.verify()
        return {
            "records": told.records,
            "erased": told.erased,
            "head": told.head,
            "first_bad": told.first_bad,
            "fault": told.fault,
        }

    def record(self, seq: int) -> Record:
        """One record of the ledger by its number."""
        return self.ledger.record(seq)


def evidence_key(row: PhraseRow) -> tuple[int, float, int, int]:
    """The strongest evidence first: by light, p, longest run; the newer first."""
    p = 2.0 if row.p_value is None else row.p_value
    return -SEVERITY.get(row.light, 0), p, -row.longest_run, -row.seq


def span(since: str | None, until: str | None) -> tuple[str, str]:
    """First and last time as the ledger writes them.  Raises `BadInput` for what is no day or time."""
    first = _moment("since", since) if since else ""
    last = _moment("until", until) if until else "9999"
    if len(last) == 10:
        last += "T~"
    return first, last


def _moment(name: str, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{name} is {text!r}; legal is a day like 2026-11-25 or a time") from None
    if len(text) == 10:
        return text
    return utc_text(moment) if moment.tzinfo else f"{moment.isoformat()}"


def _session(state: Fold, name: str, held: list[Made]) -> SessionRow:
    rows = [state.row(made) for made in held]
    lights: dict[str, int] = {}
    for row in rows:
        lights[row.light] = lights.get(row.light, 0) + 1
    return SessionRow(
        name=name,
        phrases=sum(row.origin == "generated" for row in rows),
        files=sum(row.origin == "file" for row in rows),
        first=min(row.made_at for row in rows),
        last=max(row.made_at for row in rows),
        lights=lights,
        kept=sum(row.decision == "kept" for row in rows),
        discarded=sum(row.decision == "discarded" for row in rows),
        judged=sum(row.judged > 0 for row in rows),
    )


def _names(state: Fold, made: Made, work_id: str) -> bool:
    seen = state.seen.get(made.phrase_id)
    return seen is not None and any(one.work_id == work_id for one in seen.named)


def _told(row: PhraseRow) -> str:
    return folded(f"{row.name} {row.nearest_title} {row.session} {row.phrase_id} {row.model}")


def _plain_request(asked: Payload) -> dict[str, Any]:
    """The request without its context's bytes; `context_notes` says how much there was."""
    request = {name: value for name, value in asked["request"].items() if name != "context"}
    request["context"] = bool(asked["request"].get("context"))
    return request
