"""Reading in advance: while the human plays, the model reads what it will probably be asked.

A context is only of use where it is the one that is asked for in the end, so
this guesses where the call will end: where its length says, a pause after the
last note, or, with a human who ends calls with a word, at the next beat.  A
guess that fails costs time and changes no note.
"""

from typing import Final

from osc_bridge import jam_steps as s
from osc_bridge.jam_state import HARD_MS, JamState
from osc_bridge.jam_steps import TICKS, JamConfig, Wanted

SETTLED_MS: Final = 25.0
"""After the human's last move, when a chord has been struck or released as a whole."""
NEAR_MS: Final = 70.0
"""Before a line in which a human who gives the word may mean it or, a little late, the next one."""
READ_MS: Final = 100.0
"""At least so long between readings in advance."""


class JamAhead(JamState):
    """A jam as far as it reads in advance."""

    def __init__(self, config: JamConfig | None = None) -> None:
        super().__init__(config)
        self._read_at: int | None = None
        """When to have read in advance what was played until then."""
        self._read_last = -(2**62)
        self._nods = False
        """Whether the last call ended with a word of the human's."""

    def _wanted(self, call: int, start: int, held: int | None = None) -> Wanted | None:
        config = self.config
        length = max(1, -(-(start - call) // config.bar)) * config.bar
        if not self.ear.any(call):
            return None
        notes, voices = self.ear.context(start - length, start, heard=held)
        return self.want("answer", config.bars, notes, length, voices)

    def _moved(self) -> None:
        """The human has struck or released something: soon, read in advance how it stands."""
        if self.call is not None:
            ready = self._read_last + self._ms(READ_MS)
            soon = max(self.now + self._ms(SETTLED_MS), ready)
            self._read_at = soon if self._read_at is None else min(soon, self._read_at)

    def _prefill(self) -> None:
        """Have read in advance what was played until now, as if the call ended where it seems to."""
        if self._read_at is None or self.now < self._read_at:
            return
        self._read_at, self._read_last = None, self.now
        if self.turn is None and self._nods:
            self._prefill_nod()
            return
        turn = self.turn
        if turn is None:
            pause = self._beats(self.config.pause)
            turn = self._line(self.now + pause + self._lead, self._grid)
        # In the last beat, and where silence is to end it, all that will come may be there.
        self._read(turn, turn - self.now if self.turn and turn - self.now > TICKS else 0)

    def _prefill_nod(self) -> None:
        """The word may come at any time: read for the next line, and near it for the one after."""
        line, near = self._line(self.now + self._ms(HARD_MS), TICKS), self._ms(NEAR_MS)
        self._read(line)
        if line - self.now <= near:
            # Who lets go and gives the word around a line has held to that line.
            self._read(line + TICKS, held=line)
            line += TICKS
        self._read_at = line - near

    def _read(self, turn: int, left: int = 0, held: int | None = None) -> None:
        assert self.call is not None
        wanted = self._wanted(self.call, turn, held)
        if wanted is not None:
            played = max(0.1, 1 - left / wanted.length)
            self._out.append(s.Prefill(wanted, played, turn // TICKS % 2))

    def _nod(self) -> int:
        """Where an answer would begin that is asked for by a word now: at the next beat for which its first
        notes will be known in time, as far as the last answers tell, so that none of them is left out."""
        needed = min(max(self._waits, default=0), TICKS)
        return self._line(self.now + self._ms(HARD_MS) + needed, TICKS)
