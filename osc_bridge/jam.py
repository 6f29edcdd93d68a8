"""A jam as a state machine in beats: inputs with their tick go in, instructions come out.

No socket, no clock, no model.  The human plays a call; shortly before musai's
turn the machine takes what it has heard, asks for an answer, and lets it into
time bar by bar: planned notes are told to the clients ahead, the next beat or
so is committed and then changes no more, everything later can be replaced.
What comes too late is left out and counted, never played late.

The count of ticks runs on through loops and jumps of the host: a jump that
keeps the place in the bar carries the plan along, any other withdraws it.
The same inputs at the same ticks give the same instructions, which is how a
jam is replayed (`musai jam replay`).
"""

from math import inf
from typing import Final

import msgspec

from osc_bridge import jam_steps as s
from osc_bridge.jam_accompany import accompaniment
from osc_bridge.jam_ahead import JamAhead
from osc_bridge.jam_state import HARD_MS
from osc_bridge.jam_steps import TICKS, Input, Instruction, JamConfig, Wanted
from osc_bridge.jam_take import Planned, Take

PICKUP: Final = 0.5
"""Beats before a bar line in which a note belongs to the bar after it."""
REMEMBERED: Final = 32
GRACE: Final = 1.0
"""Beats into an answer before a human's note counts as an interruption, and before its end."""


