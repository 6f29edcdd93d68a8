"""One way to write a JSON value as bytes, so that equal values have equal hashes.  Pure."""

import base64
import binascii
import hashlib
import json
from typing import Any

from musai.errors import Altered, BadInput


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no blanks, UTF-8.  Raises `BadInput` for what JSON cannot hold."""
    try:
        text = json.dumps(
            value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        return text.encode()
    except (TypeError, ValueError) as error:
        raise BadInput(f"a statement cannot hold this value: {error}") from None


def read_canonical(data: bytes, what: str) -> Any:
    """The value of canonical JSON.  Raises `Altered` for bytes that `canonical` would not write.

    So no two different files hold one value, and a byte changed anywhere is a value changed.
    """
    try:
        value = json.loads(data)
        same = canonical(value) == data
    except (ValueError, RecursionError):
        raise Altered(f"{what} was altered: it is not JSON") from None
    if not same:
        raise Altered(f"{what} was altered: it is not written as musai writes it")
    return value


def sha256(data: bytes) -> str:
    """SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def base64_text(data: bytes) -> str:
    """Base64 with padding (RFC 4648)."""
    return base64.b64encode(data).decode("ascii")


def base64_bytes(text: Any, what: str) -> bytes:
    """The inverse.  Raises `Altered` for any other spelling of the same bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Altered(f"{what} was altered: it is not base64") from None
    if base64_text(data) != text:
        raise Altered(f"{what} was altered: its base64 has stray bits")
    return data
