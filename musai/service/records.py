"""What goes into the ledger: one function a kind of record, plain JSON values.  Pure."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from musai.errors import Altered, BadInput, NotFound, check_range
from musai.ledger import Ledger, Payload, Record
from musai.music import Phrase
from musai.service import wire
from musai.service.comparing import Answer
from musai.service.forgetting import check_withdrawn
from musai.service.replays import Recorded
from musai.transformer.request import Request


def request_payload(
    request: Request,
    replay_id: str,
    session: str,
    model: Mapping[str, Any],
    corpus_id: str,
    corpora: list[dict[str, str]],
    made_with: Mapping[str, Any],
    guard: Mapping[str, Any] | None = None,
    terms: Mapping[str, Any] | None = None,
) -> Payload:
    """Everything that is needed to make the phrase again, and to know what might prevent it.

    `corpus_id` names the corpus that the notes depend on, and is empty where
    they depend on none; `corpora` are those they were to be compared with;
    `guard` describes the guard that was on; `terms` the conditions of a use that was asked for.
    """
    return {
        "replay_id": replay_id,
        "session": session,
        "model": model["name"],
        "model_id": model["id"],
        "corpus_id": corpus_id,
        "corpora": corpora,
        "request": request.to_dict(),
        "made_with": dict(made_with),
        **({} if guard is None else {"guard": dict(guard)}),
        **({} if terms is None else {"terms": dict(terms)}),
    }


def phrase_payload(
    made: wire.Made, replay_id: str, session: str, first_note_ms: float, total_ms: float
) -> Payload:
    """The phrase itself, as the bytes of its MIDI file."""
    return {
        "phrase_id": made.phrase_id,
        "replay_id": replay_id,
        "session": session,
        "notes_id": made.notes_id,
        "midi": made.midi.hex(),
        "notes": made.notes,
        "bars": made.bars,
        "first_note_ms": first_note_ms,
        "total_ms": total_ms,
    }


def file_payload(phrase: Phrase, session: str, name: str, sha256: str, bars: int) -> Payload:
    """A phrase that was read from a file: the phrase as MIDI, and what file it was."""
    return {
        "phrase_id": phrase.id,
        "session": session,
        "name": name,
        "sha256": sha256,
        "notes_id": phrase.notes_id,
        "midi": phrase.to_midi().hex(),
        "notes": len(phrase),
        "bars": bars,
    }


def replay_payload(made: wire.Made, recorded: Recorded, verdict: str, changed: str) -> Payload:
    """How a replay came out."""
    return {
        "replay_id": recorded.replay_id,
        "phrase_id": recorded.phrase.id,
        "made_id": made.phrase_id,
        "verdict": verdict,
        "changed_settings": changed,
    }


def match_payload(phrase_id: str, session: str, answer: Answer) -> Payload:
    """What the phrase was found to be like: the decisive corpus first, then the others."""
    return {
        "phrase_id": phrase_id,
        "session": session,
        "verdict": answer.verdict,
        "corpora": answer.corpora,
        "match_ms": answer.ms,
    }


MAX_INTENT = 500
"""Characters of a sentence of intent."""


def decide(
    ledger: Ledger, phrase_id: str, decision: str, *, utc: datetime, intent: str = ""
) -> Record:
    """Append what the human decided on a phrase, with the sentence that says what it is for.

    A file that was read in is decided upon like a take.  Raises `NotFound`, `BadInput`.
    """
    payload = phrase_record(ledger, phrase_id).payload or {}
    told = {name: payload[name] for name in ("phrase_id", "session")}
    sentence = intent_of(intent)
    words = {"intent": sentence} if sentence else {}
    return ledger.append("decision", {**told, "decision": decision, **words}, utc=utc)


def intent_of(text: str) -> str:
    """A sentence of intent on one line.  Raises `BadInput` for one that is too long or not text."""
    line = " ".join(text.split())
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in line):
        raise BadInput(f"the intent {line[:40]!r} holds a control character; legal is plain text")
    check_range("length of the intent", len(line), 0, MAX_INTENT, "characters")
    return line


def phrase_record(ledger: Ledger, phrase_id: str) -> Record:
    """The record that made a phrase or read it from a file, by its id or a prefix.

    Raises `NotFound`.
    """
    full = _full(ledger, "phrase_id", phrase_id)
    records = ledger.find("phrase_id", full, "phrase") or ledger.find("phrase_id", full, "file")
    if not records:
        raise NotFound(f"the ledger has no phrase {phrase_id!r}; it may have been erased")
    return records[-1]


def _full(ledger: Ledger, name: str, given: str) -> str:
    """See `Ledger.full_id`.  Raises `Withdrawn` for what was erased."""
    try:
        return ledger.full_id(name, given)
    except NotFound:
        check_withdrawn(ledger, name.removesuffix("_id"), given)
        raise


def phrase_of(record: Record) -> Phrase:
    """The phrase that a record holds.  Raises `Altered` where it is not the one it names."""
    payload = record.payload
    if payload is None:
        raise NotFound(f"the phrase of ledger record {record.seq} was erased")
    phrase = Phrase.from_midi(bytes.fromhex(payload["midi"]))
    if phrase.id != payload["phrase_id"]:
        raise Altered(
            f"ledger record {record.seq} holds the phrase {phrase.id[:8]}, "
            f"its id says {payload['phrase_id'][:8]}"
        )
    return phrase


def replay_id_of(record: Record) -> str:
    """The replay id of a phrase that was made here.  Raises `NotFound` for one read from a file."""
    payload = record.payload or {}
    if record.kind != "phrase":
        raise NotFound(
            f"the phrase {payload['phrase_id'][:8]} was read from {payload['name']!r}; only what "
            "was made here can be made again"
        )
    return str(payload["replay_id"])


def request_record(ledger: Ledger, replay_id: str) -> Payload:
    """The latest request under a replay id (in full).  Raises `NotFound`."""
    records = ledger.find("replay_id", replay_id, "request")
    if not records or records[-1].payload is None:
        raise NotFound(f"the ledger has no request {replay_id[:8]}; it may have been erased")
    return records[-1].payload


def model_of(ledger: Ledger, record: Record) -> tuple[str, str] | None:
    """Name and id of the model that made a phrase; None where it came from a file."""
    if record.kind != "phrase":
        return None
    asked = request_record(ledger, replay_id_of(record))
    return str(asked["model"]), str(asked["model_id"])


def asked_alike(ledger: Ledger, replay_id: str) -> str:
    """The same text for all requests that differ in their seed alone; "" where none is recorded."""
    found = ledger.find("replay_id", replay_id, "request") if replay_id else []
    if not found or found[-1].payload is None:
        return ""
    payload = found[-1].payload
    wishes = {name: value for name, value in payload["request"].items() if name != "seed"}
    text = json.dumps([payload["model_id"], wishes], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recorded(ledger: Ledger, replay_id: str) -> tuple[Request, Recorded, str]:
    """The request behind a replay id (or a prefix), its phrase, and its session.

    Raises `NotFound` for what was never made or was erased, `Altered` for a
    request that does not give the id it is recorded under.
    """
    full = _full(ledger, "replay_id", replay_id)
    payload = request_record(ledger, full)
    phrases = ledger.find("replay_id", full, "phrase")
    if not phrases:
        raise NotFound(f"no phrase was finished under the replay id {full[:8]}, or it was erased")
    request = Request.from_dict(payload["request"])
    if request.replay_id(payload["model_id"], payload["corpus_id"]) != full:
        raise Altered(f"the request recorded under {full[:8]} does not give that replay id")
    known = Recorded(
        full,
        payload["model"],
        payload["model_id"],
        payload["corpus_id"],
        payload["made_with"],
        phrase_of(phrases[0]),
        payload.get("guard"),
    )
    return request, known, payload["session"]
