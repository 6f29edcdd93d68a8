"""The jams of a server: commands in, the machine's instructions out to clients and service.

A `Seat` is a session's place at the jam: it turns seconds into the jam's
ticks, keeps the log, and speaks to every client that takes part.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from musai.music import Voice
from musai.service import events
from musai.transformer.controls import Mode
from musai.transformer.instruments import PLAYERS
from osc_bridge import jam_steps as s
from osc_bridge.asks import Ask, Context
from osc_bridge.chunks import packed
from osc_bridge.effects import Cancel, Log, Prefill, Submit
from osc_bridge.jam import Jam
from osc_bridge.jam_addresses import JAM_PARAMETERS
from osc_bridge.jam_steps import TICKS
from osc_bridge.messages import Command, Id, Wrong, check
from osc_bridge.rows import LIGHTS, ROOT

if TYPE_CHECKING:
    from osc_bridge.session import Session
    from osc_bridge.stage import Stage

SERVICE: Final = 0
"""Stands for a client's number in the keys of what a jam asks for."""
NEAR: Final = 4 * TICKS
"""Ticks that `at` may be away from now."""
LEFT_OUT: Final = ("bars", "seed", "tempo", "signature", "first", "voices", "change")
"""Parameters that a jam has from elsewhere."""


@dataclass(slots=True)
class Member:
    """A client that takes part; `id` is that of its /musai/jam."""

    session: "Session"
    id: Id
    voice: int


@dataclass(slots=True)
class Seat:
    """One session's jam."""

    number: int
    stage: "Stage"
    jam: Jam = field(default_factory=Jam)
    members: dict[int, Member] = field(default_factory=dict)

    def feed(self, now: float, given: s.Input) -> None:
        """One input at its tick; what comes of it goes out and into the log."""
        tick = max(self.stage.tick(now), self.jam.now)
        out = self.jam.step(tick, given)
        shared = self.stage.shared
        shared.out.append(Log(self.number, s.to_line(s.logged(tick, given, out))))
        for one in out:
            match one:
                case s.Ask():
                    ask = ask_of(one.wanted)
                    shared.out.append(Submit(self._key(one.ask), ask, self.stage.name))
                case s.Prefill():
                    topic = f"jam {self.number} {one.case}"
                    shared.out.append(Prefill(ask_of(one.wanted), topic, one.played))
                case s.Drop():
                    shared.out.append(Cancel(self._key(one.ask)))
                case s.Tell():
                    self._tell(one)

    def _key(self, ask: int) -> tuple[int, str]:
        return (SERVICE, f"{self.number}.{ask}")

    def _tell(self, one: s.Tell) -> None:
        for member in list(self.members.values()):
            self.tell(member, one.name, one.args)

    def tell(self, member: Member, name: str, args: tuple[Any, ...]) -> None:
        """One reply to one client, its ids as long as it wants them."""
        session = member.session
        match name:
            case "time":
                args = (*args, *self._clock(args[0]))
            case "made":
                args = (args[0], *map(session.digits, args[1:]))
            case "end":
                args = (*args[:4], *map(session.digits, args[4:]))
            case "take":
                args = (*args[:4], session.digits(args[4]))
            case "failed":
                args = (args[0], session.code_of(args[1]), args[2])
            case "overlap":
                sentence = "" if session.short else args[8]
                args = (*args[:5], session.digits(args[5]), *args[6:8], sentence, *args[9:])
        session.reply(f"{ROOT}/jam/{name}", member.id, *args)

    def _clock(self, host: int) -> tuple[int, int]:
        micro = round(1e6 * self.stage.time_of_host(host))
        return micro // 1_000_000 % 2**31, micro % 1_000_000

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self.stage.tick(now) >= self.jam.wake():
            self.feed(now, s.Time())

    def wake(self) -> float:
        """When `tick` has something to do, in seconds."""
        return self.stage.time_of(self.jam.wake())

    def hear(self, now: float, ask: int, event: events.Event) -> None:
        """What the service says of something asked for."""
        self.feed(now, _heard(ask, event))


