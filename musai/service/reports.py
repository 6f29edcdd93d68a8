"""Reports on any scope of the ledger, in any format: a sitting, a week, an owner's works."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from musai.errors import BadInput, MusaiError, NotFound
from musai.files import write_whole
from musai.ledger import Ledger, Payload
from musai.report import build
from musai.report.assemble import Case, Hit, assemble, with_drawings
from musai.report.dossier import Compared, Dossier, Entry, Judgement, Played
from musai.report.order import folded
from musai.report.records import Comparison, Score
from musai.report.scores import score_of
from musai.service import records, reporting, scopes
from musai.service.catalogues import Catalogues
from musai.service.history import History
from musai.service.rows import Export, Format, PhraseRow, Scope

MAX_PHRASES = 5000

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what)."""

MEDIA: dict[str, tuple[str, str]] = {
    "html": ("text/html", "html"),
    "pdf": ("application/pdf", "pdf"),
    "json": ("application/json", "json"),
    "csv": ("text/csv", "csv"),
    "midi": ("application/zip", "zip"),
}
"""THE table of formats: media type, and ending of the file's name."""

assert set(MEDIA) == set(get_args(Format))


class Reports:
    """Makes reports of what the ledger holds.  Any thread may call any method."""

    def __init__(
        self,
        history: History,
        catalogue: Catalogues,
        ledger: Ledger,
        clock: Callable[[], datetime],
    ) -> None:
        self._history = history
        self._catalogue = catalogue
        self._ledger = ledger
        self._clock = clock

    def dossier(
        self,
        scope: Scope,
        *,
        left_out: Sequence[tuple[str, str]] = (),
        progress: Progress | None = None,
    ) -> Dossier:
        """The report on a scope, its strongest matches laid out note by note.

        `left_out` are files that could not be read, with why.  Raises `NotFound`
        where the scope holds no phrase, `BadInput` for one that is none or too large.
        """
        tell = progress or (lambda done, total, what: None)
        rows = self._rows(scope)
        touching = self._touching(scope)
        cases = []
        for number, row in enumerate(rows):
            tell(number, len(rows), row.name)
            cases.append(self._case(row, scope))
        told = assemble(
            scopes.about(scope, self._clock(), self._ledger_facts(), rows, tuple(left_out)),
            [case.case for case in cases],
            corpora=_compared(cases),
            models=self._played(rows),
            agreement=self._history.agreement(phrase_ids=[row.phrase_id for row in rows]),
            touching=touching,
        )
        return with_drawings(told, _Laid(self._ledger, self._history, tell))

    def make(self, scope: Scope, format: Format, *, progress: Progress | None = None) -> Export:
        """The report on a scope as a file.  Raises as `dossier` does."""
        if format not in MEDIA:
            raise BadInput(f"a report's format is {format!r}; legal is {', '.join(MEDIA)}")
        return export(self.dossier(scope, progress=progress), format)

    def save(self, dossier: Dossier, formats: Iterable[Format], folder: Path) -> list[Path]:
        """Write a report into a folder, each file whole or not at all.  Raises `NoSpace`, `BadInput`."""
        made = [export(dossier, one) for one in formats]
        paths = [folder / one.name for one in made]
        for path, one in zip(paths, made, strict=True):
            write_whole(path, one.data)
        return paths

    def _rows(self, scope: Scope) -> list[PhraseRow]:
        """The phrases of a scope, each once, its latest making."""
        rows = scopes.rows_of(scope, self._history)
        chosen: dict[str, PhraseRow] = {}
        for row in rows:
            if row.phrase_id not in chosen or chosen[row.phrase_id].seq < row.seq:
                chosen[row.phrase_id] = row
        if not chosen:
            raise NotFound(f"the ledger holds no phrase of {scopes.in_words(scope)}")
        if len(chosen) > MAX_PHRASES:
            raise BadInput(
                f"{len(chosen):,} phrases; a report takes up to {MAX_PHRASES:,}: give it fewer days"
            )
        return sorted(chosen.values(), key=lambda row: row.seq)

    def _touching(self, scope: Scope) -> frozenset[str] | None:
        """Ids of the works of an owner; None where the scope is none of an owner's."""
        if scope.kind != "owner":
            return None
        wanted = {folded(value).strip() for value in scope.values}
        ids = {value for value in scope.values if len(value) == 64}
        for held in self._catalogue.shelves.all():
            if scope.corpus and held.name != scope.corpus:
                continue
            for work in held.works:
                people = [*(h.name for h in work.holders), *(c.name for c in work.creators)]
                if any(folded(name).strip() in wanted for name in people):
                    ids.add(work.id)
        if not ids:
            raise NotFound(
                f"no work here is by or owned by {', '.join(scope.values)}; musai corpus list shows names"
            )
        return frozenset(ids)

    def _case(self, row: PhraseRow, scope: Scope) -> "_Loaded":
        match = self._history.last_match(row.phrase_id)
        told = self._history.judgements(phrase_id=row.phrase_id)
        corpora = [
            one
            for one in match.get("corpora", ())
            if not scope.corpus or one["name"] == scope.corpus
        ]
        hits = tuple(hit for one in corpora for hit in _hits(one, told))
        tested = [one["verdict"] for one in corpora if one["verdict"]["p_value"] is not None]
        least = min((one["p_value"] for one in tested), default=None)
        entry = Entry(
            number=1,
            phrase_id=row.phrase_id,
            name=row.name,
            origin=row.origin,
            session=row.session,
            made_at=row.made_at,
            notes=row.notes,
            bars=row.bars,
            light=row.light,  # type: ignore[arg-type]
            p_value=None if least is None else min(1.0, least * len(tested)),
            q_value=None,
            significant=False,
            longest_run=row.longest_run,
            sentence=row.sentence,
            corpora=tuple(one["name"] for one in corpora),
            matches=len(hits),
            decision=row.decision,
            intent=row.intent,
            replay_id=row.replay_id,
            replayed=row.replayed,
            records=tuple(self._history.record_numbers(row)),
        )
        size = max((int(one.get("null_size") or 0) for one in tested), default=0)
        return _Loaded(Case(entry, hits, size), corpora)

    def _played(self, rows: Sequence[PhraseRow]) -> list[Played]:
        asked = self._history.state().asked
        counts: dict[tuple[str, str], int] = {}
        for row in rows:
            about = asked.get(row.replay_id or "")
            if about:
                key = about["model"], about["model_id"]
                counts[key] = counts.get(key, 0) + 1
        return [Played(name=name, id=key, phrases=n) for (name, key), n in counts.items()]

    def _ledger_facts(self) -> dict[str, str]:
        last = self._ledger.last(1)
        if not last:
            return {}
        return {"Records of the ledger": f"1 to {last[0].seq}", "Hash of the last": last[0].hash}


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A phrase with the rows of the corpora it was compared with."""

    case: Case
    corpora: list[dict[str, Any]]


def _hits(row: dict[str, Any], told: Sequence[Judgement]) -> Iterable[Hit]:
    evidence = reporting.evidence_of(row)
    for rank, hit in enumerate(evidence.hits, 1):
        judged = tuple(one for one in told if one.work_id == hit.work_id)
        yield Hit(row["name"], build.match_record(rank, hit, evidence), judged)


def _compared(cases: Sequence[_Loaded]) -> list[Compared]:
    """Each state of each corpus that phrases were compared with."""
    counts: dict[tuple[str, str], int] = {}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for case in cases:
        for row in case.corpora:
            key = row["name"], row["id"]
            counts[key] = counts.get(key, 0) + 1
            rows[key] = row
    return [
        Compared(
            name=name,
            id=corpus_id,
            works=rows[(name, corpus_id)]["works"],
            phrases=count,
            null_version=str(verdict.get("null_version", "")),
            null_size=int(verdict.get("null_size") or 0),
            null_reference=str(verdict.get("null_reference", "")),
            scores_version=str(verdict.get("scores_version", "")),
        )
        for (name, corpus_id), count in counts.items()
        for verdict in [rows[(name, corpus_id)]["verdict"]]
    ]


class _Laid:
    """Lays matches out note by note, with the phrases that they belong to."""

    def __init__(self, ledger: Ledger, history: History, tell: Progress) -> None:
        self._ledger, self._history, self._tell = ledger, history, tell
        self._phrases: dict[str, Any] = {}
        self._matches: dict[str, Payload] = {}

    def score(self, phrase_id: str) -> Score | None:
        """The notes of a phrase, where it is short enough for a report."""
        phrase = self._phrase(phrase_id)
        return score_of(phrase) if len(phrase) <= build.MAX_NOTES else None

    def comparison(self, phrase_id: str, corpus: str, work_id: str) -> Comparison | None:
        """Both passages, or None where the alignment was not kept or the work is gone."""
        if phrase_id not in self._matches:
            self._matches[phrase_id] = self._history.last_match(phrase_id)
        for row in self._matches[phrase_id].get("corpora", ()):
            if row["name"] == corpus:
                for hit in row["hits"]:
                    if hit["work_id"] == work_id and hit["alignment"]:
                        self._tell(0, 0, hit["title"])
                        return self._compare(phrase_id, row, hit)
        return None

    def _compare(
        self, phrase_id: str, row: dict[str, Any], hit: dict[str, Any]
    ) -> Comparison | None:
        works = reporting.Works(self._history.shelves, row)
        stored: Any = reporting.Stored(hit)
        try:
            return build.comparison_of(stored, self._phrase(phrase_id), works.phrase)
        except MusaiError:
            return None

    def _phrase(self, phrase_id: str) -> Any:
        if phrase_id not in self._phrases:
            record = records.phrase_record(self._ledger, phrase_id)
            self._phrases[phrase_id] = records.phrase_of(record)
        return self._phrases[phrase_id]


def export(dossier: Dossier, format: Format) -> Export:
    """A report as a file of a format."""
    # Each format's module is loaded when it is asked for: Typst and Verovio are large.
    from musai.report import exports
    from musai.report.dossier_html import render_dossier
    from musai.report.pdf import render_pdf

    makers: dict[str, Callable[[Dossier], bytes]] = {
        "html": lambda told: render_dossier(told).encode(),
        "pdf": render_pdf,
        "json": exports.to_json,
        "csv": exports.to_csv,
        "midi": exports.to_midi_zip,
    }
    media, ending = MEDIA[format]
    stem = "excerpts" if format == "midi" else "report"
    return Export(name=f"{stem}.{ending}", media_type=media, data=makers[format](dossier))
