"""What a sitting holds that a piece may be made of: takes, and what the human gave to have them.

Read from the ledger: every phrase that was made in the session, whether it was kept, with
the composer's sentence of intent where there is one, and the context of each request (the prompt).
A request may be about an earlier take; its notes are that take's, not the human's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from musai.audit.covering import cover
from musai.audit.piece import Piece
from musai.errors import Altered, BadInput, NotFound
from musai.ledger import Ledger, Record
from musai.music import Phrase

WISHES = frozenset(
    ("context", "seed", "mode", "bars", "temperature", "top_p", "temperatures", "top_ps", "avoid")
)
"""Entries of a request that say nothing of the music wished for."""


@dataclass(frozen=True, eq=False)
class Source:
    """A take or a prompt.  `record` is the number of its ledger record, `decision` of a take
    "kept", "discarded" or "".

    Of a prompt those notes alone that no earlier take has; `steps` are their numbers in the
    prompt as it was given.
    """

    kind: Literal["take", "prompt"]
    phrase_id: str
    record: int
    phrase: Phrase
    decision: str = ""
    intent: str = ""
    steps: tuple[int, ...] | None = None

    def step(self, number: int) -> int:
        """The number of a note of `phrase` in the phrase that the record holds."""
        return number if self.steps is None else self.steps[number]


@dataclass(frozen=True, slots=True)
class Sitting:
    """All sources of a session in the order of the ledger; `wishes` counts what requests asked
    for in words (key, chords, density, ...), `erased` takes that were decided upon and are gone."""

    session: str
    sources: tuple[Source, ...]
    requests: int
    wishes: int
    erased: int

    @property
    def takes(self) -> list[Source]:
        """The takes alone."""
        return [one for one in self.sources if one.kind == "take"]


def sitting(ledger: Ledger, session: str, undecided: bool = False) -> Sitting:
    """The sources of a session.

    Raises `NotFound` for a session that the ledger does not hold, `BadInput` for one with no
    kept take unless `undecided`, `Altered` for a phrase that is not the one recorded.
    """
    records = ledger.find("session", session)
    made = [record for record in records if record.kind == "phrase"]
    if not made:
        known = ", ".join(repr(name) for name in ledger.values("session", 8))
        raise NotFound(
            f"the ledger has no takes of session {session!r}; legal is {known or 'none'}"
        )
    decided = _decisions(records)
    if not undecided and not any(word == "kept" for word, _ in decided.values()):
        raise BadInput(
            f"session {session!r} has {len(made)} takes and none is kept; keep those that the piece "
            "is made of (musai keep), or count them all with --undecided"
        )
    asked = [record for record in records if record.kind == "request" and record.payload]
    contexts = _contexts(asked)
    takes = [_take(record, decided) for record in made if record.payload is not None]
    sources = list(takes)
    for number, phrase in contexts.values():
        mine = _given(number, phrase, [one for one in sources if one.record < number])
        sources += [] if mine is None else [mine]
    sources.sort(key=lambda one: one.record)
    files = {(record.payload or {}).get("phrase_id") for record in records if record.kind == "file"}
    erased = len(set(decided) - {take.phrase_id for take in takes} - files)
    wishes = sum(len(_wishes(record.payload or {})) for record in asked)
    return Sitting(session, tuple(sources), len(asked), wishes, erased)


def _decisions(records: Iterable[Record]) -> dict[str, tuple[str, str]]:
    """The last decision on each phrase, and the last sentence of intent."""
    found: dict[str, tuple[str, str]] = {}
    for record in records:
        if record.kind == "decision" and record.payload is not None:
            told = record.payload
            before = found.get(told["phrase_id"], ("", ""))[1]
            found[told["phrase_id"]] = (told["decision"], told.get("intent") or before)
    return found


Contexts = dict[str, tuple[int, Phrase]]
"""Under the notes' id of each context: the first record that has it, and the phrase."""


def _contexts(asked: Iterable[Record]) -> Contexts:
    found: Contexts = {}
    for record in asked:
        phrase = _context(record)
        if phrase is not None:
            found.setdefault(phrase.notes_id, (record.seq, phrase))
    return found


def _context(record: Record) -> Phrase | None:
    context = (record.payload or {})["request"].get("context")
    return Phrase.from_midi(bytes.fromhex(context)) if context else None


def _take(record: Record, decided: dict[str, tuple[str, str]]) -> Source:
    payload = record.payload or {}
    phrase = Phrase.from_midi(bytes.fromhex(payload["midi"]))
    if phrase.id != payload["phrase_id"]:
        raise Altered(
            f"ledger record {record.seq} holds the phrase {phrase.id[:8]}, "
            f"its id says {payload['phrase_id'][:8]}"
        )
    decision, intent = decided.get(phrase.id, ("", ""))
    return Source("take", phrase.id, record.seq, phrase, decision, intent)


def _given(record: int, phrase: Phrase, before: list[Source]) -> Source | None:
    """What a prompt brings of the human's: notes that no take and no prompt before it has; or None."""
    blocks = cover([Piece.of(one.phrase) for one in before], Piece.of(phrase)) if before else []
    theirs = {int(note) for block in blocks for note in block.there}
    mine = [step for step in range(len(phrase)) if step not in theirs]
    if not mine:
        return None
    own = (
        phrase if len(mine) == len(phrase) else phrase.with_notes(phrase.notes[mine], phrase.length)
    )
    return Source("prompt", phrase.id, record, own, steps=tuple(mine))


def _wishes(payload: dict[str, Any]) -> list[str]:
    request = payload.get("request", {})
    return [name for name, value in request.items() if name not in WISHES and value is not None]
