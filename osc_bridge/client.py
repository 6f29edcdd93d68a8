"""A synchronous client with timeouts, over UDP or TCP.

It repeats what UDP may lose (commands are safe to repeat, by their ids), asks
again for notes that did not come, and checks what came against the server's
checksum.  One thread may use it at a time.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Literal, Self

from musai.errors import BadInput, BadRequest
from musai.music import Note, Phrase
from musai.transformer.request import Request
from osc_bridge.addresses import PARAMETERS, TABLE
from osc_bridge.asks import wire
from osc_bridge.chunks import checksum, data_chunks, note_chunks, packed
from osc_bridge.codec import decode, encode
from osc_bridge.errors import BridgeError, NoAnswer, NoServer, Refused
from osc_bridge.lines import Line, TcpLine, UdpLine
from osc_bridge.messages import Command, Id, Message, Value, read
from osc_bridge.record import START_IT
from osc_bridge.rows import ROOT

RETRY: Final = 0.25
"""Seconds of silence after which a UDP packet is sent again; the wait doubles, up to 2 s."""
LONGEST_RETRY: Final = 2.0
REMEMBERED: Final = 256
"""Ids of finished commands whose late and doubled replies are dropped."""
REPEATS: Final = 8
"""How often what was lost on the way is asked for again."""

SUBSCRIBE: Final = f"{ROOT}/subscribe"
LASTING: Final = (SUBSCRIBE, f"{ROOT}/jam")
"""Commands whose id goes on to be told of things."""

Form = Literal["midi", "notes"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a phrase overlaps with: the arguments of `/musai/overlap`."""

    light: str
    number: int
    p: float
    longest_run: int
    time: float
    work: str
    title: str
    licence: str
    sentence: str
    takes: int = 0
    varied_as: float = -1.0


@dataclass(slots=True)
class Answer:
    """A phrase as it came: notes in the order of their indices, times in milliseconds.

    `first_note_ms` runs from sending the request to the first note's arrival
    here; the server's times are its own.  `asked_again` counts notes that were
    lost on the way.  Where there is no overlap, `no_overlap` says why.
    """

    id: Id
    notes: list[Note] = field(default_factory=list)
    bars: int = 0
    phrase: str = ""
    replay: str = ""
    notes_id: str = ""
    seed: int | None = None
    same: str = ""
    overlap: Overlap | None = None
    no_overlap: str = ""
    first_note_ms: float | None = None
    server_first_note_ms: float = 0.0
    server_whole_ms: float = 0.0
    asked_again: int = 0


