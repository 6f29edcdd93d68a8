"""Every error that musai raises on purpose.

::

    MusaiError
    ├── BadInput              a value outside its legal range; the message names both
    │   ├── BadMidi           a file that is not, or is no longer, a standard MIDI file
    │   ├── BadScore          an ABC or MusicXML file that cannot be read
    │   ├── BadManifest       a manifest row or column
    │   └── BadRequest        a request for a phrase
    ├── NotFound              no such work, corpus, model, phrase or replay
    │   └── Withdrawn         it was taken down or erased, and that was recorded
    ├── NotAllowed            the owner's terms do not allow this use
    ├── Altered               stored bytes whose hash is no longer the recorded one
    ├── NoSpace               the disk is full; nothing that was there is lost
    └── WorkerDied            a worker process ended while it had work in hand

``exit_code`` is what the command line returns for it.
"""

from typing import ClassVar


class MusaiError(Exception):
    """Base of all errors raised on purpose."""

    exit_code: ClassVar[int] = 1


class BadInput(MusaiError, ValueError):
    """A value outside its legal range."""

    exit_code: ClassVar[int] = 2


class BadMidi(BadInput):
    """Bytes that are not a standard MIDI file within the limits."""


class BadScore(BadInput):
    """An ABC or MusicXML text that cannot be read."""


class BadManifest(BadInput):
    """A manifest whose row or column cannot be used."""


class BadRequest(BadInput):
    """A request that no phrase can answer."""


class NotFound(MusaiError):
    """The thing named does not exist here."""

    exit_code: ClassVar[int] = 3


class Withdrawn(NotFound):
    """What this needs was taken down or erased, and that was recorded."""


class NotAllowed(MusaiError):
    """The owner's terms do not allow this use."""

    exit_code: ClassVar[int] = 2


class Altered(MusaiError):
    """Stored bytes differ from what their recorded hash says."""


class NoSpace(MusaiError):
    """A disk or a quota is full."""


class WorkerDied(MusaiError):
    """A worker process ended while it had work in hand."""


def check_range(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    """Raise `BadInput` naming the value and the legal range unless low <= value <= high."""
    # The comparison is written so that NaN fails it.
    if not low <= value <= high:
        tail = f" {unit}" if unit else ""
        raise BadInput(f"{name} is {value}; legal is {low} to {high}{tail}")
