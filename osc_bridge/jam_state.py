"""What a jam knows, its units, and how it tells its clients."""

from collections import deque
from math import ceil
from typing import Any, Final

from osc_bridge import jam_steps as s
from osc_bridge.jam_ear import Ear, Row
from osc_bridge.jam_steps import TICKS, Instruction, JamConfig, Wanted
from osc_bridge.jam_take import Planned, Reach, Take

SOON_MS: Final = 40.0
"""What is planned is committed at least so long before it sounds."""
HARD_MS: Final = 8.0
"""A note that is known later than this before its time is not played."""


WAITS: Final = 8
"""Answers whose time from asking to the first note says how early to ask."""


class JamState:
    """The state that `Jam` moves on; all ticks are of the jam's own count."""

    def __init__(self, config: JamConfig | None = None) -> None:
        self.config = config or JamConfig()
        self.now = 0
        self.tempo = 120.0
        self.playing = False
        self.offset = 0
        self.ear = Ear()
        self.takes: list[Take] = []
        self.active: list[Take] = []
        self.current: Take | None = None
        self.call: int | None = None
        self.turn: int | None = None
        self.missed_bars = 0
        self.late_notes = 0
        self._asks = 0
        self._seed = self.config.seed
        self._word = ""
        self._bar_told: int | None = None
        self._planned = -1
        self._waits: deque[int] = deque(maxlen=WAITS)
        self._out: list[Instruction] = []

    def named(self, number: int, back: bool = False) -> Take | None:
        """The take of this number; 0: the current one; `back`: the one before it."""
        if number:
            return next((take for take in self.takes if take.number == number), None)
        if self.current is None or not back:
            return self.current
        before = [take for take in self.takes if take.number < self.current.number]
        same = (self.current.replay, self.current.wanted)
        other = [take for take in before if (take.replay, take.wanted) != same]
        return other[-1] if other else None

    def _sounding(self) -> Take | None:
        """The answer that has the turn now."""
        return next((take for take in self.active if take.start <= self.now < take.end), None)

    def _asked(self, ask: int) -> Take | None:
        return next((take for take in reversed(self.takes) if ask and take.ask == ask), None)

    def want(
        self,
        mode: str,
        bars: int,
        notes: tuple[Row, ...],
        length: int,
        voices: tuple[int, ...],
        values: dict[str, Any] | None = None,
    ) -> Wanted:
        """A request for the model, with the next seed, the tempo of now, and all that is set."""
        config = self.config
        sounds = tuple(config.sounds.get(voice, (0, False)) for voice in voices)
        return Wanted(
            mode, bars, self._seed, self._bpm, notes, length, voices, config.signature,
            config.values if values is None else values, sounds,
        )  # fmt: skip

    # Telling.

    def _state(self) -> None:
        word = "stopped"
        if self.playing:
            word = "listening" if self.call is not None else "waiting"
            if self.active:
                sounding = self._sounding()
                word = "thinking" if sounding is None and word == "waiting" else word
                word = "playing" if sounding is not None else word
        if word != self._word:
            self._word = word
            number = self.current.number if self.current else 0
            self._tell("state", word, number, self.missed_bars, self.late_notes)

    def _tell(self, name: str, *args: object) -> None:
        self._out.append(s.Tell(name, args))

    def _tell_note(self, take: Take, note: Planned) -> None:
        at = self._host(note.onset)
        self._tell(
            "note",
            take.number,
            note.index,
            at,
            note.duration,
            note.pitch,
            note.velocity,
            note.voice,
        )

    # Units.

    @property
    def _reach(self) -> Reach:
        commit, show = self._beats(self.config.commit), self._beats(self.config.lookahead)
        return Reach(commit, self._ms(SOON_MS), self._ms(HARD_MS), show)

    @property
    def _lead(self) -> int:
        """Time to think: as asked for, or as the last answers show that it takes."""
        needed = ceil(1.5 * max(self._waits, default=0)) + self._ms(SOON_MS)
        return min(max(self._ms(self.config.lead), needed), max(self.config.bar // 2, TICKS))

    @property
    def _grid(self) -> int:
        """Where answers may begin after a pause."""
        return TICKS if self.config.entry == "beat" else self.config.bar

    @property
    def _bpm(self) -> float:
        return round(self.tempo, 2)

    def _ms(self, milliseconds: float) -> int:
        return ceil(milliseconds * self.tempo * TICKS / 60_000)

    def _beats(self, beats: float) -> int:
        return round(beats * TICKS)

    def _host(self, tick: int) -> int:
        return tick - self.offset

    def _line(self, tick: int, grid: int = 0, origin: int | None = None) -> int:
        """The first line of the grid (of bars, if 0) at or after `tick`, in the jam's ticks."""
        grid = grid or self.config.bar
        zero = self.offset if origin is None else origin
        return zero - (zero - tick) // grid * grid
