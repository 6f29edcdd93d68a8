"""The jam's rows of the address table: playing along in time."""

from typing import Final

from musai.transformer.instruments import PLAYERS
from osc_bridge.jam_steps import ANY
from osc_bridge.rows import (
    COMMAND_ID,
    INT32,
    INTENT,
    LIGHTS,
    VARIETY,
    Arg,
    command,
    number,
    optional,
    reply,
    text,
    whole,
)

JAM_PARAMETERS: Final[dict[str, Arg]] = {
    arg.name: arg
    for arg in (
        text("style", 16, "answer in turns, or play along", ("answer", "accompany")),
        whole("call", 0, 16, "length of the human's call; 0: until a pause", "bars"),
        whole("bars", 1, 16, "length of the answer", "bars"),
        text("entry", 8, "where an answer may begin after a pause", ("bar", "beat")),
        number("pause", 0.25, 16, "silence that ends a call of no fixed length", "quarters"),
        number("lead", 20, 2000, "before its turn, when musai thinks", "milliseconds"),
        number("commit", 0.25, 8, "of the plan that no longer change", "quarters"),
        number("lookahead", 1, 64, "of the plan that are told ahead", "quarters"),
        number("lag", 0, 4, "that accompaniment is behind what it hears", "quarters"),
        whole("memory", 1, 16, "of the past that accompaniment goes by", "bars"),
        Arg("space", "bool", "stop when the human plays into the answer"),
        whole("own", 0, 15, "voice of the accompaniment"),
        text(
            "part",
            16,
            "instrument that accompanies, in its range; any: the voice's own program",
            (ANY, *PLAYERS),
        ),
        whole("seed", 0, INT32, "of the first answer; the next has the next"),
        whole("voice", 0, 15, "of this client's notes"),
    )
}
"""What `/musai/jam` takes by name; all but `voice` hold for the whole session."""

_PAIR = (
    Arg("name", "string", "a parameter of the jam", 1, 32, "bytes", tuple(JAM_PARAMETERS)),
    Arg("value", "value", "its value"),
)
_TAKE = optional(whole("take", 0, INT32, "number of a take; 0: the current one"), 0)
_AT = optional(whole("at", -1, INT32, "when, on the host's transport; -1: now", "ticks"), -1)
_NUMBER = whole("take", 0, INT32, "number of the take, from 1; 0: none")
_HOST_TICK = "on the host's transport"
_JAM_ID = Arg("id", "id", "of this client's /musai/jam", 1, 64)

# A table reads as a table: its rows are laid out by hand.
# fmt: off
JAM_COMMANDS: Final = (
    command(
        "jam",
        "Take part in the session's jam, begin it where there is none, and set its parameters. Its "
        "answers use what this client has set with /musai/set and /musai/voice.",
        rest=_PAIR,
        replies=("/musai/ack", "/musai/jam/joined"),
    ),
    command(
        "jam/on",
        "A key is struck. The command's id names the note; sent twice it is struck once.",
        whole("pitch", 0, 127, "60 is middle C"),
        whole("velocity", 1, 127, "how hard"),
        optional(whole("voice", -1, 15, "-1: this client's"), -1),
        _AT,
    ),
    command(
        "jam/off",
        "A key is released.",
        whole("pitch", 0, 127, "60 is middle C"),
        optional(Arg("note", "id", "id of the /musai/jam/on that struck it", 1, 64), ""),
        optional(whole("voice", -1, 15, "-1: this client's"), -1),
        _AT,
    ),
    command("jam/turn", "Your turn: answer at the next beat what was played so far."),
    command("jam/again", "Play a take again, exactly, from the next bar line on.", _TAKE),
    command("jam/vary", "Play a take again but different: the same call, the next seed.", _TAKE),
    command("jam/back", "Go back: the take before the current one is the current one and is played."),
    command(
        "jam/keep", "Record that a take is kept.", _TAKE, INTENT,
        replies=("/musai/ack", "/musai/decision"), once=True,
    ),
    command(
        "jam/discard", "Record that a take is discarded.", _TAKE,
        replies=("/musai/ack", "/musai/decision"), once=True,
    ),
    command("jam/leave", "Leave the jam; the last one out ends it."),
)

