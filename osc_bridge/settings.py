"""Commands that set the stage: hello, session, parameters, transport, uploads, subscriptions."""

import hmac
import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from musai.music import Voice
from musai.transformer.controls import MODES
from osc_bridge import jamming
from osc_bridge.addresses import NOTE_BYTES, PARAMETERS, PROTOCOL
from osc_bridge.asks import Context, parameter, wire
from osc_bridge.chunks import Chunk, Upload, packed
from osc_bridge.effects import Follow, Peer
from osc_bridge.errors import CODES
from osc_bridge.messages import Command, Fault, Value, Wrong
from osc_bridge.rows import INT32
from osc_bridge.stage import Stage, Subscription

if TYPE_CHECKING:
    from osc_bridge.session import Session

SHORTEST_LEASE: Final = 1.0
FULL_STATE: Final = "all"
CAPABILITIES: Final = (*MODES, "again", "replay", "overlap", "bundles", "tcp", "resend", "jam")


def joined(session: "Session", name: str) -> Stage:
    """The session of this name, with the client in it."""
    stage = session.shared.stages.setdefault(name, Stage(name, session.shared))
    stage.members[session.number] = session
    return stage


def left(session: "Session") -> None:
    """Take the client out of its session and its jam; the last one out ends it."""
    jamming.depart(session, session.shared.now)
    del session.stage.members[session.number]
    if not session.stage.members:
        if session.stage.linked:
            session.shared.out.append(Follow(session.stage.name, None))
        del session.shared.stages[session.stage.name]


def check_hello(peer: Peer, command: Command, token: str) -> None:
    """Raise `Wrong` where this hello cannot be answered with a welcome."""
    if not here(peer) and not (token and hmac.compare_digest(token, command.args["token"])):
        raise Wrong("bad_token", CODES["bad_token"])
    protocol, port = command.args["protocol"], command.args["reply_port"]
    if protocol != PROTOCOL:
        raise Wrong("bad_value", f"protocol is {protocol}; legal is {PROTOCOL}")
    if port and peer.kind != "udp":
        raise Wrong("bad_value", f"reply_port is {port}; over TCP it can only be 0")
    if 0 < port < 1024:
        raise Wrong("bad_value", f"reply_port is {port}; legal is 0, and 1024 to 65535")


def here(peer: Peer) -> bool:
    """Whether a packet came from this machine."""
    return peer.kind == "memory" or ipaddress.ip_address(peer.host).is_loopback


def hello(session: "Session", now: float, command: Command) -> None:
    """Learn the client's name and wishes, tell it ours."""
    check_hello(session.peer, command, session.shared.token)
    port = command.args["reply_port"]
    session.name, session.short = command.args["name"], command.args["short"]
    if port:
        session.reply_to = Peer("udp", session.peer.host, port)
    about, kind = session.shared.about, session.peer.kind
    session.ack(command)
    session.reply(
        "/musai/welcome",
        command.id,
        PROTOCOL,
        session.number,
        about.version,
        about.model,
        session.digits(about.model_id),
        about.corpus,
        session.digits(about.corpus_id),
        " ".join(CAPABILITIES),
        rest=session.shared.limits.told(kind),
    )


def bye(session: "Session", now: float, command: Command) -> None:
    """Take leave; the desk forgets the client."""
    session.ack(command)


def join(session: "Session", now: float, command: Command) -> None:
    """Go over to another session."""
    left(session)
    session.stage = joined(session, command.args["name"])
    session.ack(command)
    if session.subscription is not None:
        full_state(session, now)


def set_(session: "Session", now: float, command: Command) -> None:
    """Set parameters; all of them or, where one is wrong, none."""
    wanted = [(name, parameter(name, value)) for name, value in command.rest]
    session.ack(command)
    for name, value in wanted:
        if value is None:
            session.values.pop(name, None)
        else:
            session.values[name] = value
        session.news(name, sendable(wire(name, value)))
    jamming.retuned(session, now)


def sendable(value: Value) -> Value:
    """A value with the type tags that every client reads."""
    if value is None:
        return "default"
    if isinstance(value, int) and not -INT32 - 1 <= value <= INT32:
        return str(value)
    return value


def voice(session: "Session", now: float, command: Command) -> None:
    """Say what a voice of note lists is."""
    args = command.args
    session.voices[args["index"]] = Voice(args["name"], args["program"], args["drum"])
    session.ack(command)
    jamming.retuned(session, now)


def transport(session: "Session", now: float, command: Command) -> None:
    """Take over the host's transport for the session, and tell its listeners."""
    args = command.args
    if session.stage.linked:
        raise Wrong("linked", CODES["linked"])
    session.ack(command)
    transported(session.stage, now, args["tempo"], args["beat"], args["playing"])


def transported(stage: Stage, now: float, tempo: float, beat: float, playing: bool) -> None:
    """Take over a transport, and tell the session's jam and listeners."""
    stage.tell(now, tempo, beat, playing)
    jamming.transported(stage, now)
    for member in stage.members.values():
        for name, value in transport_state(stage, now):
            member.news(name, value)


def link(session: "Session", now: float, command: Command) -> None:
    """Follow Ableton Link in the session, or leave it."""
    on = command.args["on"]
    if on and not session.shared.link:
        raise Wrong("no_link", CODES["no_link"])
    session.ack(command)
    if on != session.stage.linked:
        session.stage.linked = on
        tempo = (session.stage.tempo or command.args["tempo"]) if on else None
        session.shared.out.append(Follow(session.stage.name, tempo))
    session.reply("/musai/linked", command.id, on)