class Jam(JamAhead):
    """One session's jam.  `step` takes one input; `wake` is the next tick that `Time` is due."""

    # What goes in.

    def step(self, tick: int, given: Input) -> tuple[Instruction, ...]:
        """Take in one input at `tick`; ticks never run backwards here."""
        self.now = max(self.now, tick)
        match given:
            case s.On():
                self._on(given)
            case s.Off():
                self.ear.off(self.now - given.ago, given.key, given.pitch, given.voice)
                self._moved()
            case s.Gone():
                self.ear.gone(self.now, given.owner)
                self._moved()
            case s.Heard():
                self._heard(given)
            case s.Transport():
                self._transport(given)
            case s.Configure():
                self._configure(given.config)
            case s.Turn():
                self._your_turn()
            case s.Again():
                self._again(given)
            case s.Panic():
                self._withdraw()
                self._tell("silence")
            case s.Time():
                pass
            case _:
                self._news(given)
        if self.playing:
            self._advance()
        self._state()
        out, self._out = tuple(self._out), []
        return out

    def wake(self) -> float:
        """The next tick at which time alone brings something; infinity while the host stands."""
        if not self.playing:
            return inf
        times: list[float] = [self._line(self.now + 1)]
        if self.turn is not None:
            times.append(self.turn - self._lead)
        elif self.call is not None:
            times.append(self.ear.silent_since() + self._beats(self.config.pause))
        if self.call is not None and self._read_at is not None:
            times.append(self._read_at)
        if self.config.style == "accompany":
            times.append(self._line(self.now + self._lead + 1) - self._lead)
        reach = self._reach
        times += [take.wake(self.now, reach) for take in self.active]
        return min(max(time, self.now + 1) for time in times)

    # The human.

    def _on(self, note: s.On) -> None:
        at = self.now - note.ago
        self.ear.on(at, note.key, note.pitch, note.velocity, note.voice)
        if not self.playing or self.config.style != "answer":
            return
        sounding = self._sounding()
        if sounding is not None and self.config.space and self._interrupts(sounding):
            self._yield(sounding)
            sounding = None
        if self.call is not None or any(take.start > self.now for take in self.active):
            return
        if sounding is None or at >= sounding.end - self._beats(PICKUP):
            self.call = self._line(at - self.config.bar + 1 + self._beats(PICKUP))
            self.turn = self.call + self.config.call * self.config.bar if self.config.call else None
        self._moved()

    def _interrupts(self, take: Take) -> bool:
        grace = self._beats(GRACE)
        return take.start + grace <= self.now < take.end - grace

    def _yield(self, take: Take) -> None:
        """Leave the rest of the answer to the human."""
        at = take.cut_at(self.now)
        self._tell("clear", take.number, self._host(at))

    def _your_turn(self) -> None:
        """Answer at the next beat what was played so far."""
        if self.playing and self.ear.any():
            if self.call is None:
                self.call = self._line(self.ear.last_onset() - self.config.bar + 1)
            self.turn = self._nod()
            self._nods = True
            self._answer()

    # The transport.

    def _transport(self, told: s.Transport) -> None:
        offset = told.offset
        moved, started = offset - self.offset, told.playing and not self.playing
        self.tempo = told.tempo
        if self.playing and not told.playing:
            self.ear.release(self.now)
            self._withdraw()
            self._tell("silence")
        elif moved and self.playing:
            self._jumped(offset, moved % self.config.bar == 0)
        self.offset, self.playing = offset, told.playing
        if moved and not started and told.playing:
            self._tell_again()
        self._bar_told = None
        self._time()

    def _jumped(self, offset: int, same_place: bool) -> None:
        """What sounds ends; the plan goes along where the bar lines still fit."""
        self._tell("silence")
        if same_place:
            return
        self._withdraw()
        self.offset = offset

    def _tell_again(self) -> None:
        """The rest of the plan under the host's new ticks."""
        for take in self.active:
            self._tell("clear", take.number, -(2**31))
            for note in take.notes:
                if note.told and note.onset >= self.now:
                    self._tell_note(take, note)
            self._tell("commit", take.number, self._host(take.until))

    def _withdraw(self) -> None:
        """No plan, no call."""
        for take in self.active:
            take.until = min(take.until, max(self.now, take.start))
            take.notes = [note for note in take.notes if note.onset < take.until]
            take.cut = min(take.end, take.until)
            self._tell("clear", take.number, self._host(take.until))
            self._over(take)
        self.active = []
        self.call = self.turn = None
        self._planned = -1

    def _configure(self, config: JamConfig) -> None:
        if config.seed != self.config.seed:
            self._seed = config.seed
        self.config = config
        if self.call is not None and self.turn is not None:
            self.turn = max(self.turn, self._line(self.now + self._lead))

    # Time.

    def _advance(self) -> None:
        self._time()
        config = self.config
        if self.call is not None:
            if self.turn is None and self.ear.quiet(self.now, self._beats(config.pause)):
                self.turn = self._line(self.now + self._lead, self._grid)
            if self.turn is not None and self.now >= self.turn - self._lead:
                self._nods = False
                self._answer()
            else:
                self._prefill()
        if config.style == "accompany":
            self._accompany()
        self._flow()

    def _flow(self) -> None:
        """Let plans into time, and take leave of what is over."""
        reach = self._reach
        for take in self.active:
            for note in take.to_tell(self.now, reach):
                self._tell_note(take, note)
            if take.commit(self.now, reach):
                self._tell("commit", take.number, self._host(take.until))
        for take in [take for take in self.active if self.now >= take.end]:
            self.active.remove(take)
            self._over(take)

    def _over(self, take: Take) -> None:
        """Take leave of a take; what is still being made for it would only delay the next."""
        take.over = True
        if not take.complete and take.ask:
            self._out.append(s.Drop(take.ask))
            take.missed.update(take.unmade() if take.cut is None else ())
        self.missed_bars += len(take.missed)
        self.late_notes += take.late
        self._tell(
            "end",
            take.number,
            take.sounded(),
            take.late,
            len(take.missed),
            take.phrase,
            take.replay,
        )

    def _time(self) -> None:
        """Where the transport stands: at every bar line and when it changes."""
        line = self._line(self.now - self.config.bar + 1)
        if line != self._bar_told:
            self._bar_told = line
            self._tell(
                "time", self.now - self.offset, float(self.tempo), self.playing, self.config.bar
            )

    # Answers.

    def _answer(self) -> None:
        """Ask for the answer to the call; without notes there is nothing to answer."""
        call, turn = self.call, self.turn
        assert call is not None
        assert turn is not None
        self.call = self.turn = None
        start = max(turn, self.now + self._ms(HARD_MS))
        if start != turn:
            start = self._line(start, TICKS)
        wanted = self._wanted(call, start)
        if wanted is not None:
            self._begin(wanted, start)

    def _accompany(self) -> None:
        """Plan anew from the next beat on, where the human has changed something since."""
        beat = self._line(self.now + self._lead, max(TICKS, self._beats(self.config.lag)))
        line = self._line(beat - self.config.bar + 1)
        if beat <= self._planned or not (self.ear.changed or self._runs_out(line)):
            return
        self._planned, self.ear.changed = beat, False
        wanted = accompaniment(self, line)
        if wanted is not None:
            self._begin(wanted, line, since=beat)

    def _runs_out(self, line: int) -> bool:
        """Whether the plan ends with this bar."""
        return all(take.end <= line + self.config.bar for take in self.active)

    def _begin(self, wanted: Wanted, start: int, since: int | None = None) -> Take:
        """Ask for it; `since` is where it begins to be played, if later than its start."""
        self._asks += 1
        self._seed += 1
        take = Take(0, self._asks, wanted, start, self.config.bar, start)
        take.since, take.asked = since, self.now
        self._enter(take)
        self._out.append(s.Ask(take.ask, wanted))
        return take

    def _enter(self, take: Take) -> Take:
        """Make it the current one; what else is planned for its time gives way."""
        take.number = 1 + (self.takes[-1].number if self.takes else 0)
        if take.since is None:
            self._supersede(take, take.start)
        self.takes = [*self.takes, take][-REMEMBERED:]
        self.active.append(take)
        self.current = take
        wanted = take.wanted
        self._tell(
            "take", take.number, self._host(take.start), wanted.bars, str(wanted.seed), take.replay
        )
        return take

    def _supersede(self, take: Take, since: int) -> int:
        """End what else is planned from that tick on, or where it is committed; returns where."""
        for other in self.active:
            if other is not take and other.end > since:
                since = other.cut_at(since)
                self._tell("clear", other.number, self._host(since))
        return since

    def _again(self, given: s.Again) -> None:
        """Once more: the same notes, the next seed, or the take before."""
        take = self.named(given.take, back=given.how == "back")
        if take is None or not self.playing:
            return
        self.call = self.turn = None
        start = self._line(self.now + self._lead, self._grid)
        if given.how == "vary":
            wanted = msgspec.structs.replace(take.wanted, seed=self._seed)
            self._begin(wanted, start)
            return
        again = Take(0, 0, take.wanted, start, take.bar, start)
        again.phrase, again.replay, again.exact = take.phrase, take.replay, True
        again.complete = True
        self._enter(again)
        again.whole = take.whole
        for note in take.whole:
            again.plan(self.now, self._reach, self._planned_note(again, note))

    # What the model says.

    def _heard(self, note: s.Heard) -> None:
        take = self._asked(note.ask)
        if take is None or note.index < take.heard:
            return
        if take.heard == 0:
            self._waits.append(self.now - take.asked)
        take.heard = note.index + 1
        take.whole.append(note)
        planned = self._planned_note(take, note)
        if self.config.style == "accompany" and planned.voice != self.config.own:
            take.frontier = max(take.frontier, planned.onset)
            return
        if take.since is not None and not take.notes and planned.onset >= take.since:
            take.since = self._supersede(take, take.since)
        take.plan(self.now, self._reach, planned)

    def _planned_note(self, take: Take, note: s.Heard) -> Planned:
        """A note of what was asked for as a note of the jam."""
        voices = take.wanted.voices
        voice = voices[note.voice] if note.voice < len(voices) else note.voice
        onset = take.start + note.onset
        return Planned(note.index, onset, note.duration, note.pitch, note.velocity, voice)

    def _news(self, given: Input) -> None:
        assert isinstance(given, s.Began | s.Made | s.Compared | s.Failed)
        take = self._asked(given.ask)
        if take is None:
            return
        match given:
            case s.Began():
                take.replay = given.replay
            case s.Made():
                take.complete, take.phrase, take.replay = True, given.phrase, given.replay
                self._tell("made", take.number, take.phrase, take.replay)
            case s.Compared():
                self._tell("overlap", take.number, *given.told)
            case s.Failed():
                self._failed(take, given)

    def _failed(self, take: Take, given: s.Failed) -> None:
        """A worker that died is asked once more: the same seed brings the same notes."""
        if take.complete or take.over:
            return
        if given.kind == "WorkerDied" and not take.retried:
            take.retried = True
            self._asks += 1
            take.ask = self._asks
            self._out.append(s.Ask(take.ask, take.wanted))
            return
        take.complete = True
        if given.kind == "Cancelled":
            return
        take.missed.update(take.unmade())
        self._tell("failed", take.number, given.kind, given.reason)
