"""The ledger, read once and then record by record: what stands now of every phrase.

Pure but for what it is handed.  Erasures take away what earlier records said,
so that whoever feeds this begins anew after one.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from musai.ledger import Payload, Record
from musai.report.dossier import Judgement
from musai.report.names import asked as asked_as
from musai.service.rows import PhraseRow


class Named(NamedTuple):
    """A work among the hits of a phrase."""

    corpus: str
    work_id: str
    significant: bool


@dataclass(slots=True)
class Made:
    """A phrase as it was made or dropped."""

    phrase_id: str
    session: str
    origin: str
    name: str
    made_at: str
    seq: int
    notes: int
    bars: int
    replay_id: str | None


@dataclass(slots=True)
class Seen:
    """Its last comparison, in short."""

    seq: int
    verdict: dict[str, Any]
    corpus: str = ""
    title: str = ""
    work_id: str = ""
    named: tuple[Named, ...] = ()


@dataclass(slots=True)
class Fold:
    """What stands after the records up to number `seq`."""

    seq: int = 0
    made: dict[tuple[str, str], Made] = field(default_factory=dict)
    newest: dict[str, Made] = field(default_factory=dict)
    asked: dict[str, Payload] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    decided: dict[str, str] = field(default_factory=dict)
    intents: dict[str, str] = field(default_factory=dict)
    replayed: dict[str, str] = field(default_factory=dict)
    judged: dict[str, list[Judgement]] = field(default_factory=lambda: defaultdict(list))
    revealed: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, record: Record) -> bool:
        """Take the next record; False where it erased others and all is to be read again."""
        self.seq = record.seq
        if record.kind == "erasure":
            return False
        if record.payload is not None and record.kind in _TAKERS:
            _TAKERS[record.kind](self, record, record.payload)
        return True

    def row(self, made: Made) -> PhraseRow:
        """Everything about a phrase in a row."""
        asked = self.asked.get(made.replay_id or "", {})
        seen = self.seen.get(made.phrase_id)
        verdict = seen.verdict if seen else {}
        judgements = latest(self.judged.get(made.phrase_id, []))
        marks: dict[str, int] = {}
        for mark in current_marks(judgements).values():
            marks[mark] = marks.get(mark, 0) + 1
        return PhraseRow(
            phrase_id=made.phrase_id,
            origin="file" if made.origin == "file" else "generated",
            name=made.name or asked_as(asked, made.bars, made.phrase_id),
            session=made.session,
            made_at=made.made_at,
            seq=made.seq,
            notes=made.notes,
            bars=made.bars,
            replay_id=made.replay_id,
            model=asked.get("model", ""),
            seed=asked.get("seed"),
            light=verdict.get("light", "grey"),
            p_value=verdict.get("p_value"),
            longest_run=int(verdict.get("longest_run") or 0),
            sentence=str(verdict.get("sentence", "")),
            corpus=seen.corpus if seen else "",
            nearest_title=seen.title if seen else "",
            nearest_work=seen.work_id if seen else "",
            significant=sum(one.significant for one in seen.named) if seen else 0,
            decision=self.decided.get(made.phrase_id, ""),
            intent=self.intents.get(made.phrase_id, ""),
            replayed=self.replayed.get(made.replay_id or "", ""),
            marks=marks,
            judged=len({(one.work_id, one.who) for one in judgements}),
        )

    def _phrase(self, record: Record, payload: Payload) -> None:
        made = Made(
            payload["phrase_id"],
            payload.get("session", ""),
            record.kind,
            payload.get("name", ""),
            record.utc,
            record.seq,
            int(payload.get("notes") or 0),
            int(payload.get("bars") or 0),
            payload.get("replay_id"),
        )
        self.made[(made.session, made.phrase_id)] = made
        self.newest[made.phrase_id] = made

    def _request(self, record: Record, payload: Payload) -> None:
        request = payload["request"]
        self.asked[payload["replay_id"]] = {
            "model": payload.get("model", ""),
            "model_id": payload["model_id"],
            "seed": request.get("seed"),
            "mode": request.get("mode"),
            "bars": request.get("bars"),
        }

    def _match(self, record: Record, payload: Payload) -> None:
        rows = payload["corpora"]
        first: Payload = next((hit for row in rows[:1] for hit in row["hits"]), {})
        named = [
            Named(row["name"], hit["work_id"], bool(hit.get("significant")))
            for row in rows
            for hit in row["hits"]
        ]
        self.seen[payload["phrase_id"]] = Seen(
            record.seq,
            payload["verdict"],
            rows[0]["name"] if rows else "",
            first.get("title", ""),
            first.get("work_id", ""),
            tuple(named),
        )

    def _decision(self, record: Record, payload: Payload) -> None:
        self.decided[payload["phrase_id"]] = payload["decision"]
        if payload.get("intent"):
            self.intents[payload["phrase_id"]] = payload["intent"]

    def _replay(self, record: Record, payload: Payload) -> None:
        self.replayed[payload["replay_id"]] = payload["verdict"]

    def _judgement(self, record: Record, payload: Payload) -> None:
        values = {name: payload[name] for name in _JUDGEMENT if name in payload}
        one = Judgement(seq=record.seq, utc=record.utc, **values)
        self.judged[one.phrase_id].append(one)
        if one.mark is not None:
            # Who marks a match has made up their mind on it: a later rating is not by ear.
            self.revealed.add((one.phrase_id, one.work_id, one.who))

    def _shown(self, record: Record, payload: Payload) -> None:
        self.revealed.add((payload["phrase_id"], payload["work_id"], payload["who"]))


_JUDGEMENT = (
    *("phrase_id", "work_id", "corpus", "who", "likeness", "by_ear", "mark", "note", "session"),
)
_TAKERS = {
    "phrase": Fold._phrase,
    "file": Fold._phrase,
    "request": Fold._request,
    "match": Fold._match,
    "decision": Fold._decision,
    "replay": Fold._replay,
    "judgement": Fold._judgement,
    "shown": Fold._shown,
}


def latest(judgements: list[Judgement]) -> list[Judgement]:
    """All of them, oldest first, each saying whether nothing later of its reviewer stands instead.

    A later mark takes the place of a mark, a later rating that of a rating.
    """
    marked: set[tuple[str, str, str]] = set()
    rated: set[tuple[str, str, str]] = set()
    told = []
    for one in reversed(judgements):
        hit = (one.phrase_id, one.work_id, one.who)
        counts = (one.mark is not None and hit not in marked) or (
            one.likeness is not None and hit not in rated
        )
        if one.mark is not None:
            marked.add(hit)
        if one.likeness is not None:
            rated.add(hit)
        told.append(one if counts else msgspec.structs.replace(one, latest=False))
    return told[::-1]


def current_marks(judgements: list[Judgement]) -> dict[tuple[str, str], str]:
    """The mark that counts of each (phrase, work): the latest of anybody; withdrawn ones are gone."""
    marks = {(one.phrase_id, one.work_id): one.mark for one in judgements if one.mark is not None}
    return {hit: mark for hit, mark in marks.items() if mark}
