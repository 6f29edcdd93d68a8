"""Standard MIDI files byte by byte, right ones and wrong ones."""

import struct

END = b"\0\xff\x2f\0"


def number(value: int) -> bytes:
    """A variable-length number of any size, also longer than files may hold."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def chunk(body: bytes, name: bytes = b"MTrk", size: int | None = None) -> bytes:
    return name + struct.pack(">I", len(body) if size is None else size) + body


def midi(*tracks: bytes, kind: int = 1, division: int = 480, count: int | None = None) -> bytes:
    """A file of these track bodies, each given whole with its end."""
    count = len(tracks) if count is None else count
    return chunk(struct.pack(">HHh", kind, count, division), b"MThd") + b"".join(map(chunk, tracks))


def on(wait: int, pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    return number(wait) + bytes([0x90 | channel, pitch, velocity])


def off(wait: int, pitch: int, channel: int = 0) -> bytes:
    return number(wait) + bytes([0x80 | channel, pitch, 0])


def program(wait: int, value: int, channel: int = 0) -> bytes:
    return number(wait) + bytes([0xC0 | channel, value])


def meta(wait: int, kind: int, data: bytes) -> bytes:
    return number(wait) + bytes([0xFF, kind]) + number(len(data)) + data


def note(wait: int, duration: int, pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    return on(wait, pitch, velocity, channel) + off(duration, pitch, channel)
