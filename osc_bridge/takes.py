"""What a client has asked for: one record a `once` command, its notes and what was told of it.

A record makes a repeated packet harmless, a lost note recoverable, and a take
nameable by the id that asked for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from osc_bridge.asks import Ask
from osc_bridge.messages import Id, Message, Wrong

PREFIX: Final = 8
"""Digits of a phrase's id that are enough to name it."""

State = Literal["asked", "sounding", "ended", "deciding", "over"]
Decision = Literal["", "kept", "discarded"]


@dataclass(slots=True)
class Record:
    """One command and its outcome; `ask` is None where the service knows the request.

    "ended": all notes are out; "deciding": a decision is being recorded; "over":
    nothing more comes.  `told` holds the
    replies in order, without acknowledgement and notes; the notes go before
    the first reply that ends them, at `told[notes_at]`.
    """

    message: Message
    ask: Ask | None = None
    state: State = "asked"
    notes: list[tuple[int, ...]] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    notes_at: int = 0
    phrase: str = ""
    light: str = ""
    decision: Decision = ""
    resent: float = float("-inf")

    @property
    def id(self) -> Id:
        """The client's id of the command."""
        named = self.message.args[0]
        assert isinstance(named, int | str)
        return named

    @property
    def running(self) -> bool:
        """Whether notes may still come."""
        return self.state in ("asked", "sounding")


class Takes:
    """The records of one client, oldest first."""

    def __init__(self, remembered: int, takes: int) -> None:
        self._remembered = remembered
        self._takes = takes
        self._records: dict[Id, Record] = {}

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def get(self, id: Id) -> Record | None:
        """The record of a command."""
        return self._records.get(id)

    def add(self, id: Id, record: Record) -> None:
        """Remember one more; the oldest that are over make room."""
        self._records[id] = record
        self._forget(self._remembered, [r for r in self if r.state == "over"])
        self._forget(self._takes, [r for r in self if r.phrase and r.state == "over"])

    def _forget(self, most: int, over: list[Record]) -> None:
        for record in over[: max(0, len(over) - most)]:
            del self._records[record.id]

    def running(self) -> list[Record]:
        """Those whose notes may still come."""
        return [record for record in self if record.running]

    def ended(self) -> list[Record]:
        """Those that made a phrase."""
        return [record for record in self if record.phrase]

    def last(self) -> Id:
        """The id of the youngest take.  Raises `Wrong` where there is none."""
        ended = self.ended()
        if not ended:
            raise Wrong("not_found", "no take of this client yet")
        return ended[-1].id

    def find(self, name: Id) -> Record | None:
        """The take that an id, or the beginning of a phrase's own id, names.

        None where it is not one of these but may be one of the ledger's;
        raises `Wrong` where it cannot be.
        """
        record = self._records.get(name)
        if record is not None:
            if not record.phrase:
                raise Wrong("not_found", f"{name!r} is no take that has ended")
            return record
        if not (isinstance(name, str) and is_prefix(name)):
            raise Wrong(
                "not_found", f"no take {name!r}; legal is the id of a command that asked for one"
            )
        found = [record for record in self.ended() if record.phrase.startswith(name)]
        return found[-1] if found else None


def is_prefix(text: str) -> bool:
    """Whether `text` can be the beginning of a hash that names something."""
    return PREFIX <= len(text) <= 64 and all(c in "0123456789abcdef" for c in text)
