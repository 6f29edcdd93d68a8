"""The folder that holds the evidence of one phrase, and what of it can be checked by itself.

::

    statement.json    the signed Statement: a DSSE envelope, canonical JSON
    key.pem           the public key that signed it
    payloads.jsonl    the ledger's payloads of request and phrase, with their salts
    phrase.mid        the phrase
    choices.json      every choice of the answer, in order
    timestamp.tsr     a time-stamp token over statement.json, where one was given

The statement holds the digests of all others.  The last four may be erased without touching it:
what is left is still checked, and a replay that needs them is WITHDRAWN.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musai.errors import Altered, BadInput, MusaiError, NotFound
from musai.evidence import dsse
from musai.evidence.canonical import canonical, read_canonical, sha256
from musai.evidence.public import read_public
from musai.evidence.tagged import tag_of, untagged
from musai.evidence.trace import FIELDS, Choice
from musai.files import told_of_disk
from musai.ledger.chain import Row, payload_digest, record_hash
from musai.music import Phrase
from musai.transformer import Request

ENVELOPE, KEY, PAYLOADS, MIDI, CHOICES, STAMP = (
    "statement.json",
    "key.pem",
    "payloads.jsonl",
    "phrase.mid",
    "choices.json",
    "timestamp.tsr",
)
GENERATION = "urn:musai:generation:v1"
"""What is stated of a phrase."""

NEEDS = ("phrase_id", "replay_id", "model", "guard", "records", "choices", "made_with", "utc")
MOST = 64 * 2**20
"""Bytes of one file of a bundle."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds and whose signature covers it, all of it checked.

    `missing`: what was erased, in words; `request`, `phrase`, `choices`: None where erased.
    """

    signed: dsse.Signed
    envelope: bytes
    request: Request | None
    phrase: Phrase | None
    choices: tuple[Choice, ...] | None
    stamp: bytes | None
    missing: tuple[str, ...] = ()
    payloads: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the statement's file: what a tagged MIDI file and a time stamp speak of."""
        return sha256(self.envelope)


def choices_bytes(choices: list[Choice]) -> bytes:
    """The choices as canonical JSON."""
    return canonical([list(choice) for choice in choices])


def read_choices(data: bytes) -> tuple[Choice, ...]:
    """The inverse.  Raises `Altered`."""
    rows = read_canonical(data, CHOICES)
    try:
        choices = tuple(Choice(*map(int, row)) for row in rows)
    except (TypeError, ValueError):
        raise Altered(f"{CHOICES} was altered: it holds what is no choice") from None
    if not all(0 <= choice.field < len(FIELDS) for choice in choices):
        raise Altered(f"{CHOICES} was altered: it names a field that is none")
    return choices


def payload_line(row: Row) -> bytes:
    """A record's payload with its salt, as a line that shows what its digest stands for."""
    seq, _, _, _, _, _, salt, body = row
    if salt is None or body is None:
        raise NotFound(f"the payload of ledger record {seq} was erased")
    return canonical({"seq": seq, "salt": salt.hex(), "body": body.decode()}) + b"\n"


def link_of(row: Row, own: bool) -> dict[str, Any]:
    """A record as the chain has it: hashes, no payload; `own`: its payload is in the bundle."""
    seq, kind, utc, digest, previous, link, _, _ = row
    hashes = {"digest": digest.hex(), "previous": previous.hex(), "hash": link.hex()}
    return {"seq": seq, "kind": kind, "utc": utc, "own": own, **hashes}


