"""THE table: every address, its arguments with units and ranges, its replies, one line of doc.

Parsing, checks, what the server may send, the reference in docs/osc.md and the
tests derive from `TABLE`, `PARAMETERS` and `errors.CODES`; nothing else knows an
address.

Conventions.  The first argument of a command is the client's own id for it, an
int or a string, and every reply carries it as its first argument.  Notes
travel as onset, duration (ticks at 480 a quarter), pitch, velocity, voice.
What the server sends uses only the type tags i, f, s and b, and ints of 32
bits, because Pd and many plugins read no others.  A checksum is CRC-32 (that
of zlib, PNG and Ethernet) in 8 lower-case hexadecimal digits: of a list of
notes it is taken over all its ints in order as 32-bit big-endian, of a file
over its bytes.
"""

from typing import Final

from musai.music.notes import MAX_TICK
from musai.transformer.controls import CONTROLS, MODE_DOCS, MODES, RANGES
from osc_bridge.jam_addresses import JAM_COMMANDS, JAM_REPLIES
from osc_bridge.rows import (
    COMMAND_ID,
    ID_BYTES,
    INT32,
    INTENT,
    LIGHTS,
    VARIETY,
    Address,
    Arg,
    Kind,
    number,
    optional,
    text,
    whole,
)
from osc_bridge.rows import command as _command
from osc_bridge.rows import reply as _reply

PROTOCOL: Final = 1
DEFAULT_PORT: Final = 7733

_TAKE = Arg(
    "take",
    "id",
    "the id of the command that asked for the phrase, or 8 to 64 digits of the phrase's own id",
    1,
    ID_BYTES,
)
_PORT = whole(
    "reply_port", 0, 65535, "replies go to this port of the same host; 0: where this came from"
)

QUINTUPLE: Final = (
    whole("onset", 0, MAX_TICK, "from the first bar line", "ticks"),
    whole("duration", 1, MAX_TICK, "time until it is released", "ticks"),
    whole("pitch", 0, 127, "60 is middle C"),
    whole("velocity", 1, 127, "how hard it is struck"),
    whole("voice", 0, 63, "index of the voice"),
)
NOTE_BYTES: Final = 4 * len(QUINTUPLE)

_CHUNK = (
    whole("sequence", 1, INT32, "number of this chunk, from 1"),
    whole("total", 1, INT32, "number of chunks"),
    text("checksum", 8, 'of the whole, as above; "" leaves it unchecked'),
)
_DATA = Arg("data", "blob", "this part of a standard MIDI file", 1, INT32, "bytes")


def _ranged(name: str, kind: Kind, doc: str) -> Arg:
    low, high, unit = RANGES[name]
    return Arg(name, kind, doc, low, high, unit)


_KINDS: Final[dict[str, Kind]] = {"int": "int", "float": "float", "text": "string", "takes": "int"}

PARAMETERS: Final[dict[str, Arg]] = {
    row.name: Arg(row.name, _KINDS[row.kind], row.doc, row.low, row.high, row.unit)
    for row in CONTROLS
}
"""What `/musai/set` and the asking commands take by name: the fields of a `Request`."""

DEFAULT_WORD: Final = "default"

_PAIR = (
    Arg("name", "string", "a parameter", 1, 32, "bytes", tuple(PARAMETERS)),
    Arg("value", "value", f'its value; "{DEFAULT_WORD}" or nil takes it back'),
)
_STREAM = ("/musai/ack", "/musai/started", "/musai/note", "/musai/end", "/musai/overlap")


