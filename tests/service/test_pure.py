"""What needs no process: turns, frames on the pipes, verdicts of replays."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musai.errors import BadRequest
from musai.evidence.difference import notewise
from musai.music import Metre, Phrase
from musai.service import wire
from musai.service.fairness import AT_ONCE, MAX_WAITING, MAX_WAITING_SESSION, Turns
from musai.service.replays import changed_settings
from tests.strategies import phrases

COMMANDS = st.lists(st.tuples(st.sampled_from("atre"), st.integers(0, 30), st.sampled_from("xyz")))


class TestTurns:
    @given(COMMANDS)
    def test_every_ticket_is_in_one_place_and_order_holds_within_a_session(
        self, commands: list[tuple[str, int, str]]
    ) -> None:
        turns, sessions, waiting, taken = Turns(), dict[int, str](), list[int](), list[int]()
        for number, (what, which, session) in enumerate(commands):
            if what == "a":
                turns.add(number, session)
                sessions[number] = session
                waiting.append(number)
            elif what == "t":
                ticket = turns.take()
                if ticket is not None:
                    same = [n for n in waiting if sessions[n] == sessions[ticket]]
                    assert ticket == same[0]
                    waiting.remove(ticket)
                    taken.append(ticket)
            elif what == "r":
                assert turns.remove(which) == (which in waiting)
                waiting = [n for n in waiting if n != which]
            else:
                turns.end(which)
                taken = [n for n in taken if n != which]
            assert list(turns.playing) == taken
            assert len(turns) == len(waiting)
            playing = [sessions[n] for n in taken]
            assert len(playing) == len(set(playing)) <= AT_ONCE
        assert sorted(turns.drain()) == sorted(waiting)
        assert len(turns) == 0

    def test_a_session_that_asks_for_many_waits_for_the_others(self) -> None:
        turns = Turns()
        for ticket in range(10):
            turns.add(ticket, "greedy")
        turns.add(10, "modest")
        order = []
        for _ in range(11):
            ticket = turns.take()
            assert ticket is not None
            order.append(ticket)
            turns.end(ticket)
        assert order.index(10) == 1

    def test_both_lines_have_an_end(self) -> None:
        turns = Turns()
        for ticket in range(MAX_WAITING_SESSION):
            turns.add(ticket, "one")
        with pytest.raises(BadRequest, match=f"legal is {MAX_WAITING_SESSION}"):
            turns.add(999, "one")
        for ticket in range(MAX_WAITING - MAX_WAITING_SESSION):
            turns.add(1000 + ticket, str(ticket))
        with pytest.raises(BadRequest, match=f"legal is {MAX_WAITING}"):
            turns.add(9999, "new")


class TestFrames:
    @given(phrases())
    def test_a_phrase_goes_over_the_pipe_unchanged(self, phrase: Phrase) -> None:
        sent = wire.frame(wire.Compare(3, wire.PhraseWire.of(phrase)))
        body = wire.reader(io.BytesIO(sent))()
        assert body is not None
        message = wire.decode_down(body)
        assert isinstance(message, wire.Compare)
        assert message.phrase.phrase() == phrase

    def test_several_frames_come_one_by_one_and_then_none(self) -> None:
        messages = [wire.Began(1), wire.Sound(1, 0, 240, 60, 80, 0), wire.Ended(1, "a", "b")]
        read = wire.reader(io.BytesIO(b"".join(map(wire.frame, messages))))
        got = []
        while (body := read()) is not None:
            got.append(wire.decode_up(body))
        assert got == messages

    @pytest.mark.parametrize("garbage", [b"", b"\1\0", b"\xff\xff\xff\xff", b"\5\0\0\0abc"])
    def test_what_is_no_frame_ends_the_pipe(self, garbage: bytes) -> None:
        assert wire.reader(io.BytesIO(garbage))() is None


class TestVerdict:
    phrase = Phrase.from_notes([0, 1, 2], [1, 1, 1], [60, 62, 64], length=4)

    def test_the_same_phrase_is_identical(self) -> None:
        assert notewise(self.phrase, self.phrase.with_notes(self.phrase.notes, 1920)) == "identical"

    def test_the_first_note_and_its_fields_are_named(self) -> None:
        notes = self.phrase.notes.copy()
        notes["pitch"][1], notes["velocity"][1], notes["pitch"][2] = 63, 70, 70
        assert notewise(self.phrase, self.phrase.with_notes(notes, 1920)) == (
            "differs at note 2: pitch 62 became 63, velocity 80 became 70"
        )

    def test_missing_and_added_notes_are_named(self) -> None:
        shorter = self.phrase.with_notes(self.phrase.notes[:2], 1920)
        assert notewise(self.phrase, shorter) == (
            "differs at note 3: 3 notes recorded, 2 otherwise"
        )
        assert notewise(shorter, self.phrase) == "differs at note 3: 3 notes made now, 2 otherwise"

    def test_another_metre_under_the_same_notes_is_named(self) -> None:
        other = Phrase(self.phrase.notes, Metre.of(90), self.phrase.voices, 1920)
        said = notewise(self.phrase, other)
        assert said.startswith("all 3 notes are identical, but the metre differs")

    def test_another_length_is_named(self) -> None:
        longer = self.phrase.with_notes(self.phrase.notes, 3840)
        assert notewise(self.phrase, longer).endswith("the length differs: 1920 became 3840")

    @given(phrases(), st.data())
    def test_any_changed_note_is_found(self, phrase: Phrase, data: st.DataObject) -> None:
        if len(phrase) == 0:
            return
        index = data.draw(st.integers(0, len(phrase) - 1))
        notes = phrase.notes.copy()
        notes["velocity"][index] = notes["velocity"][index] % 127 + 1
        changed = phrase.with_notes(notes, phrase.length)
        assert notewise(phrase, changed).startswith("differs at note ")
        assert np.array_equal(phrase.notes["pitch"], changed.notes["pitch"])

    def test_changed_settings_are_listed(self) -> None:
        here = {"numpy": "2.4", "python": "3.12", "new": 1}
        assert changed_settings({"numpy": "2.3", "python": "3.12"}, here) == (
            "new None became 1; numpy 2.3 became 2.4"
        )
        assert changed_settings(here, here) == ""