def free(folder: Path) -> None:
    """Raises `BadInput` where a folder is there already."""
    if folder.exists():
        raise BadInput(f"{folder} is there already; evidence is never written over: name another")


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a bundle whole or not at all.  Raises `BadInput` where the folder is there already."""
    free(folder)
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    with told_of_disk(folder, "nothing was written"):
        try:
            beside.mkdir(parents=True)
            for name, data in files.items():
                (beside / name).write_bytes(data)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def read(folder: Path) -> dict[str, bytes]:
    """The files of a bundle by name.  Raises `NotFound` where statement or key are missing."""
    files = {}
    for name in (ENVELOPE, KEY, PAYLOADS, MIDI, CHOICES, STAMP):
        path = folder / name
        if path.is_file():
            if path.stat().st_size > MOST:
                raise BadInput(f"{path} has {path.stat().st_size} bytes; legal is up to {MOST}")
            files[name] = path.read_bytes()
    for name in (ENVELOPE, KEY):
        if name not in files:
            raise NotFound(f"{folder} has no {name}: it holds no evidence, or was not copied whole")
    return files


def checked(files: Mapping[str, bytes]) -> Bundle:
    """A bundle, everything in it held against the signed statement.

    Raises `Altered` naming the first thing that is not what was signed.
    """
    key = read_public(files[KEY], KEY)
    signed = dsse.opened(files[ENVELOPE], key, GENERATION, ENVELOPE, NEEDS)
    told = signed.predicate
    _check_links(told["records"])
    payloads, missing = _payloads(files.get(PAYLOADS), told["records"])
    midi = _file(files, MIDI, _subject(signed), missing)
    choices = None
    if told["choices"] is not None:
        data = _file(files, CHOICES, told["choices"]["sha256"], missing)
        choices = None if data is None else read_choices(data)
    phrase = None if midi is None else _phrase(midi, told, payloads)
    request = _request(told, payloads)
    return Bundle(
        signed,
        files[ENVELOPE],
        request,
        phrase,
        choices,
        files.get(STAMP),
        tuple(missing),
        payloads,
    )


def _check_links(links: Any) -> None:
    """Each link covers its record and follows the one before."""
    before = None
    for link in links:
        try:
            digest, previous = bytes.fromhex(link["digest"]), bytes.fromhex(link["previous"])
            found = record_hash(link["seq"], link["kind"], link["utc"], digest, previous)
            same = found.hex() == link["hash"]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Altered(f"{ENVELOPE}: a link of the ledger is incomplete") from None
        if not same:
            raise Altered(f"{ENVELOPE}: ledger record {link['seq']} has a hash that is not its own")
        if before is not None and (link["seq"], link["previous"]) != (
            before["seq"] + 1,
            before["hash"],
        ):
            raise Altered(f"{ENVELOPE}: ledger record {link['seq']} does not follow the one before")
        before = link


def _payloads(data: bytes | None, links: Any) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The payloads of request and phrase by kind, and which of them are erased."""
    own = {link["seq"]: link for link in links if link.get("own")}
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate((data or b"").split(b"\n")[:-1], 1):
        where = f"line {number} of {PAYLOADS}"
        row = read_canonical(line, where)
        try:
            link = own[row["seq"]]
            body = row["body"].encode()
            digest = payload_digest(bytes.fromhex(row["salt"]), body)
            canon = bytes.fromhex(row["salt"]).hex() == row["salt"] and set(row) == {
                "seq",
                "salt",
                "body",
            }
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Altered(f"{where} was altered: it is no payload of this statement") from None
        if not canon or digest.hex() != link["digest"]:
            raise Altered(f"{where} was altered: its hash is not the one in the chain")
        found[link["kind"]] = json.loads(body)
    if data and not data.endswith(b"\n"):
        raise Altered(f"{PAYLOADS} was altered: its last line is cut short")
    gone = [
        f"the payload of ledger record {seq} ({link['kind']})"
        for seq, link in own.items()
        if link["kind"] not in found
    ]
    return found, gone


def _subject(signed: dsse.Signed) -> str:
    subjects = {row["name"]: row["digest"]["sha256"] for row in signed.statement["subject"]}
    if MIDI not in subjects:
        raise Altered(f"{ENVELOPE} does not speak of {MIDI}")
    return str(subjects[MIDI])


def _file(files: Mapping[str, bytes], name: str, digest: str, missing: list[str]) -> bytes | None:
    data = files.get(name)
    if data is None:
        missing.append(name)
    elif sha256(data) != digest:
        raise Altered(f"{name} was altered: its SHA-256 is not the one that was signed")
    return data


def _phrase(midi: bytes, told: Mapping[str, Any], payloads: Mapping[str, Any]) -> Phrase:
    phrase = Phrase.from_midi(midi)
    if phrase.id != told["phrase_id"]:
        raise Altered(f"{MIDI} holds the phrase {phrase.id[:8]}; signed is {told['phrase_id'][:8]}")
    if "phrase" in payloads and payloads["phrase"]["phrase_id"] != phrase.id:
        raise Altered(f"{PAYLOADS} tells of the phrase {payloads['phrase']['phrase_id'][:8]}")
    return phrase


def _request(told: Mapping[str, Any], payloads: Mapping[str, Any]) -> Request | None:
    if "request" not in payloads:
        return None
    payload = payloads["request"]
    try:
        request = Request.from_dict(payload["request"])
    except MusaiError as error:
        raise Altered(f"{PAYLOADS} holds no request of this version: {error}") from None
    if request.replay_id(payload["model_id"], payload["corpus_id"]) != told["replay_id"]:
        raise Altered(f"the request in {PAYLOADS} does not give the replay id that was signed")
    return request


def check_midi(midi: bytes, bundle: Bundle) -> None:
    """Whether a MIDI file is the one that the statement speaks of, its tag too if it has one."""
    told = tag_of(midi)
    if told is not None and told != bundle.digest:
        raise Altered(
            f"the MIDI file names the statement {told[:12]}; this is {bundle.digest[:12]}"
        )
    subject = next(s for s in bundle.signed.statement["subject"] if s["name"] == MIDI)
    if sha256(untagged(midi)) != subject["digest"]["sha256"]:
        same = Phrase.from_midi(midi).id == bundle.signed.predicate["phrase_id"]
        raise Altered(
            "the MIDI file's bytes are not those that were signed, "
            + ("though it holds the same phrase" if same else "nor does it hold that phrase")
        )
