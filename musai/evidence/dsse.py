"""DSSE envelopes (Dead Simple Signing Envelope, v1.0) around in-toto Statements (v1).  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from musai.errors import Altered
from musai.evidence.canonical import base64_bytes, base64_text, canonical, read_canonical
from musai.evidence.public import key_id

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True)
class Signed:
    """A Statement whose signature was checked, and the id of the key that made it."""

    statement: dict[str, Any]
    key_id: str

    @property
    def predicate(self) -> dict[str, Any]:
        """What is stated."""
        predicate: dict[str, Any] = self.statement["predicate"]
        return predicate


def statement(
    kind: str, subjects: Mapping[str, str], predicate: Mapping[str, Any]
) -> dict[str, Any]:
    """An in-toto Statement; `subjects` are names with their SHA-256."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": subjects[name]}} for name in subjects],
        "predicateType": kind,
        "predicate": dict(predicate),
    }


def sealed(value: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The envelope of a Statement, signed, as canonical bytes."""
    body = canonical(dict(value))
    signature = key.sign(authenticated(PAYLOAD_TYPE, body))
    return canonical(
        {
            "payload": base64_text(body),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": key_id(key.public_key()), "sig": base64_text(signature)},
            ],
        }
    )


def opened(
    envelope: bytes,
    key: Ed25519PublicKey,
    kind: str,
    what: str = "the statement",
    needs: Sequence[str] = (),
) -> Signed:
    """The Statement in an envelope that this key signed.

    Raises `Altered` for a signature that does not hold, a statement of another kind than `kind`,
    a predicate that lacks one of `needs`, or an envelope that is not written as `sealed` writes it.
    """
    values = read_canonical(envelope, what)
    if not isinstance(values, dict) or set(values) != {"payload", "payloadType", "signatures"}:
        raise Altered(f"{what} was altered: it is no DSSE envelope")
    rows = values["signatures"]
    if not isinstance(rows, list) or len(rows) != 1 or set(rows[0]) != {"keyid", "sig"}:
        raise Altered(f"{what} was altered: it has no single signature")
    body = base64_bytes(values["payload"], what)
    signature = base64_bytes(rows[0]["sig"], f"the signature of {what}")
    if rows[0]["keyid"] != key_id(key):
        raise Altered(
            f"{what} says that the key {str(rows[0]['keyid'])[:16]} signed it; "
            f"the key at hand is {key_id(key)[:16]}"
        )
    try:
        key.verify(signature, authenticated(str(values["payloadType"]), body))
    except InvalidSignature:
        raise Altered(f"{what} was altered: its signature does not hold") from None
    told = read_canonical(body, what)
    if values["payloadType"] != PAYLOAD_TYPE or told.get("predicateType") != kind:
        raise Altered(f"{what} states {told.get('predicateType')!r}; expected is {kind!r}")
    lacking = [name for name in needs if name not in told["predicate"]]
    if lacking:
        raise Altered(f"{what} lacks {', '.join(lacking)}")
    return Signed(told, key_id(key))


def authenticated(kind: str, body: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding (PAE)."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(body), body)
