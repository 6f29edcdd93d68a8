"""Commands that ask for phrases and speak of takes, and the service's events for them."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, cast

from musai.errors import BadRequest
from musai.service.events import Compared, Event, Failed, Finished, Sounded, Started
from musai.transformer.controls import MODES, Mode, takes
from musai.transformer.fresh import Take
from osc_bridge import jamming
from osc_bridge.asks import Ask, Context, parameter
from osc_bridge.chunks import checksum, data_chunks, note_chunks, packed
from osc_bridge.effects import Again, Decide, Decided, Effect, Fetch, Fetched, Replay, Submit
from osc_bridge.errors import CODES
from osc_bridge.messages import Command, Id, Wrong
from osc_bridge.rows import LIGHTS, ROOT
from osc_bridge.settings import sendable
from osc_bridge.takes import Record, is_prefix

if TYPE_CHECKING:
    from osc_bridge.session import Session

RESEND_PAUSE: Final = 1.0
"""Seconds between two full resendings of one finished answer."""
MAX_FETCHES: Final = 4
DECISIONS: Final[dict[str, Literal["kept", "discarded"]]] = {
    "/musai/keep": "kept",
    "/musai/discard": "discarded",
    "/musai/jam/keep": "kept",
    "/musai/jam/discard": "discarded",
}
MAX_DECISIONS: Final = 32


def known(session: "Session", now: float, command: Command) -> bool:
    """Whether this command came before; if so it is answered again and not done again."""
    record = session.takes.get(command.id)
    if record is None:
        return False
    if record.message != command.message:
        raise Wrong("id_reused", f"{command.id!r} names a {record.message.path} of this client")
    session.ack(command)
    if record.told and not record.running and now - record.resent >= RESEND_PAUSE:
        record.resent = now
        for i, message in enumerate(record.told):
            if i == record.notes_at:
                for index, note in enumerate(record.notes):
                    session.reply("/musai/note", record.id, index, *note)
            session.send(message)
    return True


def ask(session: "Session", now: float, command: Command) -> None:
    """Ask for a phrase with what is set and what this command names."""
    mode = cast(Mode, command.row.path.rpartition("/")[2])
    # What is set stays set for the modes that take it; what this command names it must take.
    values = {name: value for name, value in session.values.items() if takes(mode, name)}
    for name, value in command.rest:
        values[name] = parameter(name, value)
    values = {name: value for name, value in values.items() if value is not None}
    if "avoid" in values:
        values["avoid"] = _last_takes(session, values["avoid"])
    counted = "seed" not in values
    values.setdefault("seed", session.seed)
    context = None if mode == "generate" else _context(session)
    wanted = Ask(mode, values, context, session.stage.tempo, dict(session.voices))
    _start(session, command, wanted, _submit(session, command, wanted))
    session.seed += counted


def _last_takes(session: "Session", count: int) -> tuple[Take, ...]:
    """Onset, pitch and voice of the notes of the client's last takes."""
    last = [record for record in session.takes.ended() if record.notes][-count:] if count else []
    return tuple(tuple((n[0], n[2], n[4]) for n in record.notes) for record in last)


def _context(session: "Session") -> Context:
    if session.context is None:
        text = "no context; upload one with /musai/context or /musai/context/midi"
        if session.upload is not None:
            text = f"the upload is not whole; chunks {session.upload.missing(16)} are missing"
        raise Wrong("no_context", text)
    return session.context


def _submit(session: "Session", command: Command, wanted: Ask) -> Submit:
    try:
        wanted.check()
    except BadRequest as error:
        raise Wrong("bad_request", str(error)) from None
    return Submit((session.number, command.id), wanted, session.stage.name)


def _start(session: "Session", command: Command, wanted: Ask | None, effect: Effect) -> None:
    most = session.shared.limits.requests
    if len(session.takes.running()) >= most:
        raise Wrong("busy", f"{most} phrases are under way, the limit")
    session.takes.add(command.id, Record(command.message, wanted))
    session.ack(command)
    session.shared.out.append(effect)
    session.news("requests", len(session.takes.running()))


def again(session: "Session", now: float, command: Command) -> None:
    """Ask for a take again with the next seed."""
    name = command.args["take"]
    record = session.takes.find(session.takes.last() if name == "" else name)
    if record is not None and record.ask is not None:
        wanted = record.ask.again()
        _start(session, command, wanted, _submit(session, command, wanted))
        return
    phrase = str(name) if record is None else record.phrase
    effect = Again((session.number, command.id), phrase, session.stage.name)
    _start(session, command, None, effect)


def replay(session: "Session", now: float, command: Command) -> None:
    """Have a recorded phrase made again."""
    replay_id = command.args["replay"]
    if not is_prefix(replay_id):
        raise Wrong("bad_value", f"replay is {replay_id!r}; legal is 8 to 64 hexadecimal digits")
    _start(session, command, None, Replay((session.number, command.id), replay_id))


def cancel(session: "Session", now: float, command: Command) -> None:
    """Stop a take under way; its own id gets the error that says so."""
    name = command.args["take"]
    record = session.takes.get(name)
    if record is None or not record.running:
        raise Wrong("not_found", f"{name!r} is not under way")
    session.ack(command)
    session.cancel(name)


def decide(session: "Session", now: float, command: Command) -> None:
    """Record a decision about a phrase."""
    phrase = _phrase(session, command)
    if sum(record.state == "deciding" for record in session.takes) >= MAX_DECISIONS:
        raise Wrong("busy", f"{MAX_DECISIONS} decisions are being recorded, the limit")
    session.takes.add(command.id, Record(command.message, state="deciding"))
    session.ack(command)
    decision = DECISIONS[command.row.path]
    intent = str(command.args.get("intent", ""))
    session.shared.out.append(Decide((session.number, command.id), phrase, decision, intent))