def _heard(ask: int, event: events.Event) -> s.Input:
    match event:
        case events.Started():
            return s.Began(ask, event.replay_id)
        case events.Sounded():
            note = (event.onset, event.duration, event.pitch, event.velocity, event.voice)
            return s.Heard(ask, event.index, *map(int, note))
        case events.Finished():
            return s.Made(ask, event.phrase_id, event.replay_id)
        case events.Compared():
            number = LIGHTS.index(event.light) if event.light in LIGHTS else 0
            told = (event.light, number, -1.0 if event.p_value is None else event.p_value)
            nearest = (event.work_id or "", event.title or "", event.licence or "")
            varied = event.takes, -1.0 if event.varied_as is None else event.varied_as
            return s.Compared(ask, (*told, event.longest_run, *nearest, event.sentence, *varied))
    return s.Failed(ask, event.kind, event.reason)


def ask_of(wanted: s.Wanted) -> Ask:
    """A jam's request as any other client's; voices the jam's own."""
    values = {**wanted.values, "bars": wanted.bars, "seed": wanted.seed}
    values["signature"] = wanted.signature
    if isinstance(values.get("register"), list):
        values["register"] = tuple(values["register"])
    voices = {i: Voice("", *sound) for i, sound in enumerate(wanted.sounds)}
    context = Context(notes=packed(wanted.notes), length=wanted.length, voices=len(wanted.sounds))
    return Ask(cast(Mode, wanted.mode), values, context, wanted.tempo, voices)


# Commands.


def jam(session: "Session", now: float, command: Command) -> None:
    """Take part, and set what this command names."""
    wanted: dict[str, Any] = {
        name: check(JAM_PARAMETERS[name], value) for name, value in command.rest
    }
    stage, shared = session.stage, session.shared
    seat = stage.seat
    voice = wanted.pop("voice", None)
    session.ack(command)
    if seat is None:
        shared.jams += 1
        seat = stage.seat = shared.seats[shared.jams] = Seat(shared.jams, stage)
        seat.jam.now = max(0, stage.tick(now))
        shared.out.append(Log(seat.number, msgspec.json.encode({"session": stage.name}) + b"\n"))
        seat.feed(now, stage.transport())
    known = seat.members.get(session.number)
    if voice is None:
        voice = known.voice if known else _free(seat)
    member = seat.members[session.number] = Member(session, command.id, voice)
    session.reply("/musai/jam/joined", command.id, stage.name, seat.number, voice)
    if wanted or known is None:
        configure(seat, now, session, wanted)
    if known is None:
        host = stage.host_tick(now)
        playing, bar = seat.jam.playing, seat.jam.config.bar
        seat.tell(member, "time", (host, seat.jam.tempo, playing, bar))


def _free(seat: Seat) -> int:
    taken = {member.voice for member in seat.members.values()}
    return next((voice for voice in range(16) if voice not in taken), 0)


def configure(seat: Seat, now: float, session: "Session", wanted: dict[str, Any]) -> None:
    """The jam's parameters as they are, with these, and this client's wishes and sounds."""
    values = {name: v for name, v in session.values.items() if name not in LEFT_OUT}
    sounds = {i: (voice.program, voice.drum) for i, voice in session.voices.items()}
    before = seat.jam.config
    config = msgspec.structs.replace(
        before,
        **wanted,
        values=values,
        signature=session.values.get("signature", before.signature),
        sounds={**before.sounds, **sounds},
    )
    if "part" in wanted or "own" in wanted:
        config = with_part(config)
    seat.feed(now, s.Configure(config))


def with_part(config: s.JamConfig) -> s.JamConfig:
    """The accompaniment's voice as the instrument that is asked for."""
    if config.part == s.ANY:
        return msgspec.structs.replace(config, range=None)
    player = PLAYERS[config.part]
    sounds = {**config.sounds, config.own: (player.program, player.drum)}
    range_ = None if player.drum else (player.low, player.high)
    return msgspec.structs.replace(config, sounds=sounds, range=range_)


def _seated(session: "Session") -> tuple[Seat, Member]:
    seat = session.stage.seat
    member = None if seat is None else seat.members.get(session.number)
    if seat is None or member is None:
        raise Wrong("no_jam", "this client takes part in no jam; /musai/jam begins one")
    return seat, member


