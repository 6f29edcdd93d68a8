"""A desk without sockets or clock, and guests who speak to it."""

from collections.abc import Iterable

from musai.music import Phrase, Voice, notes_array
from musai.service.events import Compared, Event, Failed, Finished, Sounded, Started
from musai.transformer.request import Request
from osc_bridge.addresses import TABLE
from osc_bridge.chunks import checksum, packed
from osc_bridge.codec import bundle, decode, encode
from osc_bridge.desk import Desk
from osc_bridge.effects import Decided, Effect, Fetched, Key, Peer, Send, Submit
from osc_bridge.limits import Limits
from osc_bridge.messages import Command, Id, Message, Value, read
from osc_bridge.session import About

WALL = 1_800_000_000.0
ABOUT = About("0.1.0", "fake", "ab" * 32, "none", "cd" * 32)
PHRASE = "12345678" + "9a" * 28
REPLAY = "87654321" + "a9" * 28
NOTES = [(0, 480, 60, 80, 0), (480, 480, 64, 90, 0), (960, 960, 67, 100, 1)]

SUM = checksum(packed(NOTES))
FLAT = [number for note in NOTES for number in note]
PHRASE_OF_NOTES = Phrase(notes_array(*zip(*NOTES, strict=True)), voices=(Voice(), Voice()))


class Room:
    """A desk; `now` is the time, `effects` what it wanted done beside sending."""

    def __init__(self, **limits: float) -> None:
        self.desk = Desk(Limits(**limits), ABOUT)
        self.now = 1000.0
        self.effects: list[Effect] = []
        self.sent: dict[Peer, list[Message]] = {}
        self._ports = iter(range(50_000, 60_000))

    def guest(self, kind: str = "udp", *, hello: bool = True, port: int = 0) -> "Guest":
        """A new client, which has said hello unless it should not."""
        guest = Guest(self, Peer(kind, "127.0.0.1", port or next(self._ports)))  # type: ignore[arg-type]
        if hello:
            assert guest.say("/musai/hello", 0)[-1].path == "/musai/welcome"
        return guest

    def packet(self, peer: Peer, packet: bytes) -> None:
        """A packet comes in."""
        self.take(self.desk.packet(self.now, WALL, peer, packet))

    def wait(self, seconds: float) -> None:
        """Time passes, and `tick` is called whenever the desk asked for it."""
        until = self.now + seconds
        while (wake := self.desk.wake()) <= until:
            assert wake >= self.now - 1e-9, "a wake-up in the past would spin"
            self.now = max(self.now, wake)
            self.take(self.desk.tick(self.now))
            assert self.desk.wake() > self.now, "a tick must do what was due"
        self.now = until
        self.take(self.desk.tick(self.now))

    def event(self, key: Key, *events: Event) -> None:
        """The service says something."""
        for event in events:
            self.take(self.desk.event(self.now, key, event))

    def result(self, key: Key, result: Decided | Fetched | Failed) -> None:
        """The service has done something slow."""
        self.take(self.desk.result(self.now, key, result))

    def take(self, effects: Iterable[Effect]) -> None:
        """Carry out what can be; all that is sent is what the table allows."""
        for effect in effects:
            if isinstance(effect, Send):
                assert isinstance(read(effect.message), Command)
                assert TABLE[effect.message.path].way == "out"
                (timed,) = decode(encode(effect.message), WALL, 1 << 20)
                assert isinstance(timed.item, Message)
                self.sent.setdefault(effect.peer, []).append(timed.item)
            else:
                self.effects.append(effect)

    def pop(self) -> Effect:
        """The one effect that is left."""
        (effect,) = self.effects
        self.effects.clear()
        return effect


class Guest:
    """One client: `say` sends a message and returns what came back at once."""

    def __init__(self, room: Room, peer: Peer) -> None:
        self.room, self.peer, self.ear = room, peer, peer

    def say(self, path: str, *args: Value) -> list[Message]:
        return self.send(encode(Message(path, args), double=True))

    def send(self, packet: bytes) -> list[Message]:
        self.room.sent.pop(self.ear, None)
        self.room.packet(self.peer, packet)
        return self.heard()

    def later(self, seconds: float, *messages: Message) -> list[Message]:
        return self.send(bundle([encode(message) for message in messages], WALL + seconds))

    def heard(self) -> list[Message]:
        return self.room.sent.pop(self.ear, [])

    @property
    def number(self) -> int:
        session = self.room.desk._sources[self.peer]
        return session.number

    def key(self, id: Id) -> Key:
        return (self.number, id)


def paths(messages: Iterable[Message]) -> list[str]:
    """Addresses without their root."""
    return [message.path.removeprefix("/musai/") for message in messages]


def code(messages: list[Message]) -> str:
    """The code of the one error that these messages are."""
    (message,) = messages
    assert message.path == "/musai/error", message
    return str(message.args[1])


def walk(light: str = "green", replay: str | None = None) -> list[Event]:
    """The events of a phrase, from start to comparison."""
    return [
        Started(1, REPLAY),
        *(Sounded(1, i, *note) for i, note in enumerate(NOTES)),
        Finished(1, PHRASE, REPLAY, len(NOTES), 2, "deadbeef", 3.5, 7.0, replay),
        Compared(1, PHRASE, light, "Nothing like it.", 0.25, 4, "ee" * 32, "Air", "CC0-1.0", 9.0),  # type: ignore[arg-type]
    ]


def asked(room: Room) -> Request:
    effect = room.pop()
    assert isinstance(effect, Submit)
    return effect.ask.request()


def played(room: Room, guest: Guest, id: int | str = 1, path: str = "/musai/generate") -> None:
    """A take from beginning to end."""
    assert paths(guest.say(path, id)) == ["ack"]
    room.pop()
    room.event(guest.key(id), *walk())
    guest.heard()
