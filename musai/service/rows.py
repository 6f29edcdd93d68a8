"""What the service tells of its ledger, its corpora and its jobs: frozen rows of plain values.

Times are ISO 8601 in UTC as the ledger has them; ids are hexadecimal.
"""

from typing import Any, Literal

import msgspec

from musai.corpus.work import Work
from musai.report.dossier import Agreement, Judgement
from musai.report.records import Comparison, Match, Score, Style, Verdict
from musai.report.records import Work as WorkTold

Format = Literal["html", "pdf", "json", "csv", "midi"]
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
ScopeKind = Literal["phrases", "session", "dates", "owner", "all"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all rows."""


class SessionRow(Row, frozen=True, kw_only=True):
    """One sitting: what was made and dropped in it, and how that came out."""

    name: str
    phrases: int
    files: int
    first: str
    last: str
    lights: dict[str, int]
    kept: int
    discarded: int
    judged: int


class PhraseRow(Row, frozen=True, kw_only=True):
    """One phrase of the ledger with its last comparison; `significant` counts its hits that are."""

    phrase_id: str
    origin: Literal["generated", "file"]
    name: str
    session: str
    made_at: str
    seq: int
    notes: int
    bars: int
    replay_id: str | None = None
    model: str = ""
    seed: int | None = None
    light: str = "grey"
    p_value: float | None = None
    longest_run: int = 0
    sentence: str = ""
    corpus: str = ""
    nearest_title: str = ""
    nearest_work: str = ""
    significant: int = 0
    decision: str = ""
    intent: str = ""
    replayed: str = ""
    marks: dict[str, int] = {}
    judged: int = 0


class PhrasePage(Row, frozen=True, kw_only=True):
    """Some of the phrases that fit, and how many do."""

    rows: list[PhraseRow]
    total: int


class HitRow(Row, frozen=True, kw_only=True):
    """A work that a phrase was found to be like; `aligned` where both can be drawn note by note."""

    rank: int
    corpus: str
    work_id: str
    title: str
    composer: str
    holders: list[str]
    licence: str
    attribution: str
    score: float
    p_value: float | None
    e_value: float | None
    q_value: float | None
    significant: bool
    longest_run: int
    coverage_query: float
    coverage_work: float
    transposition: int
    tempo_ratio: float
    common_works: int
    common_authors: int
    aligned: bool
    variants: list[str]
    mark: str = ""
    likeness: int | None = None


class PhraseDetail(Row, frozen=True, kw_only=True):
    """All that the ledger holds of a phrase, in plain values; `records` are numbers of its records."""

    row: PhraseRow
    request: dict[str, Any] | None
    made_with: dict[str, Any]
    replay_command: str
    verdict: dict[str, Any]
    hits: list[HitRow]
    judgements: list[Judgement]
    records: list[int]


class ComparisonDetail(Row, frozen=True, kw_only=True):
    """A phrase beside one work.  A blind one has the notes of both and no number."""

    phrase_id: str
    work_id: str
    corpus: str
    blind: bool
    phrase_score: Score
    work_score: Score | None
    work: WorkTold
    comparison: Comparison | None
    why: str = ""
    phrase: PhraseRow | None = None
    match: Match | None = None
    verdict: Verdict | None = None
    style: Style | None = None
    judgements: list[Judgement] = []


class Change(Row, frozen=True, kw_only=True):
    """Something that happened, in a sentence."""

    seq: int
    utc: str
    kind: str
    text: str
    session: str = ""
    phrase_id: str = ""
    work_id: str = ""
    corpus: str = ""


class CorpusRow(Row, frozen=True, kw_only=True):
    """A corpus of this home; `fault` says why it cannot be opened, else empty."""

    name: str
    id: str = ""
    works: int = 0
    notes: int = 0
    takedowns: int = 0
    fault: str = ""


class WorkRow(Row, frozen=True, kw_only=True):
    """A work in a list; `terms` gives today's status of each use."""

    corpus: str
    id: str
    title: str
    composer: str
    owners: str
    licence: str
    collection: str
    notes: int
    terms: dict[str, str]
    evidence: int


class WorkPage(Row, frozen=True, kw_only=True):
    """Some of the works that fit, and how many do."""

    rows: list[WorkRow]
    total: int


class Facets(Row, frozen=True, kw_only=True):
    """Values to filter by, each with its number of works, the commonest first."""

    owners: list[tuple[str, int]]
    composers: list[tuple[str, int]]
    licences: list[tuple[str, int]]
    collections: list[tuple[str, int]]


class PermissionRow(Row, frozen=True, kw_only=True):
    """What one use of a work is today, why, and on what conditions."""

    use: str
    status: str
    reason: str
    conditions: list[str]


class WorkDetail(Row, frozen=True, kw_only=True):
    """All that a corpus holds of a work but its notes; `matched` counts phrases near it."""

    row: WorkRow
    work: Work
    permissions: list[PermissionRow]
    matched: int


class ModelUse(Row, frozen=True, kw_only=True):
    """A model that was trained on some of the works asked about."""

    name: str
    model_id: str
    folder: str
    trained_on: int
    of: int


class Consequences(Row, frozen=True, kw_only=True):
    """What taking a work down would touch; `duplicates` is None where they are not counted yet."""

    work: WorkRow
    duplicates: list[WorkRow] | None
    models: list[ModelUse]
    phrases: list[PhraseRow]
    significant: int
    judgements: int
    sentences: list[str]


class TakedownRow(Row, frozen=True, kw_only=True):
    """A work that was taken down."""

    corpus: str
    id: str
    title: str
    source: str
    on: str
    reason: str


class ModelRow(Row, frozen=True, kw_only=True):
    """A model of this machine; `card` is Markdown."""

    name: str
    model_id: str
    folder: str
    works: int
    card: str
    fault: str = ""


class RecallWork(Row, frozen=True, kw_only=True):
    """A training work's likeliest window: bits of luck (None: cannot be drawn), the probability of
    drawing it in 100 and in 10,000 takes, how much of it repeats what stands before."""

    work_id: str
    title: str
    bits: float | None
    in_100: float
    in_10000: float
    repeats: float | None = None


class Recall(Row, frozen=True, kw_only=True):
    """What a model has by heart, as its audit of memorization says."""

    works: int
    windows: int
    windows_reachable: int
    works_reachable: int
    works_at_even_odds: dict[str, int]
    least_bits: float | None
    median_bits: float | None
    temperature: float
    top_p: float
    prefix: int
    events: int
    sentences: list[str]
    likeliest: list[RecallWork]


class PullRow(Row, frozen=True, kw_only=True):
    """A training work's estimated influence on a phrase, as a share of the list's first, by gradient
    and by word search; `low`, `high`: 95% of the gradient's share as the phrase's passages are drawn
    anew; `everywhere`: it heads most lists, whatever is asked."""

    work_id: str
    title: str
    collection: str
    gradient: float
    lexical: float
    everywhere: bool
    low: float | None = None
    high: float | None = None


class PlaceRow(Row, frozen=True, kw_only=True):
    """A few neighbouring notes that one work moved more than a work does by chance (`p`)."""

    where: str
    notes: int
    title: str
    p: float


class InfluenceRow(Row, frozen=True, kw_only=True):
    """What was estimated for a phrase under a model; works whose terms do not allow it are counted only."""

    model: str
    sentence: str
    method: str
    reliability: str
    works: list[PullRow]
    hidden: int
    places: list[PlaceRow] = []


class ModelKnown(Row, frozen=True, kw_only=True):
    """What was measured of a model: its recall (or why that cannot be told), the phrases whose
    influences were estimated, whether its gradients are kept here."""

    recall: Recall | None = None
    fault: str = ""
    estimated: list[str] = []
    gradients: bool = False


class JobRow(Row, frozen=True, kw_only=True):
    """Long work: how far it is, what failed and why, what came of it."""

    id: str
    kind: str
    state: JobState
    done: int
    total: int
    doing: str
    utc: str
    failures: list[tuple[str, str]] = []
    result: dict[str, Any] = {}
    error: str = ""


class Scope(Row, frozen=True, kw_only=True):
    """What a report is about.

    "phrases": `values` are ids; "session": names of sessions; "dates": what was
    made from `since` until `until`; "owner": everything that came near the works
    of a holder or maker (`values` are names, or ids of works).  `since`, `until`
    and `corpus` narrow each of them.
    """

    kind: ScopeKind
    values: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    corpus: str = ""


class Export(Row, frozen=True, kw_only=True):
    """A report as a file."""

    name: str
    media_type: str
    data: bytes


__all__ = ["Agreement", "Judgement"]
