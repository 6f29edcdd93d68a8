"""The report as a tree of frozen records: what `report.json` holds and the HTML page shows.

The JSON Schema is generated from these types (`musai.report.schema`), and a
test holds the published file against them.  A field may be added under the
same version; a changed meaning or a removed field takes a new one.

Units: ticks at 480 a quarter note from the phrase's beginning; pitches are
MIDI numbers; bars and beats count from 1, beats in units of the time
signature's denominator.  Times of day are ISO 8601.
"""

from typing import Annotated, Any, Literal

import msgspec

from musai.report.influences import Influences
from musai.report.score_records import Count as Count
from musai.report.score_records import Record as Record
from musai.report.score_records import Score as Score

VERSION: Literal["musai-report-1"] = "musai-report-1"

Light = Literal["grey", "green", "amber", "red"]
Likeness = Literal["equal", "changed", "missing", "added", "other"]
Use = Literal["match", "train", "influence", "commercial"]

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Subject(Record, frozen=True):
    """The phrase that was compared."""

    name: str
    origin: Annotated[
        Literal["generated", "file"],
        msgspec.Meta(description="made by a player here, or read from a file"),
    ]
    phrase_id: Annotated[str, msgspec.Meta(description="SHA-256 of the canonical phrase")]
    notes_id: Annotated[str, msgspec.Meta(description="SHA-256 of the notes alone")]
    notes: Count
    bars: Count
    seconds: float
    score: Score | None = None
    left_out: Annotated[str, msgspec.Meta(description="why `score` is null, else empty")] = ""


class Quoted(Record, frozen=True):
    """A work whose notes the prompt holds: a guard lets pass what the human played."""

    work_id: str
    title: str
    composer: str
    corpus: str
    licence: str
    notes: Annotated[Count, msgspec.Meta(description="of the longest run in common")]


class Player(Record, frozen=True):
    """Which model played, and from what request."""

    name: str
    model_id: str
    request: Annotated[
        dict[str, Any],
        msgspec.Meta(description="the request in plain values, its context replaced by an id"),
    ]
    prompt: Annotated[
        Score | None, msgspec.Meta(description="what the human played, where there was any")
    ] = None
    guard: Annotated[
        str, msgspec.Meta(description="the guard that was on and what evades it; empty for none")
    ] = ""
    quoted: Annotated[
        tuple[Quoted, ...],
        msgspec.Meta(description="whom the prompt quotes by as many notes as the guard counts"),
    ] = ()
    credits: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="what the licences of the works it was trained on ask to be told"),
    ] = ()
    details: dict[str, Any] = msgspec.field(default_factory=dict)


class Replay(Record, frozen=True):
    """How to make the same phrase again."""

    replay_id: str
    command: str
    result: Annotated[
        str | None,
        msgspec.Meta(description='null, "identical", or where a replay differed'),
    ] = None


class Corpus(Record, frozen=True):
    """What the phrase was compared with."""

    name: str
    id: Annotated[str, msgspec.Meta(description="hash over works and notes")]
    works: Count


class Sentence(Record, frozen=True):
    """One of the three sentences; `text` says so where it was not computed."""

    about: Literal["chance", "style", "common stock"]
    text: str
    computed: bool


class Common(Record, frozen=True, kw_only=True):
    """How common the best passage is: works that hold it at 90% of its score, and their authors."""

    works: Count
    authors: Count
    examples: Annotated[tuple[str, ...], msgspec.Meta(description="titles, a few")] = ()


class Chance(Record, frozen=True, kw_only=True):
    """How often melodies made by chance, in the manner of a reference, come as close."""

    p_value: Share
    size: Annotated[int, msgspec.Meta(ge=0, description="melodies made")]
    reference: Annotated[str, msgspec.Meta(description="the music that they were made like")]


class Spread(Record, frozen=True, kw_only=True):
    """Best scores of unrelated phrases as long as the compared line."""

    notes: Count
    quantiles: Annotated[
        tuple[float, ...],
        msgspec.Meta(description="bits, evenly spaced from the lowest score to the highest"),
    ]


class StyleGroup(Record, frozen=True, kw_only=True):
    """How a phrase's style lies among the works of a composer or a collection."""

    name: str
    kind: Literal["composer", "collection"]
    works: Count
    p_value: Share | None
    reason: Annotated[str, msgspec.Meta(description="why there is no p, else empty")] = ""


class StyleNearest(Record, frozen=True):
    """A group that the phrase's style resembles, and the probability that it is of it."""

    name: str
    probability: Share


class Style(Record, frozen=True, kw_only=True):
    """What kind of music the phrase is like, whatever notes it shares."""

    corpus: str
    groups: tuple[StyleGroup, ...] = ()
    nearest: tuple[StyleNearest, ...] = ()
    sentence: str = ""
    version: str = ""


class Verdict(Record, frozen=True, kw_only=True):
    """One test, about this phrase and this corpus."""

    light: Light
    word: Annotated[str, msgspec.Meta(description="the light in words")]
    number: Annotated[str, msgspec.Meta(description="the number that stands beside the light")]
    sentence: str
    p_value: float | None
    statistic: Annotated[
        float | None, msgspec.Meta(description="best score over all lines and works, in bits")
    ]
    null_size: Annotated[
        int, msgspec.Meta(ge=0, description="phrases of unrelated works it is compared with")
    ]
    null_version: str
    longest_run: Annotated[
        int, msgspec.Meta(ge=0, description="notes of the longest exact run with any work")
    ]
    sentences: tuple[Sentence, ...]
    extrapolated: Annotated[
        float | None,
        msgspec.Meta(description="a tail's p where the null counted nothing as high"),
    ] = None
    null_reference: Annotated[
        str, msgspec.Meta(description="where the null's phrases are from")
    ] = ""
    common: Common | None = None
    engine: Annotated[str, msgspec.Meta(description="how the corpus was searched")] = ""
    searched: Annotated[
        float, msgspec.Meta(ge=0, le=1, description="share of the phrase's notes searched")
    ] = 1.0
    chance: Chance | None = None
    spread: Annotated[
        Spread | None, msgspec.Meta(description="the null that `statistic` is held against")
    ] = None