class Client:
    """Speaks to one server; a context manager.  `timeout` is the longest silence, in seconds."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        transport: Literal["udp", "tcp"] = "tcp",
        timeout: float = 10.0,
        name: str = "",
    ) -> None:
        """Connect.  Raises `NoServer` where TCP finds nobody; over UDP `hello` does."""
        self._where = f"{transport.upper()} port {port} of {host}"
        self._timeout = timeout
        self._name = name
        # Ids start where no earlier client on this port left off.
        self._ids = count(time.monotonic_ns() // 1000 % 2**30)
        self._later: list[Command] = []
        self._over: deque[Id] = deque(maxlen=REMEMBERED)
        self._lossy = transport == "udp"
        self._line: Line
        try:
            self._line = UdpLine(host, port) if self._lossy else TcpLine(host, port, timeout)
        except OSError as error:
            raise self._nobody() from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say bye, without waiting for the answer, and close."""
        with contextlib.suppress(BridgeError):
            self.send(Message("/musai/bye", (next(self._ids),)))
        self._line.close()

    def hello(self, *, reply_port: int = 0, short: bool = False, token: str = "") -> dict[str, Any]:
        """Make oneself known; the arguments of `/musai/welcome`, limits under "limits"."""
        try:
            welcome = self.call("/musai/hello", 1, reply_port, self._name, short, token)[-1]
        except NoAnswer as error:
            raise self._nobody() from error
        return {**welcome.args, "limits": dict(welcome.rest)}

    def set(self, **values: Any) -> None:
        """Set parameters by name, as `Request` takes them; None takes one back."""
        pairs = [part for name, value in values.items() for part in (name, wire(name, value))]
        self.call("/musai/set", *pairs)

    def upload(self, phrase: Phrase, form: Form = "midi") -> None:
        """Make `phrase` the context: as a MIDI file, which says all, or as notes alone."""
        if len(phrase) == 0:
            raise BadInput("the context has no notes; legal is at least one")
        id = next(self._ids)
        if form == "midi":
            path = "/musai/context/midi"
            chunks = list(data_chunks(path, id, phrase.to_midi(), self._line.most))
        else:
            path = "/musai/context"
            for i, voice in enumerate(phrase.voices):
                self.call("/musai/voice", i, voice.program, voice.drum, voice.name[:32])
            notes = [tuple(map(int, note)) for note in phrase.notes]
            chunks = list(note_chunks(path, id, notes, self._line.most))
        self._upload(id, chunks)

    def ask(
        self,
        request: Request,
        *,
        on_note: Callable[[Note], None] | None = None,
        overlap: bool = True,
        form: Form = "midi",
    ) -> Answer:
        """Upload the context, ask, and wait for all notes and (unless not wanted) the overlap."""
        if request.context is not None:
            self.upload(request.context, form)
        pairs: list[Value] = []
        if request.avoid is not None:
            raise BadRequest(
                "avoid names takes; over OSC it is a number of this client's last ones"
            )
        for name in PARAMETERS:
            pairs += [name, wire(name, getattr(request, name))]
        return self.stream(f"/musai/{request.mode}", *pairs, on_note=on_note, overlap=overlap)

    def replay(self, replay_id: str, *, overlap: bool = True) -> Answer:
        """Have a recorded phrase made again; `Answer.same` says whether it is identical."""
        return self.stream("/musai/replay", replay_id, overlap=overlap)

    def again(self, take: Id = "", *, overlap: bool = True) -> Answer:
        """An earlier take (by default the last one) with the next seed."""
        return self.stream("/musai/again", *([] if take == "" else [take]), overlap=overlap)

    def keep(self, take: Id, intent: str = "") -> None:
        """Record that a phrase is kept."""
        self.call("/musai/keep", take, *([intent] if intent else []))

    def discard(self, take: Id) -> None:
        """Record that a phrase is discarded."""
        self.call("/musai/discard", take)

    def phrase(self, take: Id) -> Phrase:
        """A phrase as the server's ledger has it: metre, voices and length included."""
        data, sum_ = self._chunks("/musai/phrase", take)
        if checksum(data) != sum_:
            raise NoAnswer(f"the phrase's file has checksum {checksum(data)}, not {sum_}")
        return Phrase.from_midi(data)

    def subscribe(self, lease: float = 10.0) -> list[Command]:
        """The full state of the session; every change comes to `listen` while the lease lasts."""
        return self.call(SUBSCRIBE, lease)

    # What all commands are made of.

    def call(self, path: str, *args: Value) -> list[Command]:
        """Send a command; its replies up to its last.  Raises `Refused`, `NoAnswer`, `NoServer`."""
        id, replies = next(self._ids), []
        for reply in self._replies(id, Message(path, (id, *args))):
            replies.append(reply)
            whole = reply.args.get("sequence") == reply.args.get("total")
            if reply.row.path == TABLE[path].last and whole:
                break
        return replies

    def stream(
        self,
        path: str,
        *args: Value,
        on_note: Callable[[Note], None] | None = None,
        overlap: bool = True,
    ) -> Answer:
        """Send a command that asks for a phrase and gather all of it."""
        answer = Answer(next(self._ids))
        notes: dict[int, Note] = {}
        ended = False
        started = time.perf_counter()
        for reply in self._replies(answer.id, Message(path, (answer.id, *args))):
            match reply.row.path:
                case "/musai/started":
                    _take_started(answer, reply)
                case "/musai/note":
                    if answer.first_note_ms is None:
                        answer.first_note_ms = 1000 * (time.perf_counter() - started)
                    self._note(notes, reply.args["index"], tuple(reply.args.values())[2:], on_note)
                case "/musai/end":
                    _take_end(answer, reply)
                    self._fill(answer, notes, reply, on_note)
                    ended = True
                case "/musai/overlap":
                    answer.overlap = Overlap(*list(reply.args.values())[1:])
                case "/musai/error":
                    answer.no_overlap = reply.args["text"]
            if ended and (answer.overlap or answer.no_overlap or not overlap):
                break
        return answer

    def send(self, message: Message) -> None:
        """Send a message and wait for nothing."""
        try:
            self._line.send(encode(message, double=True))
        except OSError as error:
            raise self._nobody() from error

    def listen(self, seconds: float) -> Iterator[Command]:
        """Whatever comes within that time, in order."""
        until = time.monotonic() + seconds
        while True:
            while self._later:
                yield self._later.pop(0)
            left = until - time.monotonic()
            if left <= 0:
                return
            self._later += self._received(left)

    def _replies(self, id: Id, message: Message) -> Iterator[Command]:
        """Replies to a command as they come; what comes after the last one taken is dropped."""
        try:
            yield from self._endless(id, message)
        finally:
            if message.path not in LASTING:
                self._taken(id)
                self._over.append(id)

    def _endless(self, id: Id, message: Message) -> Iterator[Command]:
        """Replies to a command as they come, without end; repeats it where UDP stays silent.

        Raises `Refused` for an error before the phrase is whole, `NoAnswer`
        where nothing new came for too long.
        """
        self.send(message)
        heard, wait, ended = time.monotonic(), RETRY, False
        repeat = heard + wait
        while True:
            for reply in self._taken(id):
                if reply.row.path == "/musai/error" and not ended:
                    raise Refused(reply.args["code"], reply.args["text"])
                ended = ended or reply.row.path == "/musai/end"
                if reply.row.path != "/musai/ack":
                    heard = time.monotonic()
                    repeat = heard + wait
                yield reply
            now = time.monotonic()
            if now - heard > self._timeout:
                raise NoAnswer(
                    f"{message.path}: no answer from {self._where} in {self._timeout:g} s"
                )
            if self._lossy and now >= repeat:
                wait = min(2 * wait, LONGEST_RETRY)
                repeat = now + wait
                self.send(message)
            end = heard + self._timeout
            self._later += self._received((min(repeat, end) if self._lossy else end) - now)

    def _taken(self, id: Id) -> list[Command]:
        mine = [reply for reply in self._later if reply.id == id]
        self._later = [reply for reply in self._later if reply.id != id]
        return mine

    def _received(self, seconds: float) -> list[Command]:
        try:
            packets = self._line.receive(seconds)
        except OSError as error:
            raise self._nobody() from error
        found = []
        for packet in packets:
            for timed in decode(packet, 0.0, len(packet)):
                command = read(timed.item) if isinstance(timed.item, Message) else timed.item
                if isinstance(command, Command) and command.id not in self._over:
                    found.append(command)
        return found

    def _upload(self, id: Id, chunks: list[Message]) -> None:
        for chunk in chunks[:-1]:
            self.send(chunk)
        for reply in self._replies(id, chunks[-1]):
            if reply.row.path == "/musai/context/ready":
                return
            if reply.row.path == "/musai/context/missing":
                for (sequence,) in reply.rest:
                    self.send(chunks[sequence - 1])

    def _chunks(self, path: str, *args: Value) -> tuple[bytes, str]:
        """All of a file that comes in chunks, and its checksum; lost ones are asked for again."""
        parts: dict[int, bytes] = {}
        for _ in range(REPEATS):
            for reply in self.call(path, *args):
                if "data" in reply.args:
                    parts[reply.args["sequence"]] = reply.args["data"]
            if len(parts) == reply.args["total"]:
                break
        return b"".join(parts[i] for i in sorted(parts)), reply.args["checksum"]

    def _fill(
        self,
        answer: Answer,
        notes: dict[int, Note],
        end: Command,
        on_note: Callable[[Note], None] | None,
    ) -> None:
        """Ask again for notes that did not come, then compare with the checksum."""
        for _ in range(REPEATS):
            missing = [i for i in range(end.args["notes"]) if i not in notes]
            if not missing:
                break
            answer.asked_again += len(missing)
            for reply in self.call("/musai/resend", answer.id, missing[0], missing[-1] + 1):
                for i, note in enumerate(reply.rest, reply.args.get("first", 0)):
                    self._note(notes, i, note, on_note)
        answer.notes = [notes[i] for i in sorted(notes)]
        if checksum(packed(answer.notes)) != end.args["checksum"]:
            raise NoAnswer(f"{len(notes)} of {end.args['notes']} notes came whole")

    def _note(
        self,
        notes: dict[int, Note],
        index: int,
        values: tuple[int, ...],
        on_note: Callable[[Note], None] | None,
    ) -> None:
        if index not in notes:
            notes[index] = Note(*values)
            if on_note is not None:
                on_note(notes[index])

    def _nobody(self) -> NoServer:
        return NoServer(f"no server answers on {self._where}; {START_IT}")


def _take_started(answer: Answer, reply: Command) -> None:
    answer.replay = reply.args["replay"]
    seed = reply.args["seed"]
    answer.seed = None if seed == "" else int(seed)


def _take_end(answer: Answer, reply: Command) -> None:
    args = reply.args
    answer.bars, answer.phrase, answer.replay = args["bars"], args["phrase"], args["replay"]
    answer.notes_id, answer.same = args["notes_id"], args["same"]
    answer.server_first_note_ms, answer.server_whole_ms = args["first_note"], args["whole"]
