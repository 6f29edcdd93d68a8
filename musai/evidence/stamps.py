"""Time-stamp tokens (RFC 3161): an outsider's word for when a statement existed.

musai asks nobody for one: whoever wants a date sends the statement's hash to an authority of
their choice (``openssl ts -query -sha256 -cert -data statement.json``) and attaches the answer.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from musai.errors import Altered, BadInput, NotFound

_HASHES = {
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says: when, who signed it, and whether that was held against a known root."""

    utc: str
    authority: str
    trusted: bool


def check(token: bytes, data: bytes, roots: Sequence[x509.Certificate] = ()) -> Stamp:
    """What a token says of these bytes.

    Its signature is checked where the authority's `roots` are named; without them nothing shows
    who made it (`trusted`).  Raises `BadInput` for what is no granted token, `Altered` where it
    speaks of other bytes or its signature does not hold.
    """
    response = _decoded(token)
    imprint = response.tst_info.message_imprint
    digest = _HASHES.get(imprint.hash_algorithm.dotted_string)
    if digest is None:
        raise BadInput(
            f"the time-stamp token hashes with {imprint.hash_algorithm.dotted_string}; legal is "
            "SHA-256, SHA-384 or SHA-512"
        )
    if imprint.message != digest(data).digest():
        raise Altered("the time-stamp token is of other bytes than this statement")
    carried = [x509.load_der_x509_certificate(one) for one in response.signed_data.certificates]
    if roots:
        _check_signature(response, data, roots, carried)
    name = _signer(response, carried or roots)
    return Stamp(response.tst_info.gen_time.isoformat(), name, bool(roots))


def certificates(path: Path) -> list[x509.Certificate]:
    """The certificates in a PEM file.  Raises `NotFound`, `BadInput`."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(f"{path} holds no PEM certificate: {error}") from None


def _check_signature(
    response: TimeStampResponse,
    data: bytes,
    roots: Sequence[x509.Certificate],
    carried: Sequence[x509.Certificate],
) -> None:
    if not carried:
        raise BadInput(
            "the time-stamp token carries no certificate, so its signature cannot be checked; ask "
            "for one that does (openssl ts -query -cert)"
        )
    verifier = VerifierBuilder(intermediates=[*carried], roots=[*roots]).build()
    try:
        verifier.verify_message(response, data)
    except (VerificationError, ValueError) as error:
        raise Altered(f"the time-stamp token's signature does not hold: {error}") from None


def _decoded(token: bytes) -> TimeStampResponse:
    try:
        response = decode_timestamp_response(token)
        _ = response.tst_info
    except (ValueError, AttributeError) as error:
        raise BadInput(f"this is no answer of a time-stamp authority: {error}") from None
    return response


def _signer(response: TimeStampResponse, certificates: Sequence[x509.Certificate]) -> str:
    told = {(one.issuer, one.serial_number): one for one in certificates}
    for info in response.signed_data.signer_infos:
        found = told.get((info.issuer, info.serial_number))
        if found is not None:
            return found.subject.rfc4514_string()
    return ""