def phrase(session: "Session", now: float, command: Command) -> None:
    """Have a phrase fetched from the ledger."""
    wanted = _phrase(session, command)
    if len(session.fetching) >= MAX_FETCHES and command.id not in session.fetching:
        raise Wrong("busy", f"{MAX_FETCHES} phrases are being fetched, the limit")
    session.ack(command)
    if command.id not in session.fetching:
        session.fetching.add(command.id)
        session.shared.out.append(Fetch((session.number, command.id), wanted))


def _phrase(session: "Session", command: Command) -> str:
    name = command.args["take"]
    if "/jam/" in command.row.path:
        return jamming.phrase_of(session, name)
    record = session.takes.find(name)
    return str(name) if record is None else record.phrase


def resend(session: "Session", now: float, command: Command) -> None:
    """Send a range of a finished take's notes again."""
    record = session.takes.find(command.args["take"])
    if record is None:
        raise Wrong("not_found", "that take is not kept here; /musai/phrase fetches it whole")
    first, end = command.args["first"], command.args["end"]
    notes = record.notes[first : len(record.notes) if end == -1 else end]
    if not notes:
        raise Wrong("bad_value", f"notes {first} to {end}; this take has 0 to {len(record.notes)}")
    session.ack(command)
    most = session.shared.limits.packet(session.peer.kind)
    for message in note_chunks("/musai/notes", command.id, notes, most, first):
        session.send(message)


def event(session: "Session", now: float, id: Id, event: Event) -> None:
    """Pass on what the service says of a phrase."""
    record = session.takes.get(id)
    if record is None or record.state == "over":
        return
    match event:
        case Started():
            seed = "" if record.ask is None else sendable(record.ask.seed)
            replay_id = session.digits(event.replay_id)
            record.told = [session.reply("/musai/started", id, replay_id, seed)]
            record.notes_at = 1
        case Sounded():
            fields = (event.onset, event.duration, event.pitch, event.velocity, event.voice)
            note = tuple(map(int, fields))
            session.reply("/musai/note", id, len(record.notes), *note)
            record.notes.append(note)
            record.state = "sounding"
        case Finished():
            _finished(session, record, event)
        case Compared():
            _compared(session, record, event)
        case _:
            _failed(session, record, event)


def _finished(session: "Session", record: Record, event: Finished) -> None:
    message = session.reply(
        "/musai/end",
        record.id,
        len(record.notes),
        event.bars,
        checksum(packed(record.notes)),
        session.digits(event.phrase_id),
        session.digits(event.replay_id),
        event.checksum,
        event.first_note_ms,
        event.total_ms,
        event.replay or "",
    )
    record.phrase, record.state = event.phrase_id, "ended"
    record.told.append(message)
    _tell(session, record)
    session.news("requests", len(session.takes.running()))


def _compared(session: "Session", record: Record, event: Compared) -> None:
    message = session.reply(
        "/musai/overlap",
        record.id,
        event.light,
        LIGHTS.index(event.light) if event.light in LIGHTS else 0,
        -1.0 if event.p_value is None else event.p_value,
        event.longest_run,
        event.match_ms,
        session.digits(event.work_id or ""),
        event.title or "",
        event.licence or "",
        "" if session.short else event.sentence,
        event.takes,
        -1.0 if event.varied_as is None else event.varied_as,
    )
    record.light, record.state = event.light, "over"
    record.told.append(message)
    _tell(session, record)


def _failed(session: "Session", record: Record, event: Failed) -> None:
    record.state = "over"
    code, path = code_of(event.kind), record.message.path
    record.told.append(session.error(record.id, code, event.reason, path))
    session.news("requests", len(session.takes.running()))


def _tell(session: "Session", record: Record) -> None:
    for member in session.stage.members.values():
        member.take(session.number, record)


def code_of(kind: str) -> str:
    """The code word for an error's class name."""
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
    if word in ("bad_input", "bad_midi"):
        return "bad_value"
    return word if word in CODES else "internal"


def result(session: "Session", now: float, id: Id, result: Decided | Fetched | Failed) -> None:
    """Pass on a decision's record, a fetched phrase, or why there is none."""
    record = session.takes.get(id)
    if id in session.fetching and not isinstance(result, Decided):
        session.fetching.remove(id)
        if isinstance(result, Failed):
            session.error(id, code_of(result.kind), result.reason, "/musai/phrase")
            return
        most = session.shared.limits.packet(session.peer.kind)
        for message in data_chunks("/musai/phrase/midi", id, result.midi, most):
            session.send(message)
    elif record is not None and not isinstance(result, Fetched):
        _decided(session, record, result)


def _decided(session: "Session", record: Record, result: Decided | Failed) -> None:
    record.state = "over"
    if isinstance(result, Failed):
        code = code_of(result.kind)
        record.told = [session.error(record.id, code, result.reason, record.message.path)]
        return
    decision = DECISIONS[record.message.path]
    phrase_id = session.digits(result.phrase)
    record.told = [session.reply("/musai/decision", record.id, phrase_id, decision)]
    for take in session.takes.ended():
        if take.phrase.startswith(result.phrase):
            take.decision = decision
            _tell(session, take)


HANDLERS: Final[dict[str, Callable[["Session", float, Command], None]]] = {
    **{f"{ROOT}/{mode}": ask for mode in MODES},
    "/musai/again": again,
    "/musai/replay": replay,
    "/musai/cancel": cancel,
    "/musai/keep": decide,
    "/musai/discard": decide,
    "/musai/jam/keep": decide,
    "/musai/jam/discard": decide,
    "/musai/phrase": phrase,
    "/musai/resend": resend,
}
