"""Work: one row of a corpus, what it is and what its owners allow."""

from dataclasses import dataclass, field

from musai.corpus.licences import UNKNOWN, Terms
from musai.errors import BadManifest


@dataclass(frozen=True, slots=True)
class Creator:
    """Somebody who made a work: years and identifiers where they are known."""

    name: str
    role: str = "composer"
    born: int | None = None
    died: int | None = None
    ipi: str = ""
    wikidata: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds rights in a work; `share` in basis points of the whole."""

    name: str
    share: int = 10_000
    ipi: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 10_000:
            raise BadManifest(
                f"{self.name}'s share is {self.share} basis points; legal is 0 to 10000"
            )


@dataclass(frozen=True, slots=True)
class Evidence:
    """A text that supports the terms: the file that holds it, its words, their SHA-256."""

    file: str
    quote: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Work:
    """A work and its terms.

    `id` is the SHA-256 of its notes, so the same notes are the same work
    whatever their file is called.  `source` says where they came from,
    `file_sha256` which file that was, `notes` how many they are.
    """

    id: str
    title: str
    creators: tuple[Creator, ...] = ()
    holders: tuple[Holder, ...] = ()
    source: str = ""
    evidence: tuple[Evidence, ...] = ()
    licence: str = UNKNOWN
    collection: str = ""
    terms: Terms = field(default_factory=Terms)
    notes: int = 0
    titles: tuple[str, ...] = ()
    attribution: str = ""
    iswc: str = ""
    path: str = ""
    file_sha256: str = ""
    grounds: str = ""

    def __post_init__(self) -> None:
        total = sum(holder.share for holder in self.holders)
        if total > 10_000:
            raise BadManifest(f"{self.title}: shares sum to {total}; legal is up to 10000")

    @property
    def composer(self) -> str:
        """The creators' names in one line; empty where nobody is named."""
        return ", ".join(creator.name for creator in self.creators)
