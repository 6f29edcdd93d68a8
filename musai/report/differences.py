"""A comparison as rows of a table: what is equal, changed, missing or added, and where.

Notes that are equal one after another make one row; each difference has its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from musai.report.degrees import degree, spell
from musai.report.names import quantity
from musai.report.records import ComparedNote, Comparison, Likeness, LocalKey

MAX_ROWS = 60

WORDS = {
    "equal": "equal",
    "changed": "another pitch",
    "missing": "missing: in the work alone",
    "added": "added: in the phrase alone",
}

Both = tuple[ComparedNote | None, ComparedNote | None]


@dataclass(frozen=True, slots=True)
class Side:
    """Where the notes of a row stand on one side, what they are, and which degrees."""

    place: str = "\u2013"
    pitches: str = "\u2013"
    degrees: str = "\u2013"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: how alike, how many notes, and both sides, each in its own bars and pitches."""

    likeness: Likeness
    word: str
    notes: int
    phrase: Side
    work: Side
    rhythm: str = ""


def rows(comparison: Comparison) -> list[Row]:
    """The rows of a comparison, in the phrase's order, up to `MAX_ROWS`."""
    told: list[Row] = []
    for _, group in groupby(_pairs(comparison), _kind):
        if len(told) == MAX_ROWS:
            break
        told.append(_row(list(group), comparison))
    return told


def _pairs(comparison: Comparison) -> list[Both]:
    """Aligned notes together, the others by themselves, in order of time."""
    theirs = {n.pair: n for n in comparison.work if n.pair is not None}
    both: list[Both] = [
        (n, theirs.get(n.pair) if n.pair is not None else None)
        for n in comparison.phrase
        if n.likeness != "other"
    ]
    both += [(None, n) for n in comparison.work if n.likeness == "missing"]
    return sorted(both, key=_onset)


def _onset(both: Both) -> tuple[float, bool]:
    ours, theirs = both
    return (ours or theirs or _NOWHERE).onset, ours is None


_NOWHERE = ComparedNote(0, 0, 0, 0, "other", 0, 0)


def _kind(both: Both) -> tuple[Likeness, int]:
    """What makes neighbours one row: equal notes, one by one in rhythm too; nothing else."""
    note = both[0] or both[1] or _NOWHERE
    lone = note.likeness != "equal" or bool(_rhythm([both]))
    return note.likeness, id(both) if lone else 0


def _row(held: Sequence[Both], comparison: Comparison) -> Row:
    first = held[0][0] or held[0][1] or _NOWHERE
    ours = [a for a, _ in held if a is not None]
    theirs = [b for _, b in held if b is not None]
    return Row(
        likeness=first.likeness,
        word=WORDS.get(first.likeness, ""),
        notes=len(held),
        phrase=_side(ours, comparison.phrase_key),
        work=_side(theirs, comparison.work_key),
        rhythm=_rhythm(held),
    )


def _side(notes: Sequence[ComparedNote], key: LocalKey | None) -> Side:
    if not notes:
        return Side()
    first, last = notes[0], notes[-1]
    place = f"bar {first.bar}, beat {quantity(first.beat)}"
    if first is not last:
        place += f" to bar {last.bar}, beat {quantity(last.beat)}"
    if key is None:
        return Side(place)
    named = [str(spell(n.written, key.fifths, key.minor)) for n in notes]
    degrees = [degree(n.written, key.fifths, key.minor) for n in notes]
    return Side(place, " ".join(named), " ".join(degrees))


def _rhythm(held: Sequence[Both]) -> str:
    """How far apart in time an aligned pair lies, once the work is in the phrase's time."""
    ours, theirs = held[0]
    if ours is None or theirs is None or len(held) != 1:
        return ""
    apart = round((ours.onset - theirs.onset) / 60) / 8
    if not apart:
        return ""
    size = quantity(abs(apart))
    return f"{size} quarter{'s' if abs(apart) > 1 else ''} {'later' if apart > 0 else 'earlier'}"


def sides_in_words(comparison: Comparison) -> Iterator[str]:
    """The degrees of both sides in a row, for a reader without the picture."""
    for name, side in (("phrase", comparison.phrase), ("work", comparison.work)):
        key = comparison.phrase_key if name == "phrase" else comparison.work_key
        if key is not None:
            told = [degree(n.written, key.fifths, key.minor) for n in side if n.likeness != "other"]
            yield f"{name} {' '.join(told[:64])}"
