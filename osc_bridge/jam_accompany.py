"""Playing along: what a jam asks for to accompany what it hears, from a beat on.

The bar that sounds and the next one are written anew in the accompaniment's
voice, with the human's notes beside it as far as they were heard and the
accompaniment's own bars before it; of what comes only the part from that beat
on is played.  So musai is as far behind as the human's last beat, and changes
its mind when the human does.
"""

from osc_bridge.jam_ear import Row
from osc_bridge.jam_state import JamState
from osc_bridge.jam_steps import Wanted

BARS = 2
"""Bars written at once: the one that sounds, and the next in case nothing newer comes."""


def accompaniment(jam: JamState, line: int) -> Wanted | None:
    """What to ask for when bar `line` sounds; None where nobody has played of late.

    Whoever is not played with leaves space: two bars of silence end it.
    """
    config = jam.config
    if not jam.ear.any(line - 2 * config.bar):
        return None
    first = jam.ear.first_onset(line - config.memory * config.bar, line)
    before = min(config.memory, -(-(line - first) // config.bar))
    since, until = line - before * config.bar, line + BARS * config.bar
    own: list[Row] = [
        (note.onset, note.duration, note.pitch, note.velocity, config.own)
        for take in jam.takes
        for note in take.notes
        if note.committed and since <= note.onset < line
    ]
    notes, voices = jam.ear.context(since, until, own, config.own, heard=jam.now)
    asked = voices.index(config.own)
    if all(note[-1] == asked for note in notes):
        return None
    values = {**config.values, "voices": str(asked), "first": before}
    if config.range is not None and "registers" not in values:
        values.setdefault("register", list(config.range))
    return jam.want("accompany", BARS, notes, until - since, voices, values)