JAM_REPLIES: Final = (
    reply(
        "jam/joined", "This client takes part.",
        COMMAND_ID,
        text("session", 64, "its name"),
        whole("jam", 1, INT32, "number of the jam"),
        whole("voice", 0, 15, "this client's"),
    ),
    reply(
        "jam/time",
        "Where the transport stood at a time of the server's clock: at every bar line, and when it "
        "changes. That clock runs evenly; on Linux, macOS and, from Python 3.13 on, Windows it is "
        "the system's own monotonic clock.",
        _JAM_ID,
        whole("tick", -INT32, INT32, _HOST_TICK, "ticks"),
        number("tempo", 0, 400, "now", "quarters a minute"),
        Arg("playing", "bool", "whether it runs"),
        whole("bar", 1, INT32, "length of a bar", "ticks"),
        whole("seconds", 0, INT32, "of the server's clock", "seconds"),
        whole("microseconds", 0, 999_999, "of the server's clock", "microseconds"),
    ),
    reply(
        "jam/take", "A take is coming: its notes follow.",
        _JAM_ID, _NUMBER,
        whole("start", -INT32, INT32, f"where its first bar line lies {_HOST_TICK}", "ticks"),
        whole("bars", 1, 64, "its length", "bars"),
        text("seed", 20, "its seed, as digits"),
        text("replay", 64, "the replay id of a take that is played again, else empty"),
    ),
    reply(
        "jam/note", "A planned note, told ahead of its time; it may sound once it is committed.",
        _JAM_ID, _NUMBER,
        whole("index", 0, INT32, "within the take"),
        whole("at", -INT32, INT32, f"when it sounds {_HOST_TICK}", "ticks"),
        whole("duration", 1, INT32, "time until it is released", "ticks"),
        whole("pitch", 0, 127, "60 is middle C"),
        whole("velocity", 1, 127, "how hard it is struck"),
        whole("voice", 0, 63, "who plays it"),
    ),
    reply(
        "jam/commit",
        "The notes of this take before this tick that were told stand: they will not change any more.",
        _JAM_ID, _NUMBER, whole("until", -INT32, INT32, _HOST_TICK, "ticks"),
    ),
    reply(
        "jam/clear",
        "The notes of this take from this tick on are withdrawn; those that stand after a loop are "
        "told again.",
        _JAM_ID, _NUMBER, whole("since", -INT32 - 1, INT32, _HOST_TICK, "ticks"),
    ),
    reply(
        "jam/made", "All notes of a take are made and recorded.",
        _JAM_ID, _NUMBER,
        text("phrase", 64, "the phrase's id, hexadecimal"),
        text("replay", 64, "the replay id, hexadecimal"),
    ),
    reply(
        "jam/end", "A take is over.",
        _JAM_ID, _NUMBER,
        whole("notes", 0, INT32, "that stood"),
        whole("late", 0, INT32, "that came too late and were left out"),
        whole("missed", 0, INT32, "bars with something left out"),
        text("phrase", 64, "the phrase's id, empty if it is not known yet"),
        text("replay", 64, "the replay id, empty if it is not known yet"),
    ),
    reply(
        "jam/failed", "A take could not be made whole.",
        _JAM_ID, _NUMBER,
        text("code", 24, "a word from the table of errors"),
        text("text", 300, "why"),
    ),
    reply(
        "jam/overlap", "What a take overlaps with.",
        _JAM_ID, _NUMBER,
        text("light", 8, "as on the page", LIGHTS),
        whole("number", 0, 3, "the light as a number, 0 for grey to 3 for red"),
        number("p", -1, 1, "p of the best match; -1 where it is not known"),
        whole("longest_run", 0, INT32, "longest exact run", "notes"),
        text("work", 64, "id of the nearest work; empty for none"),
        text("title", 120, "its title"),
        text("licence", 64, "its licence"),
        text("sentence", 400, "the verdict in words"),
        *VARIETY,
    ),
    reply(
        "jam/state", "What the jam is doing.",
        _JAM_ID,
        text("word", 12, "what it does", ("stopped", "waiting", "listening", "thinking", "playing")),
        _NUMBER,
        whole("missed", 0, INT32, "bars missed since it began"),
        whole("late", 0, INT32, "notes left out since it began"),
    ),
    reply("jam/silence", "Every note that sounds ends now.", _JAM_ID),
)
# fmt: on
