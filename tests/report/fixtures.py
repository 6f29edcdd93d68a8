"""A made-up corpus of two tunes, a phrase that quotes one of them, and a full report on it."""

from dataclasses import dataclass, replace
from typing import Any

from musai.errors import NotFound
from musai.music import Metre, Phrase, Voice
from musai.report import Evidence, Report, build_report, player_record
from musai.report.records import Corpus, Replay, Term, Work

TUNE = Phrase.from_notes(
    [0, 1, 1.5, 2, 3, 4, 5, 5.5, 6, 8, 9, 10, 11, 12],
    [1, 0.5, 0.5, 1, 1, 1, 0.5, 0.5, 2, 1, 1, 1, 1, 4],
    [60, 62, 64, 65, 67, 72, 71, 69, 67, 65, 64, 62, 59, 60],
    metre=Metre.of(100, (4, 4)),
    length=16,
)
"""Four bars in C."""

QUOTE = Phrase.from_notes(
    [0, 2, 3, 4, 6, 8, 11, 12],
    [2, 1, 1, 2, 2, 2, 1, 4],
    [63, 65, 67, 68, 71, 75, 72, 70],
    metre=Metre.of(90, (4, 4), (-3, False)),
    length=16,
)
"""The tune's first nine notes 3 semitones up at half speed: the fifth raised, the seventh left out."""

PAIRS = ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 7), (7, 8))


@dataclass(frozen=True)
class Hit:
    work_id: str = "a" * 64
    title: str = "The Test Reel"
    score: float = 41.5
    p_value: float | None = 0.0004
    e_value: float | None = 0.31
    q_value: float | None = 0.02
    significant: bool = True
    transposition: int = 3
    tempo_ratio: float = 2.0
    longest_run: int = 4
    coverage_query: float = 1.0
    coverage_work: float = 0.64
    alignment: tuple[tuple[int, int], ...] = PAIRS
    licence: str = "CC-BY-4.0"


@dataclass(frozen=True)
class Verdict:
    light: Any = "amber"
    sentence: str = "4 of 10,000 phrases of unrelated works share as much."
    p_value: float | None = 0.0005
    statistic: float | None = 41.5
    null_size: int = 10_000
    null_version: str = "2"
    longest_run: int = 4


WORK = Work(
    id="a" * 64,
    title="The Test Reel",
    creators=("Jane Doe", "José Ñandú"),
    holders=("The Estate of Jane Doe",),
    source="reels.mid",
    collection="reels",
    licence="CC-BY-4.0",
    attribution="The Test Reel by Jane Doe, CC BY 4.0",
    terms=(
        Term(use="match", status="allowed", reason="licence", conditions=""),
        Term(use="commercial", status="conditional", reason="", conditions="share of revenue"),
    ),
)


def notes_of(work_id: str) -> Phrase:
    if work_id != WORK.id:
        raise NotFound(f"no work {work_id}")
    return TUNE


def full_report(**changes: Any) -> Report:
    """A report with everything in it: a player, a prompt, a replay and three matches."""
    prompt = Phrase.from_notes([0, 1, 2], 1, [60, 62, 64], length=4, names=(Voice("human"),))
    request = {"mode": "answer", "bars": 4, "seed": 7, "context": prompt.to_midi().hex()}
    hits = [
        Hit(),
        Hit(work_id="b" * 64, title="أغنية <script>alert(1)</script>", significant=False),
        Hit(work_id="c" * 64, title="", p_value=None, e_value=None, q_value=None, alignment=()),
    ]
    facts: dict[str, Any] = {
        "when": "2026-11-20T14:03:00+00:00",
        "name": "Answer & more",
        "player": player_record({}, request, name="tunebook", model_id="f" * 64),
        "replay": Replay(replay_id="9" * 64, command="musai replay 999999999999"),
        "corpus": Corpus(name="reels", id="d" * 64, works=2),
        "evidence": Evidence(verdict=Verdict(), hits=hits, works={WORK.id: WORK}),
        "phrase_of": notes_of,
    }
    return build_report(QUOTE, **(facts | changes))


def verdict(**changes: Any) -> Verdict:
    return replace(Verdict(), **changes)