class Term(Record, frozen=True):
    """What the owner's terms say of one use."""

    use: Use
    status: str
    reason: str
    conditions: str


class Work(Record, frozen=True, kw_only=True):
    """A work of the corpus with those who own it and what they allow."""

    id: str
    title: str
    creators: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    source: str = ""
    collection: str = ""
    licence: str = ""
    grounds: Annotated[str, msgspec.Meta(description="why the licence is held to be this")] = ""
    attribution: str = ""
    terms: tuple[Term, ...] = ()


class Place(Record, frozen=True):
    """From bar and beat to bar and beat, both inclusive starts of notes."""

    first_bar: Count
    first_beat: float
    last_bar: Count
    last_beat: float


class ComparedNote(Record, frozen=True):
    """One note of a comparison, on the phrase's axis and in the phrase's key.

    `written` is the pitch in its own source; `pair` counts aligned pairs from
    0 on both sides alike; `place` says where it stands in its own source.
    """

    onset: float
    duration: float
    pitch: int
    written: int
    likeness: Likeness
    bar: Count
    beat: float
    pair: int | None = None
    in_run: bool = False


class BarLine(Record, frozen=True):
    """A bar of the work, on the phrase's axis; `signature` as (numerator, denominator)."""

    number: Count
    onset: float
    signature: tuple[Count, Count] | None = None


class LocalKey(Record, frozen=True):
    """The key of a passage, in its own source: sharps (flats below 0), and where it is from."""

    fifths: int
    minor: bool
    source: Annotated[
        Literal["written", "taken", "estimated"],
        msgspec.Meta(
            description="a signature of its own, the other side's moved with the notes, "
            "or Krumhansl and Kessler's profiles over both passages"
        ),
    ]


class Counts(Record, frozen=True):
    """How many notes of the aligned passage are alike."""

    equal: Annotated[int, msgspec.Meta(ge=0, description="aligned, same pitch in one key")]
    changed: Annotated[int, msgspec.Meta(ge=0, description="aligned, another pitch")]
    missing: Annotated[int, msgspec.Meta(ge=0, description="in the work's passage alone")]
    added: Annotated[int, msgspec.Meta(ge=0, description="in the phrase's passage alone")]


class Comparison(Record, frozen=True):
    """Both passages note by note, the work's brought to the phrase's key and time."""

    first: Annotated[float, msgspec.Meta(description="first tick of the picture")]
    last: float
    semitones: Annotated[int, msgspec.Meta(description="added to the work's pitches")]
    stretch: Annotated[float, msgspec.Meta(description="phrase ticks for one tick of the work")]
    phrase: tuple[ComparedNote, ...]
    work: tuple[ComparedNote, ...]
    work_bars: tuple[BarLine, ...]
    counts: Counts
    phrase_place: Place
    work_place: Place
    run: Annotated[
        tuple[int, int] | None,
        msgspec.Meta(description="first and last pair of the longest run marked in the picture"),
    ] = None
    offset: Annotated[
        float, msgspec.Meta(description="phrase tick at which the work's tick 0 would lie")
    ] = 0.0
    phrase_key: LocalKey | None = None
    work_key: LocalKey | None = None


class Match(Record, frozen=True, kw_only=True):
    """One work that resembles the phrase, with the numbers that say how much."""

    rank: Annotated[int, msgspec.Meta(ge=1)]
    work: Work
    score: float
    p_value: float | None
    e_value: float | None
    q_value: float | None
    significant: bool
    transposition: Annotated[
        int, msgspec.Meta(description="semitones from the work's key to the phrase's")
    ]
    tempo_ratio: float
    longest_run: Count
    coverage_query: Share
    coverage_work: Share
    extrapolated: Annotated[
        bool, msgspec.Meta(description="whether p lies beyond what the null counted")
    ] = False
    variants: Annotated[
        tuple[str, ...], msgspec.Meta(description="ids of near-duplicates of the work")
    ] = ()
    common: Annotated[
        Common | None, msgspec.Meta(description="who holds this match's passage; null: not counted")
    ] = None
    comparison: Comparison | None = None


class Method(Record, frozen=True):
    """A paragraph on how a number came about, or on what it cannot say."""

    title: str
    text: str


class Report(Record, frozen=True, kw_only=True):
    """One phrase against one corpus."""

    schema: Literal["musai-report-1"] = VERSION
    title: str
    made_at: str
    software: Annotated[
        dict[str, str], msgspec.Meta(description="names and versions of what took part")
    ]
    subject: Subject
    player: Player | None
    replay: Replay | None
    corpus: Corpus | None
    verdict: Verdict
    matches: tuple[Match, ...]
    style: Style | None = None
    influence: Annotated[
        Influences | None, msgspec.Meta(description="only in a report that was asked to tell it")
    ] = None
    methods: tuple[Method, ...]
    limits: tuple[Method, ...]