# A table reads as a table: its rows are laid out by hand.
# fmt: off
_COMMANDS = (
    _command(
        "hello",
        "Make oneself known. Everything else is refused before it.",
        optional(whole("protocol", 1, INT32, "version of this table that the client speaks"), PROTOCOL),
        optional(_PORT, 0),
        optional(text("name", 64, "what to call the client"), ""),
        optional(Arg("short", "bool", "cut ids to 8 digits and leave sentences out of replies"), False),
        optional(text("token", 64, "what musai serve --lan printed, for clients on other machines"), ""),
        replies=("/musai/ack", "/musai/welcome"),
    ),
    _command("bye", "Leave: what was asked for is cancelled, what was set is forgotten."),
    _command(
        "session",
        "Join the session of this name, which its members' transport and takes belong to; "
        "until then a client has one of its own.",
        Arg("name", "string", "of the session; made by the first who joins", 1, 64, "bytes"),
    ),
    _command(
        "set", "Set parameters for all that is asked for afterwards.", rest=_PAIR, least=1
    ),
    _command(
        "voice",
        "Say what a voice of note lists is.",
        whole("index", 0, 63, "as in the notes"),
        whole("program", 0, 127, "General MIDI program, from 0"),
        optional(Arg("drum", "bool", "whether it is a drum set"), False),
        optional(text("name", 64, "what to call it"), ""),
    ),
    _command(
        "transport",
        "Tell the session where the host's transport is.",
        _ranged("tempo", "float", "now"),
        number("beat", -1e6, 1e9, "position now", "quarters"),
        Arg("playing", "bool", "whether it runs"),
    ),
    _command(
        "link",
        "Let the session follow Ableton Link, or leave it. Link finds its peers by multicast, so musai joins "
        "only when asked here, and leaves when the last member does. Meanwhile /musai/transport is refused.",
        Arg("on", "bool", "whether to follow it"),
        optional(_ranged("tempo", "float", "where no peer is there"), 120.0),
        replies=("/musai/ack", "/musai/linked"),
    ),
    _command(
        "context",
        "Upload notes, in chunks, for all modes but generate; when the last one is in, they are the context.",
        *_CHUNK,
        rest=QUINTUPLE,
        least=1,
        replies=("/musai/context/have", "/musai/context/missing", "/musai/context/ready"),
    ),
    _command(
        "context/midi",
        "Upload a standard MIDI file, in chunks, as the context.",
        *_CHUNK,
        _DATA,
        replies=("/musai/context/have", "/musai/context/missing", "/musai/context/ready"),
    ),
    *(
        _command(
            mode,
            f"Ask for {MODE_DOCS[mode]}. Parameters named here hold for this once.",
            rest=_PAIR,
            replies=_STREAM,
            once=True,
        )
        for mode in MODES
    ),
    _command(
        "again",
        "Ask for an earlier take again but different: the same request with the next seed.",
        optional(_TAKE, ""),
        replies=_STREAM,
        once=True,
    ),
    _command(
        "replay",
        "Make a recorded phrase again, note for note, and say whether it is identical.",
        Arg("replay", "string", "its replay id, or at least 8 digits of it", 8, 64, "bytes"),
        replies=_STREAM,
        once=True,
    ),
    _command(
        "cancel", "Stop a command of this client that is under way; that command ends with an error.",
        Arg("take", "id", "the id of the command under way", 1, ID_BYTES),
    ),
    _command(
        "keep", "Record that this phrase is kept.", _TAKE, INTENT,
        replies=("/musai/ack", "/musai/decision"), once=True,
    ),
    _command(
        "discard", "Record that this phrase is discarded.", _TAKE,
        replies=("/musai/ack", "/musai/decision"), once=True,
    ),
    _command(
        "phrase", "Fetch a phrase as a standard MIDI file, in chunks.", _TAKE,
        replies=("/musai/ack", "/musai/phrase/midi"),
    ),
    _command(
        "resend",
        "Send notes of a finished take again, in chunks.",
        _TAKE,
        optional(whole("first", 0, INT32, "index of the first note"), 0),
        optional(whole("end", -1, INT32, "index after the last note; -1: to the end"), -1),
        replies=("/musai/ack", "/musai/notes"),
    ),
    _command("panic", "Cancel all that this session has under way and silence its listeners."),
    _command(
        "sync", "Ask for the server's clock and the session's beat.",
        replies=("/musai/ack", "/musai/clock"),
    ),
    _command(
        "subscribe",
        "Be told the whole state now and every change until the lease ends. The same id renews the "
        "lease and is told the heartbeat alone.",
        optional(number("lease", 0, 60, "0 ends it", "seconds"), 10.0),
        replies=("/musai/ack", "/musai/state", "/musai/take", "/musai/heartbeat"),
    ),
)

