"""What may be asked over HTTP: queries, bodies and a few answers, checked by their types."""

from typing import Annotated, Any, Literal

import msgspec

from musai.service.rows import Format, ScopeKind

MAX_LIMIT = 500
MAX_PAGE = 10_000_000

Text = Annotated[str, msgspec.Meta(max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=2000)]
Offset = Annotated[int, msgspec.Meta(ge=0, le=MAX_PAGE)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)]
Use = Literal["match", "train", "influence", "commercial"]
Status = Literal["allowed", "conditional", "unclear", "denied"]
Mark = Literal["relevant", "common stock", "licensed", "dismissed"]
Day = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\d{4}-\d{2}-\d{2}(T[0-9:.]{5,15}(Z|\+00:00)?)?)?$",
        description="a day, 2026-11-25, or a time in UTC; empty for none",
    ),
]
Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8,64}$")]


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of queries and bodies: what is not known is refused."""


class Nothing(Asked, frozen=True, kw_only=True):
    """No query."""


class WorksQuery(Asked, frozen=True, kw_only=True):
    """Which works, in which order."""

    search: Text = ""
    owner: Text = ""
    licence: Text = ""
    collection: Text = ""
    use: Use | None = None
    status: Status | None = None
    sort: Literal["title", "composer", "owner", "licence", "collection", "notes"] = "title"
    descending: bool = False
    offset: Offset = 0
    limit: Limit = 50


class AllWorksQuery(WorksQuery, frozen=True, kw_only=True):
    """The same over all corpora, or one."""

    corpus: Text = ""


class PhrasesQuery(Asked, frozen=True, kw_only=True):
    """Which phrases of the ledger, in which order."""

    session: Text = ""
    since: Day = ""
    until: Day = ""
    light: Literal["grey", "green", "amber", "red"] | None = None
    mark: Mark | None = None
    text: Text = ""
    work_id: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{8,64})?$")] = ""
    order: Literal["newest", "oldest", "evidence"] = "newest"
    offset: Offset = 0
    limit: Limit = 50


class ComparisonQuery(Asked, frozen=True, kw_only=True):
    """Blind: the notes of both and no number."""

    corpus: Text = ""
    blind: bool = False


class JudgementsQuery(Asked, frozen=True, kw_only=True):
    """Which judgements; with history, also those that a later one replaced."""

    phrase_id: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{8,64})?$")] = ""
    work_id: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{8,64})?$")] = ""
    session: Text = ""
    who: Text = ""
    history: bool = False


class ChangesQuery(Asked, frozen=True, kw_only=True):
    """What happened since a day."""

    since: Day = ""
    limit: Limit = 200


class SessionQuery(Asked, frozen=True, kw_only=True):
    """One session, or all."""

    session: Text = ""


class JudgeBody(Asked, frozen=True, kw_only=True):
    """A rating from 1 (not alike) to 5 (the same), a mark, or both; `by_ear`: before any number."""

    who: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    likeness: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None
    mark: Mark | None = None
    note: Words = ""
    corpus: Text = ""
    by_ear: bool = False


class WhoBody(Asked, frozen=True, kw_only=True):
    """Who it is."""

    who: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class TakedownBody(Asked, frozen=True, kw_only=True):
    """Why a work goes, and who says so."""

    who: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class TermsBody(Asked, frozen=True, kw_only=True):
    """New terms for one use of some works, with the words that support them."""

    work_ids: Annotated[list[Hex], msgspec.Meta(min_length=1, max_length=10_000)]
    who: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    use: Use
    status: Status
    reason: Words = ""
    attribution: Words = ""
    share: Annotated[int, msgspec.Meta(ge=0, le=10_000, description="basis points")] = 0
    quote: Words = ""


class DecisionBody(Asked, frozen=True, kw_only=True):
    """What the human does with a phrase."""

    decision: Literal["kept", "discarded"]
    intent: Annotated[str, msgspec.Meta(max_length=500)] = ""


class JamAgainBody(Asked, frozen=True, kw_only=True):
    """A take (0: the current one) the same, different, or the one before, in time."""

    how: Literal["same", "vary", "back"] = "same"
    take: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0


class JamSettingsBody(Asked, frozen=True, kw_only=True):
    """Parameters by name, as `/musai/jam` and `/musai/set` take them; "default" takes one back."""

    values: Annotated[
        dict[
            Annotated[str, msgspec.Meta(min_length=1, max_length=32)],
            bool | int | float | Annotated[str, msgspec.Meta(max_length=600)],
        ],
        msgspec.Meta(min_length=1, max_length=32),
    ]


class ReportBody(Asked, frozen=True, kw_only=True):
    """What a report is about (see `Scope`) and the kind of file."""

    kind: ScopeKind
    values: Annotated[tuple[Text, ...], msgspec.Meta(max_length=10_000)] = ()
    since: Day = ""
    until: Day = ""
    corpus: Text = ""
    format: Format = "html"


class UseBody(Asked, frozen=True, kw_only=True):
    """A corpus to compare phrases with from now on."""

    corpus: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It is done."""

    done: bool = True


class ReplayOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome` is "identical", or says what differs or why it could not be made again."""

    outcome: str
    identical: bool


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What the service is and how it is doing; see the documentation of `describe`."""

    version: str
    model: dict[str, Any] | None
    corpora: list[dict[str, Any]]
    light: dict[str, Any]
    workers: dict[str, Any]
    waiting: int
    ledger: dict[str, Any]
    limits: dict[str, Any]
