"""A record of the ledger as a sentence: what happened, for somebody who comes back.  Pure."""

from collections.abc import Callable

from musai.ledger import Payload, Record
from musai.report.names import counted
from musai.service.rows import Change

Tell = Callable[[Payload], str]


def _match(payload: Payload) -> str:
    verdict = payload["verdict"]
    return f"Compared: {verdict['light']}. {verdict['sentence']}"


def _judgement(payload: Payload) -> str:
    parts = []
    if payload.get("likeness") is not None:
        ear = " by ear" if payload.get("by_ear") else ""
        parts.append(f"rated the likeness {payload['likeness']} of 5{ear}")
    if payload.get("mark") is not None:
        parts.append(f"marked it {payload['mark']}" if payload["mark"] else "withdrew the mark")
    note = f": {payload['note']}" if payload.get("note") else ""
    return f"{payload['who']} {' and '.join(parts)}{note}"


def _import(payload: Payload) -> str:
    left = payload.get("left_out", 0)
    more = f", {counted(left, 'file')} left out" if left else ""
    return (
        f"{payload['who']} added {counted(payload['added'], 'work')} to {payload['corpus']}{more}"
    )


def _terms(payload: Payload) -> str:
    before, after = payload["before"], payload["after"]
    changed = [
        f"{use} from {before[use]['status']} to {after[use]['status']}"
        for use in after
        if before.get(use) != after[use]
    ]
    what = "; ".join(changed) or "its evidence"
    return f"{payload['who']} changed the terms of {payload.get('title', 'a work')}: {what}"


def _takedown(payload: Payload) -> str:
    why = f": {payload['reason']}" if payload["reason"] else ""
    what = payload.get("title") or payload["work_id"][:12]
    return f"{payload['who']} took down {what} from {payload['corpus']}{why}"


def _erasure(payload: Payload) -> str:
    return f"{counted(len(payload['records']), 'record')} erased: {payload['reason']}"


def _decision(payload: Payload) -> str:
    why = f": {payload['intent']}" if payload.get("intent") else ""
    return f"A take was {payload['decision']}{why}"


TOLD: dict[str, Tell] = {
    "phrase": lambda p: f"A phrase of {counted(int(p.get('notes') or 0), 'note')} was made",
    "file": lambda p: f"{p['name']} was read, {counted(int(p.get('notes') or 0), 'note')}",
    "match": _match,
    "decision": _decision,
    "replay": lambda p: f"Made again: {p['verdict']}",
    "failure": lambda p: f"Not made: {p['reason']}",
    "judgement": _judgement,
    "import": _import,
    "terms": _terms,
    "takedown": _takedown,
    "erasure": _erasure,
    "evidence": lambda p: f"Evidence was signed with the key {p['key_id'][:8]}",
    "key": lambda p: f"The key {p['key_id'][:8]} signs from now on, after {p['follows'][:8]}",
}
"""THE table of sentences; a kind that is not here is nobody's news."""


def change_of(record: Record) -> Change | None:
    """What a record tells, or None."""
    tell = TOLD.get(record.kind)
    if tell is None:
        return None
    payload = record.payload
    return Change(
        seq=record.seq,
        utc=record.utc,
        kind=record.kind,
        text="Erased since" if payload is None else tell(payload),
        session=str((payload or {}).get("session", "")),
        phrase_id=str((payload or {}).get("phrase_id", "")),
        work_id=str((payload or {}).get("work_id", "")),
        corpus=str((payload or {}).get("corpus", "")),
    )