def _ago(seat: Seat, now: float, at: int) -> int:
    """How many ticks ago a tick of the host is; -1 stands for now, and so does what is to come."""
    if at == -1 or not seat.jam.playing:
        return 0
    ago = seat.stage.host_tick(now) - at
    if abs(ago) > NEAR:
        raise Wrong("bad_value", f"at is {at}, {-ago} ticks from now; legal is up to {NEAR}")
    return max(0, ago)


def on(session: "Session", now: float, command: Command) -> None:
    """A key is struck."""
    seat, member = _seated(session)
    args = command.args
    ago = _ago(seat, now, args["at"])
    session.ack(command)
    voice = member.voice if args["voice"] == -1 else args["voice"]
    key = f"{session.number}:{command.id}"
    seat.feed(now, s.On(key, args["pitch"], args["velocity"], voice, ago))


def off(session: "Session", now: float, command: Command) -> None:
    """A key is released."""
    seat, member = _seated(session)
    args = command.args
    ago = _ago(seat, now, args["at"])
    session.ack(command)
    voice = member.voice if args["voice"] == -1 else args["voice"]
    key = "" if args["note"] == "" else f"{session.number}:{args['note']}"
    seat.feed(now, s.Off(key, args["pitch"], voice, ago))


def turn(session: "Session", now: float, command: Command) -> None:
    """The human gives the turn."""
    seat, _ = _seated(session)
    session.ack(command)
    seat.feed(now, s.Turn())


def again(session: "Session", now: float, command: Command) -> None:
    """Play a take once more, the same, different, or the one before."""
    seat, _ = _seated(session)
    how = {"again": "same", "vary": "vary", "back": "back"}[command.row.path.rpartition("/")[2]]
    number = command.args.get("take", 0)
    if seat.jam.named(number, back=how == "back") is None:
        raise Wrong("not_found", "no such take of this jam")
    session.ack(command)
    seat.feed(now, s.Again(number, how))  # type: ignore[arg-type]


def phrase_of(session: "Session", number: int) -> str:
    """The phrase of a take of the jam.  Raises `Wrong` where there is none (yet)."""
    seat, _ = _seated(session)
    take = seat.jam.named(number)
    if take is None or not take.phrase:
        raise Wrong("not_found", f"take {number} of this jam has made no phrase")
    return take.phrase


def leave(session: "Session", now: float, command: Command) -> None:
    """Leave the jam."""
    _seated(session)
    session.ack(command)
    depart(session, now)


# What other commands bring.


def depart(session: "Session", now: float) -> None:
    """A client is gone from the jam: what it held is released; the last one ends it."""
    seat = session.stage.seat
    if seat is None or session.number not in seat.members:
        return
    seat.feed(now, s.Gone(f"{session.number}:"))
    if len(seat.members) == 1:
        seat.feed(now, s.Panic())
        session.shared.out.append(Log(seat.number, b""))
        del session.shared.seats[seat.number]
        session.stage.seat = None
    else:
        seat.tell(seat.members[session.number], "silence", ())
    del seat.members[session.number]


def retuned(session: "Session", now: float) -> None:
    """A client of the jam has set parameters or voices: its answers go by them."""
    seat = session.stage.seat
    if seat is not None and session.number in seat.members:
        configure(seat, now, session, {})


def transported(stage: "Stage", now: float) -> None:
    """The session's transport was told anew."""
    if stage.seat is not None:
        stage.seat.feed(now, stage.transport())


def panicked(session: "Session", now: float) -> None:
    """Panic in the session."""
    seat = session.stage.seat
    if seat is not None:
        seat.feed(now, s.Panic())


HANDLERS: Final[dict[str, Callable[["Session", float, Command], None]]] = {
    "/musai/jam": jam,
    "/musai/jam/on": on,
    "/musai/jam/off": off,
    "/musai/jam/turn": turn,
    "/musai/jam/again": again,
    "/musai/jam/vary": again,
    "/musai/jam/back": again,
    "/musai/jam/leave": leave,
}
