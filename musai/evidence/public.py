"""Public keys: their ids and their files.  Pure but for reading a file."""

import hashlib
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from musai.errors import Altered, NotFound


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the key's SubjectPublicKeyInfo (DER), 64 hexadecimal digits."""
    der = key.public_bytes(pem.Encoding.DER, pem.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def public_bytes(key: Ed25519PublicKey) -> bytes:
    """The key as PEM, which `public_key` reads back."""
    return key.public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)


def public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file.  Raises `NotFound`, `Altered`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound(f"the public key {path} cannot be read: {error.strerror}") from None
    return read_public(data, str(path))


def read_public(data: bytes, what: str) -> Ed25519PublicKey:
    """A public key from PEM bytes.  Raises `Altered` for any others than `public_bytes` writes."""
    try:
        key = pem.load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Altered(f"{what} was altered: it holds no public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Altered(f"{what} holds a key of another kind; musai signs with Ed25519")
    if public_bytes(key) != data:
        raise Altered(f"{what} was altered: it is not written as musai writes it")
    return key
