"""Payloads of the ledger taken away for good: what would go, and what then says WITHDRAWN."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from musai.errors import BadInput, NotFound, Withdrawn
from musai.ledger import Ledger, Record

KEPT = ("terms", "takedown", "import", "key", "erasure")
"""Kinds that show what an owner said and what was done about it; they stay."""

DIGITS = 8
"""What an erasure remembers of an id, so that a replay can say that it was withdrawn."""


@dataclass(slots=True)
class Selection:
    """Records to be erased, with the phrases and sessions that they tell of."""

    records: set[int] = field(default_factory=set)
    phrases: set[str] = field(default_factory=set)
    replays: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)

    def add(self, record: Record) -> None:
        """Take a record, unless it stays in any case or has no payload any more."""
        if record.payload is None or record.kind in KEPT:
            return
        self.records.add(record.seq)
        for name, into in (("phrase_id", self.phrases), ("replay_id", self.replays)):
            if isinstance(value := record.payload.get(name), str):
                into.add(value)
        if session := record.payload.get("session"):
            self.sessions.add(session)


def selected(
    ledger: Ledger,
    *,
    phrases: Iterable[str] = (),
    sessions: Iterable[str] = (),
    models: Iterable[str] = (),
    works: Iterable[str] = (),
) -> Selection:
    """All records that tell of these phrases (ids or their beginnings), sessions or models (ids in
    full), and what comparisons and judgements say of these works (ids in full).

    Raises `NotFound` where the ledger tells nothing of them.
    """
    found = Selection()
    for given in phrases:
        _follow(ledger, found, [("phrase_id", ledger.full_id("phrase_id", given))])
    named = [("session", session) for session in sessions]
    named += [("model_id", model) for model in models]
    _follow(ledger, found, named)
    for work in works:
        for record in ledger.find("work_id", work):
            found.add(record)
    if not found.records:
        raise NotFound("the ledger holds no payload that tells of this; nothing was erased")
    return found


def _follow(ledger: Ledger, found: Selection, names: list[tuple[str, str]]) -> None:
    """Records under these names, and under the names of the phrases and replays that they tell of."""
    seen = set(names)
    while names:
        name, value = names.pop()
        for record in ledger.find(name, value):
            if record.payload is None or record.kind in KEPT:
                continue
            found.add(record)
            for other in ("phrase_id", "replay_id"):
                told = record.payload.get(other)
                if isinstance(told, str) and (other, told) not in seen:
                    seen.add((other, told))
                    names.append((other, told))


def forget(ledger: Ledger, what: Selection, reason: str, *, utc: datetime) -> Record:
    """Erase the payloads; the chain still verifies.  Raises `BadInput` without a reason."""
    if not reason.strip():
        raise BadInput("an erasure needs a reason, for the record; say one with --reason")
    ids = sorted(value[:DIGITS] for value in what.phrases | what.replays)
    return ledger.erase(what.records, reason, utc=utc, withdrawn=ids)


def check_withdrawn(ledger: Ledger, name: str, given: str) -> None:
    """Raises `Withdrawn` where an erasure took away what this id (or its beginning) named."""
    for record in ledger.last(len(ledger), kind="erasure"):
        ids = (record.payload or {}).get("withdrawn", ())
        if given[:DIGITS] in ids:
            why = (record.payload or {})["reason"]
            raise Withdrawn(
                f"WITHDRAWN: the payloads of {name} {given[:DIGITS]} were erased on "
                f"{record.utc[:10]}: {why}. The chain of the ledger still holds"
            )
