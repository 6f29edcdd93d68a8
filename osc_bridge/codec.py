"""Datagrams <-> messages, without sockets or clocks.

Every packet is walked before python-osc reads it: type tags must be known, sizes
exact and numbers finite, because python-osc skips unknown tags, pads short
floats and lets text errors through.  Nothing raises on what came from outside:
a packet becomes messages and faults, in order.

Over TCP a packet is framed as in OSC 1.1 (SLIP, END at both ends) or as in OSC
1.0 (its length in front, as liblo sends it); the first byte of a stream tells.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from osc_bridge.messages import NO_ID, Fault, Id, Message, Value, id_of

BUNDLE: Final = b"#bundle\0"
NTP_EPOCH: Final = 2_208_988_800
"""Seconds from 1900, where NTP's clock starts, to 1970, where Unix's does."""

_SIZES: Final = {"i": 4, "f": 4, "h": 8, "d": 8, "T": 0, "F": 0, "N": 0}
TAGS: Final = "ihfdsbTFN"
MAX_ARGUMENTS: Final = 2048
"""More are refused: python-osc's time grows with the square of their number."""
MAX_DEPTH: Final = 4
MAX_ELEMENTS: Final = 256


@dataclass(frozen=True, slots=True)
class Timed:
    """What a packet held, and the seconds until its timetag is due (negative: ago)."""

    item: Message | Fault
    delay: float = 0.0


def decode(packet: bytes, wall: float, most: int) -> list[Timed]:
    """All messages and faults of a packet, bundles flattened; never raises.

    `wall` is Unix time at arrival in seconds, `most` the largest packet allowed
    in bytes.  A message inside nested bundles is due at the latest of their
    timetags.
    """
    if len(packet) > most:
        text = (
            f"the packet has {len(packet)} bytes or more; legal is up to {most}: send it in chunks"
        )
        return [Timed(_head_fault(packet, "too_large", text))]
    timed: list[Timed] = []
    for one in _elements(packet, 0.0, wall, 0):
        if len(timed) == MAX_ELEMENTS:
            timed.append(
                Timed(Fault("too_large", f"a bundle of more than {MAX_ELEMENTS} messages"))
            )
            break
        timed.append(one)
    return timed or [Timed(Fault("bad_packet", "an empty bundle"))]


def encode(message: Message, *, double: bool = False) -> bytes:
    """The packet of a message; floats in 32 bits, or 64 where `double`."""
    builder = OscMessageBuilder(message.path)
    for value in message.args:
        builder.add_arg(value, _tag(value, double))
    packet: bytes = builder.build().dgram
    return packet


def bundle(packets: list[bytes], unix: float | None = None) -> bytes:
    """A bundle of packets, due at Unix time `unix`, or at once."""
    tag = 1 if unix is None else round((unix + NTP_EPOCH) * 2**32) % 2**64
    parts = [struct.pack(">i", len(packet)) + packet for packet in packets]
    return BUNDLE + struct.pack(">Q", tag) + b"".join(parts)


def _tag(value: Value, double: bool) -> str:
    if value is None:
        return "N"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, int):
        return "i" if -(2**31) <= value < 2**31 else "h"
    if isinstance(value, float):
        return "d" if double else "f"
    return "s" if isinstance(value, str) else "b"


def _elements(packet: bytes, delay: float, wall: float, depth: int) -> Iterator[Timed]:
    if not packet.startswith(BUNDLE):
        yield Timed(_message(packet), delay)
        return
    if depth == MAX_DEPTH or len(packet) < len(BUNDLE) + 8:
        yield Timed(Fault("bad_packet", f"a bundle cut short or nested deeper than {MAX_DEPTH}"))
        return
    own = _delay(packet, wall)
    due = delay if own is None else max(delay, own) if depth else own
    at = len(BUNDLE) + 8
    while at < len(packet):
        size = int.from_bytes(packet[at : at + 4], "big", signed=True)
        at += 4
        if size <= 0 or at + size > len(packet):
            yield Timed(Fault("bad_packet", f"a bundle element of {size} bytes"))
            return
        yield from _elements(packet[at : at + size], due, wall, depth + 1)
        at += size


def _delay(packet: bytes, wall: float) -> float | None:
    """Seconds until the bundle's timetag; None for "immediately" (1, and 0 as some send it)."""
    (tag,) = struct.unpack_from(">Q", packet, len(BUNDLE))
    if tag <= 1:
        return None
    # NTP's seconds wrap in 2036; a clear top bit means after that.
    era = 0 if tag >> 63 else 2**32
    return float((tag >> 32) + era - NTP_EPOCH - wall + (tag & 0xFFFFFFFF) / 2**32)


