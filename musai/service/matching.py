"""The matcher's process: opens the corpora in use and compares one phrase after another."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any, Protocol

import msgspec
import numpy as np

from musai.errors import NotFound
from musai.service import wire
from musai.service.pipes import Pipes
from musai.service.playing import load, made_with, reason_of
from musai.service.styles import Styles

TOP = 10
"""Hits recorded for each corpus: a record is kept for ever, and a jam makes hundreds of them."""

ALIGNED = 5
"""Hits recorded with alignment and all that is known of the work, as many as a report draws."""

THOROUGH = 50, 10
"""The same for a file that somebody asks about: a report lists and draws more of them."""

GROUPS = 12
"""Composers and collections recorded of a phrase's style, those whose music is most like it."""

NO_NULL = "its null, against which likeness is rated, has not been made yet"

SEVERITY = ("grey", "green", "amber", "red")


class MatcherLike(Protocol):
    """What the worker needs of `musai.match.Matcher`."""

    @property
    def corpus(self) -> Any:
        """The corpus it searches, with name, id, path and works."""

    @property
    def nulls(self) -> Any:
        """Its nulls; `ready` holds those that are there."""

    def match(self, phrase: Any, top: int = 50, *, common: int = 0) -> Any:
        """Hits, best first, with their verdict; of the `common` first, how common their passages are."""


def run_matcher(pipes: Pipes, factory: str, *corpora: str) -> None:
    """Serve until the pipe closes.  `factory` is "module:callable" and takes a corpus's name."""
    room = Room(load(factory))
    room.open(corpora)
    pipes.say(wire.Ready({"corpora": room.rows}, made_with()))
    while True:
        command = pipes.next()
        if isinstance(command, wire.Open):
            room.open(command.corpora)
            pipes.say(wire.Ready({"corpora": room.rows}, made_with()))
        elif isinstance(command, wire.Compare):
            if room.refresh():
                pipes.say(wire.Ready({"corpora": room.rows}, made_with()))
            pipes.say(room.answer(command))
            room.open_styles()


@dataclasses.dataclass(slots=True)
class Shelf:
    """One corpus: its row in `describe`, and its matcher where it could be opened."""

    row: dict[str, Any]
    matcher: MatcherLike | None = None
    stamp: int = 0


class Room:
    """The corpora in use, those that are open and those that are not with the reason."""

    def __init__(self, opener: Callable[[str], MatcherLike]) -> None:
        self._opener = opener
        self._shelves: dict[str, Shelf] = {}
        self.styles = Styles()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row a corpus, as `ServiceLike.describe` has them."""
        return [shelf.row for shelf in self._shelves.values()]

    def open(self, names: Iterable[str]) -> None:
        """Open each corpus anew; one that cannot be opened keeps no other from it."""
        self._shelves = {name: self._opened(name) for name in names}

    def refresh(self) -> bool:
        """Open again what has changed on disk, so that a work taken down is gone here too.

        Whether anything was opened.
        """
        changed = [name for name, shelf in self._shelves.items() if _stamp(shelf) != shelf.stamp]
        for name in changed:
            self._shelves[name] = self._opened(name)
        return bool(changed)

    def answer(self, command: wire.Compare) -> wire.Message:
        """Compare with every open corpus; the one whose light is worst decides."""
        matchers = {name: shelf.matcher for name, shelf in self._shelves.items() if shelf.matcher}
        if not matchers:
            return wire.Unfound(command.ticket, "; ".join(row["reason"] for row in self.rows))
        try:
            phrase = command.phrase.phrase()
            rows = [
                compared(name, matcher, phrase, self.styles, command.thorough)
                for name, matcher in matchers.items()
            ]
        except Exception as error:
            return wire.Unfound(command.ticket, reason_of(error))
        rows.sort(key=severity, reverse=True)
        return wire.Found(command.ticket, rows)

    def open_styles(self) -> None:
        """Begin to open the styles of the corpora, so that later phrases can be told by them."""
        for shelf in self._shelves.values():
            if shelf.matcher is not None:
                self.styles.open_behind(shelf.matcher.corpus)

    def _opened(self, name: str) -> Shelf:
        try:
            matcher = self._opener(name)
        except NotFound as error:
            return Shelf({"name": name, "state": "missing", "reason": str(error)})
        except Exception as error:
            return Shelf({"name": name, "state": "failed", "reason": reason_of(error)})
        row = {
            "name": name,
            "id": matcher.corpus.id,
            "works": len(matcher.corpus.works),
            "state": "ready",
            "progress": 1.0,
            "reason": "" if matcher.nulls.ready else NO_NULL,
        }
        shelf = Shelf(row, matcher)
        # After opening: that may have made the folder of an index.
        shelf.stamp = _stamp(shelf)
        return shelf


def _stamp(shelf: Shelf) -> int:
    """When an entry of the corpus's folder last came, went or was replaced; 0 where none is."""
    try:
        return 0 if shelf.matcher is None else Path(shelf.matcher.corpus.path).stat().st_mtime_ns
    except OSError:
        return -1


def compared(
    name: str,
    matcher: MatcherLike,
    phrase: Any,
    styles: Styles | None = None,
    thorough: bool = False,
) -> dict[str, Any]:
    """One corpus's row: name, id, path, works, verdict, hits, and about each work that was hit.

    `spread` is the null in short, `style` what `styles` says of the phrase; each None where it
    is not known, `style_reason` says why there is no style.
    """
    top, aligned = THOROUGH if thorough else (TOP, ALIGNED)
    matches = matcher.match(phrase, top=top, common=ALIGNED)
    corpus = matcher.corpus
    hits: list[dict[str, Any]] = []
    for rank, hit in enumerate(matches):
        pairs = [list(pair) for pair in hit.alignment] if rank < aligned else []
        hits.append({**plain(dataclasses.replace(hit, alignment=())), "alignment": pairs})
    style, why = styles.of(corpus, phrase) if styles else (None, "")
    return {
        "name": name,
        "id": corpus.id,
        "path": str(corpus.path),
        "works": len(corpus.works),
        "verdict": {**plain(matches.verdict), "corpus": name},
        "hits": hits,
        "spread": plain(_spread(matcher, matches.verdict, phrase)),
        "style": _fewer(plain(style)),
        "style_reason": why,
        "about": {hit["work_id"]: about(corpus, hit["work_id"]) for hit in hits[:aligned]},
    }


def _fewer(style: Any) -> Any:
    """A style with as many groups as a report shows: a corpus may know hundreds."""
    return style and {**style, "groups": style["groups"][:GROUPS]}


def _spread(matcher: MatcherLike, verdict: Any, phrase: Any) -> Any:
    """The null that the verdict was held against, in short; a matcher's stand-in may have none."""
    from musai.match.null import Null
    from musai.match.spread import spread

    nulls = [null for null in matcher.nulls.ready if isinstance(null, Null)]
    return spread(nulls, verdict, phrase) if nulls else None


def plain(value: Any) -> Any:
    """JSON values of a dataclass, a tuple, a path or one of numpy's numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def severity(row: dict[str, Any]) -> tuple[int, float]:
    """How much a corpus's row says: by light, then by p."""
    verdict = row["verdict"]
    p = verdict["p_value"]
    return SEVERITY.index(verdict["light"]), -1.0 if p is None else 1.0 - p


def about(corpus: Any, work_id: str) -> dict[str, Any]:
    """Who made and owns a work and what they allow, as the report's `Work` has it."""
    from musai.report.works import work_record

    values: dict[str, Any] = msgspec.to_builtins(work_record(corpus.work(work_id)))
    return values
