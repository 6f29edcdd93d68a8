"""THE table of what a request may wish for: checks, OSC, the page and the command line derive from it.

A control is a number with its legal range, or a text with its own grammar.
`TAKEN_BY` says which modes take a control that not all of them take.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Mode = Literal["generate", "continue", "answer", "infill", "vary", "accompany"]
MODES: tuple[str, ...] = get_args(Mode)
SPANS: Final = ("infill", "vary", "accompany")
"""Modes that fill bars of the context instead of adding bars after it."""

MODE_DOCS: Final = {
    "generate": "a phrase from nothing",
    "continue": "the context continued in its voices",
    "answer": "a reply to the context",
    "infill": "bars of the context written anew, with the music before, after and beside them",
    "vary": "the context with its structural notes kept and the rest changed",
    "accompany": "more voices for the context",
}

BARS, CHANGE, TEMPERATURE, TOP_P = 4, 0.5, 0.9, 0.95
"""What a request has that says nothing of them; sampling is a little calmer than the model's own
odds."""

MAX_BARS: Final = 64
MAX_SEED: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Control:
    """One wish: its name in a request, its range (of a text: its longest, in bytes), an example.

    "takes" is a number to a client, which a request holds as the notes of those takes.
    """

    name: str
    kind: Literal["int", "float", "text", "takes"]
    low: float
    high: float
    unit: str
    doc: str
    example: float | str


# A table reads as a table: its rows are laid out by hand.
# fmt: off
CONTROLS: Final = (
    Control("bars", "int", 1, MAX_BARS, "bars",
            f"length of the answer; {BARS} where nothing is set, in infill, vary and accompany to the "
            "end of the context", 8),
    Control("seed", "int", 0, MAX_SEED, "", "keys the noise; where none is set, takes count up from 0", 7),
    Control("tempo", "float", 20, 400, "quarters a minute",
            "else that of the context's file, else the transport's", 96.0),
    Control("signature", "text", 0, 8, "bytes", 'time signature, as "6/8"', "6/8"),
    Control("key", "text", 0, 3, "bytes", 'as "C", "F#m", "Bb"', "F#m"),
    Control("density", "float", 0.25, 48, "notes a bar", "notes wished for in a bar", 6.0),
    Control("register", "text", 0, 8, "bytes", 'lowest and highest pitch, as "48-72"', "48-72"),
    Control("collection", "text", 0, 64, "bytes", "sound like the works of this collection", "bach-chorales"),
    Control("temperature", "float", 0, 4, "", "0 takes the likeliest choice at each step", 0.9),
    Control("top_p", "float", 0.01, 1, "", "share of the probability that is drawn from", 0.95),
    Control("first", "int", 0, 9999, "bars", "bar of the context at which the answer begins, from 0", 4),
    Control("voices", "text", 0, 200, "bytes",
            "voices asked for: numbers of the context's voices, or instruments to add", "bass,drums"),
    Control("scale", "text", 0, 24, "bytes",
            "scale on the key's tonic: key (the key's own), major, dorian, pentatonic, blues, ...", "dorian"),
    Control("scale_rule", "text", 0, 4, "bytes", "hard: nothing outside the scale; soft: seldom", "hard"),
    Control("chords", "text", 0, 600, "bytes",
            "chord track, bars apart by |: what sounds on a beat belongs to its chord; begins anew at its end",
            "C|Am F|G7"),
    Control("grid", "text", 0, 5, "bytes", "notes begin only on 1/1, 1/2, 1/4, 1/8, 1/8t, 1/16, 1/16t or 1/32", "1/8"),
    Control("polyphony", "int", 1, 64, "notes", "the most that sound at once", 4),
    Control("registers", "text", 0, 128, "bytes", "lowest and highest pitch of each voice in turn", "60-84,40-60"),
    Control("swing", "float", 0.5, 0.75, "of a quarter",
            "where the second eighth stands; else as in the context", 0.66),
    Control("velocity", "int", 1, 127, "", "mean of how hard notes are struck; else as in the context", 80),
    Control("temperatures", "text", 0, 120, "bytes", "temperature of single fields", "pitch=1.1,duration=0.7"),
    Control("top_ps", "text", 0, 120, "bytes", "top_p of single fields", "pitch=0.9"),
    Control("avoid", "takes", 0, 8, "takes", "not the last takes again: how many of them", 3),
    Control("change", "float", 0, 1, "", "how much vary changes: 0 ornaments, 1 keeps the mood alone", 0.5),
    Control("guard", "int", 4, 64, "notes",
            "let no line hold so many notes in a row that a work of the corpora holds too, in any key and "
            "tempo, common stock aside; off where nothing is set, 12 is a good value", 12),
)
# fmt: on

RANGES: Final[dict[str, tuple[float, float, str]]] = {
    row.name: (row.low, row.high, row.unit) for row in CONTROLS if row.kind in ("int", "float")
}
"""Legal range and unit of each number."""

WHOLE: Final = frozenset(row.name for row in CONTROLS if row.kind == "int")

TAKEN_BY: Final[dict[str, tuple[str, ...]]] = {
    "signature": ("generate", "continue", "answer"),
    "first": SPANS,
    "change": ("vary",),
}


def takes(mode: str, name: str) -> bool:
    """Whether a mode takes this control."""
    return mode in TAKEN_BY.get(name, MODES)