def _message(packet: bytes) -> Message | Fault:
    path, at = _string(packet, 0)
    if not packet.startswith(b"/") or path is None or not path.isascii() or not path.isprintable():
        return Fault("bad_packet", "neither a message nor a bundle")
    if at == len(packet):
        return Message(path)
    tags, data = _string(packet, at)
    if tags is None or not tags.startswith(","):
        return Fault("bad_packet", "the type tags are cut short or lack their comma", path)
    given = _first(packet, tags[1:2], data)
    wrong = _unfit(packet, tags[1:], data)
    if wrong is not None:
        return Fault(*wrong, path, given)
    try:
        params = OscMessage(packet).params
    except UnicodeDecodeError:
        return Fault("bad_value", "a string is not UTF-8", path, given)
    values = tuple(
        _shortest(value) if tag == "f" else value
        for tag, value in zip(tags[1:], params, strict=True)
    )
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        return Fault("bad_value", "a number is NaN or infinite; legal is a finite one", path, given)
    return Message(path, values)


def _unfit(packet: bytes, tags: str, at: int) -> tuple[str, str] | None:
    """Why the arguments cannot be read; None where they fill the packet exactly."""
    if len(tags) > MAX_ARGUMENTS:
        return "too_large", f"{len(tags)} arguments; legal is up to {MAX_ARGUMENTS}"
    for tag in tags:
        if tag in _SIZES:
            at += _SIZES[tag]
        elif tag == "s":
            _, at = _string(packet, at, decoded=False)
        elif tag == "b":
            size = int.from_bytes(packet[at : at + 4], "big", signed=True)
            at += 4 + size + -size % 4 if size >= 0 else len(packet) + 1
        else:
            return "bad_type", f"type tag {tag!r}; legal is one of {TAGS}"
        if at > len(packet):
            break
    if at != len(packet):
        return "bad_packet", f"{len(packet)} bytes where the type tags ask for other than that"
    return None


def _string(packet: bytes, at: int, *, decoded: bool = True) -> tuple[str | None, int]:
    """The string at `at` and where the next argument starts; None and beyond the end if cut."""
    end = packet.find(b"\0", at)
    following = end + 4 - (end - at) % 4
    if end < 0 or following > len(packet):
        return None, len(packet) + 1
    return (packet[at:end].decode(errors="replace") if decoded else None), following


def _first(packet: bytes, tag: str, at: int) -> Id:
    """The id that the arguments begin with, as far as it can be read from a faulty message."""
    if tag == "s":
        text, _ = _string(packet, at)
        return id_of([text])
    if tag in ("i", "h", "f", "d") and at + _SIZES[tag] <= len(packet):
        format_ = {"i": ">i", "h": ">q", "f": ">f", "d": ">d"}[tag]
        return id_of(struct.unpack_from(format_, packet, at))
    return NO_ID


def _head_fault(packet: bytes, code: str, text: str) -> Fault:
    """A fault with as much of the address and the id as the head of the packet tells."""
    path, at = _string(packet, 0)
    if not packet.startswith(b"/") or path is None or not path.isascii() or not path.isprintable():
        return Fault(code, text)
    tags, data = _string(packet, at)
    return Fault(code, text, path, _first(packet, (tags or "")[1:2], data))


def _shortest(number: float) -> float:
    """The shortest decimal that a 32-bit float stands for: 117.3, not 117.30000305."""
    return float(str(np.float32(number)))


END: Final = b"\xc0"
ESC: Final = b"\xdb"
BAD_FRAME: Final = ESC
"""Stands for a frame whose escapes are wrong: no OSC packet, so it is counted as garbage."""


def slip(packet: bytes) -> bytes:
    """A packet framed for a stream: END at both ends."""
    return END + packet.replace(ESC, ESC + b"\xdd").replace(END, ESC + b"\xdc") + END


def prefixed(packet: bytes) -> bytes:
    """A packet framed for a stream as in OSC 1.0: its length in front."""
    return struct.pack(">I", len(packet)) + packet


class Unprefix:
    """Takes a stream of packets with their lengths in front apart; else as `Unslip`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._raw = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that these bytes complete."""
        self._raw += data
        packets: list[bytes] = []
        while True:
            skipped = min(self._skip, len(self._raw))
            del self._raw[:skipped]
            self._skip -= skipped
            size = int.from_bytes(self._raw[:4], "big")
            kept = min(size, self._most + 1)
            if self._skip or len(self._raw) < 4 + kept:
                return packets
            packets.append(bytes(self._raw[4 : 4 + kept]))
            del self._raw[: 4 + kept]
            self._skip = size - kept


class Unslip:
    """Takes a stream's bytes apart into packets.

    A packet longer than `most` bytes comes out cut to `most` + 1, so that
    whoever refuses it can still read its head.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._raw = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that these bytes complete."""
        *whole, tail = data.split(END)
        packets = []
        for part in whole:
            self._take(part)
            if self._raw:
                packets.append(self._packet())
            self._raw.clear()
        self._take(tail)
        return packets

    def _take(self, part: bytes) -> None:
        # Escapes double a packet at most; what is beyond that cannot matter.
        self._raw += part[: 2 * self._most + 2 - len(self._raw)]

    def _packet(self) -> bytes:
        pieces = bytes(self._raw).split(ESC)
        parts = [pieces[0]]
        for piece in pieces[1:]:
            if piece[:1] not in (b"\xdc", b"\xdd"):
                return BAD_FRAME
            parts.append((END if piece[:1] == b"\xdc" else ESC) + piece[1:])
        return b"".join(parts)[: self._most + 1]
