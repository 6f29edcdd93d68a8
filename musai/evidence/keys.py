"""The keys that sign evidence: one Ed25519 key of this home, made on first use, and those before it.

::

    <home>/keys/signing.pem              the private key; file mode 600
                public/<key id>.pem      every public key that ever signed here
                rotations/<key id>.json  an old key's signed word for the one that followed it

A key id is the SHA-256 of the public key (DER, SubjectPublicKeyInfo).  On POSIX a private key
that others may read is refused.  Windows has no file modes: there the file lies in the user's
own profile, whose access list lets in the user, the system and administrators, and musai changes
nothing about that list.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from filelock import FileLock

from musai.errors import Altered, BadInput, NotFound
from musai.evidence import dsse
from musai.evidence.public import key_id, public_bytes, public_key
from musai.files import told_of_disk, write_whole

PRIVATE, PUBLIC, ROTATIONS = "signing.pem", "public", "rotations"
ROTATION = "urn:musai:rotation:v1"
"""What an old key states of the new one."""


@dataclass(frozen=True, slots=True)
class Known:
    """A public key of this home; `signs` says whether it is the one in use."""

    id: str
    key: Ed25519PublicKey
    signs: bool


class Keys:
    """The keys of one home folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "keys"

    def signing(self) -> Ed25519PrivateKey:
        """The private key, made if there is none yet.

        Raises `BadInput` where others may read its file, `Altered` where it is no such key.
        """
        path = self.folder / PRIVATE
        with told_of_disk(path):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock", timeout=10):
            if not path.is_file():
                self._write(Ed25519PrivateKey.generate())
            return self._read(path)

    def rotate(self, utc: datetime) -> tuple[str, str]:
        """Make a new key; the old one vouches for it, then its private half is destroyed.

        The ids of the old and of the new key.
        """
        old, new = self.signing(), Ed25519PrivateKey.generate()
        was, now = key_id(old.public_key()), key_id(new.public_key())
        predicate = {
            "utc": utc.isoformat(),
            "from": was,
            "to": now,
            "public": public_bytes(new.public_key()).decode(),
        }
        word = dsse.sealed(dsse.statement(ROTATION, {"key": now}, predicate), old)
        with FileLock(self.folder / ".lock", timeout=10):
            write_whole(self.folder / ROTATIONS / f"{was}.json", word)
            self._write(new)
        return was, now

    def known(self) -> list[Known]:
        """Every public key of this home, the one in use first."""
        found = {}
        for path in sorted((self.folder / PUBLIC).glob("*.pem")):
            key = public_key(path)
            if path.stem != key_id(key):
                raise Altered(f"{path} holds the key {key_id(key)[:16]}; its name says another")
            found[path.stem] = key
        path = self.folder / PRIVATE
        current = key_id(self._read(path).public_key()) if path.is_file() else ""
        rows = [Known(name, key, name == current) for name, key in found.items()]
        return sorted(rows, key=lambda row: not row.signs)

    def find(self, wanted: str) -> Ed25519PublicKey:
        """A key of this home by its id or the beginning of it.  Raises `NotFound`, `BadInput`."""
        if len(wanted) < 8:
            raise BadInput(f"a key id is {wanted!r}; legal is at least 8 characters")
        found = [row.key for row in self.known() if row.id.startswith(wanted)]
        if len(found) != 1:
            raise NotFound(f"{len(found)} keys of this home begin with {wanted!r}; legal is one")
        return found[0]

    def successors(self, first: str) -> list[str]:
        """The ids of a key and of those that followed it, each vouched for by the one before.

        Raises `Altered` where a word of rotation does not hold.
        """
        chain = [first]
        while (path := self.folder / ROTATIONS / f"{chain[-1]}.json").is_file():
            key = public_key(self.folder / PUBLIC / f"{chain[-1]}.pem")
            word = dsse.opened(path.read_bytes(), key, ROTATION, str(path), ("to",))
            following = str(word.predicate["to"])
            if following in chain:
                raise Altered(f"{path} leads back to {following[:16]}")
            chain.append(following)
        return chain

    def _read(self, path: Path) -> Ed25519PrivateKey:
        if os.name == "posix" and (mode := path.stat().st_mode & 0o777) & 0o077:
            raise BadInput(
                f"the private key {path} has file mode {mode:o}; legal is 600: chmod 600 it, and "
                "rotate (musai evidence keys --rotate) if somebody else may have read it"
            )
        try:
            key = pem.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Altered(f"{path} holds no private key: {error}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise Altered(f"{path} holds a key of another kind; musai signs with Ed25519")
        return key

    def _write(self, key: Ed25519PrivateKey) -> None:
        """The public half first, so that no signature is ever made that cannot be checked."""
        public = key.public_key()
        write_whole(self.folder / PUBLIC / f"{key_id(public)}.pem", public_bytes(public))
        data = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
        path = self.folder / PRIVATE
        beside = path.with_suffix(".new")
        with told_of_disk(path):
            beside.unlink(missing_ok=True)
            # Never there with a wider mode, not even for a moment.
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(path)
