"""A MIDI file that names its evidence: a sequencer-specific event with the statement's digest.  Pure.

The event (FF 7F: manufacturer 7D, "musai", 2, 32 bytes of SHA-256) stands first in the first
track.  It changes the file's bytes and none of its notes, so it is put into exports on request,
never into what a hash was taken of.
"""

from musai.errors import BadMidi

TAG = b"\x7dmusai\x02"
_EVENT = b"\x00\xff\x7f" + bytes([len(TAG) + 32]) + TAG
_BEGIN = 14 + 8
"""Bytes before the first track's first event: the header chunk, the track's own header."""


def tagged(midi: bytes, digest: str) -> bytes:
    """The file with the digest (64 hexadecimal digits) in it, instead of one that is there."""
    plain = untagged(midi)
    size = int.from_bytes(plain[18:22], "big") + len(_EVENT) + 32
    body = _EVENT + bytes.fromhex(digest) + plain[_BEGIN:]
    return plain[:18] + size.to_bytes(4, "big") + body


def untagged(midi: bytes) -> bytes:
    """The file without the event: the very bytes that were tagged."""
    _check(midi)
    if not midi[_BEGIN:].startswith(_EVENT):
        return midi
    size = int.from_bytes(midi[18:22], "big") - len(_EVENT) - 32
    return midi[:18] + size.to_bytes(4, "big") + midi[_BEGIN + len(_EVENT) + 32 :]


def tag_of(midi: bytes) -> str | None:
    """The digest in the file, or None."""
    _check(midi)
    if not midi[_BEGIN:].startswith(_EVENT):
        return None
    return midi[_BEGIN + len(_EVENT) :][:32].hex()


def _check(midi: bytes) -> None:
    if midi[:8] != b"MThd\x00\x00\x00\x06" or midi[14:18] != b"MTrk":
        raise BadMidi("not a MIDI file as musai writes it: its first track must follow its header")