def transport_state(stage: Stage, now: float) -> list[tuple[str, Value]]:
    """Tempo (0 where none was told), position and whether it plays."""
    return [
        ("tempo_now", float(stage.tempo or 0.0)),
        ("beat", stage.beat_at(now)),
        ("playing", int(stage.playing)),
    ]


def context(session: "Session", now: float, command: Command) -> None:
    """Take in a chunk of notes or of a file; the last one makes it the context."""
    args, path = command.args, command.row.path
    payload = args["data"] if "data" in args else packed(command.rest)
    chunk = Chunk(args["sequence"], args["total"], args["checksum"], payload)
    done = session.uploaded
    if done is not None and done.holds(path, command.id, chunk):
        session.reply("/musai/context/ready", command.id, done.size)
        return
    upload = session.upload
    if upload is None or (upload.path, upload.id) != (path, command.id):
        if upload is not None:
            session.fault(now, Fault("replaced", "another upload began", upload.path, upload.id))
        most = session.shared.limits.context(session.peer.kind)
        upload = session.upload = Upload(path, command.id, chunk, most)
    fault = upload.add(now, chunk)
    if fault is None:
        session.reply("/musai/context/have", command.id, upload.received, upload.total)
        fault = complete(session, upload, chunk.sequence)
    if fault is not None:
        session.upload = None
        raise Wrong(fault.code, fault.text)


def complete(session: "Session", upload: Upload, sequence: int) -> Fault | None:
    """Make a whole upload the context, or name what is missing after its last chunk."""
    if upload.received < upload.total:
        if sequence == upload.total:
            missing = upload.missing()
            session.reply("/musai/context/missing", upload.id, rest=[(i,) for i in missing])
        return None
    whole = upload.whole()
    if isinstance(whole, Fault):
        return whole
    midi = upload.path == "/musai/context/midi"
    session.context = Context(midi=whole) if midi else Context(notes=whole)
    size = len(whole) if midi else len(whole) // NOTE_BYTES
    session.upload, session.uploaded = None, upload.done(size)
    session.reply("/musai/context/ready", upload.id, size)
    session.news("context", size)
    return None


def nudge(session: "Session", now: float) -> None:
    """After a silence name the chunks that are missing; after too many give the upload up."""
    upload = session.upload
    if upload is None or now < upload.due:
        return
    missing = upload.nudge(now)
    if missing:
        session.reply("/musai/context/missing", upload.id, rest=[(i,) for i in missing])
        return
    session.upload = None
    session.error(upload.id, "timeout", "the chunks asked for did not come", upload.path)


def panic(session: "Session", now: float, command: Command) -> None:
    """Cancel all that the session has under way; its listeners end what sounds."""
    session.ack(command)
    jamming.panicked(session, now)
    for member in session.stage.members.values():
        for record in member.takes.running():
            member.cancel(record.id)
        if member.subscription is not None:
            member.reply("/musai/silence", member.subscription.id)


def sync(session: "Session", now: float, command: Command) -> None:
    """Tell the server's clock and the session's position."""
    session.ack(command)
    _, beat, playing = (value for _, value in transport_state(session.stage, now))
    session.reply(
        "/musai/clock",
        command.id,
        int(1000 * now) % 2**31,
        float(session.stage.tempo or 0.0),
        beat,
        playing,
    )


def subscribe(session: "Session", now: float, command: Command) -> None:
    """Begin, renew or end a lease; a new one is told the full state."""
    lease = command.args["lease"]
    session.ack(command)
    if lease == 0:
        session.subscription = None
        session.reply("/musai/heartbeat", command.id, 0, 0.0)
        return
    lease = max(lease, SHORTEST_LEASE)
    held = session.subscription
    if held is not None and held.id == command.id:
        held.lease, held.ends = lease, now + lease
    else:
        held = session.subscription = Subscription(command.id, lease, now + lease)
        full_state(session, now)
    held.beats = now
    beat(session, now)


def beat(session: "Session", now: float) -> None:
    """Send a heartbeat when it is due; with the last one the subscription ends."""
    held = session.subscription
    if held is None or now < held.beats:
        return
    session.reply("/musai/heartbeat", held.id, held.count, held.left(now))
    held.renewed(now)
    if held.left(now) == 0:
        session.subscription = None


def full_state(session: "Session", now: float) -> None:
    """Every value of the state, then the takes of the session, then how many values there were."""
    values: list[tuple[str, Value]] = [
        ("session", session.stage.name),
        ("client", session.number),
        *transport_state(session.stage, now),
        *((name, sendable(wire(name, session.values.get(name)))) for name in PARAMETERS),
        ("context", 0 if session.uploaded is None else session.uploaded.size),
        ("requests", len(session.takes.running())),
        ("withheld", session.shared.withheld),
    ]
    for name, value in values:
        session.news(name, value)
    for member in session.stage.members.values():
        for record in member.takes.ended():
            session.take(member.number, record)
    session.news(FULL_STATE, len(values))


HANDLERS: Final[dict[str, Callable[["Session", float, Command], None]]] = {
    "/musai/hello": hello,
    "/musai/bye": bye,
    "/musai/session": join,
    "/musai/set": set_,
    "/musai/voice": voice,
    "/musai/transport": transport,
    "/musai/link": link,
    "/musai/context": context,
    "/musai/context/midi": context,
    "/musai/panic": panic,
    "/musai/sync": sync,
    "/musai/subscribe": subscribe,
}
