"""A dossier: the report on many phrases.  Frozen records, what `dossier.json` holds.

A report on one phrase is `musai.report.records.Report`; a dossier has an `Entry`
a phrase and a `Finding` a match, and corrects once over all its phrases.  The
rules for fields and units are those of `records`.
"""

from typing import Annotated, Literal

import msgspec

from musai.report.records import Count, Light, Match, Method, Record, Score, Share

VERSION: Literal["musai-dossier-1"] = "musai-dossier-1"

MARKS = ("relevant", "common stock", "licensed", "dismissed")
"""What a reviewer may find of a match; an empty mark withdraws one."""

Mark = Literal["relevant", "common stock", "licensed", "dismissed", ""]
Likeness = Annotated[int, msgspec.Meta(ge=1, le=5)]


class Judgement(Record, frozen=True, kw_only=True):
    """What somebody found of one match; `latest` where nothing later counts instead."""

    seq: Annotated[int, msgspec.Meta(ge=1, description="number of the ledger's record")]
    utc: str
    phrase_id: str
    work_id: str
    corpus: str
    who: str
    likeness: Annotated[
        Likeness | None, msgspec.Meta(description="1, nothing in common, to 5, the same")
    ] = None
    by_ear: Annotated[
        bool, msgspec.Meta(description="whether it was rated before the numbers were shown")
    ] = False
    mark: Mark | None = None
    note: str = ""
    session: str = ""
    latest: bool = True


class MarkCount(Record, frozen=True):
    """How many matches under one light were marked so."""

    light: Light
    mark: str
    count: Count


class Agreement(Record, frozen=True, kw_only=True):
    """How ratings by ear go with the matcher's scores, and marks with lights."""

    n: Annotated[int, msgspec.Meta(ge=0, description="matches rated by ear, with a score")]
    reviewers: Count
    rho: Annotated[
        float | None, msgspec.Meta(description="Spearman's rank correlation of rating and score")
    ]
    low: Annotated[float | None, msgspec.Meta(description="95% interval of rho")]
    high: float | None
    why: Annotated[str, msgspec.Meta(description="why there is no rho, else empty")] = ""
    marks: tuple[MarkCount, ...] = ()


class Correction(Record, frozen=True, kw_only=True):
    """One correction over all phrases of the dossier."""

    method: Literal["Benjamini-Hochberg"]
    level: Annotated[float, msgspec.Meta(description="share of chance among what is significant")]
    tested: Annotated[int, msgspec.Meta(ge=0, description="phrases that have a p-value")]
    significant: Count
    alone: Annotated[
        int, msgspec.Meta(ge=0, description="phrases at .01 or below by themselves, uncorrected")
    ]
    least: Annotated[
        float | None, msgspec.Meta(description="q that one phrase alone could reach at best")
    ]


class Compared(Record, frozen=True, kw_only=True):
    """A corpus as it was when some of the phrases were compared with it."""

    name: str
    id: str
    works: Count
    phrases: Annotated[int, msgspec.Meta(ge=0, description="phrases compared with it")]
    null_version: str = ""
    null_size: Count = 0
    null_reference: str = ""
    scores_version: str = ""


class Played(Record, frozen=True, kw_only=True):
    """A model that made some of the phrases."""

    name: str
    id: str
    phrases: Count


class Entry(Record, frozen=True, kw_only=True):
    """One phrase.  `q_value` is its p after the correction over all phrases of the dossier."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    phrase_id: str
    name: str
    origin: Literal["generated", "file"]
    session: str
    made_at: str
    notes: Count
    bars: Count
    light: Light
    p_value: float | None
    q_value: float | None
    significant: bool
    longest_run: Count
    sentence: str
    corpora: tuple[str, ...] = ()
    matches: Annotated[int, msgspec.Meta(ge=0, description="works recorded as like it")] = 0
    decision: str = ""
    intent: Annotated[
        str, msgspec.Meta(description="what its composer said it is for, in a sentence")
    ] = ""
    replay_id: str | None = None
    replayed: str = ""
    records: Annotated[
        tuple[int, ...], msgspec.Meta(description="numbers of the ledger's records on it")
    ] = ()
    request: Annotated[
        str | None, msgspec.Meta(description="what was asked of the model, in a line")
    ] = None
    score: Score | None = None


class Finding(Record, frozen=True, kw_only=True):
    """One match of one phrase.  `match.comparison` is there where it is drawn."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    entry: Annotated[int, msgspec.Meta(ge=1, description="the number of its phrase's entry")]
    corpus: str
    match: Match
    judgements: tuple[Judgement, ...] = ()

    @property
    def mark(self) -> str:
        """The mark that counts: the latest of anybody."""
        marks = [one.mark for one in self.judgements if one.mark is not None]
        return marks[-1] if marks else ""

    @property
    def likeness(self) -> int | None:
        """The rating that counts: the latest of anybody."""
        rated = [one.likeness for one in self.judgements if one.likeness is not None]
        return rated[-1] if rated else None


class Cell(Record, frozen=True, kw_only=True):
    """One measured rate of the matcher: what was asked of what music, and how often it was so."""

    question: str
    music: str
    rate: Share
    interval: Annotated[str, msgspec.Meta(description="95%, by composers or works; may be empty")]


class Calibration(Record, frozen=True, kw_only=True):
    """What was measured of the test itself, and how far that reaches."""

    title: str
    cells: tuple[Cell, ...]
    limits: tuple[str, ...]


class Rerun(Record, frozen=True, kw_only=True):
    """A command that does some of it again, and what it shows."""

    command: str
    shows: str


class Dossier(Record, frozen=True, kw_only=True):
    """Many phrases against one or several corpora."""

    schema: Literal["musai-dossier-1"] = VERSION
    title: str
    about: Annotated[str, msgspec.Meta(description="what was asked for, in a sentence")]
    made_at: str
    first: Annotated[str, msgspec.Meta(description="when the earliest phrase was made")]
    last: str
    software: dict[str, str]
    corpora: tuple[Compared, ...]
    models: tuple[Played, ...]
    correction: Correction
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    owner: Annotated[str, msgspec.Meta(description="whose works alone are listed, else empty")] = ""
    searched: Annotated[
        int, msgspec.Meta(ge=0, description="phrases looked at, those without entry among them")
    ] = 0
    left_out: Annotated[
        tuple[tuple[str, str], ...], msgspec.Meta(description="files that could not be read, why")
    ] = ()
    agreement: Agreement
    calibration: Calibration
    reruns: tuple[Rerun, ...]
    ledger: Annotated[
        dict[str, str], msgspec.Meta(description="the ledger's records and head when this was made")
    ]
    methods: tuple[Method, ...]
    limits: tuple[Method, ...]
