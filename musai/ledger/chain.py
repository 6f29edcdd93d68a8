"""The chain's arithmetic: what a record is and what its hash covers.  Pure: no files, no clock.

::

    digest = SHA-256("musai-payload-1", salt, body)            body: canonical JSON
    hash   = SHA-256("musai-record-1", seq, kind, utc, digest, previous hash)

The salt lies with the payload.  Once both are erased the digest can no longer
be linked to any payload, however well guessed, while every hash still holds.
For the same reason the chain itself carries no phrase id and no session name:
these stand in the payload, and the names to search by are derived from it.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from musai.errors import Altered, BadInput

Payload = dict[str, Any]

SALT_BYTES = 32
GENESIS = bytes(32)
"""The previous hash of the first record."""

KINDS: dict[str, tuple[str, ...]] = {
    "request": ("replay_id", "session", "model_id", "corpus_id", "request", "made_with"),
    "phrase": ("phrase_id", "replay_id", "session", "midi"),
    "file": ("phrase_id", "session", "name", "sha256", "midi"),
    "match": ("phrase_id", "verdict", "corpora"),
    "decision": ("phrase_id", "decision"),
    "replay": ("replay_id", "verdict"),
    "failure": ("kind", "reason"),
    "judgement": ("phrase_id", "work_id", "who"),
    "shown": ("phrase_id", "work_id", "who"),
    "import": ("corpus", "who", "added"),
    "terms": ("corpus", "work_id", "who", "before", "after"),
    "evidence": ("phrase_id", "envelope", "key_id"),
    "key": ("key_id", "follows"),
    "takedown": ("corpus", "work_id", "who", "reason"),
    "erasure": ("records", "reason"),
}
"""THE table of kinds: what may be recorded, and what each payload must hold."""

NAMES = ("phrase_id", "replay_id", "session", "model_id", "work_id")
"""The payload entries by which records are found."""


@dataclass(frozen=True, slots=True)
class Record:
    """One link.  `seq` counts from 1 without gaps; `payload` is None once erased."""

    seq: int
    kind: str
    utc: str
    digest: str
    previous: str
    hash: str
    payload: Payload | None


def canonical_body(kind: str, payload: Payload) -> bytes:
    """The payload as JSON bytes, keys sorted.  Raises `BadInput` for what cannot be recorded."""
    if kind not in KINDS:
        raise BadInput(f"a record's kind is {kind!r}; legal is {', '.join(KINDS)}")
    lacking = [name for name in KINDS[kind] if name not in payload]
    if lacking:
        raise BadInput(f"a {kind} record lacks {', '.join(lacking)}")
    try:
        text = json.dumps(
            payload, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        return text.encode()
    except (TypeError, ValueError) as error:
        raise BadInput(f"a {kind} record holds what JSON cannot: {error}") from None


def names_of(payload: Payload) -> list[tuple[str, str]]:
    """(name, value) pairs to search by; derived, so that verifying can derive them again."""
    found = [(name, payload.get(name)) for name in NAMES]
    found += [("work_id", work_id) for work_id in _matched(payload)]
    named = {(name, value) for name, value in found if isinstance(value, str) and value}
    return sorted(named)


def _matched(payload: Payload) -> set[Any]:
    """The works that a comparison names, so that an owner finds all that came near a work."""
    corpora = payload.get("corpora")
    rows = [row for row in corpora if isinstance(row, dict)] if isinstance(corpora, list) else []
    lists = [hits for row in rows if isinstance(hits := row.get("hits"), list)]
    found = [hit.get("work_id") for hits in lists for hit in hits if isinstance(hit, dict)]
    return {work_id for work_id in found if isinstance(work_id, str)}


def payload_digest(salt: bytes, body: bytes) -> bytes:
    """What the chain holds of a payload."""
    return _hash(b"musai-payload-1", salt, body)


def record_hash(seq: int, kind: str, utc: str, digest: bytes, previous: bytes) -> bytes:
    """The hash of one link over everything that the chain holds of it."""
    parts = (kind.encode(), utc.encode(), digest, previous)
    return _hash(b"musai-record-1", seq.to_bytes(8, "little"), *parts)


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC to the microsecond.  Raises `BadInput` for a moment without a time zone."""
    if moment.tzinfo is None:
        raise BadInput(f"the time {moment.isoformat()} has no time zone; legal is one in UTC")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Row = tuple[int, str, str, bytes, bytes, bytes, bytes | None, bytes | None]
"""seq, kind, utc, digest, previous, hash, and of the payload salt and body, or None and None."""


def fault_of(row: Row) -> str | None:
    """What is wrong with a stored row in itself, or None; its neighbours are `verify`'s affair."""
    seq, kind, utc, digest, previous, link, salt, body = row
    if not all(isinstance(part, bytes) and len(part) == 32 for part in (digest, previous, link)):
        return "a hash is not 32 bytes"
    if not isinstance(kind, str) or not isinstance(utc, str):
        return "kind or time is not text"
    if record_hash(seq, kind, utc, digest, previous) != link:
        return "its hash does not cover its kind, time, digest and predecessor"
    if salt is None and body is None:
        return None
    if not isinstance(salt, bytes) or not isinstance(body, bytes):
        return "its payload is not bytes"
    if payload_digest(salt, body) != digest:
        return "its payload is not the one recorded"
    return None


def record_of(row: Row) -> Record:
    """A checked row as a Record.  Raises `Altered` naming it."""
    fault = fault_of(row)
    if fault is not None:
        raise Altered(f"ledger record {row[0]} was altered: {fault}")
    seq, kind, utc, digest, previous, link, _, body = row
    payload = None if body is None else json.loads(body)
    return Record(seq, kind, utc, digest.hex(), previous.hex(), link.hex(), payload)


def _hash(tag: bytes, *parts: bytes) -> bytes:
    digest = hashlib.sha256(tag)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()
