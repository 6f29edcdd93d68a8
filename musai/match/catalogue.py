"""A corpus as the search sees it: its index, and what says which works are related."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from musai.corpus import permission
from musai.match.index import CorpusLike, Index, Progress, open_index

GENERIC = 20
"""A title that so many works bear names a kind of piece and makes none of them related."""

KINDS_OF_PIECE = frozenset(
    [
        "air",
        "allegro",
        "andante",
        "aria",
        "ballad",
        "chorale",
        "clog",
        "dance",
        "favorite",
        "favourite",
        "fling",
        "gavotte",
        "highland",
        "hornpipe",
        "jig",
        "lied",
        "lullaby",
        "march",
        "mazurka",
        "menuet",
        "minuet",
        "movement",
        "no",
        "op",
        "piano",
        "polka",
        "quartet",
        "quick",
        "quickstep",
        "reel",
        "rondo",
        "schottische",
        "sonata",
        "song",
        "step",
        "strathspey",
        "string",
        "waltz",
    ]
)
"""Words of a title that name a kind of piece."""

SMALL = frozenset(
    [
        "a",
        "an",
        "and",
        "by",
        "da",
        "das",
        "de",
        "der",
        "des",
        "die",
        "du",
        "ein",
        "el",
        "for",
        "in",
        "la",
        "le",
        "les",
        "my",
        "of",
        "o",
        "on",
        "s",
        "t",
        "the",
        "to",
        "und",
    ]
)

STEM = 5
"""Letters by which two words of titles are compared: Huntley's is Huntly's, Corbett Corbet."""

NOBODY = frozenset({"anon", "anonymous", "trad", "traditional", "unknown", "various", ""})
"""Words that stand where a creator's name would."""


@dataclass(frozen=True)
class Catalogue:
    """An index with the corpus's row of each of its works; None for a work that is gone."""

    name: str
    corpus_id: str
    index: Index
    rows: tuple[Any, ...]

    # Worked out when they are asked for: most matchers never build a null.

    @cached_property
    def titles(self) -> tuple[frozenset[str], ...]:
        """The stems of each work's title; none of a title that many works bear."""
        titles = [stems(row.title) if row else frozenset() for row in self.rows]
        common = {title for title, count in Counter(titles).items() if count >= GENERIC}
        return tuple(frozenset() if title in common else title for title in titles)

    @cached_property
    def creators(self) -> tuple[frozenset[str], ...]:
        """The creators' plain names of each work, where somebody is named."""
        return tuple(_names(row.creators if row else ()) for row in self.rows)


def catalogue(corpus: CorpusLike, progress: Progress | None = None) -> Catalogue:
    """The catalogue of the works whose terms allow matching; brings the index up to date."""
    allowed = {work.id: work for work in corpus.works if permission(work, "match").allowed}
    index = open_index(corpus, list(allowed), progress)
    rows = tuple(allowed.get(work_id) for work_id in index.work_ids)
    return Catalogue(corpus.name, corpus.id, index, rows)


def _names(creators: Iterable[Any]) -> frozenset[str]:
    return frozenset(plain(creator.name) for creator in creators) - NOBODY


def stems(title: str) -> frozenset[str]:
    """What a title is known by: the stems of its words without kinds of piece, articles, numbers.

    A title of nothing else is known by all of its words.
    """
    words = plain(title).split()
    telling = {w[:STEM] for w in words if w not in KINDS_OF_PIECE | SMALL and not w.isdigit()}
    return frozenset(telling or words)


def plain(text: str) -> str:
    """Letters and digits only, without accents and case, without a leading article."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c if c.isalnum() else " " for c in spread if not unicodedata.combining(c))
    words = kept.split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)
