"""`python -m osc_bridge.reference` writes docs/osc.md from the table; `--check` compares."""

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

from osc_bridge.addresses import DEFAULT_PORT, PARAMETERS, STATE, TABLE
from osc_bridge.codec import MAX_ARGUMENTS, MAX_DEPTH, MAX_ELEMENTS
from osc_bridge.errors import CODES
from osc_bridge.limits import Limits
from osc_bridge.messages import usage
from osc_bridge.rows import COMMAND_ID, Address, Arg

PATH: Final = Path(__file__).parent.parent / "docs" / "osc.md"

_LIMITS = Limits()

INTRO: Final = f"""\
# musai over OSC

<!-- Written by `python -m osc_bridge.reference` from osc_bridge/addresses.py; change it there. -->

`musai serve` listens on 127.0.0.1 (with `--lan` on the network, for clients that present its token in
hello), port {DEFAULT_PORT}, over UDP and over TCP (SLIP frames as in OSC 1.1,
or lengths in front as in OSC 1.0; replies come framed as the client's first packet was).
The addresses in use stand in `server.json` in musai's home folder while the server runs. A port
that another program has is an error at the start, never shared.

## In short

    /musai/hello 1                        -> /musai/ack, /musai/welcome
    /musai/generate 2 "bars" 4 "seed" 7   -> /musai/ack, /musai/started, /musai/note ..., /musai/end,
                                             /musai/overlap
    /musai/keep 3 2                       -> /musai/ack, /musai/decision

**Ids.** The first argument of every command is an id of your choosing, an int or a string of up to
64 bytes; every reply carries it first. A command is acknowledged at once with `/musai/ack` (chunks
of a context with `/musai/context/have`) or refused with `/musai/error`; the table says which reply
is its last. An error with the id of something acknowledged ends it.

**Types.** Numbers may come as i, h, f or d where their value allows it (7.0 is the int 7), truth
values as T, F, 0 or 1; strings are UTF-8. NaN and infinity are refused. A 32-bit float means the
shortest decimal that it stands for: 117.3, not 117.30000305. Replies use only i, f, s and b, and
ints of 32 bits. Other type tags are refused, as are more than {MAX_ARGUMENTS} arguments.

**Time** within music is in ticks, 480 a quarter note, from the first bar line; a note is onset,
duration, pitch, velocity, voice.

**Sent twice.** A UDP packet whose answer was lost can be sent again: commands marked *once* are
answered again and not done again, the others do no harm when repeated. A finished answer is sent
again in full at most once a second. An id that already names another *once* command is refused.

**Lost notes.** `/musai/end` says how many notes there are and their checksum; `/musai/resend` asks
for a range of them.

**Chunks.** Long lists and files travel in packets that say their sequence (from 1), the total, and
the checksum of the whole: CRC-32 (of zlib, PNG, Ethernet) in 8 lower-case hexadecimal digits, of
notes over all their ints in order as 32-bit big-endian, of a file over its bytes. Chunks may come
in any order; `/musai/context/missing` names those that did not come, when the last one is in or
after a silence.

**Bundles** are taken apart; at most {MAX_ELEMENTS} messages, {MAX_DEPTH} levels. A timetag up to \
{_LIMITS.ahead:g} seconds ahead is
kept: `/musai/ack` tells the wait in milliseconds, and comes again when the command is done. Further
ahead is answered `too_far`, more than {_LIMITS.late:g} seconds back `late`, both at once; neither is \
done. Hello does not wait.

**Where replies go.** To where the packet came from, or to the port of the same host that hello
named. A client whose packets leave from changing ports names a reply port and then puts
`/musai/to/PORT` in front, so a shell can play too:

    oscdump 9000 &
    oscsend 127.0.0.1 {DEFAULT_PORT} /musai/hello iii 1 1 9000
    oscsend 127.0.0.1 {DEFAULT_PORT} /musai/to/9000/generate isi 2 bars 4

**Before hello** a sender is a stranger: it gets one welcome of at most 1,024 bytes for a hello, and
for anything else an error of at most {_LIMITS.stranger_bytes} bytes (or three times what it sent, \
where that is more), 16
times; all strangers together get {_LIMITS.strangers_a_second:g} replies a second. The rest is only \
counted. What musai itself
sends is never answered. A client that is silent for {_LIMITS.silence / 60:g} minutes is told \
goodbye and forgotten; over TCP,
when its connection closes. What it had under way is cancelled.

**Errors** are limited to {_LIMITS.errors_a_second:g} a second for each client, after the first \
{_LIMITS.error_burst}; the next error, or a
`/musai/withheld`, says how many were withheld. The end of something acknowledged is never withheld.

**Pd and plugdata**: `musai clients pd --to FOLDER`, and open `musai.pd` there: the same commands behind
buttons, scheduled by the beat, out to MIDI. Its page lists the names by which other patches drive it.

**Plugins** that cannot hold long strings (plugdata) say hello with `short` 1: ids are cut to 8
digits, which are enough to name a phrase, and sentences are left out.

**Sessions.** Each client is in a session of its own until it joins one by name. The members of a
session share its transport, hear of each other's takes when they subscribe, and panic together.
"""


