"""What matching answers: hits, the verdict, and the words for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

Light = Literal["grey", "green", "amber", "red"]


@dataclass(frozen=True, slots=True)
class Common:
    """How common a passage is: works that hold it at 90% of its score, by how many authors."""

    works: int = 0
    authors: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chance:
    """Whether chance could bring a score as high: `p_value` over `size` Markov decoys.

    `reference` names the music that the decoys were made like.
    """

    p_value: float
    size: int
    reference: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One work, or one cluster of near-duplicate works, and how the phrase lies in it.

    `score` in bits; `transposition` in semitones and `tempo_ratio` lead from
    the work to the phrase; `alignment` holds pairs of note indices into
    `phrase.notes` and the work's `notes`; `longest_run` in notes; the
    coverages are shares of each side's notes that are paired.  `p_value` is
    that of this work by itself, `e_value` how many works of the corpus would
    reach it by chance, `q_value` after Benjamini-Hochberg over all clusters;
    None while there is no null.  `variants` are near-duplicates of the work.
    Of the line that matched best, `equal` and `changed` count its pairs,
    `extra` the phrase's notes between the first pair and the last that have
    no partner, `missing` the work's; `stream` says which line of the work it is.
    `common` says how common the matched passage is, where that was counted.
    """

    work_id: str
    title: str
    path: str
    score: float
    p_value: float | None
    e_value: float | None
    q_value: float | None
    significant: bool
    transposition: int
    tempo_ratio: float
    longest_run: int
    coverage_query: float
    coverage_work: float
    alignment: tuple[tuple[int, int], ...]
    licence: str
    composer: str = ""
    attribution: str = ""
    equal: int = 0
    changed: int = 0
    extra: int = 0
    missing: int = 0
    stream: str = ""
    extrapolated: bool = False
    variants: tuple[str, ...] = ()
    common: Common | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test about this phrase and this corpus.

    `p_value` is None without a null (`reason` says why); `statistic` the
    best score in bits over all lines and clusters; `null_version` names all
    that the null depends on.  `extrapolated` is a tail's p where the null
    counted nothing as high.  `common_works` and `common_authors` say how many
    works hold the best passage at 90% of its score, and by how many authors.
    `chance` is None while the corpus has no decoys to compare with.
    """

    p_value: float | None
    statistic: float
    null_size: int
    null_version: str
    light: Light
    sentence: str
    longest_run: int
    reason: str = ""
    extrapolated: float | None = None
    null_reference: str = ""
    common_works: int = 0
    common_authors: int = 0
    common_examples: tuple[str, ...] = ()
    lines: int = 0
    searched: float = 1.0
    works: int = 0
    clusters: int = 0
    engine: str = ""
    corpus: str = ""
    corpus_id: str = ""
    scores_version: str = ""
    chance: Chance | None = None

    @property
    def significant(self) -> bool:
        """Whether the phrase is closer to a work than unrelated music comes."""
        return self.light in ("amber", "red") and self.p_value is not None and self.p_value <= 0.01


@dataclass(frozen=True, slots=True)
class Matches(Sequence[Hit]):
    """Hits, best first, with the verdict on the phrase."""

    hits: tuple[Hit, ...]
    verdict: Verdict = field()

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)


def light_of(p: float | None, longest_run: int, authors: int) -> Light:
    """The overlap light: grey without a null, red for what few authors share, amber, green."""
    if p is None:
        return "grey"
    if p <= 0.001 and authors < 5:
        return "red"
    if p <= 0.01 or longest_run >= 8:
        return "amber"
    return "green"
