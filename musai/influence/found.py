"""What is said of a phrase's influences and how far it can be trusted: records."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

METHOD = "products of projected gradients (tier 1), beside BM25 over runs of notes (tier 0)"

PROXY = (
    "proxy: not measured on this model by training it again without some works; "
    "musai audit influence does that"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """How far tier 1 can be trusted on one model, from training it again without some works.

    `lds`, `low`, `high`: the linear datamodeling score and its 95% interval, `bm25` the same of word
    search (see `truth`); `drop`: the share of works left out, whole `unit`s at a time; `damping`:
    chosen on other queries, None for plain products; `slope`: the nats that a work's being left out costs a phrase for each
    unit of score, `spread`: the nats of one work that this does not explain (one standard
    deviation), for a phrase of `notes` notes.
    """

    model_id: str
    lds: float
    low: float
    high: float
    bm25: tuple[float, float, float]
    damping: float | None
    drop: float
    unit: str
    subsets: int
    queries: int
    slope: float
    spread: float
    notes: float

    @property
    def sentence(self) -> str:
        """The figures in words, with what they depend on."""
        word = self.bm25
        return (
            f"LDS {self.lds:.2f} ({self.low:.2f} to {self.high:.2f}) on this very model, word search "
            f"{word[0]:.2f} ({word[1]:.2f} to {word[2]:.2f}); {self.drop:.0%} of the works left out "
            f"{self.subsets} times, unit a {self.unit}, same seeds, {self.queries} held-out works asked"
        )


@dataclass(frozen=True, slots=True)
class Pull:
    """One work's estimates for one phrase: word search and gradient, each as a share of the list's top.

    `low` and `high`: 95% of the gradient's share as the phrase's passages are drawn anew, None for a
    phrase too short; `nats`: what leaving the work out is expected to take from the phrase's
    log-probability, with its 95% interval, where that was measured on this model; `everywhere`:
    it heads half of all lists, whatever is asked, and so says little of this phrase.
    """

    work_id: str
    title: str
    collection: str
    licence: str
    lexical: float
    gradient: float
    low: float | None
    high: float | None
    nats: tuple[float, float, float] | None
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Total:
    """The gradient's estimates of an owner's or a collection's works, summed with their signs.

    In shares of the first work's estimate, with the interval that a `Pull` has.
    """

    name: str
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """Neighbouring notes that one work moved more than any work moves such a place by chance.

    From the onset at `first` to the one at `last`, both in ticks; `p`: the share of places in
    training works asked about without themselves where a work stands out as much.
    """

    first: int
    last: int
    notes: int
    where: str
    work_id: str
    title: str
    p: float
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Influence:
    """What is estimated for a phrase.

    `works` by gradient, `similar` by word search, best first; `owners` and `collections` the sums of
    the gradient's estimates, negative ones included, largest first; `places` in the order of the
    phrase, of `asked_places` looked at.  `agreement` is Spearman's rank correlation of the two
    lists over all works.  `hidden` works do not allow this display and `missing` ones are not here:
    neither is named.  `measured` is None where the reliability is a proxy's.
    """

    model: str
    model_id: str
    method: str
    reliability: str
    measured: Measured | None
    works: tuple[Pull, ...]
    similar: tuple[Pull, ...]
    owners: tuple[Total, ...]
    collections: tuple[Total, ...]
    places: tuple[Place, ...]
    asked_places: int
    agreement: float
    hidden: int
    missing: int

    @property
    def agree(self) -> bool:
        """Whether half of the first works by gradient are among the first by word search."""
        return self._shared() * 2 >= len(self.works)

    @property
    def sentence(self) -> str:
        """Whether what is similar is what moved the phrase, in words."""
        told = (
            f"{self._shared()} of the first {len(self.works)} works by gradient are also among "
            "those by word search"
        )
        return f"Similarity and influence {'agree' if self.agree else 'disagree'}: {told}."

    def _shared(self) -> int:
        return len({p.work_id for p in self.works} & {p.work_id for p in self.similar})

    def plain(self) -> Mapping[str, Any]:
        """JSON values."""
        return {**asdict(self), "agree": self.agree, "sentence": self.sentence}