def page() -> str:
    """The whole reference as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRO
    yield "## What a client sends\n"
    for row in TABLE.values():
        if row.way == "in":
            yield from _row(row)
    yield "## Parameters\n"
    yield "For `/musai/set` (until changed) and the commands that ask for a phrase (for this once).\n"
    yield from _arguments(list(PARAMETERS.values()))
    yield "## What musai sends\n"
    for row in TABLE.values():
        if row.way == "out":
            yield from _row(row)
    yield "## The state\n"
    yield "Names of what `/musai/state` tells a subscriber:\n"
    yield "| name | value |\n|---|---|"
    for name, meaning in STATE.items():
        yield f"| `{name}` | {meaning} |"
    yield "\n## Errors\n"
    yield "The code words of `/musai/error`:\n"
    yield "| code | meaning |\n|---|---|"
    for code, meaning in CODES.items():
        yield f"| `{code}` | {meaning} |"
    yield "\n## Limits\n"
    yield "Those that `/musai/welcome` tells, over UDP and over TCP:\n"
    yield "| limit | UDP | TCP |\n|---|---|---|"
    for (name, udp), (_, tcp) in zip(_LIMITS.told("udp"), _LIMITS.told("tcp"), strict=True):
        yield f"| `{name}` | {udp:,} | {tcp:,} |"
    others = {field.name: getattr(_LIMITS, field.name) for field in fields(_LIMITS)}
    yield (
        f"\nAt most {others['clients']} clients; {others['remembered']} ids of *once* commands are "
        "remembered for each.\n"
    )


def _row(row: Address) -> Iterator[str]:
    yield f"### `{row.path}`\n"
    yield f"{row.doc}{' *(once)*' if row.once else ''}\n"
    yield f"    {row.path} {usage(row)}\n"
    yield from _arguments([arg for arg in (*row.args, *row.rest) if arg != COMMAND_ID])
    if row.replies:
        yield f"Replies: {', '.join(f'`{reply}`' for reply in row.replies)}; the last is `{row.last}`.\n"


def _arguments(args: list[Arg]) -> Iterator[str]:
    if not args:
        return
    yield "| argument | type | legal | meaning |\n|---|---|---|---|"
    for arg in args:
        yield f"| `{arg.name}` | {arg.kind} | {_legal(arg)} | {arg.doc} |"
    yield ""


def _legal(arg: Arg) -> str:
    if arg.legal == tuple(PARAMETERS):
        legal = "see Parameters"
    elif arg.legal:
        legal = ", ".join(f'"{word}"' for word in arg.legal)
    elif arg.low is None or arg.high is None:
        legal = ""
    else:
        unit = "bytes" if arg.kind == "id" else arg.unit
        legal = f"{_figure(arg.low)} to {_figure(arg.high)}{' ' + unit if unit else ''}"
    if arg.optional:
        default = int(arg.default) if isinstance(arg.default, bool) else arg.default
        legal = f"{legal}; {'the last one' if arg.kind == 'id' else repr(default)} if left out"
    return legal.removeprefix("; ").replace("'", '"')


def _figure(number: float) -> str:
    return {2**28 - 1: "2^28 - 1", 2**31 - 1: "2^31 - 1", 2**63 - 1: "2^63 - 1"}.get(
        int(number), f"{number:,g}"
    )


def main(arguments: list[str]) -> int:
    """Write the page; with --check only say whether it is up to date."""
    if arguments == ["--check"]:
        same = PATH.is_file() and PATH.read_text(encoding="utf-8") == page()
        print(f"{PATH} is {'' if same else 'not '}up to date")
        return 0 if same else 1
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(page(), encoding="utf-8", newline="\n")
    print(PATH)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
