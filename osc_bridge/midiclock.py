"""MIDI clock and song position -> the transport: bytes with their times in, what to tell out.

24 clocks a quarter (MIDI 1.0, system real time); start puts the position to
0, continue and song position (in sixteenths) elsewhere; the first clock after
one of them is that position.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

PPQ: Final = 24
QUICK: Final = 8
"""Clocks after which a great change of tempo is believed; a small one after a beat of them."""
CHANGE: Final = 0.06
"""Share by which the tempo must have changed to be told at once: over QUICK clocks an audio driver's
period of 5 ms looks like 4%.  Otherwise it is told once a beat."""
SILENCE: Final = 0.5
"""Seconds without a clock after which the transport stands."""
TEMPI: Final = (20.0, 400.0)

CLOCK, START, CONTINUE, STOP, POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2


@dataclass(frozen=True, slots=True)
class Told:
    """Quarters a minute, position in quarters, whether it plays."""

    tempo: float
    beat: float
    playing: bool


class MidiClock:
    """Follows one sender.  Times are seconds of an even clock."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=PPQ + 1)
        self._clocks = 0
        self._playing = False
        self._fresh = False
        self._tempo = 120.0
        self.heard = False

    def feed(self, now: float, message: bytes) -> Told | None:
        """Take one message; what to tell, if anything."""
        match message[0] if message else 0:
            case 0xF8:
                return self._clock(now)
            case 0xFA:
                self._clocks, self._playing, self._fresh = 0, True, True
            case 0xFB:
                self._playing = self._fresh = True
            case 0xFC:
                return self._stopped()
            case 0xF2 if len(message) == 3:
                self._clocks = 6 * (message[1] | message[2] << 7)
                self._fresh = self._playing
                if not self._playing:
                    return Told(self._tempo, self._clocks / PPQ, False)
        return None

    def silent(self, now: float) -> Told | None:
        """Time has passed: without clocks nothing plays."""
        if self._playing and self._times and now - self._times[-1] > SILENCE:
            return self._stopped()
        return None

    def _stopped(self) -> Told | None:
        was, self._playing, self._fresh = self._playing, False, False
        self._times.clear()
        return Told(self._tempo, self._clocks / PPQ, False) if was else None

    def _clock(self, now: float) -> Told | None:
        self.heard = True
        if self._times and now - self._times[-1] > SILENCE:
            self._times.clear()
        self._times.append(now)
        if not self._playing:
            self._tempo = self._measured(PPQ) or self._tempo
            return None
        if not self._fresh:
            self._clocks += 1
        told = self._changed()
        if self._fresh or told or self._clocks % PPQ == 0:
            self._fresh = False
            return Told(self._tempo, self._clocks / PPQ, True)
        return None

    def _changed(self) -> bool:
        """Whether the tempo is another one; takes it over."""
        quick, slow = self._measured(QUICK), self._measured(PPQ)
        if quick and abs(quick / self._tempo - 1) > CHANGE:
            self._tempo = quick
            while len(self._times) > QUICK + 1:
                self._times.popleft()
            return True
        if slow and len(self._times) == PPQ + 1:
            self._tempo = slow
        return False

    def _measured(self, clocks: int) -> float:
        """The tempo over the last clocks; 0 where there are too few, or it is no tempo."""
        if len(self._times) <= QUICK:
            return 0.0
        count = min(clocks, len(self._times) - 1)
        seconds = self._times[-1] - self._times[-1 - count]
        tempo = 60 * count / (PPQ * seconds) if seconds > 0 else 0.0
        return tempo if TEMPI[0] <= tempo <= TEMPI[1] else 0.0
