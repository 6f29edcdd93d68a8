"""What the shows (page, OSC bridge, command line) may ask of a service, and nothing more."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from musai.music import Phrase
from musai.service.events import Event
from musai.transformer.request import Request

if TYPE_CHECKING:
    from musai.service.catalogues import Catalogues
    from musai.service.history import History
    from musai.service.jams import JamBoard
    from musai.service.jobs import Jobs
    from musai.service.reports import Reports
    from musai.service.tasks import Tasks

OnEvent = Callable[[Event], None]
"""Called from a reader thread, in order, once an event; must not block or raise."""


@runtime_checkable
class ServiceLike(Protocol):
    """Thread-safe; every method but `close` and `report` returns without waiting for a worker.

    `keep`, `discard`, `again`, `replay` and `phrase` read or write the ledger
    and so may wait for the disk; who keeps a beat calls them from elsewhere.

    A ticket is a positive int, unique while the service lives.  Every ticket
    ends with `Compared` (after `Finished`) or with `Failed`, exactly once.
    A cancelled ticket ends with `Failed` of kind "Cancelled".
    """

    def submit(self, request: Request, on_event: OnEvent, *, session: str = "") -> int:
        """Ask for a phrase; events follow.  `session` groups records of one sitting or client.

        Sessions take turns: a client that asks for many waits for the others.
        Raises `BadRequest` where the queue is full.
        """
        ...

    def prefill(self, request: Request, *, topic: str = "", played: float = 1.0) -> None:
        """Something like this will be asked for soon; saves time then and changes no note.

        Of each topic only the last one counts; `played` is how much of the context there is, 0 to 1.
        """
        ...

    def again(self, phrase_id: str, on_event: OnEvent, *, session: str = "") -> int:
        """The request behind `phrase_id` with the next seed.  Raises `NotFound`."""
        ...

    def cancel(self, ticket: int) -> bool:
        """Stop a ticket, waiting or mid-phrase; False where it has already ended."""
        ...

    def keep(self, phrase_id: str, intent: str = "") -> None:
        """Record that the human keeps this phrase, and in a sentence what for.

        Raises `NotFound`, `BadInput` for a sentence of more than 500 characters.
        """
        ...

    def discard(self, phrase_id: str) -> None:
        """Record that the human discards this phrase.  Raises `NotFound`."""
        ...

    def replay(self, replay_id: str, on_event: OnEvent) -> int:
        """Make a recorded phrase again; `Finished.replay` says "identical" or where it differs.

        A prefix of at least 8 digits is enough where it is unambiguous.
        Raises `NotFound` for an id that the ledger does not hold, `Altered`
        where the record or the model is no longer what was recorded.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """JSON values, at once::

        {"version": "0.1.0",
         "model": {"name": str, "id": hex, ...} or null while it is still loading,
         "corpora": [{"name": str, "id": hex or null, "works": int, "state": "opening" | "ready" |
                      "building" | "indexing" | "missing" | "failed", "progress": 0..1,
                      "reason": str}],
         "light": {"ready": bool, "why": str},
         "workers": {"play": {"pid": int or null, "state": "idle" | "starting" | "ready" | "busy" |
                     "unready" | "dead", "restarts": int, "fault": str}, "match": {...},
                     "build": {...}},
         "waiting": int,
         "ledger": {"records": int},
         "limits": {"bars": [1, 64], "tempo": [20, 400], ..., "context_notes": int, "queue": int,
                    "queue_session": int, "at_once": int}}

        A corpus that is "ready" with a reason is searched, but its light stays grey.
        """
        ...

    def report(self, phrase_id: str) -> dict[str, Any]:
        """The report of a phrase as JSON values (`musai.report`); raises `NotFound`."""
        ...

    def phrase(self, phrase_id: str) -> Phrase:
        """A phrase of the ledger by its id (or an unambiguous prefix).  Raises `NotFound`."""
        ...

    def close(self) -> None:
        """End the workers and close the ledger; waiting tickets fail with kind "Closed"."""
        ...


class DeskLike(ServiceLike, Protocol):
    """What the rights holder's desk may ask beside that: every method of these parts may wait for the disk."""

    @property
    def home(self) -> Path:
        """The folder in which corpora, models and ledger lie."""
        ...

    @property
    def history(self) -> "History":
        """What the ledger holds of phrases, matches and judgements."""
        ...

    @property
    def catalogue(self) -> "Catalogues":
        """The works of the corpora, their terms, their end."""
        ...

    @property
    def jobs(self) -> "Jobs":
        """Long work: how far it is, what came of it."""
        ...

    @property
    def tasks(self) -> "Tasks":
        """What long work there is."""
        ...

    @property
    def reports(self) -> "Reports":
        """The evidence as files."""
        ...

    @property
    def jams(self) -> "JamBoard":
        """The jams that run now."""
        ...

    def use(self, corpus: str) -> None:
        """Compare with a corpus from now on; what it lacks is built behind."""
        ...
