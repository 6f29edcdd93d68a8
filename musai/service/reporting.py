"""The ledger's records of a phrase -> `musai.report`: what was recorded, not what would be found now."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from musai.corpus import Corpus
from musai.errors import MusaiError, NotFound
from musai.influence.found import Influence
from musai.ledger import Ledger, Payload
from musai.music import Phrase
from musai.report import Evidence, Report, build, build_report, facts, player_record, work_record
from musai.report import records as told
from musai.report.dossier import Judgement
from musai.report.scores import score_of
from musai.service import records
from musai.service.quoting import quoted
from musai.service.rows import ComparisonDetail, PhraseRow
from musai.service.shelves import Shelves


class Stored:
    """Stored values under the names that a report looks for."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def report_of(
    ledger: Ledger, phrase_id: str, shelves: Shelves, influence: Influence | None = None
) -> Report:
    """The report of a recorded phrase, with its last comparison, and what was estimated of the works
    that moved it where that is handed in.  Raises `NotFound`, `Altered`."""
    record = records.phrase_record(ledger, phrase_id)
    payload = record.payload or {}
    matches = ledger.find("phrase_id", payload["phrase_id"], "match")
    match: Payload = (matches[-1].payload or {}) if matches else {}
    row = next(iter(match.get("corpora", ())), None)
    made = _made(ledger, payload["replay_id"], shelves) if record.kind == "phrase" else _Made()
    return build_report(
        records.phrase_of(record),
        when=record.utc,
        name=payload.get("name", ""),
        origin="generated" if record.kind == "phrase" else "file",
        player=made.player,
        replay=made.replay,
        corpus=None if row is None else _corpus(row),
        evidence=None if row is None else evidence_of(row),
        unrated=match.get("verdict", {}).get("sentence", ""),
        phrase_of=None if row is None else Works(shelves, row).phrase,
        software=made.software,
        influence=influence,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """How a phrase came about; nothing of it where it was read from a file."""

    player: told.Player | None = None
    replay: told.Replay | None = None
    software: dict[str, str] = field(default_factory=dict)


def _made(ledger: Ledger, replay_id: str, shelves: Shelves) -> _Made:
    asked = records.request_record(ledger, replay_id)
    replays = ledger.find("replay_id", replay_id, "replay")
    last = (replays[-1].payload or {}) if replays else {}
    return _Made(
        player_record(
            asked["made_with"],
            asked["request"],
            name=asked["model"],
            model_id=asked["model_id"],
            guard=asked.get("guard"),
            quoted=quoted(shelves, asked.get("guard"), asked["request"]),
            credits=_credits(asked["model"], asked["model_id"]),
        ),
        told.Replay(
            replay_id=replay_id,
            command=f"musai replay {replay_id[:12]}",
            result=last.get("verdict"),
        ),
        {"numpy": str(asked["made_with"].get("numpy", ""))},
    )


def _credits(name: str, model_id: str) -> list[str]:
    """What the licences of this very model's training works ask to be told; nothing where it has gone."""
    from musai.transformer import checkpoint

    with suppress(MusaiError):
        folder = checkpoint.folder_of(name)
        if checkpoint.check_sums(folder)[checkpoint.WEIGHTS] == model_id:
            return checkpoint.credits_of(folder)
    return []


def side_by_side(
    ledger: Ledger,
    shelves: Shelves,
    row: PhraseRow,
    match: Payload,
    work_id: str,
    corpus: str | None,
    blind: bool,
    judgements: list[Judgement],
) -> ComparisonDetail:
    """A phrase beside one of the hits of its comparison `match`.  Raises `NotFound`."""
    rank, hit, found = _hit(match, row.phrase_id, work_id, corpus)
    phrase = records.phrase_of(records.phrase_record(ledger, row.phrase_id))
    evidence = evidence_of(found)
    works = Works(shelves, found)
    work, why = None, ""
    try:
        work = works.phrase(work_id)
    except NotFound as error:
        why = str(error)
    stored: Any = Stored(hit)
    comparison = build.comparison_of(stored, phrase, works.phrase) if work else None
    told_match = build.match_record(rank, stored, evidence, comparison)
    if work and comparison is None:
        why = f"the alignment of match {rank} was not kept: only the nearest works are laid out"
    described = (
        told_match.work if told_match.work.creators else works.about(work_id, told_match.work)
    )
    return ComparisonDetail(
        phrase_id=row.phrase_id,
        work_id=work_id,
        corpus=found["name"],
        blind=blind,
        phrase_score=score_of(phrase),
        work_score=score_of(work) if work else None,
        work=described,
        comparison=told_match.comparison,
        why=why,
        phrase=None if blind else row,
        match=None if blind else told_match,
        verdict=None if blind else build.verdict_record(evidence),
        style=None if blind else facts.style_of(evidence.style),
        judgements=judgements,
    )


def _hit(
    match: Payload, phrase_id: str, work_id: str, corpus: str | None
) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Rank, hit and corpus row of a work in a comparison."""
    for row in match.get("corpora", ()):
        for rank, hit in enumerate(row["hits"], 1):
            if hit["work_id"] == work_id and corpus in (None, row["name"]):
                return rank, hit, row
    raise NotFound(
        f"the comparison of phrase {phrase_id[:8]} does not name the work {work_id[:12]}"
    )


def _corpus(row: dict[str, Any]) -> told.Corpus:
    return told.Corpus(name=row["name"], id=row["id"], works=row["works"])


def evidence_of(row: dict[str, Any]) -> Evidence:
    """What the matcher found in one corpus, from its row of a match record."""
    works = {
        work_id: msgspec.convert(values, told.Work) for work_id, values in row["about"].items()
    }
    verdict: Any = Stored(row["verdict"])
    hits: list[Any] = [Stored(hit) for hit in row["hits"]]
    return Evidence(
        verdict=verdict,
        hits=hits,
        works=works,
        spread=row.get("spread"),
        style=row.get("style"),
    )


class Works:
    """Works of the corpus that a comparison names, read when first asked for."""

    def __init__(self, shelves: Shelves, row: dict[str, Any]) -> None:
        self._shelves, self._row = shelves, row

    def phrase(self, work_id: str) -> Phrase:
        """Notes of a work; `NotFound` where the corpus is no longer there or was taken down."""
        try:
            phrase: Phrase = self._corpus().phrase(work_id)
        except MusaiError as error:
            raise NotFound(str(error)) from None
        return phrase

    def about(self, work_id: str, known: told.Work) -> told.Work:
        """What the corpus says of a work today; what is `known` of it where it says nothing."""
        try:
            return work_record(self._corpus().work(work_id))
        except MusaiError:
            return known

    def _corpus(self) -> Corpus:
        """Where it was then, or else the one of this name here."""
        try:
            return self._shelves.at(Path(self._row["path"]))
        except NotFound:
            return self._shelves.corpus(self._row["name"])
