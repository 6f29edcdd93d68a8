"""A jam's log fed again, without a clock: the same inputs must give the same instructions.

With a player, the model's notes are made anew from what the jam asks of it,
so both halves are checked: that the machine decides alike, and that the model
says the same notes in the same order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from musai.errors import BadInput
from musai.music import Note
from musai.transformer.request import Request
from osc_bridge import jam_steps as s
from osc_bridge.jam import Jam
from osc_bridge.jamming import ask_of

MOST_TOLD = 5


class PlayerLike(Protocol):
    """What is needed of `musai.transformer.Player`."""

    def generate(self, request: Request) -> Iterator[Note]:
        """Notes of the answer."""


@dataclass(slots=True)
class Replayed:
    """What came of it; `differs` holds the first differences in words."""

    entries: int = 0
    notes: int = 0
    takes: int = 0
    made_anew: bool = False
    differs: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "identical": not self.differs,
            "entries": self.entries,
            "takes": self.takes,
            "notes": self.notes,
            "made_anew": self.made_anew,
            "differs": self.differs,
        }

    def sentence(self) -> str:
        """For people."""
        anew = "made anew by the model" if self.made_anew else "from the log"
        told = f"{self.entries:,} inputs, {self.takes} takes, {self.notes:,} notes {anew}"
        return f"different: {self.differs[0]} ({told})" if self.differs else f"identical: {told}"


def replayed(log: Path, player: PlayerLike | None) -> Replayed:
    """Replay a log.  Raises `BadInput` for a file that is none."""
    result, jam = Replayed(made_anew=player is not None), Jam()
    sources: dict[int, Iterator[Note]] = {}
    for number, entry in enumerate(_entries(log)):
        if number == 0:
            jam.now = entry.tick
        given = entry.input
        if isinstance(given, s.Heard):
            result.notes += 1
            if player is not None:
                given = _anew(sources, given, result)
        out = jam.step(entry.tick, given)
        result.entries += 1
        for one in out:
            if isinstance(one, s.Ask):
                result.takes += 1
                if player is not None:
                    sources[one.ask] = iter(player.generate(ask_of(one.wanted).request()))
        if s.to_line(s.logged(entry.tick, given, out)) != s.to_line(entry):
            _differ(result, f"at tick {entry.tick}, {type(entry.input).__name__.lower()}")
    return result


def _anew(sources: dict[int, Iterator[Note]], given: s.Heard, result: Replayed) -> s.Heard:
    note = next(sources.get(given.ask, iter(())), None)
    if note is None:
        _differ(result, f"note {given.index} of request {given.ask} is not made again")
        return given
    return s.Heard(given.ask, given.index, *map(int, note))


def _differ(result: Replayed, text: str) -> None:
    if len(result.differs) < MOST_TOLD:
        result.differs.append(text)


def _entries(log: Path) -> Iterator[s.Entry]:
    """The entries, after two lines that say whose jam it is."""
    with log.open("rb") as lines:
        if b'"musai_jam"' not in lines.readline():
            raise BadInput(f"{log} is no log of a jam")
        lines.readline()
        for number, line in enumerate(lines, 3):
            if not line.endswith(b"\n"):
                return  # the program was killed while it wrote this line
            try:
                yield s.from_line(line)
            except msgspec.MsgspecError as error:
                raise BadInput(f"line {number} of {log} cannot be read: {error}") from None