_PHRASE = text("phrase", 64, "the phrase's id, hexadecimal")

_REPLIES = (
    _reply(
        "ack", "The command is accepted, at once.",
        COMMAND_ID,
        text("command", 32, "its address"),
        number("wait", 0, 60e3, "until its timetag is due", "milliseconds"),
    ),
    _reply(
        "linked", "Whether the session follows Ableton Link now.",
        COMMAND_ID,
        Arg("on", "bool", "whether it does"),
    ),
    _reply(
        "error", "The command is refused, or ends here.",
        Arg("id", "id", 'the command\'s id, "?" where it could not be read', 1, ID_BYTES),
        text("code", 24, "a word from the table of errors"),
        text("text", 300, "what was wrong and what is legal"),
        text("command", 64, "its address"),
        whole("withheld", 0, INT32, "errors not sent to this client since the last, to limit the rate"),
    ),
    _reply(
        "welcome", "The answer to hello: who is here and what its limits are.",
        COMMAND_ID,
        whole("protocol", 1, INT32, "version of this table"),
        whole("client", 1, INT32, "number of this client"),
        text("version", 24, "of musai"),
        text("model", 48, "name of the model"),
        text("model_id", 64, "hash of its weights, hexadecimal"),
        text("corpus", 48, "name of the corpus that phrases are compared with"),
        text("corpus_id", 64, "hash of its works and notes, hexadecimal"),
        text("capabilities", 128, "commands that ask for music and ways to speak, apart by spaces"),
        rest=(text("limit", 24, "name of a limit"), whole("most", 0, INT32, "its value")),
        least=1,
    ),
    _reply(
        "started", "A worker has the request.",
        COMMAND_ID,
        text("replay", 64, "names the phrase to come, hexadecimal"),
        Arg("seed", "value", "as an int, or a string of digits where it needs more than 32 bits"),
    ),
    _reply(
        "note", "One note of the answer, as soon as it is known.",
        COMMAND_ID,
        whole("index", 0, INT32, "from 0"),
        *QUINTUPLE,
    ),
    _reply(
        "end", "All notes are out and the phrase is recorded.",
        COMMAND_ID,
        whole("notes", 0, INT32, "how many notes were sent"),
        whole("bars", 0, INT32, "length of the phrase"),
        text("checksum", 8, "of the notes in the order of their indices"),
        _PHRASE,
        text("replay", 64, "the replay id, hexadecimal"),
        text("notes_id", 8, "first digits of the hash of the phrase's notes in canonical order"),
        number("first_note", 0, 1e9, "from request to first note, in the server", "milliseconds"),
        number("whole", 0, 1e9, "from request to last note, in the server", "milliseconds"),
        text("same", 64, 'of a replay: "identical", or where it differs; "" of a new phrase'),
    ),
    _reply(
        "overlap", "What the phrase overlaps with.",
        COMMAND_ID,
        text("light", 8, "as on the page", LIGHTS),
        whole("number", 0, 3, "the light as a number, 0 for grey to 3 for red"),
        number("p", -1, 1, "p of the best match; -1 where it is not known"),
        whole("longest_run", 0, INT32, "longest exact run", "notes"),
        number("time", 0, 1e9, "that matching took", "milliseconds"),
        text("work", 64, 'id of the nearest work; "" for none'),
        text("title", 120, "its title"),
        text("licence", 64, "its licence"),
        text("sentence", 400, "the verdict in words"),
        *VARIETY,
    ),
    _reply(
        "notes", "Notes of a take that were asked for again.",
        COMMAND_ID, *_CHUNK,
        whole("first", 0, INT32, "index of the first note in this chunk"),
        rest=QUINTUPLE,
        least=1,
    ),
    _reply("phrase/midi", "A part of a standard MIDI file.", COMMAND_ID, *_CHUNK, _DATA),
    _reply(
        "decision", "The decision is recorded.",
        COMMAND_ID, _PHRASE, text("decision", 12, "what was decided", ("kept", "discarded")),
    ),
    _reply(
        "context/have", "The chunk is in.",
        COMMAND_ID,
        whole("received", 0, INT32, "chunks that are in"),
        whole("total", 1, INT32, "chunks that there are"),
    ),
    _reply(
        "context/missing", "These chunks are not in: send them again.",
        COMMAND_ID,
        rest=(whole("sequence", 1, INT32, "number of a chunk"),),
        least=1,
    ),
    _reply(
        "context/ready", "The upload is whole, its checksum right: it is the context.",
        COMMAND_ID, whole("size", 0, INT32, "of notes: how many; of a file: its bytes"),
    ),
    _reply(
        "clock", "The server's clock and the session's transport.",
        COMMAND_ID,
        whole("ms", 0, INT32, "on a clock that runs evenly, modulo 2^31", "milliseconds"),
        number("tempo", 0, 400, "0 where no transport was told", "quarters a minute"),
        number("beat", -1e9, 1e9, "position now", "quarters"),
        Arg("playing", "bool", "whether it runs"),
    ),
    _reply(
        "state", "One value of the state, in the full state or when it changes.",
        Arg("id", "id", "the subscription's id", 1, ID_BYTES),
        text("name", 32, "see the table of the state"),
        Arg("value", "value", "an int, a float or a string"),
    ),
    _reply(
        "take", "A take of the session, told to subscribers when it ends, is compared or decided upon.",
        Arg("id", "id", "the subscription's id", 1, ID_BYTES),
        whole("client", 1, INT32, "number of the client that asked for it"),
        Arg("take", "id", "that client's id for it", 1, ID_BYTES),
        _PHRASE,
        whole("notes", 0, INT32, "how many"),
        text("light", 8, '"" until compared', ("", *LIGHTS)),
        text("decision", 12, '"" until decided', ("", "kept", "discarded")),
    ),
    _reply(
        "heartbeat", "The subscription lives.",
        Arg("id", "id", "the subscription's id", 1, ID_BYTES),
        whole("count", 0, INT32, "from 0"),
        number("lease", 0, 60, "that is left; 0 with the last one", "seconds"),
    ),
    _reply("silence", "Panic: every note that sounds ends now.", Arg("id", "id", "the subscription's id", 1, ID_BYTES)),
    _reply(
        "withheld", "Errors were withheld to limit their rate.",
        whole("count", 1, INT32, "since the last error or notice to this client"),
    ),
    _reply("goodbye", "The server forgets this client.", text("reason", 120, "why")),
)
# fmt: on

_ROWS = (*_COMMANDS, *JAM_COMMANDS, *_REPLIES, *JAM_REPLIES)
TABLE: Final[dict[str, Address]] = {row.path: row for row in _ROWS}
assert len(TABLE) == len(_ROWS)
assert all(reply in TABLE for row in TABLE.values() for reply in row.replies)

STATE: Final[dict[str, str]] = {
    "session": "name of the session",
    "client": "number of this client",
    "tempo_now": "of the session's transport, in quarters a minute; 0 where none was told",
    "beat": "of the session's transport, in quarters, at the time of sending",
    "playing": "whether the session's transport runs, 0 or 1",
    **dict.fromkeys(PARAMETERS, f'parameter, "{DEFAULT_WORD}" where it is not set'),
    "context": "notes or bytes of the context; 0 for none",
    "requests": "phrases that this client has under way",
    "withheld": "error replies withheld since the server started, from all clients",
    "all": "ends the full state: how many values it had",
}
"""Names of what `/musai/state` tells."""
